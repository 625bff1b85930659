/*
 * The linter: every check fails on a vector that is its own, and passes on what the authority makes. A vector is a good object
 * with one edit, said as a row: which value of the tree, and what becomes of it.
 *
 * A place is a path of child numbers from 0 ("0.3": the fourth child of tbsCertificate, issuer); "@OID" stands for the
 * extension of that OID, by the content octets of the OID in hex. Inside an OCTET STRING or BIT STRING that holds DER a further
 * "*" steps into it.
 */
#include "base/file.h"
#include "ca/ca.h"
#include "ca/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define DAY ((an_time)86400)
#define YEAR (365 * DAY)

/* ---- trees of values ---- */
struct node { int tag; bool is_primitive; an_bytes value; bool holds; uint8_t before; struct node *children[96]; size_t count; };
static struct an_arena *arena;

static struct node *
read_node(an_bytes *in)
{
    struct node *node = an_arena_alloc(arena, sizeof(*node));
    an_bytes value;
    int tag;

    assert_int_equal(an_der_any(in, &tag, NULL, &value, NULL), AN_OK);
    node->tag = tag;
    node->value = value;
    node->is_primitive = (tag & 0x20) == 0;
    while (!node->is_primitive && value.len > 0) {
        assert_true(node->count < AN_COUNT(node->children));
        node->children[node->count++] = read_node(&value);
    }
    return node;
}

static void
write_node(const struct node *node, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf inside = an_buf_new(1 << 20);
    struct an_der_out der = AN_DER_OUT(out);

    if (node->tag < 0) { /* raw */
        an_buf_append(out, node->value);
        return;
    }
    if (node->holds && node->before != 0xff)
        an_buf_byte(&inside, node->before);
    for (size_t i = 0; i < node->count; i++)
        write_node(node->children[i], &inside);
    an_der_put(&der, node->tag, node->is_primitive && !node->holds ? node->value : an_buf_view(&inside));
}

/* An OCTET STRING or BIT STRING opened as what it holds. */
static struct node *
open_inside(struct node *node)
{
    an_bytes in = node->value;

    if (node->holds)
        return node->children[0];
    node->before = 0xff;
    if (node->tag == AN_DER_BIT_STRING) {
        node->before = in.ptr[0];
        in = AN_BYTES(in.ptr + 1, in.len - 1);
    }
    node->holds = true;
    node->children[0] = read_node(&in);
    node->count = 1;
    return node->children[0];
}

static an_bytes
unhex(const char *hex)
{
    struct an_buf bytes = an_buf_new(1 << 16);
    an_bytes kept;

    if (!an_hex_decode(&bytes, an_bytes_of_str(hex)))
        fail_msg("hex: %s", hex);
    kept = an_arena_dup(arena, an_buf_view(&bytes));
    an_buf_free(&bytes);
    return kept;
}

/* The list of extensions: [3] of a certificate, [0] of a list: the last child of the first child. */
static struct node *
extensions_of(struct node *root)
{
    struct node *tbs = root->children[0];

    return tbs->children[tbs->count - 1]->children[0];
}

static size_t
extension_place(struct node *root, const char *oid_hex)
{
    struct node *list = extensions_of(root);
    an_bytes oid = unhex(oid_hex);

    for (size_t i = 0; i < list->count; i++)
        if (an_bytes_eq(list->children[i]->children[0]->value, oid))
            return i;
    fail_msg("no extension %s", oid_hex);
    return 0;
}

static struct an_cert *root_cert, *issuing_cert;
struct spot { struct node *parent; size_t place; };

static struct spot
find_spot(struct node *root, const char *path)
{
    struct spot spot = {root, 0};
    struct node *at = root;

    for (const char *p = path; *p != '\0';) {
        char word[64];
        size_t len = strcspn(p, ".");
        memcpy(word, p, len);
        word[len] = '\0';
        p += len + (p[len] == '.');
        if (word[0] == '*') {
            struct node *holder = at;
            at = open_inside(at);
            spot = (struct spot){holder, 0};
            continue;
        }
        if (word[0] == '@') {
            spot = (struct spot){extensions_of(root), extension_place(root, word + 1)};
        } else {
            size_t place = word[0] == '$' ? at->count - 1 : (size_t)strtoul(word, NULL, 10);
            spot = (struct spot){at, place};
        }
        if (spot.place >= spot.parent->count && *p != '\0')
            fail_msg("no place %s", path);
        at = spot.place < spot.parent->count ? spot.parent->children[spot.place] : NULL;
    }
    return spot;
}

/* "=HEX" replaces the whole value, "~HEX" its content, "+HEX" puts a value before it, "-" takes it away, "!HEX" appends raw
 * octets behind the whole object. */
static void
edit(struct node *root, const char *path, const char *what)
{
    struct spot spot = find_spot(root, path);
    struct node *raw = an_arena_alloc(arena, sizeof(*raw));

    *raw = (struct node){.tag = -1};
    switch (what[0]) {
    case '=':
        raw->value = unhex(what + 1);
        spot.parent->children[spot.place] = raw;
        break;
    case '~':
        *raw = (struct node){.tag = spot.parent->children[spot.place]->tag, .is_primitive = true, .value = unhex(what + 1)};
        spot.parent->children[spot.place] = raw;
        break;
    case '+':
        raw->value = unhex(what + 1);
        memmove(&spot.parent->children[spot.place + 1], &spot.parent->children[spot.place], (spot.parent->count - spot.place) * sizeof(raw));
        spot.parent->children[spot.place] = raw;
        spot.parent->count++;
        break;
    case '-':
        memmove(&spot.parent->children[spot.place], &spot.parent->children[spot.place + 1], (spot.parent->count - spot.place - 1) * sizeof(raw));
        spot.parent->count--;
        break;
    case 'I': /* the issuer's key */
        raw->value = issuing_cert->spki;
        spot.parent->children[spot.place] = raw;
        break;
    case '#': { /* an extension of so many octets */
        size_t size = (size_t)strtoul(what + 1, NULL, 10);
        AN_CLEANUP(an_buf_free) struct an_buf zeros = an_buf_new(size), whole = an_buf_new(2 * size);
        struct an_der_out out = AN_DER_OUT(&whole);
        memset(an_buf_extend(&zeros, size), 0, size);
        an_der_open(&out, AN_DER_SEQUENCE);
        an_der_put_oid(&out, "1.2.3");
        an_der_put(&out, AN_DER_OCTET_STRING, an_buf_view(&zeros));
        an_der_close(&out);
        raw->value = an_arena_dup(arena, an_buf_view(&whole));
        memmove(&spot.parent->children[spot.place + 1], &spot.parent->children[spot.place], (spot.parent->count - spot.place) * sizeof(raw));
        spot.parent->children[spot.place] = raw;
        spot.parent->count++;
        break;
    }
    default: fail_msg("edit %s", what);
    }
}

/* ---- the good objects ---- */
enum base { ROOT = 0, ISSUING, PERSON, PERSON_RSA, OCSP_CERT, TSA_CERT, CRL, DELTA, ANSWER, REVOKED, TOKEN, BASES };
static struct an_buf bases[BASES];
static struct an_profiles *profiles;
static char folder[64];

static struct an_signer *
make_signer(const char *name, enum an_key_kind kind, int bits)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, name);
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(65536);
    struct an_privkey *key = NULL;
    struct an_signer *signer = NULL;

    assert_int_equal(an_privkey_generate(kind, bits, &key, NULL), AN_OK);
    assert_int_equal(an_privkey_encode(key, NULL, &pem, NULL), AN_OK);
    assert_int_equal(an_file_write(path, an_buf_view(&pem), 0600, NULL), AN_OK);
    assert_int_equal(an_signer_open(path, (struct an_pin_source){0}, &signer, NULL), AN_OK);
    an_privkey_free(&key);
    return signer;
}

static struct an_cert *
certify(enum base which, const char *profile, const char *name, struct an_cert *issuer, struct an_signer *issuer_key, struct an_signer *key)
{
    const struct an_places places = {.crl_url = "http://127.0.0.1/a.crl", .issuer_url = "http://127.0.0.1/a.crt", .ocsp_url = "http://127.0.0.1/ocsp", .cps_url = "http://127.0.0.1/cps"};
    const struct an_name_part parts[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Cơ quan"}, {"2.5.4.3", name}};
    an_time now = an_time_now();
    struct an_issue what = {.subject = parts, .subject_count = 3, .email = which == PERSON || which == PERSON_RSA ? "a@mau.gov.vn" : NULL, .spki = an_signer_spki(key),
                            .not_before = now - DAY, .not_after = now + (which <= ISSUING ? 15 : 3) * YEAR};
    struct an_cert *cert = NULL;
    struct an_err err = {0};

    if (an_ca_issue_once(profiles, profile, issuer, issuer_key, &places, &what, &cert, &err) != AN_OK)
        fail_msg("%s: %s", profile, err.detail);
    an_buf_append(&bases[which], cert->der);
    return cert;
}

static void
make_token(struct an_cert *tsa, struct an_signer *key)
{
    struct an_certs chain = {0};
    const struct an_tsa service = {.key = key, .cert = tsa, .chain = &chain, .policy_oid = "1.2.3", .accuracy_ms = 500};
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(4096), answer = an_buf_new(AN_LIMIT_TSP_BYTES);
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes in, status;

    an_hash_once(AN_SHA256, AN_LIT("mau"), digest);
    an_tsp_request(AN_SHA256, AN_BYTES(digest, 32), AN_LIT("\x12\x34"), true, &request);
    assert_int_equal(an_tsa_answer(&service, an_buf_view(&request), an_time_now(), &answer, NULL), AN_OK);
    in = an_buf_view(&answer);
    assert_int_equal(an_der_take(&in, AN_DER_SEQUENCE, &in, NULL), AN_OK);
    assert_int_equal(an_der_take(&in, AN_DER_SEQUENCE, &status, NULL), AN_OK);
    an_buf_append(&bases[TOKEN], in);
}

/* A delta list is the full one with the indicator (base 3) put in by the editor: nothing else differs. */
static void
make_delta(void)
{
    an_bytes in = an_buf_view(&bases[CRL]);
    struct node *root = read_node(&in);

    edit(root, "@551d14", "+300d0603551d1b0101ff0403020103");
    write_node(root, &bases[DELTA]);
}

static int
make_bases(void **state)
{
    struct an_signer *keys[6];
    struct an_cert *person, *person_rsa, *ocsp, *tsa;
    an_time now = an_time_now();
    const struct an_revocation revoked = {AN_LIT("\x11\x22\x33\x44\x55\x66\x77\x11\x22"), now - DAY, AN_REASON_SUPERSEDED};

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-lint-XXXXXX");
    if (mkdtemp(folder) == NULL || an_profiles_open(NULL, &profiles, NULL) != AN_OK)
        return -1;
    arena = an_arena_new(0);
    for (size_t i = 0; i < BASES; i++)
        bases[i] = an_buf_new(AN_LIMIT_CRL_BYTES);
    for (size_t i = 0; i < AN_COUNT(keys); i++) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%zu", i);
        keys[i] = make_signer(name, i == 0 || i == 3 ? AN_KEY_RSA : AN_KEY_EC, i == 0 || i == 3 ? 2048 : 256);
    }
    root_cert = certify(ROOT, "goc", "Gốc", NULL, keys[0], keys[0]);
    issuing_cert = certify(ISSUING, "trung-gian", "CA", root_cert, keys[0], keys[1]);
    person = certify(PERSON, "ca-nhan", "Nguyễn Văn Mẫu", issuing_cert, keys[1], keys[2]);
    person_rsa = certify(PERSON_RSA, "ca-nhan", "Nguyễn Văn Mẫu", issuing_cert, keys[1], keys[3]);
    ocsp = certify(OCSP_CERT, "ocsp", "OCSP", issuing_cert, keys[1], keys[4]);
    tsa = certify(TSA_CERT, "tsa", "TSA", issuing_cert, keys[1], keys[5]);
    assert_int_equal(an_ca_crl(issuing_cert, keys[1], &revoked, 1, 7, now - 60, now + DAY, &bases[CRL], NULL), AN_OK);
    make_delta();
    assert_int_equal(an_ca_ocsp(issuing_cert, ocsp, keys[4], person, NULL, now - 60, now + DAY, AN_LIT("12345678901234567890123456789012"), &bases[ANSWER], NULL), AN_OK);
    assert_int_equal(an_ca_ocsp(issuing_cert, ocsp, keys[4], person, &revoked, now - 60, now + DAY, AN_NONE, &bases[REVOKED], NULL), AN_OK);
    make_token(tsa, keys[5]);
    an_cert_unref(&person);
    an_cert_unref(&person_rsa);
    an_cert_unref(&ocsp);
    an_cert_unref(&tsa);
    for (size_t i = 0; i < AN_COUNT(keys); i++)
        an_signer_close(&keys[i]);
    return 0;
}

static int
drop_bases(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", folder);

    (void)state;
    for (size_t i = 0; i < BASES; i++)
        an_buf_free(&bases[i]);
    an_cert_unref(&root_cert);
    an_cert_unref(&issuing_cert);
    an_profiles_free(&profiles);
    an_arena_free(&arena);
    return system(command);
}

/* ---- running ---- */
static const struct { enum an_lint_kind kind; const char *profile; } about[BASES] = {
    [ROOT] = {AN_LINT_CERT, "goc"}, [ISSUING] = {AN_LINT_CERT, "trung-gian"}, [PERSON] = {AN_LINT_CERT, "ca-nhan"}, [PERSON_RSA] = {AN_LINT_CERT, "ca-nhan"}, [OCSP_CERT] = {AN_LINT_CERT, "ocsp"},
    [TSA_CERT] = {AN_LINT_CERT, "tsa"}, [CRL] = {AN_LINT_CRL, NULL}, [DELTA] = {AN_LINT_CRL, NULL}, [ANSWER] = {AN_LINT_OCSP, NULL}, [REVOKED] = {AN_LINT_OCSP, NULL}, [TOKEN] = {AN_LINT_TOKEN, NULL},
};

struct seen { const struct an_lint *lints[64]; size_t count; };

static void
note(void *context, const struct an_lint *lint)
{
    struct seen *seen = context;

    assert_true(seen->count < AN_COUNT(seen->lints));
    seen->lints[seen->count++] = lint;
}

static void
lint(enum base base, an_bytes der, struct seen *seen)
{
    static void (*const lints[])(an_bytes, const struct an_lint_plan *) = {[AN_LINT_CERT] = an_lint_cert, [AN_LINT_CRL] = an_lint_crl, [AN_LINT_OCSP] = an_lint_ocsp, [AN_LINT_TOKEN] = an_lint_token};
    struct an_lint_plan plan = {.issuer = base == ROOT ? NULL : base == ISSUING ? root_cert : issuing_cert, .each = note, .context = seen};

    if (about[base].profile != NULL)
        assert_int_equal(an_profiles_find(profiles, about[base].profile, &plan.profile, NULL), AN_OK);
    *seen = (struct seen){0};
    lints[about[base].kind](der, &plan);
}

static bool
saw(const struct seen *seen, const char *id)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->lints[i]->id, id) == 0)
            return true;
    return false;
}

static void
the_good_pass(void **state)
{
    (void)state;
    for (size_t base = 0; base < BASES; base++) {
        struct seen seen;
        assert_int_equal(an_lint_guess(an_buf_view(&bases[base])), about[base].kind);
        lint((enum base)base, an_buf_view(&bases[base]), &seen);
        for (size_t i = 0; i < seen.count; i++)
            if (seen.lints[i]->severity != AN_LINT_NOTE)
                fail_msg("base %zu: %s", base, seen.lints[i]->id);
    }
}

#include "lint_vectors.h"

/* Every row makes its check fail, and its good object passes that check. */
static void
each_vector_fails_its_check(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
        an_bytes in = an_buf_view(&bases[v->base]);
        struct node *root = read_node(&in);
        struct seen good, bad;
        for (size_t k = 0; k < AN_COUNT(v->edits) && v->edits[k].path != NULL; k++)
            if (v->edits[k].what[0] != '!')
                edit(root, v->edits[k].path, v->edits[k].what);
        write_node(root, &der);
        if (v->edits[0].what[0] == '!')
            an_buf_append(&der, unhex(v->edits[0].what + 1));
        lint(v->base, an_buf_view(&bases[v->base]), &good);
        lint(v->base, an_buf_view(&der), &bad);
        if (!saw(&bad, v->id) || (saw(&good, v->id) && strcmp(v->id, "ku.mixed") != 0)) {
            print_message("%s does not%s fail; it says:", v->id, saw(&bad, v->id) ? " pass before it must" : "");
            for (size_t k = 0; k < bad.count; k++)
                print_message(" %s", bad.lints[k]->id);
            print_message("\n");
            wrong++;
        }
        an_arena_reset(arena);
    }
    assert_int_equal(wrong, 0);
}

/* No check without a vector, no vector without a check. */
static void
every_check_has_a_vector(void **state)
{
    size_t without = 0;

    (void)state;
    assert_true(an_lint_count() >= 150);
    for (size_t i = 0; i < an_lint_count(); i++) {
        bool found = false;
        for (size_t k = 0; k < AN_COUNT(vectors); k++)
            found = found || strcmp(vectors[k].id, an_lint_at(i)->id) == 0;
        if (!found) {
            print_message("no vector: %s\n", an_lint_at(i)->id);
            without++;
        }
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(an_lint_at(i)->id, an_lint_at(k)->id);
    }
    assert_int_equal(without, 0);
}

/* ---- lists in steps ---- */
static an_bytes
entries_of(an_bytes list)
{
    an_bytes part, revoked;

    assert_int_equal(an_der_take(&list, AN_DER_SEQUENCE, &list, NULL), AN_OK);
    assert_int_equal(an_der_take(&list, AN_DER_SEQUENCE, &list, NULL), AN_OK);
    for (int i = 0; i < 5; i++) /* version, algorithm, issuer, two times */
        assert_int_equal(an_der_any(&list, NULL, NULL, &part, NULL), AN_OK);
    assert_int_equal(an_der_take(&list, AN_DER_SEQUENCE, &revoked, NULL), AN_OK);
    return revoked;
}

/* The list without its entries. */
static void
take_away(an_bytes list, an_bytes entries, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);
    size_t header = an_der_size(entries.len) - entries.len;
    an_bytes tbs;

    assert_int_equal(an_der_take(&list, AN_DER_SEQUENCE, &list, NULL), AN_OK);
    assert_int_equal(an_der_take(&list, AN_DER_SEQUENCE, &tbs, NULL), AN_OK);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_raw(&out, AN_BYTES(tbs.ptr, (size_t)(entries.ptr - tbs.ptr) - header));
    an_der_put_raw(&out, AN_BYTES(entries.ptr + entries.len, (size_t)(tbs.ptr + tbs.len - entries.ptr) - entries.len));
    an_der_close(&out);
    an_der_put_raw(&out, list);
    an_der_close(&out);
}

static bool
is_faulty(const struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->lints[i]->severity == AN_LINT_ERROR)
            return true;
    return false;
}

static bool
is_faulty_in_steps(an_bytes frame, an_bytes entries)
{
    struct seen seen = {0};
    const struct an_lint_plan plan = {.issuer = issuing_cert, .each = note, .context = &seen};
    struct an_lint_list *list = an_lint_list_begin(frame, &plan);

    an_lint_list_entries(list, entries);
    an_lint_list_end(&list);
    return is_faulty(&seen);
}

/* Every octet of an entry put to every value: what is passed over quickly hides nothing, and size changes no verdict. */
static void
a_list_in_steps_is_judged_as_a_whole(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf frame = an_buf_new(10000), whole = an_buf_new(10000);
    size_t faulty = 0, tried = 0;
    an_bytes entries;

    (void)state;
    an_buf_append(&whole, an_buf_view(&bases[CRL]));
    entries = entries_of(an_buf_view(&whole));
    take_away(an_buf_view(&whole), entries, &frame);
    assert_false(is_faulty_in_steps(an_buf_view(&frame), entries));
    for (size_t at = (size_t)(entries.ptr - whole.ptr) + 2; at < (size_t)(entries.ptr + entries.len - whole.ptr); at++)
        for (unsigned value = 0; value < 256; value++, tried++) {
            uint8_t before = whole.ptr[at];
            struct seen seen;

            whole.ptr[at] = (uint8_t)value;
            lint(CRL, an_buf_view(&whole), &seen);
            if (is_faulty(&seen) != is_faulty_in_steps(an_buf_view(&frame), entries))
                fail_msg("octet %zu = %u", at, value);
            faulty += is_faulty(&seen);
            whole.ptr[at] = before;
        }
    assert_true(faulty > tried / 4 && faulty < tried);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_good_pass), cmocka_unit_test(each_vector_fails_its_check), cmocka_unit_test(every_check_has_a_vector),
                                       cmocka_unit_test(a_list_in_steps_is_judged_as_a_whole)};

    return cmocka_run_group_tests_name("lint", tests, make_bases, drop_bases);
}
