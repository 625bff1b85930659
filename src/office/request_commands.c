#include "office/request_cmd.h"
#include "office/tables.h"

#define R(member) offsetof(struct request_args, member)
#define DIR_OPT {"dir", "DIR", OPT_TEXT, R(dir), "thư mục của bản cài đặt", "folder of the instance"}
#define AS_OPT {"as", "PERSON[/ROLE]", OPT_TEXT, R(as), "ai thực hiện, trong vai trò nào", "who acts, and in which role"}
#define KEY_OPTS                                                                                                                            \
    {"key", "URI", OPT_TEXT, R(key), "khóa của người thực hiện: pkcs11:… hoặc tệp PKCS#8", "the acting person's key: pkcs11:… or a PKCS#8 file"},   \
    {"cert", "FILE", OPT_TEXT, R(cert), "chứng thư của người đó; bỏ trống: lấy trong thiết bị", "that person's certificate; default: the one on the token"}, \
    {"pin-file", "FILE", OPT_TEXT, R(pin_file), "tệp chứa mã PIN, chỉ chủ tệp đọc được; bỏ trống: hỏi", "file with the PIN, readable by its owner only; default: ask"}, \
    {"image", "PNG", OPT_TEXT, R(image), "hình ảnh chữ ký của người đó", "picture of that person's signature"}
#define DRAFT_OPTS                                                                                                                          \
    DIR_OPT, AS_OPT,                                                                                                                        \
    {"agency", "CODE", OPT_TEXT, R(agency), "cơ quan quản lý trực tiếp (mặc định: của người thực hiện)", "managing agency (default: the acting person's)"}, \
    {"subject", "NUMBER", OPT_LIST, R(subject), "số hiệu thuê bao (nhiều lần được)", "number of a subscriber (may be repeated)"},                   \
    {"list", "FILE.csv|FILE.xlsx", OPT_TEXT, R(list), "danh sách thuê bao, .csv hoặc .xlsx", "list of subscribers, .csv or .xlsx"},                              \
    {"to-body", "ROLE", OPT_TEXT, R(addressee), "cơ quan nhận hồ sơ (mặc định: theo quy chế)", "body it is sent to (default: by the regulation)"},   \
    {"device-kind", "pki-token|sim-pki|hsm|self-enrol", OPT_TEXT, R(device_kind), "loại thiết bị", "kind of device"},                                         \
    {"number", "TEXT", OPT_TEXT, R(number), "số và ký hiệu văn bản đề nghị", "number and symbol of the letter"},                                   \
    {"receiver", "PERSON", OPT_TEXT, R(receiver), "người tiếp nhận thiết bị hoặc phối hợp (mặc định: người thực hiện)", "who receives the device or helps (default: who acts)"}, \
    {"regulation", "ID", OPT_TEXT, R(regulation), "quy chế áp dụng; phải là quy chế của cơ quan", "regulation; it must be the one that binds the agency"},               \
    {"filing-key", "TEXT", OPT_TEXT, R(filing_key), "mã gửi: cùng mã là cùng một hồ sơ", "filing key: the same key is the same request"},         \
    {"edit", "ID", OPT_INT, R(edit), "viết lại bản nháp hoặc hồ sơ phải bổ sung", "write a draft, or one to be supplemented, anew"},              \
    {"urgent", NULL, OPT_FLAG, R(urgent), "khẩn", "urgent"}
#define CERT_OPT {"certificate", "SERIAL", OPT_TEXT, R(certificate), "số hiệu chứng thư (mặc định: chứng thư mới nhất còn hiệu lực)", "certificate (default: the newest in force)"}
#define DEVICE_OPT {"device", "NUMBER", OPT_TEXT, R(device), "số hiệu thiết bị (mặc định: thiết bị của chứng thư)", "device (default: the certificate's)"}
#define GROUND_OPT {"ground", "ID", OPT_TEXT, R(ground), "lý do: lo-khoa, that-lac, thiet-bi-hong, chuyen-cong-tac, nghi-huu, thoi-viec, tu-tran, giai-the, ngung-hoat-dong, quan-ly-truc-tiep, to-tung", "ground, by its id"}
#define REASON_OPT {"reason", "TEXT", OPT_TEXT, R(reason), "lý do, bằng văn bản", "written reason"}

static const struct opt new_opts[] = {DRAFT_OPTS};
static const struct opt renew_opts[] = {DRAFT_OPTS, CERT_OPT};
static const struct opt change_opts[] = {
    DRAFT_OPTS, CERT_OPT,
    {"what", "email|agency|name|address|version|feature", OPT_TEXT, R(what), "thông tin cần thay đổi", "what changes"},
    {"to", "TEXT", OPT_TEXT, R(to), "thông tin mới", "its new value"},
};
static const struct opt revoke_opts[] = {DRAFT_OPTS, CERT_OPT, DEVICE_OPT, GROUND_OPT};
static const struct opt recover_opts[] = {DRAFT_OPTS, CERT_OPT, DEVICE_OPT};
static const struct opt emergency_opts[] = {DIR_OPT, AS_OPT, CERT_OPT, GROUND_OPT};
static const struct opt desk_opts[] = {DIR_OPT, AS_OPT};
static const struct opt sign_opts[] = {
    DIR_OPT, AS_OPT, KEY_OPTS,
    {"number", "TEXT", OPT_TEXT, R(number), "số và ký hiệu, khi văn bản chưa có số", "number and symbol, when the letter has none yet"},
    {"paper", "FILE", OPT_TEXT, R(paper), "bản quét văn bản giấy đã ký, đóng dấu (chỉ lần cấp đầu tiên của cơ quan)", "scan of the letter signed by hand and sealed (an agency's first request only)"},
};
static const struct opt run_opts[] = {DIR_OPT, {"as", "PERSON[/ROLE]", OPT_TEXT, R(as), "ai chạy (mặc định: bộ hẹn giờ của máy)", "who runs it (default: the timer of the machine)"}};
static const struct opt reason_opts[] = {DIR_OPT, AS_OPT, REASON_OPT};
static const struct opt refuse_opts[] = {
    DIR_OPT, AS_OPT, REASON_OPT, KEY_OPTS,
    {"number", "TEXT", OPT_TEXT, R(number), "số và ký hiệu của văn bản thông báo", "number and symbol of the letter"},
};
static const struct opt approve_opts[] = {
    DIR_OPT, AS_OPT, KEY_OPTS, REASON_OPT,
    {"item", "N", OPT_LIST, R(item), "mục trong danh sách (nhiều lần được; mặc định: tất cả)", "item of the list (may be repeated; default: all)"},
    {"number", "TEXT", OPT_TEXT, R(number), "số và ký hiệu của văn bản không chấp nhận", "number and symbol of the letter that refuses"},
    {"refuse-item", NULL, OPT_FLAG, R(mine), "không chấp thuận các mục này (cần --reason)", "refuse these items (needs --reason)"},
};
static const struct opt execute_opts[] = {
    DIR_OPT, AS_OPT,
    {"token", "URI", OPT_TEXT, R(token), "nơi có thiết bị chưa ghi địa chỉ: pkcs11:?module-path=… (mặc định DIR/devices)", "where devices without an address of their own are: pkcs11:?module-path=… (default DIR/devices)"},
    {"pin-dir", "DIR", OPT_TEXT, R(pin_dir), "thư mục giữ mã PIN ban đầu của thiết bị (mặc định DIR/pins)", "folder for first PINs of devices (default DIR/pins)"},
};
static const struct opt handover_opts[] = {
    DIR_OPT, AS_OPT,
    {"record", "NUMBER", OPT_TEXT, R(record), "số biên bản bàn giao đã ký hai bên", "number of the hand-over record, signed by both sides"},
};
static const struct opt list_opts[] = {
    DIR_OPT, AS_OPT,
    {"agency", "CODE", OPT_TEXT, R(agency), "của cơ quan (được cùng --state hoặc --overdue)", "of this agency (--state or --overdue may stand with it)"},
    {"to-body", "ROLE", OPT_TEXT, R(addressee), "gửi đến (cùng --state hoặc --overdue)", "sent to (with --state or --overdue)"},
    {"state", "ID", OPT_TEXT, R(state), "ở trạng thái", "in this state"},
    {"name", "TEXT", OPT_TEXT, R(name), "tên thuê bao bắt đầu bằng (không cần dấu)", "name of a subscriber begins with (marks do not matter)"},
    {"subject", "NUMBER", OPT_TEXT, R(subject_one), "của thuê bao", "of this subscriber"},
    {"overdue", NULL, OPT_FLAG, R(overdue), "quá hạn, theo thời hạn", "overdue, by deadline"},
    {"limit", "N", OPT_INT, R(limit), "số dòng (mặc định 50)", "lines (default 50)"},
    {"before", "ID", OPT_INT, R(before), "từ trước mã này", "from before this id"},
    {"after", "CURSOR", OPT_TEXT, R(after), "cùng --name, --overdue: tiếp sau dòng này (“next” của trang trước)", "with --name, --overdue: behind this line (“next” of the page before)"},
};
static const struct opt notice_opts[] = {
    DIR_OPT, AS_OPT,
    {"about", "OBJECT", OPT_TEXT, R(about), "về: request:12, certificate:…", "about: request:12, certificate:…"},
    {"limit", "N", OPT_INT, R(limit), "số dòng (mặc định 50)", "lines (default 50)"},
    {"before", "ID", OPT_INT, R(before), "từ trước mã này", "from before this id"},
};

static const struct command commands[] = {
    {"request new", "", 0, 0, OFFICE_OPTS(new_opts, request_args), RUN(cmd_request_new), "lập hồ sơ đề nghị cấp mới", "draft a request for new certificates", NULL, NULL},
    {"request renew", "", 0, 0, OFFICE_OPTS(renew_opts, request_args), RUN(cmd_request_renew), "lập hồ sơ đề nghị gia hạn", "draft a request for renewal", NULL, NULL},
    {"request change", "", 0, 0, OFFICE_OPTS(change_opts, request_args), RUN(cmd_request_change), "lập hồ sơ đề nghị thay đổi nội dung thông tin", "draft a request for a change of content", NULL, NULL},
    {"request revoke", "", 0, 0, OFFICE_OPTS(revoke_opts, request_args), RUN(cmd_request_revoke), "lập hồ sơ đề nghị thu hồi chứng thư", "draft a request for revocation", NULL, NULL},
    {"request recover", "", 0, 0, OFFICE_OPTS(recover_opts, request_args), RUN(cmd_request_recover), "lập hồ sơ đề nghị khôi phục thiết bị", "draft a request for recovery of a device", NULL, NULL},
    {"request emergency", "", 0, 0, OFFICE_OPTS(emergency_opts, request_args), RUN(cmd_request_emergency), "báo mất hoặc lộ khóa: tạm dừng ngay, lập sẵn hồ sơ thu hồi", "report loss or a leak: held at once, a revocation drafted",
     "Chứng thư được tạm dừng ngay; hồ sơ thu hồi nằm sẵn ở bản nháp, chờ người đứng đầu ký.",
     "The certificate is held at once; a draft for its revocation waits for the signature of the head."},
    {"request check", "ID", 1, 1, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_request_check), "kiểm tra hồ sơ, từng mục kèm căn cứ", "check a request, each check with its article", NULL, NULL},
    {"request paper", "ID OUT.pdf", 2, 2, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_request_paper), "lưu văn bản đề nghị thành tệp PDF: bản đã ký, hoặc bản để in, ký tay và đóng dấu", "save the letter as a PDF: the signed one, or the one to print, sign by hand and seal", NULL, NULL},
    {"request sign", "ID", 1, 1, OFFICE_OPTS(sign_opts, request_args), RUN(cmd_request_sign), "lập văn bản đề nghị theo mẫu và ký số", "lay out the letter by its form and sign it", NULL, NULL},
    {"request send", "ID", 1, 1, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_request_send), "kiểm tra và gửi hồ sơ", "check and send", NULL, NULL},
    {"request withdraw", "ID", 1, 1, OFFICE_OPTS(reason_opts, request_args), RUN(cmd_request_withdraw), "rút hồ sơ chưa được chấp nhận", "withdraw a request that is not accepted yet",
     "Hồ sơ đã gửi thì phải nêu --reason; cơ quan nhận hồ sơ được thông báo.", "Of one that was sent --reason is needed; the body that has it is told."},
    {"request list", "", 0, 0, OFFICE_OPTS(list_opts, request_args), RUN(cmd_request_list), "danh sách hồ sơ", "list requests", NULL, NULL},
    {"request show", "ID", 1, 1, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_request_show), "xem hồ sơ, từng mục và quá trình", "show a request, its items and history", NULL, NULL},
    {"request accept", "ID", 1, 1, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_request_accept), "chấp nhận hồ sơ hợp lệ để giải quyết", "accept a valid request for decision", NULL, NULL},
    {"request supplement", "ID", 1, 1, OFFICE_OPTS(reason_opts, request_args), RUN(cmd_request_supplement), "yêu cầu bổ sung hồ sơ", "ask for a supplement", NULL, NULL},
    {"request refuse", "ID", 1, 1, OFFICE_OPTS(refuse_opts, request_args), RUN(cmd_request_refuse), "từ chối hồ sơ bằng văn bản nêu rõ lý do, ký số", "refuse in writing with the reason, signed", NULL, NULL},
    {"request approve", "ID", 1, 1, OFFICE_OPTS(approve_opts, request_args), RUN(cmd_request_approve), "phê duyệt từng mục, mỗi quyết định được ký số", "decide items, each decision signed", NULL, NULL},
    {"request execute", "ID", 1, 1, OFFICE_OPTS(execute_opts, request_args), RUN(cmd_request_execute), "thực hiện các mục đã phê duyệt; chạy lại được", "carry out what is approved; may be run again", NULL, NULL},
    {"request handover", "ID", 1, 1, OFFICE_OPTS(handover_opts, request_args), RUN(cmd_request_handover), "ghi nhận đã bàn giao thiết bị theo biên bản", "note that the devices were handed over by a record", NULL, NULL},
    {"notice list", "", 0, 0, OFFICE_OPTS(notice_opts, request_args), RUN(cmd_notice_list), "danh sách thông báo và thư", "list notices and letters", NULL, NULL},
    {"notice show", "ID", 1, 1, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_notice_show), "xem một thông báo", "show a notice", NULL, NULL},
    {"notice resend", "ID", 1, 1, OFFICE_OPTS(desk_opts, request_args), RUN(cmd_notice_resend), "gửi lại thư bị máy chủ từ chối hoặc đang chờ", "send a letter again that a server refused, or that waits", NULL, NULL},
    {"notice set-aside", "ID", 1, 1, OFFICE_OPTS(reason_opts, request_args), RUN(cmd_notice_set_aside), "không gửi thư này nữa, nêu lý do", "send this letter no more, for a reason", NULL, NULL},
    {"notice run", "", 0, 0, OFFICE_OPTS(run_opts, request_args), RUN(cmd_notice_run), "việc hằng ngày: nhắc hạn, báo quá hạn, gửi thư", "the daily work: reminders, overdue requests, letters",
     "Không có --as là bộ hẹn giờ của máy; có --as thì chỉ người giữ sổ của mọi cơ quan. Mỗi lần chạy được ghi vào nhật ký.",
     "Without --as it is the timer of the machine; with it, only who keeps the register of all agencies. Each run is logged."},
};
const struct command_group office_request = {commands, AN_COUNT(commands)};
