/* A small authority over a store in a temporary folder: what tests of certification and the bench stand on. */
#pragma once

#include "audit/audit.h"
#include "base/file.h"
#include "decision/decision.h"
#include "service/certification/certify.h"

#include <stdio.h>
#include <unistd.h>

#define DAY ((an_time)86400)

struct office {
    char dir[64];
    struct an_store *store;
    struct an_profiles *profiles;
    struct an_cert *root, *issuing;
    struct an_certifier *certifier;
};

static an_code
office_signer(const char *path, enum an_key_kind kind, int bits, struct an_signer **ret, struct an_err *err)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(65536);
    struct an_privkey *key = NULL;

    if (access(path, R_OK) != 0) {
        AN_TRY(an_privkey_generate(kind, bits, &key, err));
        an_code code = an_privkey_encode(key, NULL, &pem, err);
        an_privkey_free(&key);
        AN_TRY(code);
        AN_TRY(an_file_write(path, an_buf_view(&pem), 0600, err));
    }
    return an_signer_open(path, (struct an_pin_source){0}, ret, err);
}

static an_code
office_open_key(void *context, const char *key, struct an_signer **ret, struct an_err *err)
{
    const struct office *o = context;
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.key", o->dir, key);

    return office_signer(path, AN_KEY_EC, 256, ret, err);
}

/* A first answer that is no answer: 300 bytes of the authority's key over the number, so that the commit is as large as it will be. */
static an_code
office_make_answer(void *context, const struct an_authority *authority, struct an_cert *cert, an_time now, struct an_buf *ret, struct an_err *err)
{
    (void)context, (void)authority, (void)now, (void)err;
    an_buf_append(ret, cert->serial);
    return AN_OK;
}

static an_code
office_put_answer(void *context, struct an_tx *tx, int64_t certificate, an_bytes answer, an_time now, struct an_err *err)
{
    (void)context;
    return an_tx_run(tx, AN_SQL_OCSP_ANSWER_INSERT, (const struct an_value[]){AN_V_INT(certificate), AN_V_INT(now + DAY), AN_V_BLOB(answer)}, 3, NULL, err);
}

static an_code
office_insert_authorities(void *context, struct an_tx *tx, struct an_err *err)
{
    struct office *o = context;
    const struct an_authority_plan root = {"goc", "goc", "root", "root", "goc", "", "http://127.0.0.1", 0, 0, o->root};
    struct an_authority_plan issuing = {"nha-nuoc", "nha-nuoc", "issuing", "state", "trung-gian", "nha-nuoc", "http://127.0.0.1", 1, 4, o->issuing};

    AN_TRY(an_authority_insert(tx, &root, an_time_now(), err));
    return an_authority_insert(tx, &issuing, an_time_now(), err);
}

static an_code
office_certify_ca(struct office *o, struct an_err *err)
{
    AN_CLEANUP(an_signer_close) struct an_signer *root = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *issuing = NULL;
    const struct an_places places = {.crl_url = "http://127.0.0.1/crl/goc.crl", .issuer_url = "http://127.0.0.1/crt/goc.crt"};
    struct an_name_part name[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Tổ chức MẪU"}, {"2.5.4.3", "Gốc MẪU"}};
    struct an_issue what = {.subject = name, .subject_count = 3, .not_before = an_time_now() - 400 * DAY, .not_after = an_time_now() + 6500 * DAY};

    AN_TRY(office_open_key(o, "goc", &root, err));
    AN_TRY(office_open_key(o, "nha-nuoc", &issuing, err));
    what.spki = an_signer_spki(root);
    AN_TRY(an_ca_issue_once(o->profiles, "goc", NULL, root, &places, &what, &o->root, err));
    name[2].text = "CA MẪU phục vụ cơ quan Nhà nước";
    what.spki = an_signer_spki(issuing);
    return an_ca_issue_once(o->profiles, "trung-gian", o->root, root, &places, &what, &o->issuing, err);
}

static an_code
office_open(struct office *o, const char *database, struct an_err *err)
{
    AN_CLEANUP(an_free_ptr) char *url = database ? an_strdup(database) : an_asprintf("sqlite:%s/store.db", o->dir);
    static const struct an_first_answer answer = {office_make_answer, office_put_answer, NULL};
    struct an_certifier_setup setup = {.open_key = office_open_key, .key_context = o, .first_answer = &answer};

    AN_TRY(an_store_open(url, AN_STORE_CREATE, 4, &o->store, err));
    an_audit_attach(o->store);
    AN_TRY(an_profiles_open(NULL, &o->profiles, err));
    AN_TRY(office_certify_ca(o, err));
    AN_TRY(an_store_write(o->store, office_insert_authorities, o, err));
    setup.store = o->store;
    return an_certifier_open(&setup, &o->certifier, err);
}

static void
office_close(struct office *o)
{
    an_certifier_close(&o->certifier);
    an_profiles_free(&o->profiles);
    an_cert_unref(&o->root);
    an_cert_unref(&o->issuing);
    an_store_close(&o->store);
}
