#include "office/audit_cmd.h"
#include "office/tables.h"

#define A(member) offsetof(struct audit_args, member)
#define DIR_OPT {"dir", "DIR", OPT_TEXT, A(dir), "thư mục của bản cài đặt (mặc định: thư mục hiện tại)", "folder of the instance (default: the present folder)"}
static const struct opt list_opts[] = {
    DIR_OPT,
    {"object", "TEXT", OPT_TEXT, A(object), "đối tượng, ví dụ certificate:SỐ-HIỆU", "object, for instance certificate:SERIAL"},
    {"actor", "TEXT", OPT_TEXT, A(actor), "người thực hiện", "who did it"},
    {"action", "TEXT", OPT_TEXT, A(action), "việc, hoặc phần đầu của nó: certificate.", "action, or its beginning: certificate."},
    {"from", "RFC3339", OPT_TEXT, A(from), "từ thời điểm", "from this moment"},
    {"to", "RFC3339", OPT_TEXT, A(to), "đến trước thời điểm", "before this moment"},
    {"after", "N", OPT_INT, A(after), "sau sự kiện số", "after this event"},
    {"limit", "N", OPT_INT, A(limit), "số sự kiện nhiều nhất", "at most so many events"},
};
static const struct opt verify_opts[] = {
    DIR_OPT,
    {"signer", "FILE", OPT_LIST, A(signer), "chứng thư được ký xác nhận nhật ký; bỏ trống: của chính bản cài đặt, theo sổ đăng ký", "certificates that may sign checkpoints; none: the instance's own, by its register"},
};
static const struct opt export_opts[] = {DIR_OPT};
static const struct opt proof_opts[] = {
    DIR_OPT,
    {"size", "N", OPT_INT, A(size), "cây gồm N sự kiện đầu (mặc định: toàn bộ)", "in the tree of the first N events (default: all)"},
};

static const struct command commands[] = {
    {"audit list", "", 0, 0, OFFICE_OPTS(list_opts, audit_args), RUN(cmd_audit_list), "xem nhật ký (việc xem cũng được ghi)", "look at the audit log (looking is logged too)", NULL, NULL},
    {"audit verify", "", 0, 0, OFFICE_OPTS(verify_opts, audit_args), RUN(cmd_audit_verify), "kiểm tra toàn bộ nhật ký: sửa, xóa, đổi chỗ, cắt bỏ", "check the whole log: changed, removed, moved, cut off",
     "Mã kết thúc: 0 nguyên vẹn, 1 có điểm sai, từ 64: không kiểm tra được. Sự kiện sau mốc xác nhận cuối chỉ được bảo vệ bởi chuỗi băm.",
     "Exit status: 0 whole, 1 something was found, 64 and up: could not be checked. Events after the last checkpoint are guarded by the chain alone."},
    {"audit checkpoint", "", 0, 0, OFFICE_OPTS(export_opts, audit_args), RUN(cmd_audit_checkpoint), "ký xác nhận nhật ký ngay bây giờ", "sign the head of the log now",
     "Dịch vụ tự ký theo mục audit của cấu hình.", "The service does so by itself, by the section audit of the configuration."},
    {"audit export", "OUT", 1, 1, OFFICE_OPTS(export_opts, audit_args), RUN(cmd_audit_export), "xuất nhật ký để bên ngoài kiểm tra bằng antin-audit-verify", "export the log for an outsider, who checks it with antin-audit-verify", NULL, NULL},
    {"audit proof", "SEQ|BEFORE..", 1, 1, OFFICE_OPTS(proof_opts, audit_args), RUN(cmd_audit_proof), "chứng minh một sự kiện có trong nhật ký, hoặc (N..) nhật ký nối tiếp N sự kiện đầu", "prove that an event is in the log, or (N..) that the log continues its first N events",
     "RFC 9162 mục 2.1.3 và 2.1.4; trả lời là JSON.", "RFC 9162 sections 2.1.3 and 2.1.4; the answer is JSON."},
};
const struct command_group office_audit = {commands, AN_COUNT(commands)};
