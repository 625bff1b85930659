#include "pdf/internal.h"

/* Comparisons spent on finding a repeated key in one dictionary: hostile input must not make them quadratic. */
#define DUPLICATE_CHECKS 4096

static void
note_syntax(struct an_pdf_parser *parser, an_code code)
{
    if (!parser->is_odd)
        an_pdf_fault_note(parser->pdf, code, parser->num, parser->container ? 0 : parser->at);
    parser->is_odd = true;
}

/* Strings are decrypted when the container that holds them closes: only then is it known whether a /Contents belongs
 * to a signature, which is never encrypted (ISO 32000-2, 7.6.2). */
static void
decrypt_strings(struct an_pdf_parser *parser, struct an_pdf_obj *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].kind == AN_PDF_STRING)
            items[i].u.text =
                an_pdf_decrypt_string(parser->pdf, parser->arena, parser->num, parser->gen, items[i].u.text);
}

static bool
close_array(struct an_pdf_parser *parser, size_t mark, struct an_pdf_obj *ret)
{
    struct an_pdf_obj_vec *stack = &parser->pdf->stack;
    size_t count = stack->count - mark;
    struct an_pdf_obj *items = count ? an_arena_alloc(parser->arena, count * sizeof(*items)) : NULL;

    if (count && items == NULL)
        return false;
    if (parser->is_crypted)
        decrypt_strings(parser, stack->items + mark, count);
    if (count)
        memcpy(items, stack->items + mark, count * sizeof(*items));
    ret->kind = AN_PDF_ARRAY;
    ret->u.array.items = items;
    ret->u.array.count = count;
    return true;
}

/* An odd token where a value should stand: skipped, so that what follows can still be read. */
static void
skip_token(struct an_pdf_parser *parser)
{
    an_bytes in = parser->in;

    note_syntax(parser, AN_N_PDF_SYNTAX);
    if (parser->at < in.len && (an_pdf_class[in.ptr[parser->at]] & AN_PDF_DELIMITER)) {
        parser->at++;
        return;
    }
    while (parser->at < in.len && !(an_pdf_class[in.ptr[parser->at]] & (AN_PDF_SPACE | AN_PDF_DELIMITER)))
        parser->at++;
}

/* Keywords that can only stand outside a value: an unclosed container ends there. */
static bool
stands_at_end(const struct an_pdf_parser *parser)
{
    static const char *const words[] = {"endobj", "endstream", "stream", "xref", "startxref", "trailer", "obj"};
    size_t at = parser->at;

    if (at >= parser->in.len)
        return true;
    if (an_pdf_class[parser->in.ptr[at]] || strchr("esxto", parser->in.ptr[at]) == NULL)
        return false;
    for (size_t i = 0; i < AN_COUNT(words); i++)
        if (an_pdf_read_word(parser->in, &at, words[i]))
            return true;
    return false;
}

static bool
parse_array(struct an_pdf_parser *parser, struct an_pdf_obj *ret)
{
    struct an_pdf_obj_vec *stack = &parser->pdf->stack;
    size_t mark = stack->count;
    bool is_good = true;

    for (;;) {
        struct an_pdf_obj item;

        parser->at = an_pdf_skip_space(parser->in, parser->at);
        if (parser->at < parser->in.len && parser->in.ptr[parser->at] == ']') {
            parser->at++;
            break;
        }
        if (stands_at_end(parser)) {
            note_syntax(parser, AN_N_PDF_SYNTAX);
            break;
        }
        if (parser->at + 1 < parser->in.len && parser->in.ptr[parser->at] == '>' &&
            parser->in.ptr[parser->at + 1] == '>') {
            note_syntax(parser, AN_N_PDF_SYNTAX); /* unclosed array inside a dictionary that closes */
            break;
        }
        if (an_pdf_parse_value(parser, &item))
            *an_pdf_obj_vec_push(stack) = item;
        else
            skip_token(parser);
    }
    is_good = close_array(parser, mark, ret);
    stack->count = mark;
    return is_good;
}

static void
check_duplicates(struct an_pdf_parser *parser, const struct an_pdf_entry *entries, size_t count)
{
    uint64_t seen[4] = {0};
    size_t checks = 0;

    for (size_t i = 0; i < count; i++) {
        an_bytes key = entries[i].key;
        unsigned hash = key.len ? (key.ptr[0] * 7u + key.ptr[key.len - 1] * 31u + (unsigned)key.len) & 255u : 0u;
        uint64_t bit = UINT64_C(1) << (hash & 63u);

        if (!(seen[hash >> 6] & bit)) {
            seen[hash >> 6] |= bit;
            continue;
        }
        for (size_t j = 0; j < i && checks < DUPLICATE_CHECKS; j++, checks++)
            if (an_bytes_eq(entries[j].key, key)) {
                an_pdf_fault_note(parser->pdf, AN_N_PDF_DUPLICATE_KEY, parser->num,
                                  parser->container ? 0 : entries[i].value.offset);
                return;
            }
    }
}

static bool
close_dict(struct an_pdf_parser *parser, size_t mark, struct an_pdf_obj *ret)
{
    struct an_pdf_obj_vec *stack = &parser->pdf->stack;
    size_t count = (stack->count - mark) / 2;
    struct an_pdf_entry *entries = count ? an_arena_alloc(parser->arena, count * sizeof(*entries)) : NULL;
    bool is_signature = false;

    if (count && entries == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        entries[i].key = stack->items[mark + 2 * i].u.text;
        entries[i].value = stack->items[mark + 2 * i + 1];
        is_signature = is_signature || an_bytes_eq(entries[i].key, AN_LIT("ByteRange"));
    }
    for (size_t i = 0; parser->is_crypted && i < count; i++)
        if (!is_signature || !an_bytes_eq(entries[i].key, AN_LIT("Contents")))
            decrypt_strings(parser, &entries[i].value, 1);
    if (count > 1)
        check_duplicates(parser, entries, count);
    ret->kind = AN_PDF_DICT;
    ret->u.dict.entries = entries;
    ret->u.dict.count = count;
    return true;
}

/* Key and value at parser->at, pushed; false when the dictionary ends. */
static bool
parse_entry(struct an_pdf_parser *parser)
{
    struct an_pdf_obj_vec *stack = &parser->pdf->stack;
    struct an_pdf_obj key = {.kind = AN_PDF_NAME}, value;

    parser->at = an_pdf_skip_space(parser->in, parser->at);
    if (parser->at < parser->in.len && parser->in.ptr[parser->at] == '>') {
        parser->at++;
        if (parser->at < parser->in.len && parser->in.ptr[parser->at] == '>')
            parser->at++;
        return false;
    }
    if (stands_at_end(parser)) {
        note_syntax(parser, AN_N_PDF_SYNTAX);
        return false;
    }
    if (parser->in.ptr[parser->at] != '/') {
        if (!an_pdf_parse_value(parser, &value))
            skip_token(parser);
        note_syntax(parser, AN_N_PDF_SYNTAX);
        return true;
    }
    key.offset = parser->at++;
    key.u.text = an_pdf_read_name(parser->arena, parser->in, &parser->at);
    parser->at = an_pdf_skip_space(parser->in, parser->at);
    if (!an_pdf_parse_value(parser, &value)) {
        note_syntax(parser, AN_N_PDF_SYNTAX);
        value = an_pdf_null;
        value.offset = value.end = parser->at;
        if (!stands_at_end(parser) && parser->in.ptr[parser->at] != '>')
            skip_token(parser);
    }
    *an_pdf_obj_vec_push(stack) = key;
    *an_pdf_obj_vec_push(stack) = value;
    return true;
}

static bool
parse_dict(struct an_pdf_parser *parser, struct an_pdf_obj *ret)
{
    struct an_pdf_obj_vec *stack = &parser->pdf->stack;
    size_t mark = stack->count;
    bool is_good;

    while (parse_entry(parser))
        ;
    is_good = close_dict(parser, mark, ret);
    stack->count = mark;
    return is_good;
}

/* "12 0 R" after an integer has been read: turns it into a reference. */
static void
try_reference(struct an_pdf_parser *parser, struct an_pdf_obj *ret)
{
    an_bytes in = parser->in;
    size_t at = an_pdf_skip_space(in, parser->at);
    uint64_t gen;

    if (ret->u.integer < 0 || ret->u.integer > UINT32_MAX || at == parser->at)
        return;
    if (!an_pdf_read_uint(in, &at, &gen) || gen > UINT16_MAX || at >= in.len ||
        !(an_pdf_class[in.ptr[at]] & AN_PDF_SPACE))
        return;
    at = an_pdf_skip_space(in, at);
    if (at >= in.len || in.ptr[at] != 'R')
        return;
    if (at + 1 < in.len && !(an_pdf_class[in.ptr[at + 1]] & (AN_PDF_SPACE | AN_PDF_DELIMITER)))
        return;
    uint32_t num = (uint32_t)ret->u.integer;

    ret->kind = AN_PDF_REF;
    ret->u.ref.num = num;
    ret->u.ref.gen = (uint16_t)gen;
    parser->at = at + 1;
}

static bool
parse_keyword(struct an_pdf_parser *parser, struct an_pdf_obj *ret)
{
    if (an_pdf_read_word(parser->in, &parser->at, "null")) {
        ret->kind = AN_PDF_NULL;
        return true;
    }
    ret->kind = AN_PDF_BOOL;
    ret->u.boolean = an_pdf_read_word(parser->in, &parser->at, "true");
    return ret->u.boolean || an_pdf_read_word(parser->in, &parser->at, "false");
}

static bool
parse_container(struct an_pdf_parser *parser, struct an_pdf_obj *ret, bool is_dict)
{
    bool is_good;

    if (parser->depth >= AN_LIMIT_PDF_DEPTH) {
        note_syntax(parser, AN_N_PDF_SYNTAX);
        parser->at = parser->in.len; /* nothing behind this can be trusted */
        return false;
    }
    parser->depth++;
    parser->at += is_dict ? 2 : 1;
    is_good = is_dict ? parse_dict(parser, ret) : parse_array(parser, ret);
    parser->depth--;
    return is_good;
}

static bool
parse_string(struct an_pdf_parser *parser, struct an_pdf_obj *ret, bool is_hex)
{
    parser->at++;
    ret->kind = AN_PDF_STRING;
    ret->is_hex = is_hex;
    if (is_hex && parser->pdf->is_scanning) { /* only references are of interest */
        const uint8_t *close = memchr(parser->in.ptr + parser->at, '>', parser->in.len - parser->at);

        parser->at = close ? (size_t)(close - parser->in.ptr) + 1 : parser->in.len;
        return true;
    }
    ret->u.text = is_hex ? an_pdf_read_hex(parser->arena, parser->in, &parser->at)
                         : an_pdf_read_literal(parser->arena, parser->in, &parser->at);
    return true;
}

static bool
parse_plain(struct an_pdf_parser *parser, struct an_pdf_obj *ret)
{
    an_bytes in = parser->in;
    uint8_t byte = in.ptr[parser->at];

    if (an_pdf_class[byte] & AN_PDF_NUMBER) {
        an_pdf_read_number(in, &parser->at, ret);
        if (ret->kind == AN_PDF_INT)
            try_reference(parser, ret);
        return true;
    }
    if (byte == '/') {
        parser->at++;
        ret->kind = AN_PDF_NAME;
        ret->u.text = an_pdf_read_name(parser->arena, in, &parser->at);
        return true;
    }
    if (byte == '(')
        return parse_string(parser, ret, false);
    if (byte == '[')
        return parse_container(parser, ret, false);
    if (byte == '<') {
        bool is_dict = parser->at + 1 < in.len && in.ptr[parser->at + 1] == '<';

        return is_dict ? parse_container(parser, ret, true) : parse_string(parser, ret, true);
    }
    return parse_keyword(parser, ret);
}

bool
an_pdf_parse_value(struct an_pdf_parser *parser, struct an_pdf_obj *ret)
{
    *ret = an_pdf_null;
    parser->at = an_pdf_skip_space(parser->in, parser->at);
    if (parser->at >= parser->in.len)
        return false;
    ret->offset = parser->at;
    ret->container = parser->container;
    if (!parse_plain(parser, ret))
        return false;
    ret->end = parser->at;
    return true;
}

bool
an_pdf_parse_head(struct an_pdf_parser *parser, uint32_t *ret_num, uint16_t *ret_gen)
{
    uint64_t num, gen;
    size_t at = an_pdf_skip_space(parser->in, parser->at);

    if (!an_pdf_read_uint(parser->in, &at, &num) || num > UINT32_MAX)
        return false;
    at = an_pdf_skip_space(parser->in, at);
    if (!an_pdf_read_uint(parser->in, &at, &gen) || gen > UINT16_MAX)
        return false;
    at = an_pdf_skip_space(parser->in, at);
    if (parser->in.len - at < 3 || memcmp(parser->in.ptr + at, "obj", 3) != 0)
        return false;
    parser->at = at + 3;
    *ret_num = (uint32_t)num;
    *ret_gen = (uint16_t)gen;
    return true;
}

/* After "stream": CR LF or LF; a lone CR and spaces before the line end are tolerated. */
static size_t
stream_start(an_bytes in, size_t at)
{
    size_t i = at;

    while (i < in.len && (in.ptr[i] == ' ' || in.ptr[i] == '\t'))
        i++;
    if (i < in.len && (in.ptr[i] == '\r' || in.ptr[i] == '\n'))
        at = i;
    if (at < in.len && in.ptr[at] == '\r') {
        at++;
        return at < in.len && in.ptr[at] == '\n' ? at + 1 : at;
    }
    return at < in.len && in.ptr[at] == '\n' ? at + 1 : at;
}

static bool
ends_at(an_bytes in, size_t at)
{
    while (at < in.len && (an_pdf_class[in.ptr[at]] & AN_PDF_SPACE))
        at++;
    return in.len - at >= 9 && memcmp(in.ptr + at, "endstream", 9) == 0;
}

/* The length is wrong: the data end before the next "endstream" (or "endobj", or with the file). */
static size_t
search_end(struct an_pdf *pdf, size_t start)
{
    uint64_t budget = pdf->scan_budget < pdf->file.len - start ? pdf->scan_budget : pdf->file.len - start;
    an_bytes window = AN_BYTES(pdf->file.ptr, start + budget);
    size_t end = an_bytes_find(window, AN_LIT("endstream"), start);

    if (end == SIZE_MAX)
        end = an_bytes_find(window, AN_LIT("endobj"), start);
    if (end == SIZE_MAX)
        end = window.len;
    pdf->scan_budget -= end - start;
    if (end > start && window.ptr[end - 1] == '\n')
        end--;
    if (end > start && window.ptr[end - 1] == '\r')
        end--;
    return end;
}

static uint64_t
stream_length(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *dict)
{
    const struct an_pdf_obj *length = an_pdf_dict_find(dict, "Length");
    int64_t value;

    if (length && length->kind == AN_PDF_REF)
        length = an_pdf_resolve(pdf, revision, length);
    return length && an_pdf_int(length, &value) && value >= 0 ? (uint64_t)value : UINT64_MAX;
}

static void
locate_stream(struct an_pdf *pdf, size_t revision, struct an_pdf_obj *obj, size_t at)
{
    an_bytes in = pdf->file;
    size_t start = stream_start(in, at), end;
    uint64_t length = stream_length(pdf, revision, obj);

    if (length <= in.len - start && ends_at(in, start + (size_t)length)) {
        end = start + (size_t)length;
    } else {
        end = search_end(pdf, start);
        an_pdf_fault_note(pdf, AN_N_PDF_STREAM_LENGTH, obj->num, start);
    }
    obj->kind = AN_PDF_STREAM;
    obj->data_offset = start;
    obj->data_len = end - start;
    obj->end = end;
    while (end < in.len && (an_pdf_class[in.ptr[end]] & AN_PDF_SPACE))
        end++;
    if (in.len - end >= 9 && memcmp(in.ptr + end, "endstream", 9) == 0)
        obj->end = end + 9;
}

struct an_pdf_obj *
an_pdf_parse_indirect(struct an_pdf *pdf, struct an_arena *arena, size_t revision, uint64_t offset, bool is_crypted)
{
    struct an_pdf_parser parser = {.pdf = pdf, .arena = arena, .in = pdf->file, .at = (size_t)offset};
    struct an_pdf_obj value, *obj;
    size_t at;

    if (offset >= pdf->file.len || !an_pdf_parse_head(&parser, &parser.num, &parser.gen))
        return NULL;
    parser.is_crypted = is_crypted && parser.num != pdf->encrypt_num;
    if (!an_pdf_parse_value(&parser, &value)) {
        value = an_pdf_null;
        value.offset = offset;
        value.end = parser.at;
    }
    if (parser.is_crypted)
        decrypt_strings(&parser, &value, 1);
    obj = an_arena_alloc(arena, sizeof(*obj));
    if (obj == NULL)
        return NULL;
    *obj = value;
    obj->num = parser.num;
    obj->gen = parser.gen;
    at = an_pdf_skip_space(pdf->file, parser.at);
    if (obj->kind == AN_PDF_DICT && pdf->file.len - at >= 6 && memcmp(pdf->file.ptr + at, "stream", 6) == 0)
        locate_stream(pdf, revision, obj, at + 6);
    return obj;
}
