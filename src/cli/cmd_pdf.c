/* antin pdf: info, revisions (what each signer saw), find, page. */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/material.h"
#include "cli/report.h"
#include "pdf/pdf.h"
#include "proc/render.h"

#include <unistd.h>

struct open_pdf {
    struct an_file file;
    struct an_secret *password;
    struct an_pdf *pdf;
};

static void
open_pdf_done(struct open_pdf *o)
{
    an_pdf_free(&o->pdf);
    an_file_close(&o->file);
    an_secret_free(&o->password);
}

static an_code
open_pdf(struct open_pdf *o, const char *path, const char *password_file, struct an_err *reterr)
{
    struct an_pdf_open options = {.allow_rebuild = true};
    an_code code;

    AN_TRY(material_password(password_file, &o->password, reterr));
    options.password = o->password;
    code = an_file_open(path, 0, &o->file, reterr);
    if (code == AN_OK)
        code = an_pdf_open(o->file.bytes, &options, &o->pdf, reterr);
    an_err_name_file(reterr, code == AN_OK ? NULL : path);
    return code;
}

static json_t *
field_json(const struct an_pdf_sigfield *f)
{
    char time[AN_TIME_TEXT_MAX];

    return json_pack("{s:s, s:b, s:b, s:s, s:s, s:s, s:[I, I, I, I], s:i, s:i, s:[f, f, f, f]}", "name",
                     f->name ? f->name : "", "signed",
                     (int)(f->value != NULL), "time_stamp", (int)f->is_doc_timestamp, "sub_filter", f->sub_filter,
                     "signer",
                     f->signer_name ? f->signer_name : "", "time", an_time_format_vn(f->m_time, time), "byte_range",
                     (json_int_t)f->byte_range[0],
                     (json_int_t)f->byte_range[1], (json_int_t)f->byte_range[2], (json_int_t)f->byte_range[3], "docmdp",
                     f->docmdp, "revision",
                     f->revision, "rect", f->rect.x0, f->rect.y0, f->rect.x1, f->rect.y1);
}

/* Texts of the file are printed too: they must not write lines of their own. */
static void
make_visible(struct an_pdf_sigfields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        an_utf8_make_visible(fields->items[i].name);
        an_utf8_make_visible(fields->items[i].signer_name);
        an_utf8_make_visible(fields->items[i].reason);
        an_utf8_make_visible(fields->items[i].location);
        an_utf8_make_visible(fields->items[i].contact);
    }
}

static json_t *
notes_json(struct an_pdf *pdf)
{
    an_code notes[32];
    size_t count = an_pdf_notes(pdf, notes, AN_COUNT(notes));

    return report_codes_json(notes, count < AN_COUNT(notes) ? count : AN_COUNT(notes));
}

static an_code
info_object(const char *path, struct an_pdf *pdf, json_t **ret, struct an_err *reterr)
{
    struct an_pdf_info info = {0};
    struct an_pdf_sigfields fields = {0};
    json_t *list;
    char version[16], pdfa[16] = "";

    AN_TRY(an_pdf_sigfields(pdf, AN_PDF_NOW, &fields, reterr));
    make_visible(&fields);
    an_pdf_describe(pdf, &info);
    list = json_array();
    for (size_t i = 0; i < fields.count; i++)
        json_array_append_new(list, field_json(&fields.items[i]));
    an_pdf_sigfields_done(&fields);
    snprintf(version, sizeof(version), "%d.%d", info.version_major, info.version_minor);
    if (info.pdfa_part)
        snprintf(pdfa, sizeof(pdfa), "PDF/A-%d%c", info.pdfa_part, info.pdfa_conformance ? info.pdfa_conformance : ' ');
    *ret = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:s, s:b, s:b, s:b, s:s, s:b, s:b, s:b, s:o, s:o}", "file", path,
                     "version", version, "pages",
                     (json_int_t)info.page_count, "revisions", (json_int_t)info.revision_count, "objects",
                     (json_int_t)info.object_count, "encrypted",
                     (int)info.is_encrypted, "encryption", info.encryption, "may_sign", (int)info.may_sign,
                     "linearized", (int)info.is_linearized, "rebuilt",
                     (int)info.is_rebuilt, "pdfa", pdfa, "xfa", (int)info.has_xfa, "usage_rights",
                     (int)info.has_usage_rights, "javascript",
                     (int)info.has_javascript, "fields", list, "notes", notes_json(pdf));
    return AN_OK;
}

static void
print_info(struct cli *cli, json_t *info)
{
    AN_CLEANUP(an_free_ptr) char *name = an_strdup(json_string_value(json_object_get(info, "file")));
    size_t at;
    json_t *item;

    an_utf8_make_visible(name);
    fprintf(cli->out, "%s: PDF %s%s%s, %lld %s, %lld %s%s%s\n", name,
            json_string_value(json_object_get(info, "version")),
            *json_string_value(json_object_get(info, "pdfa")) ? ", " : "",
            json_string_value(json_object_get(info, "pdfa")), json_integer_value(json_object_get(info, "pages")),
            SAY(cli, "trang", "pages"),
            json_integer_value(json_object_get(info, "revisions")), SAY(cli, "phiên bản", "revisions"),
            json_is_true(json_object_get(info, "encrypted")) ? ", " : "",
            json_string_value(json_object_get(info, "encryption")));
    json_array_foreach(json_object_get(info, "fields"), at, item)
        fprintf(cli->out, "  %s: %s %s %s\n", json_string_value(json_object_get(item, "name")),
                json_is_true(json_object_get(item, "signed")) ? json_string_value(json_object_get(item, "sub_filter"))
                : SAY(cli, "chưa ký", "empty"),
                json_string_value(json_object_get(item, "signer")), json_string_value(json_object_get(item, "time")));
    json_array_foreach(json_object_get(info, "notes"), at, item)
        fprintf(cli->out, "  · %s\n", json_string_value(json_object_get(item, cli->english ? "en" : "vi")));
}

static void
put_object(struct cli *cli, json_t *object, void (*print)(struct cli *, json_t *))
{
    if (cli->json) {
        char *text = json_dumps(object, JSON_COMPACT);
        fprintf(cli->out, "%s\n", text ? text : "{}");
        free(text);
    } else {
        print(cli, object);
    }
    json_decref(object);
}

int
cmd_pdf_info(struct cli *cli, const void *options, char **args, int count)
{
    const struct pdf_args *a = options;
    int status = 0;

    for (int i = 0; i < count; i++) {
        AN_CLEANUP(open_pdf_done) struct open_pdf o = {.file = AN_FILE_NONE};
        struct an_err err = {0};
        json_t *info = NULL;
        an_code code = open_pdf(&o, args[i], a->password_file, &err);
        if (code == AN_OK)
            code = info_object(args[i], o.pdf, &info, &err);
        if (code == AN_OK)
            code = an_file_check_same(&o.file, &err);
        if (code != AN_OK) {
            json_decref(info);
            an_err_name_file(&err, args[i]);
            status = cli_fail(cli, &err);
        } else {
            put_object(cli, info, print_info);
        }
    }
    return status;
}

/* ---- revisions ---- */

static json_t *
revision_json(struct an_pdf *pdf, size_t revision, const struct an_pdf_sigfields *fields)
{
    const struct an_pdf_revision *r = an_pdf_revision_at(pdf, revision);
    struct an_pdf_change *changes = NULL;
    size_t change_count = 0, pages = 0;
    json_t *signers = json_array();

    if (an_pdf_revision_changes(pdf, revision, &changes, &change_count, NULL) != AN_OK)
        change_count = 0;
    free(changes);
    if (an_pdf_page_count(pdf, revision, &pages, NULL) != AN_OK)
        pages = 0;
    for (size_t i = 0; i < fields->count; i++)
        if (fields->items[i].revision == (int)revision)
            json_array_append_new(signers, json_pack("{s:s, s:s}", "field",
                                                     fields->items[i].name ? fields->items[i].name : "", "signer",
                                                     fields->items[i].signer_name ? fields->items[i].signer_name : ""));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "revision", (json_int_t)revision, "end", (json_int_t)r->end,
                     "xref", (json_int_t)r->xref_offset,
                     "objects_changed", (json_int_t)change_count, "pages", (json_int_t)pages, "signatures", signers);
}

static void
print_revision(struct cli *cli, json_t *r)
{
    size_t at;
    json_t *item;

    fprintf(cli->out, "%s %lld: %lld byte, %lld %s, %lld %s", SAY(cli, "phiên bản", "revision"),
            json_integer_value(json_object_get(r, "revision")),
            json_integer_value(json_object_get(r, "end")), json_integer_value(json_object_get(r, "objects_changed")),
            SAY(cli, "đối tượng", "objects"),
            json_integer_value(json_object_get(r, "pages")), SAY(cli, "trang", "pages"));
    json_array_foreach(json_object_get(r, "signatures"), at, item)
        fprintf(cli->out, " · %s: %s %s", SAY(cli, "đã ký", "signed"),
                json_string_value(json_object_get(item, "field")), json_string_value(json_object_get(item, "signer")));
    fputc('\n', cli->out);
}

/* The file as it was at a revision, and a picture of every page, so that a person can look for herself. */
static an_code
save_revision(struct open_pdf *o, const char *folder, size_t revision, struct an_renderer *renderer,
              struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/revision-%zu.pdf", folder, revision);
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_file_close) struct an_file saved = AN_FILE_NONE;
    size_t pages = 0;

    AN_TRY(an_file_write(path, an_bytes_slice(o->file.bytes, 0, (size_t)an_pdf_revision_at(o->pdf, revision)->end),
                         0644, reterr));
    AN_TRY(an_file_open(path, 0, &saved, reterr));
    AN_TRY(an_pdf_page_count(o->pdf, revision, &pages, reterr));
    for (size_t i = 0; i < pages && i < 50; i++) {
        AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s/revision-%zu-page-%zu.png", folder, revision, i + 1);
        AN_TRY(an_renderer_page_png(renderer, saved.fd, (int)i, 100, NULL, &png, reterr));
        AN_TRY(an_file_write(name, an_buf_view(&png), 0644, reterr));
    }
    return AN_OK;
}

static an_code
show_revisions(struct cli *cli, const struct pdf_args *a, struct open_pdf *o, struct an_renderer **renderer,
               struct an_err *reterr)
{
    struct an_pdf_sigfields fields = {0};
    size_t latest = an_pdf_latest(o->pdf);
    an_code code = an_pdf_sigfields(o->pdf, AN_PDF_NOW, &fields, reterr);

    make_visible(&fields);
    if (code == AN_OK && a->out_dir != NULL) {
        code = an_dir_make(a->out_dir, false, reterr);
        if (code == AN_OK)
            code = an_renderer_start(0, renderer, reterr);
    }
    for (size_t i = 0; i <= latest && code == AN_OK; i++) {
        put_object(cli, revision_json(o->pdf, i, &fields), print_revision);
        if (a->out_dir != NULL)
            code = save_revision(o, a->out_dir, i, *renderer, reterr);
    }
    an_pdf_sigfields_done(&fields);
    return code;
}

int
cmd_pdf_revisions(struct cli *cli, const void *options, char **args, int count)
{
    const struct pdf_args *a = options;
    AN_CLEANUP(open_pdf_done) struct open_pdf o = {.file = AN_FILE_NONE};
    struct an_renderer *renderer = NULL;
    struct an_err err = {0};
    an_code code = open_pdf(&o, args[0], a->password_file, &err);

    (void)count;
    if (code == AN_OK)
        code = show_revisions(cli, a, &o, &renderer, &err);
    if (code == AN_OK)
        code = an_file_check_same(&o.file, &err);
    an_renderer_stop(&renderer);
    an_err_name_file(&err, code == AN_OK ? NULL : args[0]);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- find, page ---- */

static void
print_hit(struct cli *cli, json_t *hit)
{
    fprintf(cli->out, "%s %lld: %.1f,%.1f,%.1f,%.1f\n", SAY(cli, "trang", "page"),
            json_integer_value(json_object_get(hit, "page")),
            json_real_value(json_object_get(hit, "x")), json_real_value(json_object_get(hit, "y")),
            json_real_value(json_object_get(hit, "w")),
            json_real_value(json_object_get(hit, "h")));
}

static an_code
find_text(struct cli *cli, const struct pdf_args *a, char **args, struct an_renderer **renderer, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};
    AN_CLEANUP(an_secret_free) struct an_secret *password = NULL;
    AN_CLEANUP(an_free_ptr) char *text = NULL;

    AN_TRY(material_password(a->password_file, &password, reterr));
    AN_TRY(an_file_open(args[0], 0, &file, reterr));
    AN_TRY(an_renderer_start(0, renderer, reterr));
    text = password ? an_strdup_bytes(an_secret_bytes(password)) : NULL;
    AN_TRY(an_renderer_find_text(*renderer, file.fd, args[1], text, &hits, reterr));
    for (size_t i = 0; i < hits.count; i++) {
        const struct an_box *b = &hits.items[i].box;
        put_object(cli, json_pack("{s:i, s:f, s:f, s:f, s:f}", "page", (int)hits.items[i].page + 1, "x", b->x0, "y",
                                  b->y0, "w", b->x1 - b->x0, "h",
                                  b->y1 - b->y0), print_hit);
    }
    if (text != NULL)
        an_wipe(text, strlen(text));
    return AN_OK;
}

int
cmd_pdf_find(struct cli *cli, const void *options, char **args, int count)
{
    struct an_renderer *renderer = NULL;
    struct an_err err = {0};
    an_code code = find_text(cli, options, args, &renderer, &err);

    (void)count;
    an_renderer_stop(&renderer);
    an_err_name_file(&err, code == AN_OK ? NULL : args[0]);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

static an_code
save_page(const struct pdf_args *a, char **args, struct an_renderer **renderer, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    int page = a->page == -1 ? -1 : a->page > 0 ? (int)a->page - 1 : 0;

    AN_TRY(an_file_open(args[0], 0, &file, reterr));
    AN_TRY(an_renderer_start(0, renderer, reterr));
    AN_TRY(an_renderer_page_png(*renderer, file.fd, page, a->dpi > 0 ? (unsigned)a->dpi : 100, NULL, &png, reterr));
    return an_file_write(args[1], an_buf_view(&png), 0644, reterr);
}

int
cmd_pdf_page(struct cli *cli, const void *options, char **args, int count)
{
    struct an_renderer *renderer = NULL;
    struct an_err err = {0};
    an_code code = save_page(options, args, &renderer, &err);

    (void)count;
    an_renderer_stop(&renderer);
    an_err_name_file(&err, code == AN_OK ? NULL : args[0]);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
