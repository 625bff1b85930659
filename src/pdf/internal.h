/*
 * Private to the room. The upper part is the reader's own; the lower part is what the writer (append.c and friends)
 * needs of the reader beyond pdf.h and object.h.
 */
#pragma once

#include "base/limits.h"
#include "crypto/crypto.h"
#include "pdf/pdf.h"

/* ---- the reader's own ---- */

/* Where an object stands, by the newest cross-reference section that knows it. */
enum an_pdf_where { AN_PDF_NOWHERE = 0, AN_PDF_FREE, AN_PDF_IN_FILE, AN_PDF_IN_STREAM };
struct an_pdf_spot {
    enum an_pdf_where where;
    uint16_t gen;
    uint32_t container; /* IN_STREAM: the object stream */
    uint64_t offset;    /* IN_FILE: absolute offset; IN_STREAM: index in the object stream */
};

/* One run of consecutive object numbers in a section. */
struct an_pdf_run {
    uint32_t first, count;
    uint64_t at;                 /* classic: absolute offset of the first 20-byte entry; stream: position in `data` */
    struct an_pdf_spot *entries; /* classic, when lines are not 20 bytes: parsed one by one; NULL otherwise */
};

/* One cross-reference section: a table with its trailer, or a cross-reference stream. */
struct an_pdf_section {
    uint64_t offset;      /* of "xref" or of the stream object */
    uint64_t body_end;    /* after the trailer dictionary or the stream object */
    bool is_stream, is_sorted;
    struct an_pdf_run *runs;
    size_t run_count;
    an_bytes data;        /* stream: decoded entries */
    unsigned width[3];
    const struct an_pdf_obj *trailer;
    struct an_pdf_section *hybrid; /* what /XRefStm points at */
    bool has_prev;
    bool is_whole;                 /* lists all objects there are, although older states are known: look-ups end here */
    uint64_t prev, startxref;      /* absolute; as written */
};

struct an_pdf_part { /* sections [newest, oldest] make up one revision; positions in `sections` */
    size_t newest, oldest;
    struct an_pdf_revision revision;
};

/* A repair or oddity with its place: the change analysis must know which of them lie after the signed bytes. */
struct an_pdf_fault { an_code code; uint32_t num; uint64_t offset; };

AN_VEC(an_pdf_section_vec, struct an_pdf_section *);
AN_VEC(an_pdf_part_vec, struct an_pdf_part);
AN_VEC(an_pdf_fault_vec, struct an_pdf_fault);
AN_VEC(an_pdf_obj_vec, struct an_pdf_obj);
AN_VEC(an_pdf_block_vec, struct an_buf);
AN_VEC(an_pdf_sigfield_vec, struct an_pdf_sigfield);

struct an_pdf_crypt;
struct an_pdf {
    an_bytes file;
    uint64_t bias;          /* added to every offset in the file: bytes before "%PDF-" */
    uint64_t header;        /* where "%PDF-" stands */
    int header_major, header_minor;
    uint64_t startxref_at;  /* of the last "startxref" keyword; 0 = none */
    struct an_arena *arena;
    struct an_pdf_section_vec sections; /* newest first; older ones are read when a look-up needs them */
    bool chain_done, chain_broken, is_in_hybrid, has_whole;
    bool is_chaining;       /* an older section is being read: what it refers to is looked up in newer ones only */
    uint64_t chain_fault;   /* offset of what broke the chain */
    struct an_pdf_part_vec parts;       /* filled by an_pdf_latest, oldest first */
    struct an_map *objects;     /* location → struct an_pdf_obj * */
    struct an_map *containers;  /* location of an object stream → struct an_pdf_container * */
    struct an_pdf_block_vec blocks; /* decoded streams that objects point into */
    size_t block_bytes;
    struct an_pdf_fault_vec faults;
    uint64_t note_bits;         /* codes seen, relative to AN_N_PDF_REBUILT */
    struct an_pdf_obj_vec stack;    /* parser's scratch */
    struct an_pdf_crypt *crypt;
    const struct an_secret *password; /* only while opening */
    bool is_scanning;           /* strings need not be decoded */
    bool allow_rebuild, is_rebuilt, is_rebuilding, rebuild_failed, was_checked_signed, looks_signed;
    unsigned depth;             /* nested object reads */
    uint64_t scan_budget;       /* bytes that recovery may still look at */
    uint32_t encrypt_num;       /* object number of the encryption dictionary, never decrypted */
    int pdfa_part; char pdfa_conformance; bool pdfa_known;
    struct an_pdf_refs *refs;   /* who mentions what; built when changes are analysed */
    struct an_map *history;     /* number → places in all revisions but the oldest, newest first; for files with many */
};

extern const struct an_pdf_obj an_pdf_null;
extern const uint8_t an_pdf_class[256]; /* character classes */
enum { AN_PDF_SPACE = 1, AN_PDF_DELIMITER = 2, AN_PDF_DIGIT = 4, AN_PDF_NUMBER = 8 };

/* ---- lexer.c ---- */
size_t an_pdf_skip_space(an_bytes in, size_t at);   /* white space and comments */
bool an_pdf_read_uint(an_bytes in, size_t *at, uint64_t *ret); /* decimal digits; at moves past them */
bool an_pdf_read_word(an_bytes in, size_t *at, const char *word); /* exact keyword followed by a non-regular byte */
an_bytes an_pdf_read_name(struct an_arena *arena, an_bytes in, size_t *at);    /* at stands after '/' */
an_bytes an_pdf_read_literal(struct an_arena *arena, an_bytes in, size_t *at); /* at stands after '(' */
an_bytes an_pdf_read_hex(struct an_arena *arena, an_bytes in, size_t *at);     /* at stands after '<' */
void an_pdf_read_number(an_bytes in, size_t *at, struct an_pdf_obj *ret);

/* ---- parse.c ---- */
struct an_pdf_parser {
    struct an_pdf *pdf;     /* for scratch, notes, decryption */
    struct an_arena *arena;
    an_bytes in;
    size_t at;
    unsigned depth;
    uint32_t container;     /* object stream that `in` is, 0 = the file */
    bool is_crypted;        /* strings are to be decrypted, for object num gen */
    uint32_t num; uint16_t gen;
    bool is_odd;            /* something was repaired */
};
/* One value. false at the end of input or at a keyword that ends an object. */
bool an_pdf_parse_value(struct an_pdf_parser *parser, struct an_pdf_obj *ret);
/* "num gen obj" at parser->at, which moves past it. */
bool an_pdf_parse_head(struct an_pdf_parser *parser, uint32_t *ret_num, uint16_t *ret_gen);
/* A whole indirect object at an absolute offset, stream data located. NULL when there is none. In the arena given. */
struct an_pdf_obj *an_pdf_parse_indirect(struct an_pdf *pdf, struct an_arena *arena, size_t revision, uint64_t offset,
                                         bool is_crypted);

/* ---- xref.c, rebuild.c, store.c, revision.c ---- */
an_code an_pdf_xref_open(struct an_pdf *pdf, struct an_err *reterr) AN_MUST_USE;
an_code an_pdf_section_read(struct an_pdf *pdf, uint64_t offset, struct an_pdf_section **ret,
                            struct an_err *reterr) AN_MUST_USE;
/* Section by position, newest first; reads further ones through /Prev. NULL behind the oldest. */
struct an_pdf_section *an_pdf_section_at(struct an_pdf *pdf, size_t index);
/* Some programs write an update without /Prev and list every object anew. The state before it, which ended at `end`
 * or later, is then found by its own startxref and put under the oldest section known. False when there is none. */
bool an_pdf_adopt_older(struct an_pdf *pdf, uint64_t end);
bool an_pdf_section_find(struct an_pdf *pdf, struct an_pdf_section *section, uint32_t num, struct an_pdf_spot *ret);
struct an_pdf_spot an_pdf_run_spot(struct an_pdf *pdf, const struct an_pdf_section *section, struct an_pdf_run *run,
                                   uint32_t at);
size_t an_pdf_section_first(struct an_pdf *pdf, size_t revision); /* newest section of a revision */
struct an_pdf_spot an_pdf_find_spot(struct an_pdf *pdf, size_t revision, uint32_t num);
/* Makes look-ups independent of the number of revisions; for those who look up much. */
void an_pdf_history_build(struct an_pdf *pdf);
void an_pdf_history_drop(struct an_pdf *pdf);
/* The object at a spot; cached by place, so revisions that share it share the tree. Never NULL. */
const struct an_pdf_obj *an_pdf_object_at(struct an_pdf *pdf, size_t revision, uint32_t num,
                                          const struct an_pdf_spot *spot);
/* Scans the whole file; refused when it carries signatures or rebuilding is not allowed. */
an_code an_pdf_rebuild(struct an_pdf *pdf, struct an_err *reterr) AN_MUST_USE;
bool an_pdf_looks_signed(struct an_pdf *pdf);
void an_pdf_fault_note(struct an_pdf *pdf, an_code code, uint32_t num, uint64_t offset);
/* The object stream with this number: its decoded bytes and table. NULL when it cannot be read. */
struct an_pdf_container {
    an_bytes data;
    uint32_t count;
    uint32_t *nums, *offsets; /* offsets are counted from the start of data */
};
struct an_pdf_container *an_pdf_container_at(struct an_pdf *pdf, size_t revision, uint32_t num);
/* Keeps a decoded stream for as long as the document lives; AN_NONE when too much is kept already. */
an_bytes an_pdf_keep_block(struct an_pdf *pdf, struct an_buf *block);
an_code an_pdf_check_root(struct an_pdf *pdf, struct an_err *reterr) AN_MUST_USE;

/* ---- page.c ---- */
/* Calls visit for every leaf of the page tree, in order, once for an object that stands there more than once. Leaves
 * that stand in the file itself are parsed in an arena that is emptied after each call, so that memory does not grow
 * with the number of pages. resources: own or inherited, not resolved, NULL when there are none. */
typedef an_code (*an_pdf_page_visit)(void *context, const struct an_pdf_page *page, const struct an_pdf_obj *resources,
                                     struct an_err *reterr);
an_code an_pdf_pages_each(struct an_pdf *pdf, an_pdf_page_visit visit, void *context,
                          struct an_err *reterr) AN_MUST_USE;
/* The object with this number now, for one look: in the arena unless it is known already or packed. Never NULL. */
const struct an_pdf_obj *an_pdf_object_brief(struct an_pdf *pdf, struct an_arena *arena, uint32_t num);

/* ---- filter.c, crypt.c ---- */
struct an_pdf_filter { an_bytes name; const struct an_pdf_obj *parms; };
an_code an_pdf_filter_undo(const struct an_pdf_filter *filter, struct an_pdf *pdf, an_bytes in, size_t bytes_max,
                           struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
an_code an_pdf_crypt_open(struct an_pdf *pdf, const struct an_secret *password, struct an_err *reterr) AN_MUST_USE;
void an_pdf_crypt_free(struct an_pdf_crypt **crypt);
const char *an_pdf_crypt_name(const struct an_pdf_crypt *crypt);
an_bytes an_pdf_decrypt_string(struct an_pdf *pdf, struct an_arena *arena, uint32_t num, uint16_t gen, an_bytes text);
/* Whether a stream's raw bytes are encrypted, and undoing that. */
bool an_pdf_stream_is_crypted(struct an_pdf *pdf, const struct an_pdf_obj *stream);
an_code an_pdf_decrypt_stream(struct an_pdf *pdf, const struct an_pdf_obj *stream, an_bytes raw, struct an_buf *out,
                              struct an_err *reterr) AN_MUST_USE;

/* ---- the reader, for the writer (xref.c, crypt.c) ---- */
struct an_pdf_tail {
    uint64_t startxref; /* as written in the file: goes into /Prev of the next section */
    uint64_t bias;      /* bytes before "%PDF-" when the file counts its offsets from there; 0 otherwise */
    bool is_stream;     /* the newest section is a cross-reference stream (hybrid: false) */
    bool is_rebuilt;    /* no usable section: the next one must list every live object */
    uint32_t next_num;  /* first number no section uses: /Size, or more when /Size is too small */
};
/* Cheap: nothing but what opening has read. */
void an_pdf_tail(struct an_pdf *pdf, struct an_pdf_tail *ret);
/* Every live object of the current state (number, generation, offset or container with index in offset). free(). */
an_code an_pdf_live_objects(struct an_pdf *pdf, struct an_pdf_change **ret, size_t *ret_count,
                            struct an_err *reterr) AN_MUST_USE;
bool an_pdf_is_encrypted(const struct an_pdf *pdf);
bool an_pdf_may_sign(struct an_pdf *pdf);   /* permission bits */
int an_pdf_pdfa_part(struct an_pdf *pdf);   /* 0 = no PDF/A; kept after the first call */
/* Encrypts for an object as the file's handler does (string filter, stream filter). AES initialisation vectors are
 * derived from the file key, the object number and the plain text, so the same input gives the same bytes. */
an_code an_pdf_crypt_string(struct an_pdf *pdf, uint32_t num, uint16_t gen, an_bytes plain, struct an_buf *out,
                            struct an_err *reterr) AN_MUST_USE;
an_code an_pdf_crypt_stream(struct an_pdf *pdf, uint32_t num, uint16_t gen, an_bytes plain, struct an_buf *out,
                            struct an_err *reterr) AN_MUST_USE;
