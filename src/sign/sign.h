/*
 * Signing: whose signature goes where and looks how (regulation/), at which level (EN 319 142-1), with which key
 * (token/). NĐ 68/2024 Điều 29: the certificate and its path are checked first and a failure blocks.
 */
#pragma once

#include "regulation/regulation.h"
#include "token/token.h"
#include "x509/path.h"

struct an_output; /* base/file.h */

enum an_level { AN_LEVEL_B_B = 0, AN_LEVEL_B_T, AN_LEVEL_B_LT, AN_LEVEL_B_LTA };
/* no time-stamp to be had: fail, or sign at B-B and say so */
enum an_tsa_failure { AN_TSA_FAIL = 0, AN_TSA_DOWNGRADE };

/* What is the same for every file of a batch: made once. Thread-safe. */
struct an_sign_session;
struct an_renderer; /* proc/render.h */
struct an_verifier; /* verify/verify.h */
struct an_sign_setup {
    struct an_signer *signer;
    struct an_cert *cert; const struct an_certs *chain;   /* chain without the leaf */
    const struct an_certs *anchors; const struct an_crls *crls; const struct an_ocsps *ocsps;
    an_path_fetch fetch;
    const struct an_look *look;        /* NULL = invisible, no look */
    an_bytes image_png;                /* AN_NONE = none */
    double seal_diameter_mm;           /* 0 = unknown */
    const char *font_path;             /* NULL = Liberation Serif */
    struct an_renderer *renderer;      /* finds places by text; NULL = only given places */
    struct an_verifier *verifier;      /* judges signatures that are there already; NULL = looks that need one refuse */
    enum an_revocation_mode revocation; /* of the signer's own path, before signing */
    const char *number, *copy_kind, *agency;
    const char *near_text;             /* printed name or title beside the place; NULL = the signer's name */
    bool near_last;                    /* of several such places the last: papers of our own end with the signature */
    enum an_level level;
    enum an_tsa_failure on_tsa_failure;
    an_code (*time_stamp)(void *context, enum an_digest digest, an_bytes imprint, struct an_buf *ret_token,
                          struct an_err *reterr);
    void *time_stamp_context;
    bool use_pss; enum an_digest digest;
    bool secret;                       /* the document is marked mật/tối mật/tuyệt mật: refused */
    bool skip_path_check;              /* the forger of the demonstration; the command line cannot set it */
};
an_code an_sign_session_new(const struct an_sign_setup *setup, struct an_sign_session **ret,
                            struct an_err *reterr) AN_MUST_USE;
void an_sign_session_free(struct an_sign_session **session);
/* Was every certificate of the signer's path found good, not merely not found revoked? */
bool an_sign_session_status_known(const struct an_sign_session *session);

struct an_sign_job {
    const char *in_path, *out_path;
    const struct an_secret *password;
    const char *field; 
    bool has_rect; size_t page_index; double x, y, w, h; /* points as the reader sees the page, origin lower left */
    int certify;                       /* DocMDP 1–3, 0 = approval */
    bool in_place;                     /* append to in_path itself; out_path is not used */
    struct an_output *defer;           /* NULL = commit; otherwise the finished file is handed over uncommitted */
};
#define AN_SIGN_JOURNAL ".antin-journal" /* behind the name of a file that is being signed in place */
struct an_sign_result {
    enum an_level level; bool downgraded;
    an_time signing_time;
    uint64_t bytes_added;
    an_code warnings[8]; size_t warning_count; /* shadow preparation, rebuilt file, … */
    size_t page_index; double x, y, w, h;
};
an_code an_sign_pdf(struct an_sign_session *session, const struct an_sign_job *job, struct an_sign_result *ret,
                    struct an_err *reterr) AN_MUST_USE;
/* Detached (.p7s) or attached (.p7m) CAdES over any file. */
an_code an_sign_cades(struct an_sign_session *session, const char *in_path, const char *out_path, bool attached,
                      struct an_sign_result *ret, struct an_err *reterr) AN_MUST_USE;
