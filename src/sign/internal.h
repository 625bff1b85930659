/* Inside the room only. */
#pragma once

#include "cms/cms.h"
#include "pdf/pdf.h"
#include "sign/sign.h"
#include "x509/cert.h"

#include <pthread.h>

#define POINTS_PER_MM (72.0 / 25.4)

struct an_sign_session {
    struct an_sign_setup setup;
    struct an_scheme scheme;
    struct an_certs chain; /* what is embedded: issuing authorities, never the root */
    struct an_pdf_image *image;
    struct an_pdf_font *font;
    char *signer_name, *signer_email, *signer_organisation;
    struct an_path_result path; /* of the signer, as checked before the first signature */
    pthread_mutex_t lock;
    size_t token_size; /* largest time-stamp token seen: the room to reserve */
};

/* ---- place.c: where a look stands on a page ---- */
struct sign_place {
    size_t page_index;
    struct an_pdf_rect rect; /* displayed page, points, origin lower left */
};
struct sign_box { double width, height; }; /* points; what has to be placed */
an_code sign_place_find(struct an_sign_session *session, struct an_pdf *pdf, int fd, const struct an_sign_job *job,
                        struct sign_box box, struct sign_place *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- compose.c: what is drawn ---- */
struct sign_drawing {
    struct an_pdf_appearance appearance;
    struct an_pdf_footer footer; /* what every page gets; no lines: nothing */
    struct an_pdf_text_line footer_line;
    char *footer_text;
    struct an_pdf_text_line lines[8];
    char *texts[8];
    struct sign_box box;
};
an_code sign_compose(struct an_sign_session *session, an_time when, struct sign_drawing *ret,
                     struct an_err *reterr) AN_MUST_USE;
/* The look's text for the bottom margin of every page. */
an_code sign_compose_footer(struct an_sign_session *session, an_time when, struct sign_drawing *drawing,
                            struct an_err *reterr) AN_MUST_USE;
void sign_drawing_done(struct sign_drawing *drawing);
/* Image and text fill a box that a person chose. */
void sign_drawing_fit(struct sign_drawing *drawing, double width, double height);

/* ---- session.c ---- */
bool sign_session_draws(const struct an_sign_session *session);
an_code sign_make_cms(struct an_sign_session *session, struct an_cms_plan *plan, struct an_buf *ret,
                      bool *ret_downgraded,
                      struct an_err *reterr) AN_MUST_USE;
void sign_plan_init(struct an_sign_session *session, struct an_cms_plan *plan);
/* Room that a CMS object of this plan needs, time-stamp included. */
an_code sign_cms_room(struct an_sign_session *session, struct an_cms_plan *plan, size_t *ret,
                      struct an_err *reterr) AN_MUST_USE;
an_code sign_time_stamp(struct an_sign_session *session, an_bytes data_digest, struct an_buf *ret_token,
                        struct an_err *reterr) AN_MUST_USE;

/* ---- journal.c: what makes appending in place recoverable ---- */
an_code sign_journal_begin(const char *path, int fd, uint64_t size, struct an_err *reterr) AN_MUST_USE;
void sign_journal_end(const char *path);
/* Cuts off what an interrupted run left, when it is surely that. No journal is no error. */
an_code sign_journal_recover(const char *path, bool *ret_recovered, struct an_err *reterr) AN_MUST_USE;

/* ---- longterm.c: B-LT and B-LTA on a file that is still under its temporary name ---- */
an_code sign_extend(struct an_sign_session *session, const struct an_secret *password, int fd, enum an_level level,
                    struct an_err *reterr) AN_MUST_USE;
