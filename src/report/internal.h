/* Inside report/. */
#pragma once

#include "base/time.h"
#include "regulation/policy.h"
#include "report/report.h"

#include <jansson.h>

/* ---- words.c: what codes and numbers are called ---- */
#define PICK(context, vi, en) ((context)->english ? (en) : (vi))
const char *report_word(const struct an_report_context *context, enum an_clerk_word word, enum an_indication indication);
const char *report_tone(enum an_indication indication); /* "good", "bad", "open" */
const char *report_indication(enum an_indication indication);
an_code report_effect(enum an_legal_effect effect);
const char *report_message(const struct an_report_context *context, an_code code);
/* The article in words, "" when there is none; freed by the caller. */
char *report_cite(const struct an_report_context *context, an_code code) AN_MUST_USE;
char *report_cite_key(const struct an_report_context *context, const char *key) AN_MUST_USE;
/* "10:21:22 ngày 21/11/2026 (giờ Việt Nam)"; "" when not known. Freed by the caller. */
char *report_time(const struct an_report_context *context, an_time when) AN_MUST_USE;
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
