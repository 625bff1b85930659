#include "office/registry_cmd.h"
#include "office/tables.h"

#define R(member) offsetof(struct registry_args, member)

static const struct opt plain_opts[] = {
    DESK_OPTS(registry_args),
};
#define PAGE_FIELDS \
    {"cursor", "TEXT", OPT_TEXT, R(cursor), "trang sau của lần trước", "next page, as told by the one before"}, \
    {"limit", "N", OPT_INT, R(limit), "số dòng mỗi trang (mặc định 50)", "rows of a page (default 50)"}
static const struct opt list_opts[] = {
    DESK_OPTS(registry_args),
    PAGE_FIELDS,
    {"search", "TEXT", OPT_TEXT, R(text), "tìm theo bất kỳ từ nào của tên, không phân biệt dấu", "search by any word of the name, without diacritics"},
    {"superior", "CODE", OPT_TEXT, R(superior), "chỉ đơn vị trực thuộc", "only those right below"},
};
#define AGENCY_FIELDS \
    {"hierarchy", "state|party", OPT_TEXT, R(hierarchy), "hệ thống: state (mặc định) hoặc party", "hierarchy: state (default) or party"}, \
    {"superior", "CODE", OPT_TEXT, R(superior), "mã cơ quan cấp trên", "code of its superior"}, \
    {"address", "TEXT", OPT_TEXT, R(address), "địa chỉ", "address"}, \
    {"province", "TEXT", OPT_TEXT, R(province), "tỉnh, thành phố", "province"}, \
    {"tax-code", "TEXT", OPT_TEXT, R(tax_code), "mã số thuế", "tax code"}, \
    {"budget-code", "TEXT", OPT_TEXT, R(budget_code), "mã quan hệ ngân sách", "code of its budget relation"}, \
    {"email", "ADDRESS", OPT_TEXT, R(email), "thư điện tử công vụ", "official e-mail address"}, \
    {"email-domain", "DOMAIN", OPT_TEXT, R(email_domain), "tên miền thư điện tử công vụ của cơ quan", "official e-mail domain of its people"}, \
    {"regulation", "ID", OPT_TEXT, R(regulation), "quy chế áp dụng; bỏ trống: theo cấp trên", "regulation that binds it; default: its superior's"}, \
    {"seal-mm", "N", OPT_REAL, R(seal_mm), "đường kính con dấu, mm", "diameter of its seal, mm"}, \
    {"seal-document", "TEXT", OPT_TEXT, R(seal_document), "giấy chứng nhận đăng ký mẫu dấu", "registration of its seal"}, \
    {"since", "DAY", OPT_TEXT, R(since), "ngày thành lập", "day of its founding"}, \
    {"name", "TEXT", OPT_TEXT, R(name), "tên cơ quan", "its name"}
static const struct opt agency_add_opts[] = {
    DESK_OPTS(registry_args),
    AGENCY_FIELDS,
    {"code", "CODE", OPT_TEXT, R(code), "mã định danh điện tử (QĐ 20/2020)", "identifier (QĐ 20/2020)"},
};
static const struct opt agency_edit_opts[] = {
    DESK_OPTS(registry_args),
    AGENCY_FIELDS,
};
static const struct opt document_opts[] = {
    DESK_OPTS(registry_args),
    {"document", "TEXT", OPT_TEXT, R(document), "số văn bản", "number of the document behind it"},
};
#define PERSON_FIELDS \
    {"agency", "CODE", OPT_TEXT, R(agency), "mã cơ quan công tác", "code of the agency"}, \
    {"born", "DAY", OPT_TEXT, R(born), "ngày sinh", "date of birth"}, \
    {"identity", "TEXT", OPT_TEXT, R(identity), "số định danh cá nhân", "personal identifier"}, \
    {"identity-issued", "DAY", OPT_TEXT, R(identity_issued), "ngày cấp", "day of its issue"}, \
    {"identity-place", "TEXT", OPT_TEXT, R(identity_place), "nơi cấp", "place of its issue"}, \
    {"email", "ADDRESS", OPT_TEXT, R(email), "thư điện tử công vụ", "official e-mail address"}, \
    {"phone", "TEXT", OPT_TEXT, R(phone), "số điện thoại", "phone number"}, \
    {"retires", "DAY", OPT_TEXT, R(retires), "ngày nghỉ hưu dự kiến", "expected day of retirement"}, \
    {"name", "TEXT", OPT_TEXT, R(name), "họ và tên", "full name"}, \
    {"since", "DAY", OPT_TEXT, R(since), "ngày vào cơ quan", "day of joining"}
static const struct opt person_add_opts[] = {
    DESK_OPTS(registry_args),
    PERSON_FIELDS,
    {"number", "TEXT", OPT_TEXT, R(number), "số hiệu (mặc định: tự cấp)", "number (default: the next one)"},
};
static const struct opt person_edit_opts[] = {
    DESK_OPTS(registry_args),
    PERSON_FIELDS,
};
static const struct opt person_list_opts[] = {
    DESK_OPTS(registry_args),
    PAGE_FIELDS,
    {"search", "TEXT", OPT_TEXT, R(text), "tìm theo bất kỳ từ nào của tên, không phân biệt dấu", "search by any word of the name, without diacritics"},
    {"agency", "CODE", OPT_TEXT, R(agency), "chỉ một cơ quan", "one agency only"},
};
static const struct opt person_show_opts[] = {
    DESK_OPTS(registry_args),
    {"reveal", NULL, OPT_FLAG, R(reveal), "hiện đủ dữ liệu cá nhân (được ghi nhật ký)", "show personal data in full (told to the audit log)"},
};
static const struct opt person_post_opts[] = {
    DESK_OPTS(registry_args),
    {"agency", "CODE", OPT_TEXT, R(agency), "mã cơ quan", "code of the agency"},
    {"title", "TEXT", OPT_TEXT, R(title), "chức vụ", "title"},
    {"authority", "TM|KT|TL|TUQ|Q", OPT_TEXT, R(authority), "thẩm quyền ký", "authority in which he signs"},
    {"head", NULL, OPT_FLAG, R(head), "là người đứng đầu", "heads the agency"},
    {"document", "TEXT", OPT_TEXT, R(document), "số văn bản", "number of the document behind it"},
    {"since", "DAY", OPT_TEXT, R(since), "từ ngày (mặc định: bây giờ)", "from (default: now)"},
    {"until", "DAY", OPT_TEXT, R(until), "đến ngày", "until"},
};
static const struct opt person_end_post_opts[] = {
    DESK_OPTS(registry_args),
    {"agency", "CODE", OPT_TEXT, R(agency), "mã cơ quan", "code of the agency"},
    {"title", "TEXT", OPT_TEXT, R(title), "chức vụ", "title"},
    {"on", "DAY", OPT_TEXT, R(on), "ngày (mặc định: bây giờ)", "day (default: now)"},
};
static const struct opt person_role_opts[] = {
    DESK_OPTS(registry_args),
    {"agency", "CODE", OPT_TEXT, R(agency), "mã cơ quan", "code of the agency"},
    {"role", "ROLE", OPT_TEXT, R(role), "vai trò (bảng từ)", "role (see the glossary)"},
    {"basis", "post|delegation", OPT_TEXT, R(basis), "theo chức vụ hoặc văn bản giao nhiệm vụ", "by post or by written delegation"},
    {"document", "TEXT", OPT_TEXT, R(document), "số văn bản", "number of the document behind it"},
    {"since", "DAY", OPT_TEXT, R(since), "từ ngày (mặc định: bây giờ)", "from (default: now)"},
    {"until", "DAY", OPT_TEXT, R(until), "đến ngày", "until"},
    {"end", NULL, OPT_FLAG, R(end), "kết thúc vai trò ngay", "end the role now"},
};
static const struct opt person_end_opts[] = {
    DESK_OPTS(registry_args),
    {"state", "retired|left|deceased", OPT_TEXT, R(state), "nghỉ hưu, thôi việc, từ trần", "retired, left, deceased"},
    {"on", "DAY", OPT_TEXT, R(on), "ngày (mặc định: bây giờ)", "day (default: now)"},
};
static const struct opt subscriber_add_opts[] = {
    DESK_OPTS(registry_args),
    {"kind", "person|agency|agency-second|device-service-software", OPT_TEXT, R(kind), "loại thuê bao", "kind of subscriber"},
    {"person", "PERSON", OPT_TEXT, R(person), "số hiệu cá nhân", "number of the person"},
    {"agency", "CODE", OPT_TEXT, R(agency), "mã cơ quan", "code of the agency"},
    {"label", "TEXT", OPT_TEXT, R(label), "nhãn của thiết bị thứ hai hoặc dịch vụ", "label of a second device or a service"},
    {"name", "TEXT", OPT_TEXT, R(name), "tên thiết bị, dịch vụ, phần mềm", "name of the device, service or software"},
    {"email", "ADDRESS", OPT_TEXT, R(email), "thư điện tử công vụ", "official e-mail address"},
    {"manager", "PERSON", OPT_TEXT, R(manager), "người quản lý thiết bị", "who keeps the device"},
};
static const struct opt subscriber_edit_opts[] = {
    DESK_OPTS(registry_args),
    {"label", "TEXT", OPT_TEXT, R(label), "nhãn của thiết bị thứ hai hoặc dịch vụ", "label of a second device or a service"},
    {"name", "TEXT", OPT_TEXT, R(name), "tên thiết bị, dịch vụ, phần mềm", "name of the device, service or software"},
    {"email", "ADDRESS", OPT_TEXT, R(email), "thư điện tử công vụ", "official e-mail address"},
    {"manager", "PERSON", OPT_TEXT, R(manager), "người quản lý thiết bị", "who keeps the device"},
};
static const struct opt merge_opts[] = {
    DESK_OPTS(registry_args),
    {"into", "CODE", OPT_TEXT, R(into), "cơ quan kế thừa", "the successor"},
    {"on", "DAY", OPT_TEXT, R(on), "ngày có hiệu lực (mặc định: hôm nay)", "effective day (default: today)"},
    {"document", "TEXT", OPT_TEXT, R(document), "số văn bản", "number of the document behind it"},
    {"dry-run", NULL, OPT_FLAG, R(dry_run), "chỉ xem trước", "only show what would happen"},
};
static const struct opt transfer_opts[] = {
    DESK_OPTS(registry_args),
    {"into", "CODE", OPT_TEXT, R(into), "cơ quan mới", "the new agency"},
    {"on", "DAY", OPT_TEXT, R(on), "ngày có hiệu lực (mặc định: bây giờ)", "effective day (default: now)"},
    {"document", "TEXT", OPT_TEXT, R(document), "số văn bản", "number of the document behind it"},
    {"title", "TEXT", OPT_TEXT, R(title), "chức vụ mới", "the new title"},
    {"dry-run", NULL, OPT_FLAG, R(dry_run), "chỉ xem trước", "only show what would happen"},
};
#define IMPORT_FIELDS \
    {"report", "FILE.csv", OPT_TEXT, R(report), "tệp báo cáo từng dòng", "report, line by line"}, \
    {"dry-run", NULL, OPT_FLAG, R(dry_run), "chỉ kiểm tra, không ghi", "check only, write nothing"}, \
    {"batch", "N", OPT_INT, R(batch), "số dòng mỗi lần ghi (mặc định 500; cơ quan 10.000)", "rows of one commit (default 500; agencies 10,000)"}
#define EXPORT_FIELDS \
    {"agency", "CODE", OPT_TEXT, R(agency), "chỉ một cơ quan", "one agency only"}, \
    {"personal", NULL, OPT_FLAG, R(personal), "kèm dữ liệu cá nhân đầy đủ (được ghi nhật ký)", "with personal data in full (told to the audit log)"}
#define WHAT_FIELD \
    {"what", "people|posts|roles", OPT_TEXT, R(what), "danh sách nào: người (mặc định), chức vụ, vai trò", "which list: people (default), posts, roles"}
static const struct opt import_opts[] = {DESK_OPTS(registry_args), IMPORT_FIELDS};
static const struct opt people_import_opts[] = {DESK_OPTS(registry_args), IMPORT_FIELDS, WHAT_FIELD};
static const struct opt export_opts[] = {DESK_OPTS(registry_args), EXPORT_FIELDS};
static const struct opt people_export_opts[] = {DESK_OPTS(registry_args), EXPORT_FIELDS, WHAT_FIELD};

#define RESUMES_VI "Dừng giữa chừng thì chạy lại: dòng đã nhập được bỏ qua."
#define RESUMES_EN "Cut off, it is called again and goes on."
#define CMD(name, args, min, max, opts, run, vi, en, more_vi, more_en) \
    {name, args, min, max, OFFICE_OPTS(opts, registry_args), RUN(run), vi, en, more_vi, more_en}
static const struct command commands[] = {
    CMD("agency add", "", 0, 0, agency_add_opts, cmd_agency_add, "thêm cơ quan, tổ chức", "add an agency", NULL, NULL),
    CMD("agency list", "", 0, 0, list_opts, cmd_agency_list, "danh sách cơ quan", "list agencies", NULL, NULL),
    CMD("agency show", "CODE", 1, 1, plain_opts, cmd_agency_show, "xem một cơ quan, kể cả bằng mã cũ", "show an agency, by an old code too", NULL, NULL),
    CMD("agency edit", "CODE", 1, 1, agency_edit_opts, cmd_agency_edit, "sửa thông tin cơ quan", "change an agency", NULL, NULL),
    CMD("agency code", "CODE NEW", 2, 2, document_opts, cmd_agency_code, "đóng mã cũ, cấp mã mới", "close its code and give it another",
        "Mã cũ không cấp cho cơ quan khác và vẫn dẫn đến cơ quan này (QĐ 09/2025/QĐ-TTg Điều 2).", "The old code is never given away and still leads here (QĐ 09/2025/QĐ-TTg Điều 2)."),
    CMD("agency merge", "FROM...", 1, -1, merge_opts, cmd_agency_merge, "sáp nhập cơ quan", "merge agencies into their successor",
        "Người, thuê bao cá nhân chuyển sang cơ quan kế thừa; mã bị đóng; chứng thư phải thu hồi hoặc thay đổi được liệt kê (NĐ 68/2024 Điều 15, 17).",
        "People and their subscribers move to the successor; codes are closed; certificates to be revoked or changed are listed (NĐ 68/2024 Điều 15, 17)."),
    CMD("agency import", "FILE.csv|FILE.xlsx", 1, 1, import_opts, cmd_agency_import, "nhập cây cơ quan từ tệp CSV hoặc XLSX", "import the tree of agencies from CSV or XLSX",
        "Cột: Mã định danh, Tên cơ quan, Cơ quan cấp trên, Hệ thống, Địa chỉ, Tỉnh, thành phố, Mã số thuế, Mã quan hệ ngân sách, Thư điện tử công vụ, Tên miền thư điện tử, Quy chế, "
        "Đường kính con dấu (mm), Đăng ký mẫu dấu, Từ ngày, Tình trạng, Đến ngày, Cơ quan kế thừa, Mã đã đóng. Cấp trên có thể đứng sau cấp dưới. " RESUMES_VI,
        "Columns by Vietnamese name or code, name, superior, hierarchy, address, province, tax_code, budget_code, email, email_domain, regulation, seal_mm, seal_document, since, "
        "state, until, successor, closed_codes. A superior may stand below those that name it. " RESUMES_EN),
    CMD("agency export", "OUT.csv|OUT.xlsx", 1, 1, export_opts, cmd_agency_export, "xuất cây cơ quan ra tệp CSV hoặc XLSX", "export the tree of agencies to CSV or XLSX", NULL, NULL),
    CMD("agency prepare", "NUMBER", 1, 1, plain_opts, cmd_agency_prepare, "lập sẵn hồ sơ cho chứng thư không còn phù hợp sau sáp nhập, điều chuyển", "draft the requests that follow from a merger or a transfer",
        "agency merge và person transfer tự làm việc này; chạy lại thì chỉ nêu các hồ sơ đã lập (NĐ 68/2024 Điều 15, 17).", "agency merge and person transfer do it themselves; again, it names what is there (NĐ 68/2024 Điều 15, 17)."),
    CMD("agency undo", "NUMBER", 1, 1, plain_opts, cmd_agency_undo, "hoàn tác một lần sáp nhập hoặc điều chuyển", "undo a merger or a transfer", NULL, NULL),
    CMD("person transfer", "NUMBER", 1, 1, transfer_opts, cmd_person_transfer, "điều chuyển người sang cơ quan khác", "transfer a person to another agency", NULL, NULL),
    CMD("person add", "", 0, 0, person_add_opts, cmd_person_add, "thêm người", "add a person", NULL, NULL),
    CMD("person list", "", 0, 0, person_list_opts, cmd_person_list, "danh sách người, tìm không dấu", "list people, searched without diacritics", NULL, NULL),
    CMD("person show", "NUMBER", 1, 1, person_show_opts, cmd_person_show, "xem một người, chức vụ và vai trò", "show a person, posts and roles",
        "Số định danh, ngày sinh, số điện thoại được che; --reveal cần vai trò quản lý và được ghi nhật ký (Luật Bảo vệ dữ liệu cá nhân).",
        "Identifier, date of birth and phone are masked; --reveal needs a managing role and is told to the audit log."),
    CMD("person edit", "NUMBER", 1, 1, person_edit_opts, cmd_person_edit, "sửa thông tin cá nhân", "change a person", NULL, NULL),
    CMD("person post", "NUMBER", 1, 1, person_post_opts, cmd_person_post, "ghi chức vụ theo thời gian", "enter a post", NULL, NULL),
    CMD("person end-post", "NUMBER", 1, 1, person_end_post_opts, cmd_person_end_post, "kết thúc một chức vụ", "end a post",
        "Người giữ nhiều chức vụ: nói rõ cơ quan hoặc chức vụ.", "Who holds several: say which by its agency or title."),
    CMD("person role", "NUMBER", 1, 1, person_role_opts, cmd_person_role, "giao hoặc kết thúc vai trò", "give or end a role", NULL, NULL),
    CMD("person end", "NUMBER", 1, 1, person_end_opts, cmd_person_end, "nghỉ hưu, thôi việc, từ trần", "retirement, leaving, death", NULL, NULL),
    CMD("person import", "FILE.csv|FILE.xlsx", 1, 1, people_import_opts, cmd_person_import, "nhập danh sách người, chức vụ, vai trò từ tệp CSV hoặc XLSX", "import people, posts or roles from CSV or XLSX",
        "Cột của người: Số hiệu, Họ và tên, Mã cơ quan, Địa chỉ thư điện tử công vụ, Ngày sinh, Số định danh cá nhân, Ngày cấp, Nơi cấp, Số điện thoại di động, Từ ngày, "
        "Ngày nghỉ hưu, Tình trạng, Đến ngày. Dòng sai được báo cáo, dòng đúng được ghi. " RESUMES_VI,
        "Columns by Vietnamese name or number, name, agency, email, born, identity, identity_issued, identity_place, phone, since, retires, state, until. " RESUMES_EN),
    CMD("person export", "OUT.csv|OUT.xlsx", 1, 1, people_export_opts, cmd_person_export, "xuất danh sách người, chức vụ, vai trò ra tệp CSV hoặc XLSX", "export people, posts or roles to CSV or XLSX", NULL, NULL),
    CMD("device import", "FILE.csv|FILE.xlsx", 1, 1, import_opts, cmd_device_import, "nhập sổ thiết bị từ tệp CSV hoặc XLSX", "import the register of devices from CSV or XLSX",
        "Cột: Số hiệu thiết bị, Loại thiết bị, Kiểu, Nhà mạng, Số điện thoại, Tài khoản HSM, Thuê bao, Tình trạng, Bên giữ, Người, cơ quan giữ, Nơi cất giữ, Ghi chú. Thiết bị "
        "đang do cơ quan, người khác giữ được ghi kèm biên bản giấy nhập từ sổ cũ. " RESUMES_VI,
        "Columns by Vietnamese name or number, kind, model, carrier, phone, account, subscriber, state, holder_kind, holder, place, note. What somebody holds already is "
        "entered with paper records. " RESUMES_EN),
    CMD("device export", "OUT.csv|OUT.xlsx", 1, 1, export_opts, cmd_device_export, "xuất sổ thiết bị ra tệp CSV hoặc XLSX", "export the register of devices to CSV or XLSX", NULL, NULL),
    CMD("subscriber import", "FILE.csv|FILE.xlsx", 1, 1, import_opts, cmd_subscriber_import, "nhập danh sách thuê bao từ tệp CSV hoặc XLSX", "import subscribers from CSV or XLSX",
        "Cột: Số hiệu thuê bao, Loại thuê bao (person, agency, agency-second, device-service-software), Mã cơ quan, Số hiệu cá nhân, Tên thuê bao, Nhãn, Địa chỉ thư điện tử công vụ, "
        "Người quản lý, Từ ngày, Tình trạng, Đến ngày. " RESUMES_VI,
        "Columns by Vietnamese name or number, kind, agency, person, name, label, email, manager, since, state, until. " RESUMES_EN),
    CMD("subscriber export", "OUT.csv|OUT.xlsx", 1, 1, export_opts, cmd_subscriber_export, "xuất danh sách thuê bao ra tệp CSV hoặc XLSX", "export subscribers to CSV or XLSX", NULL, NULL),
    CMD("subscriber add", "", 0, 0, subscriber_add_opts, cmd_subscriber_add, "thêm thuê bao", "add a subscriber", NULL, NULL),
    CMD("subscriber list", "", 0, 0, person_list_opts, cmd_subscriber_list, "danh sách thuê bao", "list subscribers", NULL, NULL),
    CMD("subscriber show", "NUMBER", 1, 1, plain_opts, cmd_subscriber_show, "xem một thuê bao và chứng thư", "show a subscriber and its certificates", NULL, NULL),
    CMD("subscriber edit", "NUMBER", 1, 1, subscriber_edit_opts, cmd_subscriber_edit, "sửa thuê bao", "change a subscriber", NULL, NULL),
    CMD("subscriber end", "NUMBER", 1, 1, plain_opts, cmd_subscriber_end, "kết thúc thuê bao", "end a subscriber", NULL, NULL),
};
const struct command_group office_registry = {commands, AN_COUNT(commands)};
