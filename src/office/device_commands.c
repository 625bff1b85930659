#include "office/device_cmd.h"
#include "office/tables.h"

#define D(member) offsetof(struct device_args, member)

static const struct opt plain_opts[] = {
    DESK_OPTS(device_args),
};
#define DEVICE_FIELDS \
    {"model", "ID", OPT_TEXT, D(model), "loại thiết bị (devices/models.yaml)", "model (devices/models.yaml)"}, \
    {"uri", "URI", OPT_TEXT, D(uri), "địa chỉ PKCS#11 khi thiết bị đang cắm", "PKCS#11 address while it is at hand"}, \
    {"carrier", "TEXT", OPT_TEXT, D(carrier), "nhà mạng: Viettel, Vinaphone, Mobifone; thêm /cs khi chuyển đổi số đang dùng (NĐ 68/2024 Mẫu 01)", "carrier; with /cs to convert a number in use (NĐ 68/2024 Mẫu 01)"}, \
    {"phone", "NUMBER", OPT_TEXT, D(phone), "số điện thoại của SIM", "number of the SIM"}, \
    {"account", "TEXT", OPT_TEXT, D(account), "tài khoản ký số tập trung", "account of central signing"}, \
    {"subscriber", "NUMBER", OPT_TEXT, D(subscriber), "thuê bao", "subscriber"}, \
    {"place", "TEXT", OPT_TEXT, D(place), "nơi cất giữ", "where it is kept"}, \
    {"note", "TEXT", OPT_TEXT, D(note), "ghi chú", "note"}
static const struct opt add_opts[] = {
    DESK_OPTS(device_args),
    {"kind", "pki-token|sim-pki|hsm", OPT_TEXT, D(kind), "loại (mặc định pki-token)", "kind (default pki-token)"},
    {"number", "TEXT", OPT_TEXT, D(number), "số hiệu thiết bị", "its number"},
    DEVICE_FIELDS,
};
static const struct opt edit_opts[] = {
    DESK_OPTS(device_args),
    DEVICE_FIELDS,
};
static const struct opt list_opts[] = {
    DESK_OPTS(device_args),
    {"state", "STATE", OPT_TEXT, D(state), "chua-dung, dang-dung, bi-khoa, hong, that-lac, da-thu-hoi", "state"},
    {"holder", "WHO", OPT_TEXT, D(holder), "người giữ: số hiệu, agency:MÃ, cuc", "holder: a number, agency:CODE, cuc"},
    {"subscriber", "NUMBER", OPT_TEXT, D(subscriber), "thuê bao", "subscriber"},
    {"agency", "CODE", OPT_TEXT, D(agency), "thiết bị của một cơ quan, kể cả do người của cơ quan giữ", "what an agency holds, its people's included"},
    {"cursor", "TEXT", OPT_TEXT, D(cursor), "trang sau của lần trước", "next page, as told by the one before"},
    {"limit", "N", OPT_INT, D(limit), "số dòng mỗi trang (mặc định 50)", "rows of a page (default 50)"},
};
static const struct opt state_opts[] = {
    DESK_OPTS(device_args),
    {"reason", "TEXT", OPT_TEXT, D(reason), "lý do", "reason"},
};
static const struct opt prepare_opts[] = {
    DESK_OPTS(device_args),
    {"model", "ID", OPT_TEXT, D(model), "loại thiết bị (devices/models.yaml)", "model (devices/models.yaml)"},
};
static const struct opt move_opts[] = {
    DESK_OPTS(device_args),
    {"to", "WHO", OPT_TEXT, D(to), "bên nhận: số hiệu người, agency:MÃ, co-yeu:MÃ, buu-chinh, cuc", "who takes it: a person's number, agency:CODE, co-yeu:CODE, buu-chinh, cuc"},
    {"giver", "NUMBER", OPT_TEXT, D(giver), "người ký bên giao", "who signs for the giver"},
    {"taker", "NUMBER", OPT_TEXT, D(taker), "người ký bên nhận", "who signs for the taker"},
    {"way", "truc-tiep|co-yeu|buu-chinh", OPT_TEXT, D(way), "cách giao", "way of delivery"},
    {"place", "TEXT", OPT_TEXT, D(place), "địa điểm", "place"},
    {"reason", "TEXT", OPT_TEXT, D(reason), "lý do", "reason"},
    {"permission", "TEXT", OPT_TEXT, D(permission), "văn bản cho phép của người có thẩm quyền", "written permission of the competent person"},
    {"paper", "NUMBER", OPT_TEXT, D(paper), "đã lập biên bản giấy số này", "a paper record of this number exists"},
};
static const struct opt sign_opts[] = {
    DESK_OPTS(device_args),
    {"key", "URI", OPT_TEXT, D(key), "khóa của người ký: pkcs11:… hoặc tệp", "the signer's key: pkcs11:… or a file"},
    {"cert", "FILE", OPT_TEXT, D(cert), "chứng thư; bỏ trống: lấy trong thiết bị", "certificate; default: the one on the token"},
    {"image", "PNG", OPT_TEXT, D(image), "hình chữ ký tay, .png nền trong suốt", "picture of the hand signature, PNG with transparency"},
    {"pin-file", "FILE", OPT_TEXT, D(pin_file), "tệp chứa mã PIN", "file with the PIN"},
};
static const struct opt restore_opts[] = {
    DESK_OPTS(device_args),
    {"new-pin-file", "FILE", OPT_TEXT, D(new_pin_file), "tệp chứa mã PIN mới; bỏ trống: hỏi", "file with the new PIN; default: ask"},
    {"so-pin-file", "FILE", OPT_TEXT, D(so_pin_file), "tệp chứa mã PIN quản trị (mặc định: của bản cài đặt)", "file with the SO PIN (default: the instance's)"},
};
static const struct opt wipe_opts[] = {
    DESK_OPTS(device_args),
    {"so-pin-file", "FILE", OPT_TEXT, D(so_pin_file), "tệp chứa mã PIN quản trị (mặc định: của bản cài đặt)", "file with the SO PIN (default: the instance's)"},
};

#define CMD(name, args, min, max, opts, run, vi, en, more_vi, more_en) \
    {name, args, min, max, OFFICE_OPTS(opts, device_args), RUN(run), vi, en, more_vi, more_en}
static const struct command commands[] = {
    CMD("device add", "", 0, 0, add_opts, cmd_device_add, "ghi thiết bị lưu khóa bí mật vào sổ", "enter a device", NULL, NULL),
    CMD("device list", "", 0, 0, list_opts, cmd_device_list, "danh sách thiết bị", "list devices", NULL, NULL),
    CMD("device show", "NUMBER", 1, 1, plain_opts, cmd_device_show, "xem thiết bị: tình trạng, chứng thư, quá trình giao nhận", "show a device: state, certificates, custody", NULL, NULL),
    CMD("device edit", "NUMBER", 1, 1, edit_opts, cmd_device_edit, "sửa thông tin thiết bị", "change a device", NULL, NULL),
    CMD("device state", "NUMBER STATE", 2, 2, state_opts, cmd_device_state, "báo bị khóa (bi-khoa) hoặc hỏng (hong)", "tell that it is locked (bi-khoa) or broken (hong)", NULL, NULL),
    CMD("device prepare", "URI", 1, 1, prepare_opts, cmd_device_prepare, "khởi tạo thiết bị trống và ghi vào sổ", "initialise a blank token and enter it",
        "Mã PIN quản trị và mã PIN ban đầu được tạo ngẫu nhiên theo quy định của loại thiết bị, cất trong DIR/pins.", "The SO PIN and the first PIN are random, by the rule of the model, and kept in DIR/pins."),
    CMD("device handover", "NUMBER...", 1, -1, move_opts, cmd_device_handover, "lập biên bản bàn giao (Mẫu 07)", "draft the record of a hand-over (Mẫu 07)",
        "Biên bản có hiệu lực khi hai bên đã ký số (antin device sign); bên giao ký trước.", "It takes effect when both sides have signed it (antin device sign), the giver first."),
    CMD("device change", "NUMBER...", 1, -1, move_opts, cmd_device_change, "lập biên bản thay đổi người quản lý thiết bị của cơ quan", "draft the record of a change of custodian", NULL, NULL),
    CMD("device return", "NUMBER...", 1, -1, move_opts, cmd_device_return, "lập biên bản giao, nhận thiết bị thu hồi (Mẫu 08)", "draft the record of a return (Mẫu 08)", NULL, NULL),
    CMD("device lost", "NUMBER...", 1, -1, move_opts, cmd_device_lost, "lập biên bản xác nhận thất lạc (Mẫu 09)", "draft the record of a loss (Mẫu 09)", NULL, NULL),
    CMD("device records", "[NUMBER]", 0, 1, plain_opts, cmd_device_records, "biên bản của thiết bị; bỏ trống: biên bản chờ ký", "records of a device; none: those that wait for a signature", NULL, NULL),
    CMD("device paper", "RECORD OUT.pdf", 2, 2, plain_opts, cmd_device_paper, "lưu biên bản thành tệp PDF", "save a record as a PDF", NULL, NULL),
    CMD("device sign", "RECORD", 1, 1, sign_opts, cmd_device_sign, "ký số biên bản", "sign a record", NULL, NULL),
    CMD("device void", "RECORD", 1, 1, plain_opts, cmd_device_void, "hủy biên bản chưa ký xong", "void a record that is not signed by both", NULL, NULL),
    CMD("device restore", "NUMBER", 1, 1, restore_opts, cmd_device_restore, "khôi phục thiết bị bị khóa (NĐ 68/2024 Điều 22)", "restore a locked device (NĐ 68/2024 Điều 22)", NULL, NULL),
    CMD("device wipe", "NUMBER", 1, 1, wipe_opts, cmd_device_wipe, "xóa sạch thiết bị đã thu hồi", "wipe a device that came back", NULL, NULL),
};
const struct command_group office_device = {commands, AN_COUNT(commands)};
