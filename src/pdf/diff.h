/* The change analysis, shared by its files: diff.c (driver), diff_layout.c (bytes and cross-reference), diff_rules.c
 * (catalog, store, metadata), diff_form.c (fields and annotations), diff_page.c, diff_path.c. Private to the room. */
#pragma once

#include "pdf/refs.h"

static inline bool
is_key(an_bytes key, const char *name)
{
    return an_bytes_eq_str(key, name);
}

/* The object a reference names; 0 when it is none. */
static inline uint32_t
ref_num(const struct an_pdf_obj *obj)
{
    return obj && obj->kind == AN_PDF_REF ? obj->u.ref.num : 0;
}

/* One object number that later revisions list and that is not what it was. */
struct change {
    uint32_t num;
    size_t revision;                 /* the newest that lists it */
    struct an_pdf_spot before, after;
    const struct an_pdf_obj *a, *b;  /* value in the signed state and now */
    bool is_new, is_gone, is_same;   /* is_same: another place, equal value */
    bool is_claimed, allowed;
    enum an_pdf_change_class class_;
    an_code why;
    bool is_new_widget;              /* of a field that was added: its page may list it */
};
AN_VEC(change_list, struct change);
AN_VEC(finding_list, struct an_pdf_finding);

struct diff {
    struct an_pdf *pdf;
    size_t old, now;                 /* revisions */
    uint64_t signed_end;
    int docmdp;
    struct change_list changes;      /* by number */
    struct an_map *by_num;
    struct finding_list out;
    enum an_pdf_change_class main_class; /* of what was added to the form: signatures, or time-stamps alone */
    bool lock_known, lock_all;       /* FieldMDP and /Lock of the signature: */
    struct an_diff_lock { bool is_exclude; const struct an_pdf_obj *fields; /* array of names */ } locks[8];
    size_t lock_count;
    size_t field_visits;             /* nodes of the form walked: a node listed twice doubles the way at every level */
};

struct change *an_diff_change(const struct diff *diff, uint32_t num); /* NULL when unchanged */
bool an_diff_permits(const struct diff *diff, enum an_pdf_change_class class_);
/* Says what a changed object is. The worse of two claims stands. */
void an_diff_claim(struct diff *diff, struct change *change, enum an_pdf_change_class class_, bool allowed,
                   an_code why);
void an_diff_forbid(struct diff *diff, struct change *change, an_code why);
/* Claims every new object that a value of the current state leads to. */
void an_diff_claim_tree(struct diff *diff, const struct an_pdf_obj *value, enum an_pdf_change_class class_,
                        bool allowed, an_code why);
/* A finding that is not about one changed object. */
void an_diff_report(struct diff *diff, an_code why, uint32_t num, uint64_t offset, size_t revision);
/* Whether a value of the signed state means the same as one of now: references to one number are equal (the number is
 * judged by itself), otherwise what they lead to is compared. */
bool an_diff_same(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b);
/* Equal values, streams by their bytes. */
bool an_diff_equal_objects(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b);
const struct an_pdf_obj *an_diff_old(struct diff *diff, const struct an_pdf_obj *dict, const char *key);
const struct an_pdf_obj *an_diff_now(struct diff *diff, const struct an_pdf_obj *dict, const char *key);
/* Every version that mentioned the number in the signed state is among those `accepts` takes. */
typedef bool an_diff_accept_fn(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num,
                               void *user);
bool an_diff_only_from(struct diff *diff, uint32_t num, an_diff_accept_fn *accepts, void *user);
/* The number is mentioned only below one key of a dictionary. */
bool an_diff_only_under(const struct an_pdf_obj *dict, const char *key, uint32_t num);
bool an_diff_is_mentioned(struct diff *diff, uint32_t num, size_t revision);

/* Calls for every key of either dictionary whose value is not the same in both. */
typedef void an_diff_key_fn(struct diff *diff, struct change *change, an_bytes key, const struct an_pdf_obj *a,
                            const struct an_pdf_obj *b, void *user);
void an_diff_each_key(struct diff *diff, struct change *change, const struct an_pdf_obj *a, const struct an_pdf_obj *b,
                      an_diff_key_fn *fn, void *user);
/* A number as a change: an object that stands directly in its parent is judged with the parent. */
struct change *an_diff_holder(struct diff *diff, const struct an_pdf_obj *ref, struct change *parent);

void an_diff_check_tail(struct diff *diff);                          /* diff_layout.c */
an_code an_diff_check_layout(struct diff *diff, struct an_err *reterr) AN_MUST_USE;
void an_diff_check_spots(struct diff *diff);
void an_diff_check_faults(struct diff *diff);
void an_diff_rule_trailer(struct diff *diff);                        /* diff_rules.c */
void an_diff_rule_catalog(struct diff *diff);
void an_diff_rule_form(struct diff *diff, const struct an_pdf_obj *old_form, const struct an_pdf_obj *new_form,
                       struct change *holder);                       /* diff_form.c */
/* A new signature widget that hangs on its page and is named by no form, but verified like the others. */
void an_diff_take_stray(struct diff *diff, const struct an_pdf_obj *ref);
bool an_diff_rule_field(struct diff *diff, struct change *change);   /* false: not a field */
bool an_diff_rule_appearance(struct diff *diff, struct change *change);
void an_diff_rule_page(struct diff *diff, struct change *change);    /* diff_page.c */
bool an_diff_rule_annots(struct diff *diff, struct change *change);
bool an_diff_rule_annotation(struct diff *diff, struct change *change);
bool an_diff_is_page(const struct an_pdf_obj *obj);
/* For an_diff_only_from: places where a field or an annotation may be mentioned. */
bool an_diff_is_field_place(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num,
                            void *user);
an_code an_diff_why_forbidden(struct diff *diff, const struct change *change);
char *an_diff_path(struct diff *diff, uint32_t num);                 /* diff_path.c */
