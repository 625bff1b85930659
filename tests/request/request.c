/*
 * request/: what may follow what; the same filing once; of two who decide one wins; what is begun is finished once, also by who
 * comes after a crash. Argument: the URL of an empty PostgreSQL database; none: SQLite in a temporary folder.
 */
#include "audit/audit.h"
#include "request/notice.h"
#include "request/request.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char url[300];
static const char *self;

static struct an_store *
open_store(void)
{
    struct an_store *store = NULL;
    struct an_err err = {0};

    if (an_store_open(url, AN_STORE_CREATE, 3, &store, &err) != AN_OK)
        fail_msg("%s: %s", an_message_find(err.code)->symbol, err.detail);
    an_audit_attach(store);
    return store;
}

/* ---- the table of moves ---- */
static void
what_may_follow_what(void **state)
{
    static const struct { enum an_request_state from; const char *acts; } table[] = {
        {AN_REQUEST_DRAFT, "edit sign withdraw "},
        {AN_REQUEST_SIGNED, "edit sign send send-list withdraw "},
        {AN_REQUEST_LISTED, "approve-list supplement refuse withdraw "},
        {AN_REQUEST_SENT, "receive return withdraw "},
        {AN_REQUEST_CHECKING, "supplement refuse accept withdraw "},
        {AN_REQUEST_SUPPLEMENT, "edit withdraw "},
        {AN_REQUEST_REFUSED, ""},
        {AN_REQUEST_ACCEPTED, "refuse approve begin refuse "},
        {AN_REQUEST_EXECUTING, "execute "},
        {AN_REQUEST_EXECUTED, "notify notify "},
        {AN_REQUEST_NOTIFIED, ""},
        {AN_REQUEST_AWAITING, "handover "},
        {AN_REQUEST_HANDED_OVER, ""},
        {AN_REQUEST_WITHDRAWN, ""},
    };
    uint32_t reached = 1u << AN_REQUEST_DRAFT;

    (void)state;
    assert_int_equal(AN_COUNT(table), AN_REQUEST_STATES - 1);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        char acts[200] = "";
        for (unsigned act = 0; act < AN_REQUEST_ACTS; act++)
            if (an_request_may_follow(table[i].from, (enum an_request_act)act)) {
                const struct an_request_move *move = an_request_move_find((enum an_request_act)act);
                snprintf(acts + strlen(acts), sizeof(acts) - strlen(acts), "%s ", move->action + strlen("request."));
                reached |= move->to ? 1u << move->to : 0;
            }
        assert_string_equal(acts, table[i].acts);
        assert_int_equal(an_request_is_closed(table[i].from), acts[0] == '\0'); /* an end is an end, and nothing else is */
        assert_int_equal(an_request_state_find(an_request_state_id(table[i].from)), table[i].from);
    }
    for (unsigned one = AN_REQUEST_DRAFT; one < AN_REQUEST_STATES; one++)
        assert_true(reached & (1u << one));
}

/* ---- works on a store ---- */
struct work {
    const char *key, *content, *subject, *certificate;
    enum an_request_kind kind;
    size_t items;
    int64_t id;
    bool is_new;
    enum an_request_act act;
    an_time at, due;
};

static an_code
create(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;
    struct an_dossier request = {.key = w->key, .kind = w->kind ? w->kind : AN_REQUEST_NEW, .regulation = "dong-thap-2025", .agency = "H20.99",
                                 .addressee = "cuc", .subject_kind = "person", .device_kind = "pki-token", .form = "nd-68-2024/mau-01",
                                 .form_citation = "nd-68-2024/mau-01", .number = "12/CV-MẪU", .content = w->content};
    struct an_request_item items[8];
    struct an_request_deed deed = {.actor = "P1", .role = "qltt", .citation = "nd-68-2024/11/1", .at = w->at};

    for (size_t i = 0; i < 8; i++)
        items[i] = (struct an_request_item){.subject = w->subject ? w->subject : "S1", .name = i ? "Trần Thị Đào" : "Nguyễn Văn Mẫu",
                                            .email = "mau@mau.gov.vn", .certificate = w->certificate ? w->certificate : "", .device = "", .ground = ""};
    return an_request_create(tx, &request, items, w->items ? w->items : 1, &deed, &w->id, &w->is_new, reterr);
}

static an_code
move(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_dossier request;
    struct an_request_deed deed = {.actor = "P2", .role = "cuc", .citation = "nd-68-2024/11/2", .at = w->at};

    AN_TRY(an_request_find(tx, w->id, arena, &request, reterr));
    return an_request_move(tx, &request, w->act, &deed, reterr);
}

static an_code
claim(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_dossier request;
    struct an_request_item *items;
    size_t count;

    AN_TRY(an_request_find(tx, w->id, arena, &request, reterr));
    AN_TRY(an_request_items(tx, w->id, arena, &items, &count, reterr));
    return an_request_claim(tx, &request, items, count, reterr);
}

static an_code
close_it(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;

    return an_request_close(tx, w->id, "", w->at, reterr);
}

static void
want(struct an_store *store, an_tx_fn fn, struct work *work, an_code code)
{
    struct an_err err = {0};
    an_code got = an_store_write(store, fn, work, &err);

    if (got != code)
        fail_msg("%s: %s, wanted %s", an_message_find(got)->symbol, err.detail, an_message_find(code)->symbol);
}

static int64_t
make(struct an_store *store, const char *key, enum an_request_kind kind, const char *certificate)
{
    struct work work = {.key = key, .content = "{}", .kind = kind, .certificate = certificate, .subject = certificate};

    want(store, create, &work, AN_OK);
    assert_true(work.is_new);
    return work.id;
}

static void
the_same_filing_is_one_dossier(void **state)
{
    struct an_store *store = open_store();
    struct work first = {.key = "k1", .content = "{\"a\":1}"}, again = first, other = {.key = "k1", .content = "{\"a\":2}"};

    (void)state;
    want(store, create, &first, AN_OK);
    want(store, create, &again, AN_OK);
    assert_true(first.is_new);
    assert_false(again.is_new);
    assert_int_equal(first.id, again.id);
    want(store, create, &other, AN_E_REQUEST_KEY);
    an_store_close(&store);
}

static void
moves_are_held_to_the_table(void **state)
{
    static const struct { enum an_request_act act; an_code want; } table[] = {
        {AN_REQUEST_ACT_SEND, AN_E_REQUEST_STATE}, {AN_REQUEST_ACT_SIGN, AN_OK}, {AN_REQUEST_ACT_EDIT, AN_OK}, {AN_REQUEST_ACT_ACCEPT, AN_E_REQUEST_STATE},
        {AN_REQUEST_ACT_SIGN, AN_OK}, {AN_REQUEST_ACT_SEND, AN_OK}, {AN_REQUEST_ACT_SEND, AN_E_REQUEST_STATE}, {AN_REQUEST_ACT_EXPECT, AN_E_REQUEST_STATE},
        {AN_REQUEST_ACT_RECEIVE, AN_OK}, {AN_REQUEST_ACT_BEGIN, AN_E_REQUEST_STATE}, {AN_REQUEST_ACT_ACCEPT, AN_OK}, {AN_REQUEST_ACT_WITHDRAW, AN_E_REQUEST_STATE}, {AN_REQUEST_ACT_BEGIN, AN_OK},
        {AN_REQUEST_ACT_REFUSE, AN_E_REQUEST_STATE}, {AN_REQUEST_ACT_FINISH, AN_OK}, {AN_REQUEST_ACT_EXPECT, AN_OK}, {AN_REQUEST_ACT_NOTIFY, AN_E_REQUEST_STATE},
        {AN_REQUEST_ACT_HANDOVER, AN_OK}, {AN_REQUEST_ACT_HANDOVER, AN_E_REQUEST_STATE},
    };
    struct an_store *store = open_store();
    struct work work = {.id = make(store, "moves", AN_REQUEST_NEW, "M1")};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        work.act = table[i].act;
        work.at = (an_time)i;
        want(store, move, &work, table[i].want);
    }
    an_store_close(&store);
}

static void
one_open_request_for_one_thing(void **state)
{
    struct an_store *store = open_store();
    struct work renew = {.id = make(store, "d1", AN_REQUEST_RENEW, "0A")}, change = {.id = make(store, "d2", AN_REQUEST_CHANGE, "0A")},
                revoke = {.id = make(store, "d3", AN_REQUEST_REVOKE, "0A")}, other = {.id = make(store, "d4", AN_REQUEST_RENEW, "0B")};

    (void)state;
    want(store, claim, &renew, AN_OK);
    want(store, claim, &renew, AN_OK); /* a second round of the same dossier */
    want(store, claim, &change, AN_E_REQUEST_DUPLICATE); /* one form, Mẫu 04, says both */
    want(store, claim, &revoke, AN_OK);
    want(store, claim, &other, AN_OK);
    want(store, close_it, &renew, AN_OK);
    want(store, claim, &change, AN_OK);
    an_store_close(&store);
}

/* ---- two officers, one item ---- */
struct race {
    struct an_store *store;
    int64_t id;
    int won, lost;
    char by[8];
    bool approve;
};

static an_code
decide(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct race *race = context;

    return an_request_item_decide(tx, race->id, 1, race->approve, race->by, "", 5, reterr);
}

static void *
decide_often(void *context)
{
    struct race *race = context;

    for (int i = 0; i < 20; i++) {
        an_code code = an_store_write(race->store, decide, race, NULL);
        race->won += code == AN_OK;
        race->lost += code == AN_E_REQUEST_DECIDED;
    }
    return NULL;
}

static void
two_officers_decide_once(void **state)
{
    struct an_store *store = open_store();

    (void)state;
    for (int round = 0; round < 10; round++) {
        struct race races[4];
        pthread_t threads[4];
        int won = 0, lost = 0;
        char key[20];
        int64_t id;

        snprintf(key, sizeof(key), "race %d", round);
        id = make(store, key, AN_REQUEST_NEW, key);
        for (size_t i = 0; i < 4; i++) {
            races[i] = (struct race){.store = store, .id = id, .approve = i % 2 == 0};
            snprintf(races[i].by, sizeof(races[i].by), "O%zu", i);
            assert_int_equal(pthread_create(&threads[i], NULL, decide_often, &races[i]), 0);
        }
        for (size_t i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            won += races[i].won;
            lost += races[i].lost;
        }
        assert_int_equal(won, 1);
        assert_int_equal(lost, 79);
    }
    an_store_close(&store);
}

/* ---- execution ---- */
struct taking {
    int64_t id;
    const char *owner;
    an_time now;
    struct an_execution got;
    bool taken;
};

static an_code
plan(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct taking *t = context;

    AN_TRY(an_request_item_decide(tx, t->id, 1, true, "O1", "", t->now, reterr));
    AN_TRY(an_execution_plan(tx, t->id, 1, t->now, reterr));
    return an_execution_plan(tx, t->id, 1, t->now, reterr); /* planned twice is planned once */
}

static an_code
take(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct taking *t = context;

    return an_execution_take(tx, t->id, 1, t->owner, t->now, &t->got, &t->taken, reterr);
}

static an_code
step(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct taking *t = context;

    return an_execution_step(tx, t->id, 1, t->owner, t->got.step + 1, "T1", t->now, reterr);
}

static an_code
finish(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct taking *t = context;

    return an_execution_finish(tx, t->id, 1, t->owner, 9, "T1", "0C", t->now, reterr);
}

static void
check_take(struct an_store *store, struct taking *t, bool want_taken)
{
    assert_int_equal(an_store_write(store, take, t, NULL), AN_OK);
    assert_int_equal(t->taken, want_taken);
}

static void
one_owner_at_a_time(void **state)
{
    struct an_store *store = open_store();
    char me[80], dead[80];
    struct taking mine = {.id = make(store, "exec", AN_REQUEST_NEW, "E1"), .owner = me, .now = 1000};
    struct taking far = {.id = mine.id, .owner = "elsewhere:12:34", .now = 1000};
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(0);
    an_execution_owner(me);
    snprintf(dead, sizeof(dead), "%.*s:%ld:1", (int)(strchr(me, ':') - me), me, (long)child);
    waitpid(child, NULL, 0);
    struct taking late = {.id = mine.id, .owner = dead, .now = 1000};

    check_take(store, &mine, false); /* nothing is planned */
    assert_int_equal(an_store_write(store, plan, &mine, NULL), AN_OK);
    check_take(store, &late, true);
    assert_int_equal(an_store_write(store, step, &late, NULL), AN_OK);
    check_take(store, &mine, true); /* its process is gone: at once */
    assert_int_equal(mine.got.step, 1);
    assert_string_equal(mine.got.device, "T1");
    assert_int_equal(an_store_write(store, step, &late, NULL), AN_E_REQUEST_OWNER); /* and who comes back from the dead writes nothing */
    check_take(store, &far, false);
    far.now += 121;
    check_take(store, &far, true); /* of another machine: when its time is over */
    assert_int_equal(an_store_write(store, finish, &mine, NULL), AN_E_REQUEST_OWNER);
    assert_int_equal(an_store_write(store, finish, &far, NULL), AN_OK);
    assert_int_equal(an_store_write(store, finish, &far, NULL), AN_E_REQUEST_OWNER);
    check_take(store, &mine, false); /* done */
    an_store_close(&store);
}

/* ---- killed at any point ---- */
#define KILL_ITEMS 8

struct labour {
    int64_t id, place;
    char owner[80];
    struct an_execution got;
    bool taken, all_done;
    enum an_request_act act;
};

static an_code
labour_plan(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct labour *l = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_dossier request;
    struct an_request_deed deed = {.actor = "O1", .role = "cuc", .at = 7};

    AN_TRY(an_request_find(tx, l->id, arena, &request, reterr));
    if (request.state != AN_REQUEST_ACCEPTED)
        return AN_OK;
    for (int64_t place = 1; place <= KILL_ITEMS; place++) {
        AN_TRY(an_request_item_decide(tx, l->id, place, true, "O1", "", 7, reterr));
        AN_TRY(an_execution_plan(tx, l->id, place, 7, reterr));
    }
    return an_request_move(tx, &request, AN_REQUEST_ACT_BEGIN, &deed, reterr);
}

static an_code
labour_take(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct labour *l = context;

    return an_execution_take(tx, l->id, l->place, l->owner, an_time_now(), &l->got, &l->taken, reterr);
}

static an_code
labour_step(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct labour *l = context;

    return an_execution_step(tx, l->id, l->place, l->owner, l->got.step, "T", an_time_now(), reterr);
}

/* The end of an item, and with the last one the dossier's, and what is told of it. */
static an_code
labour_finish(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct labour *l = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_dossier request;
    struct an_request_deed deed = {.actor = "system", .at = 8};
    struct an_notice notice = {.key = "done", .kind = "request.executed", .about = "request", .to_role = "qltt", .to_name = "", .address = "a@mau.gov.vn",
                               .subject = "", .body = "", .citation = "", .at = 8};
    int64_t left = 0, id = 0;

    AN_TRY(an_execution_finish(tx, l->id, l->place, l->owner, 3, "T", "0D", 8, reterr));
    AN_TRY(an_request_item_count(tx, l->id, AN_ITEM_APPROVED, &left, reterr));
    if (left > 0)
        return AN_OK;
    AN_TRY(an_request_find(tx, l->id, arena, &request, reterr));
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_FINISH, &deed, reterr));
    return an_notice_add(tx, &notice, "mau.gov.vn", &id, reterr);
}

/* What a worker does until everything is done; killed anywhere, and begun again. A mark in a file is the effect outside the store:
 * made under a name that tells it is there, as a key in a token is. */
static int
labour_main(int64_t id, const char *marks)
{
    struct an_store *store = open_store();
    struct labour l = {.id = id};

    an_execution_owner(l.owner);
    if (an_store_write(store, labour_plan, &l, NULL) != AN_OK)
        return 1;
    for (l.place = 1; l.place <= KILL_ITEMS; l.place++) {
        if (an_store_write(store, labour_take, &l, NULL) != AN_OK)
            return 2;
        if (!l.taken)
            continue;
        while (l.got.step < 3) {
            char name[400];
            snprintf(name, sizeof(name), "%s/%lld-%lld", marks, (long long)l.place, (long long)l.got.step);
            FILE *mark = fopen(name, "a");
            if (mark == NULL || fclose(mark) != 0)
                return 3;
            l.got.step++;
            if (an_store_write(store, labour_step, &l, NULL) != AN_OK)
                return 4;
        }
        if (an_store_write(store, labour_finish, &l, NULL) != AN_OK)
            return 5;
    }
    an_store_close(&store);
    return 0;
}

static an_code
count_moves(void *context, const struct an_request_event *event, struct an_err *reterr)
{
    int *counts = context;

    (void)reterr;
    counts[0] += strcmp(event->act, "request.begin") == 0;
    counts[1] += strcmp(event->act, "request.execute") == 0;
    return AN_OK;
}

static an_code
check_end(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct labour *l = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_dossier request;
    int counts[2] = {0};
    int64_t done = 0, waiting = 0;

    AN_TRY(an_request_find(tx, l->id, arena, &request, reterr));
    AN_TRY(an_request_item_count(tx, l->id, AN_ITEM_DONE, &done, reterr));
    AN_TRY(an_outbox_count(tx, AN_LETTER_WAITING, &waiting, reterr));
    AN_TRY(an_request_history(tx, l->id, count_moves, counts, reterr));
    if (request.state != AN_REQUEST_EXECUTED || done != KILL_ITEMS || counts[0] != 1 || counts[1] != 1 || waiting < 1)
        AN_FAIL(reterr, AN_E_INTERNAL, "state %s, %lld done, begun %d, executed %d", an_request_state_id(request.state), (long long)done, counts[0], counts[1]);
    return AN_OK;
}

/* Runs a worker and kills it after so many microseconds; true when it came to its end. */
static bool
run_worker(int64_t id, const char *marks, useconds_t after)
{
    char number[32];
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        snprintf(number, sizeof(number), "%lld", (long long)id);
        execl(self, self, "--work", url, number, marks, (char *)NULL);
        _exit(99);
    }
    if (after > 0) {
        usleep(after);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        fail_msg("worker: %d", WEXITSTATUS(status));
    return WIFEXITED(status);
}

static void
killed_anywhere_done_once(void **state)
{
    int rounds = getenv("ANTIN_FULL") != NULL ? 40 : 6, kills = 0, wanted = getenv("ANTIN_FULL") != NULL ? 600 : 60;
    char marks[] = "/tmp/antin-request-XXXXXX", command[100];
    unsigned seed = 20251202;

    (void)state;
    assert_non_null(mkdtemp(marks));
    for (int round = 0; (round < rounds || kills < wanted) && round < 2000; round++) {
        struct an_store *store = open_store();
        char key[32];
        struct work work = {.key = key, .content = "{}", .subject = key, .items = KILL_ITEMS};
        struct labour l = {0};
        struct an_err err = {0};

        snprintf(key, sizeof(key), "kill %d", round);
        want(store, create, &work, AN_OK);
        for (size_t i = 0; i < 4; i++) {
            static const enum an_request_act acts[] = {AN_REQUEST_ACT_SIGN, AN_REQUEST_ACT_SEND, AN_REQUEST_ACT_RECEIVE, AN_REQUEST_ACT_ACCEPT};
            work.act = acts[i];
            want(store, move, &work, AN_OK);
        }
        an_store_close(&store);
        /* longer each time: where starting takes long, or the machine is busy, a worker gets somewhere too */
        for (useconds_t patience = 25000; !run_worker(work.id, marks, 1000 + (useconds_t)rand_r(&seed) % patience); patience += patience / 4)
            kills++;
        store = open_store();
        l.id = work.id;
        if (an_store_read(store, check_end, &l, &err) != AN_OK)
            fail_msg("round %d after %d kills: %s", round, kills, err.detail);
        an_store_close(&store);
    }
    print_message("%d kills\n", kills);
    snprintf(command, sizeof(command), "/bin/rm");
    pid_t child = fork();
    if (child == 0) {
        execl(command, command, "-rf", marks, (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

/* ---- notices and letters ---- */
struct post {
    struct an_notice notice;
    int64_t id;
    struct an_arena *arena;
    struct an_letter letter;
    bool found;
    an_time now;
    an_code code;
};

static an_code
tell(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct post *post = context;

    return an_notice_add(tx, &post->notice, "mau.gov.vn", &post->id, reterr);
}

static an_code
tell_and_fail(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_TRY(tell(context, tx, reterr));
    return AN_E_LIMIT;
}

static an_code
take_letter(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct post *post = context;

    return an_outbox_take(tx, "me", post->now, post->arena, &post->letter, &post->found, reterr);
}

static an_code
letter_done(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct post *post = context;

    return an_outbox_done(tx, &post->letter, "me", post->code, "why", post->now, reterr);
}

static void
drain(struct an_store *store, struct post *post)
{
    post->code = AN_OK;
    for (post->now = 5000000;; ) {
        assert_int_equal(an_store_write(store, take_letter, post, NULL), AN_OK);
        if (!post->found)
            return;
        assert_int_equal(an_store_write(store, letter_done, post, NULL), AN_OK);
    }
}

static void
letters_wait_until_taken(void **state)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_store *store = open_store();
    struct post post = {.arena = arena, .now = 10000000,
                        .notice = {.key = "n1", .kind = "x", .about = "request:1", .to_role = "qltt", .to_name = "Sở Mẫu", .address = "a@mau.gov.vn",
                                   .subject = "Thông báo", .body = "Nội dung\n", .citation = "", .at = 10000000}};
    char first_id[100];
    an_time waited = 0;

    (void)state;
    drain(store, &post);
    post.now = 10000000;
    assert_int_equal(an_store_write(store, tell_and_fail, &post, NULL), AN_E_LIMIT); /* undone with the act */
    assert_int_equal(an_store_write(store, take_letter, &post, NULL), AN_OK);
    assert_false(post.found);
    assert_int_equal(an_store_write(store, tell, &post, NULL), AN_OK);
    assert_true(post.id > 0);
    assert_int_equal(an_store_write(store, tell, &post, NULL), AN_OK);
    assert_int_equal(post.id, 0); /* said once */
    assert_int_equal(an_store_write(store, take_letter, &post, NULL), AN_OK);
    assert_true(post.found);
    snprintf(first_id, sizeof(first_id), "%s", post.letter.message_id);
    assert_int_equal(an_store_write(store, take_letter, &post, NULL), AN_OK);
    assert_false(post.found); /* in hand */
    post.now += 301;
    assert_int_equal(an_store_write(store, take_letter, &post, NULL), AN_OK);
    assert_true(post.found); /* who had it is gone */
    post.code = AN_E_MAIL_LATER;
    for (int i = 0; i < 12; i++) { /* waits double, up to an hour, and it is never given up */
        an_time from = post.now;
        assert_int_equal(an_store_write(store, letter_done, &post, NULL), AN_OK);
        for (post.found = false; !post.found; post.now += 30)
            assert_int_equal(an_store_write(store, take_letter, &post, NULL), AN_OK);
        assert_true(post.now - from >= waited || post.now - from >= 3600);
        assert_true(post.now - from <= 3660);
        waited = post.now - from - 60;
    }
    assert_string_equal(post.letter.message_id, first_id);
    assert_int_equal(post.letter.tries, 12);
    post.code = AN_OK;
    assert_int_equal(an_store_write(store, letter_done, &post, NULL), AN_OK);
    post.now += 1000000;
    assert_int_equal(an_store_write(store, take_letter, &post, NULL), AN_OK);
    assert_false(post.found);
    an_store_close(&store);
}

static void
letters_are_plain_mail(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(100000), again = an_buf_new(100000);
    struct an_letter letter = {.id = 1, .message_id = "<0a@mau.gov.vn>", .address = "van-thu@mau.gov.vn", .name = "Ủy ban nhân dân xã Mẫu, tỉnh Mẫu",
                               .subject = "Thông báo thời gian, địa điểm tiếp nhận thiết bị lưu khóa bí mật của hồ sơ số 12/CV-UBND và những việc kèm theo",
                               .body = "Kính gửi: Ủy ban nhân dân xã Mẫu\n.\nHết\n", .created_at = 1764642605};
    struct an_letter_form form = {.from = "antin@mau.gov.vn", .from_name = "An Tin", .letter = &letter, .attachment = AN_LIT("%PDF-1.7"),
                                  .attachment_name = "thong-bao.pdf"};
    struct an_err err = {0};
    size_t line = 0;

    (void)state;
    assert_int_equal(an_letter_write(&form, &out, &err), AN_OK);
    for (size_t i = 0; i < out.len; i++) {
        assert_true(out.ptr[i] < 0x80);
        line = out.ptr[i] == '\n' ? 0 : line + 1;
        assert_true(line <= 79); /* 78 and the CR */
        assert_true(out.ptr[i] != '\n' || (i > 0 && out.ptr[i - 1] == '\r'));
    }
    an_buf_byte(&out, 0);
    assert_non_null(strstr((char *)out.ptr, "Date: Tue, 02 Dec 2025 09:30:05 +0700\r\n"));
    assert_non_null(strstr((char *)out.ptr, "From: \"An Tin\"\r\n <antin@mau.gov.vn>\r\n"));
    assert_int_equal(an_letter_write(&form, &again, &err), AN_OK);
    assert_int_equal(out.len, again.len + 1);
    assert_memory_equal(out.ptr, again.ptr, again.len);
    static const char *const addresses[] = {"a@mau.gov.vn>\r\nBcc: <b@c.vn", "a@mau.gov.vn\nSubject: x", "a@mau.gov.vn, b@c.vn", "a@b@c.vn", "a mau.gov.vn", "@mau.gov.vn",
                                            "a@", "Ủy@mau.gov.vn", "\"a b\"@mau.gov.vn", "a@mau.gov.vn\033[2J", "a(b)@mau.gov.vn", "x;y@mau.gov.vn", ""};
    for (size_t i = 0; i < AN_COUNT(addresses); i++) {
        letter.address = addresses[i];
        if (an_letter_write(&form, &out, &err) != AN_E_MAIL_ADDRESS)
            fail_msg("%s", addresses[i]);
    }
    /* names and subjects are anybody's text: no line of theirs becomes a header */
    letter.address = "a@mau.gov.vn";
    letter.name = "Sở Mẫu\r\nBcc: b@c.vn";
    letter.subject = "x\r\n\r\nY";
    assert_int_equal(an_letter_write(&form, &out, &err), AN_OK);
    an_buf_byte(&out, 0);
    assert_null(strstr((char *)out.ptr, "\nBcc:"));
    assert_null(strstr((char *)out.ptr, "\nY"));
}

/* ---- lists ---- */
struct seen {
    struct an_request_query query;
    int64_t last, due;
    size_t count;
    char cursor[200];
};

static an_code
see(void *context, const struct an_request_line *line, struct an_err *reterr)
{
    struct seen *seen = context;

    (void)reterr;
    if (seen->query.overdue_at != AN_TIME_NONE)
        assert_true(line->due_at >= seen->due); /* by deadline */
    else
        assert_true(seen->last == 0 || (seen->query.name ? line->id > seen->last : line->id < seen->last)); /* one name: by number */
    seen->due = line->due_at;
    assert_true((line->cursor != NULL) == (seen->query.name != NULL || seen->query.overdue_at != AN_TIME_NONE));
    snprintf(seen->cursor, sizeof(seen->cursor), "%s", line->cursor ? line->cursor : "");
    seen->last = line->id;
    seen->count++;
    return AN_OK;
}

static an_code
list(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct seen *seen = context;

    seen->count = 0;
    seen->last = seen->due = 0;
    return an_request_each(tx, &seen->query, see, seen, reterr);
}

/* Page by page every dossier comes once; a page ends where the next begins, also among those who bear one name. */
static void
names_go_by_pages(struct an_store *store)
{
    struct seen seen = {.query = {.name = "tran thi", .overdue_at = AN_TIME_NONE, .limit = 3}};
    char after[200];
    size_t all = 0, pages = 0;

    do {
        assert_int_equal(an_store_read(store, list, &seen, NULL), AN_OK);
        all += seen.count;
        pages++;
        snprintf(after, sizeof(after), "%s", seen.cursor);
        seen.query.after = after;
    } while (seen.count == 3 && pages < 1000);
    struct seen whole = {.query = {.name = "tran thi", .overdue_at = AN_TIME_NONE, .limit = 9999}};
    assert_int_equal(an_store_read(store, list, &whole, NULL), AN_OK);
    assert_int_equal(all, whole.count);
    assert_int_equal(pages, whole.count / 3 + 1);
    seen.query.after = "no cursor";
    assert_int_equal(an_store_read(store, list, &seen, NULL), AN_E_REGISTRY_CURSOR);
}

static void
lists_go_by_pages(void **state)
{
    struct an_store *store = open_store();
    struct work work = {.content = "{}", .items = 2, .subject = "LIST"};
    struct { struct an_request_query query; size_t want; } table[] = {
        {{.subject = "LIST", .overdue_at = AN_TIME_NONE}, 7},
        {{.subject = "LIST", .overdue_at = AN_TIME_NONE, .limit = 3}, 3},
        {{.subject = "NOBODY", .overdue_at = AN_TIME_NONE}, 0},
        {{.name = "tran thi dao", .overdue_at = AN_TIME_NONE, .limit = 7}, 7}, /* the second subscriber of each, without marks */
        {{.name = "Trần Thị Đ", .overdue_at = AN_TIME_NONE, .limit = 7}, 7},
        {{.name = "tran thi daoo", .overdue_at = AN_TIME_NONE}, 0},
        {{.agency = "H20.98", .overdue_at = AN_TIME_NONE}, 0},
        {{.overdue_at = INT64_MAX}, 0}, /* no clock runs */
        {{.agency = "H20.99", .state = AN_REQUEST_DRAFT, .overdue_at = AN_TIME_NONE, .limit = 7}, 7},
        {{.agency = "H20.99", .state = AN_REQUEST_ACCEPTED, .overdue_at = AN_TIME_NONE}, 0},
        {{.agency = "H20.98", .state = AN_REQUEST_DRAFT, .overdue_at = AN_TIME_NONE}, 0},
    };
    struct seen unasked = {.query = {.name = "tran", .agency = "H20.99", .overdue_at = AN_TIME_NONE}};

    (void)state;
    for (int i = 0; i < 7; i++) {
        char key[20];
        snprintf(key, sizeof(key), "list %d", i);
        work.key = key;
        want(store, create, &work, AN_OK);
    }
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct seen seen = {.query = table[i].query};
        assert_int_equal(an_store_read(store, list, &seen, NULL), AN_OK);
        if (seen.count != table[i].want)
            fail_msg("list %zu: %zu, wanted %zu", i, seen.count, table[i].want);
    }
    names_go_by_pages(store);
    assert_int_equal(an_store_read(store, list, &unasked, NULL), AN_E_REQUEST_QUESTION); /* not answered as if half was asked */
    an_store_close(&store);
}

static an_code
receive_due(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;

    return an_request_set_received(tx, w->id, 1, 1, w->due ? w->due : 10, reterr);
}

static an_code
count_one(void *context, const struct an_request_line *line, struct an_err *reterr)
{
    (void)line, (void)reterr;
    ++*(size_t *)context;
    return AN_OK;
}

static an_code
count_untold(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct seen *seen = context;

    seen->count = 0;
    return an_request_each_untold(tx, seen->query.overdue_at, 100, count_one, &seen->count, reterr);
}

static an_code
escalate(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *w = context;
    bool changed;

    return an_request_set_escalated(tx, w->id, 50, &changed, reterr);
}

/* By deadline, whatever the order in which they came; page by page each once, of all and of one body. */
static void
late_ones_go_by_deadline(void **state)
{
    struct an_store *store = open_store();
    struct seen seen = {.query = {.addressee = "cuc", .overdue_at = 1000, .limit = 3}};
    struct seen nobody = {.query = {.addressee = "so-khcn", .overdue_at = 1000}};
    char after[200] = "";
    size_t all = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        static const enum an_request_act acts[] = {AN_REQUEST_ACT_SIGN, AN_REQUEST_ACT_SEND, AN_REQUEST_ACT_RECEIVE};
        char key[20], subject[20];
        snprintf(key, sizeof(key), "by deadline %d", i);
        snprintf(subject, sizeof(subject), "DUE%d", i);
        struct work work = {.id = make(store, key, AN_REQUEST_NEW, subject), .due = 900 + i * 37 % 8 / 2 * 10}; /* pairs share one */
        for (size_t a = 0; a < AN_COUNT(acts); a++) {
            work.act = acts[a];
            want(store, move, &work, AN_OK);
        }
        want(store, receive_due, &work, AN_OK);
        if (i == 0)
            want(store, escalate, &work, AN_OK);
    }
    do {
        seen.query.after = after[0] ? after : NULL;
        assert_int_equal(an_store_read(store, list, &seen, NULL), AN_OK);
        all += seen.count;
        snprintf(after, sizeof(after), "%s", seen.cursor);
    } while (seen.count == 3 && all < 100);
    assert_int_equal(all, 8);
    assert_int_equal(an_store_read(store, list, &nobody, NULL), AN_OK);
    assert_int_equal(nobody.count, 0);
    nobody.query.addressee = NULL;
    assert_int_equal(an_store_read(store, count_untold, &nobody, NULL), AN_OK);
    assert_int_equal(nobody.count, 7); /* one is told of already */
    an_store_close(&store);
}

/* Late is who has it: neither before the day, nor when all that is left is to fetch the device. */
static void
late_is_who_has_it(void **state)
{
    static const struct { enum an_request_act act; size_t late; } table[] = {
        {AN_REQUEST_ACT_SIGN, 0}, {AN_REQUEST_ACT_SEND, 0}, {AN_REQUEST_ACT_RECEIVE, 1}, {AN_REQUEST_ACT_ACCEPT, 1}, {AN_REQUEST_ACT_BEGIN, 1},
        {AN_REQUEST_ACT_FINISH, 0}, {AN_REQUEST_ACT_EXPECT, 0}, {AN_REQUEST_ACT_HANDOVER, 0},
    };
    struct an_store *store = open_store();
    struct work work = {.id = make(store, "late", AN_REQUEST_NEW, "LATE")};
    struct seen early = {.query = {.overdue_at = 9}}, late = {.query = {.overdue_at = 10}};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        work.act = table[i].act;
        want(store, move, &work, AN_OK);
        if (table[i].act == AN_REQUEST_ACT_RECEIVE)
            want(store, receive_due, &work, AN_OK);
        assert_int_equal(an_store_read(store, list, &early, NULL), AN_OK);
        assert_int_equal(an_store_read(store, list, &late, NULL), AN_OK);
        assert_int_equal(early.count, 0);
        assert_int_equal(late.count, table[i].late);
    }
    an_store_close(&store);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_follow_what),
        cmocka_unit_test(the_same_filing_is_one_dossier),
        cmocka_unit_test(moves_are_held_to_the_table),
        cmocka_unit_test(one_open_request_for_one_thing),
        cmocka_unit_test(two_officers_decide_once),
        cmocka_unit_test(one_owner_at_a_time),
        cmocka_unit_test(killed_anywhere_done_once),
        cmocka_unit_test(letters_wait_until_taken),
        cmocka_unit_test(letters_are_plain_mail),
        cmocka_unit_test(lists_go_by_pages),
        cmocka_unit_test(late_is_who_has_it),
        cmocka_unit_test(late_ones_go_by_deadline),
    };
    char folder[] = "/tmp/antin-request-XXXXXX";
    int status;

    self = argv[0];
    if (argc == 5 && strcmp(argv[1], "--work") == 0) {
        snprintf(url, sizeof(url), "%s", argv[2]);
        return labour_main(strtoll(argv[3], NULL, 10), argv[4]);
    }
    if (argc > 1)
        snprintf(url, sizeof(url), "%s", argv[1]);
    else if (mkdtemp(folder) != NULL)
        snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
    status = cmocka_run_group_tests(tests, NULL, NULL);
    if (argc <= 1) {
        static const char *const parts[] = {"store.db", "store.db-wal", "store.db-shm"};
        for (size_t i = 0; i < AN_COUNT(parts); i++) {
            char path[100];
            snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
            unlink(path);
        }
        rmdir(folder);
    }
    return status;
}
