#include "token/internal.h"

#include <stdio.h>

static const char *
last_message(void)
{
    const char *message = p11_kit_message();

    return message ? message : "";
}

static an_code
open_one(const char *path, struct an_p11_modules *ret, struct an_err *reterr)
{
    CK_FUNCTION_LIST *f;
    CK_RV rv;

    if (path[0] != '/')
        AN_FAIL(reterr, AN_E_TOKEN_URI, "module-path=%s", path);
    f = p11_kit_module_load(path, 0);
    if (f == NULL)
        AN_FAIL(reterr, AN_E_TOKEN_MODULE, "%s: %s", path, last_message());
    rv = p11_kit_module_initialize(f);
    if (rv != CKR_OK) {
        p11_kit_module_release(f);
        AN_FAIL(reterr, AN_E_TOKEN_MODULE, "%s: C_Initialize: 0x%lX %s", path, (unsigned long)rv, p11_kit_strerror(rv));
    }
    *ret = (struct an_p11_modules){.items = an_new_array(2, sizeof(*ret->items)), .count = 1};
    ret->items[0] = f;
    return AN_OK;
}

an_code
an_p11_modules_open(P11KitUri *uri, struct an_p11_modules *ret, struct an_err *reterr)
{
    const char *path = p11_kit_uri_get_module_path(uri);
    CK_FUNCTION_LIST **all;
    size_t count = 0;

    if (path != NULL)
        return open_one(path, ret, reterr);
    all = p11_kit_modules_load_and_initialize(0);
    if (all == NULL)
        AN_FAIL(reterr, AN_E_TOKEN_MODULE, "p11-kit: %s", last_message());
    while (all[count] != NULL)
        count++;
    *ret = (struct an_p11_modules){.items = all, .count = count, .is_registered = true};
    return AN_OK;
}

void
an_p11_modules_close(struct an_p11_modules *modules)
{
    if (modules->items == NULL)
        return;
    if (modules->is_registered) {
        p11_kit_modules_finalize_and_release(modules->items);
    } else {
        p11_kit_module_finalize(modules->items[0]);
        p11_kit_module_release(modules->items[0]);
        free(modules->items);
    }
    *modules = (struct an_p11_modules){0};
}

CK_RV
an_p11_slots(CK_FUNCTION_LIST *f, CK_SLOT_ID ret[static AN_TOKEN_SLOTS_MAX], CK_ULONG *ret_count)
{
    CK_ULONG count = 0;
    CK_RV rv = f->C_GetSlotList(CK_TRUE, NULL, &count); /* this form makes modules look for newly inserted tokens */

    if (rv != CKR_OK)
        return rv;
    count = AN_TOKEN_SLOTS_MAX;
    rv = f->C_GetSlotList(CK_TRUE, ret, &count);
    if (rv == CKR_OK)
        *ret_count = count < AN_TOKEN_SLOTS_MAX ? count : AN_TOKEN_SLOTS_MAX;
    return rv;
}

static bool
is_module_wanted(P11KitUri *uri, CK_FUNCTION_LIST *f)
{
    const char *wanted = p11_kit_uri_get_module_name(uri);
    char *name = p11_kit_module_get_name(f);
    bool is_wanted = wanted == NULL || p11_kit_uri_get_module_path(uri) != NULL ||
        (name != NULL && strcmp(name, wanted) == 0);
    CK_INFO info;

    free(name);
    return is_wanted && f->C_GetInfo(&info) == CKR_OK && p11_kit_uri_match_module_info(uri, &info) == 1;
}

static bool
is_slot_wanted(P11KitUri *uri, CK_SLOT_ID slot)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);

    return wanted == (CK_SLOT_ID)-1 || wanted == slot;
}

/* Trust stores and empty readers are slots too, but nobody signs with them. */
static bool
holds_keys(const CK_TOKEN_INFO *info)
{
    return (info->flags & CKF_TOKEN_INITIALIZED) && (info->flags & (CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED));
}

struct place_search {
    P11KitUri *uri;
    struct an_p11_place *place;
    size_t found;
    CK_RV trouble; /* of a module that could not be asked */
    char names[200];
};

static void
note_place(struct place_search *search, CK_FUNCTION_LIST *f, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
    size_t used = strlen(search->names);
    char label[64];

    an_p11_text(info->label, sizeof(info->label), label, sizeof(label));
    snprintf(search->names + used, sizeof(search->names) - used, "%s%s", used ? ", " : "", label);
    if (search->found++ == 0) {
        search->place->f = f;
        search->place->slot = slot;
        search->place->info = *info;
    }
}

static void
search_module(struct place_search *search, CK_FUNCTION_LIST *f)
{
    CK_SLOT_ID slots[AN_TOKEN_SLOTS_MAX];
    CK_ULONG count = 0;
    CK_RV rv;

    if (!is_module_wanted(search->uri, f))
        return;
    rv = an_p11_slots(f, slots, &count);
    if (rv != CKR_OK)
        search->trouble = rv;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        rv = f->C_GetTokenInfo(slots[i], &info);
        if (rv == CKR_OK && holds_keys(&info) && is_slot_wanted(search->uri, slots[i]) &&
            p11_kit_uri_match_token_info(search->uri, &info) == 1)
            note_place(search, f, slots[i], &info);
    }
}

static void
note_module_path(struct an_p11_place *place)
{
    char *path = p11_kit_module_get_filename(place->f);

    snprintf(place->module_path, sizeof(place->module_path), "%s", path ? path : "");
    free(path);
}

an_code
an_p11_place_open(P11KitUri *uri, struct an_p11_place *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_p11_place_close) struct an_p11_place place = {0};
    struct place_search search = {.uri = uri, .place = &place};

    AN_TRY(an_p11_modules_open(uri, &place.modules, reterr));
    for (size_t i = 0; i < place.modules.count; i++)
        search_module(&search, place.modules.items[i]);
    if (search.found == 0 && search.trouble != CKR_OK)
        AN_FAIL(reterr, AN_E_TOKEN_MODULE, "C_GetSlotList: 0x%lX %s", (unsigned long)search.trouble,
                p11_kit_strerror(search.trouble));
    if (search.found == 0)
        AN_FAIL(reterr, AN_E_TOKEN_ABSENT, "%zu PKCS#11 module", place.modules.count);
    if (search.found > 1)
        AN_FAIL(reterr, AN_E_TOKEN_AMBIGUOUS, "%s", search.names);
    note_module_path(&place);
    *ret = place;
    place = (struct an_p11_place){0};
    return AN_OK;
}

void
an_p11_place_close(struct an_p11_place *place)
{
    an_p11_modules_close(&place->modules);
    *place = (struct an_p11_place){0};
}

static bool
is_same_token(const CK_TOKEN_INFO *a, const CK_TOKEN_INFO *b)
{
    return memcmp(a->serialNumber, b->serialNumber, sizeof(a->serialNumber)) == 0 &&
           memcmp(a->label, b->label, sizeof(a->label)) == 0;
}

an_code
an_p11_place_refind(struct an_p11_place *place, struct an_err *reterr)
{
    CK_SLOT_ID slots[AN_TOKEN_SLOTS_MAX];
    CK_ULONG count = 0;
    CK_RV rv = an_p11_slots(place->f, slots, &count);

    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (place->f->C_GetTokenInfo(slots[i], &info) == CKR_OK && is_same_token(&info, &place->info)) {
            place->slot = slots[i];
            place->info = info;
            return AN_OK;
        }
    }
    AN_FAIL(reterr, AN_E_TOKEN_REMOVED, "%.32s", (const char *)place->info.label);
}
