/*
 * Words for people: the four lines of Bình Thuận Điều 14 khoản 1, the proven time, the overall line, and the notes on
 * quirks of the field. Nothing here changes a verdict.
 */
#include "verify/rules.h"

struct line {
    const char *rule;
    enum an_finding_status (*state)(const struct an_case *sig);
    an_code passed, failed, unknown, none;
};

static enum an_finding_status
worse(enum an_finding_status a, enum an_finding_status b)
{
    return a == AN_FINDING_FAILED || b == AN_FINDING_FAILED ? AN_FINDING_FAILED
           : a == AN_FINDING_INDETERMINATE || b == AN_FINDING_INDETERMINATE ? AN_FINDING_INDETERMINATE
                                                                            : AN_FINDING_PASSED;
}

/* a) Thông tin chữ ký hợp lệ */
static enum an_finding_status
line_signature(const struct an_case *sig)
{
    return worse(worse(sig->structure.status, sig->identified.status), worse(sig->value.status, sig->coverage.status));
}

/* b) Nội dung đã ký số chưa bị thay đổi */
static enum an_finding_status
line_content(const struct an_case *sig)
{
    return worse(worse(sig->integrity.status, sig->changes.status), worse(sig->data.status, sig->coverage.status));
}

/* c) Chứng thư số hợp lệ */
static enum an_finding_status
line_certificate(const struct an_case *sig)
{
    if (!sig->verdict.path)
        return AN_FINDING_INDETERMINATE;
    /* Điều 31: one revoked or out of its time at the proven moment is not valid; the rest is want of knowledge. */
    if (sig->verdict.class_ == AN_CERT_PURPOSE)
        return AN_FINDING_FAILED;
    return sig->verdict.status;
}

/* d) Dấu thời gian trên chữ ký hợp lệ */
static enum an_finding_status
line_stamp(const struct an_case *sig)
{
    enum an_finding_status state = AN_FINDING_NOTE;

    for (size_t i = 0; i < sig->stamps.count; i++) {
        enum an_finding_status one = sig->stamps.items[i].status;

        state = state == AN_FINDING_NOTE ? one : worse(state, one);
    }
    return state;
}

static const struct line lines[] = {
    {"binh-thuan-2017/14/1/a", line_signature, AN_V_LINE_SIGNATURE_OK, AN_V_LINE_SIGNATURE_BAD,
     AN_V_LINE_SIGNATURE_UNKNOWN, AN_OK},
    {"binh-thuan-2017/14/1/b", line_content, AN_V_LINE_CONTENT_OK, AN_V_LINE_CONTENT_BAD, AN_V_LINE_CONTENT_UNKNOWN,
     AN_OK},
    {"binh-thuan-2017/14/1/c", line_certificate, AN_V_LINE_CERT_OK, AN_V_LINE_CERT_BAD, AN_V_LINE_CERT_UNKNOWN, AN_OK},
    {"binh-thuan-2017/14/1/d", line_stamp, AN_V_LINE_STAMP_OK, AN_V_LINE_STAMP_BAD, AN_V_LINE_STAMP_UNKNOWN,
     AN_V_LINE_STAMP_NONE},
};

static void
add_line(struct an_signature_report *report, const struct line *line, enum an_finding_status state)
{
    an_code code = state == AN_FINDING_PASSED          ? line->passed
                   : state == AN_FINDING_FAILED        ? line->failed
                   : state == AN_FINDING_INDETERMINATE ? line->unknown
                                                       : line->none;

    an_finding_add(report, line->rule, state, code, "%s", "");
}

static void
add_time(const struct an_case *sig)
{
    char text[AN_TIME_TEXT_MAX];

    if (sig->has_poe)
        an_finding_add(sig->report, "time.signing", AN_FINDING_PASSED, AN_V_TIME_PROVEN, "%s",
                       an_time_format_vn(sig->best_time, text));
    else
        an_finding_add(sig->report, "time.signing", AN_FINDING_NOTE, AN_V_TIME_CLAIMED, "%s",
                       an_time_format_vn(sig->report->claimed_time, text));
}

/* Local time written as UTC: 7 hours ahead of the time-stamp, give or take one (ecosystem.md 1.7). */
static void
add_clock_quirks(const struct an_case *sig)
{
    an_time claimed = sig->report->claimed_time;

    for (size_t i = 0; i < sig->stamps.count && claimed != AN_TIME_NONE; i++) {
        const struct an_stamp *stamp = &sig->stamps.items[i];
        int64_t ahead;

        if (!stamp->tst || stamp->kind != AN_STAMP_SIGNATURE)
            continue;
        ahead = claimed - stamp->tst->gen_time;
        if (ahead >= 6 * 3600 && ahead <= 8 * 3600)
            an_finding_add(sig->report, "quirk.signing-time", AN_FINDING_NOTE, AN_N_VERIFY_SIGNING_TIME_7H, "%+.1f h",
                           (double)ahead / 3600);
        else if (ahead > 300)
            an_finding_add(sig->report, "quirk.signing-time", AN_FINDING_NOTE, AN_N_VERIFY_CLAIMED_AFTER_STAMP,
                           "%+.1f h", (double)ahead / 3600);
    }
}

static void
add_certificate_quirks(const struct an_case *sig)
{
    const struct an_path_result *path = sig->verdict.path ? &sig->verdict.path->result : NULL;
    an_code quirks[16];
    size_t count = sig->cert ? an_cert_quirks(sig->cert, quirks, AN_COUNT(quirks)) : 0;

    for (size_t i = 0; i < count; i++)
        an_finding_add(sig->report, "quirk.certificate", AN_FINDING_NOTE, quirks[i], "%s", "");
    for (size_t i = 0; path && i + 1 < path->chain_count; i++) {
        if (path->chain[i]->scheme.digest != AN_SHA1)
            continue;
        if (!an_verify_is_excepted(sig->job->policy, &path->chain[i]->scheme, path->chain[i + 1]))
            continue;
        an_finding_add(sig->report, "quirk.sha1-pinned", AN_FINDING_NOTE, AN_N_VERIFY_SHA1_PINNED, "%s", "");
        break;
    }
}

void
an_lines_add(const struct an_case *sig)
{
    static const an_code overall[] = {[AN_TOTAL_PASSED] = AN_V_SIGNATURE_PASSED,
                                      [AN_TOTAL_FAILED] = AN_V_SIGNATURE_FAILED,
                                      [AN_INDETERMINATE] = AN_V_SIGNATURE_UNKNOWN};
    static const enum an_finding_status states[] = {[AN_TOTAL_PASSED] = AN_FINDING_PASSED,
                                                    [AN_TOTAL_FAILED] = AN_FINDING_FAILED,
                                                    [AN_INDETERMINATE] = AN_FINDING_INDETERMINATE};

    add_time(sig);
    for (size_t i = 0; i < AN_COUNT(lines); i++)
        add_line(sig->report, &lines[i], lines[i].state(sig));
    add_clock_quirks(sig);
    add_certificate_quirks(sig);
    an_finding_add(sig->report, "signature.overall", states[sig->report->indication], overall[sig->report->indication],
                   "%s", sig->report->sub_indication);
}
