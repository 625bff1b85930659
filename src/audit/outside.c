/*
 * antin-audit-verify: checks an exported audit log without the program that wrote it. Nothing of audit/ is used here
 * but this page; hashes are SHA-256, a checkpoint is CMS SignedData over its statement.
 *
 *   line 1       {"format": "antin-audit-export 1", "instance", "size", "root": hex, "chain": hex}
 *   checkpoints  {"checkpoint": size, "statement": base64, "signature": base64}
 *   events       {"seq", "at", "action", "actor", "role", "object", "outcome", "citation", "detail", "chain": hex}
 *   entry        01, at (8 bytes, big-endian), then action … detail, each as length (4 bytes, big-endian) and UTF-8
 *   leaf         SHA-256(00 || entry); node = SHA-256(01 || left || right); tree of RFC 9162, 2.1
 *   chain        SHA-256(02 || chain before || leaf); before the first 32 zero bytes
 *   statement    "antin-audit-checkpoint 1", "instance: …", "size: N", "root: hex", "chain: hex", "at: …", a line each
 *
 *   antin-audit-verify [--lang en] [--signer CERT.pem] [--earlier OLDER-EXPORT] EXPORT
 * Exit status: 0 nothing found, 1 something found, 64 and up: could not be checked.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/file.h"
#include "cms/cms.h"

#define LINE_MAX_BYTES ((size_t)1 << 20) /* an event has 64 kB at most, every octet of it escaped makes six */
#define HEADER_MEMBERS 5
#define CHECKPOINT_MEMBERS 3
#define EVENT_MEMBERS 10
#define CLOCKS_DIFFER_SECONDS 300
#define SEQ_MAX ((int64_t)1 << 60) /* more events than anybody writes; keeps the arithmetic within its type */

struct tree { uint8_t stack[64][32]; int count; uint64_t size; };
/* a root that must stand at this size */
struct promise { int64_t size; uint8_t root[32]; bool good; bool met; const char *vi, *en; };
AN_VEC(promises, struct promise);

struct checker {
    bool english;
    struct an_certs signers;
    bool any_signer;
    struct promises promises;
    struct tree tree;
    uint8_t chain[32];
    int64_t seq;
    uint8_t last_chain[32];   /* that the first line says */
    bool has_last_chain;
    int64_t at, back_first;   /* time of the event before; the first that goes back */
    unsigned long back_count;
    unsigned long findings;
    int64_t signed_size;      /* of the last checkpoint that is rightly signed; 0 = none */
    uint8_t last_signer[32];  /* SHA-256 of its certificate */
    char instance[128];
};

static void
find_fault(struct checker *c, int64_t first, int64_t last, const char *vi, const char *en)
{
    c->findings++;
    if (first == last)
        printf("%" PRId64 ": %s\n", first, c->english ? en : vi);
    else
        printf("%" PRId64 "–%" PRId64 ": %s\n", first, last, c->english ? en : vi);
}

/* What stands beside the members that hashes cover could be read by a person and is nobody's word. */
static void
find_more(struct checker *c, const json_t *line, size_t members, int64_t place)
{
    if (json_object_size(line) != members)
        find_fault(c, place, place, "thiếu, hoặc có phần không được mã băm bao phủ",
                   "something is missing, or stands here that no hash covers");
}

/* ---- the tree, straight from the definition ---- */
static void
sha256(const uint8_t *prefix, size_t prefix_len, an_bytes a, an_bytes b, uint8_t ret[32])
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_update(hash, AN_BYTES(prefix, prefix_len));
    an_hash_update(hash, a);
    an_hash_update(hash, b);
    an_hash_final(hash, digest);
    an_hash_free(&hash);
    memcpy(ret, digest, 32);
}

static void
tree_add(struct tree *tree, const uint8_t leaf[32])
{
    memcpy(tree->stack[tree->count++], leaf, 32);
    for (uint64_t n = ++tree->size; n % 2 == 0; n /= 2) {
        tree->count--;
        sha256((const uint8_t[]){1}, 1, AN_BYTES(tree->stack[tree->count - 1], 32),
               AN_BYTES(tree->stack[tree->count], 32), tree->stack[tree->count - 1]);
    }
}

static void
tree_root(const struct tree *tree, uint8_t ret[32])
{
    if (tree->count == 0) {
        sha256(NULL, 0, AN_NONE, AN_NONE, ret);
        return;
    }
    memcpy(ret, tree->stack[tree->count - 1], 32);
    for (int i = tree->count - 2; i >= 0; i--)
        sha256((const uint8_t[]){1}, 1, AN_BYTES(tree->stack[i], 32), AN_BYTES(ret, 32), ret);
}

/* ---- lines ---- */
static bool
read_hex(const char *hex, uint8_t ret[32])
{
    struct an_buf bytes = an_buf_new(32);
    bool good = hex != NULL && strlen(hex) == 64 && an_hex_decode(&bytes, an_bytes_of_str(hex)) && bytes.len == 32;

    if (good)
        memcpy(ret, bytes.ptr, 32);
    an_buf_free(&bytes);
    return good;
}

static const char *
text_of(const json_t *line, const char *key)
{
    return json_string_value(json_object_get(line, key));
}

static void
put_number(struct an_buf *out, uint64_t number, int bytes)
{
    while (bytes-- > 0)
        an_buf_byte(out, (uint8_t)(number >> (8 * bytes)));
}

static void
check_promises(struct checker *c)
{
    for (size_t i = 0; i < c->promises.count; i++) {
        struct promise *promise = &c->promises.items[i];
        uint8_t root[32];

        if (promise->met || promise->size != (int64_t)c->tree.size)
            continue;
        promise->met = true;
        tree_root(&c->tree, root);
        if (promise->good && memcmp(root, promise->root, 32) != 0)
            find_fault(c, 1, promise->size, promise->vi, promise->en);
    }
}

/* A clock that was set back, or an act that was dated back: told, but clocks of nodes differ, so it is no finding. */
static void
note_time(struct checker *c, int64_t seq, int64_t at)
{
    if (at < c->at - CLOCKS_DIFFER_SECONDS && c->back_count++ == 0)
        c->back_first = seq;
    c->at = at;
}

static void
check_event(struct checker *c, const json_t *line)
{
    static const char *const texts[] = {"action", "actor", "role", "object", "outcome", "citation", "detail"};
    int64_t seq = json_integer_value(json_object_get(line, "seq"));
    struct an_buf entry = an_buf_new(1 << 20);
    uint8_t leaf[32], expected[32], stored[32] = {0};
    bool follows = seq == c->seq + 1;

    if (seq < 1 || seq > SEQ_MAX)
        seq = c->seq + 1; /* no place at all; it is told of as moved */
    if (!follows)
        find_fault(c, c->seq + 1, seq > c->seq ? seq - 1 : c->seq + 1, "sự kiện bị xóa hoặc đổi chỗ",
                   "events were removed or moved");
    c->seq = seq;
    note_time(c, seq, json_integer_value(json_object_get(line, "at")));
    find_more(c, line, EVENT_MEMBERS, seq);
    an_buf_byte(&entry, 1);
    put_number(&entry, (uint64_t)json_integer_value(json_object_get(line, "at")), 8);
    for (size_t i = 0; i < AN_COUNT(texts); i++) {
        an_bytes text = an_bytes_of_str(text_of(line, texts[i]));

        put_number(&entry, text.len, 4);
        an_buf_append(&entry, text);
    }
    sha256((const uint8_t[]){0}, 1, an_buf_view(&entry), AN_NONE, leaf);
    sha256((const uint8_t[]){2}, 1, AN_BYTES(c->chain, 32), AN_BYTES(leaf, 32), expected);
    if (!read_hex(text_of(line, "chain"), stored) || (follows && memcmp(stored, expected, 32) != 0))
        find_fault(c, seq, seq, "sự kiện hoặc mã băm của nó bị sửa", "the event or its hash was changed");
    memcpy(c->chain, stored, 32);
    tree_add(&c->tree, leaf);
    check_promises(c);
    an_buf_free(&entry);
}

static bool
is_signed(struct checker *c, an_bytes statement, an_bytes signature)
{
    struct an_cms *cms = NULL;
    bool good = false;

    if (an_cms_parse(signature, &cms, NULL) != AN_OK)
        return false;
    if (cms->signer_count == 1) {
        struct an_cert *cert = an_cms_signer_cert(cms, &cms->signers[0], &c->signers);

        good = cert != NULL && (c->any_signer || an_certs_find_hash(&c->signers, cert->sha256) != NULL) &&
               an_cms_check_over(&cms->signers[0], cert, cms->content_type, statement, NULL) == AN_OK;
        if (good)
            memcpy(c->last_signer, cert->sha256, 32);
    }
    an_cms_free(&cms);
    return good;
}

/* The statement must be exactly the text that its own fields give. */
static bool
read_statement(const char *text, const char *instance, struct promise *promise)
{
    char root[65] = "", chain[65] = "", at[40] = "", again[512];
    const char *from = strstr(text, "\nsize: ");

    if (from == NULL || sscanf(from, "\nsize: %" SCNd64 "\nroot: %64[0-9a-f]\nchain: %64[0-9a-f]\nat: %39[0-9TZ:-]",
                               &promise->size, root, chain, at) != 4)
        return false;
    snprintf(again, sizeof(again),
             "antin-audit-checkpoint 1\ninstance: %s\nsize: %" PRId64 "\nroot: %s\nchain: %s\nat: %s\n", instance,
             promise->size, root, chain, at);
    return strcmp(text, again) == 0 && read_hex(root, promise->root);
}

static void
check_checkpoint(struct checker *c, const json_t *line, int64_t size)
{
    struct an_buf statement = an_buf_new(1 << 16), signature = an_buf_new(1 << 24);
    struct promise promise = {.size = size, .vi = "không phải các sự kiện đã được ký xác nhận",
                              .en = "not the events that the checkpoint signed"};
    char *text;

    if (an_base64_decode(&statement, an_bytes_of_str(text_of(line, "statement"))) &&
        an_base64_decode(&signature, an_bytes_of_str(text_of(line, "signature"))))
        promise.good = is_signed(c, an_buf_view(&statement), an_buf_view(&signature));
    text = an_buf_take_str(&statement);
    find_more(c, line, CHECKPOINT_MEMBERS, size);
    promise.good = promise.good && read_statement(text, c->instance, &promise) && promise.size == size;
    promise.size = size;
    if (promise.good && size > c->signed_size)
        c->signed_size = size;
    if (!promise.good)
        find_fault(c, size, size, "chữ ký xác nhận tại vị trí này không hợp lệ",
                   "the checkpoint at this place is not rightly signed");
    *promises_push(&c->promises) = promise;
    free(text);
    an_buf_free(&signature);
    an_buf_free(&statement);
}

/* ---- files ---- */
enum go { GO_ON = 0, GO_STOP, GO_WRONG };
typedef enum go (*line_fn)(struct checker *c, const json_t *line, size_t number);

/* The next line with its end, NULs included; 0 at the end of the file, LINE_MAX_BYTES when it is longer than any of
 * ours: whoever sent the export does not choose how much memory it takes. */
static size_t
read_line(FILE *file, char *text)
{
    size_t len = 0;
    int got = 0;

    while (len < LINE_MAX_BYTES && got != '\n' && (got = getc_unlocked(file)) != EOF)
        text[len++] = (char)got;
    return len;
}

static int
each_line(struct checker *c, const char *path, line_fn each)
{
    FILE *file = fopen(path, "r");
    char *text = file ? malloc(LINE_MAX_BYTES) : NULL;
    size_t number = 0, len;
    int status = text ? 0 : EX_NOINPUT;

    if (text == NULL)
        perror(path);
    while (status == 0 && (len = read_line(file, text)) > 0) {
        json_error_t error = {.text = "too long a line"};
        /* all of the line: nothing stands behind a NUL */
        json_t *line = len < LINE_MAX_BYTES ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &error) : NULL;
        enum go go = line != NULL ? each(c, line, ++number) : GO_WRONG;

        if (go == GO_WRONG) {
            fprintf(stderr, "%s:%zu: %s\n", path, number + (line == NULL), line ? "antin-audit-export 1?" : error.text);
            status = EX_DATAERR;
        }
        json_decref(line);
        if (go != GO_ON)
            break;
    }
    free(text);
    if (file != NULL)
        fclose(file);
    return status;
}

static bool
read_header(const json_t *line, struct promise *promise)
{
    const char *format = text_of(line, "format");

    promise->size = json_integer_value(json_object_get(line, "size"));
    promise->good = format != NULL && strcmp(format, "antin-audit-export 1") == 0 &&
        read_hex(text_of(line, "root"), promise->root);
    return promise->good;
}

static enum go
take_earlier(struct checker *c, const json_t *line, size_t number)
{
    struct promise promise = {.vi = "không phải các sự kiện của bản xuất trước",
                              .en = "not the events of the earlier export"};

    (void)number;
    if (!read_header(line, &promise))
        return GO_WRONG;
    *promises_push(&c->promises) = promise;
    return GO_STOP; /* its first line is enough */
}

static enum go
take_line(struct checker *c, const json_t *line, size_t number)
{
    const json_t *checkpoint = json_object_get(line, "checkpoint");
    struct promise promise = {.vi = "gốc của cây khác với dòng đầu",
                              .en = "the root of the tree is not that of the first line"};

    if (number == 1) {
        snprintf(c->instance, sizeof(c->instance), "%s", text_of(line, "instance") ? text_of(line, "instance") : "");
        if (!read_header(line, &promise))
            return GO_WRONG;
        *promises_push(&c->promises) = promise;
        find_more(c, line, HEADER_MEMBERS, 0);
        c->has_last_chain = read_hex(text_of(line, "chain"), c->last_chain);
        check_promises(c); /* of an empty log */
    } else if (checkpoint != NULL) {
        check_checkpoint(c, line, json_integer_value(checkpoint));
    } else {
        check_event(c, line);
    }
    return GO_ON;
}

static bool
read_signer(struct checker *c, const char *path)
{
    struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};
    bool good = an_file_open(path, 1 << 20, &file, &err) == AN_OK &&
        an_certs_read(&c->signers, file.bytes, &err) == AN_OK;

    if (!good)
        fprintf(stderr, "%s: %s\n", path, an_message_find(err.code)->en);
    an_file_close(&file);
    return good;
}

/* Whoever can rewrite a log can sign it, too, with a key of his own: what counts is whose signature it is, and how far
 * it goes. */
static void
tell_signer(struct checker *c)
{
    char hex[65];

    if (c->signed_size == 0 && !c->any_signer) {
        find_fault(c, c->seq, c->seq, "không có mốc xác nhận nào do chứng thư đã nêu ký",
                   "no checkpoint is signed by the certificate that was named");
        return;
    }
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", c->last_signer[i]);
    if (c->signed_size == 0)
        printf("%s\n", c->english ? "no checkpoint: nothing here is signed"
               : "không có mốc xác nhận: nội dung này chưa được ký");
    else
        printf(c->english ? "signed up to %" PRId64 ", certificate SHA-256 %s%s\n"
               : "đã ký xác nhận đến %" PRId64 ", chứng thư SHA-256 %s%s\n", c->signed_size, hex,
               !c->any_signer ? "" : c->english ? " (not compared: name it with --signer)"
               : " (chưa đối chiếu: nêu chứng thư bằng --signer)");
}

static void
conclude(struct checker *c)
{
    for (size_t i = 0; i < c->promises.count; i++)
        if (!c->promises.items[i].met)
            find_fault(c, c->seq + 1, c->promises.items[i].size, "sự kiện ở cuối bị cắt bỏ",
                       "events at the end were cut off");
    if (!c->has_last_chain || memcmp(c->last_chain, c->chain, 32) != 0)
        find_fault(c, c->seq, c->seq, "mã băm cuối khác với dòng đầu", "the last hash is not that of the first line");
    if (c->back_count > 0)
        printf(c->english ? "%lu times the clock went back, first at %" PRId64 "\n"
               : "%lu lần thời gian lùi lại, lần đầu tại %" PRId64 "\n", c->back_count, c->back_first);
    tell_signer(c);
    printf(c->english ? "%" PRIu64 " events, %zu promises of earlier states, %lu findings\n"
           : "%" PRIu64 " sự kiện, %zu mốc đã xác nhận, %lu điểm sai\n", c->tree.size, c->promises.count, c->findings);
}

int
main(int argc, char **argv)
{
    struct checker c = {.any_signer = true};
    const char *path = NULL, *earlier = NULL;
    int status = 0;

    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;

        if (strcmp(argv[i], "--lang") == 0 && more)
            c.english = strcmp(argv[++i], "en") == 0;
        else if (strcmp(argv[i], "--signer") == 0 && more)
            c.any_signer = false, status = read_signer(&c, argv[++i]) ? status : EX_NOINPUT;
        else if (strcmp(argv[i], "--earlier") == 0 && more)
            earlier = argv[++i];
        else if (argv[i][0] != '-' && path == NULL)
            path = argv[i];
        else
            status = EX_USAGE;
    }
    if (path == NULL || status != 0) {
        fprintf(stderr, "antin-audit-verify [--lang en] [--signer CERT] [--earlier EXPORT] EXPORT\n");
        return status ? status : EX_USAGE;
    }
    if (earlier != NULL)
        status = each_line(&c, earlier, take_earlier);
    if (status == 0)
        status = each_line(&c, path, take_line);
    if (status == 0 && c.promises.count == (earlier != NULL))
        status = EX_DATAERR; /* an empty file */
    if (status == 0)
        conclude(&c);
    promises_done(&c.promises);
    an_certs_done(&c.signers);
    return status ? status : c.findings > 0;
}
