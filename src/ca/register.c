/* Certificates: their rows. */
#include "ca/register.h"

#include "base/utf8.h"

#define NAME_MAX_BYTES ((size_t)32 * 1024)

const char *
an_certificate_status_name(enum an_certificate_status status)
{
    static const char *const names[] = {"good", "revoked", "hold", "expired"};

    return (size_t)status < AN_COUNT(names) ? names[status] : "?";
}

an_code
an_serial_parse(const char *hex, struct an_buf *ret, struct an_err *reterr)
{
    size_t len = strlen(hex);

    if (len == 0 || len > 2 * AN_LIMIT_SERIAL_BYTES || len % 2 != 0 || !an_hex_decode(ret, an_bytes_of_str(hex)) ||
        ret->len != len / 2)
        AN_FAIL(reterr, AN_E_CA_CERTIFICATE, "%.60s", hex);
    return AN_OK;
}

/* ---- adding ---- */
/* Common name first, so that "begins with" is what people mean; then the whole name. */
static void
fold_subject(const struct an_cert *cert, struct an_buf *whole, struct an_buf *folded)
{
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(NAME_MAX_BYTES);

    an_name_text(cert->subject, whole);
    if (an_name_attribute(cert->subject, "2.5.4.3", &name))
        (void)an_utf8_fold(folded, an_buf_view(&name));
}

static void
fold_text(an_bytes text, struct an_buf *folded)
{
    if (!an_utf8_fold(folded, text))
        an_buf_reset(folded);
}

void
an_register_texts_make(const struct an_registration *r, struct an_register_texts *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf organisation = an_buf_new(NAME_MAX_BYTES);

    *ret = (struct an_register_texts){an_buf_new(NAME_MAX_BYTES), an_buf_new(NAME_MAX_BYTES),
                                      an_buf_new(NAME_MAX_BYTES), an_buf_new(NAME_MAX_BYTES)};
    fold_subject(r->cert, &ret->subject, &ret->subject_folded);
    if (an_name_attribute(r->cert->subject, "2.5.4.10", &organisation))
        fold_text(an_buf_view(&organisation), &ret->agency_folded);
    fold_text(an_bytes_of_str(r->email ? r->email : ""), &ret->email_folded);
}

void
an_register_texts_done(struct an_register_texts *texts)
{
    an_buf_free(&texts->subject);
    an_buf_free(&texts->subject_folded);
    an_buf_free(&texts->agency_folded);
    an_buf_free(&texts->email_folded);
}

static struct an_value
text_of(const struct an_buf *buf)
{
    return (struct an_value){AN_VALUE_TEXT, 0, an_buf_view(buf)};
}

an_code
an_register_insert(struct an_tx *tx, const struct an_registration *r, const struct an_register_texts *texts,
                   an_time now, int64_t *ret_id, struct an_err *reterr)
{
    const struct an_value values[] = {
        AN_V_INT(r->authority), AN_V_BLOB(r->cert->serial), AN_V_INT(r->partition), AN_V_BLOB(r->cert->der),
        an_v_text(r->profile), text_of(&texts->subject), text_of(&texts->subject_folded),
        text_of(&texts->agency_folded), text_of(&texts->email_folded), AN_V_INT(r->cert->not_before),
        AN_V_INT(r->cert->not_after),
        an_v_text(r->subscriber ? r->subscriber : ""),
        an_v_text(r->device ? r->device : ""), an_v_text(r->request_key), AN_V_BLOB(AN_BYTES(r->request_digest, 32)),
        r->predecessor ? AN_V_INT(r->predecessor) : AN_V_NULL,
        an_v_text(r->kind), AN_V_INT(r->renewals), r->matter ? AN_V_INT(r->matter) : AN_V_NULL, AN_V_INT(now),
    };
    return an_tx_int(tx, AN_SQL_CERTIFICATE_INSERT, values, AN_COUNT(values), ret_id, reterr);
}

struct earlier { int64_t id, authority; uint8_t *digest; struct an_buf *der; };

static an_code
read_earlier(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct earlier *earlier = context;
    an_bytes digest = an_row_blob(row, 1);

    (void)reterr;
    earlier->id = an_row_int(row, 0);
    earlier->authority = an_row_int(row, 3);
    if (digest.len == 32)
        memcpy(earlier->digest, digest.ptr, 32);
    an_buf_append(earlier->der, an_row_blob(row, 2));
    return AN_OK;
}

an_code
an_register_by_request(struct an_tx *tx, const char *request_key, int64_t *ret_id, uint8_t ret_digest[static 32],
                       int64_t *ret_authority, struct an_buf *ret_der,
                       struct an_err *reterr)
{
    struct earlier earlier = {.digest = ret_digest, .der = ret_der};
    const struct an_value value = an_v_text(request_key);

    an_buf_reset(ret_der);
    AN_TRY(an_tx_one(tx, AN_SQL_CERTIFICATE_BY_REQUEST, &value, 1, read_earlier, &earlier, NULL, reterr));
    *ret_id = earlier.id;
    *ret_authority = earlier.authority;
    return AN_OK;
}

/* ---- reading ---- */
/* The columns of every statement that answers certificates. */
static struct an_certificate
certificate_of(const struct an_row *row)
{
    return (struct an_certificate){
        .id = an_row_int(row, 0), .authority = an_row_int(row, 1), .serial = an_row_blob(row, 2),
        .partition = an_row_int(row, 3), .der = an_row_blob(row, 4),
        .profile = an_row_text(row, 5), .subject = an_row_text(row, 6), .not_before = an_row_int(row, 7),
        .not_after = an_row_int(row, 8), .subscriber = an_row_text(row, 9),
        .device = an_row_text(row, 10), .status = (enum an_certificate_status)an_row_int(row, 11),
        .revoked_at = an_row_is_null(row, 12) ? AN_TIME_NONE : an_row_int(row, 12),
        .reason = (enum an_crl_reason)an_row_int(row, 13), .ground = an_row_text(row, 14),
        .predecessor = an_row_int(row, 15), .kind = an_row_text(row, 16),
        .renewals = an_row_int(row, 17), .matter = an_row_int(row, 18), .issued_at = an_row_int(row, 19),
        .authority_name = an_row_text(row, 20)};
}

struct keeping { struct an_arena *arena; struct an_certificate *ret; size_t count; };

static an_code
keep_certificate(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct keeping *keeping = context;
    struct an_certificate c = certificate_of(row);
    const char **texts[] = {&c.profile, &c.subject, &c.subscriber, &c.device, &c.ground, &c.kind, &c.authority_name};

    for (size_t i = 0; i < AN_COUNT(texts); i++)
        if ((*texts[i] = an_arena_str(keeping->arena, an_bytes_of_str(*texts[i]))) == NULL)
            AN_FAIL(reterr, AN_E_LIMIT, "certificate");
    c.serial = an_arena_dup(keeping->arena, c.serial);
    c.der = an_arena_dup(keeping->arena, c.der);
    keeping->count++;
    *keeping->ret = c;
    return c.der.len != 0 ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "certificate");
}

an_code
an_register_find(struct an_tx *tx, an_bytes serial, struct an_arena *arena, struct an_certificate *ret,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(256);
    struct keeping keeping = {arena, ret, 0};
    const struct an_value value = AN_V_BLOB(serial);

    AN_TRY(an_tx_each(tx, AN_SQL_CERTIFICATE_BY_SERIAL, &value, 1, keep_certificate, &keeping, reterr));
    if (keeping.count == 1)
        return AN_OK;
    an_buf_hex(&hex, serial);
    if (keeping.count == 0)
        AN_FAIL(reterr, AN_E_CA_CERTIFICATE, "%.*s", AN_FMT(an_buf_view(&hex)));
    AN_FAIL(reterr, AN_E_CA_CERTIFICATE, "%.*s × %zu", AN_FMT(an_buf_view(&hex)), keeping.count);
}

an_code
an_register_by_id(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_certificate *ret,
                  struct an_err *reterr)
{
    struct keeping keeping = {arena, ret, 0};
    const struct an_value value = AN_V_INT(id);

    AN_TRY(an_tx_each(tx, AN_SQL_CERTIFICATE_BY_ID, &value, 1, keep_certificate, &keeping, reterr));
    return keeping.count == 1 ? AN_OK : an_err_set(reterr, AN_E_CA_CERTIFICATE, "%lld", (long long)id);
}

an_code
an_register_set_status(struct an_tx *tx, int64_t id, enum an_certificate_status from, enum an_certificate_status to,
                       an_time at, const struct an_ground *ground, struct an_err *reterr)
{
    bool is_out = to == AN_CERTIFICATE_REVOKED || to == AN_CERTIFICATE_HELD;
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(from), AN_V_INT(to), is_out ? AN_V_INT(at) : AN_V_NULL,
                                      is_out ? AN_V_INT(ground->reason) : AN_V_NULL,
                                      an_v_text(ground ? ground->id : "")};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_CERTIFICATE_SET_STATUS, values, AN_COUNT(values), &changed, reterr));
    return changed == 1 ? AN_OK : an_err_set(reterr, AN_E_CA_STATUS, "%s → %s", an_certificate_status_name(from),
                                             an_certificate_status_name(to));
}

/* ---- looking ---- */
struct giving { an_certificate_fn each; void *context; };

static an_code
give_certificate(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct giving *giving = context;
    struct an_certificate c = certificate_of(row);

    return giving->each(giving->context, &c, reterr);
}

/* Everything from the text to the text with its last octet one higher: what begins with it. */
static void
put_bounds(an_bytes folded, struct an_buf *upper)
{
    an_buf_append(upper, folded);
    an_buf_byte(upper, 0xf4); /* above every character that folded text can go on with, and still text: U+10FFFF */
    an_buf_append(upper, AN_LIT("\x8f\xbf\xbf"));
}

an_code
an_register_search(struct an_tx *tx, enum an_search by, const char *text, int64_t limit, an_certificate_fn each,
                   void *context, struct an_err *reterr)
{
    static const enum an_sql statements[] = {[AN_SEARCH_SUBJECT] = AN_SQL_CERTIFICATE_SEARCH_SUBJECT,
                                             [AN_SEARCH_AGENCY] = AN_SQL_CERTIFICATE_SEARCH_AGENCY,
                                             [AN_SEARCH_EMAIL] = AN_SQL_CERTIFICATE_SEARCH_EMAIL};
    AN_CLEANUP(an_buf_free) struct an_buf folded = an_buf_new(NAME_MAX_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf upper = an_buf_new(NAME_MAX_BYTES);
    struct giving giving = {each, context};

    if (by == AN_SEARCH_SUBSCRIBER)
        return an_tx_each(tx, AN_SQL_CERTIFICATE_OF_SUBSCRIBER,
                          (const struct an_value[]){an_v_text(text), AN_V_INT(limit)}, 2, give_certificate, &giving,
                          reterr);
    if (!an_utf8_fold(&folded, an_bytes_of_str(text)) || folded.len == 0)
        AN_FAIL(reterr, AN_E_CA_FIELD, "%.80s", text);
    put_bounds(an_buf_view(&folded), &upper);
    return an_tx_each(tx, statements[by], (const struct an_value[]){text_of(&folded), text_of(&upper), AN_V_INT(limit)},
                      3, give_certificate, &giving, reterr);
}

an_code
an_register_list(struct an_tx *tx, int64_t before_id, int64_t limit, an_certificate_fn each, void *context,
                 struct an_err *reterr)
{
    struct giving giving = {each, context};

    return an_tx_each(tx, AN_SQL_CERTIFICATE_LIST, (const struct an_value[]){before_id ? AN_V_INT(before_id)
            : AN_V_NULL, AN_V_INT(limit)}, 2, give_certificate, &giving, reterr);
}

/* ---- acts under a key ---- */
struct act { int64_t certificate; const char *act, *ground; bool is_same; };

static an_code
compare_act(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct act *act = context;

    (void)reterr;
    act->is_same = an_row_int(row, 0) == act->certificate && strcmp(an_row_text(row, 1), act->act) == 0 &&
        strcmp(an_row_text(row, 2), act->ground) == 0;
    return AN_OK;
}

an_code
an_register_act(struct an_tx *tx, const char *request_key, int64_t certificate, const char *act, const char *ground,
                int64_t matter, an_time now, bool *ret_is_new,
                struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(request_key), AN_V_INT(certificate), an_v_text(act), an_v_text(ground),
                                      AN_V_INT(now), matter ? AN_V_INT(matter) : AN_V_NULL};
    struct act earlier = {.certificate = certificate, .act = act, .ground = ground};
    bool is_there = false;

    AN_TRY(an_tx_one(tx, AN_SQL_CERTIFICATE_ACT_FIND, values, 1, compare_act, &earlier, &is_there, reterr));
    *ret_is_new = !is_there;
    if (!is_there)
        return an_tx_run(tx, AN_SQL_CERTIFICATE_ACT_INSERT, values, AN_COUNT(values), NULL, reterr);
    return earlier.is_same ? AN_OK : an_err_set(reterr, AN_E_CA_REQUEST, "%s", request_key);
}
