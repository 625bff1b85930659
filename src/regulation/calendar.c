/* Working days: from calendars/<id>.yaml to the kind of a day, and counting along it. */
#include <unistd.h>

#include "base/limits.h"
#include "base/program.h"
#include "regulation/calendar.h"
#include "regulation/internal.h"

#define VN_OFFSET 420
#define DAY_SECONDS 86400

struct fixed_day {
    int month, day;
    const char *vi, *en;
};
struct span {
    int64_t first, last; /* day numbers */
    int kind;            /* enum an_day_kind */
    const char *vi, *en;
};
struct year {
    int year;
    bool confirmed;
    struct span *spans;
    size_t span_count;
};
struct an_calendar {
    struct an_yaml_doc *doc;
    bool weekend[7]; /* 0 = Sunday */
    struct fixed_day *fixed;
    size_t fixed_count;
    struct year *years;
    size_t year_count;
};

/* Days since 1970-01-01 in Vietnam's zone. */
static int64_t
day_number(an_time utc)
{
    int64_t local = utc + VN_OFFSET * 60;

    return local >= 0 ? local / DAY_SECONDS : -((-local + DAY_SECONDS - 1) / DAY_SECONDS);
}

static an_time
day_start(int64_t day)
{
    return day * DAY_SECONDS - VN_OFFSET * 60;
}

/* ---- reading ---- */

static an_code
fail_node(const struct an_calendar *calendar, const struct an_yaml_node *node, struct an_err *reterr, const char *what)
{
    return an_yaml_fail(calendar->doc, node, reterr, AN_E_YAML_TYPE, "%s", what);
}

static an_code
read_weekend(struct an_calendar *calendar, const struct an_yaml_texts *names, const struct an_yaml_node *node,
             struct an_err *reterr)
{
    static const char *const DAYS[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++) {
        size_t day = 0;
        while (day < 7 && strcmp(DAYS[day], names->items[i]) != 0)
            day++;
        if (day == 7)
            return fail_node(calendar, node, reterr, "days of the week by their English names");
        count += !calendar->weekend[day];
        calendar->weekend[day] = true;
    }
    return count < 7 ? AN_OK : fail_node(calendar, node, reterr, "a week has a working day");
}

static bool
is_digits(const char *text, size_t len)
{
    return strspn(text, "0123456789") >= len;
}

static an_code
read_fixed_day(struct an_calendar *calendar, const struct an_yaml_node *node, struct an_err *reterr)
{
    struct fixed_keys {
        const char *on;
        struct fixed_day day;
    } keys = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"on", AN_FIELD_TEXT, true, offsetof(struct fixed_keys, on), NULL},
        {"vi", AN_FIELD_TEXT, true, offsetof(struct fixed_keys, day.vi), NULL},
        {"en", AN_FIELD_TEXT, true, offsetof(struct fixed_keys, day.en), NULL},
    };

    AN_TRY(an_yaml_read_fields(calendar->doc, node, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    bool is_date = strlen(keys.on) == 5 && is_digits(keys.on, 2) && keys.on[2] == '-' && is_digits(keys.on + 3, 2);
    if (!is_date)
        return fail_node(calendar, node, reterr, "\"on\" is MM-DD");
    keys.day.month = (keys.on[0] - '0') * 10 + keys.on[1] - '0';
    keys.day.day = (keys.on[3] - '0') * 10 + keys.on[4] - '0';
    struct an_date leap = {.year = 2024, .month = keys.day.month, .day = keys.day.day};
    if (an_time_of_date(&leap, VN_OFFSET) == AN_TIME_NONE)
        return fail_node(calendar, node, reterr, "no such day");
    calendar->fixed[calendar->fixed_count++] = keys.day;
    return AN_OK;
}

static const char *const SPAN_KINDS[] = {"working", "weekend", "holiday", "off", "made-up", NULL};

static an_code
read_span(struct an_calendar *calendar, struct year *year, const struct an_yaml_node *node, struct an_err *reterr)
{
    struct span_keys {
        an_time from, to;
        struct span span;
    } keys = {.to = AN_TIME_NONE};
    static const struct an_yaml_field FIELDS[] = {
        {"from", AN_FIELD_DATE, true, offsetof(struct span_keys, from), NULL},
        {"to", AN_FIELD_DATE, false, offsetof(struct span_keys, to), NULL},
        {"kind", AN_FIELD_CHOICE, true, offsetof(struct span_keys, span.kind), SPAN_KINDS},
        {"vi", AN_FIELD_TEXT, true, offsetof(struct span_keys, span.vi), NULL},
        {"en", AN_FIELD_TEXT, true, offsetof(struct span_keys, span.en), NULL},
    };

    AN_TRY(an_yaml_read_fields(calendar->doc, node, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    struct span *span = &keys.span;
    span->first = day_number(keys.from);
    span->last = day_number(keys.to == AN_TIME_NONE ? keys.from : keys.to);
    if (span->kind < AN_DAY_HOLIDAY)
        return fail_node(calendar, node, reterr, "kind: holiday, off or made-up");
    bool is_of_year = an_date_of(day_start(span->first), VN_OFFSET).year == year->year &&
                      an_date_of(day_start(span->last), VN_OFFSET).year == year->year;
    if (span->last < span->first || span->last - span->first > 30 || !is_of_year)
        return fail_node(calendar, node, reterr, "from and to are days of this year, in order");
    for (size_t i = 0; i < year->span_count; i++)
        if (span->first <= year->spans[i].last && year->spans[i].first <= span->last)
            return an_yaml_fail(calendar->doc, node, reterr, AN_E_REGULATION_DATES, "overlaps with another row");
    year->spans[year->span_count++] = *span;
    return AN_OK;
}

static an_code
read_year(struct an_calendar *calendar, const struct an_yaml_node *node, struct an_err *reterr)
{
    struct year_keys {
        bool confirmed;
        const char *source;
        const struct an_yaml_node *days;
    } keys = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"confirmed", AN_FIELD_FLAG, true, offsetof(struct year_keys, confirmed), NULL},
        {"source", AN_FIELD_TEXT, true, offsetof(struct year_keys, source), NULL},
        {"days", AN_FIELD_LIST, true, offsetof(struct year_keys, days), NULL},
    };
    struct year *year = &calendar->years[calendar->year_count];

    if (strlen(node->key) != 4 || !is_digits(node->key, 4))
        return fail_node(calendar, node, reterr, "a year is expected");
    AN_TRY(an_yaml_read_fields(calendar->doc, node, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    *year = (struct year){.year = (int)strtol(node->key, NULL, 10), .confirmed = keys.confirmed};
    year->spans = an_arena_alloc(calendar->doc->arena, (keys.days->count + 1) * sizeof(struct span));
    if (!year->spans)
        return an_yaml_fail(calendar->doc, node, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *day = keys.days->first; day; day = day->next)
        AN_TRY(read_span(calendar, year, day, reterr));
    calendar->year_count++;
    return AN_OK;
}

static an_code
read_calendar(struct an_calendar *calendar, struct an_err *reterr)
{
    struct calendar_keys {
        struct an_yaml_texts weekend;
        const struct an_yaml_node *fixed, *years;
        const char *vi, *en;
    } keys = {0};
    static const struct an_yaml_field FIELDS[] = {
        {"vi", AN_FIELD_TEXT, true, offsetof(struct calendar_keys, vi), NULL},
        {"en", AN_FIELD_TEXT, true, offsetof(struct calendar_keys, en), NULL},
        {"weekend", AN_FIELD_TEXTS, true, offsetof(struct calendar_keys, weekend), NULL},
        {"every-year", AN_FIELD_LIST, true, offsetof(struct calendar_keys, fixed), NULL},
        {"years", AN_FIELD_MAP, true, offsetof(struct calendar_keys, years), NULL},
    };
    struct an_yaml_doc *doc = calendar->doc;

    AN_TRY(an_yaml_read_fields(doc, doc->root, FIELDS, AN_COUNT(FIELDS), &keys, reterr));
    AN_TRY(read_weekend(calendar, &keys.weekend, an_yaml_find(doc->root, "weekend"), reterr));
    calendar->fixed = an_arena_alloc(doc->arena, (keys.fixed->count + 1) * sizeof(struct fixed_day));
    calendar->years = an_arena_alloc(doc->arena, (keys.years->count + 1) * sizeof(struct year));
    if (!calendar->fixed || !calendar->years)
        return an_yaml_fail(doc, doc->root, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = keys.fixed->first; node; node = node->next)
        AN_TRY(read_fixed_day(calendar, node, reterr));
    for (const struct an_yaml_node *node = keys.years->first; node; node = node->next)
        AN_TRY(read_year(calendar, node, reterr));
    return AN_OK;
}

/* Takes doc over, also on failure. */
an_code
calendar_read(struct an_yaml_doc *doc, struct an_calendar **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_calendar_close) struct an_calendar *calendar = AN_NEW(struct an_calendar);

    calendar->doc = doc;
    AN_TRY(read_calendar(calendar, reterr));
    *ret = calendar;
    calendar = NULL;
    return AN_OK;
}

an_code
an_calendar_load(const char *path, struct an_calendar **ret, struct an_err *reterr)
{
    struct an_yaml_doc *doc = NULL;

    AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
    return calendar_read(doc, ret, reterr);
}

an_code
an_calendar_open(const char *dir, const char *id, struct an_calendar **ret, struct an_err *reterr)
{
    const char *chosen = secure_getenv("ANTIN_DATA_DIR");
    const char *base = dir ? dir : chosen && chosen[0] ? chosen : an_program_data();
    const char *name = id ? id : "viet-nam";
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/calendars/%.60s.yaml", base, name);

    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name) || access(path, R_OK) != 0)
        AN_FAIL(reterr, AN_E_CALENDAR_UNKNOWN, "%.60s", name);
    return an_calendar_load(path, ret, reterr);
}

void
an_calendar_close(struct an_calendar **calendar)
{
    if (!*calendar)
        return;
    an_yaml_free(&(*calendar)->doc);
    free(*calendar);
    *calendar = NULL;
}

/* ---- asking ---- */

static const struct year *
find_year(const struct an_calendar *calendar, int year)
{
    for (size_t i = 0; i < calendar->year_count; i++)
        if (calendar->years[i].year == year)
            return &calendar->years[i];
    return NULL;
}

static struct an_day
kind_of_day(const struct an_calendar *calendar, int64_t number)
{
    struct an_date date = an_date_of(day_start(number), VN_OFFSET);
    const struct year *year = find_year(calendar, date.year);
    struct an_day day = {.unconfirmed = !year || !year->confirmed};

    for (size_t i = 0; year && i < year->span_count; i++) {
        const struct span *span = &year->spans[i];
        if (number >= span->first && number <= span->last) {
            day.kind = (enum an_day_kind)span->kind;
            day.name_vi = span->vi;
            day.name_en = span->en;
            return day;
        }
    }
    for (size_t i = 0; i < calendar->fixed_count; i++) {
        const struct fixed_day *fixed = &calendar->fixed[i];
        if (fixed->month == date.month && fixed->day == date.day) {
            day.kind = AN_DAY_HOLIDAY;
            day.name_vi = fixed->vi;
            day.name_en = fixed->en;
            return day;
        }
    }
    int64_t weekday = ((number + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    day.kind = calendar->weekend[weekday] ? AN_DAY_WEEKEND : AN_DAY_WORKING;
    return day;
}

struct an_day
an_calendar_day(const struct an_calendar *calendar, an_time utc)
{
    return kind_of_day(calendar, day_number(utc));
}

static bool
kind_is_working(enum an_day_kind kind)
{
    return kind == AN_DAY_WORKING || kind == AN_DAY_MADE_UP;
}

bool
an_calendar_is_working(const struct an_calendar *calendar, an_time utc)
{
    return kind_is_working(an_calendar_day(calendar, utc).kind);
}

struct an_due
an_calendar_add_working_days(const struct an_calendar *calendar, an_time from_utc, int64_t days)
{
    int64_t wanted = days < 0 ? 0 : days > AN_LIMIT_WORKING_DAYS ? AN_LIMIT_WORKING_DAYS : days;
    int64_t number = day_number(from_utc);
    struct an_due due = {0};
    struct an_day day = kind_of_day(calendar, number);

    for (int64_t passed = 0; wanted == 0 ? !kind_is_working(day.kind) : passed < wanted;
         passed += kind_is_working(day.kind)) {
        day = kind_of_day(calendar, ++number);
        due.unconfirmed = due.unconfirmed || day.unconfirmed;
    }
    due.unconfirmed = due.unconfirmed || (wanted == 0 && day.unconfirmed);
    due.last_day_utc = day_start(number);
    due.due_utc = day_start(number + 1);
    return due;
}

int64_t
an_calendar_count_working_days(const struct an_calendar *calendar, an_time from_utc, an_time to_utc)
{
    int64_t from = day_number(from_utc), to = day_number(to_utc), count = 0;
    bool is_back = to < from;
    int64_t first = is_back ? to : from, last = is_back ? from : to;

    if (last - first > AN_LIMIT_WORKING_DAYS * 2)
        last = first + AN_LIMIT_WORKING_DAYS * 2;
    for (int64_t number = first + 1; number <= last; number++)
        count += kind_is_working(kind_of_day(calendar, number).kind);
    return is_back ? -count : count;
}

void
an_calendar_each(const struct an_calendar *calendar, int year, an_calendar_fn each, void *context)
{
    struct an_date first = {.year = year, .month = 1, .day = 1}, next = {.year = year + 1, .month = 1, .day = 1};
    int64_t end = day_number(an_time_of_date(&next, VN_OFFSET));

    for (int64_t number = day_number(an_time_of_date(&first, VN_OFFSET)); number < end; number++) {
        struct an_day day = kind_of_day(calendar, number);
        if (day.kind >= AN_DAY_HOLIDAY)
            each(context, day_start(number), &day);
    }
}
