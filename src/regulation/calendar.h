/*
 * Working days (Bộ luật Lao động Điều 111, 112), from calendars/<id>.yaml: weekends, holidays by the Gregorian date,
 * and for each year the lunar ones and the swapped days that the Government announces. Times are moments; a day is a
 * day of Vietnam's zone.
 */
#pragma once

#include "regulation/regulation.h"

struct an_calendar;
/* id NULL = "viet-nam". dir: a data folder as in an_regulations_open. AN_E_CALENDAR_UNKNOWN. */
an_code an_calendar_open(const char *dir, const char *id, struct an_calendar **ret, struct an_err *reterr) AN_MUST_USE;
/* The file of a calendar by its path, wherever it lies. */
an_code an_calendar_load(const char *path, struct an_calendar **ret, struct an_err *reterr) AN_MUST_USE;
void an_calendar_close(struct an_calendar **calendar);

enum an_day_kind { AN_DAY_WORKING = 0, AN_DAY_WEEKEND, AN_DAY_HOLIDAY, AN_DAY_OFF, /* swapped: off */
                   AN_DAY_MADE_UP /* a weekend day that is worked instead */ };
struct an_day {
    enum an_day_kind kind;
    const char *name_vi, *name_en; /* of a holiday or a swap, else NULL */
    bool unconfirmed;              /* the year's lunar dates or swaps are not announced, or not entered, yet */
};
struct an_day an_calendar_day(const struct an_calendar *calendar, an_time utc);
bool an_calendar_is_working(const struct an_calendar *calendar, an_time utc);

struct an_due {
    an_time last_day_utc; /* 00:00 of the last day, Vietnam's zone */
    an_time due_utc;      /* the first moment that is late: 00:00 of the day after */
    bool unconfirmed;     /* a day on the way is of a year without confirmed dates */
};
/* The n-th working day after the day of from_utc (the day of the event does not count: Bộ luật Dân sự Điều 147). n = 0:
 * that day itself, or the next working day when it is none. */
struct an_due an_calendar_add_working_days(const struct an_calendar *calendar, an_time from_utc, int64_t days);
/* Working days after the day of from_utc up to and with that of to_utc; negative when to is earlier. */
int64_t an_calendar_count_working_days(const struct an_calendar *calendar, an_time from_utc, an_time to_utc);

typedef void (*an_calendar_fn)(void *context, an_time day_utc, const struct an_day *day);
/* Every day of the year that is not an ordinary working day or weekend, by date. */
void an_calendar_each(const struct an_calendar *calendar, int year, an_calendar_fn each, void *context);
