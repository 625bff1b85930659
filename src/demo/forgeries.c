/* What must be refused: a changed byte, changed content behind a signature, a certificate that was revoked. */
#include "demo/demo.h"

#include "base/file.h"
#include "pdf/pdf.h"

static an_code
read_file(struct demo *d, const char *name, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = demo_path(d, name);

    return an_file_read(path, AN_LIMIT_MESSAGE_BYTES, ret, reterr);
}

static an_code
write_file(struct demo *d, const char *name, const struct an_buf *bytes, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = demo_path(d, name);

    return an_file_write(path, an_buf_view(bytes), 0644, reterr);
}

/* One byte of the signed content is another. */
static an_code
flip_byte(struct demo *d, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    AN_TRY(read_file(d, "03-da-phat-hanh.pdf", &bytes, reterr));
    bytes.ptr[bytes.len / 3] ^= 0x01u;
    return write_file(d, "11-gia-mao-mot-byte.pdf", &bytes, reterr);
}

/* Shadow attack: an update behind the signatures gives the first page another content stream. The signed bytes stay as
 * they are, a viewer that only checks them shows the forged page. */
static an_code
append_shadow(struct an_buf *bytes, struct an_err *reterr)
{
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf dict = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    static const char content[] = "BT /F0 1 Tf ET 0.9 0.9 1 rg 60 500 470 120 re f";
    struct an_pdf_page page;
    struct an_pdf_info info;
    const struct an_pdf_revision *last;
    uint64_t page_at, stream_at, xref_at;
    uint32_t fresh;

    AN_TRY(an_pdf_open(an_buf_view(bytes), NULL, &pdf, reterr));
    AN_TRY(an_pdf_page(pdf, AN_PDF_NOW, 0, &page, reterr));
    an_pdf_describe(pdf, &info);
    last = an_pdf_revision_at(pdf, an_pdf_latest(pdf));
    fresh = info.object_count;
    for (size_t i = 0; i < page.dict->u.dict.count; i++) {
        const struct an_pdf_entry *e = &page.dict->u.dict.entries[i];
        if (an_bytes_eq_str(e->key, "Contents"))
            continue;
        an_buf_printf(&dict, "/%.*s ", AN_FMT(e->key));
        an_pdf_write(&dict, &e->value);
    }
    struct an_buf tail = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    stream_at = bytes->len + tail.len;
    an_buf_printf(&tail, "%u 0 obj\n<</Length %zu>>\nstream\n%s\nendstream\nendobj\n", fresh, strlen(content), content);
    page_at = bytes->len + tail.len;
    an_buf_printf(&tail, "%u %u obj\n<<%.*s/Contents %u 0 R>>\nendobj\n", page.num, page.gen, (int)dict.len,
                  (const char *)dict.ptr, fresh);
    xref_at = bytes->len + tail.len;
    an_buf_printf(&tail, "xref\n%u 1\n%010llu %05u n \n%u 1\n%010llu 00000 n \ntrailer\n<</Size %u/Prev %llu/Root ",
                  page.num,
                  (unsigned long long)page_at, page.gen, fresh, (unsigned long long)stream_at, fresh + 1,
                  (unsigned long long)last->xref_offset);
    an_pdf_write(&tail, an_pdf_dict_find(last->trailer, "Root"));
    an_buf_printf(&tail, ">>\nstartxref\n%llu\n%%%%EOF\n", (unsigned long long)xref_at);
    an_pdf_free(&pdf);
    an_buf_append(bytes, an_buf_view(&tail));
    an_buf_free(&tail);
    return AN_OK;
}

static an_code
replace_page(struct demo *d, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    AN_TRY(read_file(d, "03-da-phat-hanh.pdf", &bytes, reterr));
    AN_TRY(append_shadow(&bytes, reterr));
    return write_file(d, "12-gia-mao-thay-noi-dung.pdf", &bytes, reterr);
}

/* Somebody with a lost token: our program would refuse to sign, so the forger's does not check. */
static an_code
sign_revoked(struct demo *d, struct an_err *reterr)
{
    struct demo_sign what = {.who = DEMO_REVOKED, .in = "01-quyet-dinh.pdf", .out = "13-chung-thu-bi-thu-hoi.pdf",
                             .level = AN_LEVEL_B_T};
    struct an_err refused = {0};

    if (demo_sign(d, &what, &refused) == AN_OK)
        AN_FAIL(reterr, AN_E_INTERNAL, "%s", "a revoked certificate was accepted for signing");
    demo_say(d, "Ký bằng chứng thư đã bị thu hồi: chương trình từ chối ký",
             "Signing with a revoked certificate: the program refuses");
    what.forger = true;
    return demo_sign(d, &what, reterr);
}

an_code
demo_make_forgeries(struct demo *d, struct an_err *reterr)
{
    demo_say(d, "Tạo ba tệp giả mạo: sửa một byte, thay nội dung sau khi ký, chứng thư bị thu hồi",
             "Three forgeries: one byte changed, content replaced after signing, a revoked certificate");
    AN_TRY(flip_byte(d, reterr));
    AN_TRY(replace_page(d, reterr));
    return sign_revoked(d, reterr);
}
