#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define VIETNAM_MINUTES (7 * 60)

an_time
an_time_now(void)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    struct timespec now;

    if (fixed != NULL && *fixed != '\0') {
        char *end;
        long long value = strtoll(fixed, &end, 10);
        if (*end == '\0' && value >= 0)
            return value;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

uint64_t
an_time_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Days since 1970-01-01 of a Gregorian date (H. Hinnant's era arithmetic). */
static int64_t
days_of_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct an_date
an_date_of(an_time utc, int offset_minutes)
{
    int64_t local = utc + (int64_t)offset_minutes * 60;
    int64_t days = local / 86400 - (local % 86400 < 0);
    int64_t seconds = local - days * 86400;
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t doe = shifted - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct an_date){.year = (int)(yoe + era * 400 + (month <= 2)),
                            .month = month,
                            .day = (int)(doy - (153 * mp + 2) / 5 + 1),
                            .hour = (int)(seconds / 3600),
                            .minute = (int)(seconds / 60 % 60),
                            .second = (int)(seconds % 60)};
}

static int
month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

an_time
an_time_of_date(const struct an_date *date, int offset_minutes)
{
    if (date->year < 0 || date->year > 9999 || date->month < 1 || date->month > 12 || date->day < 1 ||
        date->day > month_days(date->year, date->month) || date->hour < 0 || date->hour > 23 || date->minute < 0 ||
        date->minute > 59 || date->second < 0 || date->second > 60)
        return AN_TIME_NONE;
    return days_of_date(date->year, date->month, date->day) * 86400 + date->hour * 3600 + date->minute * 60 +
           date->second - (int64_t)offset_minutes * 60;
}

const char *
an_time_format_vn(an_time utc, char buf[static AN_TIME_TEXT_MAX])
{
    struct an_date d;

    buf[0] = '\0';
    if (utc == AN_TIME_NONE)
        return buf;
    d = an_date_of(utc, VIETNAM_MINUTES);
    snprintf(buf, AN_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d+07:00", d.year % 10000, d.month, d.day, d.hour,
             d.minute, d.second);
    return buf;
}

const char *
an_time_format_utc(an_time utc, char buf[static AN_TIME_TEXT_MAX])
{
    struct an_date d;

    buf[0] = '\0';
    if (utc == AN_TIME_NONE)
        return buf;
    d = an_date_of(utc, 0);
    snprintf(buf, AN_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", d.year % 10000, d.month, d.day, d.hour, d.minute,
             d.second);
    return buf;
}

/* n digits at *at, or -1. */
static int
take_digits(an_bytes text, size_t *at, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++, (*at)++) {
        if (*at >= text.len || text.ptr[*at] < '0' || text.ptr[*at] > '9')
            return -1;
        value = value * 10 + (text.ptr[*at] - '0');
    }
    return value;
}

static bool
take_char(an_bytes text, size_t *at, const char *allowed)
{
    if (*at >= text.len || text.ptr[*at] == '\0' || strchr(allowed, text.ptr[*at]) == NULL)
        return false;
    (*at)++;
    return true;
}

static bool
take_offset(an_bytes text, size_t *at, int *ret_minutes)
{
    int hours, minutes, sign;

    if (take_char(text, at, "Zz")) {
        *ret_minutes = 0;
        return *at == text.len;
    }
    sign = *at < text.len && text.ptr[*at] == '-' ? -1 : 1;
    if (!take_char(text, at, "+-") || (hours = take_digits(text, at, 2)) < 0 || !take_char(text, at, ":") ||
        (minutes = take_digits(text, at, 2)) < 0 || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return *at == text.len;
}

an_time
an_time_parse(an_bytes text)
{
    struct an_date date = {0};
    size_t at = 0;
    int offset = VIETNAM_MINUTES;

    date.year = take_digits(text, &at, 4);
    if (!take_char(text, &at, "-"))
        return AN_TIME_NONE;
    date.month = take_digits(text, &at, 2);
    if (!take_char(text, &at, "-"))
        return AN_TIME_NONE;
    date.day = take_digits(text, &at, 2);
    if (at == text.len)
        return an_time_of_date(&date, offset);
    if (!take_char(text, &at, "Tt "))
        return AN_TIME_NONE;
    date.hour = take_digits(text, &at, 2);
    if (!take_char(text, &at, ":"))
        return AN_TIME_NONE;
    date.minute = take_digits(text, &at, 2);
    if (!take_char(text, &at, ":"))
        return AN_TIME_NONE;
    date.second = take_digits(text, &at, 2);
    if (take_char(text, &at, "."))
        while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
            at++;
    if (!take_offset(text, &at, &offset))
        return AN_TIME_NONE;
    return an_time_of_date(&date, offset);
}
