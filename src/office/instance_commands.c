#include "office/instance_cmd.h"
#include "office/tables.h"

#define I(member) offsetof(struct init_args, member)
static const struct opt init_opts[] = {
    {"name", "TEXT", OPT_TEXT, I(name), "tên cơ quan vận hành (mặc định: tên thư mục)", "name of the organisation that runs it (default: the folder's)"},
    {"database", "URL", OPT_TEXT, I(database), "sqlite:TỆP hoặc postgresql://… (mặc định sqlite:store.db)", "sqlite:FILE or postgresql://… (default sqlite:store.db)"},
    {"regulation", "ID", OPT_TEXT, I(regulation), "quy chế áp dụng (mặc định quoc-gia)", "regulation in force (default quoc-gia)"},
    {"hierarchy", "state|party|both", OPT_TEXT, I(hierarchy), "hệ thống chứng thực (mặc định state)", "certification hierarchies (default state)"},
    {"base-url", "URL", OPT_TEXT, I(base_url), "địa chỉ ghi trong chứng thư (mặc định http://localhost:8080)", "address written into certificates (default http://localhost:8080)"},
    {"token", "URI", OPT_TEXT, I(token), "thiết bị giữ khóa của các CA (mặc định: SoftHSM2 trong thư mục)", "token that holds the keys of the authorities (default: SoftHSM2 inside the folder)"},
    {"pin-file", "FILE", OPT_TEXT, I(pin_file), "tệp chứa mã PIN của thiết bị đó", "file with the PIN of that token"},
};

#define B(member) offsetof(struct backup_args, member)
static const struct opt backup_opts[] = {
    {"with-tokens", NULL, OPT_FLAG, B(with_tokens), "kèm thiết bị SoftHSM2 (khóa đã mã hóa bằng mã PIN); mã PIN không bao giờ kèm theo", "with the SoftHSM2 token (its keys are encrypted under the PIN); PINs are never taken"},
};
static const struct opt restore_opts[] = {
    {"database", "URL", OPT_TEXT, B(database), "cơ sở dữ liệu đích, đang trống (mặc định: như trong bản sao lưu)", "database to restore into, empty (default: as the backup has it)"},
};
static const struct opt upgrade_opts[] = {
    {"database", "URL", OPT_TEXT, offsetof(struct upgrade_args, database), "địa chỉ dùng để nâng, của chủ sở hữu các bảng (mặc định: như antin.yaml)", "address to upgrade by, of who owns the tables (default: as antin.yaml says)"},
};
static const struct opt doctor_opts[] = {
    {"deep", NULL, OPT_FLAG, offsetof(struct doctor_args, deep), "kiểm tra cả nội dung: mọi ràng buộc, toàn bộ nhật ký, từng khóa", "also the content: every invariant, the whole audit log, each key"},
};
#define S(member) offsetof(struct serve_args, member)
static const struct opt serve_opts[] = {
    {"dir", "DIR", OPT_TEXT, S(dir), "thư mục của bản cài đặt (mặc định: thư mục hiện tại)", "folder of the instance (default: this one)"},
    {"listen", "ADDR:PORT", OPT_TEXT, S(listen), "địa chỉ và cổng (mặc định: theo antin.yaml)", "address and port (default: as antin.yaml says)"},
};

static const struct command commands[] = {
    {"init", "DIR", 1, 1, OFFICE_OPTS(init_opts, init_args), RUN(cmd_init), "tạo một bản cài đặt trong thư mục", "make an instance in a folder",
     "Tạo thư mục, tệp cấu hình, cơ sở dữ liệu, rồi đến khóa và chứng thư của các CA. Dừng giữa chừng thì chạy lại: việc đã xong không làm lại.",
     "Makes the folder, its configuration and store, then the keys and certificates of the authorities. Cut off, it is called again: what was done stays."},
    {"serve", "", 0, 0, OFFICE_OPTS(serve_opts, serve_args), RUN(cmd_serve), "chạy các dịch vụ qua mạng: OCSP, CRL, dấu thời gian, cấp chứng thư", "run the network services: OCSP, CRLs, time-stamps, enrolment",
     "SIGHUP: thay các tiến trình bằng tiến trình mới mà không mất yêu cầu nào. SIGTERM: trả lời nốt rồi dừng.",
     "SIGHUP replaces the processes by new ones without losing a request. SIGTERM answers what is open, then stops."},
    {"config check", "DIR", 1, 1, OFFICE_NO_OPTS, RUN(cmd_config_check), "kiểm tra tệp cấu hình antin.yaml", "check the configuration antin.yaml", NULL, NULL},
    {"upgrade", "DIR", 1, 1, OFFICE_OPTS(upgrade_opts, upgrade_args), RUN(cmd_upgrade), "nâng cơ sở dữ liệu lên phiên bản của chương trình", "bring the database to the program's version",
     "Hãy sao lưu trước (antin backup). Cơ sở dữ liệu mới hơn chương trình bị từ chối.",
     "Back up first (antin backup). A database newer than the program is refused."},
    {"backup", "DIR OUT", 2, 2, OFFICE_OPTS(backup_opts, backup_args), RUN(cmd_backup), "sao lưu khi đang chạy, và khôi phục thử để kiểm tra", "back up while it works, and restore a trial to be sure",
     "Khóa bí mật và mã PIN không có trong bản sao lưu.", "Private keys and PINs are not in the backup."},
    {"restore", "BACKUP DIR", 2, 2, OFFICE_OPTS(restore_opts, backup_args), RUN(cmd_restore), "khôi phục bản sao lưu vào một thư mục trống", "restore a backup into an empty folder", NULL, NULL},
    {"doctor", "[DIR]", 0, 1, OFFICE_OPTS(doctor_opts, doctor_args), RUN(cmd_doctor), "tìm điều chưa ổn trên máy này, kèm cách khắc phục", "find what is wrong on this machine, each with its remedy",
     "Mã kết thúc: 0 ổn, 1 có lỗi, 2 chỉ có cảnh báo.", "Exit status: 0 well, 1 something is wrong, 2 warnings alone."},
};
const struct command_group office_instance = {commands, AN_COUNT(commands)};
