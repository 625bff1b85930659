#include "service/certification/trust_list.h"

#include <jansson.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "base/mem.h"

#define TRUST_BYTES ((size_t)4 * 1024 * 1024)

void
an_trust_list_done(struct an_trust_list *list)
{
    an_certs_done(&list->certs);
}

/* ---- writing ---- */
static void
put_quoted(struct an_buf *out, const char *text)
{
    an_buf_byte(out, '"');
    for (; *text != '\0'; text++)
        if (*text == '"' || *text == '\\')
            an_buf_printf(out, "\\%c", *text);
        else if ((uint8_t)*text < 0x20)
            an_buf_printf(out, "\\u%04x", (unsigned)*text);
        else
            an_buf_byte(out, (uint8_t)*text);
    an_buf_byte(out, '"');
}

void
an_trust_list_write(const struct an_trust_list *list, struct an_buf *ret)
{
    char moment[AN_TIME_TEXT_MAX];

    an_buf_printf(ret, "{\n  \"Version\": %lld,\n  \"ListIdentifier\": ", (long long)list->version);
    put_quoted(ret, list->identifier);
    an_buf_printf(ret, ",\n  \"SequenceNumber\": %lld,\n  \"ThisUpdate\": \"%s\"", (long long)list->sequence,
                  an_time_format_utc(list->this_update, moment));
    an_buf_printf(ret, ",\n  \"NextUpdate\": \"%s\",\n  \"Cerificates\": [",
                  an_time_format_utc(list->next_update, moment));
    for (size_t i = 0; i < list->certs.count; i++) {
        an_buf_str(ret, i > 0 ? ",\n    \"" : "\n    \"");
        an_base64_encode(ret, list->certs.items[i]->der);
        an_buf_byte(ret, '"');
    }
    an_buf_str(ret, "\n  ]\n}\n");
}

/* ---- reading ---- */
static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_TRUST_LIST, "%s", field);
}

/* "2026-01-02T03:04:05Z", or "/Date(1767322800000)/" as .NET writes it. */
static bool
read_moment(const json_t *value, an_time *ret)
{
    const char *text = json_string_value(value);
    char *end = NULL;

    if (text == NULL)
        return false;
    if (strncmp(text, "/Date(", 6) == 0) {
        long long millis = strtoll(text + 6, &end, 10);
        *ret = (an_time)(millis / 1000);
        return end != text + 6 && end != NULL && strchr(end, ')') != NULL;
    }
    *ret = an_time_parse(an_bytes_of_str(text));
    return *ret != AN_TIME_NONE;
}

static an_code
read_certs(const json_t *list, struct an_trust_list *ret, struct an_err *reterr)
{
    size_t place;
    json_t *item;

    if (!json_is_array(list) || json_array_size(list) > AN_LIMIT_TRUST_CERTS)
        return fail_field("Cerificates", reterr);
    json_array_foreach(list, place, item) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
        AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
        const char *text = json_string_value(item);
        if (text == NULL || !an_base64_decode(&der, an_bytes_of_str(text)) ||
            an_cert_parse(an_buf_view(&der), &cert, NULL) != AN_OK)
            AN_FAIL(reterr, AN_E_TRUST_LIST, "Cerificates[%zu]", place);
        an_certs_add(&ret->certs, cert);
    }
    return AN_OK;
}

static an_code
read_list(const json_t *root, struct an_trust_list *ret, struct an_err *reterr)
{
    const json_t *certs = json_object_get(root, "Cerificates"), *identifier = json_object_get(root, "ListIdentifier");

    if (!json_is_object(root) || !json_is_integer(json_object_get(root, "Version")) ||
        !json_is_integer(json_object_get(root, "SequenceNumber")))
        return fail_field("Version, SequenceNumber", reterr);
    ret->version = json_integer_value(json_object_get(root, "Version"));
    ret->sequence = json_integer_value(json_object_get(root, "SequenceNumber"));
    if (json_string_value(identifier) == NULL || json_string_length(identifier) >= sizeof(ret->identifier))
        return fail_field("ListIdentifier", reterr);
    memcpy(ret->identifier, json_string_value(identifier), json_string_length(identifier) + 1);
    if (!read_moment(json_object_get(root, "ThisUpdate"), &ret->this_update) ||
        !read_moment(json_object_get(root, "NextUpdate"), &ret->next_update) ||
        ret->next_update <= ret->this_update)
        return fail_field("ThisUpdate, NextUpdate", reterr);
    return read_certs(certs != NULL ? certs : json_object_get(root, "Certificates"), ret, reterr);
}

an_code
an_trust_list_parse(an_bytes json, struct an_trust_list *ret, struct an_err *reterr)
{
    struct an_trust_list list = {0};
    json_error_t error;
    json_t *root;
    an_code code;

    if (an_bytes_starts_with(json, AN_LIT("\xEF\xBB\xBF")))
        json = an_bytes_slice(json, 3, SIZE_MAX);
    if (json.len > TRUST_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", json.len);
    root = json_loadb((const char *)json.ptr, json.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        AN_FAIL(reterr, AN_E_TRUST_LIST, "JSON: %d: %s", error.line, error.text);
    code = read_list(root, &list, reterr);
    json_decref(root);
    if (code != AN_OK) {
        an_trust_list_done(&list);
        return code;
    }
    *ret = list;
    return AN_OK;
}

an_code
an_trust_list_check(an_bytes json, an_bytes signature, struct an_cert **ret_signer, struct an_err *reterr)
{
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
    struct an_cert *signer;

    AN_TRY(an_cms_parse(signature, &cms, reterr));
    if (cms->signer_count != 1)
        return fail_field("SignerInfo", reterr);
    signer = an_cms_signer_cert(cms, &cms->signers[0], NULL);
    if (signer == NULL)
        return fail_field("certificates", reterr);
    AN_TRY(an_cms_check_over(&cms->signers[0], signer, AN_NONE, json, reterr));
    *ret_signer = an_cert_ref(signer);
    return AN_OK;
}

/* ---- publishing ---- */
static an_code
sign_list(const struct an_trust_publisher *publisher, an_bytes content, an_time now, struct an_buf *ret,
          struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(AN_LIMIT_TSP_BYTES),
                                          signature = an_buf_new(AN_LIMIT_TSP_BYTES);
    enum an_key_kind kind = an_signer_info(publisher->signer)->kind;
    struct an_cms_plan plan = {.signer = publisher->signer_cert, .chain = publisher->chain, .signing_time = now,
                               .signing_certificate_v2 = true,
                               .scheme = {.kind = kind == AN_KEY_EC ? AN_SIG_ECDSA : AN_SIG_RSA_PKCS1,
                                          .digest = AN_SHA256}};
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, content, digest);
    plan.content_digest = AN_BYTES(digest, 32);
    AN_TRY(an_cms_prepare(&plan, &attributes, reterr));
    {
        uint8_t to_sign[AN_DIGEST_MAX];
        an_hash_once(AN_SHA256, an_buf_view(&attributes), to_sign);
        AN_TRY(an_signer_sign(publisher->signer, &plan.scheme, AN_BYTES(to_sign, 32), &signature, reterr));
    }
    return an_cms_finish(&plan, an_buf_view(&attributes), an_buf_view(&signature), AN_NONE, ret, reterr);
}

struct latest {
    bool is_found;
    int64_t sequence;
    uint8_t digest[32];
    an_time this_update, next_update;
    struct an_buf *list, *signature;
};

static an_code
keep_latest(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct latest *latest = context;

    (void)reterr;
    latest->sequence = an_row_int(row, 0);
    if (an_row_blob(row, 1).len == 32)
        memcpy(latest->digest, an_row_blob(row, 1).ptr, 32);
    an_buf_reset(latest->list);
    an_buf_append(latest->list, an_row_blob(row, 2));
    an_buf_reset(latest->signature);
    an_buf_append(latest->signature, an_row_blob(row, 3));
    latest->this_update = an_row_int(row, 4);
    latest->next_update = an_row_int(row, 5);
    return AN_OK;
}

static an_code
find_latest(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct latest *latest = context;

    latest->sequence = 0;
    return an_tx_one(tx, AN_SQL_TRUST_LIST_LATEST, NULL, 0, keep_latest, latest, &latest->is_found, reterr);
}

static an_code
add_authority(void *context, const struct an_row *row, struct an_err *reterr)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    AN_TRY(an_cert_parse(an_row_blob(row, 0), &cert, reterr));
    an_certs_add(context, cert);
    return AN_OK;
}

struct authorities { struct an_certs *certs; an_time now; };

static an_code
read_authorities(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct authorities *ask = context;
    const struct an_value values[] = {AN_V_INT(ask->now)};

    an_certs_done(ask->certs);
    return an_tx_each(tx, AN_SQL_TRUST_AUTHORITIES, values, 1, add_authority, ask->certs, reterr);
}

/* Of two nodes that publish at once one writes; the other finds its list. */
struct publication {
    int64_t after; /* the number that was seen */
    uint8_t digest[32];
    const struct an_trust_list *list;
    an_bytes content, signature;
    bool is_written;
};

static an_code
write_publication(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(TRUST_BYTES), signature = an_buf_new(AN_LIMIT_TSP_BYTES);
    struct publication *publication = context;
    struct latest latest = {.list = &list, .signature = &signature};
    AN_CLEANUP(an_free_ptr) char *object = an_asprintf("trust-list:%lld", (long long)publication->after + 1);
    const struct an_audit_event event = {.at = publication->list->this_update, .action = "trust-list.publish",
                                         .actor = "system", .object = object,
                                         .outcome = "done", .citation = "nd-68-2024/31/2"};

    publication->is_written = false;
    AN_TRY(find_latest(&latest, tx, reterr));
    if (latest.sequence != publication->after)
        return AN_OK;
    {
        const struct an_value values[] = {
            AN_V_INT(publication->list->sequence), AN_V_BLOB(AN_BYTES(publication->digest, 32)),
            AN_V_BLOB(publication->content),
            AN_V_BLOB(publication->signature), AN_V_INT(publication->list->this_update),
            AN_V_INT(publication->list->next_update),
        };
        AN_TRY(an_tx_run(tx, AN_SQL_TRUST_LIST_INSERT, values, AN_COUNT(values), NULL, reterr));
    }
    publication->is_written = true;
    return an_audit_append(tx, &event, reterr);
}

static void
digest_certs(const struct an_certs *certs, uint8_t ret[static 32])
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint8_t digest[AN_DIGEST_MAX];

    for (size_t i = 0; i < certs->count; i++)
        an_hash_update(hash, AN_BYTES(certs->items[i]->sha256, 32));
    an_hash_final(hash, digest);
    an_hash_free(&hash);
    memcpy(ret, digest, 32);
}

static an_code
publish(const struct an_trust_publisher *publisher, struct an_trust_list *list, struct latest *latest,
        const uint8_t digest[static 32],
        struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(TRUST_BYTES), signature = an_buf_new(AN_LIMIT_TSP_BYTES);
    struct publication publication = {.after = latest->sequence, .list = list};

    memcpy(publication.digest, digest, 32);
    an_trust_list_write(list, &content);
    if (!an_buf_ok(&content))
        AN_FAIL(reterr, AN_E_LIMIT, "gca.ctl");
    if (publisher->signer != NULL)
        AN_TRY(sign_list(publisher, an_buf_view(&content), list->this_update, &signature, reterr));
    publication.content = an_buf_view(&content);
    publication.signature = an_buf_view(&signature);
    AN_TRY(an_store_write(publisher->store, write_publication, &publication, reterr));
    return an_store_read(publisher->store, find_latest, latest, reterr);
}

an_code
an_trust_list_current(const struct an_trust_publisher *publisher, an_time now, struct an_buf *ret_list,
                      struct an_buf *ret_signature,
                      struct an_err *reterr)
{
    AN_CLEANUP(an_trust_list_done) struct an_trust_list list = {.version = 1};
    struct latest latest = {.list = ret_list, .signature = ret_signature};
    struct authorities ask = {&list.certs, now};
    an_time validity = (an_time)publisher->days * 86400;
    uint8_t digest[32];

    AN_TRY(an_store_read(publisher->store, find_latest, &latest, reterr));
    AN_TRY(an_store_read(publisher->store, read_authorities, &ask, reterr));
    digest_certs(&list.certs, digest);
    /* the next one is ready while a third of the time is left: who fetches rarely never holds one that ran out */
    if (latest.is_found && memcmp(latest.digest, digest, 32) == 0 && now >= latest.this_update &&
        now < latest.next_update - validity / 3 &&
        (publisher->signer == NULL || latest.signature->len > 0))
        return AN_OK;
    list.sequence = latest.sequence + 1;
    /* never before the one that it replaces */
    list.this_update = now > latest.this_update || !latest.is_found ? now : latest.this_update;
    list.next_update = list.this_update + validity;
    if (strlen(publisher->identifier) >= sizeof(list.identifier))
        AN_FAIL(reterr, AN_E_TRUST_LIST, "ListIdentifier");
    memcpy(list.identifier, publisher->identifier, strlen(publisher->identifier) + 1);
    return publish(publisher, &list, &latest, digest, reterr);
}
