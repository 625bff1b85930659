#include "office/actor.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static void
name_user(struct office_actor *ret)
{
    const struct passwd *user = getpwuid(getuid());

    snprintf(ret->id, sizeof(ret->id), "os:%s", user ? user->pw_name : "?");
}

an_code
office_actor_of(const char *as, const char *usual_role, struct office_actor *ret, struct an_actor *ret_actor,
                struct an_err *reterr)
{
    const char *slash = as ? strchr(as, '/') : NULL;
    const char *role = slash ? slash + 1 : as && strcmp(as, "system") == 0 ? "he-thong" : usual_role;
    size_t len = !as ? 0 : slash ? (size_t)(slash - as) : strlen(as);

    if (as != NULL && (len == 0 || len >= sizeof(ret->id) || role[0] == '\0' || strlen(role) >= sizeof(ret->role)))
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--as %.80s", as);
    snprintf(ret->id, sizeof(ret->id), "%.*s", (int)len, as ? as : "");
    snprintf(ret->role, sizeof(ret->role), "%s", role);
    if (as == NULL)
        name_user(ret);
    *ret_actor = (struct an_actor){ret->id, ret->role};
    return AN_OK;
}
