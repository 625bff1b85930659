/* One line of a good file is made bad, and the answer names that line; and a new province is one new file. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "data.h"

static const char HEAD[] = "act:\n"
                           "  cited-vi: Quy chế thử\n"
                           "  cited-en: the trial regulation\n"
                           "  title-vi: Thử\n"
                           "  title-en: Trial\n"
                           "  from: 2026-01-01\n"
                           "looks:\n"
                           "  thu:\n"
                           "    cite: thu/1\n"
                           "    signer: agency\n"
                           "    name: {vi: Thử, en: Trial}\n"
                           "    image: {use: none, cite: thu/1}\n"
                           "    place: {where: page-top-left, page: first, cite: thu/1}\n"
                           "    margins: {top-mm: 8, side-mm: 15, unconfirmed: true}\n"
                           "    text: {lines: ['{time}'], cite: thu/1}\n"
                           "    time: {format: iso8601, cite: thu/1}\n"
                           "    font: {name: Times New Roman, size-pt: 10, cite: thu/1}\n"
                           "articles:\n"
                           "  thu:\n"
                           "    1: {title: Một, says: Một điều.}\n";
static const struct {
    size_t line; /* replaced; 0 = nothing: the good file */
    const char *with;
    an_code code;
    const char *detail; /* how it begins */
} FAULTS[] = {
    {0, NULL, AN_OK, ""},
    {2, "  cited-vn: Quy chế thử", AN_E_YAML_KEY, "thu.yaml:2: cited-vn: "},
    {3, "  cited-vi: hai lần", AN_E_YAML_DUPLICATE, "thu.yaml:3: cited-vi: stands already on line 2"},
    {4, "  title-vi: [a, b]", AN_E_YAML_TYPE, "thu.yaml:4: title-vi: "},
    {5, "  note: x", AN_E_YAML_MISSING, "thu.yaml:1: act: \"title-en\""},
    {6, "  from: 2026-13-01", AN_E_YAML_TYPE, "thu.yaml:6: from: "},
    {6, "  from: tomorrow", AN_E_YAML_TYPE, "thu.yaml:6: from: "},
    {6, "  to: 2025-01-01\n  from: 2026-01-01", AN_E_REGULATION_DATES, "thu.yaml:1: act: "},
    {9, "    cite: Thu/1", AN_E_CITATION_FORM, "thu.yaml:9: cite: Thu/1"},
    {10, "    signer: clerk", AN_E_YAML_TYPE, "thu.yaml:10: signer: \"clerk\" is not one of: person, agency, archive"},
    {10, "    signer: agency\n    colour: red", AN_E_YAML_KEY, "thu.yaml:11: colour: "},
    {11, "    name: Thử", AN_E_YAML_TYPE, "thu.yaml:11: name: a map"},
    {12, "    image: {use: none}", AN_E_YAML_UNCITED, "thu.yaml:12: image: "},
    {12, "    image: {use: none, true-size: yes, cite: thu/1}", AN_E_YAML_TYPE,
     "thu.yaml:12: true-size: true or false"},
    {12, "    image: {use: none, true-size: 'true', cite: thu/1}", AN_E_YAML_TYPE,
     "thu.yaml:12: true-size: true or false"},
    {13, "    place: {where: page-top-left, page: first, overlap: 1.5, cite: thu/1}", AN_E_YAML_TYPE,
     "thu.yaml:13: overlap: "},
    {14, "    margins: {top-mm: -8, side-mm: 15, unconfirmed: true}", AN_E_YAML_TYPE, "thu.yaml:14: top-mm: a number"},
    {14, "    margins: {top-mm: 1e9, side-mm: 15, unconfirmed: true}", AN_E_YAML_TYPE, "thu.yaml:14: top-mm: a number"},
    {14, "    box: {width-mm: 8, height-mm: 15, unconfirmed: true}", AN_E_YAML_MISSING,
     "thu.yaml:8: thu: this place needs \"margins\""},
    {15, "    text: {lines: ['{tmie}'], cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:15: text: unknown field"},
    {16, "    order: {person-first: false, cite: thu/1}", AN_E_YAML_MISSING, "thu.yaml:8: thu: {time} needs \"time\""},
    {17, "    font: {name: Times New Roman, size-pt: 0, cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:17: font: "},
    {17, "    font: &f {name: Times New Roman, size-pt: 10, cite: thu/1}", AN_E_YAML, "thu.yaml:17: anchors"},
    {17, "    font: !!map {name: x, size-pt: 10, cite: thu/1}", AN_E_YAML, "thu.yaml:17: anchors"},
    {17, "\tfont: {}", AN_E_YAML, "thu.yaml:17: "},
    {17, "    font: {name: \"\\xff\\0\", size-pt: 10, cite: thu/1}", AN_E_YAML, "thu.yaml:17: "},
    /* below the head: seen by the whole check */
    {9, "    cite: thu/2", AN_E_CITATION_UNKNOWN, "thu.yaml:9: cite: thu/2"},
    {12, "    image: {use: none, cite: thu/1/1}", AN_E_CITATION_UNKNOWN, "thu.yaml:12: cite: thu/1/1"},
    {18, "article:", AN_E_YAML_KEY, "thu.yaml:18: article: "},
    {20, "    1: {title: Một}", AN_E_YAML_MISSING, "thu.yaml:20: 1: \"says\""},
    {20, "    1: {says: Một điều.}", AN_E_YAML_MISSING, "thu.yaml:20: 1: \"title\""},
    {20, "    1: {title: Một, says: x}\n    1: {title: Hai, says: y}", AN_E_YAML_DUPLICATE,
     "thu.yaml:21: 1: stands already on line 20"},
    {20, "    1: {title: Một, says: x, clauses: {A: y}}", AN_E_CITATION_FORM, "thu.yaml:20: A: thu/1/A"},
    {20, "    1: {title: Một, says: x, text: heard}", AN_E_YAML_TYPE,
     "thu.yaml:20: text: \"heard\" is not one of: read"},
    {20, "    1: {title: Một, says: x}\n--- {}", AN_E_YAML, "thu.yaml:21: "},
};

static char dir[] = "/tmp/antin-regulation-XXXXXX";

static void
write_file(const char *name, const char *text)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, name);
    assert_int_equal(an_file_write(path, an_bytes_of_str(text), 0644, NULL), AN_OK);
}

static void
write_with_fault(size_t line, const char *with)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(65536);
    size_t number = 1;

    for (const char *at = HEAD; *at; number++) {
        const char *end = strchr(at, '\n');
        if (number == line)
            an_buf_str(&text, with);
        else
            an_buf_append(&text, AN_BYTES(at, (size_t)(end - at)));
        an_buf_byte(&text, '\n');
        at = end + 1;
    }
    an_buf_byte(&text, 0);
    write_file("regulations/thu.yaml", (const char *)text.ptr);
}

static int
make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return 1;
    AN_CLEANUP(an_free_ptr)
    char *command = an_asprintf(
        "mkdir %s/regulations %s/policies && cp %s/regulations/acts.yaml %s/regulations/words.yaml %s/regulations/quoc-gia.yaml %s/regulations/",
        dir, dir, AN_SOURCE_DIR, AN_SOURCE_DIR, AN_SOURCE_DIR, dir);
    return system(command);
}

static int
remove_dir(void **state)
{
    (void)state;
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -r %s", dir);
    return system(command);
}

static void
test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(FAULTS); i++) {
        struct an_regulations *own = NULL;
        struct an_err err = {0};
        write_with_fault(FAULTS[i].line, FAULTS[i].with);
        assert_int_equal(an_regulations_open(dir, &own, &err), AN_OK);
        an_code code = an_regulations_check(own, &err);
        an_regulations_close(&own);
        if (code != FAULTS[i].code || strncmp(err.detail, FAULTS[i].detail, strlen(FAULTS[i].detail)) != 0)
            fail_msg("row %zu: %s \"%s\", expected \"%s\"", i, an_message_find(code)->symbol, err.detail,
                     FAULTS[i].detail);
        if (code != AN_OK)
            assert_non_null(strstr(err.file, "regulations/thu.yaml"));
    }
}

/* A new province is one new file: cited, found and listed without a line of C or of the table of acts. */
static void
test_sixth_file(void **state)
{
    struct an_regulations *own = NULL;
    const struct an_look *look = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);

    (void)state;
    write_with_fault(0, NULL);
    assert_int_equal(an_regulations_open(dir, &own, NULL), AN_OK);
    an_citation_text(own, "thu/1", false, &text);
    an_buf_byte(&text, 0);
    assert_string_equal((const char *)text.ptr, "Điều 1 Quy chế thử");
    assert_int_equal(an_look_find(own, NULL, "thu", &look, NULL), AN_OK);
    assert_string_equal(look->regulation, "thu");
    an_regulations_close(&own);
}

static void
test_policy_faults(void **state)
{
    static const struct {
        const char *text;
        an_code code;
        const char *detail;
    } ROWS[] = {
        {"id: khac\n", AN_E_YAML_MISSING, "thu.yaml:1: "},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: pinned\nalgorithms: {any: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false, unconfirmed: true}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_MISSING, "thu.yaml:5: anchors: "},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: pinned\npinned:\n  - {sha256: abcd, name: x}\n"
         "algorithms: {any: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false, unconfirmed: true}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_TYPE, "thu.yaml:7: sha256: 64 hexadecimal digits"},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: given\n"
         "algorithms:\n  accepted:\n    - {kind: rsa-pss, digests: [SHA-257], bits-min: 2048, unconfirmed: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false, unconfirmed: true}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_TYPE, "thu.yaml:8: unknown digest \"SHA-257\""},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: given\nalgorithms: {any: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_UNCITED, "thu.yaml:7: revocation: "},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_regulations *own = NULL;
        const struct an_policy *policy = NULL;
        struct an_err err = {0};
        write_file("policies/thu.yaml", ROWS[i].text);
        assert_int_equal(an_regulations_open(dir, &own, NULL), AN_OK);
        an_code code = an_policy_find(own, "thu", &policy, &err);
        an_regulations_close(&own);
        if (code != ROWS[i].code || strncmp(err.detail, ROWS[i].detail, strlen(ROWS[i].detail)) != 0)
            fail_msg("row %zu: %s \"%s\"", i, an_message_find(code)->symbol, err.detail);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_sixth_file),
        cmocka_unit_test(test_policy_faults),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
