/* Which certificates a CRL speaks of: distribution points and issuing distribution points, RFC
 * 5280 4.2.1.13, 5.2.5, 6.3.3 (b). */
#include "x509/path_internal.h"

/* ReasonFlags: bit 0 is the most significant one and unused. */
static bool
parse_reasons(an_bytes bits, uint32_t *ret)
{
    uint32_t mask = 0;

    if (bits.len < 1 || bits.len > 3 || bits.ptr[0] > 7)
        return false;
    for (size_t i = 1; i < bits.len; i++)
        for (unsigned bit = 0; bit < 8; bit++)
            if (bits.ptr[i] & (0x80u >> bit))
                mask |= 1u << ((i - 1) * 8 + bit);
    *ret = mask & STATUS_REASONS_ALL;
    return true;
}

/* DistributionPointName: fullName [0] GeneralNames or nameRelativeToCRLIssuer [1] RelativeDistinguishedName. */
static bool
parse_point_name(an_bytes in, an_bytes *ret_full, an_bytes *ret_relative)
{
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), ret_full))
        return in.len == 0 && ret_full->len > 0;
    return an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), ret_relative) && in.len == 0 && ret_relative->len > 0;
}

bool
an_status_dp_next(an_bytes *in, struct status_dp *ret)
{
    an_bytes point, name, reasons;

    *ret = (struct status_dp){.reasons = STATUS_REASONS_ALL};
    if (an_der_take(in, AN_DER_SEQUENCE, &point, NULL) != AN_OK)
        return false;
    ret->has_name = an_der_try(&point, AN_DER_CONTEXT_CONSTRUCTED(0), &name);
    if (ret->has_name && !parse_point_name(name, &ret->full_name, &ret->relative_name))
        return false;
    if (an_der_try(&point, AN_DER_CONTEXT(1), &reasons) && !parse_reasons(reasons, &ret->reasons))
        return false;
    ret->has_crl_issuer = an_der_try(&point, AN_DER_CONTEXT_CONSTRUCTED(2), &ret->crl_issuer);
    /* A point of reasons alone must not be (4.2.1.13): it names nothing. */
    return point.len == 0 && (ret->has_name || ret->has_crl_issuer);
}

static bool
parse_flag(an_bytes *in, int number, bool *ret)
{
    an_bytes value;

    if (!an_der_try(in, AN_DER_CONTEXT(number), &value))
        return true;
    *ret = value.len == 1 && value.ptr[0] != 0;
    return value.len == 1;
}

bool
an_status_idp_parse(an_bytes value, struct status_idp *ret)
{
    an_bytes in = value, name, reasons;

    *ret = (struct status_idp){.reasons = STATUS_REASONS_ALL};
    if (!an_path_open(in, &in))
        return false;
    ret->has_name = an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &name);
    if (ret->has_name && !parse_point_name(name, &ret->full_name, &ret->relative_name))
        return false;
    if (!parse_flag(&in, 1, &ret->only_user) || !parse_flag(&in, 2, &ret->only_ca))
        return false;
    if (an_der_try(&in, AN_DER_CONTEXT(3), &reasons) && !parse_reasons(reasons, &ret->reasons))
        return false;
    if (!parse_flag(&in, 4, &ret->is_indirect) || !parse_flag(&in, 5, &ret->only_attribute))
        return false;
    return in.len == 0 && ret->only_user + ret->only_ca + ret->only_attribute <= 1;
}

/* The first directoryName of GeneralNames. */
static bool
find_directory_name(an_bytes names, an_bytes *ret)
{
    enum path_name_kind kind;
    an_bytes value;

    while (names.len > 0 && an_path_name_next(&names, &kind, &value))
        if (kind == PATH_NAME_DIRECTORY) {
            *ret = value;
            return true;
        }
    return false;
}

bool
an_status_issuer_matches(const struct status_dp *dp, const struct an_cert *cert, const struct an_crl *crl,
                         bool is_indirect)
{
    an_bytes names = dp->crl_issuer, value;
    enum path_name_kind kind;

    if (!dp->has_crl_issuer)
        return an_name_eq(crl->issuer, cert->issuer);
    if (!is_indirect)
        return false;
    while (names.len > 0 && an_path_name_next(&names, &kind, &value))
        if (kind == PATH_NAME_DIRECTORY && an_name_eq(crl->issuer, value))
            return true;
    return false;
}

/* ---- names of the two sides ---- */
struct name_list {
    an_bytes general;   /* GeneralNames content, or AN_NONE and: */
    an_bytes directory; /* one Name */
};

/* The issuer's name with one more RDN at its end. */
static an_bytes
join_relative(struct path_shared *shared, an_bytes issuer, an_bytes rdn)
{
    struct an_buf buf AN_CLEANUP(an_buf_free) = an_buf_new(issuer.len + rdn.len + 64);
    struct an_der_out out = AN_DER_OUT(&buf);
    an_bytes rdns;

    if (!an_path_name_content(issuer, &rdns))
        return AN_NONE;
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_raw(&out, rdns);
    an_der_put(&out, AN_DER_SET, rdn);
    an_der_close(&out);
    return an_buf_ok(&buf) ? an_arena_dup(shared->arena, an_buf_view(&buf)) : AN_NONE;
}

static bool
next_name(struct name_list *list, enum path_name_kind *ret_kind, an_bytes *ret_value)
{
    if (list->directory.len > 0) {
        *ret_kind = PATH_NAME_DIRECTORY;
        *ret_value = list->directory;
        list->directory = AN_NONE;
        return true;
    }
    return list->general.len > 0 && an_path_name_next(&list->general, ret_kind, ret_value);
}

static bool
lists_share_name(struct path_shared *shared, struct name_list a, struct name_list b)
{
    enum path_name_kind kind_a, kind_b;
    an_bytes value_a, value_b;

    while (next_name(&a, &kind_a, &value_a)) {
        struct name_list rest = b;

        while (next_name(&rest, &kind_b, &value_b)) {
            if (shared->name_checks_left == 0) {
                shared->limit_reached = true;
                return false;
            }
            shared->name_checks_left--;
            if (kind_a != kind_b)
                continue;
            if (an_bytes_eq(value_a, value_b) || (kind_a == PATH_NAME_DIRECTORY && an_name_eq(value_a, value_b)))
                return true;
        }
    }
    return false;
}

static struct name_list
names_of_point(struct path_shared *shared, const struct status_dp *dp, const struct an_cert *cert)
{
    an_bytes base = cert->issuer;

    if (dp->full_name.len > 0)
        return (struct name_list){.general = dp->full_name};
    if (!dp->has_name && dp->has_crl_issuer)
        return (struct name_list){.general = dp->crl_issuer};
    if (!dp->has_name)
        return (struct name_list){.directory = cert->issuer};
    if (dp->has_crl_issuer && !find_directory_name(dp->crl_issuer, &base))
        return (struct name_list){0};
    return (struct name_list){.directory = join_relative(shared, base, dp->relative_name)};
}

bool
an_status_dp_matches(struct path_shared *shared, const struct status_dp *dp, const struct status_idp *idp,
                     const struct an_cert *cert, const struct an_crl *crl)
{
    struct name_list theirs = {.general = idp->full_name};

    if (!idp->has_name)
        return true;
    if (idp->relative_name.len > 0)
        theirs = (struct name_list){.directory = join_relative(shared, crl->issuer, idp->relative_name)};
    return lists_share_name(shared, names_of_point(shared, dp, cert), theirs);
}
