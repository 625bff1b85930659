#include "report/internal.h"
void
an_report_write_etsi(const struct an_report_context *context, const struct an_report_paper *papers, size_t count, struct an_buf *out)
{
    (void)context, (void)papers, (void)count, (void)out;
}
