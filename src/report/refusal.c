/*
 * The letter that goes back to the sender. Before a document is received its authenticity is checked; one that is not
 * valid, or not complete, is refused and the sender is told why (Tây Ninh Điều 20.3, Gia Lai Điều 12.3, Đồng Tháp Điều
 * 17.3).
 */
#include "report/internal.h"

#include "base/buf.h"

static const char *const duty_keys[] = {"tay-ninh-2025/20/3", "gia-lai-2026/12/3", "dong-thap-2025/17/3"};

bool
an_report_is_refused(const struct an_report_paper *paper)
{
    return paper->report->indication != AN_TOTAL_PASSED;
}

/* ---- what the sender should do, by what was found ---- */
static const struct {
    an_code code;
    const char *vi, *en;
} advice_table[] = {
    {AN_V_CERT_REVOKED, "Ký số lại bằng chứng thư số còn hiệu lực rồi gửi lại văn bản.",
     "Sign again with a certificate that is in force, and send the document again."},
    {AN_V_CERT_REVOKED_NO_POE, "Ký số lại bằng chứng thư số còn hiệu lực, có gắn dấu thời gian, rồi gửi lại văn bản.",
     "Sign again with a certificate that is in force, with a time-stamp, and send the document again."},
    {AN_V_CERT_EXPIRED, "Gia hạn hoặc thay chứng thư số, ký số lại rồi gửi lại văn bản.",
     "Renew the certificate, sign again and send the document again."},
    {AN_V_CERT_EXPIRED_NO_POE,
     "Gửi bản có dấu thời gian chứng minh đã ký khi chứng thư số còn hạn; nếu không có thì ký số lại.",
     "Send a copy whose time-stamp proves signing within the validity; failing that, sign again."},
    {AN_V_CERT_NOT_YET, "Kiểm tra đồng hồ của máy ký và thời hạn của chứng thư số, ký số lại rồi gửi lại văn bản.",
     "Check the clock of the signing machine and the certificate's validity, sign again and send again."},
    {AN_V_CERT_UNTRUSTED,
     "Ký số lại bằng chứng thư số chuyên dùng công vụ do Ban Cơ yếu Chính phủ cấp, hoặc gửi kèm chứng thư số của tổ "
     "chức cung cấp dịch vụ.",
     "Sign again with a certificate for official duty, or enclose the certificates of the issuing authority."},
    {AN_V_CERT_STATUS_UNKNOWN,
     "Gửi bản có kèm thông tin trạng thái chứng thư số (mức B-LT trở lên), hoặc đề nghị kiểm tra lại khi dịch vụ hoạt "
     "động trở lại.",
     "Send a copy that carries certificate status (level B-LT or more), or ask for another check when the service "
     "answers again."},
    {AN_V_CERT_USAGE_BAD, "Ký số lại bằng chứng thư số được cấp để ký tài liệu.",
     "Sign again with a certificate that is for signing documents."},
    {AN_V_CHANGES_FORBIDDEN, "Gửi lại đúng bản đã được ký số; mọi chỉnh sửa nội dung phải làm trước khi ký.",
     "Send the very file that was signed; changes of content must be made before signing."},
    {AN_V_CHANGES_REMOVED, "Gửi lại đúng bản có đủ các chữ ký số.", "Send the file that carries all signatures."},
    {AN_V_INTEGRITY_BAD,
     "Tệp bị hỏng hoặc bị sửa trong quá trình gửi, nhận: gửi lại bản gốc từ hệ thống quản lý văn bản.",
     "The file was damaged or altered on its way: send the original again from the document system."},
    {AN_V_VALUE_BAD, "Ký số lại văn bản rồi gửi lại.", "Sign the document again and send it."},
    {AN_V_FORMAT_DAMAGED, "Tệp bị cắt cụt hoặc hỏng: gửi lại bản gốc.",
     "The file is cut short or damaged: send the original again."},
    {AN_V_COVERAGE_BAD, "Gửi lại bản gốc từ hệ thống quản lý văn bản; kiểm tra nguồn gốc của tệp đã gửi.",
     "Send the original again, and look into where the file came from."},
    {AN_V_ALGORITHM_WEAK,
     "Ký số lại bằng thuật toán và độ dài khóa được chấp nhận (RSA từ 2048 bit hoặc ECDSA P-256 trở lên, SHA-256 trở "
     "lên).",
     "Sign again with an accepted algorithm (RSA of 2048 bits or more, or ECDSA P-256 or more, SHA-256 or more)."},
    {AN_V_DATA_MISSING, "Gửi kèm tệp nội dung của chữ ký tách rời.",
     "Send the content file of the detached signature too."},
    {AN_V_STAMP_BAD, "Ký số lại, gắn dấu thời gian từ dịch vụ được tin cậy, rồi gửi lại văn bản.",
     "Sign again with a time-stamp of a trusted service and send again."},
};

static const char *
advice(const struct an_report_context *context, an_code code)
{
    for (size_t i = 0; i < AN_COUNT(advice_table); i++)
        if (advice_table[i].code == code)
            return PICK(context, advice_table[i].vi, advice_table[i].en);
    return PICK(context, "Kiểm tra lại văn bản và chữ ký số, ký số lại rồi gửi lại văn bản.",
                "Look at the document and its signatures, sign again and send again.");
}

/* ---- the sentences, for both forms ---- */
static char *
subject_sentence(const struct an_report_context *context, const struct an_report_paper *paper)
{
    AN_CLEANUP(an_free_ptr) char *when = report_time(context, paper->at);

    return an_asprintf(
        PICK(context, "Văn bản điện tử “%s”, kiểm tra lúc %s: %s.", "Electronic document “%s”, checked at %s: %s."),
        report_file_name(paper->file), when, report_word(context, paper->report->word, paper->report->indication));
}

/* Which file it was, whatever it is called by now: in two halves, so that it can be set on a page. */
static char *
hash_sentence(const struct an_report_paper *paper)
{
    AN_CLEANUP(an_buf_free) struct an_buf hash = an_buf_new(128);

    an_buf_hex(&hash, AN_BYTES(paper->sha256, 16));
    an_buf_byte(&hash, ' ');
    an_buf_hex(&hash, AN_BYTES(paper->sha256 + 16, 16));
    return an_asprintf("SHA-256: %.*s.", AN_FMT(an_buf_view(&hash)));
}

static char *
signature_sentence(const struct an_report_context *context, const struct an_signature_report *s,
                   const struct report_check *check)
{
    AN_CLEANUP(an_free_ptr) char *text = report_check_text(context, check);
    AN_CLEANUP(an_free_ptr) char *cite = report_cite(context, check->finding->code);

    return an_asprintf(PICK(context, "Chữ ký của %s (%s): %s. %s%s%s%s", "Signature of %s (%s): %s. %s%s%s%s"),
                       s->signer ? s->signer : PICK(context, "người ký chưa xác định", "an unknown signer"),
                       s->field ? s->field : "", report_word(context, s->word, s->indication), text,
                       *cite ? PICK(context, " (căn cứ ", " (") : "", cite, *cite ? ")." : ".");
}

static char *
duty_sentence(const struct an_report_context *context)
{
    AN_CLEANUP(an_buf_free) struct an_buf cites = an_buf_new(8192);

    for (size_t i = 0; i < AN_COUNT(duty_keys); i++) {
        AN_CLEANUP(an_free_ptr) char *cite = report_cite_key(context, duty_keys[i]);
        an_buf_printf(&cites, "%s%s", i ? "; " : "", cite);
    }
    return an_asprintf(
        PICK(context,
             "Văn bản, chữ ký số không hợp lệ hoặc không đầy đủ thì từ chối tiếp nhận và thông báo lý do cho đơn vị "
             "gửi (%.*s).",
             "A document or signature that is not valid or not complete is refused and the sender is told why (%.*s)."),
        AN_FMT(an_buf_view(&cites)));
}

typedef void (*line_fn)(void *out, const char *text, int depth);

static void
tell_signatures(const struct an_report_context *context, const struct an_report_paper *paper, line_fn line, void *out)
{
    const char *last = "";

    for (size_t i = 0; i < paper->report->signature_count; i++) {
        const struct an_signature_report *s = &paper->report->signatures[i];
        struct report_check checks[REPORT_CHECKS];
        const struct report_check *check = report_decisive(checks, report_checks(s, checks));
        AN_CLEANUP(an_free_ptr) char *why = NULL;

        if (s->indication == AN_TOTAL_PASSED || !check)
            continue;
        why = signature_sentence(context, s, check);
        line(out, why, 1);
        for (size_t k = 0; k < s->modification_count; k++)
            if (!s->modifications[k].allowed) {
                AN_CLEANUP(an_free_ptr) char *change = an_asprintf(PICK(context, "Thay đổi: %s.", "Change: %s."),
                                                                   report_message(context, s->modifications[k].why));
                line(out, change, 2);
                break;
            }
        if (strcmp(advice(context, check->finding->code), last) != 0) {
            AN_CLEANUP(an_free_ptr) char *next =
                an_asprintf(PICK(context, "Đề nghị: %s", "Please: %s"), advice(context, check->finding->code));
            line(out, next, 2);
        }
        last = advice(context, check->finding->code);
    }
}

static void
tell(const struct an_report_context *context, const struct an_report_paper *papers, size_t count, line_fn line,
     void *out)
{
    AN_CLEANUP(an_free_ptr) char *duty = duty_sentence(context);

    line(out,
         PICK(context,
              "Qua kiểm tra trước khi tiếp nhận, cơ quan nhận từ chối tiếp nhận văn bản sau đây và thông báo lý do để "
              "đơn vị gửi biết, xử lý:",
              "On the check before receipt, the receiving agency refuses the following and gives the reasons to the "
              "sender:"),
         0);
    for (size_t i = 0; i < count; i++) {
        AN_CLEANUP(an_free_ptr) char *subject = subject_sentence(context, &papers[i]);
        AN_CLEANUP(an_free_ptr) char *hash = hash_sentence(&papers[i]);

        if (!an_report_is_refused(&papers[i]))
            continue;
        line(out, subject, 0);
        line(out, hash, 1);
        tell_signatures(context, &papers[i], line, out);
    }
    line(out, duty, 0);
    line(out,
         PICK(context,
              "Đề nghị đơn vị gửi kiểm tra, khắc phục và gửi lại văn bản. Văn bản bị từ chối được trả lại với trạng "
              "thái “từ chối tiếp nhận” (mã 02).",
              "Please check, put right and send the document again. It is returned with the status “refused” (02)."),
         0);
}

/* ---- plain text ---- */
static void
text_line(void *out, const char *text, int depth)
{
    an_buf_printf(out, "%s%s%s\n", depth ? "" : "\n", depth == 0 ? "" : depth == 1 ? "  - " : "    ", text);
}

void
an_report_write_refusal_text(const struct an_report_context *context, const struct an_report_paper *papers,
                             size_t count, struct an_buf *out)
{
    an_buf_str(out, PICK(context, "THÔNG BÁO TỪ CHỐI TIẾP NHẬN VĂN BẢN ĐIỆN TỬ\n",
                         "NOTICE OF REFUSAL OF AN ELECTRONIC DOCUMENT\n"));
    tell(context, papers, count, text_line, out);
}

/* ---- an official letter by NĐ 30/2020 ---- */
static void
letter_line(void *out, const char *text, int depth)
{
    AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%s%s", depth == 0 ? "" : depth == 1 ? "- " : "+ ", text);
    json_array_append_new(out, report_string(line));
}

static int
append_part(const char *part, size_t len, void *out)
{
    an_buf_append(out, AN_BYTES(part, len));
    return 0;
}

void
an_report_write_refusal_letter(const struct an_report_context *context, const struct an_report_paper *papers,
                               size_t count, struct an_buf *out)
{
    struct an_date date = an_date_of(count ? papers[0].at : 0, 7 * 60);
    AN_CLEANUP(an_free_ptr) char *place = an_asprintf(
        PICK(context, "…………, ngày %02d tháng %02d năm %04d", "…………, %02d/%02d/%04d"), date.day, date.month, date.year);
    json_t *body = json_array();
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:o, s:{s:[s], s:s}, s:[s, s]}", "kind", "van-ban", "agency",
                  PICK(context, "TÊN CƠ QUAN NHẬN", "RECEIVING AGENCY"), "number", "……/……", "place_date", place,
                  "subject", PICK(context, "từ chối tiếp nhận văn bản điện tử", "refusal of an electronic document"),
                  "to", PICK(context, "………… (đơn vị gửi)", "………… (the sender)"), "body", body, "signature", "lines",
                  PICK(context, "NGƯỜI CÓ THẨM QUYỀN", "AUTHORISED SIGNATORY"), "name", "…………………", "recipients",
                  PICK(context, "Như trên", "As above"), PICK(context, "Lưu: VT", "File"));

    tell(context, papers, count, letter_line, body);
    if (json_dump_callback(root, append_part, out, JSON_COMPACT) != 0)
        an_die_memory();
    json_decref(root);
}
