/* The strict subset, row by row: what is read, and which fault stands at which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "yaml/yaml.h"

static const char *const COLOURS[] = {"xanh", "đỏ", NULL};
struct plan {
    const char *name, *cite;
    bool open;
    double size;
    int64_t days;
    int colour;
    an_time from;
    struct an_yaml_texts words;
    const struct an_yaml_node *map, *list, *any;
};
#define PLAN(member) offsetof(struct plan, member)
static const struct an_yaml_field FIELDS[] = {
    {"name", AN_FIELD_TEXT, true, PLAN(name), NULL},   {"cite", AN_FIELD_CITATION, false, PLAN(cite), NULL},
    {"open", AN_FIELD_FLAG, false, PLAN(open), NULL},  {"size", AN_FIELD_DOUBLE, false, PLAN(size), NULL},
    {"days", AN_FIELD_INT64, false, PLAN(days), NULL}, {"colour", AN_FIELD_CHOICE, false, PLAN(colour), COLOURS},
    {"from", AN_FIELD_DATE, false, PLAN(from), NULL},  {"words", AN_FIELD_TEXTS, false, PLAN(words), NULL},
    {"map", AN_FIELD_MAP, false, PLAN(map), NULL},     {"list", AN_FIELD_LIST, false, PLAN(list), NULL},
    {"any", AN_FIELD_NODE, false, PLAN(any), NULL},
};

static const struct {
    const char *text;
    an_code code;
    const char *detail;
} ROWS[] = {
    {"name: x\ncite: thu/1/2/đ\nopen: true\nsize: 1.5\ndays: -1\ncolour: đỏ\nfrom: 2026-02-28\nwords: [a, b]\nmap: "
     "{}\nlist: []\nany: z\n",
     AN_OK, ""},
    {"name: x\nany: {a: 1}\n", AN_OK, ""},
    {"name: x\nany: [1]\n", AN_OK, ""},
    {"", AN_E_YAML, "p.yaml:1: the file says nothing"},
    {"- x\n", AN_E_YAML, "p.yaml:1: the file must be a map"},
    {"name: x\nname: y\n", AN_E_YAML_DUPLICATE, "p.yaml:2: name: stands already on line 1"},
    {"name: x\nnope: y\n", AN_E_YAML_KEY, "p.yaml:2: nope: "},
    {"open: true\n", AN_E_YAML_MISSING, "p.yaml:1: \"name\" is missing"},
    {"name: ''\n", AN_E_YAML_TYPE, "p.yaml:1: name: text"},
    {"name: x\nopen: yes\n", AN_E_YAML_TYPE, "p.yaml:2: open: true or false"},
    {"name: x\nopen: 'true'\n", AN_E_YAML_TYPE, "p.yaml:2: open: true or false"},
    {"name: x\nsize: 1e3\n", AN_E_YAML_TYPE, "p.yaml:2: size: a number"},
    {"name: x\nsize: .5\n", AN_E_YAML_TYPE, "p.yaml:2: size: a number"},
    {"name: x\ndays: -2\n", AN_E_YAML_TYPE, "p.yaml:2: days: a whole number"},
    {"name: x\ndays: 1.0\n", AN_E_YAML_TYPE, "p.yaml:2: days: a whole number"},
    {"name: x\ncolour: tím\n", AN_E_YAML_TYPE, "p.yaml:2: colour: \"tím\" is not one of: xanh, đỏ"},
    {"name: x\nfrom: 2026-02-30\n", AN_E_YAML_TYPE, "p.yaml:2: from: a date"},
    {"name: x\nfrom: 2026-02-28T00:00:00Z\n", AN_E_YAML_TYPE, "p.yaml:2: from: a date"},
    {"name: x\nwords: [a, [b]]\n", AN_E_YAML_TYPE, "p.yaml:2: text is expected"},
    {"name: x\nmap: []\n", AN_E_YAML_TYPE, "p.yaml:2: map: a map"},
    {"name: x\nlist: {}\n", AN_E_YAML_TYPE, "p.yaml:2: list: a list"},
    {"name: x\ncite: Thu/1\n", AN_E_CITATION_FORM, "p.yaml:2: cite: Thu/1"},
    {"name: x\ncite: a/b/c/d/e\n", AN_E_CITATION_FORM, "p.yaml:2: cite: "},
    {"name: x\ncite: a//b\n", AN_E_CITATION_FORM, "p.yaml:2: cite: "},
    {"name: &n x\n", AN_E_YAML, "p.yaml:1: anchors"},
    {"name: !!str x\n", AN_E_YAML, "p.yaml:1: anchors"},
    {"name: x\n? [a]\n: b\n", AN_E_YAML, "p.yaml:2: a key must be plain"},
    {"name: x\n--- {}\n", AN_E_YAML, "p.yaml:2: more than one document"},
    {"name: [x\n", AN_E_YAML, "p.yaml:"},
    {"name: \"a\\0b\"\n", AN_E_YAML, "p.yaml:1: "},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        AN_CLEANUP(an_yaml_free) struct an_yaml_doc *doc = NULL;
        struct plan plan = {0};
        struct an_err err = {0};
        an_code code = an_yaml_parse(an_bytes_of_str(ROWS[i].text), "/somewhere/p.yaml", NULL, &doc, &err);
        if (code == AN_OK)
            code = an_yaml_read_fields(doc, doc->root, FIELDS, AN_COUNT(FIELDS), &plan, &err);
        if (code != ROWS[i].code || strncmp(err.detail, ROWS[i].detail, strlen(ROWS[i].detail)) != 0)
            fail_msg("row %zu: \"%s\", expected \"%s\"", i, err.detail, ROWS[i].detail);
    }
}

static void
test_values(void **state)
{
    AN_CLEANUP(an_yaml_free) struct an_yaml_doc *doc = NULL;
    struct plan plan = {0};

    (void)state;
    assert_int_equal(an_yaml_parse(an_bytes_of_str(ROWS[0].text), "p.yaml", NULL, &doc, NULL), AN_OK);
    assert_int_equal(an_yaml_read_fields(doc, doc->root, FIELDS, AN_COUNT(FIELDS), &plan, NULL), AN_OK);
    assert_string_equal(plan.cite, "thu/1/2/đ");
    assert_true(plan.open);
    assert_true(plan.size > 1.49 && plan.size < 1.51);
    assert_int_equal(plan.days, -1);
    assert_int_equal(plan.colour, 1);
    assert_int_equal(plan.from, an_time_parse(an_bytes_of_str("2026-02-28")));
    assert_int_equal(plan.words.count, 2);
    assert_string_equal(plan.words.items[1], "b");
    assert_int_equal(an_yaml_find(doc->root, "any")->line, 11);
    assert_null(an_yaml_find(doc->root, "missing"));
}

/* What stands below the stop key is not read, not even its faults. */
static void
test_stop_key(void **state)
{
    AN_CLEANUP(an_yaml_free) struct an_yaml_doc *doc = NULL;

    (void)state;
    an_bytes text = AN_LIT("name: x\nlater:\n  - [unclosed\n");
    assert_int_equal(an_yaml_parse(text, "p.yaml", "later", &doc, NULL), AN_OK);
    assert_int_equal(doc->root->count, 1);
    an_yaml_free(&doc);
    assert_int_equal(an_yaml_parse(text, "p.yaml", NULL, &doc, NULL), AN_E_YAML);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_stop_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
