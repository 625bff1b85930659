#include "report/internal.h"

#include "base/buf.h"
#include "base/utf8.h"

static const an_code word_table[] = {[AN_WORD_VALID] = AN_V_WORD_VALID,
                                     [AN_WORD_VALID_WITH_CHANGES] = AN_V_WORD_VALID_WITH_CHANGES,
                                     [AN_WORD_MODIFIED] = AN_V_WORD_MODIFIED,
                                     [AN_WORD_BROKEN] = AN_V_WORD_BROKEN,
                                     [AN_WORD_NOT_ENOUGH] = AN_V_WORD_NOT_ENOUGH};
static const an_code effect_table[] = {[AN_EFFECT_NONE] = AN_V_EFFECT_NONE,
                                       [AN_EFFECT_PERSONAL_ONLY] = AN_V_EFFECT_PERSONAL,
                                       [AN_EFFECT_AGENCY_ONLY] = AN_V_EFFECT_AGENCY,
                                       [AN_EFFECT_BOTH] = AN_V_EFFECT_BOTH,
                                       [AN_EFFECT_INCOMPLETE] = AN_V_EFFECT_INCOMPLETE};

const char *
report_message(const struct an_report_context *context, an_code code)
{
    const struct an_message *message = an_message_find(code);

    return context->english ? message->en : message->vi;
}

/* What was decided by law or policy, not by bytes, has no word of the five: it is simply not valid. */
const char *
report_word(const struct an_report_context *context, enum an_clerk_word word, enum an_indication indication)
{
    if (word == AN_WORD_NOT_ENOUGH && indication == AN_TOTAL_FAILED)
        return PICK(context, "không hợp lệ", "not valid");
    return report_message(context, word_table[word]);
}

const char *
report_tone(enum an_indication indication)
{
    return indication == AN_TOTAL_PASSED ? "good" : indication == AN_TOTAL_FAILED ? "bad" : "open";
}

const char *
report_indication(enum an_indication indication)
{
    return indication == AN_TOTAL_PASSED   ? "TOTAL-PASSED"
           : indication == AN_TOTAL_FAILED ? "TOTAL-FAILED"
                                           : "INDETERMINATE";
}

an_code
report_effect(enum an_legal_effect effect)
{
    return effect_table[effect];
}

char *
report_cite_key(const struct an_report_context *context, const char *key)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(2048);

    if (key && *key && context->regulations)
        an_citation_text(context->regulations, key, context->english, &text);
    return an_strdup_bytes(an_buf_view(&text));
}

char *
report_cite(const struct an_report_context *context, an_code code)
{
    return report_cite_key(context, an_message_find(code)->cite);
}

char *
report_time(const struct an_report_context *context, an_time when)
{
    char iso[AN_TIME_TEXT_MAX];
    struct an_date date;

    if (when == AN_TIME_NONE)
        return an_strdup("");
    if (context->english)
        return an_strdup(an_time_format_vn(when, iso));
    date = an_date_of(when, 7 * 60);
    return an_asprintf("%02d:%02d:%02d ngày %02d/%02d/%04d (+07:00)", date.hour, date.minute, date.second, date.day,
                       date.month, date.year);
}

/* Names of files and fields may be any bytes; what is no UTF-8 is shown as U+FFFD. */
json_t *
report_string(const char *text)
{
    AN_CLEANUP(an_buf_free) struct an_buf clean = an_buf_new(AN_BUF_UNLIMITED);
    an_bytes bytes = an_bytes_of_str(text);
    json_t *json = json_string(text ? text : "");
    size_t at = 0;

    while (!json && at < bytes.len) {
        uint32_t c = an_utf8_next(bytes, &at);
        an_utf8_append(&clean, c == UINT32_MAX ? 0xFFFD : c);
    }
    if (!json)
        json = json_stringn(clean.len ? (const char *)clean.ptr : "", clean.len);
    return json ? json : json_string("?");
}

const char *
report_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}
