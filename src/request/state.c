/* The states of a dossier and what may follow what (decision 080): the law names none, the order follows NĐ 68/2024
 * Điều 11, 22. */
#include "request/request.h"

#define S(state) (1u << AN_REQUEST_##state)

static const struct an_request_move move_table[AN_REQUEST_ACTS] = {
    {AN_REQUEST_ACT_EDIT, S(DRAFT) | S(SIGNED) | S(SUPPLEMENT), AN_REQUEST_DRAFT, AN_REQUEST_BY_AGENCY, "request.edit"},
    {AN_REQUEST_ACT_SIGN, S(DRAFT) | S(SIGNED), AN_REQUEST_SIGNED, AN_REQUEST_BY_HEAD, "request.sign"},
    {AN_REQUEST_ACT_SEND, S(SIGNED), AN_REQUEST_SENT, AN_REQUEST_BY_AGENCY, "request.send"},
    {AN_REQUEST_ACT_SEND_LIST, S(SIGNED), AN_REQUEST_LISTED, AN_REQUEST_BY_AGENCY, "request.send-list"},
    {AN_REQUEST_ACT_APPROVE_LIST, S(LISTED), AN_REQUEST_SENT, AN_REQUEST_BY_LIST_MANAGER, "request.approve-list"},
    {AN_REQUEST_ACT_RECEIVE, S(SENT), AN_REQUEST_CHECKING, AN_REQUEST_BY_SYSTEM, "request.receive"},
    {AN_REQUEST_ACT_RETURN, S(SENT), AN_REQUEST_SUPPLEMENT, AN_REQUEST_BY_SYSTEM, "request.return"},
    {AN_REQUEST_ACT_SUPPLEMENT, S(CHECKING) | S(LISTED), AN_REQUEST_SUPPLEMENT, AN_REQUEST_BY_AUTHORITY, "request.supplement"},
    {AN_REQUEST_ACT_REFUSE, S(CHECKING) | S(LISTED) | S(ACCEPTED), AN_REQUEST_REFUSED, AN_REQUEST_BY_AUTHORITY, "request.refuse"},
    {AN_REQUEST_ACT_ACCEPT, S(CHECKING), AN_REQUEST_ACCEPTED, AN_REQUEST_BY_AUTHORITY, "request.accept"},
    {AN_REQUEST_ACT_DECIDE, S(ACCEPTED), 0, AN_REQUEST_BY_AUTHORITY, "request.approve"},
    {AN_REQUEST_ACT_BEGIN, S(ACCEPTED), AN_REQUEST_EXECUTING, AN_REQUEST_BY_SYSTEM, "request.begin"},
    {AN_REQUEST_ACT_REFUSE_ALL, S(ACCEPTED), AN_REQUEST_REFUSED, AN_REQUEST_BY_SYSTEM, "request.refuse"},
    {AN_REQUEST_ACT_FINISH, S(EXECUTING), AN_REQUEST_EXECUTED, AN_REQUEST_BY_SYSTEM, "request.execute"},
    {AN_REQUEST_ACT_NOTIFY, S(EXECUTED), AN_REQUEST_NOTIFIED, AN_REQUEST_BY_SYSTEM, "request.notify"},
    {AN_REQUEST_ACT_EXPECT, S(EXECUTED), AN_REQUEST_AWAITING, AN_REQUEST_BY_SYSTEM, "request.notify"},
    {AN_REQUEST_ACT_HANDOVER, S(AWAITING), AN_REQUEST_HANDED_OVER, AN_REQUEST_BY_AUTHORITY, "request.handover"},
    {AN_REQUEST_ACT_WITHDRAW, S(DRAFT) | S(SIGNED) | S(SUPPLEMENT) | S(LISTED) | S(SENT) | S(CHECKING), AN_REQUEST_WITHDRAWN, AN_REQUEST_BY_AGENCY, "request.withdraw"},
};

static const struct { const char *id, *vi, *en; bool closed; } state_table[AN_REQUEST_STATES] = {
    [AN_REQUEST_DRAFT] = {"draft", "Bản nháp", "draft", false},
    [AN_REQUEST_SIGNED] = {"signed", "Đã ký, chưa gửi", "signed, not sent", false},
    [AN_REQUEST_LISTED] = {"listed", "Chờ phê duyệt danh sách", "list awaits approval", false},
    [AN_REQUEST_SENT] = {"sent", "Đã gửi", "sent", false},
    [AN_REQUEST_CHECKING] = {"checking", "Đang kiểm tra hồ sơ", "being checked", false},
    [AN_REQUEST_SUPPLEMENT] = {"supplement", "Yêu cầu bổ sung", "to be supplemented", false},
    [AN_REQUEST_REFUSED] = {"refused", "Từ chối", "refused", true},
    [AN_REQUEST_ACCEPTED] = {"accepted", "Đã chấp nhận", "accepted", false},
    [AN_REQUEST_EXECUTING] = {"executing", "Đang thực hiện", "being carried out", false},
    [AN_REQUEST_EXECUTED] = {"executed", "Đã thực hiện", "carried out", false},
    [AN_REQUEST_NOTIFIED] = {"notified", "Đã thông báo", "notified", true},
    [AN_REQUEST_AWAITING] = {"awaiting", "Chờ tiếp nhận thiết bị", "device awaits hand-over", false},
    [AN_REQUEST_HANDED_OVER] = {"handed-over", "Đã bàn giao", "handed over", true},
    [AN_REQUEST_WITHDRAWN] = {"withdrawn", "Đã rút", "withdrawn", true},
};

static const struct { const char *id, *vi, *en; } kind_table[AN_REQUEST_KINDS + 1] = {
    [AN_REQUEST_NEW] = {"new", "cấp mới", "issuance"},
    [AN_REQUEST_RENEW] = {"renew", "gia hạn", "renewal"},
    [AN_REQUEST_CHANGE] = {"change", "thay đổi nội dung thông tin", "change of content"},
    [AN_REQUEST_REVOKE] = {"revoke", "thu hồi chứng thư", "revocation"},
    [AN_REQUEST_RECOVER] = {"recover", "khôi phục thiết bị lưu khóa bí mật", "recovery of the device"},
};

static const char *const item_names[][2] = {
    [AN_ITEM_OPEN] = {"chưa quyết định", "open"},
    [AN_ITEM_APPROVED] = {"chấp thuận", "approved"},
    [AN_ITEM_REFUSED] = {"không chấp thuận", "refused"},
    [AN_ITEM_DONE] = {"đã thực hiện", "done"},
};

const struct an_request_move *
an_request_move_find(enum an_request_act act)
{
    AN_ASSERT(act < AN_REQUEST_ACTS && move_table[act].act == act);
    return &move_table[act];
}

bool
an_request_may_follow(enum an_request_state state, enum an_request_act act)
{
    return (an_request_move_find(act)->from & (1u << (unsigned)state)) != 0;
}

bool
an_request_is_closed(enum an_request_state state)
{
    return state < AN_REQUEST_STATES && state_table[state].closed;
}

const char *
an_request_state_name(enum an_request_state state, bool english)
{
    if (state < AN_REQUEST_DRAFT || state >= AN_REQUEST_STATES)
        return "?";
    return english ? state_table[state].en : state_table[state].vi;
}

const char *
an_request_state_id(enum an_request_state state)
{
    return state < AN_REQUEST_DRAFT || state >= AN_REQUEST_STATES ? "?" : state_table[state].id;
}

enum an_request_state
an_request_state_find(const char *id)
{
    for (unsigned state = AN_REQUEST_DRAFT; state < AN_REQUEST_STATES; state++)
        if (strcmp(state_table[state].id, id) == 0)
            return (enum an_request_state)state;
    return (enum an_request_state)0;
}

const char *
an_request_kind_id(enum an_request_kind kind)
{
    return kind < AN_REQUEST_NEW || kind > AN_REQUEST_RECOVER ? "?" : kind_table[kind].id;
}

const char *
an_request_kind_name(enum an_request_kind kind, bool english)
{
    if (kind < AN_REQUEST_NEW || kind > AN_REQUEST_RECOVER)
        return "?";
    return english ? kind_table[kind].en : kind_table[kind].vi;
}

const char *
an_item_state_name(int state, bool english)
{
    return state < 0 || (size_t)state >= AN_COUNT(item_names) ? "?" : item_names[state][english];
}
