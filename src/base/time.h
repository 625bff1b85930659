/* One type for moments: seconds since 1970-01-01T00:00:00Z. Vietnam's zone (+07:00, no summer time) is for show. */
#pragma once

#include "base/bytes.h"

typedef int64_t an_time;
#define AN_TIME_NONE INT64_MIN /* "not known" */

struct an_date { /* proleptic Gregorian */
    int year, month, day, hour, minute, second;
};

/* The clock; the only place that reads it. SOURCE_DATE_EPOCH, when set, stands in its place (reproducible builds). */
an_time an_time_now(void);
uint64_t an_time_monotonic_ms(void);
struct an_date an_date_of(an_time utc, int offset_minutes);
/* AN_TIME_NONE when a field is out of range. */
an_time an_time_of_date(const struct an_date *date, int offset_minutes);

#define AN_TIME_TEXT_MAX 40
/* "2025-12-02T09:30:05+07:00": ISO 8601 in Vietnam's zone, as the regulations ask. "" for AN_TIME_NONE. */
const char *an_time_format_vn(an_time utc, char buf[static AN_TIME_TEXT_MAX]);
const char *an_time_format_utc(an_time utc, char buf[static AN_TIME_TEXT_MAX]); /* "…Z", RFC 3339 */
/* RFC 3339 date-time ("T" or space, fraction ignored, "Z" or offset) or a date alone (00:00 Vietnam's zone).
 * AN_TIME_NONE when malformed. */
an_time an_time_parse(an_bytes text);
