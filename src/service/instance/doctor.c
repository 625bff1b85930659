/* The checks of antin doctor. */
#include "service/instance/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/program.h"
#include "ca/clock.h"
#include "ca/register.h"
#include "keys/keys.h"
#include "service/instance/checkpoint.h"
#include "service/instance/own_signer.h"
#include "service/certification/quorum.h"
#include "service/instance/serve_config.h"

#define DISK_FREE_MIN ((uint64_t)1 << 30)       /* a day of a busy authority, and its log before it is folded back */
#define CLOCK_FLOOR 1767225600                  /* 2026-01-01: this program is younger */

struct patient {
    const char *dir; /* NULL: the machine alone */
    bool deep;
    struct an_instance *instance; /* NULL: it does not open; why stands in opening */
    an_code opening;
    struct an_err error;
};

AN_PRINTF(3, 4) static enum an_health
say(struct an_symptom *symptom, enum an_health health, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(symptom->detail, sizeof(symptom->detail), fmt, args);
    va_end(args);
    return health;
}

static enum an_health
say_error(struct an_symptom *symptom, const struct an_err *err)
{
    const struct an_message *message = an_message_find(err->code);

    return say(symptom, AN_HEALTH_BAD, "%s: %s%s%s", message->symbol, err->detail, err->file[0] ? ": " : "", err->file);
}

/* ---- the machine ---- */
static enum an_health
check_programs(struct patient *patient, struct an_symptom *symptom)
{
    static const char *const names[] = {"antin-office", "antin-key", "antin-fetch", "antin-xml", "antin-layout",
                                        "antin-render"};

    (void)patient;
    for (size_t i = 0; i < AN_COUNT(names); i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_program_find(names[i]);

        if (path == NULL)
            return say(symptom, AN_HEALTH_BAD, "%s", names[i]);
    }
    return say(symptom, AN_HEALTH_GOOD, "%zu", AN_COUNT(names));
}

static enum an_health
check_law(struct patient *patient, struct an_symptom *symptom)
{
    struct an_regulations *regulations = NULL;
    struct an_err err = {0};
    an_code code = an_regulations_open(NULL, &regulations, &err);

    if (code == AN_OK)
        code = patient->deep ? an_regulations_check(regulations, &err) : an_citation_check(regulations, "nd-68-2024/17",
                &err);
    an_regulations_close(&regulations);
    return code == AN_OK ? say(symptom, AN_HEALTH_GOOD, "%s", an_program_data()) : say_error(symptom, &err);
}

static enum an_health
check_clock(struct patient *patient, struct an_symptom *symptom)
{
    struct timex state = {0};
    struct an_config_stamp stamp;
    char now[AN_TIME_TEXT_MAX];

    an_time_format_vn(an_time_now(), now);
    if (getenv("SOURCE_DATE_EPOCH") != NULL)
        return say(symptom, AN_HEALTH_WARNING, "SOURCE_DATE_EPOCH: %s", now);
    if (an_time_now() < CLOCK_FLOOR)
        return say(symptom, AN_HEALTH_BAD, "%s", now);
    if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC))
        return say(symptom, AN_HEALTH_WARNING, "%s, STA_UNSYNC", now);
    if (patient->instance != NULL && an_config_read_stamp(&patient->instance->config, &stamp, NULL) == AN_OK &&
        !an_clock_is_proven((enum an_clock_check)stamp.check))
        return say(symptom, AN_HEALTH_WARNING, "%s; antin.yaml, time_stamp: clock: kernel | file", now);
    return say(symptom, AN_HEALTH_GOOD, "%s, ±%ld ms", now, state.maxerror / 1000);
}

static enum an_health
check_sandbox(struct patient *patient, struct an_symptom *symptom)
{
    long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* which version */);
    int seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);

    (void)patient;
    if (seccomp < 0)
        return say(symptom, AN_HEALTH_BAD, "seccomp");
    return landlock < 1 ? say(symptom, AN_HEALTH_WARNING, "seccomp; Landlock: –") : say(symptom, AN_HEALTH_GOOD,
            "seccomp; Landlock %ld", landlock);
}

static enum an_health
check_softhsm(struct patient *patient, struct an_symptom *symptom)
{
    static const char *const places[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                         "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                         "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};

    (void)patient;
    for (size_t i = 0; i < AN_COUNT(places); i++)
        if (access(places[i], R_OK) == 0)
            return say(symptom, AN_HEALTH_GOOD, "%s", places[i]);
    return say(symptom, AN_HEALTH_WARNING, "libsofthsm2.so");
}

/* ---- the instance ---- */
static enum an_health
check_config(struct patient *patient, struct an_symptom *symptom)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/antin.yaml", patient->dir);
    struct an_regulations *regulations = NULL;
    struct an_config config = {0};
    struct an_err err = {0};
    an_code code;

    if (access(path, R_OK) != 0)
        return say(symptom, AN_HEALTH_BAD, "%s", path);
    code = an_config_load(path, &config, &err);
    if (code == AN_OK)
        code = an_regulations_open(NULL, &regulations, &err);
    if (code == AN_OK)
        code = an_config_check(&config, regulations, &err);
    an_regulations_close(&regulations);
    an_config_done(&config);
    return code == AN_OK ? say(symptom, AN_HEALTH_GOOD, "%s", path) : say_error(symptom, &err);
}

static enum an_health
check_modes(struct patient *patient, struct an_symptom *symptom)
{
    static const char *const folders[] = {"keys", "pins", "tokens", "run", "store.db"};

    for (size_t i = 0; i < AN_COUNT(folders); i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", patient->dir, folders[i]);
        struct stat info;

        if (stat(path, &info) != 0)
            continue;
        if (info.st_mode & 077)
            return say(symptom, AN_HEALTH_BAD, "%s: %04o", path, info.st_mode & 07777);
        if (info.st_uid != geteuid())
            return say(symptom, AN_HEALTH_WARNING, "%s: uid %u ≠ %u", path, info.st_uid, geteuid());
    }
    return say(symptom, AN_HEALTH_GOOD, "%s", patient->dir);
}

static enum an_health
check_disk(struct patient *patient, struct an_symptom *symptom)
{
    struct statvfs disk;
    uint64_t free_bytes;

    if (statvfs(patient->dir, &disk) != 0)
        return say(symptom, AN_HEALTH_BAD, "%s", patient->dir);
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    say(symptom, AN_HEALTH_GOOD, "%llu MiB, %llu inodes", (unsigned long long)(free_bytes >> 20),
        (unsigned long long)disk.f_favail);
    if (free_bytes < DISK_FREE_MIN / 16 || (disk.f_files != 0 && disk.f_favail < 100))
        return AN_HEALTH_BAD;
    return free_bytes < DISK_FREE_MIN ? AN_HEALTH_WARNING : AN_HEALTH_GOOD;
}

static enum an_health
check_database(struct patient *patient, struct an_symptom *symptom)
{
    if (patient->instance == NULL)
        return say_error(symptom, &patient->error);
    return say(symptom, AN_HEALTH_GOOD, "%s", an_store_engine(patient->instance->store) == AN_STORE_SQLITE ? "SQLite"
               : "PostgreSQL");
}

static an_code
take_setting(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_symptom *symptom = context;

    (void)reterr;
    say(symptom, AN_HEALTH_BAD, "%s", an_row_text(row, 0));
    return AN_OK;
}

static an_code
ask_settings(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_each(tx, AN_SQL_STORE_SETTING_UNSAFE, NULL, 0, take_setting, context, reterr);
}

/* What was acknowledged must survive the power going: a server that is set otherwise is found here. */
static enum an_health
check_durability(struct patient *patient, struct an_symptom *symptom)
{
    struct an_err err = {0};

    if (patient->instance == NULL)
        return AN_HEALTH_SKIPPED;
    if (an_store_read(patient->instance->store, ask_settings, symptom, &err) != AN_OK)
        return say_error(symptom, &err);
    return symptom->detail[0] ? AN_HEALTH_BAD : AN_HEALTH_GOOD;
}

static an_code
ask_owner(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_value(tx, "instance", context, reterr);
}

static enum an_health
check_owner(struct patient *patient, struct an_symptom *symptom)
{
    AN_CLEANUP(an_free_ptr) char *owner = NULL;
    struct an_err err = {0};

    if (patient->instance == NULL)
        return AN_HEALTH_SKIPPED;
    if (an_store_read(patient->instance->store, ask_owner, &owner, &err) != AN_OK)
        return say_error(symptom, &err);
    if (owner == NULL || strcmp(owner, patient->instance->config.instance) != 0)
        return say(symptom, AN_HEALTH_BAD, "%s ≠ %s", owner ? owner : "–", patient->instance->config.instance);
    return say(symptom, AN_HEALTH_GOOD, "%s", owner);
}

static bool
is_private_file(const char *dir, const char *rel)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, rel);
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) == 0;
}

static enum an_health
check_keys(struct patient *patient, struct an_symptom *symptom)
{
    AN_CLEANUP(an_key_list_done) struct an_key_list list = {0};
    struct an_err err = {0};

    if (an_key_list_read(patient->dir, &list, &err) != AN_OK)
        return say_error(symptom, &err);
    for (size_t i = 0; i < list.count; i++)
        if (list.entries[i].pin != NULL && !is_private_file(patient->dir, list.entries[i].pin))
            return say(symptom, AN_HEALTH_BAD, "%s: %s", list.entries[i].name, list.entries[i].pin);
    if (list.count == 0)
        return say(symptom, AN_HEALTH_WARNING, "0");
    return say(symptom, AN_HEALTH_GOOD, "%zu", list.count);
}

static void
note_key(void *context, const struct an_key_info *info)
{
    struct an_symptom *symptom = context;

    if (info->hangs)
        say(symptom, AN_HEALTH_BAD, "%s: %s", info->name, an_message_find(AN_E_TOKEN_HANGS)->symbol);
    else if (!info->is_ready)
        say(symptom, AN_HEALTH_BAD, "%s", info->name);
}

static enum an_health
check_tokens(struct patient *patient, struct an_symptom *symptom)
{
    struct an_keys *keys = NULL;
    struct an_err err = {0};
    an_code code;

    if (!patient->deep)
        return AN_HEALTH_SKIPPED;
    code = an_keys_open(patient->dir, &keys, &err);
    if (code == AN_OK)
        code = an_keys_each(keys, note_key, symptom, &err);
    an_keys_close(&keys);
    if (code != AN_OK)
        return say_error(symptom, &err);
    return symptom->detail[0] ? AN_HEALTH_BAD : AN_HEALTH_GOOD;
}

static void
note_fault(void *context, const char *invariant, const char *what)
{
    struct an_symptom *symptom = context;

    if (symptom->detail[0] == 0)
        say(symptom, AN_HEALTH_BAD, "%s: %s", invariant, what);
}

static enum an_health
check_invariants(struct patient *patient, struct an_symptom *symptom)
{
    struct an_err err = {0};
    size_t faults = 0;

    if (!patient->deep || patient->instance == NULL)
        return AN_HEALTH_SKIPPED;
    if (an_store_check(patient->instance->store, note_fault, symptom, &faults, &err) != AN_OK)
        return say_error(symptom, &err);
    return faults ? AN_HEALTH_BAD : AN_HEALTH_GOOD;
}

static enum an_health
check_audit(struct patient *patient, struct an_symptom *symptom)
{
    struct an_audit_report report = {0};
    struct an_err err = {0};
    enum an_health health;

    if (!patient->deep || patient->instance == NULL)
        return AN_HEALTH_SKIPPED;
    if (an_checkpoint_verify(patient->instance, NULL, &report, &err) != AN_OK)
        return say_error(symptom, &err);
    health = report.finding_count ? say(symptom, AN_HEALTH_BAD, "%zu, #%lld", report.finding_count,
                                        (long long)report.findings[0].first)
                                  : say(symptom, AN_HEALTH_GOOD, "%lld, nhat-ky: %lld", (long long)report.size,
                                        (long long)report.signed_size);
    an_audit_report_done(&report);
    return health;
}

static an_code
load_quorum(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_quorum_load(tx, context, reterr);
}

/* What a single person can do with the folder of the instance. */
static enum an_health
check_approval(struct patient *patient, struct an_symptom *symptom)
{
    struct an_quorum quorum;
    struct an_err err = {0};
    size_t len = 0;

    if (patient->instance == NULL)
        return AN_HEALTH_SKIPPED;
    if (an_store_read(patient->instance->store, load_quorum, &quorum, &err) != AN_OK)
        return say_error(symptom, &err);
    for (enum an_quorum_act i = 0; i < AN_QUORUM_ACTS; i++)
        if (quorum.needed[i] == 0 && i != AN_QUORUM_REVOKE && i != AN_QUORUM_HOLD && len < sizeof(symptom->detail))
            len += (size_t)snprintf(symptom->detail + len, sizeof(symptom->detail) - len, "%s%s", len ? " " : "",
                                    an_quorum_act_name(i));
    return len ? AN_HEALTH_WARNING : say(symptom, AN_HEALTH_GOOD, "%lld", (long long)quorum.needed[AN_QUORUM_ISSUE]);
}

/* The certificates that the services sign with: whose end is near is named, the nearest first. */
struct ending { char found[80]; an_time end; };

static void
note_end(struct ending *nearest, const char *name, const char *more, const struct an_cert *cert)
{
    if (cert == NULL || (nearest->found[0] && cert->not_after >= nearest->end))
        return;
    nearest->end = cert->not_after;
    snprintf(nearest->found, sizeof(nearest->found), "%s%s", name, more);
}

static an_code
find_ends(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_authorities_done) struct an_authorities all = {0};
    struct ending *nearest = context;

    AN_TRY(an_authorities_load(tx, &all, reterr));
    for (size_t i = 0; i < all.count; i++)
        if (!all.items[i].is_retired) {
            note_end(nearest, all.items[i].name, "", all.items[i].cert);
            note_end(nearest, all.items[i].name, "-ocsp", all.items[i].ocsp_cert);
        }
    for (enum an_own_signer which = 0; which < AN_OWN_SIGNERS; which++) {
        AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

        AN_TRY(an_own_signer_find(tx, which, &cert, reterr));
        note_end(nearest, an_own_signer_name(which), "", cert);
    }
    return AN_OK;
}

static enum an_health
check_signers(struct patient *patient, struct an_symptom *symptom)
{
    static const int steps[] = {30, 60, 90};
    struct ending nearest = {0};
    struct an_err err = {0};
    long long days;

    if (patient->instance == NULL)
        return AN_HEALTH_SKIPPED;
    if (an_store_read(patient->instance->store, find_ends, &nearest, &err) != AN_OK)
        return say_error(symptom, &err);
    if (nearest.found[0] == '\0')
        return say(symptom, AN_HEALTH_WARNING, "0");
    days = (long long)(nearest.end - an_time_now()) / 86400;
    if (nearest.end <= an_time_now())
        return say(symptom, AN_HEALTH_BAD, "%s", nearest.found);
    for (size_t i = 0; i < AN_COUNT(steps); i++)
        if (days < steps[i])
            return say(symptom, AN_HEALTH_WARNING, "%s: %lld (< %d)", nearest.found, days, steps[i]);
    return say(symptom, AN_HEALTH_GOOD, "%s: %lld", nearest.found, days);
}

static const struct {
    const char *id;
    bool of_instance;
    enum an_health (*run)(struct patient *patient, struct an_symptom *symptom);
    const char *vi, *en, *remedy_vi, *remedy_en;
} checks[] = {
    {"programs", false, check_programs, "các chương trình thành phần", "helper programs", "cài lại gói antin đầy đủ", "install the antin package again, whole"},
    {"law", false, check_law, "dữ liệu quy chế", "regulations", "cài lại dữ liệu, hoặc đặt ANTIN_DATA_DIR", "install the data again, or set ANTIN_DATA_DIR"},
    {"clock", false, check_clock, "đồng hồ", "clock", "bật đồng bộ giờ (chrony hoặc systemd-timesyncd) với nguồn giờ quốc gia", "turn on time synchronisation (chrony or systemd-timesyncd) with the national time source"},
    {"sandbox", false, check_sandbox, "cách ly tiến trình", "sandbox", "dùng nhân Linux từ 5.13 có Landlock (lsm=landlock)", "run Linux 5.13 or later with Landlock (lsm=landlock)"},
    {"softhsm", false, check_softhsm, "thiết bị mềm SoftHSM2", "SoftHSM2", "apt install softhsm2 (không cần khi dùng HSM)", "apt install softhsm2 (not needed with an HSM)"},
    {"config", true, check_config, "cấu hình", "configuration", "sửa antin.yaml theo vị trí đã nêu", "correct antin.yaml at the place named"},
    {"modes", true, check_modes, "quyền truy cập thư mục", "permissions", "chmod go-rwx và chown cho tài khoản chạy dịch vụ", "chmod go-rwx, and chown to the account of the service"},
    {"disk", true, check_disk, "chỗ trống trên đĩa", "disk space", "giải phóng hoặc mở rộng ổ đĩa", "free or enlarge the disk"},
    {"database", true, check_database, "cơ sở dữ liệu", "database", "theo mã lỗi: chạy lại PostgreSQL, antin upgrade, hoặc khôi phục bản sao lưu", "by the code: start PostgreSQL, antin upgrade, or restore a backup"},
    {"owner", true, check_owner, "cơ sở dữ liệu của đúng bản cài đặt", "the database is this instance's", "sửa khóa database trong antin.yaml", "correct the key database in antin.yaml"},
    {"durability", true, check_durability, "dữ liệu đã xác nhận không mất khi mất điện", "what was acknowledged survives a power cut", "bật lại các tham số này trong postgresql.conf", "turn these settings on in postgresql.conf"},
    {"keys", true, check_keys, "danh sách khóa và tệp mã PIN", "list of keys and PIN files", "antin init tạo khóa; tệp PIN phải có quyền 0600", "antin init makes keys; PIN files have mode 0600"},
    {"tokens", true, check_tokens, "từng khóa trả lời", "each key answers", "cắm lại thiết bị, kiểm tra mô-đun PKCS#11 và mã PIN; AN_E_TOKEN_HANGS: khởi động lại thiết bị hoặc dịch vụ của nó", "plug the token in, check the PKCS#11 module and the PIN; AN_E_TOKEN_HANGS: restart the token or its daemon"},
    {"approval", true, check_approval, "việc cấp chứng thư phải được phê duyệt (liệt kê việc không cần)", "acts need approval (named: those that do not)", "antin ca officer add cho từng cán bộ; antin.yaml: approval; antin ca approval", "antin ca officer add for each officer; antin.yaml: approval; antin ca approval"},
    {"signers", true, check_signers, "chứng thư của các CA, OCSP, dấu thời gian, nhật ký, đăng ký (ngày còn lại)", "certificates of authorities, OCSP, time-stamps, log and enrolment (days left)", "thay khóa trước khi hết hạn: antin ca authority roll; cùng khóa: renew", "new keys before the end: antin ca authority roll; the same key: renew"},
    {"invariants", true, check_invariants, "các ràng buộc của dữ liệu", "invariants", "dừng ghi, giữ nguyên hiện trạng, khôi phục bản sao lưu gần nhất", "stop writing, keep everything as it is, restore the last backup"},
    {"audit", true, check_audit, "nhật ký", "audit log", "antin audit verify cho từng điểm sai; giữ nguyên hiện trạng", "antin audit verify tells each finding; keep everything as it is"},
};

void
an_doctor_examine(const char *dir, bool deep, an_symptom_fn tell, void *context)
{
    struct patient patient = {.dir = dir, .deep = deep};

    if (dir != NULL)
        patient.opening = an_instance_open(dir, AN_INSTANCE_READ_ONLY, &patient.instance, &patient.error);
    for (size_t i = 0; i < AN_COUNT(checks); i++) {
        struct an_symptom symptom = {.check = checks[i].id, .name_vi = checks[i].vi, .name_en = checks[i].en,
                                     .remedy_vi = checks[i].remedy_vi, .remedy_en = checks[i].remedy_en};

        if (checks[i].of_instance && dir == NULL)
            continue;
        symptom.health = checks[i].run(&patient, &symptom);
        if (symptom.health != AN_HEALTH_SKIPPED)
            tell(context, &symptom);
    }
    an_instance_close(&patient.instance);
}
