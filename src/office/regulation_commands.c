#include "office/regulation_cmd.h"
#include "office/tables.h"

#define A(member) offsetof(struct regulation_args, member)
#define ON_OPT {"on", "DATE", OPT_TEXT, A(on), "ngày áp dụng, NĂM-THÁNG-NGÀY (mặc định: hôm nay)", "the day, YYYY-MM-DD (default: today)"}
static const struct opt list_opts[] = {ON_OPT};
static const struct opt explain_opts[] = {
    {"regulation", "ID", OPT_TEXT, A(regulation), "quy chế, ví dụ dong-thap-2025; quoc-gia: riêng các văn bản chung", "regulation, for instance dong-thap-2025; quoc-gia: the national base alone"},
    ON_OPT,
    {"act", "ACT", OPT_TEXT, A(act), "việc, ví dụ request.new, sign.seal", "act, for instance request.new, sign.seal"},
    {"actor", "ROLE", OPT_TEXT, A(actor), "vai trò của người làm, ví dụ van-thu", "role of who acts, for instance van-thu"},
    {"subject", "person|agency|device-service-software", OPT_TEXT, A(subject), "loại thuê bao", "kind of subscriber"},
    {"device", "pki-token|sim-pki|hsm|self-enrol", OPT_TEXT, A(device), "loại thiết bị lưu khóa bí mật", "kind of key-storage device"},
    {"document", "KIND", OPT_TEXT, A(document), "loại văn bản, tên không dấu: quyet-dinh", "kind of document, its name without accents: quyet-dinh"},
    {"fact", "NAME=VALUE", OPT_LIST, A(fact), "sự việc đã biết, ví dụ secrecy=mat", "a fact that is known, for instance secrecy=mat"},
};
static const struct opt coverage_opts[] = {
    {"missing", NULL, OPT_FLAG, A(missing), "chỉ điều khoản thiếu quy tắc hoặc dòng quyết định", "only clauses that lack a rule or a decision"},
    {"decisions", "FILE", OPT_TEXT, A(decisions), "bảng quyết định (mặc định: bảng đi kèm)", "table of decisions (default: the one that comes along)"},
};
static const struct opt calendar_opts[] = {
    {"calendar", "ID", OPT_TEXT, A(calendar), "lịch (mặc định viet-nam)", "calendar (default viet-nam)"},
};

static const struct command commands[] = {
    {"regulation list", "", 0, 0, OFFICE_OPTS(list_opts, regulation_args), RUN(cmd_regulation_list), "các quy định trong dữ liệu và thời gian hiệu lực", "the regulations in the data and when they are in force", NULL, NULL},
    {"regulation show", "ID", 1, 1, OFFICE_OPTS(list_opts, regulation_args), RUN(cmd_regulation_show), "một quy định: điều khoản, quy tắc, tham số", "one regulation: its clauses, rules and parameters", NULL, NULL},
    {"regulation explain", "[ACT]", 0, 1, OFFICE_OPTS(explain_opts, regulation_args), RUN(cmd_regulation_explain), "điều gì ràng buộc một việc, của ai, ngày nào, theo điều khoản nào", "what binds an act, of whom, on which day, by which article",
     "Trả lời: được, không được, hoặc các văn bản không nói; nơi có thẩm quyền, mẫu, điều kiện, thời hạn, nơi nhận thông báo, hình thức chữ ký, tham số chưa xác nhận, lý do và điều khoản. Các từ đứng trong regulations/words.yaml.",
     "Answers yes, no, or the texts do not say; who is competent, forms, conditions, deadline, notices, looks, unconfirmed parameters, reasons and articles. The words stand in regulations/words.yaml."},
    {"regulation diff", "A B", 2, 2, OFFICE_OPTS(list_opts, regulation_args), RUN(cmd_regulation_diff), "hai quy định khác nhau ở đâu: việc, vai trò, tham số", "where two regulations differ: acts, roles, parameters",
     "Không có --on thì mỗi quy định lấy hôm nay, hoặc ngày đầu có hiệu lực nếu hôm nay chưa tới.",
     "Without --on each is taken as of today, or of its first day in force when that is later."},
    {"regulation check", "[FILE]", 0, 1, OFFICE_NO_OPTS, RUN(cmd_regulation_check), "kiểm tra dữ liệu quy định, hoặc thêm một tệp: khóa lạ, điều khoản thiếu, mâu thuẫn, trùng thời gian", "check the regulation data, or one more file: unknown keys, missing articles, contradictions, overlapping dates",
     "Lỗi đầu tiên được báo cùng tệp và dòng; mã kết thúc 78.", "The first fault is told with file and line; exit status 78."},
    {"regulation coverage", "[ID...]", 0, -1, OFFICE_OPTS(coverage_opts, regulation_args), RUN(cmd_regulation_coverage), "mỗi điều khoản ràng buộc có quy tắc và quyết định thử chưa, hoặc vì sao không", "whether each binding clause has a rule and a tried decision, or why not",
     "Mã kết thúc 1 khi có điều khoản thiếu.", "Exit status 1 when a clause lacks them."},
    {"calendar show", "[YEAR]", 0, 1, OFFICE_OPTS(calendar_opts, regulation_args), RUN(cmd_calendar_show), "ngày nghỉ, ngày hoán đổi của một năm", "holidays and swapped days of a year", NULL, NULL},
    {"calendar check", "[FILE]", 0, 1, OFFICE_OPTS(calendar_opts, regulation_args), RUN(cmd_calendar_check), "kiểm tra tệp lịch", "check a calendar file", NULL, NULL},
    {"calendar workday", "DATE [DAYS]", 1, 2, OFFICE_OPTS(calendar_opts, regulation_args), RUN(cmd_calendar_workday), "ngày này có phải ngày làm việc; hoặc DAYS ngày làm việc sau ngày này là ngày nào", "whether a day is a working day; or which day is DAYS working days after it", NULL, NULL},
};
const struct command_group office_regulation = {commands, AN_COUNT(commands)};
