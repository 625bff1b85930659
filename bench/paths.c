/*
 * Path validation of a whole suite: every case is parsed and validated anew in each run, by us or by libcrypto alone. The list has
 * one case a line: file of the leaf, then the files of its anchors (a:), intermediates (u:) and revocation lists (c:), all DER.
 * usage: bench-paths ours|openssl LIST THREADS COUNT
 */
#include "bench/common.h"

#include "x509/path.h"
#include "x509/status.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#define PARTS_MAX 32

struct part { char kind; an_bytes der; };
struct suite_case { struct part parts[PARTS_MAX]; size_t count; };
struct suite { struct suite_case *cases; size_t count; };

static void
fail(const char *what)
{
    fprintf(stderr, "bench-paths: %s\n", what);
    exit(2);
}

static an_bytes
read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);
    size_t len;

    if (in == NULL || bytes == NULL)
        fail(path);
    len = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    return AN_BYTES(bytes, len);
}

static void
load(struct suite *suite, const char *path)
{
    FILE *in = fopen(path, "r");
    char line[16384];

    suite->cases = calloc(1000, sizeof(*suite->cases));
    if (in == NULL || suite->cases == NULL)
        fail(path);
    while (suite->count < 1000 && fgets(line, sizeof(line), in)) {
        struct suite_case *one = &suite->cases[suite->count++];
        char *rest = NULL;

        for (char *word = strtok_r(line, "\t\n", &rest); word && one->count < PARTS_MAX; word = strtok_r(NULL, "\t\n", &rest))
            one->parts[one->count++] = (struct part){word[0], read_file(word + 2)};
    }
    fclose(in);
}

static void
ours(void *context, unsigned thread, unsigned index)
{
    const struct suite *suite = context;

    (void)thread;
    (void)index;
    for (size_t i = 0; i < suite->count; i++) {
        struct an_certs leaf = {0}, anchors = {0}, untrusted = {0};
        struct an_crls crls = {0};
        struct an_path_params params = {.anchors = &anchors, .untrusted = &untrusted, .crls = &crls, .at = an_time_now(),
                                        .status_at = AN_TIME_NONE, .now = AN_TIME_NONE, .freshness_max = -1,
                                        .revocation = AN_REVOCATION_IF_AVAILABLE};
        struct an_path_result result = {0};

        for (size_t j = 0; j < suite->cases[i].count; j++) {
            const struct part *part = &suite->cases[i].parts[j];
            struct an_certs *set = part->kind == 'l' ? &leaf : part->kind == 'a' ? &anchors : &untrusted;
            struct an_crl *crl;

            if (part->kind != 'c')
                (void)(an_certs_read(set, part->der, NULL) == AN_OK);
            else if (an_crl_parse(part->der, &crl, NULL) == AN_OK)
                *an_crls_push(&crls) = crl;
        }
        if (leaf.count)
            an_path_validate(leaf.items[0], &params, &result);
        an_path_result_done(&result);
        an_crls_done(&crls);
        an_certs_done(&untrusted);
        an_certs_done(&anchors);
        an_certs_done(&leaf);
    }
}

static void
by_libcrypto(void *context, unsigned thread, unsigned index)
{
    const struct suite *suite = context;

    (void)thread;
    (void)index;
    for (size_t i = 0; i < suite->count; i++) {
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        STACK_OF(X509) *untrusted = sk_X509_new_null();
        X509 *leaf = NULL;

        for (size_t j = 0; j < suite->cases[i].count; j++) {
            const struct part *part = &suite->cases[i].parts[j];
            const unsigned char *at = part->der.ptr;
            X509_CRL *crl = part->kind == 'c' ? d2i_X509_CRL(NULL, &at, (long)part->der.len) : NULL;
            X509 *cert = part->kind != 'c' ? d2i_X509(NULL, &at, (long)part->der.len) : NULL;

            if (crl)
                X509_STORE_add_crl(store, crl);
            X509_CRL_free(crl);
            if (cert && part->kind == 'a')
                X509_STORE_add_cert(store, cert);
            if (cert && part->kind == 'l' && leaf == NULL)
                leaf = cert;
            else if (cert && part->kind == 'u')
                sk_X509_push(untrusted, cert);
            else
                X509_free(cert);
        }
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_EXTENDED_CRL_SUPPORT |
                                        X509_V_FLAG_USE_DELTAS | X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_X509_STRICT);
        if (leaf && X509_STORE_CTX_init(ctx, store, leaf, untrusted))
            (void)X509_verify_cert(ctx);
        X509_free(leaf);
        sk_X509_pop_free(untrusted, X509_free);
        X509_STORE_CTX_free(ctx);
        X509_STORE_free(store);
    }
}

int
main(int argc, char **argv)
{
    struct suite suite = {0};

    if (argc != 5)
        fail("usage: bench-paths ours|openssl LIST THREADS COUNT");
    load(&suite, argv[2]);
    bench_report(argv[1], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]), strcmp(argv[1], "ours") == 0 ? ours : by_libcrypto, &suite);
    return 0;
}
