#include "office/status_cmd.h"
#include "office/tables.h"

#define L(member) offsetof(struct crl_args, member)
static const struct opt crl_opts[] = {
    {"dir", "DIR", OPT_TEXT, L(dir), "thư mục của bản cài đặt (mặc định: thư mục hiện tại)", "folder of the instance (default: this one)"},
    {"delta", NULL, OPT_FLAG, L(delta), "chỉ những thay đổi từ danh sách đầy đủ gần nhất", "changes since the last full list only"},
};

static const struct command commands[] = {
    {"ca crl", "[NAME]", 0, 1, OFFICE_OPTS(crl_opts, crl_args), RUN(cmd_ca_crl), "lập và công bố danh sách chứng thư bị thu hồi", "make and publish revocation lists",
     "Không có NAME: của mọi tổ chức chứng thực có khóa ở đây. antin serve tự lập danh sách khi đến hạn.",
     "Without NAME: of all authorities whose keys are kept here. antin serve makes lists by itself when they are due."},
};
const struct command_group office_ca = {commands, AN_COUNT(commands)};
