/* registry/device.h: states as a table, the unbroken chain of custody, records that carry it; what the database itself refuses. */
#include "registry/device.h"
#include "registry/model.h"
#include "registry/store_test.h"

#define DAY(n) ((an_time)1700000000 + (an_time)(n) * 86400)

static int64_t co_yeu, so, so_khac, an_, binh, the, sim, next_record;

static an_code
set_scene(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct an_agency agencies[] = {
        {.code = "H20.1", .name = "Cơ yếu tỉnh (MẪU)", .hierarchy = "state", .since = AN_TIME_NONE},
        {.code = "H20.2", .name = "Sở Khoa học và Công nghệ (MẪU)", .hierarchy = "state", .since = AN_TIME_NONE},
        {.code = "H20.3", .name = "Sở Tài chính (MẪU)", .hierarchy = "state", .since = AN_TIME_NONE},
    };
    int64_t *const agency_ids[] = {&co_yeu, &so, &so_khac};
    struct an_person person = {.born = AN_TIME_NONE, .identity_issued = AN_TIME_NONE, .since = AN_TIME_NONE, .retires = AN_TIME_NONE};
    char number[32];

    (void)context;
    for (size_t i = 0; i < AN_COUNT(agencies); i++)
        AN_TRY(an_agency_add(tx, &agencies[i], agency_ids[i], reterr));
    person.agency = so;
    person.name = "Nguyễn Văn An";
    AN_TRY(an_person_add(tx, &person, &an_, number, reterr));
    person.name = "Trần Thị Bình";
    AN_TRY(an_person_add(tx, &person, &binh, number, reterr));
    AN_TRY(an_device_add(tx, &(struct an_device){.kind = "pki-token", .number = "TK-0001", .model = "safenet-5110"}, "CB000001", DAY(0), &the, reterr));
    return an_device_add(tx, &(struct an_device){.kind = "sim-pki", .number = "SIM-0001", .carrier = "viettel/cs", .phone = "0912345678"}, "CB000001",
                         DAY(0), &sim, reterr);
}

/* ---- fields ---- */
static an_code
add_device(struct an_tx *tx, void *context, struct an_err *reterr)
{
    int64_t id = 0;

    return an_device_add(tx, context, "CB000001", DAY(0), &id, reterr);
}

static void
devices_are_checked(void **state)
{
    static const struct { struct an_device device; an_code want; } table[] = {
        {{.kind = "pki-token", .number = "TK-0001"}, AN_E_DEVICE_TAKEN}, {{.kind = "pki-token", .number = ""}, AN_E_DEVICE_FIELD},
        {{.kind = "usb", .number = "X"}, AN_E_DEVICE_FIELD}, {{.kind = "pki-token", .number = "X Y"}, AN_E_DEVICE_FIELD},
        {{.kind = "pki-token", .number = "X", .uri = "pkcs11:token=a?pin-value=1"}, AN_E_DEVICE_FIELD},
        {{.kind = "hsm", .number = "H1"}, AN_E_DEVICE_FIELD}, {{.kind = "hsm", .number = "H1", .account = "an@h20"}, AN_OK},
        {{.kind = "sim-pki", .number = "S2"}, AN_E_DEVICE_SIM}, {{.kind = "sim-pki", .number = "S2", .carrier = "Gmobile", .phone = "0912345678"}, AN_E_DEVICE_SIM},
        {{.kind = "sim-pki", .number = "S2", .carrier = "Viettel", .phone = "912345678"}, AN_E_DEVICE_SIM},
        {{.kind = "sim-pki", .number = "S2", .carrier = "Viettel/xx", .phone = "0912345678"}, AN_E_DEVICE_SIM},
        {{.kind = "sim-pki", .number = "S2", .carrier = "MOBIFONE", .phone = "0912345678"}, AN_OK},
    };
    struct an_err err = {0};

    (void)state;
    expect(write_with(set_scene, NULL, &err), AN_OK, &err, "scene");
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_device device = table[i].device;
        an_code code = write_with(add_device, &device, &err);
        if (code != table[i].want)
            fail_msg("row %zu: %s %s", i, an_message_find(code)->symbol, err.detail);
    }
}

/* ---- a number in use is converted, and the carrier says so; also when it is edited ---- */
static an_code
put_sim(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_device *device = context;
    struct an_person person = {.name = "Lê Số Mẫu", .email = "a@h53.gov.vn", .phone = "0987000111"};
    struct an_subscriber subscriber = {.kind = "person"};
    struct an_device kept = {0};
    char number[32];

    if (device->subscriber == -1) {
        person.agency = subscriber.agency = so;
        person.identity_issued = person.born = person.retires = person.since = AN_TIME_NONE;
        subscriber.since = subscriber.until = AN_TIME_NONE;
        AN_TRY(an_person_add(tx, &person, &subscriber.person, number, reterr));
        AN_TRY(an_subscriber_add(tx, &subscriber, &device->subscriber, number, reterr));
    }
    if (device->id == 0)
        return an_device_add(tx, device, "CB000001", DAY(0), &device->id, reterr);
    AN_TRY(an_device_edit(tx, device, reterr));
    AN_TRY(an_device_find(tx, device->id, arena, &kept, reterr));
    assert_string_equal(kept.carrier, device->carrier);
    assert_string_equal(kept.phone, device->phone);
    return AN_OK;
}

static void
a_number_in_use_is_converted(void **state)
{
    struct an_device device = {.kind = "sim-pki", .number = "SIM-0009", .carrier = "Viettel", .phone = "0987000111",
                               .subscriber = -1};
    struct an_err err = {0};

    (void)state;
    expect(write_with(put_sim, &device, &err), AN_E_DEVICE_SIM, &err, "his own number, not converted");
    device.subscriber = -1; /* rolled back with the rest */
    device.carrier = "Viettel/cs";
    expect(write_with(put_sim, &device, &err), AN_OK, &err, "converted");
    device.phone = "0987000222";
    device.carrier = "Viettel";
    expect(write_with(put_sim, &device, &err), AN_OK, &err, "a new number");
    device.phone = "0987000111";
    expect(write_with(put_sim, &device, &err), AN_E_DEVICE_SIM, &err, "edited to the number in use");
    device.carrier = "Mobifone/cs";
    expect(write_with(put_sim, &device, &err), AN_OK, &err, "and converted");
    device.phone = "09870001";
    expect(write_with(put_sim, &device, &err), AN_E_DEVICE_SIM, &err, "no number");
}

/* ---- a free device: his own before anybody's, however many others lie there ---- */
static an_code
stock_up(struct an_tx *tx, void *context, struct an_err *reterr)
{
    char found[64], name[32];
    int64_t id = 0;

    (void)context;
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof(name), "A-%04d", i);
        AN_TRY(an_device_add(tx, &(struct an_device){.kind = "hsm", .number = name, .account = name}, "CB000001", DAY(0), &id, reterr));
    }
    AN_TRY(an_device_free(tx, "pki-token", 77, found, reterr));
    assert_string_equal(found, "TK-0001"); /* behind 600 of another kind */
    AN_TRY(an_device_free(tx, "hsm", 77, found, reterr));
    assert_string_equal(found, "A-0000");
    AN_TRY(an_device_free(tx, "usb", 77, found, reterr));
    assert_string_equal(found, "");
    return AN_OK;
}

static void
a_free_device_is_found(void **state)
{
    struct an_err err = {0};

    (void)state;
    expect(write_with(stock_up, NULL, &err), AN_OK, &err, "stock");
}

static void
sim_column_of_the_form(void **state)
{
    static const struct { const char *text, *carrier; bool converts; } table[] = {
        {"Viettel", "Viettel", false}, {"vinaphone/cs", "Vinaphone", true}, {"Mobifone /cs", "Mobifone", true}, {"", NULL, false},
        {"Viettel/CS", NULL, false}, {"Viettel/cs/cs", NULL, false}, {"Viet", NULL, false}, {"Viettelx", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        const char *carrier = NULL;
        bool converts = false;
        an_code code = an_sim_parse(table[i].text, &carrier, &converts, NULL);
        assert_int_equal(code, table[i].carrier ? AN_OK : AN_E_DEVICE_SIM);
        if (code == AN_OK)
            assert_string_equal(carrier, table[i].carrier);
        assert_int_equal(converts, table[i].converts);
    }
}

static void
models_say_what_a_pin_is(void **state)
{
    static const struct { const char *model, *pin; an_code want; } table[] = {
        {"safenet-5110", "Abc123", AN_OK}, {"safenet-5110", "abc123", AN_E_PIN_POLICY}, {"safenet-5110", "Ab1", AN_E_PIN_POLICY},
        {"bit4id-evo-v2", "1234", AN_OK}, {"bit4id-evo-v2", "123", AN_E_PIN_POLICY}, {"bit4id-evo-v2", "12345678901234567", AN_E_PIN_POLICY},
        {"sim-pki", "123456", AN_OK}, {"sim-pki", "12345a", AN_E_PIN_POLICY},
    };
    AN_CLEANUP(an_device_models_close) struct an_device_models *models = NULL;

    (void)state;
    assert_int_equal(an_device_models_open(NULL, &models, NULL), AN_OK);
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_from(an_bytes_of_str(table[i].pin));
        const struct an_device_model *model = an_device_model_find(models, table[i].model);
        assert_non_null(model);
        assert_int_equal(an_pin_check(&model->pin, pin, NULL), table[i].want);
    }
    assert_string_equal(an_device_model_of_token(models, "SoftHSM v2")->id, "softhsm-v2");
    assert_null(an_device_model_of_token(models, "lạ"));
    assert_null(an_device_model_find(models, "lạ"));
}

/* ---- states ---- */
struct change { const char *to; an_code want; };

static an_code
change_state(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct change *change = context;

    return an_device_change_state(tx, sim, change->to, "CB000001", DAY(1), "thử", reterr);
}

struct trail { char text[512]; };

static an_code
note_event(void *context, const struct an_device_event *event, struct an_err *reterr)
{
    struct trail *trail = context;

    (void)reterr;
    snprintf(trail->text + strlen(trail->text), sizeof(trail->text) - strlen(trail->text), "%lld:%s ", (long long)event->seq, event->state_to);
    return AN_OK;
}

static an_code
read_events(struct an_tx *tx, void *context, struct an_err *reterr)
{
    return an_device_events(tx, sim, note_event, context, reterr);
}

static void
states_follow_the_table(void **state)
{
    static const struct change table[] = {
        {"bi-khoa", AN_E_DEVICE_STATE}, {"dang-dung", AN_OK}, {"dang-dung", AN_E_DEVICE_STATE}, {"chua-dung", AN_E_DEVICE_STATE}, {"bi-khoa", AN_OK},
        {"dang-dung", AN_OK}, {"khác", AN_E_DEVICE_STATE}, {"that-lac", AN_OK}, {"dang-dung", AN_E_DEVICE_STATE}, {"da-thu-hoi", AN_OK},
        {"dang-dung", AN_E_DEVICE_STATE}, {"chua-dung", AN_OK},
    };
    struct trail trail = {""};
    struct an_err err = {0};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct change change = table[i];
        expect(write_with(change_state, &change, &err), table[i].want, &err, table[i].to);
    }
    expect(write_with(read_events, &trail, &err), AN_OK, &err, "events");
    assert_string_equal(trail.text, "1:chua-dung 2:dang-dung 3:bi-khoa 4:dang-dung 5:that-lac 6:da-thu-hoi 7:chua-dung ");
}

/* ---- custody: on records ---- */
struct move {
    const char *step, *giver_kind;
    int64_t *giver;
    const char *taker_kind;
    int64_t *taker;
    bool is_paper;
    an_code want; /* of drafting; then both sides sign */
    const char *state; /* afterwards */
};

static an_code
draft(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct move *move = context;
    AN_CLEANUP(an_free_ptr) char *number = an_asprintf("%lld/BBBG", (long long)++next_record);
    const struct an_record record = {
        .number = number, .form = "nd-68-2024/mau-07", .medium = move->is_paper ? "paper" : "electronic", .at = DAY(2), .giver_kind = move->giver_kind,
        .giver = move->giver ? *move->giver : 0, .taker_kind = move->taker_kind, .taker = move->taker ? *move->taker : 0, .way = "truc-tiep",
        .step = move->step, .giver_signer = move->is_paper ? 0 : an_, .taker_signer = move->is_paper ? 0 : binh, .made_by = "CB000001",
    };
    int64_t id = 0;

    return an_record_add(tx, &record, move->is_paper ? AN_NONE : AN_LIT("%PDF draft"), &the, 1, &id, reterr);
}

struct signing { int64_t record; bool by_giver; const char *before, *after; };

static an_code
sign_record(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct signing *signing = context;
    uint8_t before[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, an_bytes_of_str(signing->before), before);
    return an_record_signed(tx, signing->record, signing->by_giver, before, an_bytes_of_str(signing->after), "CB000001", DAY(3), reterr);
}

static an_code
newest_record(void *context, const struct an_record *record, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = record->id;
    return AN_OK;
}

static an_code
find_open(struct an_tx *tx, void *context, struct an_err *reterr)
{
    return an_record_each(tx, 0, newest_record, context, reterr);
}

static an_code
read_state(struct an_tx *tx, void *context, struct an_err *reterr)
{
    struct an_device device = {0};

    AN_TRY(an_device_find(tx, the, arena, &device, reterr));
    *(const char **)context = device.state;
    return AN_OK;
}

static void
sign_both(const char *what)
{
    struct signing signing = {0, false, "%PDF draft", "%PDF half"};
    struct an_err err = {0};

    expect(write_with(find_open, &signing.record, &err), AN_OK, &err, what);
    expect(write_with(sign_record, &signing, &err), AN_E_RECORD_STATE, &err, "the taker before the giver");
    signing.by_giver = true;
    signing.before = "%PDF other";
    expect(write_with(sign_record, &signing, &err), AN_E_RECORD_STATE, &err, "another file");
    signing.before = "%PDF draft";
    expect(write_with(sign_record, &signing, &err), AN_OK, &err, what);
    expect(write_with(sign_record, &signing, &err), AN_E_RECORD_STATE, &err, "twice");
    signing = (struct signing){signing.record, false, "%PDF half", "%PDF whole"};
    expect(write_with(sign_record, &signing, &err), AN_OK, &err, what);
    expect(write_with(sign_record, &signing, &err), AN_E_RECORD_STATE, &err, "twice");
}

static an_code
note_link(void *context, const struct an_custody *link, struct an_err *reterr)
{
    struct trail *trail = context;

    (void)reterr;
    snprintf(trail->text + strlen(trail->text), sizeof(trail->text) - strlen(trail->text), "%s>%s ", link->giver_kind, link->taker_kind);
    return AN_OK;
}

static an_code
read_custody(struct an_tx *tx, void *context, struct an_err *reterr)
{
    return an_custody_each(tx, the, note_link, context, reterr);
}

static void
custody_is_unbroken(void **state)
{
    static const struct move table[] = {
        {"device.handover", "agency", &so, "person", &an_, false, AN_E_CUSTODY_HOLDER, NULL},      /* it is still at Cục */
        {"device.handover", "cuc", NULL, "person", &an_, false, AN_E_RECORD_STEP, NULL},           /* never straight to a person */
        {"device.handover", "cuc", NULL, "co-yeu", &co_yeu, true, AN_OK, "chua-dung"},             /* paper: carried out at once */
        {"device.handover", "co-yeu", &so, "agency", &so, false, AN_E_CUSTODY_HOLDER, NULL},       /* another courier */
        {"device.handover", "co-yeu", &co_yeu, "agency", &so, false, AN_OK, "chua-dung"},
        {"device.handover", "agency", &so_khac, "person", &an_, false, AN_E_CUSTODY_HOLDER, NULL}, /* another agency */
        {"device.handover", "agency", &so, "person", &an_, false, AN_OK, "dang-dung"},
        {"device.custody-change", "person", &binh, "person", &an_, false, AN_E_CUSTODY_HOLDER, NULL},
        {"device.custody-change", "person", &an_, "person", &binh, false, AN_OK, "dang-dung"},
        {"device.return", "person", &an_, "agency", &so, false, AN_E_CUSTODY_HOLDER, NULL},
        {"device.return", "person", &binh, "agency", &so, false, AN_OK, "da-thu-hoi"},
        {"device.return", "agency", &so, "buu-chinh", NULL, true, AN_OK, "da-thu-hoi"},
        {"device.return", "buu-chinh", NULL, "cuc", NULL, true, AN_OK, "da-thu-hoi"},
    };
    struct trail trail = {""};
    struct an_err err = {0};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct move move = table[i];
        const char *now = "";
        AN_CLEANUP(an_free_ptr) char *what = an_asprintf("row %zu", i);
        expect(write_with(draft, &move, &err), table[i].want, &err, what);
        if (table[i].want != AN_OK)
            continue;
        if (!table[i].is_paper)
            sign_both(what);
        expect(write_with(read_state, &now, &err), AN_OK, &err, what);
        assert_string_equal(now, table[i].state);
    }
    expect(write_with(read_custody, &trail, &err), AN_OK, &err, "custody");
    assert_string_equal(trail.text, "cuc>co-yeu co-yeu>agency agency>person person>person person>agency agency>buu-chinh buu-chinh>cuc ");
}

/* ---- what the database refuses, whoever writes ---- */
struct raw { enum an_sql sql; size_t count; struct an_value values[10]; };

static an_code
run_raw(struct an_tx *tx, void *context, struct an_err *reterr)
{
    const struct raw *raw = context;
    int64_t changed = 0;

    return an_tx_run(tx, raw->sql, raw->values, raw->count, &changed, reterr);
}

static void
database_refuses_gaps(void **state)
{
#define LINK(seq, before, gk, g, tk, t, record) \
    {AN_SQL_CUSTODY_INSERT, 10, {AN_V_INT(the), AN_V_INT(seq), before, an_v_text(gk), AN_V_INT(g), an_v_text(tk), AN_V_INT(t), AN_V_INT(DAY(9)), an_v_text(""), AN_V_INT(record)}}
#define EVENT(seq, before, from, to) \
    {AN_SQL_DEVICE_EVENT_INSERT, 8, {AN_V_INT(sim), AN_V_INT(seq), before, an_v_text(from), an_v_text(to), AN_V_INT(DAY(9)), an_v_text(""), an_v_text("")}}
    struct { const char *what; an_code want; struct raw raw; } table[] = {
        {"a gap", AN_E_STORE_RULE, LINK(9, AN_V_INT(8), "cuc", 0, "agency", so, 1)},
        {"a number that skips", AN_E_STORE_RULE, LINK(9, AN_V_INT(7), "cuc", 0, "agency", so, 1)},
        {"a second beginning", AN_E_STORE_RULE, LINK(8, AN_V_NULL, "cuc", 0, "agency", so, 1)},
        {"the wrong giver", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "agency", so, "person", an_, 1)},
        {"no such step", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "cuc", 0, "person", an_, 1)},
        {"to itself", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "cuc", 0, "cuc", 0, 1)},
        {"no record", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "cuc", 0, "agency", so, 4711)},
        {"the record of another hand-over", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "cuc", 0, "agency", so, 2)},
        {"the link once more", AN_E_STORE_UNIQUE, LINK(7, AN_V_INT(6), "buu-chinh", 0, "cuc", 0, 7)},
        {"a state that was not", AN_E_STORE_RULE, EVENT(8, AN_V_INT(7), "dang-dung", "bi-khoa")},
        {"a change that is not", AN_E_STORE_RULE, EVENT(8, AN_V_INT(7), "chua-dung", "bi-khoa")},
        {"the record of an earlier one", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "cuc", 0, "co-yeu", co_yeu, 1)},
        {"a record that nobody signed yet", AN_E_STORE_RULE, LINK(8, AN_V_INT(7), "cuc", 0, "agency", so, 8)},
    };
    struct move next = {"device.handover", "cuc", NULL, "agency", &so, false, AN_OK, NULL};
    struct an_err drafted = {0};

    (void)state;
    expect(write_with(draft, &next, &drafted), AN_OK, &drafted, "the next record");
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        struct an_err err = {0};
        expect(write_with(run_raw, &table[i].raw, &err), table[i].want, &err, table[i].what);
    }
    sign_both("as it should be");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_checked), cmocka_unit_test(a_number_in_use_is_converted), cmocka_unit_test(a_free_device_is_found),
        cmocka_unit_test(sim_column_of_the_form), cmocka_unit_test(models_say_what_a_pin_is),
        cmocka_unit_test(states_follow_the_table), cmocka_unit_test(custody_is_unbroken), cmocka_unit_test(database_refuses_gaps),
    };

    store_url = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests_name("device", tests, open_store, close_store);
}
