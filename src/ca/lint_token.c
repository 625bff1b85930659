/* Time-stamp tokens: RFC 3161, 5816, ETSI EN 319 421, 422. */
#include "ca/lint_internal.h"
#include "cms/cms.h"

#define NONCE_MAX 64

struct lint_token { struct lint_run run; struct lint_time when; an_bytes imprint; };

/* ---- TSTInfo ---- */
static void
check_imprint(struct lint_token *c, an_bytes in)
{
    enum an_digest digest = AN_DIGEST_NONE;
    an_bytes whole, imprint = AN_NONE;
    bool is_sound = an_der_take_whole(&in, AN_DER_SEQUENCE, &whole, NULL) == AN_OK &&
        an_digest_parse(whole, &digest, NULL) == AN_OK &&
                    an_der_take(&in, AN_DER_OCTET_STRING, &imprint, NULL) == AN_OK && in.len == 0;

    lint_if(&c->run, !is_sound || imprint.len != an_digest_size(digest), LINT_TST_IMPRINT);
    lint_if(&c->run, is_sound && lint_digest_is_weak(digest), LINT_TST_IMPRINT_DIGEST);
}

/* GeneralizedTime "YYYYMMDDHHMMSS[.f…]Z", the fraction without zeros at its end. */
static bool
is_stamp_time(an_bytes text)
{
    if (text.len < 15 || text.ptr[text.len - 1] != 'Z')
        return false;
    for (size_t i = 0; i < text.len - 1; i++)
        if (i == 14 ? text.ptr[i] != '.' : text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len == 15 || (text.len > 16 && text.ptr[text.len - 2] != '0');
}

static bool
read_time(struct lint_token *c, an_bytes *in)
{
    an_bytes whole, text;

    if (an_der_take_whole(in, AN_DER_GENERALIZED_TIME, &whole, NULL) != AN_OK)
        return false;
    text = whole;
    c->when.is_sound = an_der_take(&text, AN_DER_GENERALIZED_TIME, &text, NULL) == AN_OK && is_stamp_time(text) &&
        an_der_time(&whole, &c->when.when, NULL) == AN_OK;
    lint_if(&c->run, !c->when.is_sound, LINT_TST_TIME);
    return true;
}

static bool
small_number(an_bytes content, int64_t most, int64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < content.len && i < 4; i++)
        *ret = *ret << 8 | content.ptr[i];
    return content.len > 0 && content.len <= 3 && content.ptr[0] < 0x80 && *ret >= 1 && *ret <= most;
}

/* Accuracy ::= SEQUENCE { seconds INTEGER, [0] millis (1..999), [1] micros (1..999) }, at least one. */
static void
check_accuracy(struct lint_token *c, an_bytes in)
{
    an_bytes millis, micros;
    int64_t seconds = 0, part = 0;
    bool is_sound = in.len > 0, is_fraction = false;

    if (an_der_peek(in) == AN_DER_INTEGER)
        is_sound = an_der_int64(&in, &seconds, NULL) == AN_OK && seconds >= 0;
    if (an_der_try(&in, AN_DER_CONTEXT(0), &millis))
        is_fraction = true, is_sound = small_number(millis, 999, &part) && is_sound;
    if (an_der_try(&in, AN_DER_CONTEXT(1), &micros))
        is_fraction = true, is_sound = small_number(micros, 999, &part) && is_sound;
    lint_if(&c->run, !is_sound || in.len != 0, LINT_TST_ACCURACY_FORM);
    lint_if(&c->run, seconds > 1 || (seconds == 1 && is_fraction), LINT_TST_ACCURACY_COARSE);
}

static void
check_rest(struct lint_token *c, an_bytes in)
{
    struct lint_extensions found;
    an_bytes field;

    if (an_der_try(&in, AN_DER_SEQUENCE, &field))
        check_accuracy(c, field);
    else
        lint_raise(&c->run, LINT_TST_ACCURACY_NONE);
    if (an_der_try(&in, AN_DER_BOOLEAN, &field))
        lint_if(&c->run, field.len != 1 || field.ptr[0] == 0, LINT_TST_ORDERING_DEFAULT);
    if (an_der_try(&in, AN_DER_INTEGER, &field))
        lint_if(&c->run, field.len > NONCE_MAX, LINT_TST_NONCE);
    (void)an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field); /* tsa */
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field)) {
        lint_read_extensions(field, &found);
        lint_if(&c->run, !found.is_sound, LINT_TST_STRUCTURE);
        for (size_t i = 0; i < found.count; i++)
            lint_if(&c->run, found.items[i].critical, LINT_TST_CRITICAL);
    }
    lint_if(&c->run, in.len != 0, LINT_TST_STRUCTURE);
}

static bool
read_info(struct lint_token *c, an_bytes info)
{
    an_bytes in, policy, imprint, serial;
    int64_t version = 0;

    if (an_der_take(&info, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_int64(&in, &version, NULL) != AN_OK)
        return false;
    lint_if(&c->run, version != 1, LINT_TST_VERSION);
    lint_if(&c->run, an_der_take(&in, AN_DER_OID, &policy, NULL) != AN_OK || policy.len == 0, LINT_TST_POLICY);
    if (an_der_take(&in, AN_DER_SEQUENCE, &imprint, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_INTEGER, &serial, NULL) != AN_OK)
        return false;
    check_imprint(c, imprint);
    lint_if(&c->run, serial.len == 0 || serial.ptr[0] >= 0x80 || serial.len > 20 + (serial.ptr[0] == 0),
            LINT_TST_SERIAL);
    if (!read_time(c, &in))
        return false;
    check_rest(c, in);
    return true;
}

/* ---- the signature around it ---- */
static void
check_signer(struct lint_token *c, const struct an_cms *cms)
{
    const struct an_cms_signer *signer = &cms->signers[0];
    struct an_cert *cert = an_cms_signer_cert(cms, signer, NULL);
    struct lint_run *run = &c->run;
    uint8_t digest[AN_DIGEST_MAX];

    lint_if(run, an_cms_attribute_find(signer->attributes, signer->attribute_count,
                                       "1.2.840.113549.1.9.16.2.47") == NULL, LINT_TST_ESS);
    lint_if(run, !an_bytes_eq(signer->content_type, AN_OID_TST_INFO), LINT_TST_CONTENT_ATTRIBUTE);
    lint_if(run, signer->scheme.kind == AN_SIG_UNKNOWN || lint_scheme_is_weak(&signer->scheme) ||
            lint_digest_is_weak(signer->digest), LINT_TST_DIGEST);
    if (signer->digest != AN_DIGEST_NONE)
        an_hash_once(signer->digest, cms->content, digest);
    lint_if(run, signer->digest == AN_DIGEST_NONE || !an_bytes_eq(signer->message_digest,
                                                                  AN_BYTES(digest, an_digest_size(signer->digest))),
                                                                  LINT_TST_MESSAGE_DIGEST);
    if (cert == NULL)
        return;
    lint_if(run, !an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.8"), LINT_TST_CERT);
    lint_if(run, c->when.is_sound && (c->when.when < cert->not_before || c->when.when > cert->not_after),
            LINT_TST_WITHIN);
}

static void
check_token(struct lint_token *c, an_bytes der)
{
    struct an_cms *cms = NULL;

    if (an_cms_parse(der, &cms, NULL) != AN_OK) {
        lint_raise(&c->run, LINT_TST_STRUCTURE);
        return;
    }
    lint_if(&c->run, cms->version != 3, LINT_TST_CMS_VERSION);
    lint_if(&c->run, cms->signer_count != 1, LINT_TST_ONE_SIGNER);
    if (!an_bytes_eq(cms->content_type, AN_OID_TST_INFO))
        lint_raise(&c->run, LINT_TST_CONTENT_TYPE);
    else
        lint_if(&c->run, !read_info(c, cms->content), LINT_TST_STRUCTURE);
    if (cms->signer_count > 0)
        check_signer(c, cms);
    an_cms_free(&cms);
}

void
an_lint_token(an_bytes der, const struct an_lint_plan *plan)
{
    struct lint_token c = {.run = {.plan = plan}};
    an_bytes in = der, status, whole = der;

    lint_der(&c.run, der);
    /* A TimeStampResp carries the token behind its status. */
    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) == AN_OK && an_der_peek(in) == AN_DER_SEQUENCE &&
        an_der_take(&in, AN_DER_SEQUENCE, &status, NULL) == AN_OK)
        whole = in;
    check_token(&c, whole);
    lint_report(&c.run);
}
