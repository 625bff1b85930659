/* What `antin init` writes: every key with its meaning, in the order of the file. {word} is filled in; a key of a
 * section is indented. A key that begins with "# " is an example: it has no usual value, and counts once somebody takes
 * the mark away. */
#include <stdio.h>

#include "service/instance/config_template.h"

const struct an_config_key an_config_keys[] = {
    {0, "instance", "\"{instance}\"", "Mã của bản cài đặt, do chương trình đặt; không sửa.", "Identity of this instance, made once; do not change."},
    {0, "name", "\"{name}\"", "Tên cơ quan, tổ chức vận hành.", "Name of the organisation that runs it."},
    {0, "database", "\"{database}\"", "Cơ sở dữ liệu: sqlite:TỆP (tính từ thư mục này) hoặc postgresql://… (mật khẩu đặt trong passfile).", "Database: sqlite:FILE (within this folder) or postgresql://… (the password stands in a passfile)."},
    {0, "# database_read", "\"postgresql://antin@db3/antin?passfile=/etc/antin/pgpass\"", "Bản sao chỉ đọc, cho những lần đọc có thể chậm một chút.", "A replica for reads that may be a moment old."},
    {0, "readers", "0", "Số kết nối đọc đồng thời; 0: theo máy.", "Connections for reading at once; 0: by the machine."},
    {0, "regulation", "\"{regulation}\"", "Quy chế áp dụng: tên tệp trong regulations/, không có đuôi.", "Regulation in force here: the name of a file in regulations/, without its ending."},
    {0, "hierarchy", "{hierarchy}", "Hệ thống chứng thực: state (Nhà nước), party (Đảng) hoặc both.", "Certification hierarchies: state, party or both."},
    {0, "base_url", "\"{base_url}\"", "Địa chỉ ghi trong chứng thư để lấy CRL, OCSP, chứng thư.", "Address written into certificates, where CRLs, OCSP and certificates are found."},
    {0, "ca", NULL, "Tổ chức cấp chứng thư (dùng khi tạo khóa mới).", "The authorities (read when a key is made)."},
    {1, "organisation", "\"{name}\"", "Tên tổ chức (O) trong chứng thư của các CA.", "Organisation (O) in the authorities' certificates."},
    {1, "root_key", "rsa-4096", "Khóa của gốc: rsa-2048, rsa-3072, rsa-4096, ec-256, ec-384, ec-521.", "Key of the root: rsa-2048, rsa-3072, rsa-4096, ec-256, ec-384, ec-521."},
    {1, "issuing_key", "rsa-3072", "Khóa của CA cấp chứng thư thuê bao.", "Key of the issuing authorities."},
    {1, "ocsp_key", "ec-256", "Khóa ký trả lời OCSP.", "Key of the OCSP signers."},
    {1, "tsa_key", "rsa-2048", "Khóa cấp dấu thời gian.", "Key of the time-stamping authority."},
    {1, "crl_partitions", "0", "Số phần của danh sách thu hồi; 0: một danh sách.", "Parts of the revocation list; 0: one list."},
    {0, "approval", NULL, "Việc của nơi cấp chứng thư chỉ được làm khi nhiều người đã phê duyệt (antin ca matter). Đặt thấp hơn mức đang áp dụng chỉ có hiệu lực khi chính việc đó được phê duyệt (antin ca approval).", "What the authority does only when several persons approved it (antin ca matter). Asking for less than is in force counts once that itself is approved (antin ca approval)."},
    {1, "acts", "\"issue renew change release sign roll officer\"", "Các việc: issue renew change revoke hold release (chứng thư), sign roll (tổ chức cấp), officer (cán bộ); none: không việc nào. Thu hồi, tạm dừng thường không phải chờ.", "Acts: issue renew change revoke hold release (certificates), sign roll (authorities), officer (officers); none: no act. Taking out of use should not have to wait."},
    {1, "since", "officers", "Từ khi: officers (ngay khi đã có đủ số cán bộ để phê duyệt) hoặc always.", "From when: officers (as soon as there are officers enough to approve) or always."},
    {1, "needed", "2", "Số người phê duyệt; yêu cầu đã được phê duyệt theo quy chế không cần thêm.", "Approvals needed; a request that was approved by the regulation needs no more."},
    {0, "audit", NULL, "Nhật ký.", "The audit log."},
    {1, "checkpoint_events", "10000", "Ký xác nhận nhật ký sau mỗi chừng này sự kiện.", "A checkpoint is signed after so many events."},
    {1, "checkpoint_minutes", "60", "… hoặc sau chừng này phút, nếu có sự kiện mới.", "… or after so many minutes, when there are new events."},
    {1, "# tsa", "\"http://tsa.ca.gov.vn\"", "Máy chủ dấu thời gian đóng dấu các lần xác nhận.", "The server that stamps checkpoints."},
    {1, "tsa_private", "false", "Cho phép máy chủ dấu thời gian nằm trong mạng nội bộ.",
     "The time-stamping server may stand on an inner network."},
    {0, "enrol", NULL, "Đăng ký tự động của thiết bị, dịch vụ, phần mềm (CMP, EST) và danh sách CA tin cậy.", "Enrolment of devices, services and software (CMP, EST), and the trust list."},
    {1, "confirm_minutes", "60", "Chứng thư không được xác nhận trong thời gian này thì bị thu hồi.", "A certificate that is not confirmed within this time is revoked."},
    {1, "poll_seconds", "30", "Thiết bị đang chờ phê duyệt hỏi lại sau chừng này giây.", "A device that waits for approval asks again after so many seconds."},
    {1, "clock_skew_seconds", "900", "Độ lệch đồng hồ tối đa của thông điệp; 0: không kiểm tra.", "How far a message's clock may be off; 0: not checked."},
    {1, "trust_list_days", "30", "Thời hạn của danh sách CA tin cậy (/trust/gca.ctl).", "How long a trust list (/trust/gca.ctl) is in force."},
    {0, "serve", NULL, "Dịch vụ qua mạng (antin serve).", "The network services (antin serve)."},
    {1, "listen", "\"127.0.0.1:8080\"", "Địa chỉ và cổng phục vụ.", "Address and port."},
    {1, "# proxies", "\"127.0.0.1\"", "Địa chỉ của máy chủ đứng trước (nginx), cách nhau bằng dấu cách; chỉ tin X-Forwarded-For và X-Forwarded-Proto từ đó.", "Addresses of proxies in front (nginx), blanks between; X-Forwarded-For and X-Forwarded-Proto are believed from there alone."},
    {1, "# client_certs_from", "\"127.0.0.1\"", "Máy chủ đứng trước có kiểm tra chứng thư TLS của thiết bị (EST) và luôn đặt lại X-Client-Cert; không khai báo thì X-Client-Cert không được tin.", "Proxies that check certificates of TLS clients (EST) and always set X-Client-Cert themselves; without this nobody's X-Client-Cert is believed."},
    {1, "# metrics_from", "\"127.0.0.1\"", "Địa chỉ được đọc /metrics.", "Addresses that may read /metrics."},
    {1, "access_log", "false", "Ghi mỗi yêu cầu một dòng JSON ra đầu ra lỗi.", "One JSON line a request on standard error."},
    {1, "workers", "0", "Số luồng xử lý; 0: theo máy.", "Threads that carry requests out; 0: by the machine."},
    {1, "ocsp_cache_mb", "16", "Bộ nhớ giữ các câu trả lời trạng thái đã ký (MB).", "Memory for status answers that are signed already (MB)."},
    {1, "ocsp_minutes", "60", "Thời hạn của một câu trả lời trạng thái (phút).", "How long a status answer is fresh (minutes)."},
    {1, "crl_hours", "24", "Từ lúc lập đến lúc phải có danh sách thu hồi mới (giờ).", "From thisUpdate to nextUpdate of a revocation list (hours)."},
    {1, "crl_minutes", "360", "Lập danh sách thu hồi đầy đủ mỗi chừng này phút.", "A new full revocation list every so many minutes."},
    {1, "delta_minutes", "60", "Lập danh sách thay đổi mỗi chừng này phút; 0: không lập.", "A new delta list every so many minutes; 0: none."},
    {1, "revoked_seconds", "5", "Chứng thư bị thu hồi có trong danh sách chậm nhất sau chừng này giây.", "A revocation is in the lists after so many seconds at the latest."},
    {1, "token_seconds", "10",
     "Thiết bị lưu khóa không trả lời quá chừng này giây thì coi là treo; tiến trình giữ khóa được thay.",
     "A token that does not answer for so many seconds counts as hanging; the key process is replaced."},
    {1, "poll_ms", "250", "Mỗi chừng này mili giây xem máy khác đã thay đổi gì.", "How often changes made by other machines are looked for (milliseconds)."},
    {0, "time_stamp", NULL, "Dịch vụ cấp dấu thời gian.", "The time-stamping service."},
    {1, "policy", "\"2.16.704.1.1.1.1.1\"", "OID của quy chế cấp dấu thời gian.", "OID of the time-stamping policy."},
    {1, "accuracy_ms", "1000", "Độ chính xác ghi trong dấu thời gian (mili giây, 1–1000).", "The accuracy that time-stamps state (milliseconds, 1-1000)."},
    {1, "clock", "steps", "Kiểm tra đồng hồ: kernel (NTP/PTP của hệ điều hành) hoặc file (tệp của chương trình giám sát) khi vận hành chính thức; steps (nguồn giờ chưa được chứng minh, chỉ từ chối khi đồng hồ bị chỉnh hoặc lùi) để bắt đầu; none (không kiểm tra) chỉ để thử.", "How the clock is checked: kernel (the system's NTP/PTP) or file (a monitor's file) in production; steps (the source is unproven; refused only when the clock is set or goes back) to begin with; none (not at all) for trials."},
    {1, "# clock_file", "\"/run/antin-clock\"", "Tệp của chương trình giám sát, khi clock: file.", "The monitor's file, with clock: file."},
    {1, "# clock_file_seconds", "120", "Tệp cũ hơn chừng này giây thì không tin.", "A file older than so many seconds is not believed."},
    {1, "offset_ms_max", "1000", "Đồng hồ lệch quá chừng này mili giây thì từ chối cấp dấu thời gian.", "Beyond this offset time-stamps are refused (milliseconds)."},
    {1, "# ordering", "true", "Dấu thời gian khẳng định thứ tự (chỉ khi một máy cấp).", "Time-stamps claim their order (one machine alone)."},
    {0, "# request", NULL, "Hồ sơ yêu cầu chứng thực.", "Requests for certification."},
    {1, "# bodies", "{cuc: \"G11.07.05\", so-khcn: \"H00.6\"}",
     "Mã của nơi giải quyết theo vai trò: cuc, so-khcn, nguoi-quan-ly-thue-bao, trung-tam, co-yeu, ubnd-tinh.",
     "Codes of those who decide, by role: cuc, so-khcn, nguoi-quan-ly-thue-bao, trung-tam, co-yeu, ubnd-tinh."},
    {0, "# mail", NULL, "Gửi thư (antin notice run).", "Letters (antin notice run)."},
    {1, "# server", "\"smtps://mail.mau.gov.vn\"", "Máy chủ gửi thư: smtp://MÁY[:CỔNG] (STARTTLS) hoặc smtps://MÁY.", "The mail server: smtp://HOST[:PORT] (STARTTLS) or smtps://HOST."},
    {1, "# from", "\"ca@mau.gov.vn\"", "Địa chỉ gửi.", "Sender's address."},
    {1, "# from_name", "\"{name}\"", "Tên người gửi.", "Sender's name."},
    {1, "# user", "\"ca\"", "Tên đăng nhập; mật khẩu đặt trong tệp quyền 0600.", "Log-in; its password stands in a file of mode 0600."},
    {1, "# password_file", "\"pins/mail\"", "Tệp mật khẩu.", "The password's file."},
    {1, "# allow_private", "false", "Cho phép máy chủ thư trong mạng nội bộ.", "The mail server may stand on an inner network."},
};
const size_t an_config_key_count = AN_COUNT(an_config_keys);

/* Text in double quotes, as YAML reads it back. */
static void
write_escaped(struct an_buf *out, const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\')
            an_buf_byte(out, '\\');
        an_buf_byte(out, (uint8_t)*text);
    }
}

static void
write_value(struct an_buf *out, const char *value, const struct an_config_word *words, size_t count)
{
    for (; *value != 0; value++) {
        const char *end = *value == '{' ? strchr(value, '}') : NULL;
        an_bytes name = end ? AN_BYTES(value + 1, (size_t)(end - value - 1)) : AN_NONE;
        size_t i = 0;

        while (i < count && !an_bytes_eq_str(name, words[i].name))
            i++;
        if (end == NULL || i == count) { /* not a word of ours: a YAML map */
            an_buf_byte(out, (uint8_t)*value);
            continue;
        }
        write_escaped(out, words[i].value);
        value = end;
    }
}

void
an_config_write(const struct an_config_word *words, size_t count, struct an_buf *out)
{
    an_buf_str(out, "# Cấu hình của một bản cài đặt Ấn Tín. Kiểm tra sau khi sửa: antin config check THƯ-MỤC\n"
                    "# Configuration of one instance. After a change: antin config check DIR\n");
    for (size_t i = 0; i < an_config_key_count; i++) {
        const struct an_config_key *key = &an_config_keys[i];
        const char *indent = key->depth ? "  " : "";

        an_buf_printf(out, "%s%s# %s\n%s# %s\n%s%s:", key->depth ? "" : "\n", indent, key->vi, indent, key->en, indent,
                      key->key);
        if (key->value != NULL) {
            an_buf_byte(out, ' ');
            write_value(out, key->value, words, count);
        }
        an_buf_byte(out, '\n');
    }
}
