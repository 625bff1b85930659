/* Reading forms/<act>/<form>.yaml. */
#include "report/form.h"

#include "base/program.h"
#include "report/form_internal.h"
#include "yaml/yaml.h"

#include <unistd.h>

static const char *const kinds[] = {"letter", "record", NULL};

struct raw_form {
    const char *id, *type, *title, *intro;
    int kind;
    struct an_yaml_texts bases, closing, unconfirmed;
    const struct an_yaml_node *sections, *table, *signers;
    bool landscape;
};
static const struct an_yaml_field form_fields[] = {
    {"form", AN_FIELD_CITATION, true, offsetof(struct raw_form, id), NULL},
    {"kind", AN_FIELD_CHOICE, true, offsetof(struct raw_form, kind), kinds},
    {"type", AN_FIELD_TEXT, false, offsetof(struct raw_form, type), NULL},
    {"title", AN_FIELD_TEXT, true, offsetof(struct raw_form, title), NULL},
    {"unconfirmed", AN_FIELD_TEXTS, false, offsetof(struct raw_form, unconfirmed), NULL},
    {"landscape", AN_FIELD_FLAG, false, offsetof(struct raw_form, landscape), NULL},
    {"bases", AN_FIELD_TEXTS, false, offsetof(struct raw_form, bases), NULL},
    {"intro", AN_FIELD_TEXT, false, offsetof(struct raw_form, intro), NULL},
    {"sections", AN_FIELD_LIST, false, offsetof(struct raw_form, sections), NULL},
    {"table", AN_FIELD_MAP, false, offsetof(struct raw_form, table), NULL},
    {"closing", AN_FIELD_TEXTS, false, offsetof(struct raw_form, closing), NULL},
    {"signers", AN_FIELD_LIST, true, offsetof(struct raw_form, signers), NULL},
};
static const struct an_yaml_field field_fields[] = {
    {"key", AN_FIELD_TEXT, true, offsetof(struct an_form_field, key), NULL},
    {"label", AN_FIELD_TEXT, true, offsetof(struct an_form_field, label), NULL},
    {"required", AN_FIELD_FLAG, false, offsetof(struct an_form_field, required), NULL},
};
static const struct an_yaml_field column_fields[] = {
    {"key", AN_FIELD_TEXT, true, offsetof(struct an_form_column, key), NULL},
    {"label", AN_FIELD_TEXT, true, offsetof(struct an_form_column, label), NULL},
    {"width", AN_FIELD_DOUBLE, false, offsetof(struct an_form_column, width), NULL},
    {"required", AN_FIELD_FLAG, false, offsetof(struct an_form_column, required), NULL},
};
static const struct an_yaml_field signer_fields[] = {
    {"key", AN_FIELD_TEXT, true, offsetof(struct an_form_signer, key), NULL},
    {"label", AN_FIELD_TEXT, true, offsetof(struct an_form_signer, label), NULL},
    {"required", AN_FIELD_FLAG, false, offsetof(struct an_form_signer, required), NULL},
};

struct raw_section {
    const char *heading;
    const struct an_yaml_node *fields;
};
static const struct an_yaml_field section_fields[] = {
    {"heading", AN_FIELD_TEXT, false, offsetof(struct raw_section, heading), NULL},
    {"fields", AN_FIELD_LIST, true, offsetof(struct raw_section, fields), NULL},
};
struct raw_table {
    double size;
    const struct an_yaml_node *columns;
};
static const struct an_yaml_field table_fields[] = {
    {"size", AN_FIELD_DOUBLE, false, offsetof(struct raw_table, size), NULL},
    {"columns", AN_FIELD_LIST, true, offsetof(struct raw_table, columns), NULL},
};

/* A list of maps of one kind, as an array in the document's arena. */
static an_code
read_list(struct an_yaml_doc *doc, const struct an_yaml_node *list, const struct an_yaml_field *fields,
          size_t field_count, size_t size,
          void *ret_items, size_t *ret_count, struct an_err *reterr)
{
    size_t count = list ? list->count : 0, at = 0;
    uint8_t *items;

    if (count == 0)
        return AN_OK;
    items = an_arena_alloc(doc->arena, count * size);
    if (items == NULL)
        return an_yaml_fail(doc, list, reterr, AN_E_LIMIT, "%zu", count);
    for (const struct an_yaml_node *node = list->first; node != NULL; node = node->next)
        AN_TRY(an_yaml_read_fields(doc, node, fields, field_count, items + size * at++, reterr));
    memcpy(ret_items, &items, sizeof(items));
    *ret_count = count;
    return AN_OK;
}

static an_code
read_sections(struct an_yaml_doc *doc, const struct an_yaml_node *list, struct an_form *form, struct an_err *reterr)
{
    struct raw_section *raw = NULL;

    AN_TRY(read_list(doc, list, section_fields, AN_COUNT(section_fields), sizeof(*raw), &raw, &form->section_count,
                     reterr));
    if (form->section_count == 0)
        return AN_OK;
    form->sections = an_arena_alloc(doc->arena, form->section_count * sizeof(*form->sections));
    if (form->sections == NULL)
        return an_yaml_fail(doc, list, reterr, AN_E_LIMIT, "%zu", form->section_count);
    for (size_t i = 0; i < form->section_count; i++) {
        form->sections[i].heading = raw[i].heading;
        AN_TRY(read_list(doc, raw[i].fields, field_fields, AN_COUNT(field_fields), sizeof(struct an_form_field),
                         &form->sections[i].fields, &form->sections[i].field_count, reterr));
    }
    return AN_OK;
}

static an_code
read_table(struct an_yaml_doc *doc, const struct an_yaml_node *map, struct an_form *form, struct an_err *reterr)
{
    struct raw_table raw = {0};

    if (map == NULL)
        return AN_OK;
    AN_TRY(an_yaml_read_fields(doc, map, table_fields, AN_COUNT(table_fields), &raw, reterr));
    if (raw.size != 0 && (raw.size < 8 || raw.size > 14))
        return an_yaml_fail(doc, map, reterr, AN_E_YAML_TYPE, "size: 8–14");
    if (raw.columns->count < 1 || raw.columns->count > AN_FORM_COLUMNS_MAX)
        return an_yaml_fail(doc, map, reterr, AN_E_LIMIT, "columns: 1–%d", AN_FORM_COLUMNS_MAX);
    form->table_size = raw.size;
    return read_list(doc, raw.columns, column_fields, AN_COUNT(column_fields), sizeof(struct an_form_column),
                     &form->columns,
                     &form->column_count, reterr);
}

static an_code
read_form(struct an_yaml_doc *doc, struct an_form *form, struct an_err *reterr)
{
    struct raw_form raw = {0};

    AN_TRY(an_yaml_read_fields(doc, doc->root, form_fields, AN_COUNT(form_fields), &raw, reterr));
    *form = (struct an_form){.id = raw.id, .is_record = raw.kind == 1, .type = raw.type,
                             .title = raw.title, .intro = raw.intro, .bases = raw.bases.items,
                             .base_count = raw.bases.count,
                             .closing = raw.closing.items, .closing_count = raw.closing.count,
                             .is_landscape = raw.landscape,
                             .unconfirmed = raw.unconfirmed.items, .unconfirmed_count = raw.unconfirmed.count};
    AN_TRY(read_sections(doc, raw.sections, form, reterr));
    AN_TRY(read_table(doc, raw.table, form, reterr));
    AN_TRY(read_list(doc, raw.signers, signer_fields, AN_COUNT(signer_fields), sizeof(struct an_form_signer),
                     &form->signers,
                     &form->signer_count, reterr));
    if (form->signer_count < 1 || form->signer_count > AN_FORM_SIGNERS_MAX)
        return an_yaml_fail(doc, raw.signers, reterr, AN_E_LIMIT, "signers: 1–%d", AN_FORM_SIGNERS_MAX);
    if (form->is_record && form->type == NULL)
        return an_yaml_fail(doc, NULL, reterr, AN_E_YAML_MISSING, "type");
    return AN_OK;
}

/* act/form, of letters that are no path. */
static bool
is_plain_id(const char *id)
{
    size_t act = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-"), form;

    if (act == 0 || id[act] != '/')
        return false;
    form = strspn(id + act + 1, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return form > 0 && id[act + 1 + form] == '\0' && act + form < 63;
}

an_code
an_form_load(const char *dir, const char *id, struct an_form **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/forms/%.64s.yaml", dir ? dir : an_program_data(), id);
    struct loaded_form *loaded;
    an_code code;

    if (!is_plain_id(id) || access(path, R_OK) != 0)
        AN_FAIL(reterr, AN_E_FORM_UNKNOWN, "%.64s", id);
    loaded = AN_NEW(struct loaded_form);
    code = an_yaml_load(path, NULL, &loaded->doc, reterr);
    if (code == AN_OK)
        code = read_form(loaded->doc, &loaded->form, reterr);
    if (code == AN_OK && strcmp(loaded->form.id, id) != 0)
        code = an_yaml_fail(loaded->doc, NULL, reterr, AN_E_YAML_TYPE, "form: %s ≠ %s", loaded->form.id, id);
    if (code != AN_OK) {
        an_yaml_free(&loaded->doc);
        free(loaded);
        return code;
    }
    *ret = &loaded->form;
    return AN_OK;
}

void
an_form_free(struct an_form **form)
{
    struct loaded_form *loaded = (struct loaded_form *)(void *)*form; /* its first member */

    if (loaded == NULL)
        return;
    an_yaml_free(&loaded->doc);
    free(loaded);
    *form = NULL;
}
