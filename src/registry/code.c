/*
 * Identifiers of agencies (QĐ 20/2020/QĐ-TTg Điều 4, Phụ lục I): at most 35 characters, groups of 0–9 and A–Z with dots
 * between them, the first a letter and two digits. The form used before 2020 ("000.00.05.H53", the highest level last)
 * still comes in old traffic and lists; it is read, never written.
 */
#include "registry/registry.h"

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_first_group(an_bytes group)
{
    return group.len == 3 && group.ptr[0] >= 'A' && group.ptr[0] <= 'Z' && is_digit(group.ptr[1]) &&
           is_digit(group.ptr[2]);
}

static bool
is_group(an_bytes group)
{
    for (size_t i = 0; i < group.len; i++)
        if (!is_digit(group.ptr[i]) && !(group.ptr[i] >= 'A' && group.ptr[i] <= 'Z'))
            return false;
    return group.len > 0;
}

#define GROUPS_MAX 18 /* 35 characters of one-letter groups */

static size_t
split(an_bytes code, an_bytes ret[static GROUPS_MAX])
{
    size_t count = 0, start = 0;

    for (size_t i = 0; i <= code.len; i++) {
        if (i < code.len && code.ptr[i] != '.')
            continue;
        if (count == GROUPS_MAX || !is_group(an_bytes_slice(code, start, i - start)))
            return 0;
        ret[count++] = an_bytes_slice(code, start, i - start);
        start = i + 1;
    }
    return count;
}

static bool
is_zero(an_bytes group)
{
    for (size_t i = 0; i < group.len; i++)
        if (group.ptr[i] != '0')
            return false;
    return true;
}

/* Four groups, digits but the last: 3, 2, 2 of them and the first level. */
static bool
is_legacy(const an_bytes *groups, size_t count)
{
    return count == 4 && groups[0].len == 3 && groups[1].len == 2 && groups[2].len == 2 && is_first_group(groups[3]) &&
           is_digit(groups[0].ptr[0]);
}

enum an_code_form
an_agency_code_form(an_bytes code)
{
    an_bytes groups[GROUPS_MAX];
    size_t count = code.len >= 3 && code.len <= AN_AGENCY_CODE_MAX ? split(code, groups) : 0;

    if (count == 0)
        return AN_CODE_WRONG;
    return is_first_group(groups[0]) ? AN_CODE_CURRENT : is_legacy(groups, count) ? AN_CODE_LEGACY : AN_CODE_WRONG;
}

an_code
an_agency_code_normalise(an_bytes code, char ret[static AN_AGENCY_CODE_MAX + 1], struct an_err *reterr)
{
    enum an_code_form form = an_agency_code_form(code);
    an_bytes groups[GROUPS_MAX];
    size_t len = 0;

    if (form == AN_CODE_WRONG)
        AN_FAIL(reterr, AN_E_AGENCY_CODE, "%.*s", AN_FMT(an_bytes_slice(code, 0, 64)));
    if (form == AN_CODE_CURRENT) {
        memcpy(ret, code.ptr, code.len);
        ret[code.len] = '\0';
        return AN_OK;
    }
    for (size_t i = split(code, groups); i-- > 0;) {
        if (is_zero(groups[i]))
            continue; /* a level that it does not have */
        if (len > 0)
            ret[len++] = '.';
        memcpy(ret + len, groups[i].ptr, groups[i].len);
        len += groups[i].len;
    }
    ret[len] = '\0';
    return AN_OK;
}
