/* The command table. Adding a command: one row here, one function, and its options below; nothing else. */
#include "cli/cmd.h"
#include "office/tables.h"

#define O(type, member) offsetof(struct type, member)

static const struct opt sign_opts[] = {
    {"output", "OUT", OPT_TEXT, O(sign_args, output), "tệp ra (cũng viết -o); một tệp vào", "output file (also -o); for one input"},
    {"out-dir", "DIR", OPT_TEXT, O(sign_args, out_dir), "thư mục chứa các tệp ra, giữ tên tệp", "folder for the outputs, names kept"},
    {"look", "ID", OPT_TEXT, O(sign_args, look), "hình thức chữ ký (xem antin look list); bỏ trống: không hiển thị", "look of the signature (see antin look list); none: invisible"},
    {"regulation", "ID", OPT_TEXT, O(sign_args, regulation), "quy chế áp dụng cho hình thức", "regulation the look is taken from"},
    {"key", "URI", OPT_TEXT, O(sign_args, key), "khóa bí mật: pkcs11:… (RFC 7512) hoặc tệp PKCS#8", "private key: pkcs11:… (RFC 7512) or a PKCS#8 file"},
    {"cert", "FILE", OPT_TEXT, O(sign_args, cert), "chứng thư của người ký; bỏ trống: lấy trong thiết bị", "signer's certificate; default: the one on the token"},
    {"chain", "FILE|DIR", OPT_LIST, O(sign_args, chain), "chứng thư của tổ chức cung cấp dịch vụ", "certificates of the issuing authorities"},
    {"image", "PNG", OPT_TEXT, O(sign_args, image), "hình ảnh chữ ký hoặc dấu, .png nền trong suốt", "signature or seal image, PNG with transparency"},
    {"seal-diameter-mm", "N", OPT_REAL, O(sign_args, seal_diameter_mm), "đường kính thực tế của dấu", "true diameter of the seal"},
    {"number", "TEXT", OPT_TEXT, O(sign_args, number), "số và ký hiệu văn bản", "number and symbol of the document"},
    {"copy-kind", "sao-y|sao-luc|trich-sao", OPT_TEXT, O(sign_args, copy_kind), "hình thức sao", "kind of copy"},
    {"agency", "TEXT", OPT_TEXT, O(sign_args, agency), "tên cơ quan, tổ chức", "name of the agency"},
    {"near-text", "TEXT", OPT_TEXT, O(sign_args, near_text), "họ tên hoặc chức vụ in cạnh vị trí ký; mặc định: tên trong chứng thư", "printed name or title beside the place; default: the name in the certificate"},
    {"page", "N", OPT_INT, O(sign_args, page), "trang đặt chữ ký, từ 1; -1 là trang cuối", "page of the signature, from 1; -1 is the last"},
    {"rect", "X,Y,W,H", OPT_TEXT, O(sign_args, rect), "vị trí theo điểm (1/72 inch), gốc ở góc dưới bên trái trang", "place in points, origin at the lower left of the page"},
    {"field", "NAME", OPT_TEXT, O(sign_args, field), "trường chữ ký có sẵn hoặc tên trường mới", "existing empty field, or the name of a new one"},
    {"level", "B-B|B-T|B-LT|B-LTA", OPT_TEXT, O(sign_args, level), "mức chữ ký (mặc định B-B, B-T khi có --tsa)", "level (default B-B, B-T with --tsa)"},
    {"tsa", "URL", OPT_TEXT, O(sign_args, tsa), "máy chủ cấp dấu thời gian", "time-stamping server"},
    {"tsa-timeout", "SECONDS", OPT_INT, O(sign_args, tsa_timeout), "thời gian chờ mỗi lần hỏi (mặc định 180)", "patience for each try (default 180)"},
    {"allow-downgrade", NULL, OPT_FLAG, O(sign_args, allow_downgrade), "không có dấu thời gian thì ký B-B và báo rõ (mặc định: dừng)", "sign at B-B and say so when no time-stamp can be had (default: fail)"},
    {"pin-file", "FILE", OPT_TEXT, O(sign_args, pin_file), "tệp chứa mã PIN, chỉ chủ tệp đọc được; bỏ trống: hỏi", "file with the PIN, readable by its owner only; default: ask"},
    {"password-file", "FILE", OPT_TEXT, O(sign_args, password_file), "mật khẩu mở tệp PDF", "password of the PDF"},
    {"trust", "FILE|DIR", OPT_LIST, O(sign_args, trust), "gốc tin cậy để kiểm tra chứng thư trước khi ký", "trust anchors for the check before signing"},
    {"crl", "FILE|DIR", OPT_LIST, O(sign_args, crl), "danh sách thu hồi", "revocation lists"},
    {"ocsp", "FILE|DIR", OPT_LIST, O(sign_args, ocsp), "trả lời OCSP", "OCSP responses"},
    {"offline", NULL, OPT_FLAG, O(sign_args, offline), "không hỏi tình trạng chứng thư qua mạng", "do not ask for certificate status over the network"},
    {"allow-private", NULL, OPT_FLAG, O(sign_args, allow_private), "cho phép địa chỉ mạng nội bộ trong chứng thư", "allow private addresses named by certificates"},
    {"proxy", "URL", OPT_TEXT, O(sign_args, proxy), "máy chủ proxy", "proxy server"},
    {"ca-file", "FILE", OPT_TEXT, O(sign_args, ca_file), "cơ quan chứng thực (PEM) cho địa chỉ https, thay cho của hệ thống", "authorities (PEM) for https addresses, in place of the system's"},
    {"certify", "1|2|3", OPT_TEXT, O(sign_args, certify), "ký chứng nhận (DocMDP) trên tệp chưa có chữ ký", "certification signature (DocMDP) on an unsigned file"},
    {"secrecy", "thuong|mat|toi-mat|tuyet-mat", OPT_TEXT, O(sign_args, secrecy), "độ mật của văn bản; văn bản mật bị từ chối", "secrecy of the document; secrets are refused"},
    {"digest", "sha256|sha384|sha512", OPT_TEXT, O(sign_args, digest), "hàm băm (mặc định theo khóa)", "digest (default by the key)"},
    {"pss", NULL, OPT_FLAG, O(sign_args, pss), "RSASSA-PSS thay cho PKCS#1 v1.5", "RSASSA-PSS instead of PKCS#1 v1.5"},
    {"format", "pades|cades", OPT_TEXT, O(sign_args, format), "pades: trong tệp PDF; cades: tệp .p7s/.p7m", "pades: inside the PDF; cades: a .p7s/.p7m file"},
    {"attached", NULL, OPT_FLAG, O(sign_args, attached), "cades: kèm nội dung (.p7m)", "cades: with the content (.p7m)"},
    {"font", "FILE", OPT_TEXT, O(sign_args, font), "phông chữ thay cho Liberation Serif", "font instead of Liberation Serif"},
    {"in-place", NULL, OPT_FLAG, O(sign_args, in_place), "nối chữ ký vào chính tệp vào", "append the signature to the input itself"},
    {"resume", NULL, OPT_FLAG, O(sign_args, resume), "bỏ qua tệp đã ký xong ở lần chạy trước", "skip files that an earlier run finished"},
    {"jobs", "N", OPT_INT, O(sign_args, jobs), "số luồng ký (mặc định: theo máy và thiết bị)", "threads (default: by machine and token)"},
};
static const struct opt verify_opts[] = {
    {"content", "FILE", OPT_LIST, O(verify_args, content), "nội dung của chữ ký tách rời; nhiều tệp: theo tên mà chữ ký nêu", "content of a detached signature; several: by the names that it uses"},
    {"trust", "FILE|DIR", OPT_LIST, O(verify_args, trust), "gốc tin cậy", "trust anchors"},
    {"untrusted", "FILE|DIR", OPT_LIST, O(verify_args, untrusted), "chứng thư trung gian", "intermediate certificates"},
    {"crl", "FILE|DIR", OPT_LIST, O(verify_args, crl), "danh sách thu hồi", "revocation lists"},
    {"ocsp", "FILE|DIR", OPT_LIST, O(verify_args, ocsp), "trả lời OCSP", "OCSP responses"},
    {"at", "RFC3339", OPT_TEXT, O(verify_args, at), "thời điểm kiểm tra (mặc định: bây giờ)", "moment of validation (default: now)"},
    {"policy", "ID", OPT_TEXT, O(verify_args, policy), "chính sách kiểm tra: cong-vu, cong-cong, noi-bo, etsi-qes, rfc5280", "policy: cong-vu, cong-cong, noi-bo, etsi-qes, rfc5280"},
    {"online", NULL, OPT_FLAG, O(verify_args, online), "hỏi tình trạng chứng thư qua mạng", "ask for status over the network"},
    {"offline", NULL, OPT_FLAG, O(verify_args, offline), "không dùng mạng (mặc định)", "never touch the network (default)"},
    {"allow-private", NULL, OPT_FLAG, O(verify_args, allow_private), "cho phép địa chỉ mạng nội bộ trong chứng thư", "allow private addresses named by certificates"},
    {"proxy", "URL", OPT_TEXT, O(verify_args, proxy), "máy chủ proxy", "proxy server"},
    {"ca-file", "FILE", OPT_TEXT, O(verify_args, ca_file), "cơ quan chứng thực (PEM) cho địa chỉ https, thay cho của hệ thống", "authorities (PEM) for https addresses, in place of the system's"},
    {"password-file", "FILE", OPT_TEXT, O(verify_args, password_file), "mật khẩu mở tệp PDF", "password of the PDF"},
    {"revocation", "require|if-available|none", OPT_TEXT, O(verify_args, revocation), "tình trạng thu hồi (mặc định theo chính sách)", "revocation status (default by the policy)"},
    {"policy-oid", "OID", OPT_LIST, O(verify_args, policy_oid), "chính sách chứng thư được chấp nhận; bỏ trống: mọi chính sách", "acceptable certificate policy; none: any policy"},
    {"explicit-policy", NULL, OPT_FLAG, O(verify_args, explicit_policy), "đường dẫn phải có chính sách được chấp nhận", "the path must hold an acceptable policy"},
    {"inhibit-mapping", NULL, OPT_FLAG, O(verify_args, inhibit_mapping), "không cho ánh xạ chính sách", "policy mapping is not allowed"},
    {"inhibit-any-policy", NULL, OPT_FLAG, O(verify_args, inhibit_any_policy), "anyPolicy không được tính", "anyPolicy does not count"},
    {"stream", NULL, OPT_FLAG, O(verify_args, stream), "đọc yêu cầu từ đầu vào chuẩn, mỗi dòng một JSON; trả lời mỗi dòng một JSON", "requests on standard input, one JSON a line; one JSON answer a line"},
    {"report", "OUT.pdf", OPT_TEXT, O(verify_args, report), "lưu kết quả thành báo cáo PDF", "save the result as a PDF report"},
    {"refusal", "OUT.txt|OUT.pdf", OPT_TEXT, O(verify_args, refusal), "lưu thư từ chối tiếp nhận gửi đơn vị gửi, khi có văn bản không hợp lệ", "save a refusal letter to the sender when a document is not valid"},
    {"etsi-report", "FILE.xml", OPT_TEXT, O(verify_args, etsi_report), "lưu báo cáo theo ETSI TS 119 102-2", "save a report by ETSI TS 119 102-2"},
    {"evidence", "DIR", OPT_TEXT, O(verify_args, evidence), "lưu hồ sơ căn cứ kiểm tra (TT 41/2017 Điều 9) vào DIR/TỆP.evidence", "save what decided (TT 41/2017 Điều 9) in DIR/FILE.evidence"},
    {"from-evidence", "DIR", OPT_TEXT, O(verify_args, from_evidence), "kiểm tra lại từ hồ sơ đã lưu, không dùng mạng", "verify again from a saved record, offline"},
    {"jobs", "N", OPT_INT, O(verify_args, jobs), "số luồng", "threads"},
};
static const struct opt cert_verify_opts[] = {
    {"trust", "FILE|DIR", OPT_LIST, O(cert_verify_args, trust), "gốc tin cậy", "trust anchors"},
    {"untrusted", "FILE|DIR", OPT_LIST, O(cert_verify_args, untrusted), "chứng thư trung gian", "intermediate certificates"},
    {"crl", "FILE|DIR", OPT_LIST, O(cert_verify_args, crl), "danh sách thu hồi", "revocation lists"},
    {"ocsp", "FILE|DIR", OPT_LIST, O(cert_verify_args, ocsp), "trả lời OCSP", "OCSP responses"},
    {"at", "RFC3339", OPT_TEXT, O(cert_verify_args, at), "thời điểm kiểm tra (mặc định: bây giờ)", "moment of validation (default: now)"},
    {"policy-oid", "OID", OPT_LIST, O(cert_verify_args, policy_oid), "chính sách chứng thư được chấp nhận; bỏ trống: mọi chính sách", "acceptable certificate policy; none: any policy"},
    {"explicit-policy", NULL, OPT_FLAG, O(cert_verify_args, explicit_policy), "đường dẫn phải có chính sách được chấp nhận", "the path must hold an acceptable policy"},
    {"inhibit-mapping", NULL, OPT_FLAG, O(cert_verify_args, inhibit_mapping), "không cho ánh xạ chính sách", "policy mapping is not allowed"},
    {"inhibit-any-policy", NULL, OPT_FLAG, O(cert_verify_args, inhibit_any_policy), "anyPolicy không được tính", "anyPolicy does not count"},
    {"purpose", "ID", OPT_TEXT, O(cert_verify_args, purpose), "mục đích: serverAuth, emailProtection, documentSigning, timeStamping… hoặc OID", "purpose: serverAuth, emailProtection, documentSigning, timeStamping… or an OID"},
    {"name", "TYPE:VALUE", OPT_LIST, O(cert_verify_args, name), "tên phải có trong chứng thư: dns, ip, email, uri, dn, upn", "name the certificate must carry: dns, ip, email, uri, dn, upn"},
    {"policy", "ID", OPT_TEXT, O(cert_verify_args, policy), "chính sách kiểm tra (mặc định rfc5280: không giới hạn thuật toán)", "policy file (default rfc5280: no limit on algorithms)"},
    {"revocation", "require|if-available|none", OPT_TEXT, O(cert_verify_args, revocation), "tình trạng thu hồi: bắt buộc, nếu có, không xét (mặc định theo chính sách)", "revocation status: required, if available, not looked at (default by the policy)"},
    {"online", NULL, OPT_FLAG, O(cert_verify_args, online), "hỏi tình trạng chứng thư qua mạng", "ask for status over the network"},
    {"offline", NULL, OPT_FLAG, O(cert_verify_args, offline), "không dùng mạng (mặc định)", "never touch the network (default)"},
    {"allow-private", NULL, OPT_FLAG, O(cert_verify_args, allow_private), "cho phép địa chỉ mạng nội bộ trong chứng thư", "allow private addresses named by certificates"},
    {"proxy", "URL", OPT_TEXT, O(cert_verify_args, proxy), "máy chủ proxy", "proxy server"},
    {"ca-file", "FILE", OPT_TEXT, O(cert_verify_args, ca_file), "cơ quan chứng thực (PEM) cho địa chỉ https, thay cho của hệ thống", "authorities (PEM) for https addresses, in place of the system's"},
};
static const struct opt pdf_opts[] = {
    {"password-file", "FILE", OPT_TEXT, O(pdf_args, password_file), "mật khẩu mở tệp PDF", "password of the PDF"},
};
static const struct opt pdf_revisions_opts[] = {
    {"password-file", "FILE", OPT_TEXT, O(pdf_args, password_file), "mật khẩu mở tệp PDF", "password of the PDF"},
    {"out-dir", "DIR", OPT_TEXT, O(pdf_args, out_dir), "lưu từng phiên bản (PDF và ảnh trang đầu)", "save each revision (PDF and a picture of its pages)"},
};
static const struct opt pdf_page_opts[] = {
    {"page", "N", OPT_INT, O(pdf_args, page), "trang, từ 1 (mặc định 1; -1 là trang cuối)", "page, from 1 (default 1; -1 is the last)"},
    {"dpi", "N", OPT_INT, O(pdf_args, dpi), "độ phân giải (mặc định 100)", "resolution (default 100)"},
};
static const struct opt token_opts[] = {
    {"pin-file", "FILE", OPT_TEXT, O(token_args, pin_file), "tệp chứa mã PIN; có thì liệt kê cả khóa bí mật", "file with the PIN; with it private keys are listed too"},
};
static const struct opt token_init_opts[] = {
    {"label", "TEXT", OPT_TEXT, O(token_args, label), "nhãn của thiết bị", "label of the token"},
    {"so-pin-file", "FILE", OPT_TEXT, O(token_args, so_pin_file), "tệp chứa mã PIN quản trị", "file with the security officer's PIN"},
    {"pin-file", "FILE", OPT_TEXT, O(token_args, pin_file), "tệp chứa mã PIN người dùng", "file with the user's PIN"},
};
static const struct opt token_generate_opts[] = {
    {"label", "TEXT", OPT_TEXT, O(token_args, label), "nhãn của khóa", "label of the key"},
    {"type", "rsa|ec", OPT_TEXT, O(token_args, key_type), "loại khóa (mặc định rsa)", "kind of key (default rsa)"},
    {"bits", "N", OPT_INT, O(token_args, bits), "độ dài khóa (mặc định 3072; ec: 256)", "size of the key (default 3072; ec: 256)"},
    {"id", "HEX", OPT_TEXT, O(token_args, id), "mã đối tượng, hệ 16", "object id, hexadecimal"},
    {"pin-file", "FILE", OPT_TEXT, O(token_args, pin_file), "tệp chứa mã PIN", "file with the PIN"},
};
static const struct opt token_unlock_opts[] = {
    {"so-pin-file", "FILE", OPT_TEXT, O(token_args, so_pin_file), "tệp chứa mã PIN quản trị; bỏ trống: hỏi", "file with the security officer's PIN; default: ask"},
    {"new-pin-file", "FILE", OPT_TEXT, O(token_args, new_pin_file), "tệp chứa mã PIN mới; bỏ trống: hỏi", "file with the new PIN; default: ask"},
};
static const struct opt token_pin_opts[] = {
    {"pin-file", "FILE", OPT_TEXT, O(token_args, pin_file), "tệp chứa mã PIN đang dùng; bỏ trống: hỏi", "file with the present PIN; default: ask"},
    {"new-pin-file", "FILE", OPT_TEXT, O(token_args, new_pin_file), "tệp chứa mã PIN mới; bỏ trống: hỏi", "file with the new PIN; default: ask"},
};
static const struct opt token_wipe_opts[] = {
    {"serial", "TEXT", OPT_TEXT, O(token_args, serial), "số hiệu của thiết bị cần xóa, để không xóa nhầm", "serial number of the token, so that no other one is wiped"},
    {"label", "TEXT", OPT_TEXT, O(token_args, label), "nhãn mới (mặc định: số hiệu)", "new label (default: the serial number)"},
    {"so-pin-file", "FILE", OPT_TEXT, O(token_args, so_pin_file), "tệp chứa mã PIN quản trị; bỏ trống: hỏi", "file with the security officer's PIN; default: ask"},
};
static const struct opt token_write_opts[] = {
    {"cert", "FILE", OPT_TEXT, O(token_args, cert), "chứng thư cần ghi (DER hoặc PEM)", "certificate to write (DER or PEM)"},
    {"id", "HEX", OPT_TEXT, O(token_args, id), "mã đối tượng của khóa, hệ 16", "object id of the key, hexadecimal"},
    {"label", "TEXT", OPT_TEXT, O(token_args, label), "nhãn của chứng thư", "label of the certificate"},
    {"pin-file", "FILE", OPT_TEXT, O(token_args, pin_file), "tệp chứa mã PIN", "file with the PIN"},
};
static const struct opt demo_opts[] = {
    {"dir", "DIR", OPT_TEXT, O(demo_args, dir), "thư mục trình diễn (mặc định ./demo)", "folder of the demonstration (default ./demo)"},
    {"regulation", "ID", OPT_TEXT, O(demo_args, regulation), "câu chuyện đăng ký, cấp, gia hạn, khôi phục, thu hồi theo quy chế này", "the story of registration, issue, renewal, recovery and revocation under this regulation"},
    {"database", "URL", OPT_TEXT, O(demo_args, database), "cơ sở dữ liệu của câu chuyện (mặc định SQLite trong thư mục)", "database of the story (default SQLite in the folder)"},
    {"module", "FILE", OPT_TEXT, O(demo_args, module), "mô-đun PKCS#11 cho thiết bị của thuê bao (mặc định SoftHSM2)", "PKCS#11 module of the subscribers' tokens (default SoftHSM2)"},
};
static const struct opt help_opts[] = {
    {"man", NULL, OPT_FLAG, O(help_args, man), "in trang man", "print the man page"},
    {"completion", "bash", OPT_TEXT, O(help_args, completion), "in tệp gợi ý lệnh cho bash", "print the completion file for bash"},
};

#define OPTS(table, type) table, AN_COUNT(table), sizeof(struct type)
#define NO_OPTS NULL, 0, 1

static const struct command desk_commands[] = {
    {"demo", "", 0, 0, OPTS(demo_opts, demo_args), cmd_demo, "trình diễn toàn bộ công việc trong một thư mục", "show the whole job in a folder", NULL, NULL},
    {"sign", "IN.pdf...", 1, -1, OPTS(sign_opts, sign_args), cmd_sign, "ký số văn bản theo đúng hình thức của quy chế", "sign documents with the prescribed look",
     "Trước khi ký, chứng thư và đường dẫn chứng thực được kiểm tra; không hợp lệ thì không ký (NĐ 68/2024 Điều 29). Nhiều tệp: một lần nhập PIN, "
     "có tiến độ, tệp hỏng không làm dừng các tệp khác.",
     "Before signing, the certificate and its path are checked; a failure blocks (NĐ 68/2024 Điều 29). Many files: one PIN, progress, and a bad file "
     "never stops the others."},
    {"verify", "FILE...", 0, -1, OPTS(verify_opts, verify_args), cmd_verify, "kiểm tra chữ ký số, từng mục kèm căn cứ", "verify signatures, each check with its article",
     "Mã kết thúc: 0 hợp lệ, 1 không hợp lệ, 2 chưa đủ căn cứ, từ 64: không kiểm tra được.",
     "Exit status: 0 TOTAL-PASSED, 1 TOTAL-FAILED, 2 INDETERMINATE, 64 and up: could not be checked."},
    {"look list", "[REGULATION]", 0, 1, NO_OPTS, cmd_look_list, "các hình thức chữ ký và căn cứ", "the looks and the articles behind them", NULL, NULL},
    {"cert show", "FILE...", 1, -1, NO_OPTS, cmd_cert_show, "xem chứng thư chữ ký số", "show certificates", NULL, NULL},
    {"cert verify", "LEAF...", 1, -1, OPTS(cert_verify_opts, cert_verify_args), cmd_cert_verify, "kiểm tra đường dẫn chứng thực của chứng thư", "validate the certification path of a certificate",
     "RFC 5280 mục 6. Mã kết thúc: 0 hợp lệ, 1 chắc chắn không hợp lệ, 2 chưa đủ căn cứ, từ 64: không kiểm tra được.",
     "RFC 5280 section 6. Exit status: 0 valid, 1 proven not valid, 2 not enough evidence, 64 and up: could not be checked."},
    {"pdf info", "FILE...", 1, -1, OPTS(pdf_opts, pdf_args), cmd_pdf_info, "thông tin và các trường chữ ký của tệp PDF", "facts about a PDF and its signature fields", NULL, NULL},
    {"pdf revisions", "FILE", 1, 1, OPTS(pdf_revisions_opts, pdf_args), cmd_pdf_revisions, "mỗi người ký đã thấy gì: các phiên bản của tệp", "what each signer saw: the revisions of a file", NULL, NULL},
    {"pdf find", "FILE TEXT", 2, 2, OPTS(pdf_opts, pdf_args), cmd_pdf_find, "tìm vị trí một đoạn chữ trên trang", "find where a text stands", NULL, NULL},
    {"pdf page", "FILE OUT.png", 2, 2, OPTS(pdf_page_opts, pdf_args), cmd_pdf_page, "lưu ảnh một trang", "save the picture of a page", NULL, NULL},
    {"token list", "[URI]", 0, 1, OPTS(token_opts, token_args), cmd_token_list, "các thiết bị lưu khóa bí mật và tình trạng PIN", "tokens and the state of their PINs", NULL, NULL},
    {"token show", "URI", 1, 1, OPTS(token_opts, token_args), cmd_token_show, "các đối tượng trong thiết bị", "objects on a token", NULL, NULL},
    {"token init", "URI", 1, 1, OPTS(token_init_opts, token_args), cmd_token_init, "khởi tạo thiết bị (xóa mọi thứ trong đó)", "initialise a token (erases it)", NULL, NULL},
    {"token generate", "URI", 1, 1, OPTS(token_generate_opts, token_args), cmd_token_generate, "tạo cặp khóa trong thiết bị", "generate a key pair inside a token", NULL, NULL},
    {"token unlock", "URI", 1, 1, OPTS(token_unlock_opts, token_args), cmd_token_unlock, "khôi phục thiết bị bị khóa: đặt mã PIN mới bằng mã PIN quản trị", "restore a locked token: set a new PIN with the security officer's PIN",
     "Chỉ tổ chức cung cấp dịch vụ, hoặc tổ chức được ủy quyền đối với PKI Token, khôi phục thiết bị (NĐ 68/2024 Điều 22). Mã PIN mới được thử ngay.",
     "Only the service provider, or the body delegated for PKI Tokens, restores a token (NĐ 68/2024 Điều 22). The new PIN is tried at once."},
    {"token pin", "URI", 1, 1, OPTS(token_pin_opts, token_args), cmd_token_pin, "đổi mã PIN của thiết bị", "change the PIN of a token", NULL, NULL},
    {"token wipe", "URI", 1, 1, OPTS(token_wipe_opts, token_args), cmd_token_wipe, "xóa sạch thiết bị đã thu hồi", "wipe a token that came back",
     "Mọi khóa và chứng thư trong thiết bị mất vĩnh viễn. Thiết bị chỉ bị xóa khi số hiệu đúng như đã nêu.",
     "Every key and certificate on it is lost for good. It is wiped only when it bears the serial number named."},
    {"token write", "URI", 1, 1, OPTS(token_write_opts, token_args), cmd_token_write, "ghi chứng thư vào thiết bị, thay chứng thư cũ của khóa", "write a certificate to a token in place of the key's former one", NULL, NULL},
    {"help", "", 0, 0, OPTS(help_opts, help_args), cmd_help, "hướng dẫn", "help", NULL, NULL},
};
static const struct command_group desk = {desk_commands, AN_COUNT(desk_commands)};

/* In this order they stand in help and in the manual. */
const struct command_group *const command_groups[] = {
    &desk, &office_instance, &office_ca, &office_enrol, &office_audit, &office_regulation,
    &office_registry, &office_device, &office_request, NULL,
};

bool
cli_command_is_of_desk(const struct command *command)
{
    return command >= desk_commands && command < desk_commands + AN_COUNT(desk_commands);
}

size_t
cli_command_count(void)
{
    size_t count = 0;

    for (size_t i = 0; command_groups[i] != NULL; i++)
        count += command_groups[i]->count;
    return count;
}

const struct command *
cli_command_at(size_t place)
{
    size_t group = 0;

    for (; place >= command_groups[group]->count; group++)
        place -= command_groups[group]->count;
    return &command_groups[group]->commands[place];
}
