/*
 * Forms as data: forms/<act>/<form>.yaml says what a form is called, on which article it rests, what stands in it and
 * who signs it; values come in, a document for antin-layout ({"kind": "van-ban", …}) goes out. NĐ 68/2024 Mẫu 01–09, TT
 * 185/2019 and the provinces' own forms are files of this kind; a new one is a file, with no C touched.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct an_form_field {
    const char *key, *label;
    bool required;
};
struct an_form_section {
    const char *heading; /* NULL = none */
    struct an_form_field *fields;
    size_t field_count;
};
struct an_form_column {
    const char *key, *label; /* "stt" numbers itself */
    double width;            /* share of the page's width */
    bool required;
};
struct an_form_signer {
    const char *key, *label; /* "giver", "BÊN GIAO" */
    bool required;
};
struct an_form {
    const char *id;         /* its citation and its file: "nd-68-2024/mau-07" */
    bool is_record;         /* biên bản: several signers side by side; else an official letter */
    const char *type;       /* "BIÊN BẢN"; NULL = none is printed */
    const char *title;      /* may hold {key}, as intro, bases and closing may */
    const char *intro;      /* NULL = none */
    const char **bases, **closing;
    size_t base_count, closing_count;
    struct an_form_section *sections;
    size_t section_count;
    struct an_form_column *columns; /* none = no table */
    size_t column_count;
    double table_size; /* of its letters; 0 = 12 */
    struct an_form_signer *signers;
    size_t signer_count;
    bool is_landscape;
    const char **unconfirmed; /* parts whose wording no text read fixes: "fields", "columns", … */
    size_t unconfirmed_count;
};
/* dir: the folder with forms/ in it; NULL = our data. AN_E_FORM_UNKNOWN, AN_E_YAML… */
an_code an_form_load(const char *dir, const char *id, struct an_form **ret, struct an_err *reterr) AN_MUST_USE;
void an_form_free(struct an_form **form); /* also for AN_CLEANUP */

/* ---- what is filled in ---- */
struct an_form_value {
    const char *key, *value;
};
struct an_form_values {
    const struct an_form_value *items;
    size_t count;
};
struct an_form_signature {
    const char *key;      /* a signer of the form */
    const char *lines[4]; /* quyền hạn, chức vụ; for a record the signer's label comes first by itself */
    size_t line_count;
    const char *name;
};
struct an_form_data {
    struct an_form_values values;     /* fields, and for the head: parent_agency, agency, number, place_date */
    const struct an_form_values *rows; /* of the table, by column key */
    size_t row_count;
    const char *const *to, *const *recipients;
    size_t to_count, recipient_count;
    const struct an_form_signature *signatures;
    size_t signature_count;
};
/* Each required thing that is missing: a field, a cell (row from 1, else 0), a signer. Returns how many. */
typedef void (*an_form_missing_fn)(void *context, const char *label, size_t row);
size_t an_form_check(const struct an_form *form, const struct an_form_data *data, an_form_missing_fn each,
                     void *context);
/* AN_E_FORM_MISSING names the first thing that is missing. */
an_code an_form_write(const struct an_form *form, const struct an_form_data *data, struct an_buf *out,
                      struct an_err *reterr) AN_MUST_USE;
