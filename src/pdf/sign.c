/* Preparing a signature and filling it in: the update around the hole that /Contents is (ISO 32000-2, 12.8.1). */
#include "pdf/append.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define BYTE_RANGE_SLACK 65536 /* no cross-reference section of ours passes this, but for rebuilt files (see below) */

/* ---- what is asked for ---- */
static an_code
check_request(const struct an_pdf_sign *what, struct an_err *reterr)
{
    const struct an_pdf_rect *rect = &what->rect;

    if (what->contents_max == 0 || what->contents_max > AN_LIMIT_CMS_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "/Contents of %zu bytes", what->contents_max);
    if (!what->sub_filter || what->docmdp < 0 || what->docmdp > 3)
        AN_FAIL(reterr, AN_E_INTERNAL, "/SubFilter, /DocMDP");
    if (what->field_name && (!an_utf8_is_valid(an_bytes_of_str(what->field_name)) || strlen(what->field_name) > 4096 ||
                             !*what->field_name || *what->field_name == '.' || strstr(what->field_name, "..") ||
                             what->field_name[strlen(what->field_name) - 1] == '.'))
        AN_FAIL(reterr, AN_E_PDF_TEXT, "/T %.100s", what->field_name);
    if (what->visible && !what->field_name &&
        (!isfinite(rect->x0 + rect->y0 + rect->x1 + rect->y1) || !(rect->x1 - rect->x0 > 0.01) ||
         !(rect->y1 - rect->y0 > 0.01)))
        AN_FAIL(reterr, AN_E_PDF_RECT, "[%.2f %.2f %.2f %.2f]", rect->x0, rect->y0, rect->x1, rect->y1);
    return AN_OK;
}

/* A visible signature must stand on its page at least in part. */
static an_code
check_place(const struct an_pdf_field_job *job, struct an_err *reterr)
{
    struct an_pdf_rect rect = an_pdf_place_rect(&job->page, job->what->rect);

    if (!isfinite(rect.x0 + rect.y0 + rect.x1 + rect.y1) || !(rect.x1 - rect.x0 > 0.01) ||
        !(rect.y1 - rect.y0 > 0.01) || rect.x1 <= job->page.crop.x0 || rect.x0 >= job->page.crop.x1 ||
        rect.y1 <= job->page.crop.y0 || rect.y0 >= job->page.crop.y1)
        AN_FAIL(reterr, AN_E_PDF_RECT, "[%.2f %.2f %.2f %.2f], page object %u", job->what->rect.x0, job->what->rect.y0,
                job->what->rect.x1, job->what->rect.y1, job->page.num);
    return AN_OK;
}

/* The page; an invisible signature goes without one in a file that has none. */
static an_code
find_page(struct an_pdf *pdf, struct an_pdf_field_job *job, struct an_err *reterr)
{
    const struct an_pdf_sign *what = job->what;
    size_t index = what->page_index, count = 0;
    struct an_err err = {0};
    an_code code = AN_OK;

    if (index == SIZE_MAX) {
        code = an_pdf_page_count(pdf, AN_PDF_NOW, &count, &err);
        index = count ? count - 1 : 0;
    }
    if (code == AN_OK)
        code = an_pdf_page(pdf, AN_PDF_NOW, index, &job->page, &err);
    job->has_page = code == AN_OK && job->page.num != 0;
    if (!job->has_page && what->visible && !job->survey.target)
        AN_FAIL(reterr, AN_E_PDF_PAGE, "%zu: %s", index + 1, err.detail);
    return job->has_page && what->visible && !job->survey.target ? check_place(job, reterr) : AN_OK;
}

/* ---- the signature dictionary ---- */
static void
emit_pair(struct an_pdf_append *append, const char *key, const char *text, bool *fine)
{
    if (!text || !*text)
        return;
    an_buf_str(append->out, key);
    *fine = an_pdf_emit_text(append, an_bytes_of_str(text)) && *fine;
}

static void
open_reference(struct an_pdf_append *append, const char *method)
{
    an_buf_printf(append->out, "<</Type/SigRef/TransformMethod/%s/TransformParams<</Type/TransformParams/V/1.2",
                  method);
}

/* The lock of the field becomes a promise of the signature. */
static void
emit_field_lock(struct an_pdf_append *append, const struct an_pdf_field_job *job)
{
    const struct an_pdf_obj *lock = an_pdf_at(append->pdf, AN_PDF_NOW, job->survey.target, "Lock");
    static const char *const except[] = {"Type", "P", NULL};
    bool all = job->what->lock == AN_PDF_LOCK_ALL;

    if (!all && lock->kind != AN_PDF_DICT)
        return;
    open_reference(append, "FieldMDP");
    if (all)
        an_buf_str(append->out, "/Action/All");
    else
        an_pdf_emit_entries(append, lock, except);
    an_buf_str(append->out, ">>/Data ");
    an_pdf_emit_ref(append->out, job->survey.catalog->num, job->survey.catalog->gen);
    an_buf_str(append->out, ">>");
}

static void
emit_references(struct an_pdf_append *append, const struct an_pdf_field_job *job)
{
    size_t before = append->out->len;

    an_buf_str(append->out, "/Reference[");
    if (job->what->docmdp) {
        open_reference(append, "DocMDP");
        an_buf_printf(append->out, "/P %d>>>>", job->what->docmdp);
    }
    emit_field_lock(append, job);
    if (append->out->len == before + sizeof "/Reference[" - 1)
        append->out->len = before; /* nothing to promise */
    else
        an_buf_byte(append->out, ']');
}

static int
digits_of(uint64_t number)
{
    int n = 1;

    for (; number >= 10; number /= 10)
        n++;
    return n;
}

/* Room for the byte range, wide enough for the largest number it can hold. */
static size_t
emit_byte_range(struct an_pdf_append *append, const struct an_pdf_sign *what)
{
    uint64_t rebuilt = append->tail.is_rebuilt ? (uint64_t)append->next_num * 40 : 0;
    uint64_t listed = (uint64_t)append->written.count * 48; /* entries to come, each in a run of its own */
    uint64_t most = an_pdf_append_position(append) + 2 * what->contents_max + BYTE_RANGE_SLACK + rebuilt + listed;
    size_t at;

    an_buf_str(append->out, "/ByteRange[");
    at = append->out->len;
    an_buf_printf(append->out, "%*s]", 4 + 3 * digits_of(most), "");
    return at;
}

static an_code
write_signature(struct an_pdf_append *append, const struct an_pdf_field_job *job, struct an_pdf_update *update,
                size_t *ret_range_at, struct an_err *reterr)
{
    const struct an_pdf_sign *what = job->what;
    bool is_stamp = strcmp(what->sub_filter, "ETSI.RFC3161") == 0, fine = true;
    uint8_t *room;

    an_pdf_append_open(append, job->sig_num, 0);
    an_buf_printf(append->out, "<</Type/%s/Filter/Adobe.PPKLite/SubFilter", is_stamp ? "DocTimeStamp" : "Sig");
    an_pdf_emit_name(append->out, an_bytes_of_str(what->sub_filter));
    if (what->m_time != AN_TIME_NONE) {
        an_buf_str(append->out, "/M");
        an_pdf_emit_date(append, what->m_time);
    }
    emit_pair(append, "/Name", what->signer_name, &fine);
    emit_pair(append, "/Reason", what->reason, &fine);
    emit_pair(append, "/Location", what->location, &fine);
    emit_pair(append, "/ContactInfo", what->contact, &fine);
    if (!fine)
        AN_FAIL(reterr, AN_E_PDF_TEXT, "/Name /Reason /Location /ContactInfo");
    emit_references(append, job);
    *ret_range_at = emit_byte_range(append, what);
    an_buf_str(append->out, "/Contents");
    update->contents_offset = an_pdf_append_position(append);
    update->contents_max = what->contents_max;
    an_buf_byte(append->out, '<');
    room = an_buf_extend(append->out, 2 * what->contents_max);
    if (!room)
        AN_FAIL(reterr, AN_E_LIMIT, "/Contents of %zu bytes", what->contents_max);
    memset(room, '0', 2 * what->contents_max);
    an_pdf_append_skip(append, update->contents_offset + 1, 2 * what->contents_max);
    an_buf_str(append->out, ">>>");
    an_pdf_append_close(append);
    return AN_OK;
}

/* Now that the length is known. */
static void
fill_byte_range(struct an_pdf_update *update, size_t range_at)
{
    uint64_t after = update->contents_offset + 2 * update->contents_max + 2;
    char text[96];
    int len;

    update->byte_range[0] = 0;
    update->byte_range[1] = update->contents_offset;
    update->byte_range[2] = after;
    update->byte_range[3] = update->base + update->tail.len - after;
    len = snprintf(text, sizeof text, "0 %" PRIu64 " %" PRIu64 " %" PRIu64, update->byte_range[1],
                   update->byte_range[2], update->byte_range[3]);
    AN_ASSERT(memchr(update->tail.ptr + range_at, ']', (size_t)len) == NULL);
    memcpy(update->tail.ptr + range_at, text, (size_t)len);
}

/* ---- the whole ---- */
static an_code
build_update(struct an_pdf *pdf, struct an_pdf_field_job *job, struct an_pdf_append *append,
             struct an_pdf_update *update, struct an_err *reterr)
{
    size_t range_at = 0;

    AN_TRY(an_pdf_append_begin(append, pdf, &update->tail, reterr));
    update->base = append->base;
    job->sig_num = an_pdf_append_new(append);
    AN_TRY(an_pdf_field_write(append, job, reterr));
    if (job->what->footer)
        AN_TRY(an_pdf_footer_write(append, job, reterr));
    AN_TRY(write_signature(append, job, update, &range_at, reterr));
    AN_TRY(an_pdf_append_end(append, reterr));
    fill_byte_range(update, range_at);
    return AN_OK;
}

static an_code
check_job(struct an_pdf *pdf, struct an_pdf_field_job *job, struct an_err *reterr)
{
    if (job->survey.catalog->kind != AN_PDF_DICT || job->survey.catalog->num == 0)
        AN_FAIL(reterr, AN_E_PDF_APPEND, "/Root");
    job->name = job->what->field_name ? an_strdup(job->what->field_name)
                                      : an_asprintf("AnTin%" PRIu64, job->survey.own_max + 1);
    AN_TRY(an_pdf_check_permission(pdf, job->what, &job->survey, job->name, reterr));
    AN_TRY(an_pdf_check_target(pdf, job->what, &job->survey, job->name, reterr));
    return find_page(pdf, job, reterr);
}

/* Looking at the pages may find the file so damaged that it is rebuilt: then what was seen of the form is looked at
 * again, and the new section must be able to stand alone. */
static an_code
prepare_job(struct an_pdf *pdf, struct an_pdf_field_job *job, struct an_err *reterr)
{
    struct an_pdf_tail before, after;

    an_pdf_tail(pdf, &before);
    AN_TRY(an_pdf_survey(pdf, job->what->field_name, &job->survey, reterr));
    AN_TRY(check_job(pdf, job, reterr));
    an_pdf_tail(pdf, &after);
    if (after.is_rebuilt && !before.is_rebuilt) {
        an_pdf_survey_done(&job->survey);
        free(job->name);
        job->name = NULL;
        AN_TRY(an_pdf_survey(pdf, job->what->field_name, &job->survey, reterr));
        AN_TRY(check_job(pdf, job, reterr));
    }
    if (after.is_rebuilt && an_pdf_at(pdf, AN_PDF_NOW, job->survey.catalog, "Pages")->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_APPEND, "/Root/Pages");
    return AN_OK;
}

an_code
an_pdf_sign_prepare(struct an_pdf *pdf, const struct an_pdf_sign *what, struct an_pdf_update *ret,
                    struct an_err *reterr)
{
    struct an_pdf_update update = {.tail = an_buf_new((size_t)1 << 32)};
    struct an_pdf_append append = {0};
    struct an_pdf_field_job job = {.what = what};
    an_code code;

    AN_TRY(check_request(what, reterr));
    code = prepare_job(pdf, &job, reterr);
    if (code == AN_OK)
        code = build_update(pdf, &job, &append, &update, reterr);
    an_pdf_append_done(&append);
    an_pdf_survey_done(&job.survey);
    free(job.name);
    if (code != AN_OK) {
        an_pdf_update_done(&update);
        return code;
    }
    *ret = update;
    return AN_OK;
}

an_code
an_pdf_sign_fill(struct an_pdf_update *update, an_bytes cms, struct an_err *reterr)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *room;

    if (cms.len > update->contents_max)
        AN_FAIL(reterr, AN_E_PDF_CONTENTS_SIZE, "%zu > %zu", cms.len, update->contents_max);
    room = update->tail.ptr + (update->contents_offset - update->base) + 1;
    for (size_t i = 0; i < cms.len; i++) {
        room[2 * i] = (uint8_t)digits[cms.ptr[i] >> 4];
        room[2 * i + 1] = (uint8_t)digits[cms.ptr[i] & 15];
    }
    memset(room + 2 * cms.len, '0', 2 * (update->contents_max - cms.len));
    return AN_OK;
}

void
an_pdf_update_done(struct an_pdf_update *update)
{
    an_buf_free(&update->tail);
}
