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

/* Rules below a good head: each text is added to it whole. Line 20 is the last of the head. */
static const struct {
    const char *rules;
    an_code code;
    const char *detail;
} RULE_FAULTS[] = {
    {"rules:\n  a: {acts: [sign.seal], only: [van-thu], says: x, cite: thu/1}\n", AN_OK, ""},
    {"rules:\n  a: {act: [sign.seal], says: x, cite: thu/1}\n", AN_E_YAML_KEY, "thu.yaml:22: act: "},
    {"rules:\n  a: {acts: [sign.seal], only: [van-thu], cite: thu/1}\n", AN_E_YAML_MISSING, "thu.yaml:22: a: \"says\""},
    {"rules:\n  a: {acts: [sign.seal], says: x}\n", AN_E_YAML_MISSING, "thu.yaml:22: a: \"cite\""},
    {"rules:\n  a: {acts: [sign.sael], says: x, cite: thu/1}\n", AN_E_WORD_UNKNOWN, "thu.yaml:22: \"sign.sael\""},
    {"rules:\n  a: {acts: [sign.*], only: [clerk], says: x, cite: thu/1}\n", AN_E_WORD_UNKNOWN, "thu.yaml:22: \"clerk\""},
    {"rules:\n  a: {acts: [sign.*], notices: [boss], says: x, cite: thu/1}\n", AN_E_WORD_UNKNOWN, "thu.yaml:22: \"boss\""},
    {"rules:\n  a: {acts: [sign.*], authority: boss, says: x, cite: thu/1}\n", AN_E_WORD_UNKNOWN, "thu.yaml:22: authority: "},
    {"rules:\n  a: {acts: [sign.*], when: {colour: red}, forbid: [any], says: x, cite: thu/1}\n", AN_E_WORD_UNKNOWN,
     "thu.yaml:22: colour: "},
    {"rules:\n  a: {acts: [sign.*], when: {secrecy: secret}, forbid: [any], says: x, cite: thu/1}\n", AN_E_RULE_TEST,
     "thu.yaml:22: secrecy: "},
    {"rules:\n  a: {acts: [request.renew], requires: {days-left: 60}, says: x, cite: thu/1}\n", AN_E_RULE_TEST,
     "thu.yaml:22: days-left: "},
    {"rules:\n  a: {acts: [request.renew], requires: {days-left: '>= 6O'}, says: x, cite: thu/1}\n", AN_E_RULE_TEST,
     "thu.yaml:22: days-left: "},
    {"rules:\n  a: {acts: [request.renew], requires: {days-left: '>= renew.least'}, says: x, cite: thu/1}\n",
     AN_E_PARAMETER_UNKNOWN, "thu.yaml:22: a: renew.least"},
    {"rules:\n  a: {acts: [report.year], requires: {sent: before 15-11}, says: x, cite: thu/1}\n", AN_E_RULE_TEST,
     "thu.yaml:22: sent: "},
    {"rules:\n  a: {acts: [request.new], deadline: {days: 3, unit: hours, from: receipt}, says: x, cite: thu/1}\n",
     AN_E_YAML_TYPE, "thu.yaml:22: unit: "},
    {"rules:\n  a: {acts: [request.new], deadline: {days: 3, unit: day}, says: x, cite: thu/1}\n", AN_E_YAML_MISSING,
     "thu.yaml:22: deadline: "},
    {"rules:\n  a: {acts: [request.new], deadline: {days: 3, unit: day, from: noon}, says: x, cite: thu/1}\n",
     AN_E_WORD_UNKNOWN, "thu.yaml:22: from: "},
    {"rules:\n  a: {acts: [request.new], forms: [mau-01], says: x, cite: thu/1}\n", AN_E_CITATION_FORM,
     "thu.yaml:22: forms: mau-01"},
    {"rules:\n  a: {acts: [request.new], forms: [thu/mau-01], says: x, cite: thu/1}\n", AN_E_CITATION_UNKNOWN,
     "thu.yaml:22: a: thu/mau-01"},
    {"rules:\n  a: {acts: [sign.seal], looks: [khac], says: x, cite: thu/1}\n", AN_E_LOOK_UNKNOWN, "thu.yaml:22: a: khac"},
    {"rules:\n  a: {acts: [sign.seal], says: x, cite: thu/2}\n", AN_E_CITATION_UNKNOWN, "thu.yaml:22: cite: thu/2"},
    {"rules:\n  a: {acts: [sign.seal], says: x, cite: [thu/1, thu/3]}\n", AN_E_CITATION_UNKNOWN, "thu.yaml:22: cite: thu/3"},
    {"rules:\n  a: {acts: [sign.seal], allow: [van-thu], forbid: [van-thu], says: x, cite: thu/1}\n",
     AN_E_RULE_CONTRADICTION, "thu.yaml:22: a: only one of"},
    {"rules:\n  a: {acts: [sign.seal], unless: {to: own}, says: x, cite: thu/1}\n", AN_E_RULE_TEST, "thu.yaml:22: a: \"unless\""},
    {"rules:\n  a: {acts: [sign.seal], says: x, from: 2026-05-01, to: 2026-04-01, cite: thu/1}\n", AN_E_REGULATION_DATES,
     "thu.yaml:22: a: from, to"},
    {"rules:\n  a: {acts: [sign.seal], conditions: [Một, hai.], says: x, cite: thu/1}\n", AN_E_YAML_TYPE,
     "thu.yaml:22: conditions: \"Một\": a sentence"},
    /* contradictions: the same weight, a common question, a common day */
    {"rules:\n  a: {acts: [sign.seal], only: [van-thu], says: x, cite: thu/1}\n"
     "  b: {acts: [sign.seal], only: [thu-truong], says: y, cite: thu/1}\n",
     AN_E_RULE_CONTRADICTION, "thu.yaml:23: b: says another thing (only) than \"a\" on line 22"},
    {"rules:\n  a: {acts: [request.new], authority: cuc, says: x, cite: thu/1}\n"
     "  b: {acts: [request.new, request.renew], authority: so-khcn, says: y, cite: thu/1}\n",
     AN_E_RULE_CONTRADICTION, "thu.yaml:23: b: says another thing (authority)"},
    {"rules:\n  a: {acts: [request.new], deadline: {days: 3, unit: day, from: receipt}, says: x, cite: thu/1}\n"
     "  b: {acts: [request.new], deadline: {days: 4, unit: day, from: receipt}, says: y, cite: thu/1}\n",
     AN_E_RULE_CONTRADICTION, "thu.yaml:23: b: says another thing (deadline)"},
    {"rules:\n  a: {acts: [train], allow: [van-thu], says: x, cite: thu/1}\n"
     "  b: {acts: [train], forbid: [any], says: y, cite: thu/1}\n",
     AN_E_RULE_CONTRADICTION, "thu.yaml:23: b: says another thing (allow and forbid)"},
    /* none: one is narrower, they never meet, or they live at different times */
    {"rules:\n  a: {acts: [request.new], authority: cuc, says: x, cite: thu/1}\n"
     "  b: {acts: [request.new], devices: [hsm], authority: so-khcn, says: y, cite: thu/1}\n",
     AN_OK, ""},
    {"rules:\n  a: {acts: [request.new], devices: [sim-pki], authority: cuc, says: x, cite: thu/1}\n"
     "  b: {acts: [request.new], devices: [hsm], authority: so-khcn, says: y, cite: thu/1}\n",
     AN_OK, ""},
    {"rules:\n  a: {acts: [sign.seal], when: {secrecy: mat}, authority: cuc, says: x, cite: thu/1}\n"
     "  b: {acts: [sign.seal], when: {secrecy: [thuong, toi-mat]}, authority: so-khcn, says: y, cite: thu/1}\n",
     AN_OK, ""},
    {"rules:\n  a: {acts: [request.new], authority: cuc, says: x, to: 2027-01-01, cite: thu/1}\n"
     "  b: {acts: [request.new], authority: so-khcn, says: y, from: 2027-01-01, cite: thu/1}\n",
     AN_OK, ""},
    {"parameters:\n  p.x: {value: 1, unconfirmed: true}\n", AN_OK, ""},
    {"parameters:\n  p.x: {value: 1}\n", AN_E_YAML_UNCITED, "thu.yaml:22: p.x: "},
    {"parameters:\n  p.x: {value: 1, unconfirmed: true, cite: thu/1}\n", AN_E_YAML_UNCITED, "thu.yaml:22: p.x: "},
    {"parameters:\n  p.x:\n    - {value: 1, unconfirmed: true, to: 2026-06-01}\n    - {value: 2, unconfirmed: true, from: 2026-06-01}\n",
     AN_OK, ""},
    {"parameters:\n  p.x:\n    - {value: 1, unconfirmed: true, to: 2026-06-02}\n    - {value: 2, unconfirmed: true, from: 2026-06-01}\n",
     AN_E_REGULATION_DATES, "thu.yaml:24: its time overlaps with the value on line 23"},
    {"reminders:\n  - {event: noon, days-before: 3, roles: [van-thu], cite: thu/1}\n", AN_E_WORD_UNKNOWN, "thu.yaml:22: event: "},
    {"doubts:\n  - {says: x}\n", AN_E_YAML_MISSING, "thu.yaml:22: \"from\""},
    {"not-carried:\n  thu/9: because\n", AN_E_CITATION_UNKNOWN, "thu.yaml:22: thu/9: "},
    {"not-carried:\n  thu/1: ''\n", AN_E_YAML_TYPE, "thu.yaml:22: thu/1: "},
    {"rules: []\n", AN_E_YAML_TYPE, "thu.yaml:21: rules: a map"},
    {"rule: {}\n", AN_E_YAML_KEY, "thu.yaml:21: rule: "},
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

static void
test_rule_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(RULE_FAULTS); i++) {
        struct an_regulations *own = NULL;
        struct an_err err = {0};
        AN_CLEANUP(an_free_ptr) char *text = an_asprintf("%s%s", HEAD, RULE_FAULTS[i].rules);
        write_file("regulations/thu.yaml", text);
        assert_int_equal(an_regulations_open(dir, &own, &err), AN_OK);
        an_code code = an_regulations_check(own, &err);
        an_regulations_close(&own);
        if (code != RULE_FAULTS[i].code || strncmp(err.detail, RULE_FAULTS[i].detail, strlen(RULE_FAULTS[i].detail)) != 0)
            fail_msg("row %zu: %s \"%s\", expected \"%s\"", i, an_message_find(code)->symbol, err.detail,
                     RULE_FAULTS[i].detail);
    }
}

/* Two regulations of one place for one day: one of them is wrong. */
static void
test_places(void **state)
{
    static const struct {
        const char *to, *from;
        an_code code;
    } ROWS[] = {{"2026-06-01", "2026-06-01", AN_OK}, {"2026-06-02", "2026-06-01", AN_E_REGULATION_DATES}};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        static const char TEXT[] = "act: {cited-vi: Thử, cited-en: x, title-vi: Thử, title-en: x, from: %s%s%s}\nplace: thu\n"
                                   "articles:\n  %s:\n    1: {title: Một, says: Một điều.}\n";
        struct an_regulations *own = NULL;
        struct an_err err = {0};
        AN_CLEANUP(an_free_ptr) char *first = an_asprintf(TEXT, "2026-01-01", ", to: ", ROWS[i].to, "thu");
        AN_CLEANUP(an_free_ptr) char *second = an_asprintf(TEXT, ROWS[i].from, "", "", "thu-hai");
        write_file("regulations/thu.yaml", first);
        write_file("regulations/thu-hai.yaml", second);
        assert_int_equal(an_regulations_open(dir, &own, &err), AN_OK);
        assert_int_equal(an_regulations_check(own, &err), ROWS[i].code);
        an_regulations_close(&own);
    }
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/regulations/thu-hai.yaml", dir);
    unlink(path);
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
        cmocka_unit_test(test_rule_faults),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_policy_faults),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
