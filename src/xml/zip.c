/*
 * ZIP (APPNOTE 6.3): stored and deflated entries of one archive without encryption or splitting. The central
 * directory rules; local headers must agree with it, names stand once, entries do not overlap, sums are checked: no two
 * readers may see different contents.
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

struct entry { an_bytes name; uint32_t method, flags, sum; uint64_t packed, size, local; };

/* An end record whose comment reaches to the end of the file and whose directory stands right before it. */
static bool
is_end(an_bytes zip, size_t at)
{
    const uint8_t *end = zip.ptr + at;
    uint64_t start = u32(end + 16), len = u32(end + 12);

    return memcmp(end, "PK\5\6", 4) == 0 && u16(end + 20) == zip.len - at - END_BYTES && !u16(end + 4) && !u16(end + 6) &&
           u16(end + 8) == u16(end + 10) && start + len <= at && (!len || memcmp(zip.ptr + start, "PK\1\2", 4) == 0);
}

/* Exactly one: a comment that holds another archive is a trap. */
static bool
find_end(an_bytes zip, size_t *ret)
{
    size_t lowest = zip.len > END_BYTES + 65535 ? zip.len - END_BYTES - 65535 : 0, found = 0;

    if (zip.len < END_BYTES)
        return false;
    for (size_t at = zip.len - END_BYTES + 1; at-- > lowest;) {
        if (!is_end(zip, at))
            continue;
        *ret = at;
        found++;
    }
    return found == 1;
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

/* The packed bytes behind the local header, which must name the same file and method. */
static bool
find_packed(an_bytes zip, const struct entry *entry, an_bytes *ret)
{
    an_bytes local = entry->local < zip.len ? an_bytes_slice(zip, (size_t)entry->local, zip.len) : AN_NONE;
    size_t header;

    if (local.len < LOCAL_BYTES || memcmp(local.ptr, "PK\3\4", 4) != 0)
        return false;
    header = LOCAL_BYTES + (size_t)u16(local.ptr + 26) + u16(local.ptr + 28);
    if (!an_bytes_eq(an_bytes_slice(local, LOCAL_BYTES, u16(local.ptr + 26)), entry->name) ||
        u16(local.ptr + 8) != entry->method || (u16(local.ptr + 6) & 1))
        return false;
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
unpack(an_bytes zip, const struct entry *entry, struct an_buf *out, struct an_err *reterr)
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

static an_code
take_entry(an_bytes zip, const struct entry *entry, struct an_map *names, size_t *room, zip_sink sink, void *context,
           struct an_err *reterr)
{
    struct an_buf out = an_buf_new(*room + 1);
    char *name;
    an_code code;

    if (an_map_find(names, entry->name))
        AN_FAIL(reterr, AN_E_XML_ZIP, "two entries %.*s", AN_FMT(entry->name));
    an_map_put(names, entry->name, names);
    if (entry->name.ptr[entry->name.len - 1] == '/')
        return AN_OK; /* a folder */
    if (entry->size > *room)
        AN_FAIL(reterr, AN_E_LIMIT, "contents of more than %zu byte", AN_LIMIT_XML_PARTS);
    code = unpack(zip, entry, &out, reterr);
    if (code == AN_OK) {
        *room -= out.len;
        name = an_strdup_bytes(entry->name);
        code = sink(context, name, an_buf_view(&out), reterr);
        free(name);
    }
    an_buf_free(&out);
    return code;
}

an_code
xml_unzip(an_bytes zip, zip_sink sink, void *context, struct an_err *reterr)
{
    struct an_map *names;
    struct entry entry;
    size_t end, room = AN_LIMIT_XML_PARTS, count;
    an_bytes directory;
    an_code code = AN_OK;

    if (!find_end(zip, &end))
        AN_FAIL(reterr, AN_E_XML_ZIP, "no end of central directory");
    directory = an_bytes_slice(zip, u32(zip.ptr + end + 16), u32(zip.ptr + end + 12));
    count = u16(zip.ptr + end + 10);
    if (count > AN_LIMIT_ZIP_ENTRIES)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu entries", count);
    names = an_map_new();
    for (size_t i = 0; i < count && code == AN_OK; i++) {
        if (read_central(&directory, &entry))
            code = take_entry(zip, &entry, names, &room, sink, context, reterr);
        else
            code = an_err_set(reterr, AN_E_XML_ZIP, "central directory, entry %zu", i + 1);
    }
    an_map_free(&names);
    if (code == AN_OK && directory.len)
        AN_FAIL(reterr, AN_E_XML_ZIP, "more entries than counted");
    return code;
}
