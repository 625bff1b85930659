/*
 * Our own work in-process, for comparison with the floor: sign (each output written and renamed, not synced: the floor
 * writes nothing at all) and verify, over one file.
 */
#include "bench/common.h"

#include "base/file.h"
#include "sign/sign.h"
#include "verify/verify.h"

struct work {
    struct an_sign_session *session;
    struct an_sign_job job;
    const char *in, *folder;
    struct an_verifier *verifier;
    struct an_verify_options options;
    struct an_certs anchors, chain;
    struct an_crls crls;
    struct an_signer *signer;
    struct an_cert *cert;
};

static void
check(an_code code, const struct an_err *err)
{
    if (code == AN_OK)
        return;
    fprintf(stderr, "work: %s: %s\n", an_message_find(code)->en, err->detail);
    exit(2);
}

static void
sign(void *context, unsigned thread, unsigned index)
{
    struct work *w = context;
    struct an_sign_job job = w->job;
    struct an_sign_result result;
    struct an_output out = AN_OUTPUT_NONE;
    struct an_err err = {0};
    char path[4096];

    (void)index;
    snprintf(path, sizeof(path), "%s/out-%u.pdf", w->folder, thread);
    job.in_path = w->in;
    job.out_path = path;
    job.defer = &out; /* the sync of a batch is shared by its files: measured by the batch row */
    check(an_sign_pdf(w->session, &job, &result, &err), &err);
    an_output_discard(&out);
}

static void
verify(void *context, unsigned thread, unsigned index)
{
    struct work *w = context;
    struct an_file file = AN_FILE_NONE;
    struct an_report report = {0};
    struct an_err err = {0};

    (void)thread;
    (void)index;
    check(an_file_open(w->in, 0, &file, &err), &err);
    check(an_verify_file(w->verifier, &file, &w->options, &report, &err), &err);
    if (report.indication != AN_TOTAL_PASSED) {
        fprintf(stderr, "work: not TOTAL-PASSED: %s\n", report.signatures[0].sub_indication);
        exit(2);
    }
    an_report_done(&report);
    an_file_close(&file);
}

static void
load_certs(struct an_certs *set, const char *folder, const char *name)
{
    struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s.crt", folder, name);
    check(an_file_open(path, 0, &file, &err), &err);
    check(an_certs_read(set, file.bytes, &err), &err);
    an_file_close(&file);
}

static void
load_crls(struct work *w, const char *folder)
{
    struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};
    char path[4096], label[64];
    size_t at = 0;

    snprintf(path, sizeof(path), "%s/all.crl", folder);
    check(an_file_open(path, 0, &file, &err), &err);
    for (;;) {
        struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
        struct an_crl *crl = NULL;
        if (!an_pem_next(file.bytes, &at, &der, label)) {
            an_buf_free(&der);
            break;
        }
        check(an_crl_parse(an_buf_view(&der), &crl, &err), &err);
        *an_crls_push(&w->crls) = crl;
        an_buf_free(&der);
    }
    an_file_close(&file);
}

/* LOOK is "-" for invisible, or a look's id; then IMAGE is its PNG. */
static void
open_session(struct work *w, const char *folder, const char *name, const char *look, const char *image)
{
    struct an_sign_setup setup = {.revocation = AN_REVOCATION_IF_AVAILABLE, .seal_diameter_mm = 36, .number = "15/QĐ-UBND", .agency = "Ủy ban nhân dân xã Mẫu"};
    struct an_regulations *regs = NULL;
    struct an_certs leaf = {0};
    struct an_file png = AN_FILE_NONE;
    struct an_err err = {0};
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s.key", folder, name);
    check(an_signer_open(path, (struct an_pin_source){0}, &w->signer, &err), &err);
    load_certs(&leaf, folder, name);
    w->cert = an_cert_ref(leaf.items[0]);
    setup.signer = w->signer;
    setup.cert = w->cert;
    setup.chain = &w->chain;
    setup.anchors = &w->anchors;
    setup.crls = &w->crls;
    if (strcmp(look, "-") != 0) {
        check(an_regulations_open(NULL, &regs, &err), &err);
        check(an_look_find(regs, NULL, look, &setup.look, &err), &err);
        w->job.has_rect = true;
        w->job.x = 300;
        w->job.y = 100;
        w->job.w = 160;
        w->job.h = 80;
    }
    if (strcmp(image, "-") != 0) {
        check(an_file_open(image, 0, &png, &err), &err);
        setup.image_png = png.bytes;
    }
    check(an_sign_session_new(&setup, &w->session, &err), &err);
}

int
main(int argc, char **argv)
{
    struct work w = {0};
    struct an_err err = {0};
    unsigned threads, count;

    if (argc != 10) {
        fprintf(stderr, "usage: work sign|verify FILE FOLDER NAME THREADS COUNT OUTDIR LOOK IMAGE\n");
        return 2;
    }
    w.in = argv[2];
    w.folder = argv[7];
    threads = (unsigned)strtoul(argv[5], NULL, 10);
    count = (unsigned)strtoul(argv[6], NULL, 10);
    load_certs(&w.anchors, argv[3], "root");
    load_certs(&w.chain, argv[3], "sub");
    load_crls(&w, argv[3]);
    if (strcmp(argv[1], "sign") == 0) {
        open_session(&w, argv[3], argv[4], argv[8], argv[9]);
        bench_report("sign", threads, count, sign, &w);
    } else {
        check(an_verifier_new(NULL, &w.verifier, &err), &err);
        w.options = (struct an_verify_options){.anchors = &w.anchors, .untrusted = &w.chain, .crls = &w.crls, .at = AN_TIME_NONE, .content_fd = -1};
        bench_report("verify", threads, count, verify, &w);
    }
    return 0;
}
