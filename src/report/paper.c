/* The report that a clerk files: one page for a document where that is possible. */
#include "report/internal.h"

#include "base/buf.h"

#define CHANGES_SHOWN 8

static json_t *
take_string(char *text)
{
    json_t *json = report_string(text);

    free(text);
    return json;
}

static void
add_fact(json_t *facts, const char *key, char *value)
{
    json_array_append_new(facts, json_pack("[s, o]", key, take_string(value)));
}

static char *
hash_text(const uint8_t hash[static 32])
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(128);

    an_buf_hex(&hex, AN_BYTES(hash, 16));
    an_buf_byte(&hex, ' ');
    an_buf_hex(&hex, AN_BYTES(hash + 16, 16));
    return an_strdup_bytes(an_buf_view(&hex));
}

static char *
policy_text(const struct an_report_context *context, const char *id)
{
    const struct an_policy *policy = NULL;

    if (!context->regulations || an_policy_find(context->regulations, id, &policy, NULL) != AN_OK)
        return an_strdup(id);
    return an_asprintf("%s (%s)", context->english ? policy->name_en : policy->name_vi, id);
}

static char *
file_text(const struct an_report_context *context, const struct an_report_paper *paper)
{
    return an_asprintf("%s (%llu %s)", report_file_name(paper->file), (unsigned long long)paper->bytes,
                       PICK(context, "byte", "bytes"));
}

static char *
effect_text(const struct an_report_context *context, const struct an_report_paper *paper)
{
    an_code code = report_effect(paper->report->legal_effect);
    AN_CLEANUP(an_free_ptr) char *cite = report_cite(context, code);

    return an_asprintf("%s%s%s%s", report_message(context, code), *cite ? " (" : "", cite, *cite ? ")" : "");
}

static json_t *
facts_block(const struct an_report_context *context, const struct an_report_paper *paper)
{
    json_t *facts = json_array(), *block = json_pack("{s:o}", "facts", facts);
    AN_CLEANUP(an_buf_free) struct an_buf base64 = an_buf_new(AN_BUF_UNLIMITED);

    add_fact(facts, PICK(context, "Tệp", "File"), file_text(context, paper));
    add_fact(facts, "SHA-256", hash_text(paper->sha256));
    add_fact(facts, PICK(context, "Kiểm tra lúc", "Checked at"), report_time(context, paper->at));
    add_fact(facts, PICK(context, "Theo chính sách", "By policy"), policy_text(context, paper->policy));
    add_fact(facts, PICK(context, "Giá trị pháp lý", "Legal effect"), effect_text(context, paper));
    add_fact(facts, PICK(context, "Chương trình", "Program"), an_strdup("Ấn Tín (antin) " AN_VERSION));
    if (paper->picture.len) {
        an_base64_encode(&base64, paper->picture);
        json_object_set_new(block, "picture", json_stringn((const char *)base64.ptr, base64.len));
        json_object_set_new(block, "caption",
                            take_string(an_asprintf(PICK(context, "Trang %u có chữ ký", "Page %u, with the signature"),
                                                    paper->picture_page)));
    }
    return block;
}

/* ---- one signature ---- */
static const char *
finding_tone(enum an_finding_status status)
{
    return status == AN_FINDING_PASSED          ? "good"
           : status == AN_FINDING_FAILED        ? "bad"
           : status == AN_FINDING_INDETERMINATE ? "open"
                                                : "note";
}

static json_t *
check_row(const struct an_report_context *context, const struct report_check *check)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "tone", finding_tone(check->finding->status), "name",
                     PICK(context, check->vi, check->en), "text", take_string(report_check_text(context, check)),
                     "cite", take_string(report_cite(context, check->finding->code)));
}

static char *
about_text(const struct an_report_context *context, const struct an_signature_report *s)
{
    AN_CLEANUP(an_free_ptr) char *when =
        report_time(context, s->best_time != AN_TIME_NONE ? s->best_time : s->claimed_time);
    const char *kind = s->is_time_stamp ? PICK(context, "Dấu thời gian của tài liệu", "Time-stamp of the document")
                       : s->is_agency ? PICK(context, "Chữ ký của cơ quan, tổ chức", "Signature of an agency")
                       : s->is_person ? PICK(context, "Chữ ký của cá nhân", "Signature of a person")
                                      : PICK(context, "Chữ ký", "Signature");
    const char *source = s->best_time != AN_TIME_NONE ? PICK(context, ", có dấu thời gian", ", time-stamped")
                                                      : PICK(context, " (người ký khai)", " (as claimed)");

    return an_asprintf("%s · %s%s%s · %s %s%s%s%s", kind, s->format ? s->format : "", s->level && *s->level ? " " : "",
                       s->level ? s->level : "", PICK(context, "trường", "field"), s->field ? s->field : "",
                       *when ? PICK(context, " · ký lúc ", " · signed at ") : "", when, *when ? source : "");
}

static void
add_small(json_t *blocks, char *text)
{
    json_array_append_new(blocks, json_pack("{s:o}", "small", take_string(text)));
}

/* Changes of one kind are told once, with their number; the places of those that are not permitted are named. */
static bool
is_told(const struct an_signature_report *s, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (s->modifications[i].why == s->modifications[at].why &&
            s->modifications[i].allowed == s->modifications[at].allowed)
            return true;
    return false;
}

static void
append_places(const struct an_report_context *context, const struct an_signature_report *s, size_t first,
              struct an_buf *out)
{
    size_t shown = 0, count = 0;

    for (size_t i = first; i < s->modification_count; i++) {
        const struct an_modification *m = &s->modifications[i];

        if (m->why != s->modifications[first].why || m->allowed != s->modifications[first].allowed)
            continue;
        count++;
        if (m->allowed || shown >= CHANGES_SHOWN)
            continue;
        an_buf_printf(out, PICK(context, "%sđối tượng %u %.80s", "%sobject %u %.80s"), shown++ ? ", " : " (", m->object,
                      m->what ? m->what : "");
    }
    if (shown)
        an_buf_str(out, shown < count ? ", …)" : ")");
    else if (count > 1)
        an_buf_printf(out, PICK(context, " (%zu đối tượng)", " (%zu objects)"), count);
}

static void
add_changes(const struct an_report_context *context, const struct an_signature_report *s, bool allowed, json_t *blocks)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(65536);

    for (size_t i = 0; i < s->modification_count; i++) {
        if (s->modifications[i].allowed != allowed || is_told(s, i))
            continue;
        an_buf_printf(&text, "%s%s", text.len ? "; " : "", report_message(context, s->modifications[i].why));
        append_places(context, s, i, &text);
    }
    if (text.len)
        add_small(blocks, an_asprintf("%s: %.*s.",
                                      allowed ? PICK(context, "Thay đổi được phép sau khi ký",
                                                     "Permitted changes after signing")
                                              : PICK(context, "Thay đổi KHÔNG được phép sau khi ký",
                                                     "Changes after signing that are NOT permitted"),
                                      AN_FMT(an_buf_view(&text))));
}

static void
append_name(an_bytes name, struct an_buf *out)
{
    if (!an_name_attribute(name, "2.5.4.3", out))
        an_name_text(name, out);
}

static void
add_certificates(const struct an_report_context *context, const struct an_signature_report *s, json_t *blocks)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(16384);
    char from[AN_TIME_TEXT_MAX], to[AN_TIME_TEXT_MAX];

    if (!s->chain_count)
        return;
    an_time_format_vn(s->chain[0]->not_before, from);
    an_time_format_vn(s->chain[0]->not_after, to);
    for (size_t i = 0; i < s->chain_count; i++) {
        an_buf_str(&text, i ? " ← " : "");
        append_name(s->chain[i]->subject, &text);
    }
    an_buf_str(&text, PICK(context, "; số hiệu ", "; serial "));
    an_buf_hex(&text, s->chain[0]->serial);
    an_buf_printf(&text, PICK(context, "; hiệu lực %.10s đến %.10s", "; valid %.10s to %.10s"), from, to);
    add_small(blocks,
              an_asprintf("%s: %.*s.", PICK(context, "Chứng thư số", "Certificate"), AN_FMT(an_buf_view(&text))));
}

static void
add_time_stamps(const struct an_report_context *context, const struct an_signature_report *s, json_t *blocks)
{
    static const struct {
        const char *id, *vi, *en;
    } kinds[] = {{"signature", "trên chữ ký", "on the signature"},
                 {"document", "của tài liệu", "of the document"},
                 {"archive", "lưu trữ", "archive"},
                 {"content", "của nội dung", "of the content"}};

    for (size_t i = 0; i < s->time_stamp_count && !s->is_time_stamp; i++) {
        const struct an_time_stamp_report *t = &s->time_stamps[i];
        AN_CLEANUP(an_free_ptr) char *when = report_time(context, t->gen_time);
        const char *kind = t->kind;

        for (size_t k = 0; k < AN_COUNT(kinds); k++)
            if (strcmp(kinds[k].id, t->kind) == 0)
                kind = PICK(context, kinds[k].vi, kinds[k].en);
        add_small(blocks, an_asprintf("%s %s: %s · %s (%s).", PICK(context, "Dấu thời gian", "Time-stamp"), kind, when,
                                      t->tsa ? t->tsa : "?", report_indication(t->indication)));
    }
}

static void
add_quirks(const struct an_report_context *context, const struct an_signature_report *s, json_t *blocks)
{
    for (size_t i = 0; i < s->finding_count; i++)
        if (strncmp(s->findings[i].rule, "quirk.", 6) == 0)
            add_small(blocks, an_asprintf("%s: %s.", PICK(context, "Lưu ý", "Note"),
                                          report_message(context, s->findings[i].code)));
}

static void
add_signature(const struct an_report_context *context, const struct an_signature_report *s, size_t number,
              json_t *blocks)
{
    struct report_check checks[REPORT_CHECKS];
    size_t count = report_checks(s, checks);
    json_t *rows = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, check_row(context, &checks[i]));
    json_array_append_new(
        blocks,
        json_pack("{s:o, s:s, s:s, s:o}", "signer",
                  take_string(an_asprintf(
                      "%zu. %s", number, s->signer ? s->signer : PICK(context, "Không rõ người ký", "Unknown signer"))),
                  "verdict", report_word(context, s->word, s->indication), "tone", report_tone(s->indication), "about",
                  take_string(about_text(context, s))));
    json_array_append_new(blocks, json_pack("{s:o}", "checks", rows));
    add_changes(context, s, false, blocks);
    add_changes(context, s, true, blocks);
    add_time_stamps(context, s, blocks);
    add_certificates(context, s, blocks);
    add_quirks(context, s, blocks);
}

/* ---- one document ---- */
static char *
banner_note(const struct an_report_context *context, const struct an_report *report)
{
    size_t passed = 0, count = 0;

    for (size_t i = 0; i < report->signature_count; i++) {
        const struct an_signature_report *s = &report->signatures[i];
        struct report_check checks[REPORT_CHECKS];
        const struct report_check *decisive;

        if (s->indication != AN_TOTAL_PASSED &&
            (s->indication == report->indication || report->indication == AN_INDETERMINATE) &&
            (decisive = report_decisive(checks, report_checks(s, checks))) != NULL)
            return an_asprintf("%s: %s", s->signer ? s->signer : s->field,
                               report_message(context, decisive->finding->code));
        count += !s->is_time_stamp;
        passed += !s->is_time_stamp && s->indication == AN_TOTAL_PASSED;
    }
    return an_asprintf(PICK(context, "%zu trên %zu chữ ký hợp lệ", "%zu of %zu signatures valid"), passed, count);
}

static void
add_paper(const struct an_report_context *context, const struct an_report_paper *paper, json_t *blocks)
{
    const struct an_report *report = paper->report;

    json_array_append_new(
        blocks, json_pack("{s:s, s:s, s:o}", "banner", report_word(context, report->word, report->indication), "tone",
                          report_tone(report->indication), "note", take_string(banner_note(context, report))));
    json_array_append_new(blocks, facts_block(context, paper));
    for (size_t i = 0; i < report->signature_count; i++)
        add_signature(context, &report->signatures[i], i + 1, blocks);
    for (size_t i = 0; i < report->note_count; i++)
        add_small(blocks,
                  an_asprintf("%s: %s.", PICK(context, "Lưu ý", "Note"), report_message(context, report->notes[i])));
}

static int
append_part(const char *part, size_t len, void *out)
{
    an_buf_append(out, AN_BYTES(part, len));
    return 0;
}

void
an_report_write_paper(const struct an_report_context *context, const struct an_report_paper *papers, size_t count,
                      struct an_buf *out)
{
    json_t *blocks = json_array();
    json_t *root = json_pack("{s:s, s:s, s:s, s:o}", "kind", "bao-cao", "title",
                             PICK(context, "Kết quả kiểm tra chữ ký số", "Result of signature verification"), "author",
                             "Ấn Tín", "blocks", blocks);

    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            json_array_append_new(blocks, json_pack("{s:b}", "break", 1));
        add_paper(context, &papers[i], blocks);
    }
    if (json_dump_callback(root, append_part, out, JSON_COMPACT) != 0)
        an_die_memory();
    json_decref(root);
}
