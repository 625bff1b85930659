/* One PDF: place, draw, append, hash while copying, sign, fill in, put in place. */
#include "sign/internal.h"

#include "base/file.h"
#include "verify/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_CHUNK ((size_t)256 * 1024)

/* Everything one file needs while it is being signed. */
struct work {
    struct an_sign_session *session;
    const struct an_sign_job *job;
    struct an_sign_result *result;
    struct an_file file;
    struct an_pdf *pdf;
    struct sign_drawing drawing;
    struct an_pdf_update update;
    struct an_output out;
    int append_fd; /* in_place only */
    bool appended; /* until finished, a failure takes the update off again */
};

static void
work_done(struct work *w)
{
    sign_drawing_done(&w->drawing);
    an_pdf_update_done(&w->update);
    an_pdf_free(&w->pdf);
    an_file_close(&w->file);
    an_output_discard(&w->out);
    if (w->append_fd >= 0)
        close(w->append_fd);
}

static void
warn(struct an_sign_result *result, an_code code)
{
    for (size_t i = 0; i < result->warning_count; i++)
        if (result->warnings[i] == code)
            return;
    if (result->warning_count < AN_COUNT(result->warnings))
        result->warnings[result->warning_count++] = code;
}

/* NĐ 30/2020 Điều 32: the clerk seals only what the competent person has signed validly. */
static an_code
check_person_first(struct work *w, struct an_err *reterr)
{
    const struct an_sign_setup *setup = &w->session->setup;
    struct an_verify_options options = {.anchors = setup->anchors, .untrusted = setup->chain, .crls = setup->crls,
                                        .ocsps = setup->ocsps, .at = AN_TIME_NONE, .fetch = setup->fetch,
                                        .password = w->job->password, .content_fd = -1};
    struct an_report report = {0};
    bool found = false, rejected = false;
    an_code code;

    if (setup->look == NULL || !setup->look->requires_person_first)
        return AN_OK;
    if (setup->verifier == NULL)
        AN_FAIL(reterr, AN_E_SIGN_PERSON_FIRST, "%s", setup->look->id);
    code = an_verify_file(setup->verifier, &w->file, &options, &report, reterr);
    if (code == AN_E_VERIFY_UNSIGNED)
        AN_FAIL(reterr, AN_E_SIGN_PERSON_FIRST, "%s", w->job->in_path);
    AN_TRY(code);
    for (size_t i = 0; i < report.signature_count; i++) {
        const struct an_signature_report *s = &report.signatures[i];
        bool valid = s->indication == AN_TOTAL_PASSED;
        found |= valid && !s->is_agency && !s->is_time_stamp;
        rejected |= s->indication == AN_TOTAL_FAILED;
    }
    if (!found || rejected)
        code = an_err_set(reterr, AN_E_SIGN_PERSON_FIRST, "%s: %zu signatures, %s", w->job->in_path,
                          report.signature_count,
                          rejected ? "TOTAL-FAILED" : "none TOTAL-PASSED");
    an_report_done(&report);
    return code;
}

/* Text on every page changes the pages: earlier signatures would not survive it. */
static an_code
check_unsigned_pages(struct work *w, struct an_err *reterr)
{
    const struct an_look *look = w->session->setup.look;
    struct an_pdf_sigfields fields = {0};
    const char *name = NULL;
    an_code code = AN_OK;

    if (look == NULL || look->footer == NULL)
        return AN_OK;
    AN_TRY(an_pdf_sigfields(w->pdf, AN_PDF_NOW, &fields, reterr));
    for (size_t i = 0; i < fields.count && name == NULL; i++)
        name = fields.items[i].value ? fields.items[i].name : NULL;
    if (name != NULL)
        code = an_err_set(reterr, AN_E_SIGN_FOOTER_SIGNED, "%s (%s): %s", look->id, look->footer_citation, name);
    an_pdf_sigfields_done(&fields);
    return code;
}

/* Bytes behind the last readable revision that hold a signature: a signed file was cut. Signing what is left would
 * take an earlier state for the document. */
static an_code
check_not_cut(const struct work *w, struct an_err *reterr)
{
    size_t end = an_bytes_rfind(w->file.bytes, AN_LIT("%%EOF"));

    if (end != SIZE_MAX && an_bytes_find(w->file.bytes, AN_LIT("/ByteRange"), end) != SIZE_MAX)
        AN_FAIL(reterr, AN_E_PDF_XREF, "/ByteRange > offset %zu", end);
    return AN_OK;
}

static an_code
open_input(struct work *w, struct an_err *reterr)
{
    struct an_pdf_open options = {.password = w->job->password, .allow_rebuild = true};
    an_code notes[32];
    size_t count;

    AN_TRY(an_file_open(w->job->in_path, 0, &w->file, reterr));
    AN_TRY(an_pdf_open(w->file.bytes, &options, &w->pdf, reterr));
    count = an_pdf_notes(w->pdf, notes, AN_COUNT(notes));
    for (size_t i = 0; i < count && i < AN_COUNT(notes); i++)
        if (notes[i] == AN_N_PDF_REBUILT || notes[i] == AN_N_PDF_XFA || notes[i] == AN_N_PDF_USAGE_RIGHTS)
            warn(w->result, notes[i]);
        else if (notes[i] == AN_N_PDF_TAIL)
            AN_TRY(check_not_cut(w, reterr));
    return AN_OK;
}

static void
scan_for_shadows(struct work *w)
{
    struct an_pdf_diff found = {0};

    if (an_pdf_shadow_scan(w->pdf, &found, NULL) == AN_OK && found.count > 0)
        warn(w->result, AN_N_SIGN_SHADOW);
    an_pdf_diff_done(&found);
}

static an_code
place_drawing(struct work *w, struct an_pdf_sign *what, struct an_err *reterr)
{
    struct sign_place place = {0};

    AN_TRY(sign_compose(w->session, w->result->signing_time, &w->drawing, reterr));
    AN_TRY(sign_place_find(w->session, w->pdf, w->file.fd, w->job, w->drawing.box, &place, reterr));
    sign_drawing_fit(&w->drawing, place.rect.x1 - place.rect.x0, place.rect.y1 - place.rect.y0);
    what->visible = true;
    what->page_index = place.page_index;
    what->rect = place.rect;
    what->appearance = &w->drawing.appearance;
    w->result->page_index = place.page_index;
    w->result->x = place.rect.x0;
    w->result->y = place.rect.y0;
    w->result->w = place.rect.x1 - place.rect.x0;
    w->result->h = place.rect.y1 - place.rect.y0;
    return AN_OK;
}

/* As seed values write it: ISO 32000-2, Table 237. */
static const char *
seed_digest_name(enum an_digest digest)
{
    return digest == AN_SHA384 ? "SHA384" : digest == AN_SHA512 ? "SHA512" : "SHA256";
}

static an_code
prepare_update(struct work *w, struct an_err *reterr)
{
    struct an_pdf_sign what = {.field_name = w->job->field, .sub_filter = "ETSI.CAdES.detached",
                               .signer_name = w->session->signer_name, .m_time = w->result->signing_time,
                               .docmdp = w->job->certify, .digest_name = seed_digest_name(w->session->scheme.digest),
                               .has_time_stamp = w->session->setup.level >= AN_LEVEL_B_T};
    struct an_cms_plan plan;

    if (sign_session_draws(w->session))
        AN_TRY(place_drawing(w, &what, reterr));
    AN_TRY(sign_compose_footer(w->session, w->result->signing_time, &w->drawing, reterr));
    what.footer = w->drawing.footer.line_count ? &w->drawing.footer : NULL;
    sign_plan_init(w->session, &plan);
    AN_TRY(sign_cms_room(w->session, &plan, &what.contents_max, reterr));
    return an_pdf_sign_prepare(w->pdf, &what, &w->update, reterr);
}

static an_code
write_out(struct work *w, an_bytes bytes, struct an_err *reterr)
{
    return w->out.fd >= 0 ? an_output_write(&w->out, bytes, reterr) : AN_OK;
}

/* The original, once through: hashed, and copied unless the update is appended in place. */
static an_code
hash_original(struct work *w, struct an_hash *hash, struct an_err *reterr)
{
    size_t chunk_size = w->update.base < COPY_CHUNK ? (size_t)w->update.base : COPY_CHUNK;
    AN_CLEANUP(an_free_ptr) uint8_t *chunk = an_grow(NULL, chunk_size, 1);

    (void)posix_fadvise(w->file.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (uint64_t at = 0; at < w->update.base;) {
        uint64_t left = w->update.base - at;
        ssize_t got = pread(w->file.fd, chunk, left < chunk_size ? (size_t)left : chunk_size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%s: %llu", w->job->in_path, (unsigned long long)at);
        an_hash_update(hash, AN_BYTES(chunk, (size_t)got));
        AN_TRY(write_out(w, AN_BYTES(chunk, (size_t)got), reterr));
        at += (uint64_t)got;
    }
    return AN_OK;
}

/* The signed part of the update: all of it but the /Contents string. */
static void
hash_update_part(const struct work *w, struct an_hash *hash)
{
    size_t gap = (size_t)(w->update.contents_offset - w->update.base);
    size_t after = gap + w->update.contents_max * 2 + 2;

    an_hash_update(hash, AN_BYTES(w->update.tail.ptr, gap));
    an_hash_update(hash, AN_BYTES(w->update.tail.ptr + after, w->update.tail.len - after));
}

static an_code
sign_update(struct work *w, struct an_hash *hash, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf cms = an_buf_new(AN_LIMIT_CMS_BYTES);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_cms_plan plan;

    sign_plan_init(w->session, &plan);
    an_hash_final(hash, digest);
    plan.content_digest = AN_BYTES(digest, an_digest_size(plan.scheme.digest));
    AN_TRY(sign_make_cms(w->session, &plan, &cms, &w->result->downgraded, reterr));
    return an_pdf_sign_fill(&w->update, an_buf_view(&cms), reterr);
}

/* The file is opened for writing before the key is asked for anything, and nobody else appends meanwhile. */
static an_code
open_for_append(struct work *w, struct an_err *reterr)
{
    struct stat read, written;

    w->append_fd = open(w->job->in_path, O_RDWR | O_CLOEXEC);
    if (w->append_fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", w->job->in_path);
    if (fstat(w->file.fd, &read) != 0 || fstat(w->append_fd, &written) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", w->job->in_path);
    if (read.st_dev != written.st_dev || read.st_ino != written.st_ino)
        AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%s", w->job->in_path);
    if (flock(w->append_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%s: flock", w->job->in_path);
    return AN_OK;
}

static an_code
recover(struct work *w, struct an_err *reterr)
{
    bool recovered = false;

    AN_TRY(sign_journal_recover(w->job->in_path, &recovered, reterr));
    if (recovered)
        warn(w->result, AN_N_SIGN_RECOVERED);
    return AN_OK;
}

static void
take_off(struct work *w, struct an_err *reterr)
{
    if (ftruncate(w->append_fd, (off_t)w->update.base) != 0)
        an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s: truncate to %llu", w->job->in_path,
                         (unsigned long long)w->update.base);
    else
        sign_journal_end(w->job->in_path);
    w->appended = false;
}

/* In place: appended, synced; taken off again when anything fails, so that the file is the old one or the new one. */
static an_code
append_in_place(struct work *w, struct an_err *reterr)
{
    struct stat now;
    size_t done = 0;

    if (fstat(w->append_fd, &now) != 0 || (uint64_t)now.st_size != w->update.base)
        AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%s", w->job->in_path);
    AN_TRY(sign_journal_begin(w->job->in_path, w->append_fd, w->update.base, reterr));
    w->appended = true;
    while (done < w->update.tail.len) {
        ssize_t put = pwrite(w->append_fd, w->update.tail.ptr + done, w->update.tail.len - done,
                             (off_t)(w->update.base + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    if (done == w->update.tail.len && fdatasync(w->append_fd) == 0)
        return AN_OK;
    return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", w->job->in_path);
}

static an_code
sign_once(struct work *w, struct an_err *reterr)
{
    AN_CLEANUP(an_hash_free) struct an_hash *hash = an_hash_new(w->session->scheme.digest);

    AN_TRY(prepare_update(w, reterr));
    if (!w->job->in_place)
        AN_TRY(an_output_open(w->job->out_path, &w->out, reterr));
    AN_TRY(hash_original(w, hash, reterr));
    hash_update_part(w, hash);
    AN_TRY(sign_update(w, hash, reterr));
    if (an_file_check_same(&w->file, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%s", w->job->in_path);
    if (w->job->in_place)
        return append_in_place(w, reterr);
    return an_output_write(&w->out, an_buf_view(&w->update.tail), reterr);
}

/* The first token of a session may be larger than the room guessed for it: then its size is known, and the second try
 * fits. */
static an_code
sign_with_room(struct work *w, struct an_err *reterr)
{
    an_code code = sign_once(w, reterr);

    if (code != AN_E_PDF_CONTENTS_SIZE)
        return code;
    an_output_discard(&w->out);
    sign_drawing_done(&w->drawing);
    an_pdf_update_done(&w->update);
    return sign_once(w, reterr);
}

static an_code
finish(struct work *w, struct an_err *reterr)
{
    enum an_level level = w->session->setup.level;

    if (w->result->downgraded) {
        w->result->level = AN_LEVEL_B_B;
        warn(w->result, AN_N_SIGN_DOWNGRADED);
    } else {
        w->result->level = level;
        if (level >= AN_LEVEL_B_LT)
            AN_TRY(sign_extend(w->session, w->job->password, w->job->in_place ? w->append_fd : w->out.fd, level,
                               reterr));
    }
    if (w->job->in_place && level >= AN_LEVEL_B_LT && fdatasync(w->append_fd) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", w->job->in_path);
    if (w->job->in_place)
        return AN_OK;
    if (w->job->defer != NULL) {
        *w->job->defer = w->out;
        w->out = AN_OUTPUT_NONE;
        return AN_OK;
    }
    return an_output_commit(&w->out, reterr);
}

an_code
an_sign_pdf(struct an_sign_session *session, const struct an_sign_job *job, struct an_sign_result *ret,
            struct an_err *reterr)
{
    AN_CLEANUP(work_done) struct work w = {.session = session, .job = job, .result = ret, .file = AN_FILE_NONE,
                                           .out = AN_OUTPUT_NONE, .append_fd = -1};
    an_code code;

    *ret = (struct an_sign_result){.signing_time = an_time_now()};
    code = job->in_place ? recover(&w, reterr) : AN_OK;
    if (code == AN_OK)
        code = open_input(&w, reterr);
    if (code == AN_OK && job->in_place)
        code = open_for_append(&w, reterr);
    if (code == AN_OK)
        code = check_unsigned_pages(&w, reterr);
    if (code == AN_OK)
        code = check_person_first(&w, reterr);
    if (code == AN_OK) {
        scan_for_shadows(&w);
        code = sign_with_room(&w, reterr);
    }
    if (code == AN_OK) {
        ret->bytes_added = w.update.tail.len;
        if (!session->setup.skip_path_check && !an_sign_session_status_known(session))
            warn(ret, AN_N_SIGN_NO_STATUS);
        if (an_signer_info(session->setup.signer)->is_exposed)
            warn(ret, AN_N_KEY_FILE_MODE);
        code = finish(&w, reterr);
    }
    if (code != AN_OK && w.appended)
        take_off(&w, reterr);
    else if (w.appended)
        sign_journal_end(job->in_path);
    an_err_name_file(reterr, code == AN_OK ? NULL : job->in_path);
    return code;
}
