#include "office/ca_cmd.h"
#include "office/status_cmd.h"
#include "office/tables.h"

#define C(member) offsetof(struct ca_args, member)
#define DIR_OPT {"dir", "DIR", OPT_TEXT, C(dir), "thư mục của bản cài đặt (mặc định: thư mục hiện tại)", "folder of the instance (default: the present folder)"}
#define KEY_OPT {"request-key", "TEXT", OPT_TEXT, C(request_key), "mã yêu cầu: chạy lại với cùng mã không làm thêm lần nữa (mặc định: tự đặt)", "request key: the same key again does nothing twice (default: a new one)"}
#define AS_OPT {"as", "WHO[/ROLE]", OPT_TEXT, C(as), "người thực hiện và vai trò; “system” khi thiết lập (mặc định: người dùng của máy)", "who acts, in which role; “system” while setting up (default: the user of the machine)"}
#define MATTER_OPT {"matter", "N", OPT_INT, C(matter), "việc đã được phê duyệt mà thao tác này dựa vào", "the decided matter that this rests on"}
#define OUT_OPT {"output", "OUT", OPT_TEXT, C(output), "tệp ra (cũng viết -o)", "output file (also -o)"}
#define EMAIL_OPT {"email", "ADDRESS", OPT_TEXT, C(email), "thư điện tử công vụ", "official e-mail address"}
#define SUBJECT_OPT {"subject", "C=VN, …, CN=…", OPT_TEXT, C(subject), "tên chủ thể, cũng viết được “/C=VN/…” hoặc “CN=…, C=VN”; “\\,” là dấu phẩy trong một phần", "subject, also as “/C=VN/…” or “CN=…, C=VN”; “\\,” is a comma within a part"}
#define CSR_OPT {"csr", "FILE", OPT_TEXT, C(csr), "yêu cầu PKCS#10 (PEM hoặc DER), có chứng minh giữ khóa", "PKCS#10 request (PEM or DER), its proof of possession is checked"}
#define TOKEN_OPTS {"generate", NULL, OPT_FLAG, C(generate), "tạo khóa trong thiết bị", "make the key inside a token"}, \
    {"token", "URI", OPT_TEXT, C(token), "thiết bị: pkcs11:… (RFC 7512)", "the token: pkcs11:… (RFC 7512)"}, \
    {"pin-file", "FILE", OPT_TEXT, C(pin_file), "tệp chứa mã PIN, chỉ chủ tệp đọc được", "file with the PIN, readable by its owner only"}, \
    {"key-type", "rsa-2048|rsa-3072|ec-256|…", OPT_TEXT, C(key_type), "loại khóa (mặc định rsa-2048)", "kind of key (default rsa-2048)"}

static const struct opt issue_opts[] = {
    DIR_OPT, {"profile", "ID", OPT_TEXT, C(profile), "mẫu chứng thư (xem antin ca profiles)", "certificate profile (see antin ca profiles)"}, SUBJECT_OPT, EMAIL_OPT, CSR_OPT, TOKEN_OPTS,
    {"authority", "NAME", OPT_TEXT, C(authority), "tổ chức cấp (mặc định: tổ chức duy nhất đang hoạt động)", "issuing authority (default: the one that is active)"},
    {"subscriber", "NUMBER", OPT_TEXT, C(subscriber), "số thuê bao", "number of the subscriber"}, {"device", "NUMBER", OPT_TEXT, C(device), "số hiệu thiết bị", "number of the device"},
    {"not-before", "RFC3339", OPT_TEXT, C(not_before), "có hiệu lực từ (mặc định: bây giờ)", "valid from (default: now)"},
    {"not-after", "RFC3339", OPT_TEXT, C(not_after), "đến (mặc định: theo mẫu)", "until (default: by the profile)"}, OUT_OPT, KEY_OPT, MATTER_OPT, AS_OPT,
};
static const struct opt renew_opts[] = {
    DIR_OPT, {"list", "FILE", OPT_TEXT, C(list), "tệp số hiệu, mỗi dòng một chứng thư", "file of serial numbers, one a line"}, CSR_OPT,
    {"not-after", "RFC3339", OPT_TEXT, C(not_after), "đến (mặc định: 03 năm)", "until (default: three years)"}, OUT_OPT, KEY_OPT, MATTER_OPT, AS_OPT,
    {"jobs", "N", OPT_INT, C(jobs), "số luồng với --list (mặc định 64)", "threads with --list (default 64)"},
};
static const struct opt change_opts[] = {DIR_OPT, SUBJECT_OPT, EMAIL_OPT, CSR_OPT, OUT_OPT, KEY_OPT, MATTER_OPT,
                                         AS_OPT};
static const struct opt revoke_opts[] = {
    DIR_OPT, {"ground", "ID", OPT_TEXT, C(ground), "căn cứ thu hồi (xem antin ca grounds)", "ground (see antin ca grounds)"},
    {"since", "RFC3339", OPT_TEXT, C(since), "khóa có thể đã lộ từ thời điểm", "since when the key may be known to others"}, KEY_OPT, MATTER_OPT, AS_OPT,
};
static const struct opt hold_opts[] = {DIR_OPT, KEY_OPT, MATTER_OPT, AS_OPT};
static const struct opt dir_opts[] = {DIR_OPT};
static const struct opt list_opts[] = {
    DIR_OPT, {"limit", "N", OPT_INT, C(limit), "số dòng nhiều nhất (mặc định 50)", "at most so many (default 50)"},
    {"before", "N", OPT_INT, C(before), "trước số thứ tự (cột đầu của trang trước)", "before this number (first column of the page before)"},
};
static const struct opt search_opts[] = {
    DIR_OPT, {"by", "subject|agency|email|subscriber", OPT_TEXT, C(by), "tìm theo (mặc định subject: họ tên hoặc tên cơ quan)", "what to search by (default subject: the common name)"},
    {"limit", "N", OPT_INT, C(limit), "số dòng nhiều nhất (mặc định 50)", "at most so many (default 50)"},
};
static const struct opt lint_opts[] = {
    {"profile", "ID", OPT_TEXT, C(profile), "so với mẫu chứng thư này", "compare with this profile"}, {"issuer", "FILE", OPT_TEXT, C(issuer), "chứng thư cấp trên", "certificate of the issuer"},
    {"strict", NULL, OPT_FLAG, C(strict), "cảnh báo cũng là không đạt", "warnings fail too"},
};
static const struct opt approvals_opts[] = {DIR_OPT, {"export", "FILE", OPT_TEXT, C(export_file), "ghi mọi thứ bên ngoài cần để kiểm tra", "write everything an outsider needs"}};
static const struct opt authority_opts[] = {
    DIR_OPT, OUT_OPT, CSR_OPT, {"cert", "FILE", OPT_TEXT, C(cert), "chứng thư nhận về", "the certificate that came back"},
    {"root", "FILE", OPT_TEXT, C(root), "chứng thư gốc đi kèm", "the root's certificate with it"},
    {"hierarchy", "state|party", OPT_TEXT, C(hierarchy), "hệ thống (mặc định state)", "hierarchy (default state)"},
    {"profile", "ID", OPT_TEXT, C(profile), "mẫu (mặc định trung-gian)", "profile (default trung-gian)"},
    {"common-name", "TEXT", OPT_TEXT, C(common_name), "tên trong chứng thư", "name in the certificate"}, MATTER_OPT, AS_OPT,
};
static const struct opt officer_opts[] = {
    DIR_OPT, {"cert", "FILE", OPT_TEXT, C(cert), "chứng thư của cán bộ", "the officer's certificate"},
    {"role", "ID", OPT_TEXT, C(role), "vai trò của cán bộ đó", "the officer's role"}, MATTER_OPT, AS_OPT,
};
#define VOTE_OPTS {"key", "URI", OPT_TEXT, C(key), "khóa của người quyết định: pkcs11:… hoặc tệp PKCS#8", "the person's key: pkcs11:… or a PKCS#8 file"}, \
    {"cert", "FILE", OPT_TEXT, C(cert), "chứng thư của người quyết định", "the person's certificate"}, \
    {"pin-file", "FILE", OPT_TEXT, C(pin_file), "tệp chứa mã PIN", "file with the PIN"}, \
    {"refuse", NULL, OPT_FLAG, C(refuse), "từ chối", "refuse"}, {"reason", "TEXT", OPT_TEXT, C(reason), "lý do", "reason"}
static const struct opt matter_opts[] = {
    DIR_OPT, {"facts", "HEX", OPT_TEXT, C(facts), "SHA-256 của nội dung được quyết định", "SHA-256 of what is decided"},
    {"needed", "N", OPT_INT, C(needed), "số người phê duyệt cần có (mặc định 2)", "approvals needed (default 2)"},
    {"as", "WHO[/ROLE]", OPT_TEXT, C(as), "open: người đề nghị, không được phê duyệt; vote: người quyết định và vai trò", "open: who asks, and may not approve; vote: who decides, in which role"},
    VOTE_OPTS,
    {"export", "FILE", OPT_TEXT, C(export_file), "ghi mọi thứ bên ngoài cần để kiểm tra", "write everything an outsider needs"},
};
static const struct opt approval_opts[] = {DIR_OPT, MATTER_OPT, AS_OPT};
static const struct opt ceremony_opts[] = {DIR_OPT, OUT_OPT, AS_OPT, VOTE_OPTS};

#define L(member) offsetof(struct crl_args, member)
static const struct opt crl_opts[] = {
    {"dir", "DIR", OPT_TEXT, L(dir), "thư mục của bản cài đặt (mặc định: thư mục hiện tại)", "folder of the instance (default: this one)"},
    {"delta", NULL, OPT_FLAG, L(delta), "chỉ những thay đổi từ danh sách đầy đủ gần nhất", "changes since the last full list only"},
};

#define ARGS(opts) OFFICE_OPTS(opts, ca_args)
static const struct command commands[] = {
    {"ca issue", "", 0, 0, ARGS(issue_opts), RUN(cmd_ca_issue), "cấp chứng thư", "issue a certificate",
     "Chứng thư sai mẫu hoặc không qua kiểm tra thì không được ký. Chứng thư, tình trạng đầu tiên và nhật ký được ghi cùng một lần.",
     "A certificate that breaks its profile or the linter is not signed. Certificate, first status and audit entry are one commit."},
    {"ca renew", "[SERIAL]", 0, 1, ARGS(renew_opts), RUN(cmd_ca_renew), "gia hạn chứng thư, cùng khóa hoặc khóa mới", "renew, with the same key or a new one",
     "Với --list: chạy lại cùng tệp thì chỉ làm phần còn lại.", "With --list: the same file again does only what is left."},
    {"ca change", "SERIAL", 1, 1, ARGS(change_opts), RUN(cmd_ca_change), "thay đổi nội dung thông tin, giữ thời hạn", "change the information, the end is kept", NULL, NULL},
    {"ca revoke", "SERIAL", 1, 1, ARGS(revoke_opts), RUN(cmd_ca_revoke), "thu hồi chứng thư", "revoke", NULL, NULL},
    {"ca hold", "SERIAL", 1, 1, ARGS(hold_opts), RUN(cmd_ca_hold), "tạm dừng (theo quy định cũ)", "suspend (as earlier rules knew it)", NULL, NULL},
    {"ca release", "SERIAL", 1, 1, ARGS(hold_opts), RUN(cmd_ca_release), "cho dùng lại sau khi tạm dừng", "end a suspension", NULL, NULL},
    {"ca expire", "", 0, 0, ARGS(dir_opts), RUN(cmd_ca_expire), "ghi nhận các chứng thư đã hết hạn", "mark what has expired", NULL, NULL},
    {"ca crl", "[NAME]", 0, 1, OFFICE_OPTS(crl_opts, crl_args), RUN(cmd_ca_crl), "lập và công bố danh sách chứng thư bị thu hồi", "make and publish revocation lists",
     "Không có NAME: của mọi tổ chức chứng thực có khóa ở đây. antin serve tự lập danh sách khi đến hạn.",
     "Without NAME: of all authorities whose keys are kept here. antin serve makes lists by itself when they are due."},
    {"ca list", "", 0, 0, ARGS(list_opts), RUN(cmd_ca_list), "liệt kê chứng thư, mới nhất trước", "list certificates, the latest first", NULL, NULL},
    {"ca show", "SERIAL", 1, 1, ARGS(approvals_opts), RUN(cmd_ca_show), "xem một chứng thư", "show one certificate", NULL, NULL},
    {"ca search", "TEXT", 1, 1, ARGS(search_opts), RUN(cmd_ca_search), "tìm chứng thư, không cần dấu", "search, accents aside", NULL, NULL},
    {"ca lint", "FILE...", 1, -1, ARGS(lint_opts), RUN(cmd_ca_lint), "kiểm tra chứng thư, CRL, trả lời OCSP, dấu thời gian theo chuẩn", "lint certificates, CRLs, OCSP answers, time-stamps", NULL, NULL},
    {"ca checks", "", 0, 0, ARGS(dir_opts), RUN(cmd_ca_checks), "liệt kê các phép kiểm tra của antin ca lint", "list the checks of antin ca lint", NULL, NULL},
    {"ca profiles", "", 0, 0, ARGS(dir_opts), RUN(cmd_ca_profiles), "liệt kê mẫu chứng thư", "list certificate profiles", NULL, NULL},
    {"ca grounds", "", 0, 0, ARGS(dir_opts), RUN(cmd_ca_grounds), "liệt kê căn cứ thu hồi", "list grounds of revocation", NULL, NULL},
    {"ca approvals", "SERIAL", 1, 1, ARGS(approvals_opts), RUN(cmd_ca_approvals), "các phê duyệt mà một chứng thư dựa vào", "the approvals that a certificate rests on", NULL, NULL},
    {"ca authority", "list|request NAME|sign ISSUER|install NAME|roll LINE|renew NAME", 1, 2, ARGS(authority_opts), RUN(cmd_ca_authority), "tổ chức cấp: liệt kê, yêu cầu và chứng thư qua tệp, thay khóa", "authorities: list, request and certificate as files, new keys",
     "Gốc ngoại tuyến: request tạo khóa và yêu cầu (--output); sign ký trên máy giữ gốc (--csr, --output); install đưa chứng thư về (--cert, --root).\nroll: khóa mới cho một tổ chức, tsa hoặc NAME-ocsp; với gốc có thêm hai chứng thư chéo trong public/crt.\nrenew: chứng thư mới cho cùng khóa của nhat-ky, dang-ky, tsa hoặc NAME-ocsp. Dịch vụ đang chạy tự chuyển sang, không phải khởi động lại.",
     "Offline root: request makes key and request (--output); sign signs where the root is (--csr, --output); install brings the certificate home (--cert, --root).\nroll: a new key for an authority, tsa or NAME-ocsp; for a root the two cross certificates too, in public/crt.\nrenew: a new certificate of the same key for nhat-ky, dang-ky, tsa or NAME-ocsp. A service that runs goes over by itself, without a restart."},
    {"ca officer", "list|add PERSON|end PERSON", 1, 2, ARGS(officer_opts), RUN(cmd_ca_officer), "cán bộ được phê duyệt, một người một vai trò", "officers who approve, one person one role", NULL, NULL},
    {"ca matter", "open ACT OBJECT|vote ID|show ID", 2, 3, ARGS(matter_opts), RUN(cmd_ca_matter), "việc cần nhiều người phê duyệt bằng thiết bị của mình", "matters that several persons approve with their own tokens", NULL, NULL},
    {"ca approval", "", 0, 0, ARGS(approval_opts), RUN(cmd_ca_approval), "những việc phải được phê duyệt, theo antin.yaml và đang áp dụng", "acts that need approval, by antin.yaml and as in force",
     "Mức cao hơn có hiệu lực ngay. Mức thấp hơn: đưa ra phê duyệt (antin ca matter open approval.rules approval.rules --facts SỐ BĂM), rồi chạy lại với --matter.",
     "More is in force at once. Less is put up for approval (antin ca matter open approval.rules approval.rules --facts HASH), then this is run with --matter."},
    {"ca ceremony", "open|run|sign|close FILE", 2, 2, ARGS(ceremony_opts), RUN(cmd_ca_ceremony), "lễ tạo khóa theo kịch bản, có biên bản được ký", "key ceremony by a script, with a signed transcript",
     "open: đưa kịch bản ra phê duyệt. run: thực hiện khi đủ người phê duyệt, ghi biên bản (--output bien-ban.txt, bản in bien-ban.pdf) và đưa biên bản ra ký.\nsign: một người phê duyệt biên bản và ký vào bản PDF (--as WHO/ROLE, --key, --cert). close: kiểm tra cả hai, ghi biên bản kèm các chữ ký.",
     "open: puts the script up for approval. run: carries it out once approved, writes the transcript (--output bien-ban.txt, its page bien-ban.pdf) and puts that up.\nsign: a person approves the transcript and signs its page (--as WHO/ROLE, --key, --cert). close: checks both, writes the transcript with its signatures."},
};
const struct command_group office_ca = {commands, AN_COUNT(commands)};
