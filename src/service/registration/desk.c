#include "service/registration/desk.h"

#include "base/file.h"
#include "base/limits.h"
#include "ca/register.h"

#include <dirent.h>
#include <stdio.h>

#define ROLES_MAX 16

struct sitting {
    struct an_desk *desk;
    char number[32], role[40]; /* as asked; role "" = whichever */
    char roles[ROLES_MAX][40];
    int64_t agencies[ROLES_MAX];
    size_t count;
    const char *wanted;
};

/* Roles that are held at the moment, each once. */
static an_code
gather_role(void *context, const struct an_duty *duty, struct an_err *reterr)
{
    struct sitting *s = context;
    an_time at = s->desk->at;

    (void)reterr;
    if (duty->since > at || (duty->until != AN_TIME_NONE && duty->until <= at) || s->count == ROLES_MAX)
        return AN_OK;
    if (s->role[0] != '\0' && strcmp(s->role, duty->role) != 0)
        return AN_OK;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->roles[i], duty->role) == 0)
            return AN_OK;
    snprintf(s->roles[s->count], sizeof(s->roles[0]), "%s", duty->role);
    s->agencies[s->count++] = duty->agency;
    return AN_OK;
}

static an_code
take_seat(const struct sitting *s, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf names = an_buf_new(1024);

    for (size_t i = 0; i < s->count; i++)
        an_buf_printf(&names, "%s%s", i ? ", " : "", s->roles[i]);
    if (s->count != 1)
        AN_FAIL(reterr, AN_E_DESK_ROLE, "%s%s%s: %.*s", s->number, s->role[0] ? "/" : "", s->role,
                AN_FMT(an_buf_view(&names)));
    snprintf(s->desk->role, sizeof(s->desk->role), "%s", s->roles[0]);
    s->desk->agency = s->agencies[0];
    return AN_OK;
}

static an_code
sit_down(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct sitting *s = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_person person;
    struct an_agency agency;

    s->count = 0;
    AN_TRY(an_person_find_number(tx, s->number, arena, &person, reterr));
    if (strcmp(person.state, "active") != 0)
        AN_FAIL(reterr, AN_E_DESK_PERSON, "%s: %s", s->number, person.state);
    s->desk->person = person.id;
    snprintf(s->desk->number, sizeof(s->desk->number), "%s", person.number);
    snprintf(s->desk->name, sizeof(s->desk->name), "%s", person.name);
    AN_TRY(an_duty_each(tx, person.id, gather_role, s, reterr));
    AN_TRY(take_seat(s, reterr));
    AN_TRY(an_agency_find(tx, s->desk->agency, arena, &agency, reterr));
    snprintf(s->desk->agency_code, sizeof(s->desk->agency_code), "%s", agency.code);
    return AN_OK;
}

an_code
an_desk_open(struct an_instance *instance, const char *as, an_time at, struct an_desk *ret, struct an_err *reterr)
{
    struct an_desk desk = {.instance = instance, .at = at == AN_TIME_NONE ? an_time_now() : at};
    struct sitting s = {.desk = &desk};
    const char *slash = as ? strchr(as, '/') : NULL;

    if (as == NULL || as[0] == '\0')
        AN_FAIL(reterr, AN_E_DESK_PERSON, "--as");
    snprintf(s.number, sizeof(s.number), "%.*s", slash ? (int)(slash - as) : (int)strlen(as), as);
    snprintf(s.role, sizeof(s.role), "%s", slash ? slash + 1 : "");
    AN_TRY(an_store_read(instance->store, sit_down, &s, reterr));
    *ret = desk;
    return AN_OK;
}

/* ---- trust ---- */
static bool
has_ending(const char *name, const char *ending)
{
    size_t len = strlen(name), tail = strlen(ending);

    return len > tail && name[0] != '.' && strcmp(name + len - tail, ending) == 0;
}

static an_code
load_certs(const char *path, struct an_desk_trust *trust, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_certs_done) struct an_certs found = {0};

    AN_TRY(an_file_open(path, AN_LIMIT_CERT_BYTES, &file, reterr));
    AN_TRY(an_certs_read(&found, file.bytes, reterr));
    for (size_t i = 0; i < found.count; i++)
        an_certs_add(found.items[i]->self_issued ? &trust->anchors : &trust->untrusted, found.items[i]);
    return AN_OK;
}

static an_code
load_crl(const char *path, struct an_desk_trust *trust, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_crl *crl = NULL;

    AN_TRY(an_file_open(path, AN_LIMIT_CRL_BYTES, &file, reterr));
    AN_TRY(an_crl_parse(file.bytes, &crl, reterr));
    *an_crls_push(&trust->crls) = crl;
    return AN_OK;
}

static const struct {
    const char *folder, *ending;
    an_code (*load)(const char *path, struct an_desk_trust *trust, struct an_err *reterr);
} trust_table[] = {{"public/crt", ".crt", load_certs}, {"public/crl", ".crl", load_crl}};

static an_code
load_folder(const struct an_instance *instance, size_t row, struct an_desk_trust *trust, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *folder = an_instance_path(instance, trust_table[row].folder);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    an_code code = AN_OK;

    while (dir != NULL && code == AN_OK && (entry = readdir(dir)) != NULL) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, entry->d_name);
        if (has_ending(entry->d_name, trust_table[row].ending))
            code = trust_table[row].load(path, trust, reterr);
    }
    if (dir != NULL)
        closedir(dir);
    return code;
}

an_code
an_desk_trust_load(const struct an_instance *instance, struct an_desk_trust *ret, struct an_err *reterr)
{
    struct an_desk_trust trust = {0};

    for (size_t row = 0; row < AN_COUNT(trust_table); row++) {
        an_code code = load_folder(instance, row, &trust, reterr);
        if (code != AN_OK) {
            an_desk_trust_done(&trust);
            return code;
        }
    }
    *ret = trust;
    return AN_OK;
}

void
an_desk_trust_done(struct an_desk_trust *trust)
{
    an_certs_done(&trust->anchors);
    an_certs_done(&trust->untrusted);
    an_crls_unref(&trust->crls);
}

/* ---- certificates ---- */
an_code
an_desk_cert_look(struct an_tx *tx, const struct an_cert *cert, struct an_desk_cert *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    AN_CLEANUP(an_free_ptr) char *serial = an_desk_serial(cert);
    struct an_subscriber_cert link = {0};
    struct an_subscriber subscriber = {0};
    struct an_certificate found;

    *ret = (struct an_desk_cert){0};
    if (an_register_find(tx, cert->serial, arena, &found, NULL) != AN_OK || !an_bytes_eq(found.der, cert->der))
        return AN_OK;
    ret->is_ours = true;
    ret->is_good = found.status == AN_CERTIFICATE_GOOD;
    AN_TRY(an_subscriber_of_cert(tx, serial, arena, &link, reterr));
    if (link.subscriber != 0)
        AN_TRY(an_subscriber_find(tx, link.subscriber, arena, &subscriber, reterr));
    ret->subscriber = subscriber.id;
    ret->person = subscriber.person;
    return AN_OK;
}

char *
an_desk_serial(const struct an_cert *cert)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(256);

    an_buf_hex(&hex, cert->serial);
    return an_buf_take_str(&hex);
}
