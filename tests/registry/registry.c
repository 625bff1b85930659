/* registry/: agencies, people, posts, roles, subscribers, on either engine. */
#include "registry/reorganise.h"
#include "registry/store_test.h"

/* ---- identifiers ---- */
static void
codes_of_agencies(void **state)
{
    static const struct { const char *code; enum an_code_form form; const char *normal; } table[] = {
        {"H53.6", AN_CODE_CURRENT, "H53.6"}, {"G11.07.05", AN_CODE_CURRENT, "G11.07.05"}, {"H08", AN_CODE_CURRENT, "H08"},
        {"A01.B2C.3", AN_CODE_CURRENT, "A01.B2C.3"}, {"000.01.02.H08", AN_CODE_LEGACY, "H08.02.01"}, {"000.00.05.H53", AN_CODE_LEGACY, "H53.05"},
        {"000.00.00.H53", AN_CODE_LEGACY, "H53"},
        {"", AN_CODE_WRONG, NULL}, {"h53.6", AN_CODE_WRONG, NULL}, {"H5.6", AN_CODE_WRONG, NULL}, {"H53.", AN_CODE_WRONG, NULL},
        {"H53..6", AN_CODE_WRONG, NULL}, {".H53", AN_CODE_WRONG, NULL}, {"H53.6 ", AN_CODE_WRONG, NULL}, {"H53-6", AN_CODE_WRONG, NULL},
        {"HH3.6", AN_CODE_WRONG, NULL}, {"H53.Đ", AN_CODE_WRONG, NULL},
        {"H53.1234567890123456789012345678901", AN_CODE_CURRENT, "H53.1234567890123456789012345678901"}, /* 35 */
        {"H53.12345678901234567890123456789012", AN_CODE_WRONG, NULL},                                  /* 36 */
        {"H53.A.A.A.A.A.A.A.A.A.A.A.A.A.A.A.A", AN_CODE_CURRENT, "H53.A.A.A.A.A.A.A.A.A.A.A.A.A.A.A.A"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        char normal[AN_AGENCY_CODE_MAX + 1] = "";
        struct an_err err = {0};
        an_code code;
        if (an_agency_code_form(an_bytes_of_str(table[i].code)) != table[i].form)
            fail_msg("%s", table[i].code);
        code = an_agency_code_normalise(an_bytes_of_str(table[i].code), normal, &err);
        assert_int_equal(code, table[i].normal ? AN_OK : AN_E_AGENCY_CODE);
        assert_string_equal(normal, table[i].normal ? table[i].normal : "");
    }
}

/* ---- agencies ---- */
static int64_t ubnd, so_khcn, so_tc, phong;

static an_code
add_agencies(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct { int64_t *id; const struct an_agency agency; int64_t *superior; } table[] = {
        {&ubnd, {.code = "H53", .name = "Ủy ban nhân dân tỉnh Tây Ninh (MẪU)", .hierarchy = "state", .regulation = "tay-ninh-2025",
                 .email_domain = "tayninh-mau.vn", .since = AN_TIME_NONE}, NULL},
        {&so_khcn, {.code = "H53.6", .name = "Sở  Khoa học và Công nghệ ", .hierarchy = "state", .seal_um = 36000, .tax_code = "0100123456",
                    .budget_code = "1234567", .since = AN_TIME_NONE}, &ubnd},
        {&so_tc, {.code = "000.00.07.H53", .name = "Sở Tài chính", .hierarchy = "state", .since = AN_TIME_NONE}, &ubnd},
        {&phong, {.name = "Phòng Chuyển đổi số", .hierarchy = "state", .regulation = "", .since = AN_TIME_NONE}, &so_khcn},
    };

    (void)context;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_agency agency = table[i].agency;
        agency.superior = table[i].superior ? *table[i].superior : 0;
        AN_TRY(an_agency_add(tx, &agency, table[i].id, reterr));
    }
    return AN_OK;
}

static an_code
add_one(struct an_tx *tx, void *context, struct an_err *reterr)
{
    int64_t id = 0;

    return an_agency_add(tx, context, &id, reterr);
}

static an_code
look_at_agencies(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_agency agency = {0};
    const char *regulation = NULL;
    bool is_below = false, is_closed = true;

    (void)context;
    AN_TRY(an_agency_find_code(tx, "H53.6", arena, &agency, &is_closed, reterr));
    assert_string_equal(agency.name, "Sở Khoa học và Công nghệ");
    assert_int_equal(agency.seal_um, 36000);
    assert_int_equal(agency.since, AN_TIME_NONE);
    assert_false(is_closed);
    AN_TRY(an_agency_find_code(tx, "000.00.07.H53", arena, &agency, NULL, reterr));
    assert_string_equal(agency.code, "H53.07");
    AN_TRY(an_agency_find_code(tx, "000.00.06.H53", arena, &agency, NULL, reterr)); /* 06 then, 6 now */
    assert_string_equal(agency.code, "H53.6");
    AN_TRY(an_agency_is_below(tx, phong, ubnd, &is_below, reterr));
    assert_true(is_below);
    AN_TRY(an_agency_is_below(tx, so_tc, so_khcn, &is_below, reterr));
    assert_false(is_below);
    AN_TRY(an_agency_regulation(tx, phong, arena, &regulation, reterr));
    assert_string_equal(regulation, "tay-ninh-2025");
    expect(an_agency_find_code(tx, "H99.1", arena, &agency, NULL, reterr), AN_E_AGENCY_UNKNOWN, reterr, "H99.1");
    return AN_OK;
}

static an_code
make_loop(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_agency agency = {0};

    (void)context;
    AN_TRY(an_agency_find(tx, ubnd, arena, &agency, reterr));
    agency.superior = phong;
    return an_agency_edit(tx, &agency, reterr);
}

static an_code
change_code(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_agency agency = {0};
    bool is_closed = false;

    (void)context;
    AN_TRY(an_agency_change_code(tx, so_tc, "H53.8", "QĐ 09/2025/QĐ-TTg", 1751302800, reterr));
    AN_TRY(an_agency_find_code(tx, "H53.07", arena, &agency, &is_closed, reterr)); /* the old code still leads there */
    assert_true(is_closed);
    assert_string_equal(agency.code, "H53.8");
    return AN_OK;
}

static void
agencies_are_a_tree(void **state)
{
    static const struct { struct an_agency agency; an_code want; } bad[] = {
        {{.code = "H53.6", .name = "Trùng", .hierarchy = "state"}, AN_E_AGENCY_CODE_TAKEN},
        {{.code = "53.6", .name = "Sai mã", .hierarchy = "state"}, AN_E_AGENCY_CODE},
        {{.name = "", .hierarchy = "state"}, AN_E_AGENCY_FIELD},
        {{.name = "A", .hierarchy = "khác"}, AN_E_AGENCY_FIELD},
        {{.name = "A", .hierarchy = "party", .tax_code = "12a4567890"}, AN_E_AGENCY_FIELD},
        {{.name = "A", .hierarchy = "party", .budget_code = "123"}, AN_E_AGENCY_FIELD},
        {{.name = "A", .hierarchy = "state", .email_domain = "Tay Ninh"}, AN_E_AGENCY_FIELD},
        {{.name = "A", .hierarchy = "state", .seal_um = 36}, AN_E_AGENCY_FIELD},
        {{.name = "A", .hierarchy = "state", .superior = 9999}, AN_E_AGENCY_UNKNOWN},
        {{.name = "A\xff", .hierarchy = "state"}, AN_E_REGISTRY_TEXT},
    };
    struct an_err err = {0};

    (void)state;
    expect(write_with(add_agencies, NULL, &err), AN_OK, &err, "agencies");
    for (size_t i = 0; i < AN_COUNT(bad); i++) {
        struct an_agency agency = bad[i].agency;
        agency.since = AN_TIME_NONE;
        expect(write_with(add_one, &agency, &err), bad[i].want, &err, agency.name);
    }
    expect(write_with(look_at_agencies, NULL, &err), AN_OK, &err, "look");
    expect(write_with(make_loop, NULL, &err), AN_E_AGENCY_LOOP, &err, "loop");
    expect(write_with(change_code, NULL, &err), AN_OK, &err, "change code");
}

/* ---- people ---- */
static const struct { const char *name, *email, *identity; } folk[] = {
    {"Nguyễn Thị Ưởng", "uongnt@tayninh.gov.vn", "072180000001"}, {"Trần Văn Bình", "binhtv@tayninh-mau.vn", "072180000002"},
    {"Nguyễn Văn An", "annv@skhcn.tayninh.gov.vn", NULL}, {"Đặng Thị An", "andt@bcy.gov.vn", NULL}, {"Lê An Bình", "binhla@tayninh.dcs.vn", NULL},
};
static int64_t people[AN_COUNT(folk)];

static an_code
add_people(struct an_tx *tx, void *context, struct an_err *reterr)
{
    (void)context;
    for (size_t i = 0; i < AN_COUNT(folk); i++) {
        const struct an_person person = {.name = folk[i].name, .email = folk[i].email, .identity = folk[i].identity, .agency = phong,
                                         .born = 473385600, .identity_issued = AN_TIME_NONE, .since = AN_TIME_NONE, .retires = AN_TIME_NONE};
        char number[32];
        AN_TRY(an_person_add(tx, &person, &people[i], number, reterr));
        assert_true(strncmp(number, "CB00000", 7) == 0);
    }
    return AN_OK;
}

static an_code
add_one_person(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct an_person *given = context;
    struct an_person person = *given;
    char number[32];
    int64_t id = 0;

    person.agency = person.agency ? person.agency : phong;
    person.identity_issued = person.since = person.retires = AN_TIME_NONE;
    return an_person_add(tx, &person, &id, number, reterr);
}

struct names { char text[4096]; size_t count; };

static an_code
note_name(void *context, const struct an_person *person, struct an_err *reterr)
{
    struct names *names = context;
    size_t used = strlen(names->text);

    (void)reterr;
    snprintf(names->text + used, sizeof(names->text) - used, "%s%s", used ? "; " : "", person->name);
    names->count++;
    return AN_OK;
}

struct search { const char *text, *want; size_t limit; int64_t *agency; };

/* All pages of a search, each in a transaction of its own. */
static an_code
search_page(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct { const struct search *search; const char *cursor; struct names names; } *at = context;
    const struct an_page page = {.text = at->search->text, .limit = at->search->limit, .cursor = at->cursor,
                                 .agency = at->search->agency ? *at->search->agency : 0};

    return an_person_list(tx, &page, arena, note_name, &at->names, &at->cursor, reterr);
}

static void
people_are_found_without_accents(void **state)
{
    static const struct search table[] = {
        {"nguyen", "Nguyễn Thị Ưởng; Nguyễn Văn An", 0, NULL},
        {"NGUYỄN V", "Nguyễn Văn An", 0, NULL},
        {"an", "Lê An Bình; Đặng Thị An; Nguyễn Văn An", 0, NULL}, /* in the middle, and given names */
        {"an", "Lê An Bình; Đặng Thị An; Nguyễn Văn An", 1, NULL},
        {"thị", "Đặng Thị An; Nguyễn Thị Ưởng", 1, NULL},
        {"van b", "Trần Văn Bình", 0, NULL},
        {"binh", "Lê An Bình; Trần Văn Bình", 0, NULL},
        {"uong nguyen", "Nguyễn Thị Ưởng", 1, NULL},
        {"dang", "Đặng Thị An", 0, NULL},
        {"xyz", "", 0, NULL}, {"%", "", 0, NULL},
        {NULL, "Đặng Thị An; Lê An Bình; Nguyễn Thị Ưởng; Nguyễn Văn An; Trần Văn Bình", 2, NULL},
        {NULL, "Đặng Thị An; Lê An Bình; Nguyễn Thị Ưởng; Nguyễn Văn An; Trần Văn Bình", 1, &phong},
        {"an", "", 0, &so_tc},
    };
    struct an_err err = {0};

    (void)state;
    expect(write_with(add_people, NULL, &err), AN_OK, &err, "people");
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct { const struct search *search; const char *cursor; struct names names; } at = {&table[i], NULL, {"", 0}};
        size_t pages = 0;
        do {
            expect(write_with(search_page, &at, &err), AN_OK, &err, "search");
            pages++;
        } while (at.cursor != NULL && pages < 20);
        if (strcmp(at.names.text, table[i].want) != 0)
            fail_msg("row %zu: %s, wanted %s", i, at.names.text, table[i].want);
    }
}

static void
wrong_people_are_refused(void **state)
{
    static const struct { struct an_person person; an_code want; } table[] = {
        {{.name = "A B", .email = "ab@gmail.com"}, AN_E_PERSON_EMAIL}, {{.name = "A B", .email = "ab@tayninh.gov.vn.evil.com"}, AN_E_PERSON_EMAIL},
        {{.name = "A B", .email = "ab@xgov.vn"}, AN_E_PERSON_EMAIL}, {{.name = "A B", .email = "ab"}, AN_E_PERSON_EMAIL},
        {{.name = "A B", .email = "a@b@x.gov.vn"}, AN_E_PERSON_EMAIL}, {{.name = "A B", .email = "a..b@x.gov.vn"}, AN_E_PERSON_EMAIL},
        {{.name = "A B", .email = "AB@TayNinh.GOV.vn"}, AN_OK}, {{.name = "A B", .email = "ab@tayninh.gov.vn"}, AN_E_PERSON_TAKEN},
        {{.name = "A B", .identity = "123"}, AN_E_PERSON_IDENTITY}, {{.name = "A B", .identity = "07218000000a"}, AN_E_PERSON_IDENTITY},
        {{.name = "A B", .identity = "072180000001"}, AN_E_PERSON_TAKEN}, {{.name = "A B", .identity = "072 180 000 009"}, AN_OK},
        {{.name = ""}, AN_E_PERSON_FIELD}, {{.name = "A B", .phone = "gọi sau"}, AN_E_PERSON_FIELD}, {{.name = "A B", .phone = "123"}, AN_E_PERSON_FIELD},
        {{.name = "A B", .born = 9999999999}, AN_E_PERSON_FIELD}, {{.name = "A B", .number = "cb 1"}, AN_E_PERSON_FIELD},
        {{.name = "A B", .number = "CB000001"}, AN_E_PERSON_TAKEN}, {{.name = "A B", .agency = 777}, AN_E_AGENCY_CLOSED},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_person person = table[i].person;
        struct an_err err = {0};
        person.born = person.born ? person.born : AN_TIME_NONE;
        an_code code = write_with(add_one_person, &person, &err);
        if (code != table[i].want)
            fail_msg("row %zu: %s %s", i, an_message_find(code)->symbol, err.detail);
        assert_true(person.identity == NULL || strstr(err.detail, person.identity) == NULL); /* personal data stays out of messages */
    }
}

/* ---- posts and roles ---- */
#define DAY(n) ((an_time)1700000000 + (an_time)(n) * 86400)

static an_code
hold_posts(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct an_post director = {.person = people[0], .agency = so_khcn, .title = "Giám đốc Sở", .is_head = true, .document = "12/QĐ-UBND",
                                     .since = DAY(0), .until = DAY(100)};
    const struct an_post deputy = {.person = people[1], .agency = so_khcn, .title = "Phó Giám đốc", .authority = "KT", .since = DAY(0), .until = AN_TIME_NONE};
    const struct an_post next = {.person = people[1], .agency = so_khcn, .title = "Giám đốc Sở", .is_head = true, .since = DAY(100), .until = AN_TIME_NONE};
    const struct an_duty qltt = {.person = people[0], .agency = so_khcn, .role = "qltt", .basis = "post", .since = DAY(0), .until = DAY(100)};
    const struct an_duty clerk = {.person = people[2], .agency = so_khcn, .role = "van-thu", .basis = "delegation", .document = "05/QĐ-SKHCN",
                                  .since = DAY(10), .until = AN_TIME_NONE};
    int64_t id = 0;

    (void)context;
    AN_TRY(an_post_add(tx, &director, &id, reterr));
    AN_TRY(an_post_add(tx, &deputy, &id, reterr));
    AN_TRY(an_post_add(tx, &next, &id, reterr));
    AN_TRY(an_duty_add(tx, &qltt, &id, reterr));
    return an_duty_add(tx, &clerk, &id, reterr);
}

static an_code
ask_roles(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct { int64_t person; const char *role; int64_t agency; an_time at; bool may; } table[] = {
        {people[0], "qltt", so_khcn, DAY(1), true}, {people[0], "qltt", phong, DAY(1), true}, /* and what is below */
        {people[0], "qltt", so_tc, DAY(1), false}, {people[0], "qltt", ubnd, DAY(1), false}, /* not beside, not above */
        {people[0], "qltt", so_khcn, DAY(-1), false}, {people[0], "qltt", so_khcn, DAY(100), false}, /* until is no longer in */
        {people[0], "qltt", 0, DAY(99), true}, {people[0], "van-thu", 0, DAY(99), false},
        {people[2], "van-thu", so_khcn, DAY(9), false}, {people[2], "van-thu", so_khcn, DAY(10), true}, {people[2], "van-thu", so_khcn, DAY(99999), true},
    };
    struct an_post post = {0};

    (void)context;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        bool may = !table[i].may;
        AN_TRY(an_registry_may(tx, table[i].person, table[i].role, table[i].agency, table[i].at, &may, NULL, reterr));
        if (may != table[i].may)
            fail_msg("row %zu", i);
    }
    AN_TRY(an_agency_head(tx, so_khcn, DAY(50), arena, &post, reterr));
    assert_string_equal(post.person_name, "Nguyễn Thị Ưởng");
    AN_TRY(an_agency_head(tx, so_khcn, DAY(100), arena, &post, reterr));
    assert_string_equal(post.person_name, "Trần Văn Bình");
    AN_TRY(an_agency_head(tx, so_tc, DAY(100), arena, &post, reterr));
    assert_int_equal(post.id, 0);
    AN_TRY(an_post_at(tx, people[1], 0, DAY(50), arena, &post, reterr));
    assert_string_equal(post.authority, "KT");
    AN_TRY(an_post_at(tx, people[1], so_khcn, DAY(150), arena, &post, reterr));
    assert_string_equal(post.title, "Giám đốc Sở");
    return AN_OK;
}

static an_code
bad_duty(struct an_tx *tx, void *context, struct an_err *reterr)
{
    int64_t id = 0;

    return an_duty_add(tx, context, &id, reterr);
}

static an_code
leave(struct an_tx *tx, void *context, struct an_err *reterr)
{
    bool may = true;

    (void)context;
    AN_TRY(an_person_end(tx, people[2], "retired", DAY(200), reterr));
    AN_TRY(an_registry_may(tx, people[2], "van-thu", so_khcn, DAY(201), &may, NULL, reterr));
    assert_false(may);
    return an_person_end(tx, people[2], "retired", DAY(201), reterr);
}

static void
roles_by_post_and_by_document(void **state)
{
    const struct an_duty no_document = {.person = people[3], .agency = so_khcn, .role = "van-thu", .basis = "delegation", .since = DAY(0), .until = AN_TIME_NONE};
    const struct an_duty backwards = {.person = people[3], .agency = so_khcn, .role = "van-thu", .basis = "post", .since = DAY(5), .until = DAY(4)};
    struct an_err err = {0};

    (void)state;
    expect(write_with(hold_posts, NULL, &err), AN_OK, &err, "posts");
    expect(write_with(ask_roles, NULL, &err), AN_OK, &err, "roles");
    union { const struct an_duty *in; void *out; } bad = {.in = &no_document};
    expect(write_with(bad_duty, bad.out, &err), AN_E_DUTY_DOCUMENT, &err, "no document");
    bad.in = &backwards;
    expect(write_with(bad_duty, bad.out, &err), AN_E_REGISTRY_PERIOD, &err, "backwards");
    expect(write_with(leave, NULL, &err), AN_E_PERSON_UNKNOWN, &err, "twice retired");
}

/* ---- subscribers ---- */
static an_code
add_subscriber(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_subscriber subscriber = *(const struct an_subscriber *)context;
    char number[32];
    int64_t id = 0;

    subscriber.agency = subscriber.agency ? subscriber.agency : so_khcn;
    subscriber.since = DAY(0);
    AN_TRY(an_subscriber_add(tx, &subscriber, &id, number, reterr));
    AN_TRY(an_subscriber_find_number(tx, number, arena, &subscriber, reterr));
    assert_int_equal(subscriber.id, id);
    return AN_OK;
}

struct serials { char text[256]; };

static an_code
note_serial(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    struct serials *serials = context;

    (void)reterr;
    snprintf(serials->text + strlen(serials->text), sizeof(serials->text) - strlen(serials->text), "%s ", cert->serial);
    return AN_OK;
}

static an_code
link_certificates(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_subscriber subscriber = {0};
    struct an_subscriber_cert found = {0};
    struct serials serials = {""};

    (void)context;
    AN_TRY(an_subscriber_of_person(tx, people[0], arena, &subscriber, reterr));
    assert_string_equal(subscriber.name, "Nguyễn Thị Ưởng");
    assert_string_equal(subscriber.email, "uongnt@tayninh.gov.vn");
    AN_TRY(an_subscriber_link_cert(tx, &(struct an_subscriber_cert){.serial = "0a1b", .subscriber = subscriber.id, .since = DAY(1)}, reterr));
    AN_TRY(an_subscriber_link_cert(tx, &(struct an_subscriber_cert){.serial = "0a1c", .subscriber = subscriber.id, .since = DAY(2)}, reterr));
    AN_TRY(an_subscriber_certs(tx, subscriber.id, 0, note_serial, &serials, reterr));
    assert_string_equal(serials.text, "0a1c 0a1b ");
    AN_TRY(an_subscriber_of_cert(tx, "0a1b", arena, &found, reterr));
    assert_int_equal(found.subscriber, subscriber.id);
    AN_TRY(an_subscriber_of_cert(tx, "ffff", arena, &found, reterr));
    assert_int_equal(found.subscriber, 0);
    AN_TRY(an_subscriber_end(tx, subscriber.id, DAY(9), reterr));
    return an_subscriber_end(tx, subscriber.id, DAY(10), reterr);
}

static void
subscribers_of_four_kinds(void **state)
{
    const struct { struct an_subscriber subscriber; an_code want; } table[] = {
        {{.kind = "person", .person = people[0]}, AN_OK}, {{.kind = "person", .person = people[0]}, AN_E_SUBSCRIBER_TAKEN},
        {{.kind = "person"}, AN_E_SUBSCRIBER_KIND}, {{.kind = "person", .person = people[2]}, AN_OK}, {{.kind = "person", .person = 4711}, AN_E_PERSON_UNKNOWN},
        {{.kind = "agency"}, AN_OK}, {{.kind = "agency"}, AN_E_SUBSCRIBER_TAKEN}, {{.kind = "agency", .person = people[1]}, AN_E_SUBSCRIBER_KIND},
        {{.kind = "agency-second"}, AN_E_SUBSCRIBER_KIND}, {{.kind = "agency-second", .label = "Trung tâm Phục vụ hành chính công"}, AN_OK},
        {{.kind = "agency-second", .label = "Trung tâm Phục vụ hành chính công"}, AN_E_SUBSCRIBER_TAKEN},
        {{.kind = "agency-second", .label = "Bộ phận Một cửa"}, AN_OK},
        {{.kind = "device-service-software", .label = "cổng dịch vụ công"}, AN_E_SUBSCRIBER_KIND}, /* it has a name of its own */
        {{.kind = "device-service-software", .label = "tên miền", .name = "dichvucong.tayninh.gov.vn"}, AN_OK},
        {{.kind = "device-service-software", .label = "tên miền", .name = "b", .email = "x@gmail.com"}, AN_E_SUBSCRIBER_TAKEN},
        {{.kind = "device-service-software", .label = "máy chủ", .name = "b", .email = "x@gmail.com"}, AN_E_PERSON_EMAIL},
        {{.kind = "khác"}, AN_E_SUBSCRIBER_KIND}, {{.kind = "agency", .agency = 999}, AN_E_AGENCY_UNKNOWN},
    };
    struct an_err err = {0};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_subscriber subscriber = table[i].subscriber;
        an_code code = write_with(add_subscriber, &subscriber, &err);
        if (code != table[i].want)
            fail_msg("row %zu: %s %s", i, an_message_find(code)->symbol, err.detail);
    }
    expect(write_with(link_certificates, NULL, &err), AN_E_SUBSCRIBER_UNKNOWN, &err, "ended twice");
}

/* ---- mergers and transfers ---- */
struct merging { struct an_reorganisation plan; bool is_merge; int64_t id; char lines[2048]; };

static an_code
note_line(void *context, const struct an_reorganisation_line *line, struct an_err *reterr)
{
    struct merging *m = context;
    size_t used = strlen(m->lines);

    (void)reterr;
    snprintf(m->lines + used, sizeof(m->lines) - used, "%s:%s ", line->kind, line->name);
    return AN_OK;
}

static an_code
reorganise(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct merging *m = context;

    m->lines[0] = 0;
    return m->is_merge ? an_agency_merge(tx, &m->plan, note_line, m, &m->id, reterr) : an_person_transfer(tx, &m->plan, note_line, m, &m->id, reterr);
}

static an_code
undo(struct an_tx *tx, void *context, struct an_err *reterr)
{
    return an_reorganisation_undo(tx, *(const int64_t *)context, "CB000001", DAY(400), reterr);
}

struct seen { char person[128], agency_state[32], head[64]; bool is_closed; };

static an_code
look_around(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct seen *seen = context;
    struct an_person person = {0};
    struct an_agency agency = {0};
    struct an_post post = {0};

    AN_TRY(an_person_find(tx, people[3], arena, &person, reterr));
    snprintf(seen->person, sizeof(seen->person), "%s", person.agency_name);
    AN_TRY(an_agency_find_code(tx, "H53.6", arena, &agency, &seen->is_closed, reterr));
    snprintf(seen->agency_state, sizeof(seen->agency_state), "%s", agency.state);
    AN_TRY(an_agency_head(tx, so_khcn, DAY(350), arena, &post, reterr));
    snprintf(seen->head, sizeof(seen->head), "%s", post.id ? post.person_name : "");
    return AN_OK;
}

static void
mergers_are_undone_as_a_whole(void **state)
{
    const int64_t from[] = {so_khcn}, self[] = {so_tc}, above[] = {ubnd};
    struct merging m = {.plan = {.from = from, .from_count = 1, .into = so_tc, .document = "100/NQ-HĐND", .effective = DAY(300), .actor = "CB000001", .dry_run = true},
                        .is_merge = true};
    struct merging bad = m, move = {.plan = {.person = 0, .into = so_tc, .document = "7/QĐ", .title = "Chuyên viên", .effective = DAY(250), .actor = "CB000001"}};
    struct seen before = {0}, after = {0};
    struct an_err err = {0};

    (void)state;
    bad.plan.from = self;
    expect(write_with(reorganise, &bad, &err), AN_E_REORGANISATION, &err, "into itself");
    bad.plan.from = above;
    expect(write_with(reorganise, &bad, &err), AN_E_REORGANISATION, &err, "into one below");
    bad.plan.from = from;
    bad.plan.document = "";
    expect(write_with(reorganise, &bad, &err), AN_E_REORGANISATION, &err, "no document");
    expect(write_with(look_around, &before, &err), AN_OK, &err, "before");
    expect(write_with(reorganise, &m, &err), AN_OK, &err, "dry run");
    assert_int_equal(m.id, 0);
    assert_non_null(strstr(m.lines, "unit:Phòng Chuyển đổi số"));
    assert_non_null(strstr(m.lines, "subscriber-ended:Sở Khoa học và Công nghệ"));
    expect(write_with(look_around, &after, &err), AN_OK, &err, "after the dry run");
    assert_memory_equal(&before, &after, sizeof(before));
    m.plan.dry_run = false;
    expect(write_with(reorganise, &m, &err), AN_OK, &err, "merge");
    expect(write_with(look_around, &after, &err), AN_OK, &err, "after");
    assert_string_equal(after.agency_state, "merged");
    assert_true(after.is_closed);
    assert_string_equal(after.head, ""); /* posts ended */
    bad.plan.document = "1/NQ";
    expect(write_with(reorganise, &bad, &err), AN_E_AGENCY_CLOSED, &err, "twice");
    expect(write_with(undo, &m.id, &err), AN_OK, &err, "undo");
    memset(&after, 0, sizeof(after));
    expect(write_with(look_around, &after, &err), AN_OK, &err, "after undoing");
    assert_memory_equal(&before, &after, sizeof(before));
    expect(write_with(undo, &m.id, &err), AN_E_REORGANISATION, &err, "undone twice");
    move.plan.person = people[3];
    expect(write_with(reorganise, &move, &err), AN_OK, &err, "transfer");
    expect(write_with(look_around, &after, &err), AN_OK, &err, "moved");
    assert_string_equal(after.person, "Sở Tài chính");
    expect(write_with(reorganise, &move, &err), AN_E_REORGANISATION, &err, "there already");
    expect(write_with(undo, &move.id, &err), AN_OK, &err, "back");
    memset(&after, 0, sizeof(after));
    expect(write_with(look_around, &after, &err), AN_OK, &err, "back");
    assert_memory_equal(&before, &after, sizeof(before));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_agencies), cmocka_unit_test(agencies_are_a_tree), cmocka_unit_test(people_are_found_without_accents),
        cmocka_unit_test(wrong_people_are_refused), cmocka_unit_test(roles_by_post_and_by_document), cmocka_unit_test(subscribers_of_four_kinds),
        cmocka_unit_test(mergers_are_undone_as_a_whole),
    };

    store_url = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests_name("registry", tests, open_store, close_store);
}
