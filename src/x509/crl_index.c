/*
 * Finding an entry. A list that is asked a few times is read through; one that is asked more often gets an index:
 * entries grouped by a hash of the serial number, four bytes an entry and one a group, no copy of the list.
 */
#include "x509/internal.h"

#include "base/mem.h"

#define SHORT_LIST 32
#define READ_THROUGH_MAX 6 /* building the index costs about as much as reading the list that often */
#define NO_ISSUER UINT32_MAX

struct crl_index {
    uint64_t seed;
    uint32_t mask;     /* groups - 1 */
    uint32_t *starts;  /* first slot of each group, and one more */
    uint32_t *entries; /* offset of each entry in crl->revoked, by group */
    uint32_t
        *issuers; /* the same order: offset of the certificateIssuer value in force; NULL when no entry names one */
};

void
an_x509_free_crl_index(void *memory)
{
    struct crl_index *index = memory;

    if (index == NULL)
        return;
    free(index->starts);
    free(index->entries);
    free(index->issuers);
    free(index);
}

/* The address of the index seeds it: nobody can prepare a list whose serial numbers all meet in one group. */
static uint64_t
hash_serial(uint64_t seed, an_bytes serial)
{
    uint64_t hash = seed ^ (serial.len * 0x9E3779B97F4A7C15u), word;

    while (serial.len > 0) {
        size_t n = serial.len < 8 ? serial.len : 8;
        word = 0;
        memcpy(&word, serial.ptr, n);
        hash = (hash ^ word) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
        serial = AN_BYTES(serial.ptr + n, serial.len - n);
    }
    hash *= 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 29;
}

/* The value of the certificateIssuer extension among an entry's fields after the serial number; AN_NONE when absent. */
static an_bytes
find_entry_issuer(an_bytes rest)
{
    struct an_extension extension;
    an_bytes in;

    if (an_der_any(&rest, NULL, NULL, NULL, NULL) != AN_OK || !an_der_try(&rest, AN_DER_SEQUENCE, &in))
        return AN_NONE;
    while (an_x509_next_entry_extension(&in, &extension))
        if (an_bytes_eq(extension.oid, AN_OID_CERTIFICATE_ISSUER))
            return extension.value;
    return AN_NONE;
}

/* A walk through the list that keeps track of whose certificates it is about. */
struct walk {
    const struct an_crl *crl;
    an_bytes in, entry, serial, rest;
    an_bytes issuer_names; /* certificateIssuer value in force, AN_NONE = the list's issuer */
};

static bool
next_entry(struct walk *walk)
{
    const uint8_t *start = walk->in.ptr;
    an_bytes issuer;

    if (walk->in.len == 0 || !an_x509_next_crl_entry(&walk->in, &walk->serial, &walk->rest))
        return false;
    walk->entry = AN_BYTES(start, (size_t)(walk->in.ptr - start));
    if (walk->crl->has_entry_issuers && walk->rest.len > 16) {
        issuer = find_entry_issuer(walk->rest);
        if (issuer.len > 0)
            walk->issuer_names = issuer;
    }
    return true;
}

static an_bytes
name_of_issuer(const struct an_crl *crl, an_bytes issuer_names)
{
    return issuer_names.len == 0 ? crl->issuer : an_x509_entry_issuer(issuer_names);
}

static bool
is_about(const struct an_crl *crl, an_bytes issuer_names, an_bytes issuer)
{
    return an_name_eq(name_of_issuer(crl, issuer_names), issuer);
}

static void
read_entry_extensions(an_bytes field, struct an_crl_entry *ret)
{
    struct an_extension extension;
    int64_t reason;
    an_bytes in;

    if (!an_der_try(&field, AN_DER_SEQUENCE, &in))
        return;
    while (an_x509_next_entry_extension(&in, &extension)) {
        if (an_bytes_eq(extension.oid, AN_OID_REASON_CODE)) {
            if (an_der_int64(&extension.value, &reason, NULL) == AN_OK && reason >= 0 && reason <= 10 && reason != 7)
                ret->reason = (enum an_crl_reason)reason;
        } else if (an_bytes_eq(extension.oid, AN_OID_INVALIDITY_DATE)) {
            if (an_der_time(&extension.value, &ret->invalidity_date, NULL) != AN_OK)
                ret->invalidity_date = AN_TIME_NONE;
        } else if (extension.critical && !an_bytes_eq(extension.oid, AN_OID_CERTIFICATE_ISSUER) &&
                   !an_bytes_eq(extension.oid, AN_OID_HOLD_INSTRUCTION)) {
            ret->has_unknown_critical = true;
        }
    }
}

/* A revocation date that cannot be read revokes from the beginning of time: the safe reading. */
static void
fill_entry(const struct an_crl *crl, an_bytes serial, an_bytes rest, an_bytes issuer_names, struct an_crl_entry *ret)
{
    *ret = (struct an_crl_entry){.serial = serial, .invalidity_date = AN_TIME_NONE, .revoked_at = 0};
    ret->certificate_issuer = name_of_issuer(crl, issuer_names);
    if (an_der_time(&rest, &ret->revoked_at, NULL) != AN_OK && an_der_any(&rest, NULL, NULL, NULL, NULL) != AN_OK)
        return;
    if (rest.len > 0)
        read_entry_extensions(rest, ret);
}

/*
 * 255 (00 FF) is not -1 (FF): NIST PKITS 4.4.14 has both. Only a certificate whose own serial number is negative, which
 * is an issuer's slip with the sign octet, is also looked for as the positive number that was meant.
 */
static bool
serial_matches(an_bytes found, an_bytes wanted)
{
    if (an_bytes_eq(found, wanted))
        return true;
    if (!an_serial_eq(found, wanted))
        return false;
    return wanted.ptr[0] >= 0x80 || an_x509_bare_serial(wanted).ptr[0] < 0x80;
}

/* A certificate that stands on a list twice: what revokes goes before what lifts, the earlier before the later. */
static void
keep_stronger(const struct an_crl_entry *entry, bool *found, struct an_crl_entry *ret)
{
    bool lifts = entry->reason == AN_REASON_REMOVE_FROM_CRL, lifted = ret->reason == AN_REASON_REMOVE_FROM_CRL;

    if (!*found || (lifted && !lifts) || (lifted == lifts && entry->revoked_at < ret->revoked_at))
        *ret = *entry;
    *found = true;
}

static bool
read_through(const struct an_crl *crl, an_bytes issuer, an_bytes serial, struct an_crl_entry *ret)
{
    struct walk walk = {.crl = crl, .in = crl->revoked};
    struct an_crl_entry entry;
    bool found = false;

    while (next_entry(&walk))
        if (serial_matches(walk.serial, serial) && is_about(crl, walk.issuer_names, issuer)) {
            fill_entry(crl, walk.serial, walk.rest, walk.issuer_names, &entry);
            keep_stronger(&entry, &found, ret);
        }
    return found;
}

static uint32_t
offset_in(const struct an_crl *crl, an_bytes part)
{
    return part.len == 0 ? NO_ISSUER : (uint32_t)(part.ptr - crl->revoked.ptr);
}

/* Groups of four on average: the array of starts is then a quarter of the array of entries. */
static struct crl_index *
new_index(const struct an_crl *crl)
{
    struct crl_index *index = AN_NEW(struct crl_index);
    uint32_t groups = 16;

    while (groups < crl->revoked_count / 4)
        groups *= 2;
    index->seed = (uint64_t)(uintptr_t)index * 0x9E3779B97F4A7C15u;
    index->mask = groups - 1;
    index->starts = an_new_array((size_t)groups + 1, sizeof(uint32_t));
    index->entries = an_new_array(crl->revoked_count, sizeof(uint32_t));
    if (crl->has_entry_issuers)
        index->issuers = an_new_array(crl->revoked_count, sizeof(uint32_t));
    return index;
}

static uint32_t
group_of(const struct crl_index *index, an_bytes serial)
{
    return (uint32_t)hash_serial(index->seed, an_x509_bare_serial(serial)) & index->mask;
}

/* Counting sort: sizes of groups, then their ends, then each entry from the end of its group downwards. */
static struct crl_index *
build_index(const struct an_crl *crl)
{
    struct crl_index *index = new_index(crl);
    struct walk walk = {.crl = crl, .in = crl->revoked};
    uint32_t sum = 0;

    while (next_entry(&walk))
        index->starts[group_of(index, walk.serial)]++;
    for (uint32_t group = 0; group <= index->mask; group++)
        index->starts[group] = sum += index->starts[group];
    index->starts[index->mask + 1] = sum;
    walk = (struct walk){.crl = crl, .in = crl->revoked};
    while (next_entry(&walk)) {
        uint32_t slot = --index->starts[group_of(index, walk.serial)];
        index->entries[slot] = offset_in(crl, walk.entry);
        if (index->issuers != NULL)
            index->issuers[slot] = offset_in(crl, walk.issuer_names);
    }
    return index;
}

/* Two threads may build at once; one result is published. */
static const struct crl_index *
open_index(struct an_crl *crl)
{
    void *index = __atomic_load_n(&crl->index, __ATOMIC_ACQUIRE), *mine;

    if (index != NULL)
        return index;
    mine = build_index(crl);
    if (__atomic_compare_exchange_n(&crl->index, &index, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    an_x509_free_crl_index(mine);
    return index;
}

static an_bytes
issuer_at(const struct an_crl *crl, const struct crl_index *index, uint32_t slot)
{
    an_bytes in;

    if (index->issuers == NULL || index->issuers[slot] == NO_ISSUER)
        return AN_NONE;
    in = an_bytes_slice(crl->revoked, index->issuers[slot], SIZE_MAX);
    return an_der_take_whole(&in, AN_DER_SEQUENCE, &in, NULL) == AN_OK ? in : AN_NONE;
}

static bool
find_indexed(const struct an_crl *crl, const struct crl_index *index, an_bytes issuer, an_bytes serial,
             struct an_crl_entry *ret)
{
    uint32_t group = group_of(index, serial);
    an_bytes in, number, rest, issuer_names;
    struct an_crl_entry entry;
    bool found = false;

    for (uint32_t slot = index->starts[group]; slot < index->starts[group + 1]; slot++) {
        in = an_bytes_slice(crl->revoked, index->entries[slot], SIZE_MAX);
        if (!an_x509_next_crl_entry(&in, &number, &rest) || !serial_matches(number, serial))
            continue;
        issuer_names = issuer_at(crl, index, slot);
        if (is_about(crl, issuer_names, issuer)) {
            fill_entry(crl, number, rest, issuer_names, &entry);
            keep_stronger(&entry, &found, ret);
        }
    }
    return found;
}

bool
an_crl_find(struct an_crl *crl, an_bytes issuer, an_bytes serial, struct an_crl_entry *ret)
{
    if (serial.len == 0)
        return false;
    if (crl->revoked_count <= SHORT_LIST)
        return read_through(crl, issuer, serial, ret);
    if (__atomic_load_n(&crl->index, __ATOMIC_ACQUIRE) == NULL &&
        __atomic_fetch_add(&crl->lookups, 1, __ATOMIC_RELAXED) < READ_THROUGH_MAX)
        return read_through(crl, issuer, serial, ret);
    return find_indexed(crl, open_index(crl), issuer, serial, ret);
}
