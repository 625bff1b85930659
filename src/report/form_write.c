/* A form and its values as a document for antin-layout. */
#include "base/utf8.h"
#include "report/form.h"
#include "report/internal.h"

#define FORM_TEXT_MAX 65536

static const char *
find_value(const struct an_form_values *values, const char *key)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i].key, key) == 0)
            return values->items[i].value ? values->items[i].value : "";
    return "";
}

/* ---- completeness ---- */
static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\n")] == '\0';
}

static size_t
check_rows(const struct an_form *form, const struct an_form_data *data, an_form_missing_fn each, void *context)
{
    size_t missing = 0;

    for (size_t row = 0; row < data->row_count; row++)
        for (size_t i = 0; i < form->column_count; i++)
            if (form->columns[i].required && strcmp(form->columns[i].key, "stt") != 0 &&
                is_blank(find_value(&data->rows[row], form->columns[i].key))) {
                missing++;
                if (each != NULL)
                    each(context, form->columns[i].label, row + 1);
            }
    return missing;
}

static const struct an_form_signature *
find_signature(const struct an_form_data *data, const char *key)
{
    for (size_t i = 0; i < data->signature_count; i++)
        if (strcmp(data->signatures[i].key, key) == 0)
            return &data->signatures[i];
    return NULL;
}

size_t
an_form_check(const struct an_form *form, const struct an_form_data *data, an_form_missing_fn each, void *context)
{
    size_t missing = 0;

    for (size_t s = 0; s < form->section_count; s++)
        for (size_t i = 0; i < form->sections[s].field_count; i++) {
            const struct an_form_field *field = &form->sections[s].fields[i];
            if (!field->required || !is_blank(find_value(&data->values, field->key)))
                continue;
            missing++;
            if (each != NULL)
                each(context, field->label, 0);
        }
    missing += check_rows(form, data, each, context);
    for (size_t i = 0; i < form->signer_count; i++)
        if (form->signers[i].required && find_signature(data, form->signers[i].key) == NULL) {
            missing++;
            if (each != NULL)
                each(context, form->signers[i].label, 0);
        }
    return missing;
}

/* ---- texts with {key} ---- */
static json_t *
fill_text(const char *text, const struct an_form_values *values)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(FORM_TEXT_MAX);
    json_t *json;

    while (*text != '\0') {
        const char *open = strchr(text, '{'), *close = open ? strchr(open, '}') : NULL;
        char key[64];
        if (close == NULL || close - open - 1 >= (ptrdiff_t)sizeof(key)) {
            an_buf_str(&out, text);
            break;
        }
        an_buf_append(&out, AN_BYTES(text, (size_t)(open - text)));
        memcpy(key, open + 1, (size_t)(close - open - 1));
        key[close - open - 1] = '\0';
        an_buf_str(&out, find_value(values, key));
        text = close + 1;
    }
    json = json_stringn((const char *)out.ptr, out.len);
    return json ? json : json_string("");
}

static void
put_text(json_t *root, const char *key, const struct an_form_values *values)
{
    const char *value = find_value(values, key);

    if (value[0] != '\0')
        json_object_set_new(root, key, report_string(value));
}

/* ---- the parts ---- */
static void
add_section(const struct an_form_section *section, const struct an_form_values *values, json_t *body)
{
    if (section->heading != NULL)
        json_array_append_new(body, json_pack("{s:o, s:b}", "lead", fill_text(section->heading, values), "bold", 1));
    for (size_t i = 0; i < section->field_count; i++) {
        const char *value = find_value(values, section->fields[i].key);
        AN_CLEANUP(an_free_ptr) char *line = NULL;
        if (is_blank(value) && !section->fields[i].required)
            continue;
        line = an_asprintf("%s: %s", section->fields[i].label, value);
        json_array_append_new(body, json_pack("{s:s}", "lead", line));
    }
}

static json_t *
row_json(const struct an_form *form, const struct an_form_values *row, size_t number)
{
    json_t *cells = json_array();

    for (size_t i = 0; i < form->column_count; i++) {
        if (strcmp(form->columns[i].key, "stt") == 0)
            json_array_append_new(cells, json_sprintf("%zu", number));
        else
            json_array_append_new(cells, report_string(find_value(row, form->columns[i].key)));
    }
    return cells;
}

static void
add_table(const struct an_form *form, const struct an_form_data *data, json_t *body)
{
    json_t *columns = json_array(), *widths = json_array(), *rows = json_array();

    for (size_t i = 0; i < form->column_count; i++) {
        json_array_append_new(columns, json_string(form->columns[i].label));
        json_array_append_new(widths, json_real(form->columns[i].width > 0 ? form->columns[i].width : 1));
    }
    for (size_t i = 0; i < data->row_count; i++)
        json_array_append_new(rows, row_json(form, &data->rows[i], i + 1));
    json_array_append_new(body, json_pack("{s:o, s:o, s:o, s:f}", "columns", columns, "widths", widths, "rows", rows,
                                          "size",
                                          form->table_size > 0 ? form->table_size : 12.0));
}

static json_t *
body_json(const struct an_form *form, const struct an_form_data *data)
{
    json_t *body = json_array();

    if (form->intro != NULL)
        json_array_append_new(body, fill_text(form->intro, &data->values));
    for (size_t i = 0; i < form->section_count; i++)
        add_section(&form->sections[i], &data->values, body);
    if (form->column_count > 0 && data->row_count > 0)
        add_table(form, data, body);
    for (size_t i = 0; i < form->closing_count; i++)
        json_array_append_new(body, fill_text(form->closing[i], &data->values));
    return body;
}

static json_t *
signature_json(const struct an_form *form, const struct an_form_signer *signer,
               const struct an_form_signature *signature)
{
    json_t *lines = json_array();

    if (form->is_record)
        json_array_append_new(lines, json_string(signer->label));
    for (size_t i = 0; signature != NULL && i < signature->line_count && i < AN_COUNT(signature->lines); i++)
        json_array_append_new(lines, report_string(signature->lines[i]));
    if (json_array_size(lines) == 0)
        json_array_append_new(lines, json_string(signer->label));
    return json_pack("{s:o, s:o}", "lines", lines, "name", report_string(signature ? signature->name : ""));
}

static json_t *
texts_json(const char *const *items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, report_string(items[i]));
    return list;
}

static json_t *
form_json(const struct an_form *form, const struct an_form_data *data)
{
    json_t *root = json_pack("{s:s, s:o}", "kind", "van-ban", "subject", fill_text(form->title, &data->values));
    json_t *signatures = json_array(), *bases = json_array();
    static const char *const head[] = {"parent_agency", "number", "place_date"};

    json_object_set_new(root, "agency", report_string(find_value(&data->values, "agency")));
    for (size_t i = 0; i < AN_COUNT(head); i++)
        put_text(root, head[i], &data->values);
    if (form->type != NULL)
        json_object_set_new(root, "type", json_string(form->type));
    if (form->is_landscape)
        json_object_set_new(root, "landscape", json_true());
    if (data->to_count > 0)
        json_object_set_new(root, "to", texts_json(data->to, data->to_count));
    for (size_t i = 0; i < form->base_count; i++)
        json_array_append_new(bases, fill_text(form->bases[i], &data->values));
    json_object_set_new(root, "bases", bases);
    json_object_set_new(root, "body", body_json(form, data));
    for (size_t i = 0; i < form->signer_count; i++) {
        const struct an_form_signature *signature = find_signature(data, form->signers[i].key);
        if (signature != NULL || form->signers[i].required)
            json_array_append_new(signatures, signature_json(form, &form->signers[i], signature));
    }
    json_object_set_new(root, "signatures", signatures);
    if (data->recipient_count > 0)
        json_object_set_new(root, "recipients", texts_json(data->recipients, data->recipient_count));
    return root;
}

/* ---- out ---- */
struct first_missing {
    const char *label;
    size_t row;
};

static void
keep_first(void *context, const char *label, size_t row)
{
    struct first_missing *first = context;

    if (first->label == NULL)
        *first = (struct first_missing){label, row};
}

static int
append_part(const char *part, size_t len, void *out)
{
    an_buf_append(out, AN_BYTES(part, len));
    return an_buf_ok(out) ? 0 : -1;
}

an_code
an_form_write(const struct an_form *form, const struct an_form_data *data, struct an_buf *out, struct an_err *reterr)
{
    struct first_missing first = {0};
    json_t *root;
    int failed;

    if (an_form_check(form, data, keep_first, &first) > 0) {
        if (first.row > 0)
            AN_FAIL(reterr, AN_E_FORM_MISSING, "%s: %s (%zu)", form->id, first.label, first.row);
        AN_FAIL(reterr, AN_E_FORM_MISSING, "%s: %s", form->id, first.label);
    }
    root = form_json(form, data);
    failed = json_dump_callback(root, append_part, out, JSON_COMPACT);
    json_decref(root);
    if (failed != 0)
        AN_FAIL(reterr, AN_E_LIMIT, "%s: %zu byte", form->id, out->max);
    return AN_OK;
}
