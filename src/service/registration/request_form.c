/* The letter: the form of the regulation filled in, laid out by NĐ 30/2020, signed with the signer's own key, kept by
 * its content. */
#include "service/registration/request_internal.h"

#include "base/file.h"
#include "decision/decision.h"
#include "proc/json.h"
#include "proc/layout.h"
#include "proc/render.h"
#include "report/form.h"
#include "service/registration/papers.h"
#include "sign/sign.h"

#include <stdio.h>
#include <unistd.h>

/* One flat list of key and value out of a JSON object of texts; in the arena. */
static an_code
take_values(const json_t *object, struct an_arena *arena, size_t spare, struct an_form_value **ret, size_t *ret_count,
            struct an_err *reterr)
{
    size_t count = json_object_size(object), at = 0;
    struct an_form_value *values = an_arena_alloc(arena, (count + spare + 1) * sizeof(*values));
    const char *key;
    const json_t *value;

    if (values == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "form");
    for (void *it = json_object_iter((json_t *)(uintptr_t)object); it != NULL;
         it = json_object_iter_next((json_t *)(uintptr_t)object, it)) {
        key = json_object_iter_key(it);
        value = json_object_iter_value(it);
        values[at++] = (struct an_form_value){key, json_is_string(value) ? json_string_value(value) : ""};
    }
    *ret = values;
    *ret_count = at;
    return AN_OK;
}

static an_code
take_rows(const json_t *rows, struct an_arena *arena, struct an_form_values **ret, struct an_err *reterr)
{
    size_t count = json_array_size(rows);
    struct an_form_values *list = an_arena_alloc(arena, (count + 1) * sizeof(*list));

    if (list == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "form");
    for (size_t i = 0; i < count; i++) {
        struct an_form_value *values = NULL;
        AN_TRY(take_values(json_array_get(rows, i), arena, 0, &values, &list[i].count, reterr));
        list[i].items = values;
    }
    *ret = list;
    return AN_OK;
}

/* ---- what is missing ---- */
struct missing {
    struct an_buf fields, *rows;
    size_t count;
};

static void
note_missing(void *context, const char *label, size_t row)
{
    struct missing *m = context;
    struct an_buf *into = row == 0 ? &m->fields : row <= m->count ? &m->rows[row - 1] : NULL;

    if (into != NULL)
        an_buf_printf(into, "%s%s", into->len ? ", " : "", label);
}

static const char *
keep(struct an_arena *arena, struct an_buf *text)
{
    const char *kept = an_arena_str(arena, an_buf_view(text));

    an_buf_free(text);
    return kept ? kept : "?";
}

an_code
request_missing(const struct an_dossier *request, const json_t *content, struct an_arena *arena,
                const char **ret_fields, const char **ret_rows,
                size_t count, struct an_err *reterr)
{
    AN_CLEANUP(an_form_free) struct an_form *form = NULL;
    struct missing m = {.fields = an_buf_new(4096), .count = count};
    struct an_form_value *values = NULL;
    struct an_form_values *rows = NULL;
    /* who signs is not asked here: the head of the agency does */
    static const struct an_form_signature head = {.key = "head", .lines = {"x"}, .line_count = 1, .name = "x"};
    struct an_form_data data = {.row_count = count, .signatures = &head, .signature_count = 1};

    AN_TRY(an_form_load(NULL, request->form, &form, reterr));
    AN_TRY(take_values(json_object_get(content, "fields"), arena, 0, &values, &data.values.count, reterr));
    AN_TRY(take_rows(json_object_get(content, "rows"), arena, &rows, reterr));
    data.values.items = values;
    data.rows = rows;
    m.rows = an_new_array(count + 1, sizeof(*m.rows));
    for (size_t i = 0; i < count; i++)
        m.rows[i] = an_buf_new(2048);
    an_form_check(form, &data, note_missing, &m);
    *ret_fields = keep(arena, &m.fields);
    for (size_t i = 0; i < count; i++)
        ret_rows[i] = keep(arena, &m.rows[i]);
    free(m.rows);
    return AN_OK;
}

/* ---- layout ---- */
static an_code
lay_out(struct an_buf *json, const char *keywords, an_time at, struct an_buf *ret_pdf, struct an_err *reterr)
{
    AN_CLEANUP(an_child_stop) struct an_child *child = NULL;
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    char made[AN_TIME_TEXT_MAX];

    AN_TRY(an_json_parse(an_buf_view(json), &root, reterr));
    json_object_set_new(root, "made", json_string(an_time_format_vn(at, made)));
    if (keywords != NULL)
        json_object_set_new(root, "keywords", json_string(keywords));
    an_buf_reset(json);
    an_json_write(json, root);
    AN_TRY(an_child_start("antin-layout", &child, reterr));
    return an_layout_document(child, an_buf_view(json), ret_pdf, reterr);
}

static char *
place_date(const char *province, an_time at)
{
    struct an_date date = an_date_of(at, 7 * 60);

    return an_asprintf("%s, ngày %02d tháng %02d năm %04d", province[0] ? province : "…", date.day, date.month,
                       date.year);
}

/* By whose authority he signs (NĐ 30/2020 Phụ lục I, phần II, mục 7): "TM. ỦY BAN NHÂN DÂN …" above "CHỦ TỊCH"; "KT. CHỦ
 * TỊCH" above "PHÓ CHỦ TỊCH", TL. and TUQ. likewise; "Q. GIÁM ĐỐC"; who signs in nobody's name has his title alone. */
static size_t
signature_lines(const struct an_post *post, const struct an_post *head, const char **lines, char first[static 300])
{
    bool for_all = strcmp(post->authority, "TM") == 0, acting = strcmp(post->authority, "Q") == 0;
    size_t count = 0;

    if (post->authority[0] != '\0') {
        snprintf(first, 300, "%s. %s", post->authority, acting ? post->title
                 : for_all || head->id == 0 ? post->agency_name : head->title);
        lines[count++] = first;
    }
    if (!acting)
        lines[count++] = post->title;
    return count;
}

/* A letter that is not numbered yet leaves room for the clerk's number (NĐ 30/2020 Phụ lục I, II.3). */
static char *
number_or_room(const char *number, const char *agency)
{
    return number[0] != '\0' ? an_strdup(number) : an_asprintf("          /%s", agency);
}

static void
hex_of(const uint8_t hash[static 32], char ret[static 65])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

an_code
request_lay_out(const struct an_dossier *request, const struct an_post *head, an_time at, struct an_buf *ret_pdf,
                struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(an_json_free) json_t *content = NULL;
    AN_CLEANUP(an_form_free) struct an_form *form = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    char hash[65], first[300], keywords[100];
    const char *to, *recipients[] = {"Như trên;", "Lưu: VT."};
    struct an_form_signature signature = {.key = "head", .name = head->person_name};
    struct an_form_value *values = NULL;
    struct an_form_values *rows = NULL;
    size_t count = 0;

    hex_of(request->digest, hash);
    snprintf(keywords, sizeof(keywords), "antin-dossier-sha256:%s", hash);
    signature.line_count = signature_lines(head, head, signature.lines, first);
    AN_TRY(an_json_parse(an_bytes_of_str(request->content), &content, reterr));
    const json_t *agency = json_object_get(content, "agency");
    AN_CLEANUP(an_free_ptr) char *date = place_date(request_text_at(agency, "province"), at);
    to = request_text_at(content, "to"); /* whom the letter names, wherever it lies now and whatever he is called */
    AN_TRY(an_form_load(NULL, request->form, &form, reterr));
    AN_TRY(take_values(json_object_get(content, "fields"), arena, 6, &values, &count, reterr));
    AN_TRY(take_rows(json_object_get(content, "rows"), arena, &rows, reterr));
    AN_CLEANUP(an_free_ptr) char *number = number_or_room(request->number, request->agency);
    const struct an_form_value more[] = {{"parent_agency", request_text_at(agency, "parent")},
                                         {"agency", request_text_at(agency, "name")},
                                         {"number", number}, {"place_date", date}, {"dossier_hash", hash},
                                         {"addressee", to}};
    for (size_t i = 0; i < AN_COUNT(more); i++)
        values[count++] = more[i];
    struct an_form_data data = {.values = {values, count}, .rows = rows,
                                .row_count = json_array_size(json_object_get(content, "rows")),
                                .to = &to, .to_count = 1, .recipients = recipients,
                                .recipient_count = AN_COUNT(recipients),
                                .signatures = &signature, .signature_count = 1};
    AN_TRY(an_form_write(form, &data, &json, reterr));
    return lay_out(&json, keywords, at, ret_pdf, reterr);
}

static json_t *
texts_json(const char *const *texts, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

an_code
request_lay_out_letter(const struct an_desk *desk, const struct request_letter *letter, struct an_buf *ret_pdf,
                       struct an_err *reterr)
{
    const struct an_agency *agency = letter->agency;
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_free_ptr) char *date = place_date(agency->province, desk->at);
    AN_CLEANUP(an_free_ptr) char *number = number_or_room(letter->number, agency->code);
    const char *lines[4];
    char first[300];
    size_t count = signature_lines(letter->signer, letter->head, lines, first);
    AN_CLEANUP(an_json_free) json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:o, s:{s:o, s:s}, s:[s, s]}", "kind", "van-ban", "parent_agency",
        agency->superior_name ? agency->superior_name : "", "agency", agency->name, "number", number, "place_date", date,
        "subject", letter->subject, "to", letter->to, "body", texts_json(letter->lines, letter->count), "signature",
        "lines", texts_json(lines, count), "name", desk->name, "recipients", "Như trên;", "Lưu: VT.");

    if (root == NULL)
        AN_FAIL(reterr, AN_E_UTF8, "letter");
    an_json_write(&json, root);
    return lay_out(&json, NULL, desk->at, ret_pdf, reterr);
}

/* ---- signing ---- */
struct signing {
    struct an_desk_trust trust;
    struct an_verifier *verifier;
    struct an_renderer *renderer;
    struct an_sign_session *session;
};

static void
signing_done(struct signing *s)
{
    an_sign_session_free(&s->session);
    an_renderer_stop(&s->renderer);
    an_verifier_free(&s->verifier);
    an_desk_trust_done(&s->trust);
}

/* The status of the signer's certificate is looked up in the store itself (request_check_signer), which is newer than
 * any list. */
static an_code
open_session(const struct an_desk *desk, const struct an_person_key *key, const char *near_text, struct signing *s,
             struct an_err *reterr)
{
    const struct an_look *look = NULL;
    struct an_sign_setup setup = {.signer = key->signer, .cert = key->cert, .image_png = key->image_png,
                                  .near_text = near_text, .near_last = true,
                                  .level = AN_LEVEL_B_B, .revocation = AN_REVOCATION_NONE};

    AN_TRY(an_desk_trust_load(desk->instance, &s->trust, reterr));
    if (key->image_png.len > 0) {
        AN_TRY(an_look_find(desk->instance->regulations, NULL, "nguoi-co-tham-quyen", &look, reterr));
        AN_TRY(an_renderer_start(0, &s->renderer, reterr));
        AN_TRY(an_verifier_new(NULL, &s->verifier, reterr));
    }
    setup.look = look;
    setup.renderer = s->renderer;
    setup.verifier = s->verifier;
    setup.chain = &s->trust.untrusted;
    setup.anchors = &s->trust.anchors;
    setup.crls = &s->trust.crls;
    return an_sign_session_new(&setup, &s->session, reterr);
}

static an_code
sign_file(const struct an_desk *desk, const char *path, const struct an_person_key *key, const char *near_text,
          struct an_err *reterr)
{
    AN_CLEANUP(signing_done) struct signing s = {0};
    struct an_sign_job job = {.in_path = path, .in_place = true};
    struct an_sign_result result = {0};

    AN_TRY(open_session(desk, key, near_text, &s, reterr));
    return an_sign_pdf(s.session, &job, &result, reterr);
}

an_code
request_sign_pdf(const struct an_desk *desk, an_bytes pdf, const struct an_person_key *key, const char *near_text,
                 uint8_t ret_hash[static 32],
                 struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_paper_temporary(desk->instance, "ky");
    AN_CLEANUP(an_free_ptr) char *folder = an_instance_path(desk->instance, "documents");
    an_code code;

    AN_TRY(an_dir_make(folder, true, reterr));
    AN_TRY(an_file_write(path, pdf, 0600, reterr));
    code = sign_file(desk, path, key, near_text, reterr);
    if (code == AN_OK)
        code = an_paper_put_file(desk->instance, path, ret_hash, reterr);
    unlink(path);
    return code;
}

/* Officers who decide before they have a certificate of the register: `antin ca officer add`. */
struct officer {
    const char *person;
    const struct an_cert *cert;
    bool found;
};

static an_code
see_officer(void *context, const char *person, const char *role, an_bytes certificate, struct an_err *reterr)
{
    struct officer *officer = context;

    (void)role;
    (void)reterr;
    officer->found = officer->found || (strcmp(person, officer->person) == 0 &&
                                        an_bytes_eq(certificate, officer->cert->der));
    return AN_OK;
}

an_code
request_check_signer(const struct an_desk *desk, struct an_tx *tx, const struct an_cert *cert, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *serial = an_desk_serial(cert);
    struct officer officer = {.person = desk->number, .cert = cert};
    struct an_desk_cert whose;

    AN_TRY(an_officer_each(tx, see_officer, &officer, reterr));
    AN_TRY(an_desk_cert_look(tx, cert, &whose, reterr));
    if (cert->not_after <= desk->at || (whose.is_ours && !whose.is_good) ||
        (!officer.found && (!whose.is_good || whose.person != desk->person)))
        AN_FAIL(reterr, AN_E_REQUEST_SIGNER, "%s: %s", desk->number, serial);
    return AN_OK;
}
