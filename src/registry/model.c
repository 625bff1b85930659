/* Reading devices/models.yaml. */
#include "registry/model.h"

#include "base/program.h"
#include "yaml/yaml.h"

struct an_device_models {
    struct an_yaml_doc *doc;
    struct an_device_model *items;
    size_t count;
};

static const char *const kinds[] = {"pki-token", "sim-pki", "hsm", NULL};
struct raw_model {
    const char *id, *name, *maker, *token_model;
    int kind;
    const struct an_yaml_node *pin;
    bool unconfirmed;
};
static const struct an_yaml_field model_fields[] = {
    {"id", AN_FIELD_TEXT, true, offsetof(struct raw_model, id), NULL},
    {"name", AN_FIELD_TEXT, true, offsetof(struct raw_model, name), NULL},
    {"maker", AN_FIELD_TEXT, true, offsetof(struct raw_model, maker), NULL},
    {"kind", AN_FIELD_CHOICE, true, offsetof(struct raw_model, kind), kinds},
    {"token-model", AN_FIELD_TEXT, false, offsetof(struct raw_model, token_model), NULL},
    {"pin", AN_FIELD_MAP, true, offsetof(struct raw_model, pin), NULL},
    {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct raw_model, unconfirmed), NULL},
};
struct raw_pin {
    int64_t min, max, tries;
    bool upper, lower, digit, symbol, digits_only;
};
static const struct an_yaml_field pin_fields[] = {
    {"min", AN_FIELD_INT64, true, offsetof(struct raw_pin, min), NULL},
    {"max", AN_FIELD_INT64, true, offsetof(struct raw_pin, max), NULL},
    {"tries", AN_FIELD_INT64, false, offsetof(struct raw_pin, tries), NULL},
    {"upper", AN_FIELD_FLAG, false, offsetof(struct raw_pin, upper), NULL},
    {"lower", AN_FIELD_FLAG, false, offsetof(struct raw_pin, lower), NULL},
    {"digit", AN_FIELD_FLAG, false, offsetof(struct raw_pin, digit), NULL},
    {"symbol", AN_FIELD_FLAG, false, offsetof(struct raw_pin, symbol), NULL},
    {"digits-only", AN_FIELD_FLAG, false, offsetof(struct raw_pin, digits_only), NULL},
};

static an_code
read_model(struct an_yaml_doc *doc, const struct an_yaml_node *map, struct an_device_model *ret, struct an_err *reterr)
{
    struct raw_model raw = {0};
    struct raw_pin pin = {0};

    AN_TRY(an_yaml_read_fields(doc, map, model_fields, AN_COUNT(model_fields), &raw, reterr));
    AN_TRY(an_yaml_read_fields(doc, raw.pin, pin_fields, AN_COUNT(pin_fields), &pin, reterr));
    if (pin.min < 1 || pin.max < pin.min || pin.max > 255 || pin.tries < 0 || pin.tries > 100)
        return an_yaml_fail(doc, raw.pin, reterr, AN_E_YAML_TYPE, "1 ≤ min ≤ max ≤ 255, tries ≤ 100");
    *ret = (struct an_device_model){
        .id = raw.id, .name = raw.name, .maker = raw.maker, .kind = kinds[raw.kind], .token_model = raw.token_model,
        .unconfirmed = raw.unconfirmed,
        .pin = {.model = raw.name, .length_min = (unsigned)pin.min, .length_max = (unsigned)pin.max,
                .needs_upper = pin.upper,
                .needs_lower = pin.lower, .needs_digit = pin.digit, .needs_symbol = pin.symbol,
                .digits_only = pin.digits_only,
                .tries = (unsigned)pin.tries}};
    return AN_OK;
}

static an_code
read_models(struct an_device_models *models, struct an_err *reterr)
{
    static const struct an_yaml_field root_fields[] = {{"models", AN_FIELD_LIST, true, 0, NULL}};
    const struct an_yaml_node *list = NULL;

    AN_TRY(an_yaml_read_fields(models->doc, models->doc->root, root_fields, 1, &list, reterr));
    models->items = an_new_array(list->count ? list->count : 1, sizeof(*models->items));
    for (const struct an_yaml_node *node = list->first; node != NULL; node = node->next) {
        AN_TRY(read_model(models->doc, node, &models->items[models->count], reterr));
        if (an_device_model_find(models, models->items[models->count].id) != NULL)
            return an_yaml_fail(models->doc, node, reterr, AN_E_YAML_DUPLICATE, "%s", models->items[models->count].id);
        models->count++;
    }
    return AN_OK;
}

an_code
an_device_models_open(const char *dir, struct an_device_models **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/devices/models.yaml", dir ? dir : an_program_data());
    AN_CLEANUP(an_device_models_close) struct an_device_models *models = AN_NEW(struct an_device_models);

    AN_TRY(an_yaml_load(path, NULL, &models->doc, reterr));
    AN_TRY(read_models(models, reterr));
    *ret = models;
    models = NULL;
    return AN_OK;
}

void
an_device_models_close(struct an_device_models **models)
{
    if (*models == NULL)
        return;
    an_yaml_free(&(*models)->doc);
    free((*models)->items);
    free(*models);
    *models = NULL;
}

const struct an_device_model *
an_device_model_find(const struct an_device_models *models, const char *id)
{
    for (size_t i = 0; i < models->count; i++)
        if (strcmp(models->items[i].id, id) == 0)
            return &models->items[i];
    return NULL;
}

const struct an_device_model *
an_device_model_of_token(const struct an_device_models *models, const char *token_model)
{
    for (size_t i = 0; i < models->count; i++) {
        const char *words = models->items[i].token_model;
        if (words != NULL && strncmp(words, token_model, strlen(words)) == 0)
            return &models->items[i];
    }
    return NULL;
}
