/*
 * The PDF core: reading a mapped file revision by revision, and appending to it without touching a byte.
 * ISO 32000-1/-2. Knows nothing of CMS or certificates: it hands out byte ranges and takes back bytes.
 *
 * One an_pdf belongs to one thread. Nothing is parsed before it is asked for; opening reads the tail and the newest
 * cross-reference only.
 */
#pragma once

#include "base/time.h"
#include "pdf/object.h"

/* ---------------------------------------------------------------- reading ---- */
struct an_pdf_open {
    const struct an_secret *password; /* owner or user; NULL = try the empty one */
    bool allow_rebuild;               /* scan a file whose cross-reference is damaged; refused when it has signatures */
};
/* file must outlive the object. AN_E_PDF_HEADER, _XREF (with byte offset), _ENCRYPTED (handler unknown),
 * _PASSWORD, AN_E_LIMIT. */
an_code an_pdf_open(an_bytes file, const struct an_pdf_open *options, struct an_pdf **ret,
                    struct an_err *reterr) AN_MUST_USE;
void an_pdf_free(struct an_pdf **pdf);
an_bytes an_pdf_file(const struct an_pdf *pdf);

/* What is worth saying about the file (rebuilt, hybrid, linearized, duplicate keys, XFA, usage rights, …): AN_N_PDF_*
 * codes, each once. */
size_t an_pdf_notes(struct an_pdf *pdf, an_code *ret, size_t max);
struct an_pdf_info {
    int version_major, version_minor; /* header or catalog /Version, the greater */
    bool is_encrypted, is_linearized, is_rebuilt, is_hybrid, has_xref_streams;
    char encryption[40];              /* "AES-256 (R6)", "" when none */
    bool may_sign;                    /* permission bits let a signature be added (owner: always) */
    int pdfa_part; char pdfa_conformance; /* from XMP pdfaid, 0 when none */
    uint32_t object_count;            /* /Size of the newest trailer */
    size_t page_count, revision_count;
    bool has_xfa, has_usage_rights, has_javascript, has_acroform;
};
void an_pdf_describe(struct an_pdf *pdf, struct an_pdf_info *ret);
/* How many signature dictionaries there are for usage rights (ISO 32000-1, 12.8.2.3) in any revision: what a program
 * made, not a person. */
size_t an_pdf_usage_rights(struct an_pdf *pdf);

/* ---- revisions: 0 is the oldest. A linearized file's two sections are one revision. ---- */
size_t an_pdf_latest(struct an_pdf *pdf); /* index of the newest; follows all /Prev links on first call */
/* "The current state" without following /Prev further than look-ups need: pass it wherever a revision is asked for. */
#define AN_PDF_NOW SIZE_MAX
struct an_pdf_revision {
    uint64_t xref_offset;  /* what its startxref points at */
    uint64_t end;          /* byte after its %%EOF (and its line end) */
    const struct an_pdf_obj *trailer; /* trailer dictionary or the xref stream's dictionary */
};
const struct an_pdf_revision *an_pdf_revision_at(struct an_pdf *pdf, size_t revision);
const struct an_pdf_obj *an_pdf_trailer(struct an_pdf *pdf, size_t revision);
const struct an_pdf_obj *an_pdf_catalog(struct an_pdf *pdf, size_t revision);
/* Objects that a revision's own cross-reference section lists: number, generation, and whether freed. */
struct an_pdf_change { uint32_t num; uint16_t gen; bool is_free; uint64_t offset; uint32_t container; };
an_code an_pdf_revision_changes(struct an_pdf *pdf, size_t revision, struct an_pdf_change **ret, size_t *ret_count,
                                struct an_err *reterr) AN_MUST_USE; /* free() */

/* ---- pages ---- */
struct an_pdf_page {
    uint32_t num; uint16_t gen;
    const struct an_pdf_obj *dict;
    struct an_pdf_rect media, crop; /* inherited, crop clipped to media */
    int rotate;                     /* 0, 90, 180, 270 */
    double user_unit;
};
/* index from 0. Walks only the branch that holds the page. */
an_code an_pdf_page(struct an_pdf *pdf, size_t revision, size_t index, struct an_pdf_page *ret,
                    struct an_err *reterr) AN_MUST_USE;
/* The page that is this object, and its index. */
an_code an_pdf_page_find(struct an_pdf *pdf, size_t revision, uint32_t num, size_t *ret_index, struct an_pdf_page *ret,
                         struct an_err *reterr) AN_MUST_USE;
an_code an_pdf_page_count(struct an_pdf *pdf, size_t revision, size_t *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- form fields and signatures (form.c) ---- */
struct an_pdf_sigfield {
    char *name;            /* full name, UTF-8, "a.b.c" */
    uint32_t field_num;    /* object number of the field (0 = direct object) */
    uint32_t value_num;    /* object number of the signature dictionary, 0 = direct or none */
    const struct an_pdf_obj *field, *value; /* value NULL = empty field */
    uint32_t page_num; struct an_pdf_rect rect; /* widget; page 0 = unknown */
    bool is_doc_timestamp; /* /Type /DocTimeStamp or SubFilter ETSI.RFC3161 */
    char filter[40], sub_filter[40];
    /* numbers in the array; 4 is the only right one */
    uint64_t byte_range[4]; bool has_byte_range; size_t byte_range_count;
    uint64_t contents_offset, contents_end; /* of the <…> in the file, delimiters included; 0 when unknown */
    an_bytes contents;     /* decoded; never decrypted */
    char *signer_name, *reason, *location, *contact; /* "" when absent */
    an_time m_time;        /* /M, AN_TIME_NONE when absent */
    int docmdp;            /* permission of a certification signature 1–3; 0 = approval signature */
    int revision;          /* whose end equals the byte range's end; -1 = none */
};
struct an_pdf_sigfields { struct an_pdf_sigfield *items; size_t count; };
/* All signature fields of a state, in the order they were signed (by byte range end), empty ones last. */
an_code an_pdf_sigfields(struct an_pdf *pdf, size_t revision, struct an_pdf_sigfields *ret,
                         struct an_err *reterr) AN_MUST_USE;
void an_pdf_sigfields_done(struct an_pdf_sigfields *fields);

/* ---------------------------------------------------------------- signing ---- */
/* A picture with its alpha, prepared once and used in many files (png.c). */
struct an_pdf_image;
an_code an_pdf_image_load(an_bytes png, struct an_pdf_image **ret, struct an_err *reterr) AN_MUST_USE;
void an_pdf_image_free(struct an_pdf_image **image);
struct an_pdf_image_info {
    uint32_t width, height;
    bool has_alpha;               /* an alpha channel or tRNS, with at least one transparent pixel */
    double red, green, blue;      /* mean colour of the visible (alpha > 1/2, not near-white) pixels, 0–1 */
    double share_red, share_blue; /* share of visible pixels whose hue is red / blue, 0–1 */
};
const struct an_pdf_image_info *an_pdf_image_info(const struct an_pdf_image *image);

/* A font file, opened once (font.c; home of FreeType and HarfBuzz). Thread-safe after opening. */
struct an_pdf_font;
an_code an_pdf_font_open(const char *path, struct an_pdf_font **ret, struct an_err *reterr) AN_MUST_USE;
/* Where Liberation Serif 2 (all Vietnamese letters; version 1 lacks most) is on this system; NULL = nowhere. */
const char *an_pdf_font_find(void);
void an_pdf_font_free(struct an_pdf_font **font);
double an_pdf_font_width(struct an_pdf_font *font, an_bytes utf8, double size_pt); /* points */

/* What a visible signature draws, in a box of width × height points, origin lower left, upright for the reader. */
struct an_pdf_text_line { const char *text; double x, baseline, size_pt; double red, green, blue; };
struct an_pdf_appearance {
    double width, height;
    struct an_pdf_image *image; struct an_pdf_rect image_rect; /* NULL = none */
    struct an_pdf_font *font; const struct an_pdf_text_line *lines; size_t line_count;
};

/* Text in the bottom margin of every page, part of the page's content: centred, upright for the reader, made narrower
 * where it would come nearer than `side` points to the edge. Lines: x is not used, the baseline counts from the lower
 * edge of what is seen. Only for files without signatures, which a change of the pages would break. */
struct an_pdf_footer {
    struct an_pdf_font *font; const struct an_pdf_text_line *lines; size_t line_count;
    double side;
};

struct an_pdf_sign {
    const char *field_name;   /* NULL = a new name that is free ("AnTin1", …); an existing empty field is used */
    bool visible;
    size_t page_index;        /* SIZE_MAX = last page */
    struct an_pdf_rect rect;  /* points in the page's default user space as the reader sees it: unrotated coordinates
                                 are worked out here from /Rotate, the crop box and UserUnit */
    const struct an_pdf_appearance *appearance;
    const char *sub_filter;   /* "ETSI.CAdES.detached", "ETSI.RFC3161" for document time-stamps */
    size_t contents_max;      /* bytes reserved for the CMS object */
    const char *signer_name, *reason, *location, *contact; /* NULL = left out */
    an_time m_time;           /* /M; AN_TIME_NONE = left out */
    int docmdp;               /* 1–3 makes a certification signature; only on a file without signatures */
    enum { AN_PDF_LOCK_NONE = 0, AN_PDF_LOCK_ALL } lock;
    const char *digest_name;  /* what a field's seed value may demand: "SHA256" (also when NULL), "SHA384", … */
    bool has_time_stamp;      /* the CMS object will carry a signature time-stamp */
    const struct an_pdf_footer *footer; /* NULL = none; AN_E_PDF_FOOTER_SIGNED when the file carries a signature */
};

/* An update that waits for its signature: everything after the original file's last byte. */
struct an_pdf_update {
    struct an_buf tail;             /* bytes to append */
    uint64_t base;                  /* size of the original file */
    uint64_t byte_range[4];         /* as written in the file; byte_range[2]+[3] = base + tail.len */
    uint64_t contents_offset;       /* absolute offset of '<' */
    size_t contents_max;
};
/* Refuses with AN_E_PDF_DOCMDP, _FIELDMDP, _LOCKED, _SEED_VALUE, _FIELD_KIND, _FIELD_SIGNED, _PERMISSION, _PAGE,
 * each naming the field or object that forbids. */
an_code an_pdf_sign_prepare(struct an_pdf *pdf, const struct an_pdf_sign *what, struct an_pdf_update *ret,
                            struct an_err *reterr) AN_MUST_USE;
/* Writes the CMS object as hexadecimal into the reserved room. AN_E_PDF_CONTENTS_SIZE when it does not fit. */
an_code an_pdf_sign_fill(struct an_pdf_update *update, an_bytes cms, struct an_err *reterr) AN_MUST_USE;
void an_pdf_update_done(struct an_pdf_update *update); /* for AN_CLEANUP too */

/* A Document Security Store (ISO 32000-2 12.8.4.3, EN 319 142-1 5.4), merged with one that is there. */
struct an_pdf_vri { const uint8_t *key_sha1; /* 20 bytes: SHA-1 of /Contents as it stands, padding included */
                    const an_bytes *certs, *crls, *ocsps; size_t cert_count, crl_count, ocsp_count; };
struct an_pdf_dss { const an_bytes *certs, *crls, *ocsps; size_t cert_count, crl_count, ocsp_count;
                    const struct an_pdf_vri *vris; size_t vri_count; };
an_code an_pdf_dss_prepare(struct an_pdf *pdf, const struct an_pdf_dss *dss, struct an_pdf_update *ret,
                           struct an_err *reterr) AN_MUST_USE; /* contents_max is 0: ready to append */
/* Reads the DSS of a state: decoded streams, free with an_pdf_dss_data_done. */
struct an_pdf_dss_data { an_bytes *certs, *crls, *ocsps; size_t cert_count, crl_count, ocsp_count;
                        struct an_arena *arena; };
an_code an_pdf_dss_read(struct an_pdf *pdf, size_t revision, struct an_pdf_dss_data *ret,
                        struct an_err *reterr) AN_MUST_USE;
void an_pdf_dss_data_done(struct an_pdf_dss_data *data);
/* Is the store of one state made of the very objects of the other's? False when it may differ. */
bool an_pdf_dss_same(struct an_pdf *pdf, size_t a, size_t b);

/* ---------------------------------------------------------------- change analysis (diff.c) ---- */
enum an_pdf_change_class {
    AN_PDF_CHANGE_SIGNATURE = 0, /* a later signature or an empty field for one */
    AN_PDF_CHANGE_DSS,           /* validation material */
    AN_PDF_CHANGE_TIMESTAMP,     /* document time-stamp */
    AN_PDF_CHANGE_FORM,          /* form fields filled in */
    AN_PDF_CHANGE_ANNOTATION,    /* annotations added, changed or removed */
    AN_PDF_CHANGE_METADATA,      /* information dictionary, XMP */
    AN_PDF_CHANGE_UNREACHABLE,   /* objects nothing leads to: harmless alone, reported */
    AN_PDF_CHANGE_FORBIDDEN,     /* anything else: content, fonts, page tree, catalog, scripts, … */
};
struct an_pdf_finding {
    enum an_pdf_change_class class_;
    bool allowed;        /* under DocMDP/FieldMDP of the signature and the rules of this room */
    uint32_t num;        /* object, 0 = not about one object */
    uint64_t offset;     /* byte offset in the file, 0 = none */
    size_t revision;     /* in which revision it came */
    an_code why;         /* AN_V_PDF_*: message with citation */
    char *path;          /* how it is reached: "/Root/Pages/Kids[0]/Contents" */
};
struct an_pdf_diff {
    struct an_pdf_finding *items; size_t count;
    bool any_forbidden, any_allowed;
};
/* What changed between the bytes a signature covers and the current state. revision: of the signature. docmdp: 0–3. */
an_code an_pdf_diff(struct an_pdf *pdf, size_t revision, int docmdp, struct an_pdf_diff *ret,
                    struct an_err *reterr) AN_MUST_USE;
void an_pdf_diff_done(struct an_pdf_diff *diff);
/* Structural faults of one signature: byte range shape, overlap, gap not equal to /Contents, another signature's range,
 * wrapping, universal forgery (missing, empty, negative, garbage). AN_OK or AN_V_PDF_*. */
an_code an_pdf_check_coverage(struct an_pdf *pdf, const struct an_pdf_sigfields *all, size_t index,
                              bool *ret_covers_file,
                              struct an_err *reterr) AN_MUST_USE;
/* What a shadow attack would need and this state has (before signing): hidden content, overlaying unsigned fields,
 * unused page objects. Findings have allowed = true. */
an_code an_pdf_shadow_scan(struct an_pdf *pdf, struct an_pdf_diff *ret, struct an_err *reterr) AN_MUST_USE;
