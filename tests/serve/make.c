/*
 * What the serving test needs of an instance before people do it: authorities with keys (make DIR [TOKEN [swapped]]; swapped: the
 * answering key is RSA, the stamping one EC, for measuring), their certificates as files,
 * and changes of status (change DIR AUTHORITY SERIAL-HEX KIND REASON).
 */
#include "base/file.h"
#include "ca/ca.h"
#include "ca/revocation.h"
#include "keys/keys.h"
#include "service/instance/instance.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DAY ((an_time)86400)

static struct an_profiles *profiles;

static struct party { const char *name, *profile, *common; unsigned purposes; int issuer; enum an_key_kind kind; int bits; struct an_signer *key; struct an_cert *cert; } parties[] = {
    {"goc", "goc", "RootCA Mẫu", 1u << AN_PURPOSE_CERTIFICATE | 1u << AN_PURPOSE_CRL, -1, AN_KEY_RSA, 2048, NULL, NULL},
    {"nha-nuoc", "trung-gian", "CA Mẫu phục vụ cơ quan Nhà nước", 1u << AN_PURPOSE_CERTIFICATE | 1u << AN_PURPOSE_CRL, 0, AN_KEY_EC, 256, NULL, NULL},
    {"nha-nuoc-ocsp", "ocsp", "OCSP Mẫu", 1u << AN_PURPOSE_OCSP, 1, AN_KEY_EC, 256, NULL, NULL},
    {"tsa", "tsa", "TSA Mẫu", 1u << AN_PURPOSE_TIME_STAMP, 1, AN_KEY_RSA, 2048, NULL, NULL},
    {"nguoi-mot", "ca-nhan", "Nguyễn Văn Một", 0, 1, AN_KEY_EC, 256, NULL, NULL},
    {"nguoi-hai", "ca-nhan", "Trần Thị Hai", 0, 1, AN_KEY_EC, 256, NULL, NULL},
    {"nguoi-ba", "ca-nhan", "Lê Văn Ba", 0, 1, AN_KEY_EC, 256, NULL, NULL},
};

static an_code
issue(const char *dir, struct party *party, const char *token, struct an_err *err)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.crt", dir, party->name);
    bool is_root = party->issuer < 0, is_person = party->purposes == 0;
    struct party *issuer = is_root ? party : &parties[party->issuer];
    struct an_key_plan plan = {.name = party->name, .purposes = party->purposes ? party->purposes : 1u << AN_PURPOSE_AUDIT, .kind = party->kind, .bits = party->bits, .token = token};
    struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.7", "Tỉnh Mẫu"}, {"2.5.4.10", "Cơ quan mẫu"}, {"2.5.4.11", "Văn phòng"}, {"2.5.4.3", party->common}};
    struct an_name_part root[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Tổ chức Mẫu"}, {"2.5.4.3", party->common}};
    struct an_issue what = {.subject = is_root ? root : subject, .subject_count = is_root ? 3 : 5, .email = is_person ? "mau@mau.gov.vn" : NULL,
                            .not_before = an_time_now() - DAY, .not_after = an_time_now() + 300 * DAY};
    const struct an_places places = {.crl_url = "http://localhost:8080/crl/nha-nuoc.crl", .issuer_url = "http://localhost:8080/crt/nha-nuoc.crt", .ocsp_url = "http://localhost:8080/ocsp"};

    AN_TRY(an_key_make(dir, &plan, &party->key, err));
    what.spki = an_signer_spki(party->key);
    AN_TRY(an_ca_issue_once(profiles, party->profile, is_root ? NULL : issuer->cert, issuer->key, &places, &what, &party->cert, err));
    return an_file_write(path, party->cert->der, 0644, err);
}

static an_code
make(const char *dir, const char *token, bool is_swapped, struct an_err *err)
{
    AN_TRY(an_profiles_open(NULL, &profiles, err));
    for (size_t i = 0; i < AN_COUNT(parties) && is_swapped; i++)
        if (strcmp(parties[i].profile, "ocsp") == 0 || strcmp(parties[i].profile, "tsa") == 0) {
            bool is_rsa = parties[i].kind == AN_KEY_RSA;
            parties[i].kind = is_rsa ? AN_KEY_EC : AN_KEY_RSA;
            parties[i].bits = is_rsa ? 256 : 2048;
        }
    for (size_t i = 0; i < AN_COUNT(parties); i++)
        AN_TRY(issue(dir, &parties[i], token, err));
    for (size_t i = 0; i < AN_COUNT(parties); i++) {
        an_signer_close(&parties[i].key);
        an_cert_unref(&parties[i].cert);
    }
    an_profiles_free(&profiles);
    return AN_OK;
}

static an_code
record(void *context, struct an_tx *tx, struct an_err *err)
{
    return an_revocation_record(tx, context, err);
}

static an_code
change(const char *dir, char **args, struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(64);
    struct an_instance *instance = NULL;
    struct timespec committed;
    an_code code;

    if (!an_hex_decode(&serial, an_bytes_of_str(args[1])))
        AN_FAIL(err, AN_E_INTERNAL, "serial");
    struct an_status_change what = {.authority = strtol(args[0], NULL, 10), .serial = an_buf_view(&serial), .kind = (enum an_status_kind)strtol(args[2], NULL, 10),
                                    .reason = (enum an_crl_reason)strtol(args[3], NULL, 10), .at = an_time_now(), .invalidity_date = AN_TIME_NONE};
    AN_TRY(an_instance_open(dir, 0, &instance, err));
    code = an_store_write(instance->store, record, &what, err);
    clock_gettime(CLOCK_MONOTONIC, &committed);
    an_instance_close(&instance);
    an_status_announce(dir);
    printf("%.6f\n", (double)committed.tv_sec + (double)committed.tv_nsec / 1e9);
    return code;
}

int
main(int argc, char **argv)
{
    struct an_err err = {0};
    an_code code = argc == 7 && strcmp(argv[1], "change") == 0 ? change(argv[2], argv + 3, &err) : argc >= 3 ? make(argv[2], argc > 3 ? argv[3] : NULL, argc > 4, &err) : AN_E_INTERNAL;

    if (code != AN_OK)
        fprintf(stderr, "%s: %s\n", an_message_find(code)->symbol, err.detail);
    return code == AN_OK ? 0 : 1;
}
