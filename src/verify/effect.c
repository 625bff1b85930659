/*
 * A person's signature or an agency's, and what both make of the document (Luật Giao dịch điện tử Điều 23, NĐ 30/2020
 * Điều 5).
 *
 * Fielded certificates carry no flag for this. The table below weighs what they do carry; a row is a sign, its weight
 * and what it speaks for. Patterns seen: person C, L, O, OU…, CN=<họ tên>, e-mail; agency CN=<tên cơ quan>, O=<cơ quan
 * cấp trên>, L, C, sometimes with "MST:" in a name.
 */
#include "base/utf8.h"
#include "verify/internal.h"

struct subject {
    struct an_buf cn, cn_folded, o, whole;
    bool has_ou, has_email, has_name_parts, has_title, has_organisation_id;
};

/* First words of agencies' names; folded (no accents). Those that are also family names without their accents (Vũ and
 * Vụ, Trương and Trường, Đoàn, Hội) stand only with a second word. */
static const char *const agency_words[] = {
    "uy ban ", "ubnd ", "hdnd ", "so ", "bo ", "cuc ", "tong cuc ", "chi cuc ", "van phong ", "phong ", "trung tam ",
    "ban quan ly", "ban to chuc", "ban tuyen giao", "ban noi chinh", "ban dan van", "ban co yeu", "ban thuong vu",
    "ban chi dao", "ban chi huy", "hoi dong ", "dang uy ", "tinh uy", "thanh uy", "huyen uy", "dang bo ", "chi bo ",
    "truong mam non", "truong mau giao", "truong tieu hoc", "truong trung hoc", "truong pho thong", "truong thcs",
    "truong thpt", "truong th ", "truong dai hoc", "truong cao dang", "truong chinh tri", "benh vien ", "cong an ",
    "toa an ", "vien kiem sat", "vien nghien cuu", "hoc vien ", "thanh tra tinh", "thanh tra so", "kho bac",
    "chi nhanh ",
    "cong ty ", "tong cong ty", "mat tran ", "uy ban mat tran", "lien doan lao dong", "hoi nong dan", "hoi lien hiep",
    "hoi cuu chien binh", "doan thanh nien", "bo chi huy", "bo tu lenh", "thu vien ", "bao tang ", "quy dau tu",
    "quy bao", "quy phat trien", "kiem toan", "bhxh", "bao hiem xa hoi", "tram y te", "nha van hoa", "dai truyen hinh",
    "dai phat thanh", "vpub", "agency ", "ministry ", "department ",
};

/* Family names of most Vietnamese, and of the larger minorities; with their accents, as certificates write them. */
static const char *const family_names[] = {
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương",
    "Lý",
    "Đinh", "Đào", "Trương", "Mai", "Lương", "Hà", "Cao", "Tạ", "Châu", "Trịnh", "Lâm", "Tô", "Đoàn", "Thái", "Kiều",
    "Vương", "Quách", "Triệu", "La", "Thạch", "Chu", "Phùng", "Tăng", "Tống", "Hứa", "Lưu", "Lục", "Nông", "Vi", "Lò",
    "Giàng", "Vàng", "Sùng", "Thào", "Mã", "Ma", "Cầm", "Đàm", "Doãn", "Khổng", "Từ", "Tôn", "Ksor", "Rơ", "Siu", "Y",
    "Điểu", "Kim", "Danh", "Sơn", "Nguyen", "Tran", "Le", "Pham", "Hoang", "Huynh", "Vu", "Vo", "Dang", "Do", "Ngo",
    "Duong", "Dinh", "Dao", "Luong", "Trinh",
};

static bool
starts_with_agency_word(const struct subject *subject)
{
    an_bytes name = an_buf_view(&subject->cn_folded);

    for (size_t i = 0; i < AN_COUNT(agency_words); i++)
        if (an_bytes_starts_with(name, an_bytes_of_str(agency_words[i])))
            return true;
    return false;
}

/* A family name, then one to five more words that begin with a capital letter or an accent. */
static bool
looks_like_a_person(const struct subject *subject)
{
    an_bytes name = an_buf_view(&subject->cn);
    size_t words = 1, first = an_bytes_find(name, AN_LIT(" "), 0);
    bool known = false;

    for (size_t i = 0; i < AN_COUNT(family_names) && first != SIZE_MAX; i++)
        known = known || an_bytes_eq_str(an_bytes_slice(name, 0, first), family_names[i]);
    for (size_t i = first; known && i < name.len; i++) {
        if (name.ptr[i] != ' ')
            continue;
        words++;
        if (i + 1 < name.len && name.ptr[i + 1] >= 'a' && name.ptr[i + 1] <= 'z')
            return false;
    }
    return known && words <= 6;
}

static bool
has_tax_number(const struct subject *subject)
{
    return an_bytes_find(an_buf_view(&subject->whole), AN_LIT("MST:"), 0) != SIZE_MAX;
}

static bool
is_its_own_organisation(const struct subject *subject)
{
    return subject->cn.len && an_bytes_eq(an_buf_view(&subject->cn), an_buf_view(&subject->o));
}

static bool
has_organisation_id(const struct subject *subject)
{
    return subject->has_organisation_id;
}

static bool
has_no_unit(const struct subject *subject)
{
    return subject->o.len && !subject->has_ou && !subject->has_email;
}

static bool
has_name_parts(const struct subject *subject)
{
    return subject->has_name_parts;
}

static bool
has_title(const struct subject *subject)
{
    return subject->has_title;
}

static bool
has_email(const struct subject *subject)
{
    return subject->has_email;
}

static bool
has_unit(const struct subject *subject)
{
    return subject->has_ou;
}

static const struct {
    bool (*holds)(const struct subject *subject);
    int agency, person;
} signs[] = {
    {starts_with_agency_word, 4, 0},
    {has_tax_number, 5, 0},
    {has_organisation_id, 3, 0},
    {is_its_own_organisation, 4, 0},
    {has_no_unit, 1, 0}, /* weak: an agency stands directly under its superior */
    {looks_like_a_person, 0, 2},
    {has_name_parts, 0, 5},
    {has_title, 0, 3},
    {has_email, 0, 2},
    {has_unit, 0, 1},
};

static void
read_subject(const struct an_cert *cert, struct subject *ret)
{
    struct an_buf scratch = an_buf_new(8192);

    *ret = (struct subject){.cn = an_buf_new(4096), .cn_folded = an_buf_new(8192), .o = an_buf_new(4096),
                            .whole = an_buf_new(16384)};
    an_name_text(cert->subject, &ret->whole);
    if (an_name_attribute(cert->subject, "2.5.4.3", &ret->cn))
        an_utf8_fold(&ret->cn_folded, an_buf_view(&ret->cn));
    an_name_attribute(cert->subject, "2.5.4.10", &ret->o);
    ret->has_ou = an_name_attribute(cert->subject, "2.5.4.11", &scratch);
    ret->has_organisation_id = an_name_attribute(cert->subject, "2.5.4.97", &scratch);
    ret->has_name_parts = an_name_attribute(cert->subject, "2.5.4.42", &scratch) ||
                          an_name_attribute(cert->subject, "2.5.4.4", &scratch);
    ret->has_title = an_name_attribute(cert->subject, "2.5.4.12", &scratch);
    ret->has_email = an_cert_email(cert, &scratch);
    an_buf_free(&scratch);
}

void
an_effect_classify(struct an_signature_report *report)
{
    struct subject subject;
    int agency = 0, person = 0;

    if (!report->cert || report->is_time_stamp)
        return;
    read_subject(report->cert, &subject);
    for (size_t i = 0; i < AN_COUNT(signs); i++) {
        if (!signs[i].holds(&subject))
            continue;
        agency += signs[i].agency;
        person += signs[i].person;
    }
    report->is_agency = agency > person;
    report->is_person = !report->is_agency && subject.cn.len > 0;
    an_buf_free(&subject.cn);
    an_buf_free(&subject.cn_folded);
    an_buf_free(&subject.o);
    an_buf_free(&subject.whole);
}

/* Only signatures that stand count; one that does not makes the whole uncertain (Bình Thuận Điều 9: all must be
 * there). */
void
an_effect_conclude(struct an_job *job, bool has_empty_fields)
{
    static const enum an_legal_effect effects[2][2] = {{AN_EFFECT_NONE, AN_EFFECT_AGENCY_ONLY},
                                                       {AN_EFFECT_PERSONAL_ONLY, AN_EFFECT_BOTH}};
    struct an_report *report = job->report;
    bool person = false, agency = false, doubtful = false;

    for (size_t i = 0; i < report->signature_count; i++) {
        const struct an_signature_report *row = &report->signatures[i];

        if (row->is_time_stamp)
            continue;
        if (row->indication == AN_TOTAL_PASSED && !row->is_counter) {
            person = person || row->is_person;
            agency = agency || row->is_agency;
        } else if (row->indication != AN_TOTAL_PASSED) {
            doubtful = doubtful || row->indication == AN_INDETERMINATE;
        }
    }
    report->legal_effect = effects[person][agency];
    if (doubtful || (has_empty_fields && (person || agency)))
        report->legal_effect = AN_EFFECT_INCOMPLETE;
    if (has_empty_fields)
        an_report_note(job, AN_N_VERIFY_EMPTY_FIELD);
}
