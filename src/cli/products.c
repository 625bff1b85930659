#include "cli/products.h"

#include "pdf/pdf.h"
#include "proc/layout.h"
#include "proc/render.h"

#define PICTURE_DPI 110
#define PICTURE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define PICTURES_MAX 100 /* a report over more files shows the first ones: a message to the layout program is bounded */
#define LAYOUT_PDF_MAX ((size_t)256 * 1024 * 1024)

struct product {
    char *path, *policy;
    struct an_report report;
    struct an_report_paper paper;
    struct an_buf picture;
};

struct products {
    struct cli *cli;
    const struct verify_args *args;
    const struct verify_setup *setup;
    struct product *items; /* one place for each file; path NULL = could not be verified */
    size_t count;
};

static const char *
file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

struct products *
products_new(struct cli *cli, const struct verify_args *args, struct verify_setup *setup, size_t count)
{
    struct products *products;

    if (!args->report && !args->refusal && !args->etsi_report && !args->evidence)
        return NULL;
    products = AN_NEW(struct products);
    *products = (struct products){.cli = cli,
                                  .args = args,
                                  .setup = setup,
                                  .items = an_new_array(count, sizeof(*products->items)),
                                  .count = count};
    setup->options.keep_evidence = args->etsi_report || args->evidence;
    if (setup->options.at == AN_TIME_NONE)
        setup->options.at = an_time_now();
    return products;
}

void
products_free(struct products **products)
{
    if (*products == NULL)
        return;
    for (size_t i = 0; i < (*products)->count; i++) {
        free((*products)->items[i].path);
        free((*products)->items[i].policy);
        an_report_done(&(*products)->items[i].report);
        an_buf_free(&(*products)->items[i].picture);
    }
    free((*products)->items);
    free(*products);
    *products = NULL;
}

void
products_add(struct products *products, size_t index, const char *path, const struct an_file *file, an_time at,
             const char *policy, struct an_report *report)
{
    struct product *item = &products->items[index];
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, file->bytes, digest);
    item->path = an_strdup(path);
    item->report = *report;
    *report = (struct an_report){0};
    item->picture = an_buf_new(PICTURE_BYTES_MAX);
    item->policy = an_strdup(policy);
    item->paper = (struct an_report_paper){
        .file = item->path, .bytes = file->bytes.len, .at = at, .policy = item->policy, .report = &item->report};
    memcpy(item->paper.sha256, digest, sizeof(item->paper.sha256));
}

/* ---- the page that shows the signature ---- */
/* Of several the last visible one: the agency's seal stands beside the person's signature. */
static uint32_t
shown_page_object(const struct an_report *report)
{
    uint32_t object = 0;

    for (size_t i = 0; i < report->signature_count; i++)
        if (report->signatures[i].page_object != 0 && !report->signatures[i].is_time_stamp)
            object = report->signatures[i].page_object;
    return object;
}

static size_t
page_index(const struct an_file *file, const struct an_secret *password, uint32_t object)
{
    struct an_pdf_open options = {.password = password};
    struct an_pdf *pdf = NULL;
    size_t count = 0, found = 0;

    if (object == 0 || an_pdf_open(file->bytes, &options, &pdf, NULL) != AN_OK)
        return 0;
    if (an_pdf_page_count(pdf, AN_PDF_NOW, &count, NULL) != AN_OK)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        struct an_pdf_page page;
        if (an_pdf_page(pdf, AN_PDF_NOW, i, &page, NULL) == AN_OK && page.num == object) {
            found = i;
            break;
        }
    }
    an_pdf_free(&pdf);
    return found;
}

/* A page that cannot be drawn leaves the report without a picture, nothing more: the verdict stands in words. */
static void
take_picture(struct products *products, struct an_renderer *renderer, struct product *item)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    const struct an_secret *password = products->setup->password;
    AN_CLEANUP(an_free_ptr) char *text = NULL;
    size_t index;

    if (an_file_open(item->path, 0, &file, NULL) != AN_OK || !an_bytes_starts_with(file.bytes, AN_LIT("%PDF-")))
        return;
    index = page_index(&file, password, shown_page_object(&item->report));
    if (password != NULL)
        text = an_strdup_bytes(an_secret_bytes(password));
    if (an_renderer_page_png(renderer, file.fd, (int)index, PICTURE_DPI, text, &item->picture, NULL) == AN_OK) {
        item->paper.picture = an_buf_view(&item->picture);
        item->paper.picture_page = (unsigned)index + 1;
    }
    if (text != NULL)
        an_wipe(text, strlen(text));
}

static void
take_pictures(struct products *products)
{
    struct an_renderer *renderer = NULL;

    if (an_renderer_start(0, &renderer, NULL) != AN_OK)
        return;
    for (size_t i = 0, taken = 0; i < products->count && taken < PICTURES_MAX; i++)
        if (products->items[i].path != NULL) {
            take_picture(products, renderer, &products->items[i]);
            taken++;
        }
    an_renderer_stop(&renderer);
}

/* ---- writing ---- */
static an_code
write_pages(const char *path, an_bytes json, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(LAYOUT_PDF_MAX);
    struct an_child *child = NULL;
    an_code code;

    AN_TRY(an_child_start("antin-layout", &child, reterr));
    code = an_layout_document(child, json, &pdf, reterr);
    an_child_stop(&child);
    return code != AN_OK ? code : an_file_write(path, an_buf_view(&pdf), 0644, reterr);
}

static bool
is_pdf_name(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcasecmp(path + len - 4, ".pdf") == 0;
}

static an_code
write_refusal(struct products *products, const struct an_report_context *context, const struct an_report_paper *papers,
              size_t count, struct an_err *reterr)
{
    const char *path = products->args->refusal;
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);
    bool refused = false;

    for (size_t i = 0; i < count; i++)
        refused = refused || an_report_is_refused(&papers[i]);
    if (!refused) {
        if (!products->cli->quiet && !products->cli->json)
            fprintf(products->cli->out, "%s: %s\n", path,
                    SAY(products->cli, "không lập thư từ chối, mọi văn bản đều hợp lệ",
                        "no refusal written, every document is valid"));
        return AN_OK;
    }
    if (is_pdf_name(path)) {
        an_report_write_refusal_letter(context, papers, count, &out);
        return write_pages(path, an_buf_view(&out), reterr);
    }
    an_report_write_refusal_text(context, papers, count, &out);
    return an_file_write(path, an_buf_view(&out), 0644, reterr);
}

static an_code
write_report(struct products *products, const struct an_report_context *context, const struct an_report_paper *papers,
             size_t count, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);

    an_report_write_paper(context, papers, count, &out);
    return write_pages(products->args->report, an_buf_view(&out), reterr);
}

static an_code
write_etsi(struct products *products, const struct an_report_context *context, const struct an_report_paper *papers,
           size_t count, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);

    an_report_write_etsi(context, papers, count, &out);
    return an_file_write(products->args->etsi_report, an_buf_view(&out), 0644, reterr);
}

/* ---- evidence ---- */
/* "DIR/name.evidence"; a second file of the same name from another folder gets a number. */
static char *
record_folder(const struct products *products, size_t at)
{
    const char *name = file_name(products->items[at].path);
    size_t same = 0;

    for (size_t i = 0; i < at; i++)
        if (products->items[i].path != NULL && strcmp(file_name(products->items[i].path), name) == 0)
            same++;
    return same == 0 ? an_asprintf("%s/%s.evidence", products->args->evidence, name)
                     : an_asprintf("%s/%s-%zu.evidence", products->args->evidence, name, same + 1);
}

/* A record is good only if the verdict can be had from it. */
static an_code
try_record(const struct products *products, const struct product *item, const char *folder, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    const struct verify_setup *setup = products->setup;
    struct an_evidence *evidence = NULL;
    struct an_report again = {0};
    an_code code = an_file_open(item->path, 0, &file, reterr);

    if (code == AN_OK)
        code = an_evidence_open(folder, &evidence, reterr);
    if (code == AN_OK)
        code = an_evidence_verify(evidence, &file, setup->password, setup->content.fd >= 0 ? &setup->content : NULL,
                                  &again, reterr);
    an_report_done(&again);
    an_evidence_free(&evidence);
    return code;
}

static an_code
write_record(const struct products *products, const struct an_report_context *context, size_t at, struct an_err *reterr)
{
    const struct product *item = &products->items[at];
    const struct an_verify_options *options = &products->setup->options;
    AN_CLEANUP(an_free_ptr) char *folder = record_folder(products, at);
    struct an_err err = {0};

    AN_TRY(an_evidence_save(context, &item->paper, options, false, folder, reterr));
    if (try_record(products, item, folder, &err) == AN_OK)
        return AN_OK;
    AN_TRY(an_evidence_save(context, &item->paper, options, true, folder, reterr));
    if (try_record(products, item, folder, &err) == AN_OK)
        return AN_OK;
    AN_FAIL(reterr, AN_E_EVIDENCE_NOT_REPRODUCED, "%.120s: %s %.120s", item->path, an_message_find(err.code)->symbol,
            err.detail);
}

static an_code
write_records(const struct products *products, const struct an_report_context *context, struct an_err *reterr)
{
    if (context->regulations == NULL)
        AN_FAIL(reterr, AN_E_REGULATION_DIR, "%s", "policies");
    for (size_t i = 0; i < products->count; i++)
        if (products->items[i].path != NULL)
            AN_TRY(write_record(products, context, i, reterr));
    return AN_OK;
}

an_code
products_write(struct products *products, struct an_err *reterr)
{
    const struct verify_args *args = products->args;
    const struct an_report_context context = {.regulations = cli_regulations(products->cli),
                                              .english = products->cli->english};
    AN_CLEANUP(an_free_ptr) struct an_report_paper *papers = an_new_array(products->count + 1, sizeof(*papers));
    size_t count = 0;

    if (args->report != NULL)
        take_pictures(products);
    for (size_t i = 0; i < products->count; i++)
        if (products->items[i].path != NULL)
            papers[count++] = products->items[i].paper;
    if (count == 0)
        return AN_OK;
    if (args->report != NULL)
        AN_TRY(write_report(products, &context, papers, count, reterr));
    if (args->refusal != NULL)
        AN_TRY(write_refusal(products, &context, papers, count, reterr));
    if (args->etsi_report != NULL)
        AN_TRY(write_etsi(products, &context, papers, count, reterr));
    if (args->evidence != NULL)
        AN_TRY(write_records(products, &context, reterr));
    return AN_OK;
}
