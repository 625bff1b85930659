#include "office/enrol_cmd.h"
#include "office/tables.h"

#define A(member) offsetof(struct enrol_args, member)
#define DIR_OPT {"dir", "DIR", OPT_TEXT, A(dir), "thư mục của bản cài đặt (mặc định: thư mục hiện tại)", "folder of the instance (default: the present folder)"}
#define WHO_OPTS \
    {"as", "WHO[/ROLE]", OPT_TEXT, A(as), "người thực hiện và vai trò (mặc định: người dùng của máy, can-bo-cap-chung-thu)", "who acts, in which role (default: the user of the machine, can-bo-cap-chung-thu)"}
#define SECRET_OPT {"secret-out", "FILE", OPT_TEXT, A(secret_out), "ghi mã bí mật vào tệp (quyền 0600) thay vì in ra", "write the secret to a file (mode 0600) instead of showing it"}
static const struct opt allow_opts[] = {
    DIR_OPT, WHO_OPTS,
    {"subject", "NAME", OPT_TEXT, A(subject), "tên chủ thể, ví dụ \"C=VN, O=…, CN=…\"", "subject, for instance \"C=VN, O=…, CN=…\""},
    {"email", "ADDRESS", OPT_TEXT, A(email), "thư điện tử công vụ ghi trong chứng thư", "official e-mail address in the certificate"},
    {"profile", "ID", OPT_TEXT, A(profile), "loại chứng thư (mặc định: thiet-bi)", "kind of certificate (default: thiet-bi)"},
    {"authority", "NAME", OPT_TEXT, A(authority), "CA cấp (mặc định: CA duy nhất)", "which authority issues (default: the only one)"},
    {"subscriber", "NUMBER", OPT_TEXT, A(subscriber), "số của thuê bao", "number of the subscriber"},
    {"agency", "NUMBER", OPT_TEXT, A(agency), "số của cơ quan, tổ chức quản lý trực tiếp", "number of the managing agency"},
    {"matter", "N", OPT_INT, A(matter), "việc enrolment.allow ITEM đã được phê duyệt", "the decided matter, enrolment.allow ITEM"},
    {"months", "N", OPT_INT, A(months), "thời hạn của chứng thư (mặc định: theo loại)", "validity of the certificate (default: by its kind)"},
    {"days", "N", OPT_INT, A(days), "số ngày mã tham chiếu có hiệu lực (mặc định: 14)", "days until the reference runs out (default: 14)"},
    {"waiting", NULL, OPT_FLAG, A(is_waiting), "chưa phê duyệt: thiết bị chờ đến khi có lệnh enrol open", "not yet approved: the device waits for enrol open"},
    SECRET_OPT,
};
static const struct opt list_opts[] = {DIR_OPT, {"limit", "N", OPT_INT, A(limit), "số dòng nhiều nhất", "at most so many rows"}};
static const struct opt show_opts[] = {DIR_OPT, WHO_OPTS, SECRET_OPT};
static const struct opt act_opts[] = {DIR_OPT, WHO_OPTS};

static const struct command commands[] = {
    {"enrol allow", "ITEM", 1, 1, OFFICE_OPTS(allow_opts, enrol_args), RUN(cmd_enrol_allow), "cho phép một thiết bị, dịch vụ, phần mềm lấy chứng thư qua CMP hoặc EST", "let a device, service or software fetch its certificate by CMP or EST",
     "ITEM là nội dung đã được phê duyệt, ví dụ request:12/item:3; mỗi nội dung một mã tham chiếu, một khóa, một chứng thư. Gọi lại cho biết cùng mã.",
     "ITEM is what was approved, for instance request:12/item:3: one reference, one key, one certificate. Asked again, it tells the same."},
    {"enrol list", "", 0, 0, OFFICE_OPTS(list_opts, enrol_args), RUN(cmd_enrol_list), "xem các mã tham chiếu đăng ký", "list the references for enrolment", NULL, NULL},
    {"enrol show", "REFERENCE|ITEM", 1, 1, OFFICE_OPTS(show_opts, enrol_args), RUN(cmd_enrol_show), "xem mã tham chiếu và mã bí mật để giao cho thiết bị", "tell a reference and its secret, to be handed to the device",
     "Yêu cầu cấp mới được phê duyệt của thiết bị, dịch vụ, phần mềm (request new --device-kind self-enrol) mở mã tham chiếu của từng mục: request:12/item:3. Mỗi lần xem được ghi vào nhật ký.",
     "An approved request for a device, service or software (request new --device-kind self-enrol) opens a reference for each item: request:12/item:3. Every telling is logged."},
    {"enrol open", "REFERENCE", 1, 1, OFFICE_OPTS(act_opts, enrol_args), RUN(cmd_enrol_open), "phê duyệt mã tham chiếu đang chờ", "approve a reference that waits", NULL, NULL},
    {"enrol withdraw", "REFERENCE", 1, 1, OFFICE_OPTS(act_opts, enrol_args), RUN(cmd_enrol_withdraw), "rút lại mã tham chiếu chưa dùng", "take back a reference that was not used", NULL, NULL},
};
const struct command_group office_enrol = {commands, AN_COUNT(commands)};
