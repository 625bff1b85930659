/*
 * A certifier that does what its standard input says, a line an act, and tells the outcome: "ok …" or "no CODE". The model in model.py
 * knows what it should be. Arguments: folder, database URL or "-".
 */
#include "office.h"

#include "audit/audit.h"
#include "ca/crl_publish.h"
#include <signal.h>
#include <stdlib.h>

static struct office office;
static struct an_buf keys[4];
static const struct an_actor officer = {"cb-01", "can-bo-cap-chung-thu"};
static const struct an_actor withdrawer = {"cb-02", "can-bo-thu-hoi"};

static void
tell(an_code code, an_bytes serial)
{
    if (code != AN_OK) {
        printf("no %s\n", an_message_find(code)->symbol);
        return;
    }
    printf("ok ");
    for (size_t i = 0; i < serial.len; i++)
        printf("%02x", serial.ptr[i]);
    printf("\n");
}

static void
do_issue(const char *key, const char *which, const char *name, const char *days)
{
    AN_CLEANUP(an_certified_done) struct an_certified made = {0};
    const struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Cơ quan MẪU"}, {"2.5.4.3", name}};
    static an_time start;
    struct an_certify what = {.request_key = key, .profile = "thiet-bi", .subject = subject, .subject_count = 3, .spki = an_buf_view(&keys[atoi(which)]), .actor = officer};
    struct an_err err = {0};
    an_code code;

    if (start == 0)
        start = an_time_now() - 300 * DAY;
    what.not_before = start / DAY * DAY; /* the same for a repeated request */
    what.not_after = what.not_before + (300 + atoi(days)) * DAY;
    code = an_certify_issue(office.certifier, &what, &made, &err);
    tell(code, made.cert != NULL ? made.cert->serial : AN_NONE);
}

static void
do_follow(bool is_renewal, const char *key, const char *serial, const char *which, const char *name)
{
    AN_CLEANUP(an_certified_done) struct an_certified made = {0};
    const struct an_name_part subject[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", "Cơ quan MẪU"}, {"2.5.4.3", name}};
    struct an_recertify what = {.request_key = key, .serial = serial, .spki = an_buf_view(&keys[atoi(which)]), .not_after = AN_TIME_NONE, .actor = officer};
    struct an_err err = {0};
    an_code code;

    if (!is_renewal) {
        what.subject = subject;
        what.subject_count = 3;
    }
    code = is_renewal ? an_certify_renew(office.certifier, &what, &made, &err) : an_certify_change(office.certifier, &what, &made, &err);
    tell(code, made.cert != NULL ? made.cert->serial : AN_NONE);
}

static void
do_withdraw(const char *act, const char *key, const char *serial, const char *ground)
{
    struct an_withdraw what = {.request_key = key, .serial = serial, .ground = ground, .invalid_since = AN_TIME_NONE, .actor = withdrawer};
    struct an_err err = {0};
    an_code code;

    if (strcmp(act, "revoke") == 0)
        code = an_certify_revoke(office.certifier, &what, &err);
    else if (strcmp(act, "hold") == 0) {
        what.ground = NULL;
        code = an_certify_hold(office.certifier, &what, &err);
    } else {
        what.ground = NULL;
        code = an_certify_release(office.certifier, &what, &err);
    }
    tell(code, AN_NONE);
}

static an_code
load_authorities(void *context, struct an_tx *tx, struct an_err *err)
{
    return an_authorities_load(tx, context, err);
}

static void
do_crl(bool is_delta)
{
    AN_CLEANUP(an_authorities_done) struct an_authorities authorities = {0};
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.crl", office.dir, is_delta ? "delta" : "full"), *pem = an_asprintf("%s/issuer.der", office.dir);
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    struct an_crl_plan plan = {.path = path, .is_delta = is_delta, .delta_url = "http://127.0.0.1/crl/nha-nuoc-delta.crl", .this_update = an_time_now(), .next_update = an_time_now() + DAY};
    struct an_crl_made made = {0};
    const struct an_authority *authority;
    struct an_err err = {0};
    an_code code = an_store_read(office.store, load_authorities, &authorities, &err);

    authority = an_authorities_find(&authorities, "nha-nuoc");
    if (code == AN_OK)
        code = office_open_key(&office, "nha-nuoc", &key, &err);
    if (code == AN_OK)
        code = an_file_write(pem, authority->cert->der, 0644, &err);
    plan.authority = authority->id;
    plan.issuer = authority->cert;
    plan.key = key;
    if (code == AN_OK)
        code = an_crl_publish(office.store, &plan, &made, &err);
    if (code == AN_OK)
        printf("ok %lld %lld %lld\n", (long long)made.number, (long long)made.base_number, (long long)made.entries);
    else
        printf("no %s %s\n", an_message_find(code)->symbol, err.detail);
}

static void
note_fault(void *context, const char *invariant, const char *what)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", invariant, what);
}

static void
do_check(void)
{
    struct an_audit_report report = {0};
    struct an_err err = {0};
    size_t faults = 0;
    an_code code = an_store_check(office.store, note_fault, NULL, &faults, &err);

    if (code == AN_OK)
        code = an_audit_verify(office.store, NULL, &report, &err);
    if (code == AN_OK)
        printf("ok %zu %lld %zu\n", faults, (long long)report.size, report.finding_count);
    else
        printf("no %s %s\n", an_message_find(code)->symbol, err.detail);
    an_audit_report_done(&report);
}

static void
obey(char *line)
{
    char *words[8] = {0}, *rest = NULL;
    size_t count = 0;

    for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < 8; word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    if (count == 0)
        return;
    if (strcmp(words[0], "issue") == 0 && count == 5)
        do_issue(words[1], words[2], words[3], words[4]);
    else if (strcmp(words[0], "renew") == 0 && count == 4)
        do_follow(true, words[1], words[2], words[3], "");
    else if (strcmp(words[0], "change") == 0 && count == 5)
        do_follow(false, words[1], words[2], words[3], words[4]);
    else if (count == 4 || count == 3)
        do_withdraw(words[0], words[1], words[2], words[3]);
    else if (strcmp(words[0], "crl") == 0 || strcmp(words[0], "delta") == 0)
        do_crl(words[0][0] == 'd');
    else if (strcmp(words[0], "check") == 0)
        do_check();
    else if (strcmp(words[0], "die") == 0)
        raise(SIGKILL);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    char line[1000];
    struct an_err err = {0};

    if (argc != 3)
        return 2;
    snprintf(office.dir, sizeof(office.dir), "%s", argv[1]);
    for (size_t i = 0; i < AN_COUNT(keys); i++) { /* the same after a restart: kept as files */
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/subject%zu.key", office.dir, i);
        struct an_signer *key = NULL;
        if (office_signer(path, AN_KEY_EC, 256, &key, &err) != AN_OK)
            return 3;
        keys[i] = an_buf_new(4096);
        an_buf_append(&keys[i], an_signer_spki(key));
        an_signer_close(&key);
    }
    if (office_open(&office, strcmp(argv[2], "-") == 0 ? NULL : argv[2], &err) != AN_OK) {
        fprintf(stderr, "%s: %s\n", an_message_find(err.code)->symbol, err.detail);
        return 3;
    }
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL)
        obey(line);
    office_close(&office);
    for (size_t i = 0; i < AN_COUNT(keys); i++)
        an_buf_free(&keys[i]);
    return 0;
}
