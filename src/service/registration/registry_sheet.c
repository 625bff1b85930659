/* What a row of each list enters: agencies, people, posts, roles, subscribers, devices. */
#include "service/registration/registry_sheet.h"

#include "registry/device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CELL(n) in->cells[n]

an_code
sheet_day(const char *text, const char *column, an_time *ret, struct an_err *reterr)
{
    int day = 0, month = 0, year = 0, used = 0;
    char part[2] = "";

    *ret = AN_TIME_NONE;
    if (text[0] == '\0')
        return AN_OK;
    if (sscanf(text, "%2d%1[/.-]%2d%*1[/.-]%4d%n", &day, part, &month, &year, &used) == 4 && text[used] == '\0' &&
        year > 999) {
        const struct an_date date = {.year = year, .month = month, .day = day};
        *ret = an_time_of_date(&date, 7 * 60);
    } else if (strspn(text, "0123456789") == 5 && (text[5] == '\0' || (text[5] == '.' &&
                                                                      strspn(text + 6, "0123456789") == strlen(text + 6)))) {
        /* 25569: 1970-01-01, counted from 1899-12-30 */
        *ret = ((an_time)strtol(text, NULL, 10) - 25569) * 86400 - 7 * 3600;
    } else {
        *ret = an_time_parse(an_bytes_of_str(text));
    }
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "%s", column);
    return AN_OK;
}

/* ---- what rows name ---- */
static an_code
find_agency(struct an_tx *tx, const char *text, int64_t *ret, struct an_err *reterr)
{
    *ret = 0;
    return text[0] == '\0' ? AN_OK : an_agency_find_named(tx, text, ret, reterr);
}

/* The agency of the row, where he may do this. */
static an_code
take_agency_for(struct sheet_in *in, struct an_tx *tx, const char *text, const char *act, struct an_err *reterr)
{
    if (in->agency != 0 && strcmp(in->agency_text, text) == 0 && strcmp(in->act, act) == 0)
        return AN_OK;
    in->agency = 0;
    AN_TRY(an_agency_find_named(tx, text, &in->agency, reterr));
    snprintf(in->agency_text, sizeof(in->agency_text), "%s", strlen(text) < sizeof(in->agency_text) ? text : "");
    snprintf(in->act, sizeof(in->act), "%s", act);
    an_code code = an_registry_require(tx, in->desk, act, in->agency, reterr);
    if (code != AN_OK)
        in->agency = 0;
    return code;
}

static an_code
find_person(struct sheet_in *in, struct an_tx *tx, const char *number, int64_t *ret, struct an_err *reterr)
{
    struct an_person person = {0};

    *ret = 0;
    if (number[0] == '\0')
        return AN_OK;
    AN_TRY(an_person_find_number(tx, number, in->arena, &person, reterr));
    *ret = person.id;
    return AN_OK;
}

static bool
is_active(const char *state)
{
    return state[0] == '\0' || strcmp(state, "active") == 0;
}

/* ---- agencies ---- */
enum { AG_CODE = 0, AG_NAME, AG_SUPERIOR, AG_HIERARCHY, AG_ADDRESS, AG_PROVINCE, AG_TAX, AG_BUDGET, AG_EMAIL, AG_DOMAIN,
      AG_REGULATION, AG_SEAL, AG_SEAL_DOCUMENT,
       AG_SINCE, AG_STATE, AG_UNTIL, AG_SUCCESSOR, AG_CLOSED };
static const struct sheet_column agency_columns[] = {
    [AG_CODE] = {"code", "Mã định danh", CELL_TEXT, false}, [AG_NAME] = {"name", "Tên cơ quan", CELL_TEXT, true},
    [AG_SUPERIOR] = {"superior", "Cơ quan cấp trên", CELL_TEXT, false},
    [AG_HIERARCHY] = {"hierarchy", "Hệ thống", CELL_TEXT, false},
    [AG_ADDRESS] = {"address", "Địa chỉ", CELL_TEXT, false}, [AG_PROVINCE] = {"province", "Tỉnh, thành phố", CELL_TEXT,
            false},
    [AG_TAX] = {"tax_code", "Mã số thuế", CELL_TEXT, false}, [AG_BUDGET] = {"budget_code", "Mã quan hệ ngân sách",
            CELL_TEXT, false},
    [AG_EMAIL] = {"email", "Thư điện tử công vụ", CELL_TEXT, false},
    [AG_DOMAIN] = {"email_domain", "Tên miền thư điện tử", CELL_TEXT, false},
    [AG_REGULATION] = {"regulation", "Quy chế", CELL_TEXT, false},
    [AG_SEAL] = {"seal_mm", "Đường kính con dấu (mm)", CELL_MM, false},
    [AG_SEAL_DOCUMENT] = {"seal_document", "Đăng ký mẫu dấu", CELL_TEXT, false},
    [AG_SINCE] = {"since", "Từ ngày", CELL_DAY, false},
    [AG_STATE] = {"state", "Tình trạng", CELL_TEXT, false}, [AG_UNTIL] = {"until", "Đến ngày", CELL_DAY, false},
    [AG_SUCCESSOR] = {"successor", "Cơ quan kế thừa", CELL_TEXT, false},
    [AG_CLOSED] = {"closed_codes", "Mã đã đóng", CELL_TEXT, false},
};

static an_code
add_closed_codes(struct sheet_in *in, struct an_tx *tx, int64_t agency, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *codes = an_strdup(CELL(AG_CLOSED));
    char *rest = codes;

    for (char *code = strtok_r(codes, " ;", &rest); code != NULL; code = strtok_r(NULL, " ;", &rest))
        AN_TRY(an_agency_add_closed(tx, agency, code, "", in->desk->at, reterr));
    return AN_OK;
}

static an_code
read_agency(struct sheet_in *in, struct an_tx *tx, struct an_agency *ret, struct an_err *reterr)
{
    char *end = NULL;
    double mm = strtod(CELL(AG_SEAL), &end);

    if (*end != '\0' || mm < 0 || mm > 1000)
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "seal: %.20s", CELL(AG_SEAL));
    *ret = (struct an_agency){
        .code = CELL(AG_CODE), .name = CELL(AG_NAME), .hierarchy = CELL(AG_HIERARCHY)[0] ? CELL(AG_HIERARCHY) : "state",
        .address = CELL(AG_ADDRESS),
        .province = CELL(AG_PROVINCE), .tax_code = CELL(AG_TAX), .budget_code = CELL(AG_BUDGET),
        .email = CELL(AG_EMAIL), .email_domain = CELL(AG_DOMAIN),
        .regulation = CELL(AG_REGULATION), .seal_um = llround(mm * 1000), .seal_document = CELL(AG_SEAL_DOCUMENT),
        .state = CELL(AG_STATE)};
    AN_TRY(sheet_day(CELL(AG_SINCE), "since", &ret->since, reterr));
    AN_TRY(sheet_day(CELL(AG_UNTIL), "until", &ret->until, reterr));
    AN_TRY(find_agency(tx, CELL(AG_SUPERIOR), &ret->superior, reterr));
    return find_agency(tx, CELL(AG_SUCCESSOR), &ret->successor, reterr);
}

static an_code
take_agency(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr)
{
    struct an_agency agency = {0};

    AN_TRY(read_agency(in, tx, &agency, reterr)); /* all that it names is there before anything is written */
    AN_TRY(an_registry_require(tx, in->desk, "agency.add", agency.superior, reterr));
    if (!is_active(agency.state))
        AN_TRY(an_registry_require(tx, in->desk, "agency.merge", 0, reterr));
    AN_TRY(an_agency_add(tx, &agency, &agency.id, reterr));
    AN_TRY(add_closed_codes(in, tx, agency.id, reterr));
    return is_active(agency.state) ? AN_OK : an_agency_close(tx, &agency, "", reterr);
}

/* ---- people ---- */
enum { PE_NUMBER = 0, PE_NAME, PE_AGENCY, PE_EMAIL, PE_BORN, PE_IDENTITY, PE_ISSUED, PE_PLACE, PE_PHONE, PE_SINCE,
      PE_RETIRES, PE_STATE, PE_UNTIL };
static const struct sheet_column person_columns[] = {
    [PE_NUMBER] = {"number", "Số hiệu", CELL_TEXT, false}, [PE_NAME] = {"name", "Họ và tên", CELL_TEXT, true},
    [PE_AGENCY] = {"agency", "Mã cơ quan", CELL_TEXT, true},
    [PE_EMAIL] = {"email", "Địa chỉ thư điện tử công vụ", CELL_TEXT, false},
    [PE_BORN] = {"born", "Ngày sinh", CELL_YEAR, false},
    [PE_IDENTITY] = {"identity", "Số định danh cá nhân", CELL_TAIL, false},
    [PE_ISSUED] = {"identity_issued", "Ngày cấp", CELL_HIDDEN_DAY, false},
    [PE_PLACE] = {"identity_place", "Nơi cấp", CELL_HIDDEN, false},
    [PE_PHONE] = {"phone", "Số điện thoại di động", CELL_TAIL, false},
    [PE_SINCE] = {"since", "Từ ngày", CELL_DAY, false}, [PE_RETIRES] = {"retires", "Ngày nghỉ hưu", CELL_DAY, false},
    [PE_STATE] = {"state", "Tình trạng", CELL_TEXT, false}, [PE_UNTIL] = {"until", "Đến ngày", CELL_DAY, false},
};

static an_code
take_person(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr)
{
    struct an_person person = {.name = CELL(PE_NAME), .email = CELL(PE_EMAIL), .identity = CELL(PE_IDENTITY),
                               .identity_place = CELL(PE_PLACE),
                               .phone = CELL(PE_PHONE), .number = CELL(PE_NUMBER),
                               .state = is_active(CELL(PE_STATE)) ? "active" : CELL(PE_STATE)};
    const struct { int cell; an_time *into; } days[] = {
        {PE_BORN, &person.born}, {PE_ISSUED, &person.identity_issued}, {PE_RETIRES, &person.retires},
        {PE_SINCE, &person.since}, {PE_UNTIL, &person.until}};
    char number[32];
    int64_t id = 0;

    for (size_t i = 0; i < AN_COUNT(days); i++)
        AN_TRY(sheet_day(CELL(days[i].cell), person_columns[days[i].cell].vi, days[i].into, reterr));
    AN_TRY(take_agency_for(in, tx, CELL(PE_AGENCY), "person.add", reterr));
    person.agency = in->agency;
    if (!is_active(person.state) && person.until == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "%s", person_columns[PE_UNTIL].vi);
    AN_TRY(an_person_add(tx, &person, &id, number, reterr));
    return is_active(person.state) ? AN_OK : an_person_end(tx, id, person.state, person.until, reterr);
}

/* ---- posts, roles ---- */
enum { PO_PERSON = 0, PO_AGENCY, PO_TITLE, PO_AUTHORITY, PO_HEAD, PO_DOCUMENT, PO_SINCE, PO_UNTIL };
static const struct sheet_column post_columns[] = {
    [PO_PERSON] = {"person", "Số hiệu", CELL_TEXT, true}, [PO_AGENCY] = {"agency", "Mã cơ quan", CELL_TEXT, true},
    [PO_TITLE] = {"title", "Chức vụ", CELL_TEXT, true},
    [PO_AUTHORITY] = {"authority", "Thẩm quyền ký", CELL_TEXT, false},
    [PO_HEAD] = {"head", "Người đứng đầu", CELL_FLAG, false},
    [PO_DOCUMENT] = {"document", "Số văn bản", CELL_TEXT, false}, [PO_SINCE] = {"since", "Từ ngày", CELL_DAY, true},
    [PO_UNTIL] = {"until", "Đến ngày", CELL_DAY, false},
};

static an_code
take_post(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr)
{
    struct an_post post = {.title = CELL(PO_TITLE), .authority = CELL(PO_AUTHORITY),
                           .is_head = CELL(PO_HEAD)[0] != '\0', .document = CELL(PO_DOCUMENT)};
    int64_t id = 0;

    AN_TRY(sheet_day(CELL(PO_SINCE), post_columns[PO_SINCE].vi, &post.since, reterr));
    AN_TRY(sheet_day(CELL(PO_UNTIL), post_columns[PO_UNTIL].vi, &post.until, reterr));
    AN_TRY(find_person(in, tx, CELL(PO_PERSON), &post.person, reterr));
    AN_TRY(take_agency_for(in, tx, CELL(PO_AGENCY), "person.post", reterr));
    post.agency = in->agency;
    return an_post_add(tx, &post, &id, reterr);
}

enum { RO_PERSON = 0, RO_AGENCY, RO_ROLE, RO_BASIS, RO_DOCUMENT, RO_SINCE, RO_UNTIL };
static const struct sheet_column role_columns[] = {
    [RO_PERSON] = {"person", "Số hiệu", CELL_TEXT, true}, [RO_AGENCY] = {"agency", "Mã cơ quan", CELL_TEXT, true},
    [RO_ROLE] = {"role", "Vai trò", CELL_TEXT, true},
    [RO_BASIS] = {"basis", "Theo", CELL_TEXT, false}, [RO_DOCUMENT] = {"document", "Số văn bản", CELL_TEXT, false},
    [RO_SINCE] = {"since", "Từ ngày", CELL_DAY, true}, [RO_UNTIL] = {"until", "Đến ngày", CELL_DAY, false},
};

static an_code
take_role(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr)
{
    struct an_duty duty = {.role = CELL(RO_ROLE), .document = CELL(RO_DOCUMENT),
                           .basis = CELL(RO_BASIS)[0] ? CELL(RO_BASIS) : CELL(RO_DOCUMENT)[0] ? "delegation" : "post"};
    int64_t id = 0;

    AN_TRY(sheet_day(CELL(RO_SINCE), role_columns[RO_SINCE].vi, &duty.since, reterr));
    AN_TRY(sheet_day(CELL(RO_UNTIL), role_columns[RO_UNTIL].vi, &duty.until, reterr));
    AN_TRY(find_person(in, tx, CELL(RO_PERSON), &duty.person, reterr));
    AN_TRY(take_agency_for(in, tx, CELL(RO_AGENCY), "person.role", reterr));
    duty.agency = in->agency;
    AN_TRY(an_registry_require_grant(in->desk, duty.role, reterr));
    return an_duty_add(tx, &duty, &id, reterr);
}

/* ---- subscribers ---- */
enum { SU_NUMBER = 0, SU_KIND, SU_AGENCY, SU_PERSON, SU_NAME, SU_LABEL, SU_EMAIL, SU_MANAGER, SU_SINCE, SU_STATE,
      SU_UNTIL };
static const struct sheet_column subscriber_columns[] = {
    [SU_NUMBER] = {"number", "Số hiệu thuê bao", CELL_TEXT, false},
    [SU_KIND] = {"kind", "Loại thuê bao", CELL_TEXT, true},
    [SU_AGENCY] = {"agency", "Mã cơ quan", CELL_TEXT, true}, [SU_PERSON] = {"person", "Số hiệu cá nhân", CELL_TEXT,
            false},
    [SU_NAME] = {"name", "Tên thuê bao", CELL_TEXT, false}, [SU_LABEL] = {"label", "Nhãn", CELL_TEXT, false},
    [SU_EMAIL] = {"email", "Địa chỉ thư điện tử công vụ", CELL_TEXT, false},
    [SU_MANAGER] = {"manager", "Người quản lý", CELL_TEXT, false},
    [SU_SINCE] = {"since", "Từ ngày", CELL_DAY, false}, [SU_STATE] = {"state", "Tình trạng", CELL_TEXT, false},
    [SU_UNTIL] = {"until", "Đến ngày", CELL_DAY, false},
};

static an_code
take_subscriber(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr)
{
    struct an_subscriber subscriber = {.number = CELL(SU_NUMBER), .kind = CELL(SU_KIND), .name = CELL(SU_NAME),
                                       .label = CELL(SU_LABEL), .email = CELL(SU_EMAIL)};
    char number[32];
    int64_t id = 0;

    AN_TRY(sheet_day(CELL(SU_SINCE), subscriber_columns[SU_SINCE].vi, &subscriber.since, reterr));
    AN_TRY(sheet_day(CELL(SU_UNTIL), subscriber_columns[SU_UNTIL].vi, &subscriber.until, reterr));
    if (subscriber.since == AN_TIME_NONE)
        subscriber.since = in->desk->at;
    AN_TRY(find_person(in, tx, CELL(SU_PERSON), &subscriber.person, reterr));
    AN_TRY(find_person(in, tx, CELL(SU_MANAGER), &subscriber.manager, reterr));
    AN_TRY(take_agency_for(in, tx, CELL(SU_AGENCY), "subscriber.add", reterr));
    subscriber.agency = in->agency;
    AN_TRY(an_subscriber_add(tx, &subscriber, &id, number, reterr));
    if (is_active(CELL(SU_STATE)))
        return AN_OK;
    if (strcmp(CELL(SU_STATE), "ended") != 0 || subscriber.until == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_SUBSCRIBER_KIND, "%s: %.20s", subscriber_columns[SU_STATE].vi, CELL(SU_STATE));
    return an_subscriber_end(tx, id, subscriber.until, reterr);
}

/* ---- devices: what is in somebody's hands already came there on paper ---- */
enum { DE_NUMBER = 0, DE_KIND, DE_MODEL, DE_CARRIER, DE_PHONE, DE_ACCOUNT, DE_SUBSCRIBER, DE_STATE, DE_HOLDER_KIND,
      DE_HOLDER, DE_PLACE, DE_NOTE };
static const struct sheet_column device_columns[] = {
    [DE_NUMBER] = {"number", "Số hiệu thiết bị", CELL_TEXT, true},
    [DE_KIND] = {"kind", "Loại thiết bị", CELL_TEXT, true}, [DE_MODEL] = {"model", "Kiểu", CELL_TEXT, false},
    [DE_CARRIER] = {"carrier", "Nhà mạng", CELL_TEXT, false}, [DE_PHONE] = {"phone", "Số điện thoại", CELL_TAIL, false},
    [DE_ACCOUNT] = {"account", "Tài khoản HSM", CELL_TEXT, false},
    [DE_SUBSCRIBER] = {"subscriber", "Thuê bao", CELL_TEXT, false},
    [DE_STATE] = {"state", "Tình trạng", CELL_TEXT, false}, [DE_HOLDER_KIND] = {"holder_kind", "Bên giữ", CELL_TEXT,
            false},
    [DE_HOLDER] = {"holder", "Người, cơ quan giữ", CELL_TEXT, false},
    [DE_PLACE] = {"place", "Nơi cất giữ", CELL_TEXT, false}, [DE_NOTE] = {"note", "Ghi chú", CELL_TEXT, false},
};

static an_code
hand_over(struct sheet_in *in, struct an_tx *tx, int64_t device, const char *from, int64_t giver, const char *to,
          int64_t taker, struct an_err *reterr)
{
    char number[64];
    const struct an_record record = {.number = number, .form = "nd-68-2024/mau-07", .medium = "paper",
                                     .at = in->desk->at, .giver_kind = from, .giver = giver,
                                     .taker_kind = to, .taker = taker, .way = "truc-tiep",
                                     .reason = "Nhập từ sổ theo dõi trước đây",
                                     .step = "device.handover", .made_by = in->desk->number};
    int64_t id = 0;

    snprintf(number, sizeof(number), "NHAP-%.16s-%zu-%s", in->digest, in->line, to);
    return an_record_add(tx, &record, AN_NONE, &device, 1, &id, reterr);
}

/* From Cục to whom the row names: straight, or by way of his agency. */
static an_code
take_holder(struct sheet_in *in, struct an_tx *tx, int64_t device, struct an_err *reterr)
{
    const char *kind = CELL(DE_HOLDER_KIND);
    struct an_person person = {0};
    int64_t holder = 0;

    if (kind[0] == '\0' || strcmp(kind, "cuc") == 0)
        return AN_OK;
    if (strcmp(kind, "person") != 0) {
        if (strcmp(kind, "buu-chinh") != 0)
            AN_TRY(an_agency_find_named(tx, CELL(DE_HOLDER), &holder, reterr));
        return hand_over(in, tx, device, "cuc", 0, kind, holder, reterr);
    }
    AN_TRY(an_person_find_number(tx, CELL(DE_HOLDER), in->arena, &person, reterr));
    AN_TRY(hand_over(in, tx, device, "cuc", 0, "agency", person.agency, reterr));
    return hand_over(in, tx, device, "agency", person.agency, "person", person.id, reterr);
}

static an_code
take_state(struct sheet_in *in, struct an_tx *tx, int64_t id, struct an_err *reterr)
{
    const char *state = CELL(DE_STATE), *reason = "Nhập từ sổ theo dõi trước đây";
    struct an_device device = {0};

    AN_TRY(an_device_find(tx, id, in->arena, &device, reterr));
    if (state[0] == '\0' || strcmp(state, device.state) == 0)
        return AN_OK;
    if (strcmp(state, "bi-khoa") == 0 && strcmp(device.state, "chua-dung") == 0) /* it was in use before */
        AN_TRY(an_device_change_state(tx, id, "dang-dung", in->desk->number, in->desk->at, reason, reterr));
    return an_device_change_state(tx, id, state, in->desk->number, in->desk->at, reason, reterr);
}

static an_code
take_device(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr)
{
    struct an_device device = {.number = CELL(DE_NUMBER), .kind = CELL(DE_KIND), .model = CELL(DE_MODEL), .uri = "",
                               .carrier = CELL(DE_CARRIER),
                               .phone = CELL(DE_PHONE), .account = CELL(DE_ACCOUNT), .place = CELL(DE_PLACE),
                               .note = CELL(DE_NOTE)};
    struct an_subscriber subscriber = {0};
    int64_t id = 0;

    AN_TRY(an_registry_require(tx, in->desk, "device.add", 0, reterr));
    if (CELL(DE_SUBSCRIBER)[0] != '\0')
        AN_TRY(an_subscriber_find_number(tx, CELL(DE_SUBSCRIBER), in->arena, &subscriber, reterr));
    device.subscriber = subscriber.id;
    AN_TRY(an_device_add(tx, &device, in->desk->number, in->desk->at, &id, reterr));
    AN_TRY(take_holder(in, tx, id, reterr));
    return take_state(in, tx, id, reterr);
}

/* ---- the lists ---- */
#define COLUMNS(table) table, AN_COUNT(table)
const struct an_sheet_kind sheet_kinds[] = {
    {"agencies", "Cơ quan", "agency.import", NULL, COLUMNS(agency_columns), AN_SQL_EXPORT_AGENCIES, 1000000, 10000, take_agency},
    {"people", "Người", "person.import", "person.list", COLUMNS(person_columns), AN_SQL_EXPORT_PEOPLE, 1000, 0, take_person},
    {"posts", "Chức vụ", "person.import", "person.list", COLUMNS(post_columns), AN_SQL_EXPORT_POSTS, 1000, 0, take_post},
    {"roles", "Vai trò", "person.import", "person.list", COLUMNS(role_columns), AN_SQL_EXPORT_ROLES, 1000, 0, take_role},
    {"subscribers", "Thuê bao", "subscriber.import", "subscriber.list", COLUMNS(subscriber_columns), AN_SQL_EXPORT_SUBSCRIBERS, 1000, 0, take_subscriber},
    {"devices", "Thiết bị", "device.import", "device.list", COLUMNS(device_columns), AN_SQL_EXPORT_DEVICES, 1000, 0, take_device},
};
const size_t sheet_kind_count = AN_COUNT(sheet_kinds);

const struct an_sheet_kind *
sheet_kind_find(const char *id)
{
    for (size_t i = 0; i < sheet_kind_count; i++)
        if (strcmp(sheet_kinds[i].id, id) == 0)
            return &sheet_kinds[i];
    return NULL;
}
