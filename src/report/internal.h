/* Inside report/. */
#pragma once

#include "base/time.h"
#include "regulation/policy.h"
#include "report/report.h"

#include <jansson.h>

/* ---- words.c: what codes and numbers are called ---- */
#define PICK(context, vi, en) ((context)->english ? (en) : (vi))
const char *report_word(const struct an_report_context *context, enum an_clerk_word word,
                        enum an_indication indication);
const char *report_tone(enum an_indication indication); /* "good", "bad", "open" */
const char *report_indication(enum an_indication indication);
an_code report_effect(enum an_legal_effect effect);
const char *report_message(const struct an_report_context *context, an_code code);
/* The article in words, "" when there is none; freed by the caller. */
char *report_cite(const struct an_report_context *context, an_code code) AN_MUST_USE;
char *report_cite_key(const struct an_report_context *context, const char *key) AN_MUST_USE;
/* "10:21:22 ngày 21/11/2026 (giờ Việt Nam)"; "" when not known. Freed by the caller. */
char *report_time(const struct an_report_context *context, an_time when) AN_MUST_USE;
json_t *report_string(const char *text); /* NULL is "" */
const char *report_file_name(const char *path); /* without folders */

/* ---- checks.c: the five checks that a clerk reads ---- */
struct report_check {
    const char *vi, *en;              /* its name */
    const struct an_finding *finding; /* the one that decides */
    const struct an_finding *why;     /* the exact reason behind it, or NULL */
};
#define REPORT_CHECKS 5
/* Returns how many of the five have something to say. */
size_t report_checks(const struct an_signature_report *signature, struct report_check ret[static REPORT_CHECKS]);
/* "text: detail; reason"; freed by the caller. */
char *report_check_text(const struct an_report_context *context, const struct report_check *check) AN_MUST_USE;
/* The check that decided against the signature; NULL when it passed. */
const struct report_check *report_decisive(const struct report_check *checks, size_t count);

/* ---- select.c: of everything that was known, what can have decided ---- */
struct report_selection {
    struct an_certs certs;
    struct an_crls crls;
    struct an_ocsps ocsps;
};
/* whole: everything. */
void report_select(const struct an_report *report, bool whole, struct report_selection *ret);
void report_selection_done(struct report_selection *selection); /* for AN_CLEANUP too */

/* ---- xml.c: well-formed by construction ---- */
#define XML_DEPTH_MAX 24
struct xml {
    struct an_buf *out;
    const char *open[XML_DEPTH_MAX];
    size_t depth;
};
void xml_start(struct xml *xml, struct an_buf *out);
/* attribute NULL = none */
void xml_open(struct xml *xml, const char *name, const char *attribute, const char *value);
void xml_close(struct xml *xml);
void xml_empty(struct xml *xml, const char *name, const char *attribute, const char *value);
void xml_text(struct xml *xml, const char *name, const char *text);
void xml_base64(struct xml *xml, const char *name, an_bytes bytes);

/* ---- the form of a record, for its writer and its reader ---- */
#define EVIDENCE_FORMAT "antin-evidence-1"
#define EVIDENCE_MANIFEST "manifest.json"
#define EVIDENCE_PIECES_MAX 20000
enum evidence_kind {
    EVIDENCE_ANCHOR,
    EVIDENCE_CERTIFICATE,
    EVIDENCE_CRL,
    EVIDENCE_OCSP,
    EVIDENCE_TIME_STAMP,
    EVIDENCE_POLICY,
    EVIDENCE_KINDS
};
extern const struct evidence_place {
    const char *kind, *folder, *suffix;
} evidence_places[EVIDENCE_KINDS];
/* Digest of the manifest without its member "digest"; 64 hexadecimal digits. */
void evidence_digest(const json_t *manifest, char ret[static 65]);
void evidence_hex(const uint8_t hash[static 32], char ret[static 65]);
/* The verdict as a manifest holds it. */
json_t *evidence_verdict(const struct an_report *report);
