/* The day's work of a sample commune: a decision is laid out, signed, sealed, its attachment stamped, a copy made,
 * archived. */
#include "demo/demo.h"

#include "base/file.h"
#include "base/program.h"
#include "sign/timestamp.h"
#include "verify/online.h"

/* Samples are data: the text of a real regulation, laid out as a document of an invented agency. */
static an_code
read_sample(const char *name, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/samples/%s", an_program_data(), name);

    return an_file_read(path, AN_LIMIT_MESSAGE_BYTES, ret, reterr);
}

static an_code
lay_out(struct demo *d, const char *sample, const char *out, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_free_ptr) char *path = demo_path(d, out);

    AN_TRY(read_sample(sample, &json, reterr));
    AN_TRY(an_layout_document(d->layout, an_buf_view(&json), &pdf, reterr));
    return an_file_write(path, an_buf_view(&pdf), 0644, reterr);
}

static an_code
draw_images(struct demo *d, struct an_err *reterr)
{
    for (int who = DEMO_LEADER; who < DEMO_PARTIES; who++) {
        struct demo_party *p = &d->parties[who];
        struct an_layout_seal seal = {.agency = p->name, .diameter_mm = 36, .dpi = 300};
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/images/%s.png", d->dir, p->id);
        p->image = an_buf_new(AN_LIMIT_PNG_BYTES);
        AN_TRY(strcmp(p->profile, "co-quan") == 0 ? an_layout_seal(d->layout, &seal, &p->image, reterr)
                                               : an_layout_signature(d->layout, p->name, &p->image, reterr));
        AN_TRY(an_file_write(path, an_buf_view(&p->image), 0644, reterr));
    }
    return AN_OK;
}

an_code
demo_sign(struct demo *d, const struct demo_sign *what, struct an_err *reterr)
{
    struct demo_party *p = &d->parties[what->who];
    struct an_tsa_client tsa = {.fetcher = d->fetcher, .url = d->tsa_url, .timeout_ms = 20000};
    struct an_sign_setup setup = {.signer = p->signer, .cert = p->cert, .chain = &d->chain, .anchors = &d->anchors,
                                  .crls = &d->crls,
                                  .revocation = AN_REVOCATION_REQUIRE, .image_png = an_buf_view(&p->image),
                                  .seal_diameter_mm = 36,
                                  .number = what->number, .copy_kind = what->copy_kind, .agency = what->agency,
                                  .near_text = what->near_text,
                                  .level = what->level, .time_stamp = an_tsa_client_stamp, .time_stamp_context = &tsa,
                                  .renderer = d->renderer, .verifier = d->verifier, .skip_path_check = what->forger};
    AN_CLEANUP(an_free_ptr) char *in = demo_path(d, what->in);
    AN_CLEANUP(an_free_ptr) char *out = demo_path(d, what->out);
    struct an_sign_job job = {.in_path = in, .out_path = out};
    AN_CLEANUP(an_sign_session_free) struct an_sign_session *session = NULL;
    struct an_sign_result result;
    struct an_regulations *regs = cli_regulations(d->cli);

    if (regs == NULL)
        AN_TRY(an_regulations_open(NULL, &regs, reterr));
    if (what->look != NULL)
        AN_TRY(an_look_find(regs, NULL, what->look, &setup.look, reterr));
    if (setup.look == NULL || !(setup.look->image_required || setup.look->image_allowed))
        setup.image_png = AN_NONE;
    AN_TRY(an_sign_session_new(&setup, &session, reterr));
    d->signatures++;
    return an_sign_pdf(session, &job, &result, reterr);
}

struct story { const char *vi, *en; struct demo_sign sign; };

static const struct story story_table[] = {
    {"Người có thẩm quyền ký quyết định: ảnh chữ ký xanh giữa chức vụ và họ tên",
     "The competent person signs the decision: blue image between title and name",
     {.who = DEMO_LEADER, .look = "nguoi-co-tham-quyen", .in = "01-quyet-dinh.pdf", .out = "02-lanh-dao-da-ky.pdf", .level = AN_LEVEL_B_T}},
    {"Văn thư ký số của cơ quan: dấu đỏ đúng kích thước, trùm 1/3 chữ ký về bên trái",
     "The clerk seals: red, true size, over the left third of the signature",
     {.who = DEMO_AGENCY, .look = "co-quan", .in = "02-lanh-dao-da-ky.pdf", .out = "03-da-phat-hanh.pdf", .level = AN_LEVEL_B_T}},
    {"Phụ lục ở tệp riêng: số, ký hiệu và thời gian ký, góc trên bên phải",
     "The attachment in a file of its own: number and time, top right",
     {.who = DEMO_AGENCY, .look = "phu-luc", .in = "04-phu-luc.pdf", .out = "05-phu-luc-da-ky.pdf", .number = "15/QĐ-UBND", .level = AN_LEVEL_B_T}},
    {"Cơ quan nhận tạo bản sao điện tử (sao y)", "The receiving agency makes an electronic copy (sao y)",
     {.who = DEMO_OTHER_AGENCY, .look = "ban-sao", .in = "03-da-phat-hanh.pdf", .out = "06-ban-sao.pdf", .copy_kind = "sao-y", .agency = "SỞ MẪU TỈNH MẪU", .level = AN_LEVEL_B_T}},
    {"Bổ sung bằng chứng lâu dài và dấu thời gian lưu trữ (B-LTA)",
     "Long-term evidence and an archive time-stamp (B-LTA)",
     {.who = DEMO_AGENCY, .look = "co-quan", .in = "02-lanh-dao-da-ky.pdf", .out = "07-luu-tru-B-LTA.pdf", .level = AN_LEVEL_B_LTA}},
};

an_code
demo_make_documents(struct demo *d, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *images = demo_path(d, "images");

    AN_TRY(an_dir_make(images, false, reterr));
    AN_TRY(draw_images(d, reterr));
    demo_say(d, "Soạn quyết định theo Phụ lục I Nghị định 30/2020/NĐ-CP, có phụ lục cùng tệp và phụ lục ở tệp riêng",
             "A decision laid out by NĐ 30/2020 Phụ lục I, with an appendix in the same file and one in another");
    AN_TRY(lay_out(d, "quyet-dinh.json", "01-quyet-dinh.pdf", reterr));
    AN_TRY(lay_out(d, "phu-luc.json", "04-phu-luc.pdf", reterr));
    for (size_t i = 0; i < AN_COUNT(story_table); i++) {
        demo_say(d, story_table[i].vi, story_table[i].en);
        AN_TRY(demo_sign(d, &story_table[i].sign, reterr));
    }
    return AN_OK;
}
