#include "office/ca_office.h"

#include "base/file.h"
#include "decision/decision.h"

#include <stdio.h>

struct an_pin_source
ca_pin(const struct ca_args *args)
{
    return args->pin_file ? an_pin_from_file(args->pin_file) : an_pin_from_terminal();
}

an_code
ca_moment(const char *text, const char *option, an_time *ret, struct an_err *reterr)
{
    if (text == NULL)
        return AN_OK;
    *ret = an_time_parse(an_bytes_of_str(text));
    return *ret != AN_TIME_NONE ? AN_OK : an_err_set(reterr, AN_E_CLI_VALUE, "--%s", option);
}

an_code
ca_read_cert(const char *path, struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    if (path == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--cert, --root");
    AN_TRY(an_file_open(path, AN_LIMIT_CERT_BYTES, &file, reterr));
    AN_TRY(an_certs_read(&certs, file.bytes, reterr));
    if (certs.count != 1)
        AN_FAIL(reterr, AN_E_CERT_STRUCTURE, "%s: %zu", path, certs.count);
    *ret = an_cert_ref(certs.items[0]);
    return AN_OK;
}

static an_code
name_actor(struct ca_office *o, const struct ca_args *a, const char *role, struct an_err *reterr)
{
    uint8_t random[12];

    AN_TRY(office_actor_of(a->as, role, &o->who, &o->actor, reterr));
    if (a->request_key != NULL && strlen(a->request_key) >= sizeof(o->request_key))
        AN_FAIL(reterr, AN_E_CA_REQUEST, "%zu byte", strlen(a->request_key));
    AN_TRY(an_random(random, sizeof(random), reterr));
    snprintf(o->request_key, sizeof(o->request_key), "cli:");
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(o->request_key + 4 + 2 * i, 3, "%02x", random[i]);
    if (a->request_key != NULL)
        snprintf(o->request_key, sizeof(o->request_key), "%s", a->request_key);
    return AN_OK;
}

/* Only the facts are taken from the matter: act and object are those of the command (ca_rely), so that a decision about
 * one thing never serves another. */
static an_code
read_matter(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct ca_office *o = context;
    an_bytes facts = an_row_blob(row, 3);

    (void)reterr;
    if (facts.len == 32)
        memcpy(o->relied.facts, facts.ptr, 32);
    return AN_OK;
}

static an_code
find_matter(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct ca_office *o = context;
    const struct an_value value = AN_V_INT(o->relied.matter);
    bool found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_DECISION_MATTER_FIND, &value, 1, read_matter, o, &found, reterr));
    return found ? AN_OK : an_err_set(reterr, AN_E_DECISION_MATTER, "%lld", (long long)o->relied.matter);
}

an_code
ca_office_look(struct ca_office *ret, const struct ca_args *args, const char *role, struct an_err *reterr)
{
    ret->arena = an_arena_new(AN_LIMIT_CERT_BYTES * 16);
    AN_TRY(name_actor(ret, args, role, reterr));
    AN_TRY(an_instance_open(args->dir ? args->dir : ".", 0, &ret->instance, reterr));
    if (args->matter == 0)
        return AN_OK;
    ret->relied.matter = args->matter;
    ret->reliance = &ret->relied;
    ret->relied.act = ret->relied.object = "";
    return an_store_read(ret->instance->store, find_matter, ret, reterr);
}

an_code
ca_rely(struct ca_office *o, const char *act, const char *object, an_bytes facts, struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];

    o->relied.act = act;
    o->relied.object = an_arena_str(o->arena, an_bytes_of_str(object));
    if (o->relied.object == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "matter");
    if (facts.len != 0) {
        an_hash_once(AN_SHA256, facts, digest);
        memcpy(o->relied.facts, digest, 32);
    }
    return AN_OK;
}

an_code
ca_rely_serial(struct ca_office *o, const char *act, const char *serial, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf octets = an_buf_new(AN_LIMIT_SERIAL_BYTES), object = an_buf_new(256);

    AN_TRY(an_serial_parse(serial, &octets, reterr));
    an_buf_str(&object, "certificate:");
    an_buf_hex(&object, an_buf_view(&octets));
    an_buf_byte(&object, 0);
    return ca_rely(o, act, (const char *)object.ptr, AN_NONE, reterr);
}

an_code
ca_office_open(struct ca_office *ret, const struct ca_args *args, const char *role, struct an_err *reterr)
{
    AN_TRY(ca_office_look(ret, args, role, reterr));
    return an_certification_open(ret->instance, &ret->certification, reterr);
}

void
ca_office_close(struct ca_office *office)
{
    an_certification_close(&office->certification);
    an_instance_close(&office->instance);
    an_arena_free(&office->arena);
}
