#include "cli/report.h"

#include "base/time.h"

static const char *const indication_table[] = {[AN_TOTAL_PASSED] = "TOTAL-PASSED", [AN_TOTAL_FAILED] = "TOTAL-FAILED",
                                               [AN_INDETERMINATE] = "INDETERMINATE"};
static const char *const status_table[] = {[AN_FINDING_PASSED] = "passed", [AN_FINDING_INDETERMINATE] = "indeterminate",
                                           [AN_FINDING_FAILED] = "failed", [AN_FINDING_NOTE] = "note",
                                           [AN_FINDING_SKIPPED] = "skipped"};
static const char *const word_table[] = {[AN_WORD_VALID] = "hop-le",
                                         [AN_WORD_VALID_WITH_CHANGES] = "hop-le-co-thay-doi-duoc-phep",
                                         [AN_WORD_MODIFIED] = "da-bi-thay-doi", [AN_WORD_BROKEN] = "bi-hong",
                                         [AN_WORD_NOT_ENOUGH] = "chua-du-can-cu"};
static const char *const effect_table[] = {[AN_EFFECT_NONE] = "none", [AN_EFFECT_PERSONAL_ONLY] = "personal-only",
                                           [AN_EFFECT_AGENCY_ONLY] = "agency-only", [AN_EFFECT_BOTH] = "both",
                                           [AN_EFFECT_INCOMPLETE] = "incomplete"};

const char *
indication_text(enum an_indication indication)
{
    return indication_table[indication];
}

static json_t *
text_or_null(const char *text)
{
    return text && *text ? report_text_json(an_bytes_of_str(text)) : json_null();
}

json_t *
report_time_json(an_time when)
{
    char buf[AN_TIME_TEXT_MAX];

    return text_or_null(an_time_format_vn(when, buf));
}

json_t *
report_hex_json(an_bytes bytes)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(AN_BUF_UNLIMITED);

    an_buf_hex(&hex, bytes);
    return json_stringn(hex.len ? (const char *)hex.ptr : "", hex.len);
}

static json_t *
name_json(an_bytes name)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(8192);

    an_name_text(name, &text);
    return report_text_json(an_buf_view(&text));
}

json_t *
report_cert_json(const struct an_cert *cert)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "subject", name_json(cert->subject), "issuer",
                     name_json(cert->issuer), "serial",
                     report_hex_json(cert->serial), "not_before", report_time_json(cert->not_before), "not_after",
                     report_time_json(cert->not_after), "sha256",
                     report_hex_json(AN_BYTES(cert->sha256, sizeof(cert->sha256))));
}

static json_t *
citation_json(struct cli *cli, const char *cite)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(2048);

    cli_citation(cli, cite, &text);
    return text.len ? json_stringn((const char *)text.ptr, text.len) : json_null();
}

json_t *
report_message_json(struct cli *cli, an_code code, const char *detail)
{
    const struct an_message *message = an_message_find(code);

    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "code", message->symbol, "vi", message->vi, "en", message->en,
                     "citation",
                     citation_json(cli, message->cite), "detail", text_or_null(detail));
}

static json_t *
check_json(struct cli *cli, const struct an_finding *f)
{
    const struct an_message *message = an_message_find(f->code);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "id", f->rule, "status", status_table[f->status],
                     "code", message->symbol,
                     "vi", message->vi, "en", message->en, "citation", citation_json(cli, message->cite), "cite",
                     message->cite, "detail",
                     text_or_null(f->detail));
}

static json_t *
modification_json(struct cli *cli, const struct an_modification *m)
{
    const struct an_message *message = an_message_find(m->why);

    return json_pack("{s:o, s:s, s:b, s:I, s:I, s:I, s:s, s:s, s:s, s:o}", "what", text_or_null(m->what), "class",
                     m->class_name ? m->class_name : "", "allowed", (int)m->allowed, "object", (json_int_t)m->object,
                     "offset",
                     (json_int_t)m->offset, "revision", (json_int_t)m->revision, "code", message->symbol, "vi",
                     message->vi, "en",
                     message->en, "citation", citation_json(cli, message->cite));
}

static json_t *
time_stamp_json(const struct an_time_stamp_report *t)
{
    return json_pack("{s:s, s:o, s:o, s:s, s:o}", "kind", t->kind, "time", report_time_json(t->gen_time), "tsa",
                     text_or_null(t->tsa), "indication",
                     indication_table[t->indication], "subindication", text_or_null(t->sub_indication));
}

static json_t *
signature_json(struct cli *cli, const struct an_signature_report *s)
{
    json_t *checks = json_array(), *modifications = json_array(), *certificates = json_array(),
            *time_stamps = json_array();

    for (size_t i = 0; i < s->finding_count; i++)
        json_array_append_new(checks, check_json(cli, &s->findings[i]));
    for (size_t i = 0; i < s->modification_count; i++)
        json_array_append_new(modifications, modification_json(cli, &s->modifications[i]));
    for (size_t i = 0; i < s->chain_count; i++)
        json_array_append_new(certificates, report_cert_json(s->chain[i]));
    for (size_t i = 0; i < s->time_stamp_count; i++)
        json_array_append_new(time_stamps, time_stamp_json(&s->time_stamps[i]));
    return json_pack("{s:o, s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "field",
                     text_or_null(s->field),
                     "indication", indication_table[s->indication], "subindication", text_or_null(s->sub_indication),
                     "word",
                     word_table[s->word], "signer", text_or_null(s->signer), "kind",
                     s->is_time_stamp ? "time-stamp" : s->is_agency ? "agency" : s->is_person ? "person" : "unknown",
                     "level",
                     text_or_null(s->level), "format", text_or_null(s->format), "claimed_time",
                     report_time_json(s->claimed_time), "best_time",
                     report_time_json(s->best_time), "coverage", s->coverage ? s->coverage : "none", "modifications",
                     modifications, "checks",
                     checks, "certificates", certificates, "timestamps", time_stamps);
}

json_t *
report_codes_json(const an_code *codes, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct an_message *message = an_message_find(codes[i]);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code", message->symbol, "vi", message->vi, "en",
                                              message->en));
    }
    return list;
}

json_t *
report_json(struct cli *cli, const char *file, const struct an_report *report)
{
    json_t *signatures = json_array();

    for (size_t i = 0; i < report->signature_count; i++)
        json_array_append_new(signatures, signature_json(cli, &report->signatures[i]));
    return json_pack("{s:o, s:s, s:s, s:o, s:{s:s}, s:o}", "file", report_text_json(an_bytes_of_str(file)),
                     "indication", indication_table[report->indication], "word",
                     word_table[report->word], "signatures", signatures, "document", "legal_effect",
                     effect_table[report->legal_effect],
                     "notes", report_codes_json(report->notes, report->note_count));
}

void
report_print_json(FILE *out, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    fprintf(out, "%s\n", text ? text : "{}");
    free(text);
    json_decref(json);
}
