/*
 * Failures: the thing asked for could not be done. (What a check found is a verdict, not a failure: verify/.)
 *
 * Every code stands once in messages/<room>.def, with its stable id, its text in Vietnamese and English and, where
 * law stands behind it, the citation "act/article[/clause[/point]]". A function that can fail returns an_code and
 * takes `struct an_err *reterr` last; reterr may be NULL. On failure ret_* arguments are untouched. Lower errors pass
 * up unchanged: a caller may add the file name, never replace the code.
 */
#pragma once

#include "base/bytes.h"

/* What went wrong, as a class; each class has one exit status (sysexits). */
enum an_kind {
    AN_KIND_OK = 0,
    AN_KIND_USAGE = 64,       /* the command line is wrong */
    AN_KIND_DATA = 65,        /* an input file is malformed */
    AN_KIND_NOINPUT = 66,     /* an input cannot be opened */
    AN_KIND_UNAVAILABLE = 69, /* a service or device does not answer */
    AN_KIND_INTERNAL = 70,    /* a fault of ours */
    AN_KIND_OS = 71,          /* the operating system refused */
    AN_KIND_CANTCREAT = 73,   /* an output cannot be written */
    AN_KIND_IO = 74,
    AN_KIND_TEMPFAIL = 75,    /* worth trying again later */
    AN_KIND_PROTOCOL = 76,    /* a peer answered nonsense */
    AN_KIND_REFUSED = 77,     /* law, policy or a person's lock forbids it; also a wrong PIN */
    AN_KIND_CONFIG = 78,
};

typedef enum an_code {
    AN_OK = 0,
#define AN_MSG(symbol, number, kind, vi, en, cite) symbol = (number),
#include "all.def"
#undef AN_MSG
} an_code;

#define AN_DETAIL_MAX 320

struct an_err {
    an_code code;
    char detail[AN_DETAIL_MAX]; /* facts: which field, which object, which offset; UTF-8; never a secret */
    char file[256];             /* the user's file it is about, "" when none */
};

/* One row of the message table. */
struct an_message {
    an_code code;
    enum an_kind kind;
    const char *symbol; /* "AN_E_PDF_XREF" */
    const char *vi, *en;
    const char *cite; /* "act/article/clause/point" or "" */
};

/* The row of a code; never NULL (an unknown code gives the row of AN_E_INTERNAL). */
const struct an_message *an_message_find(an_code code);
/* The whole table, for documentation and tests. */
const struct an_message *an_message_table(size_t *ret_count);

/* Records code and detail, returns code. */
an_code an_err_set(struct an_err *reterr, an_code code, const char *fmt, ...) AN_PRINTF(3, 4);
/* As above, and appends ": " strerror(errnum) to the detail. */
an_code an_err_set_errno(struct an_err *reterr, an_code code, int errnum, const char *fmt, ...) AN_PRINTF(4, 5);
/* Names the file an error is about, unless one is named already. */
void an_err_name_file(struct an_err *reterr, const char *path);

/* The only two macros that hide a return. */
#define AN_FAIL(reterr, code, ...) return an_err_set((reterr), (code), __VA_ARGS__)
#define AN_TRY(call)                                                                                                   \
    do {                                                                                                               \
        an_code an_try_code_ = (call);                                                                                 \
        if (an_try_code_ != AN_OK)                                                                                     \
            return an_try_code_;                                                                                       \
    } while (0)

/* A broken promise between our own functions. Kept in release builds; ends the process. */
#define AN_ASSERT(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            an_die_assert(#condition, __FILE__, __LINE__);                                                             \
    } while (0)

/* A library that cannot fail has failed (a digest of bytes in memory): says so, removes temporary files, exits 70. */
_Noreturn void an_die_internal(const char *what);
_Noreturn void an_die_assert(const char *condition, const char *file, int line);
/* Memory for a small fixed thing ran out: says so, removes temporary files, exits 71. */
_Noreturn void an_die_memory(void);
