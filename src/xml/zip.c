/*
 * ZIP (APPNOTE 6.3): stored and deflated entries of one archive without encryption or splitting. The central
 * directory rules; local headers must agree with it, names stand once and lead nowhere else, entries lie side by side
 * from the first byte to the directory, sums are checked: no two readers may see different contents.
 */
#include "xml/internal.h"

#include <zlib.h>

#define END_BYTES 22
#define CENTRAL_BYTES 46
#define LOCAL_BYTES 30

static uint32_t
u16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t
u32(const uint8_t *at)
{
    return u16(at) | u16(at + 2) << 16;
}

struct entry { an_bytes name; uint32_t method, flags, sum; uint64_t packed, size, local, end; };

/* An end record whose comment reaches to the end of the file and whose directory stands right before it, or before its
 * ZIP64 form. */
static bool
is_end(an_bytes zip, size_t at)
{
    const uint8_t *end = zip.ptr + at;
    uint64_t start = u32(end + 16), len = u32(end + 12);

    return u16(end + 20) == zip.len - at - END_BYTES && !u16(end + 4) && !u16(end + 6) &&
           u16(end + 8) == u16(end + 10) &&
           start + len <= at && (!len || memcmp(zip.ptr + start, "PK\1\2", 4) == 0) &&
           (start + len == at || (at - start - len >= 4 && memcmp(zip.ptr + start + len, "PK\6\6", 4) == 0));
}

/* Could a more lenient reader take it for the end: its directory is where it says, or just before it? */
static bool
could_be_end(an_bytes zip, size_t at)
{
    const uint8_t *end = zip.ptr + at;
    uint64_t start = u32(end + 16), len = u32(end + 12);

    if (memcmp(end, "PK\5\6", 4) != 0 || len > at)
        return false;
    return !len || memcmp(end - len, "PK\1\2", 4) == 0 || (start + 4 <= at &&
                                                           memcmp(zip.ptr + start, "PK\1\2", 4) == 0);
}

/* Exactly one: a comment that holds another archive is a trap. */
static bool
find_end(an_bytes zip, size_t *ret)
{
    size_t lowest = zip.len > END_BYTES + 65535 ? zip.len - END_BYTES - 65535 : 0, found = 0;

    if (zip.len < END_BYTES)
        return false;
    for (size_t at = zip.len - END_BYTES + 1; at-- > lowest;) {
        if (!could_be_end(zip, at))
            continue;
        *ret = at;
        found++;
    }
    return found == 1 && is_end(zip, *ret);
}

/* ZIP64 (4.5.3): a field of all ones is found in the extra field 0x0001, in this order. */
static bool
widen(an_bytes extra, struct entry *entry)
{
    uint64_t *const fields[] = {&entry->size, &entry->packed, &entry->local};
    an_bytes wide = AN_NONE;

    for (size_t at = 0; at + 4 <= extra.len; at += 4 + u16(extra.ptr + at + 2))
        if (u16(extra.ptr + at) == 1)
            wide = an_bytes_slice(extra, at + 4, u16(extra.ptr + at + 2));
    for (size_t i = 0; i < AN_COUNT(fields); i++) {
        if (*fields[i] != UINT32_MAX)
            continue;
        if (wide.len < 8)
            return false;
        *fields[i] = u32(wide.ptr) | (uint64_t)u32(wide.ptr + 4) << 32;
        wide = an_bytes_slice(wide, 8, wide.len);
    }
    return true;
}

static bool
read_central(an_bytes *in, struct entry *ret)
{
    const uint8_t *at = in->ptr;
    size_t whole;

    if (in->len < CENTRAL_BYTES || memcmp(at, "PK\1\2", 4) != 0)
        return false;
    whole = CENTRAL_BYTES + (size_t)u16(at + 28) + u16(at + 30) + u16(at + 32);
    if (in->len < whole)
        return false;
    *ret = (struct entry){.name = AN_BYTES(at + CENTRAL_BYTES, u16(at + 28)), .flags = u16(at + 8),
                          .method = u16(at + 10), .sum = u32(at + 16), .packed = u32(at + 20), .size = u32(at + 24),
                          .local = u32(at + 42)};
    if (!widen(AN_BYTES(at + CENTRAL_BYTES + u16(at + 28), u16(at + 30)), ret))
        return false;
    *in = an_bytes_slice(*in, whole, in->len);
    return ret->name.len > 0 && memchr(ret->name.ptr, 0, ret->name.len) == NULL;
}

/* A field of the local header: as the directory says, or left to the descriptor (4.4.4, bit 3) or to ZIP64. */
static bool
agrees(uint32_t local, uint64_t central, const struct entry *entry)
{
    return local == central || local == UINT32_MAX || (local == 0 && (entry->flags & 8));
}

/* The packed bytes behind the local header, which must name the same file, method, sum and sizes. */
static bool
find_packed(an_bytes zip, struct entry *entry, an_bytes *ret)
{
    an_bytes local = entry->local < zip.len ? an_bytes_slice(zip, (size_t)entry->local, zip.len) : AN_NONE;
    size_t header;

    if (local.len < LOCAL_BYTES || memcmp(local.ptr, "PK\3\4", 4) != 0)
        return false;
    header = LOCAL_BYTES + (size_t)u16(local.ptr + 26) + u16(local.ptr + 28);
    if (!an_bytes_eq(an_bytes_slice(local, LOCAL_BYTES, u16(local.ptr + 26)), entry->name) ||
        u16(local.ptr + 8) != entry->method || ((u16(local.ptr + 6) ^ entry->flags) & 9) ||
        !agrees(u32(local.ptr + 14), entry->sum, entry) || !agrees(u32(local.ptr + 18), entry->packed, entry) ||
        !agrees(u32(local.ptr + 22), entry->size, entry))
        return false;
    entry->end = entry->local + header + entry->packed;
    *ret = entry->packed <= local.len ? an_bytes_slice(local, header, (size_t)entry->packed) : AN_NONE;
    return ret->len == entry->packed;
}

static bool
inflate_entry(an_bytes packed, uint8_t *out, size_t size)
{
    union { const uint8_t *is_const; Bytef *next; } in = {packed.ptr};
    z_stream stream = {.next_in = in.next, .avail_in = (uInt)packed.len, .next_out = out, .avail_out = (uInt)size};
    bool ok;

    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    ok = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
    inflateEnd(&stream);
    return ok;
}

/* Deflate expands at most 1032 times: a size that lies is refused before memory is taken. */
static an_code
unpack(an_bytes zip, struct entry *entry, struct an_buf *out, struct an_err *reterr)
{
    an_bytes packed = AN_NONE;
    bool ok = find_packed(zip, entry, &packed) && (entry->flags & 1) == 0;
    uint8_t *room;

    an_buf_reset(out);
    if (ok && entry->method == 0 && entry->size == packed.len) {
        an_buf_append(out, packed);
    } else if (ok && entry->method == 8 && entry->size / 1100 <= packed.len) {
        room = an_buf_extend(out, (size_t)entry->size + 1);
        out->len -= room ? 1 : 0;
        ok = room && inflate_entry(packed, room, (size_t)entry->size);
    } else {
        ok = false;
    }
    if (!an_buf_ok(out))
        AN_FAIL(reterr, AN_E_LIMIT, "%.*s", AN_FMT(entry->name));
    if (!ok || crc32(0, out->ptr, (uInt)out->len) != entry->sum)
        AN_FAIL(reterr, AN_E_XML_ZIP, "%.*s", AN_FMT(entry->name));
    return AN_OK;
}

/* Names that lead out of the folder, or to one place by two ways. */
static bool
is_plain_name(an_bytes name)
{
    size_t start = 0;

    if (memchr(name.ptr, '\\', name.len) || (name.len > 1 && name.ptr[1] == ':'))
        return false;
    for (size_t at = 0; at <= name.len; at++) {
        an_bytes part = an_bytes_slice(name, start, at - start);

        if (at < name.len && name.ptr[at] != '/')
            continue;
        if ((!part.len && at < name.len) || an_bytes_eq_str(part, ".") || an_bytes_eq_str(part, ".."))
            return false;
        start = at + 1;
    }
    return true;
}

/* Once, whatever the case and whether it is called a folder: file systems do not all tell those apart. */
static an_code
take_name(struct an_map *names, an_bytes name, struct an_err *reterr)
{
    bool is_folder = name.ptr[name.len - 1] == '/', known;
    struct an_buf key = an_buf_new(65536);

    for (size_t i = 0; i + is_folder < name.len; i++)
        an_buf_byte(&key, name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 32 : name.ptr[i]);
    known = an_map_find(names, an_buf_view(&key));
    if (!known)
        an_map_put(names, an_buf_view(&key), names);
    an_buf_free(&key);
    if (known)
        AN_FAIL(reterr, AN_E_XML_ZIP, "two entries %.*s", AN_FMT(name));
    return AN_OK;
}

static an_code
take_entry(an_bytes zip, struct entry *entry, struct an_map *names, size_t *room, zip_sink sink, void *context,
           struct an_err *reterr)
{
    struct an_buf out = an_buf_new(*room + 1);
    bool is_folder = entry->name.ptr[entry->name.len - 1] == '/';
    char *name;
    an_code code;

    if (!is_plain_name(entry->name) || (is_folder && entry->size))
        AN_FAIL(reterr, AN_E_XML_ZIP, "name %.*s", AN_FMT(entry->name));
    AN_TRY(take_name(names, entry->name, reterr));
    if (entry->size > *room)
        AN_FAIL(reterr, AN_E_LIMIT, "%.*s: %llu byte, room for %zu", AN_FMT(entry->name),
                (unsigned long long)entry->size, *room);
    code = unpack(zip, entry, &out, reterr);
    if (code == AN_OK && !is_folder) {
        *room -= out.len;
        name = an_strdup_bytes(entry->name);
        code = sink(context, name, an_buf_view(&out), reterr);
        free(name);
    }
    an_buf_free(&out);
    return code;
}

static int
compare_places(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    return left->local < right->local ? -1 : left->local > right->local;
}

/* Between an entry and the next: nothing, or its descriptor (4.3.9), with or without a mark, with sizes of 4 or 8
 * bytes. */
static bool
is_gap(an_bytes zip, const struct entry *entry, uint64_t next)
{
    uint64_t len = next - entry->end;
    bool marked = len == 16 || len == 24;
    const uint8_t *at = zip.ptr + entry->end;

    if (next < entry->end || next > zip.len)
        return false;
    if (!(entry->flags & 8))
        return len == 0;
    if ((!marked && len != 12 && len != 20) || (marked && memcmp(at, "PK\7\x08", 4) != 0))
        return false;
    return u32(at + (marked ? 4 : 0)) == entry->sum;
}

/* From the first byte of the file to the directory: what lies in no entry, a scanning reader might find. */
static bool
lie_side_by_side(an_bytes zip, struct entry *entries, size_t count, uint64_t directory)
{
    qsort(entries, count, sizeof(*entries), compare_places);
    for (size_t i = 0; i < count; i++)
        if (!is_gap(zip, &entries[i], i + 1 < count ? entries[i + 1].local : directory))
            return false;
    return count ? entries[0].local == 0 : directory == 0;
}

static an_code
take_all(an_bytes zip, an_bytes directory, size_t count, size_t room, zip_sink sink, void *context,
         struct an_err *reterr)
{
    uint64_t start = (uint64_t)(directory.ptr - zip.ptr);
    struct entry *entries = an_new_array(count + 1, sizeof(*entries));
    struct an_map *names = an_map_new();
    an_code code = AN_OK;

    for (size_t i = 0; i < count && code == AN_OK; i++) {
        if (read_central(&directory, &entries[i]))
            code = take_entry(zip, &entries[i], names, &room, sink, context, reterr);
        else
            code = an_err_set(reterr, AN_E_XML_ZIP, "central directory, entry %zu", i + 1);
    }
    if (code == AN_OK && directory.len)
        code = an_err_set(reterr, AN_E_XML_ZIP, "more entries than counted");
    if (code == AN_OK && !lie_side_by_side(zip, entries, count, start))
        code = an_err_set(reterr, AN_E_XML_ZIP, "bytes that belong to no entry");
    an_map_free(&names);
    free(entries);
    return code;
}

an_code
xml_unzip(an_bytes zip, size_t room, zip_sink sink, void *context, struct an_err *reterr)
{
    size_t end = 0, count;
    an_bytes directory;

    if (!find_end(zip, &end))
        AN_FAIL(reterr, AN_E_XML_ZIP, "no end of central directory");
    directory = an_bytes_slice(zip, u32(zip.ptr + end + 16), u32(zip.ptr + end + 12));
    count = u16(zip.ptr + end + 10);
    if (count > AN_LIMIT_ZIP_ENTRIES)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu entries", count);
    return take_all(zip, directory, count, room, sink, context, reterr);
}
