/*
 * Fifteen rules are too many for a page: five checks, each with the rule that decides it. They follow the four lines of
 * Bình Thuận Điều 14 khoản 1; the certificate's is told as two, as NĐ 68/2024 Điều 31 and 32 tell it.
 */
#include "report/internal.h"

#include "base/buf.h"

#define RULES_MAX 8

/* The order inside a row: which rule speaks for it when all have passed. */
static const struct {
    const char *vi, *en;
    const char *rules[RULES_MAX];
} groups[REPORT_CHECKS] = {
    {"Chữ ký",
     "Signature",
     {"signature.value", "signature.certificate", "format.structure", "format.byte-range", "signature.data",
      "signature.constraints", "signature.algorithm"}},
    {"Nội dung đã ký", "Signed content", {"document.changes", "signature.integrity"}},
    {"Chứng thư số", "Certificate", {"certificate.validity", "certificate.path", "certificate.usage"}},
    {"Trạng thái", "Status", {"certificate.status"}},
    {"Dấu thời gian", "Time-stamp", {"time-stamp.signature", "time-stamp.document", "time-stamp.order"}},
};

static int
weight(enum an_finding_status status)
{
    static const int weights[] = {[AN_FINDING_PASSED] = 3,
                                  [AN_FINDING_INDETERMINATE] = 4,
                                  [AN_FINDING_FAILED] = 5,
                                  [AN_FINDING_NOTE] = 2,
                                  [AN_FINDING_SKIPPED] = 1};

    return weights[status];
}

/* A rule writes one finding of its own, and perhaps a note that gives the exact reason. */
static void
weigh_rule(const struct an_signature_report *signature, const char *rule, struct report_check *check)
{
    for (size_t i = 0; i < signature->finding_count; i++) {
        const struct an_finding *finding = &signature->findings[i];

        if (strcmp(finding->rule, rule) != 0)
            continue;
        if (check->finding && weight(finding->status) <= weight(check->finding->status))
            return;
        check->finding = finding;
        check->why = i + 1 < signature->finding_count && strcmp(finding[1].rule, rule) == 0 &&
                             finding[1].status == AN_FINDING_NOTE
                         ? &finding[1]
                         : NULL;
        return;
    }
}

size_t
report_checks(const struct an_signature_report *signature, struct report_check ret[static REPORT_CHECKS])
{
    size_t count = 0;

    for (size_t i = 0; i < REPORT_CHECKS; i++) {
        struct report_check check = {.vi = groups[i].vi, .en = groups[i].en};

        for (size_t k = 0; k < RULES_MAX && groups[i].rules[k]; k++)
            weigh_rule(signature, groups[i].rules[k], &check);
        if (check.finding)
            ret[count++] = check;
    }
    return count;
}

/* Numbers and names of algorithms mean nothing to the reader of a passed check. */
static bool
shows_detail(const struct report_check *check)
{
    enum an_finding_status status = check->finding->status;

    return (status == AN_FINDING_FAILED || status == AN_FINDING_INDETERMINATE) && check->finding->detail &&
           *check->finding->detail && strcmp(check->finding->rule, "document.changes") != 0;
}

char *
report_check_text(const struct an_report_context *context, const struct report_check *check)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(8192);

    an_buf_str(&text, report_message(context, check->finding->code));
    if (shows_detail(check))
        an_buf_printf(&text, " (%s)", check->finding->detail);
    if (check->why &&
        strcmp(report_message(context, check->why->code), report_message(context, check->finding->code)) != 0)
        an_buf_printf(&text, ". %s", report_message(context, check->why->code));
    return an_strdup_bytes(an_buf_view(&text));
}

const struct report_check *
report_decisive(const struct report_check *checks, size_t count)
{
    const struct report_check *worst = NULL;

    for (size_t i = 0; i < count; i++) {
        enum an_finding_status status = checks[i].finding->status;

        if (status != AN_FINDING_FAILED && status != AN_FINDING_INDETERMINATE)
            continue;
        if (!worst || weight(status) > weight(worst->finding->status))
            worst = &checks[i];
    }
    return worst;
}
