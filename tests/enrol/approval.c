/* What stands approved: taken by one key, once; states; secrets. Argument: the URL of an empty PostgreSQL database; none: SQLite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrol/approval.h"

static char url[300], folder[100];
static struct an_store *store;

struct work {
    int what;
    struct an_approval approval;
    const uint8_t *key;
    bool flag;
    struct an_enrol_transaction transaction;
    enum an_enrol_state from;
    size_t count;
};
enum { ADD, FIND, OPEN, WITHDRAW, TAKE, GIVE, DONE, FAILED, LIST, BEGIN, LOAD, SAVE };

static an_code
count_one(void *context, const struct an_approval *approval, struct an_err *reterr)
{
    (void)reterr;
    assert_true(approval->id > 0);
    ++*(size_t *)context;
    return AN_OK;
}

static an_code
work_on(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *work = context;
    an_bytes reference = an_bytes_of_str(work->approval.reference);
    static const uint8_t key[32] = {7};

    switch (work->what) {
    case ADD: return an_approval_add(tx, &work->approval, &work->flag, reterr);
    case FIND: return an_approval_find(tx, reference, &work->approval, reterr);
    case OPEN: return an_approval_open(tx, reference, "can-bo", 1000, reterr);
    case WITHDRAW: return an_approval_withdraw(tx, reference, reterr);
    case TAKE: return an_approval_take(tx, reference, work->key, 1001, reterr);
    case GIVE: return an_approval_give(tx, reference, work->key, reterr);
    case DONE: return an_approval_done(tx, reference, AN_LIT("\x01\x02"), reterr);
    case FAILED: return an_approval_failed(tx, reference, &work->flag, reterr);
    case LIST: return an_approval_list(tx, 0, 100, count_one, &work->count, reterr);
    case BEGIN: return an_enrol_transaction_begin(tx, AN_BYTES(key, 32), &work->transaction, "reference:x", reterr);
    case LOAD: return an_enrol_transaction_load(tx, AN_BYTES(key, 32), &work->transaction, reterr);
    default: return an_enrol_transaction_save(tx, AN_BYTES(key, 32), work->from, &work->transaction, reterr);
    }
}

static void
expect(struct work *work, int what, an_code wanted)
{
    struct an_err err = {0};
    an_code got;

    work->what = what;
    got = an_store_write(store, work_on, work, &err);
    if (got != wanted)
        fail_msg("%d: %s (%s), wanted %s", what, an_message_find(got)->symbol, err.detail, an_message_find(wanted)->symbol);
}

static struct work
new_work(const char *item, enum an_approval_state state)
{
    struct work work = {.approval = {.state = state, .created_at = 1000, .expires_at = 2000, .months = 12}};

    snprintf(work.approval.item, sizeof(work.approval.item), "%s", item);
    snprintf(work.approval.profile, sizeof(work.approval.profile), "thiet-bi");
    snprintf(work.approval.subject, sizeof(work.approval.subject), "C=VN, O=Cơ quan mẫu, CN=%s", item);
    snprintf(work.approval.created_by, sizeof(work.approval.created_by), "can-bo");
    return work;
}

static const uint8_t one[32] = {1}, two[32] = {2};

static void
test_life(void **state)
{
    struct work work = new_work("request:1/item:1", AN_APPROVAL_WAITING), again = new_work("request:1/item:1", AN_APPROVAL_OPEN);

    (void)state;
    expect(&work, ADD, AN_OK);
    assert_true(work.flag && strlen(work.approval.reference) == 12);
    expect(&again, ADD, AN_OK); /* the same item is the same approval */
    assert_false(again.flag);
    assert_string_equal(again.approval.reference, work.approval.reference);
    assert_int_equal(again.approval.state, AN_APPROVAL_WAITING);
    assert_memory_equal(again.approval.salt, work.approval.salt, 16);
    work.key = one;
    expect(&work, TAKE, AN_E_ENROL_USED);
    expect(&work, OPEN, AN_OK);
    expect(&work, OPEN, AN_E_ENROL_STATE);
    expect(&work, TAKE, AN_OK);
    expect(&work, TAKE, AN_OK); /* the same key */
    work.key = two;
    expect(&work, TAKE, AN_E_ENROL_USED);
    expect(&work, GIVE, AN_OK);  /* not two's to give */
    expect(&work, TAKE, AN_E_ENROL_USED);
    work.key = one;
    expect(&work, GIVE, AN_OK);
    work.key = two;
    expect(&work, TAKE, AN_OK);
    expect(&work, DONE, AN_OK);
    expect(&work, GIVE, AN_OK);  /* too late: there is a certificate */
    expect(&work, FIND, AN_OK);
    assert_int_equal(work.approval.state, AN_APPROVAL_USED);
    assert_int_equal(work.approval.serial_len, 2);
    assert_memory_equal(work.approval.key_digest, two, 32);
    expect(&work, WITHDRAW, AN_E_ENROL_STATE);
    assert_int_equal(an_approval_check(&work.approval, 1999, NULL), AN_OK);
    assert_int_equal(an_approval_check(&work.approval, 2000, NULL), AN_E_ENROL_REFERENCE);
    for (int i = 0; i < AN_LIMIT_ENROL_FAILURES + 3; i++) {
        expect(&work, FAILED, AN_OK);
        assert_int_equal(work.flag, i < AN_LIMIT_ENROL_FAILURES);
    }
}

static void
test_refused(void **state)
{
    struct work work = new_work("", AN_APPROVAL_OPEN);

    (void)state;
    expect(&work, ADD, AN_E_ENROL_APPROVAL);
    work = new_work("request:2/item:1", AN_APPROVAL_OPEN);
    work.approval.expires_at = 1000;
    expect(&work, ADD, AN_E_ENROL_APPROVAL);
    work.approval.expires_at = 1000 + (AN_LIMIT_ENROL_DAYS + 1) * 86400;
    expect(&work, ADD, AN_E_ENROL_APPROVAL);
    snprintf(work.approval.reference, sizeof(work.approval.reference), "nobody");
    expect(&work, FIND, AN_E_ENROL_REFERENCE);
    expect(&work, DONE, AN_E_ENROL_STATE);
    work = new_work("request:2/item:2", AN_APPROVAL_OPEN);
    expect(&work, ADD, AN_OK);
    expect(&work, WITHDRAW, AN_OK);
    work.key = one;
    expect(&work, TAKE, AN_E_ENROL_USED);
    expect(&work, FIND, AN_OK);
    assert_int_equal(an_approval_check(&work.approval, 1500, NULL), AN_E_ENROL_REFERENCE);
    expect(&work, LIST, AN_OK);
    assert_true(work.count >= 2);
}

static void
test_secrets(void **state)
{
    struct an_secret *key = an_secret_from(AN_LIT("0123456789abcdef0123456789abcdef")), *other = an_secret_from(AN_LIT("another"));
    struct work a = new_work("request:3/item:1", AN_APPROVAL_OPEN), b = new_work("request:3/item:2", AN_APPROVAL_OPEN);
    struct an_secret *first, *same, *different[2];

    (void)state;
    expect(&a, ADD, AN_OK);
    expect(&b, ADD, AN_OK);
    first = an_approval_secret(key, &a.approval);
    expect(&a, FIND, AN_OK);
    same = an_approval_secret(key, &a.approval);
    different[0] = an_approval_secret(key, &b.approval);
    different[1] = an_approval_secret(other, &a.approval);
    assert_int_equal(an_secret_len(first), 26);
    assert_true(an_bytes_eq(an_secret_bytes(first), an_secret_bytes(same)));
    for (int i = 0; i < 2; i++) {
        assert_false(an_bytes_eq(an_secret_bytes(first), an_secret_bytes(different[i])));
        an_secret_free(&different[i]);
    }
    an_secret_free(&first);
    an_secret_free(&same);
    an_secret_free(&key);
    an_secret_free(&other);
}

static void
test_transactions(void **state)
{
    struct work work = {.transaction = {.body = 7, .request_id = -1, .server_nonce = {9}, .request = an_buf_new(1000), .cert = an_buf_new(1000), .at = 5}};

    (void)state;
    expect(&work, LOAD, AN_E_CMP_TRANSACTION_UNKNOWN);
    an_buf_str(&work.transaction.request, "yeu cau");
    expect(&work, BEGIN, AN_OK);
    expect(&work, BEGIN, AN_E_CMP_TRANSACTION);
    work.transaction.state = AN_ENROL_UNCONFIRMED;
    an_buf_str(&work.transaction.cert, "chung thu");
    work.from = AN_ENROL_POLLING;
    expect(&work, SAVE, AN_E_CMP_TRANSACTION);
    work.from = AN_ENROL_OPEN;
    expect(&work, SAVE, AN_OK);
    expect(&work, SAVE, AN_E_CMP_TRANSACTION);
    an_buf_reset(&work.transaction.cert);
    work.transaction.request_id = 0;
    expect(&work, LOAD, AN_OK);
    assert_int_equal(work.transaction.state, AN_ENROL_UNCONFIRMED);
    assert_int_equal(work.transaction.request_id, -1);
    assert_int_equal(work.transaction.server_nonce[0], 9);
    assert_true(an_bytes_eq_str(an_buf_view(&work.transaction.cert), "chung thu"));
    assert_true(an_bytes_eq_str(an_buf_view(&work.transaction.request), "yeu cau"));
    an_enrol_transaction_done(&work.transaction);
}

/* Eight keys at once: one has it. */
static struct work raced;
static unsigned winners;

static void *
take_raced(void *context)
{
    struct work work = raced;

    work.what = TAKE;
    work.key = context;
    if (an_store_write(store, work_on, &work, NULL) == AN_OK)
        __atomic_add_fetch(&winners, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void
test_race(void **state)
{
    static uint8_t keys[8][32];
    pthread_t threads[8];

    (void)state;
    raced = new_work("request:4/item:1", AN_APPROVAL_OPEN);
    expect(&raced, ADD, AN_OK);
    for (size_t i = 0; i < 8; i++) {
        keys[i][0] = (uint8_t)(i + 1);
        assert_int_equal(pthread_create(&threads[i], NULL, take_raced, keys[i]), 0);
    }
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(winners, 1);
}

static int
open_all(void **state)
{
    struct an_err err = {0};

    (void)state;
    if (an_store_open(url, AN_STORE_CREATE, 3, &store, &err) != AN_OK)
        fail_msg("%s: %s", an_message_find(err.code)->symbol, err.detail);
    return 0;
}

static int
close_all(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", folder);

    (void)state;
    an_store_close(&store);
    return folder[0] != '\0' ? system(command) : 0;
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life), cmocka_unit_test(test_refused), cmocka_unit_test(test_secrets), cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_race),
    };

    if (argc > 1) {
        snprintf(url, sizeof(url), "%s", argv[1]);
    } else {
        snprintf(folder, sizeof(folder), "/tmp/antin-approval-XXXXXX");
        if (mkdtemp(folder) == NULL)
            return 1;
        snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
    }
    return cmocka_run_group_tests_name("enrol_approval", tests, open_all, close_all);
}
