/* What a batch shares: the key, its certificate checked once (NĐ 68/2024 Điều 29), the picture, the font, the chain. */
#include "sign/internal.h"

#include "base/file.h"

#include <stdio.h>

#define OID_CN "2.5.4.3"
#define OID_O "2.5.4.10"

static char *
attribute_text(an_bytes name, const char *oid)
{
    struct an_buf text = an_buf_new(AN_LIMIT_LOOK_TEXT);

    if (!an_name_attribute(name, oid, &text))
        an_buf_reset(&text);
    return an_buf_take_str(&text);
}

static void
name_signer(struct an_sign_session *session)
{
    struct an_buf email = an_buf_new(AN_LIMIT_LOOK_TEXT);

    session->signer_name = attribute_text(session->setup.cert->subject, OID_CN);
    session->signer_organisation = attribute_text(session->setup.cert->subject, OID_O);
    if (!an_cert_email(session->setup.cert, &email))
        an_buf_reset(&email);
    session->signer_email = an_buf_take_str(&email);
}

/* The scheme follows the key; the digest grows with it so that neither is the weaker half. */
static an_code
choose_scheme(struct an_sign_session *session, struct an_err *reterr)
{
    const struct an_signer_info *key = an_signer_info(session->setup.signer);
    enum an_digest wanted = session->setup.digest;
    struct an_scheme *scheme = &session->scheme;

    scheme->digest = wanted ? wanted : AN_SHA256;
    switch (key->kind) {
    case AN_KEY_RSA:
        scheme->kind = session->setup.use_pss ? AN_SIG_RSA_PSS : AN_SIG_RSA_PKCS1;
        break;
    case AN_KEY_RSA_PSS:
        scheme->kind = AN_SIG_RSA_PSS;
        break;
    case AN_KEY_EC:
        scheme->kind = AN_SIG_ECDSA;
        if (wanted == AN_DIGEST_NONE && key->bits > 256)
            scheme->digest = key->bits > 384 ? AN_SHA512 : AN_SHA384;
        break;
    case AN_KEY_ED25519:
    case AN_KEY_ED448:
        scheme->kind = AN_SIG_EDDSA;
        scheme->digest = AN_SHA512;
        break;
    default:
        AN_FAIL(reterr, AN_E_SIGN_KEY_MISMATCH, "%s", key->label);
    }
    if (scheme->kind == AN_SIG_RSA_PSS) {
        scheme->mgf_digest = scheme->digest;
        scheme->salt_len = (int)an_digest_size(scheme->digest);
    }
    return AN_OK;
}

static an_code
check_key(struct an_sign_session *session, struct an_err *reterr)
{
    an_bytes spki = an_signer_spki(session->setup.signer);

    if (!an_bytes_eq(spki, session->setup.cert->spki)) {
        AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(AN_LIMIT_LOOK_TEXT);
        an_name_text(session->setup.cert->subject, &name);
        AN_FAIL(reterr, AN_E_SIGN_KEY_MISMATCH, "%.*s / %s", AN_FMT(an_buf_view(&name)),
                an_signer_info(session->setup.signer)->label);
    }
    return AN_OK;
}

/* Steps 1 and 2 of NĐ 68/2024 Điều 29: a certificate that is not valid now, or whose path is not, blocks signing. */
static an_code
check_certificate(struct an_sign_session *session, struct an_err *reterr)
{
    const struct an_sign_setup *setup = &session->setup;
    struct an_path_params params = {.anchors = setup->anchors, .untrusted = setup->chain, .crls = setup->crls,
                                    .ocsps = setup->ocsps, .at = an_time_now(), .status_at = AN_TIME_NONE,
                                    .now = AN_TIME_NONE, .freshness_max = -1, .revocation = setup->revocation,
                                    .fetch = setup->fetch};
    const struct an_message *why;
    an_code code;

    if (setup->skip_path_check)
        return AN_OK;
    an_path_validate(setup->cert, &params, &session->path);
    if (session->path.valid)
        return AN_OK;
    why = an_message_find(session->path.why);
    code = session->path.at == 0 && session->path.chain_count > 1 ? AN_E_SIGN_CERT : AN_E_SIGN_PATH;
    AN_FAIL(reterr, code, "%s (%s)%s%s", why->vi, why->en, session->path.detail[0] ? ": " : "", session->path.detail);
}

/* What is embedded in signatures: the path without leaf and root, so that a reader who has the root alone can
 * follow. */
static void
collect_chain(struct an_sign_session *session)
{
    const struct an_certs *given = session->setup.chain;

    if (session->path.valid)
        for (size_t i = 1; i < session->path.chain_count; i++)
            if (!session->path.chain[i]->self_issued)
                an_certs_add(&session->chain, session->path.chain[i]);
    for (size_t i = 0; session->chain.count == 0 && given != NULL && i < given->count; i++)
        if (!given->items[i]->self_issued)
            an_certs_add(&session->chain, given->items[i]);
}

static an_code
check_image_colour(const struct an_look *look, const struct an_pdf_image_info *info, struct an_err *reterr)
{
    if (look->image_png_transparent && !info->has_alpha)
        AN_FAIL(reterr, AN_E_SIGN_IMAGE_OPAQUE, "%s", look->id);
    if (look->colour == AN_LOOK_BLUE && info->share_blue < 0.5)
        AN_FAIL(reterr, AN_E_SIGN_IMAGE_BLUE, "blue %.0f %%, mean colour #%02x%02x%02x", info->share_blue * 100,
                (unsigned)(info->red * 255), (unsigned)(info->green * 255), (unsigned)(info->blue * 255));
    if (look->colour == AN_LOOK_RED && info->share_red < 0.5)
        AN_FAIL(reterr, AN_E_SIGN_IMAGE_RED, "red %.0f %%, mean colour #%02x%02x%02x", info->share_red * 100,
                (unsigned)(info->red * 255), (unsigned)(info->green * 255), (unsigned)(info->blue * 255));
    return AN_OK;
}

static an_code
load_image(struct an_sign_session *session, struct an_err *reterr)
{
    const struct an_look *look = session->setup.look;
    an_bytes png = session->setup.image_png;

    if (look->image_required && png.len == 0)
        AN_FAIL(reterr, AN_E_SIGN_IMAGE_REQUIRED, "%s (%s)", look->id, look->citation);
    if (png.len == 0)
        return AN_OK;
    if (!look->image_required && !look->image_allowed)
        AN_FAIL(reterr, AN_E_SIGN_IMAGE_FORBIDDEN, "%s (%s)", look->id, look->citation);
    if (!an_bytes_starts_with(png, AN_LIT("\x89PNG\r\n\x1a\n")))
        AN_FAIL(reterr, AN_E_SIGN_IMAGE_FORMAT, "%s", look->id);
    AN_TRY(an_pdf_image_load(png, &session->image, reterr));
    if (look->true_size && !(session->setup.seal_diameter_mm > 0))
        AN_FAIL(reterr, AN_E_SIGN_SEAL_SIZE, "%s (%s)", look->id, look->citation);
    return check_image_colour(look, an_pdf_image_info(session->image), reterr);
}

static an_code
check_texts(const struct an_sign_setup *setup, struct an_err *reterr)
{
    const struct an_look *look = setup->look;

    if (!look->signs)
        AN_FAIL(reterr, AN_E_SIGN_NO_OWN_SIGNATURE, "%s (%s)", look->id, look->citation);
    if (look->requires_number && (setup->number == NULL || *setup->number == '\0'))
        AN_FAIL(reterr, AN_E_SIGN_NEED_NUMBER, "%s (%s)", look->id, look->citation);
    if (look->requires_agency && (setup->agency == NULL || *setup->agency == '\0'))
        AN_FAIL(reterr, AN_E_SIGN_NEED_AGENCY, "%s (%s)", look->id, look->citation);
    if (look->requires_copy_kind && (setup->copy_kind == NULL || *setup->copy_kind == '\0'))
        AN_FAIL(reterr, AN_E_SIGN_NEED_COPY_KIND, "%s (%s)", look->id, look->citation);
    return AN_OK;
}

static an_code
open_font(struct an_sign_session *session, struct an_err *reterr)
{
    const char *path = session->setup.font_path ? session->setup.font_path : an_pdf_font_find();

    if (session->setup.look->line_count == 0 && session->setup.look->footer == NULL)
        return AN_OK;
    if (path == NULL)
        AN_FAIL(reterr, AN_E_FILE_OPEN, "%s", "LiberationSerif-Regular.ttf");
    return an_pdf_font_open(path, &session->font, reterr);
}

static an_code
prepare_look(struct an_sign_session *session, struct an_err *reterr)
{
    if (session->setup.look == NULL)
        return AN_OK;
    AN_TRY(check_texts(&session->setup, reterr));
    AN_TRY(load_image(session, reterr));
    return open_font(session, reterr);
}

static an_code
prepare(struct an_sign_session *session, struct an_err *reterr)
{
    if (session->setup.secret)
        AN_FAIL(reterr, AN_E_SIGN_SECRET, "%s", "mật");
    if (session->setup.cert == NULL)
        AN_FAIL(reterr, AN_E_SIGN_NO_CERT, "%s", an_signer_info(session->setup.signer)->label);
    if (session->setup.level >= AN_LEVEL_B_T && session->setup.time_stamp == NULL)
        AN_FAIL(reterr, AN_E_SIGN_NO_TSA, "%s", "--level");
    AN_TRY(check_key(session, reterr));
    AN_TRY(choose_scheme(session, reterr));
    name_signer(session);
    AN_TRY(prepare_look(session, reterr)); /* before the network is asked: cheap mistakes are told first */
    AN_TRY(check_certificate(session, reterr));
    collect_chain(session);
    return AN_OK;
}

an_code
an_sign_session_new(const struct an_sign_setup *setup, struct an_sign_session **ret, struct an_err *reterr)
{
    struct an_sign_session *session = AN_NEW(struct an_sign_session);
    an_code code;

    session->setup = *setup;
    pthread_mutex_init(&session->lock, NULL);
    code = prepare(session, reterr);
    if (code != AN_OK) {
        an_sign_session_free(&session);
        return code;
    }
    *ret = session;
    return AN_OK;
}

void
an_sign_session_free(struct an_sign_session **session)
{
    struct an_sign_session *s = *session;

    if (s == NULL)
        return;
    an_certs_done(&s->chain);
    an_path_result_done(&s->path);
    an_pdf_image_free(&s->image);
    an_pdf_font_free(&s->font);
    free(s->signer_name);
    free(s->signer_email);
    free(s->signer_organisation);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *session = NULL;
}

bool
an_sign_session_status_known(const struct an_sign_session *session)
{
    for (size_t i = 0; i + 1 < session->path.chain_count; i++)
        if (session->path.status[i].status != AN_STATUS_GOOD)
            return false;
    return session->path.chain_count > 0;
}

bool
sign_session_draws(const struct an_sign_session *session)
{
    return session->setup.look != NULL && (session->image != NULL || session->setup.look->line_count > 0);
}
