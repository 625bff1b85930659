/* A list read back from its file, as a stream, before anybody else sees it. */
#include "ca/crl_publish.h"

#include "base/file.h"
#include "ca/internal.h"
#include "ca/lint.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP ((size_t)1024 * 1024)
#define FRAME_MAX 32768                            /* all but the entries */
#define HEAD_MAX 4096                              /* up to the entries: names are short */
#define WHOLE_MAX ((size_t)8 * 1024 * 1024)        /* lists up to this size pass the reader as well */

/* Where the parts of the list lie. */
struct layout { uint64_t tbs, content, list, tbs_end, entries, entries_end, extensions, end; };

static bool
read_header(an_bytes in, int tag, size_t *ret_head, uint64_t *ret_len)
{
    size_t octets;

    if (in.len < 2 || in.ptr[0] != tag)
        return false;
    if (in.ptr[1] < 0x80) {
        *ret_head = 2;
        *ret_len = in.ptr[1];
        return true;
    }
    octets = in.ptr[1] & 0x7f;
    if (octets == 0 || octets > 5 || in.len < 2 + octets)
        return false;
    *ret_head = 2 + octets;
    *ret_len = 0;
    for (size_t i = 0; i < octets; i++)
        *ret_len = *ret_len << 8 | in.ptr[2 + i];
    return true;
}

/* Skips one value; false when it is not whole in head. */
static bool
skip(an_bytes head, uint64_t *at, int tag)
{
    size_t size;
    uint64_t len;

    if (!read_header(an_bytes_slice(head, (size_t)*at, SIZE_MAX), tag, &size, &len) || *at + size + len > head.len)
        return false;
    *at += size + len;
    return true;
}

static bool
read_layout(an_bytes head, uint64_t file_size, struct layout *ret)
{
    size_t size;
    uint64_t len, at;

    if (!read_header(head, AN_DER_SEQUENCE, &size, &len) || size + len != file_size)
        return false;
    ret->tbs = at = size;
    ret->end = file_size;
    if (!read_header(an_bytes_slice(head, (size_t)at, SIZE_MAX), AN_DER_SEQUENCE, &size, &len))
        return false;
    at += size;
    ret->content = at;
    ret->tbs_end = at + len;
    if (!skip(head, &at, AN_DER_INTEGER) || !skip(head, &at, AN_DER_SEQUENCE) || !skip(head, &at, AN_DER_SEQUENCE))
        return false;
    for (int i = 0; i < 2; i++)
        if (!skip(head, &at, AN_DER_UTC_TIME) && !skip(head, &at, AN_DER_GENERALIZED_TIME))
            return false;
    ret->list = ret->entries = ret->entries_end = at;
    if (read_header(an_bytes_slice(head, (size_t)at, SIZE_MAX), AN_DER_SEQUENCE, &size, &len)) {
        ret->entries = at + size;
        ret->entries_end = at + size + len;
    }
    ret->extensions = ret->entries_end;
    return ret->extensions <= ret->tbs_end && ret->tbs_end < ret->end;
}

static an_code
read_at(int fd, uint8_t *room, size_t len, uint64_t at, struct an_err *reterr)
{
    for (size_t have = 0; have < len;) {
        ssize_t got = pread(fd, room + have, len - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return an_err_set_errno(reterr, AN_E_FILE_READ, got < 0 ? errno : EIO, "CRL");
        have += (size_t)got;
    }
    return AN_OK;
}

/* Entries one after the other; the last one of a step may go on in the next. */
static bool
count_entries(an_bytes part, size_t *ret_used, int64_t *count)
{
    size_t at = 0, size;
    uint64_t len;

    while (at < part.len && read_header(an_bytes_slice(part, at, SIZE_MAX), AN_DER_SEQUENCE, &size, &len) &&
           at + size + len <= part.len) {
        if (len < 4 || part.ptr[at + size] != AN_DER_INTEGER)
            return false;
        at += size + (size_t)len;
        ++*count;
    }
    *ret_used = at;
    return at > 0 || part.len == 0;
}

static an_code
walk_entries(int fd, const struct layout *layout, struct an_lint_list *lint, int64_t *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) uint8_t *room = an_new_array(STEP, 1);
    uint64_t at = layout->entries;

    *ret = 0;
    while (at < layout->entries_end) {
        size_t step = layout->entries_end - at < STEP ? (size_t)(layout->entries_end - at) : STEP, used = 0;
        AN_TRY(read_at(fd, room, step, at, reterr));
        if (!count_entries(AN_BYTES(room, step), &used, ret))
            AN_FAIL(reterr, AN_E_CA_CHECK, "revokedCertificates: offset %llu", (unsigned long long)at);
        an_lint_list_entries(lint, AN_BYTES(room, used));
        at += used;
    }
    return AN_OK;
}

static an_code
check_signature(int fd, const struct layout *layout, struct an_cert *issuer, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) uint8_t *tail = an_new_array(16384, 1);
    size_t len = (size_t)(layout->end - layout->tbs_end);
    an_bytes rest = AN_BYTES(tail, len), algorithm, bits;
    struct an_range range = {.offset = layout->tbs, .len = layout->tbs_end - layout->tbs};
    uint8_t digest[AN_DIGEST_MAX];
    struct an_scheme scheme;
    unsigned unused = 0;

    if (len > 16384)
        AN_FAIL(reterr, AN_E_CA_CHECK, "signature");
    AN_TRY(read_at(fd, tail, len, layout->tbs_end, reterr));
    AN_TRY(an_der_take_whole(&rest, AN_DER_SEQUENCE, &algorithm, reterr));
    AN_TRY(an_der_bits(&rest, &bits, &unused, reterr));
    AN_TRY(an_der_end(rest, reterr));
    AN_TRY(an_scheme_parse(algorithm, AN_DIGEST_NONE, &scheme, reterr));
    AN_TRY(an_hash_file_ranges(scheme.digest, fd, &range, 1, digest, reterr));
    if (an_cert_key(issuer) == NULL || !an_pubkey_verify_digest(an_cert_key(issuer), &scheme,
                                                                AN_BYTES(digest, an_digest_size(scheme.digest)), bits))
        AN_FAIL(reterr, AN_E_CA_CHECK, "signature");
    return AN_OK;
}

/* ---- the linter, whatever the size ---- */
static void
note_lint(void *context, const struct an_lint *lint)
{
    if (lint->severity == AN_LINT_ERROR && *(const struct an_lint **)context == NULL)
        *(const struct an_lint **)context = lint;
}

/* The list as it would be without entries. */
static an_code
read_frame(int fd, const struct layout *layout, struct an_buf *ret, struct an_err *reterr)
{
    const struct { uint64_t from, to; } parts[] = {{layout->content, layout->list},
                                                   {layout->entries_end, layout->tbs_end},
                                                   {layout->tbs_end, layout->end}};
    AN_CLEANUP(an_buf_free) struct an_buf tbs = an_buf_new(FRAME_MAX);
    struct an_der_out out = AN_DER_OUT(ret);
    uint8_t room[FRAME_MAX / 2];

    an_der_open(&out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < AN_COUNT(parts); i++) {
        size_t len = (size_t)(parts[i].to - parts[i].from);
        if (parts[i].to - parts[i].from > sizeof(room))
            AN_FAIL(reterr, AN_E_CA_CHECK, "TBSCertList");
        AN_TRY(read_at(fd, room, len, parts[i].from, reterr));
        if (i < 2)
            an_buf_append(&tbs, AN_BYTES(room, len));
        if (i == 1)
            an_der_put(&out, AN_DER_SEQUENCE, an_buf_view(&tbs));
        if (i == 2)
            an_der_put_raw(&out, AN_BYTES(room, len));
    }
    an_der_close(&out);
    return an_buf_ok(ret) && an_buf_ok(&tbs) ? AN_OK : an_err_set(reterr, AN_E_CA_CHECK, "TBSCertList");
}

static an_code
check_entries(int fd, const struct layout *layout, struct an_cert *issuer, int64_t entries, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf frame = an_buf_new(FRAME_MAX * 2);
    AN_CLEANUP(an_lint_list_end) struct an_lint_list *lint = NULL;
    const struct an_lint *found = NULL;
    int64_t count = 0;

    /* RFC 5280 5.1.2.6: absent, not empty */
    if (layout->list < layout->entries && layout->entries == layout->entries_end)
        AN_FAIL(reterr, AN_E_CA_CHECK, "revokedCertificates");
    AN_TRY(read_frame(fd, layout, &frame, reterr));
    lint = an_lint_list_begin(an_buf_view(&frame), &(struct an_lint_plan){.issuer = issuer, .each = note_lint,
            .context = &found});
    AN_TRY(walk_entries(fd, layout, lint, &count, reterr));
    if (count != entries)
        AN_FAIL(reterr, AN_E_CA_CHECK, "%lld of %lld entries", (long long)count, (long long)entries);
    an_lint_list_end(&lint);
    return found == NULL ? AN_OK : an_err_set(reterr, AN_E_CA_CHECK, "%s", found->id);
}

/* ---- what is small enough is read as readers read it ---- */
static an_code
check_whole(const char *path, struct an_cert *issuer, int64_t number, int64_t entries, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_crl *crl = NULL;
    uint64_t found_number = 0;
    bool same;

    AN_TRY(an_file_open(path, WHOLE_MAX, &file, reterr));
    AN_TRY(an_crl_parse_borrowed(file.bytes, &crl, reterr));
    for (size_t i = 0; i < crl->number.len; i++)
        found_number = found_number << 8 | crl->number.ptr[i];
    same = crl->number.len <= 9 && found_number == (uint64_t)number && (int64_t)crl->revoked_count == entries &&
        an_bytes_eq(crl->issuer, issuer->subject);
    an_crl_unref(&crl);
    if (!same)
        AN_FAIL(reterr, AN_E_CA_CHECK, "cRLNumber, issuer, entries");
    return AN_OK;
}

static an_code
check_open(int fd, const char *path, struct an_cert *issuer, int64_t number, int64_t entries, struct an_err *reterr)
{
    uint8_t head[HEAD_MAX];
    struct layout layout = {0};
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size < 64)
        AN_FAIL(reterr, AN_E_CA_CHECK, "size");
    AN_TRY(read_at(fd, head, (size_t)st.st_size < HEAD_MAX ? (size_t)st.st_size : HEAD_MAX, 0, reterr));
    if (!read_layout(AN_BYTES(head, (size_t)st.st_size < HEAD_MAX ? (size_t)st.st_size : HEAD_MAX),
                     (uint64_t)st.st_size, &layout))
        AN_FAIL(reterr, AN_E_CA_CHECK, "TBSCertList");
    AN_TRY(check_entries(fd, &layout, issuer, entries, reterr));
    AN_TRY(check_signature(fd, &layout, issuer, reterr));
    return (size_t)st.st_size <= WHOLE_MAX ? check_whole(path, issuer, number, entries, reterr) : AN_OK;
}

an_code
an_crl_check_file(const char *path, struct an_cert *issuer, int64_t number, int64_t entries, struct an_err *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    an_code code;

    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    code = check_open(fd, path, issuer, number, entries, reterr);
    close(fd);
    return code;
}
