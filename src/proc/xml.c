#include "proc/xml.h"

#include "base/limits.h"
#include "proc/json.h"

#include <jansson.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX ((size_t)512 * 1024 * 1024) /* what one answer may hold once decoded */

struct an_xml_reader {
    pthread_mutex_t lock;
    struct an_child *child; /* NULL until the first question and after a crash */
    uint64_t timeout_ms, answers;
};

struct an_xml_reader *
an_xml_reader_new(uint64_t timeout_ms)
{
    struct an_xml_reader *reader = AN_NEW(struct an_xml_reader);

    reader->timeout_ms = timeout_ms ? timeout_ms : 60000;
    pthread_mutex_init(&reader->lock, NULL);
    return reader;
}

void
an_xml_reader_free(struct an_xml_reader **reader)
{
    if (*reader == NULL)
        return;
    an_child_stop(&(*reader)->child);
    pthread_mutex_destroy(&(*reader)->lock);
    free(*reader);
    *reader = NULL;
}

/* ---- asking ---- */
static an_code
ask_child(struct an_xml_reader *reader, uint32_t type, an_bytes question, int fd, struct an_buf *ret,
          struct an_err *reterr)
{
    an_code code;

    if (reader->child == NULL) {
        AN_TRY(an_child_start("antin-xml", &reader->child, reterr));
        reader->answers = 0;
    }
    code = an_child_ask(reader->child, type, question, fd, reader->timeout_ms, NULL, ret, reterr);
    if (code == AN_E_PROC_CRASHED || code == AN_E_PROC_TIMEOUT || code == AN_E_PROC_PROTOCOL)
        an_child_stop(&reader->child);
    else
        reader->answers++;
    return code;
}

/* A helper that has worked for long may reach its processor time: a fresh one gets the question once more. */
static an_code
ask_locked(struct an_xml_reader *reader, uint32_t type, an_bytes question, int fd, struct an_buf *ret,
           struct an_err *reterr)
{
    bool is_worn;
    an_code code;

    pthread_mutex_lock(&reader->lock);
    is_worn = reader->answers > 0;
    code = ask_child(reader, type, question, fd, ret, reterr);
    if (code == AN_E_PROC_CRASHED && is_worn)
        code = ask_child(reader, type, question, fd, ret, reterr);
    pthread_mutex_unlock(&reader->lock);
    return code;
}

static bool
write_whole(int fd, an_bytes bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);

        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* All parts one after the other in a memory file, and where each stands. */
static an_code
pack_parts(const struct an_xml_part *parts, size_t count, int *ret_fd, json_t **ret, struct an_err *reterr)
{
    json_t *list = json_array();
    uint64_t at = 0;
    int fd = memfd_create("antin-xml", MFD_CLOEXEC);
    bool ok = fd >= 0;

    for (size_t i = 0; i < count && ok; i++) {
        json_t *row = json_pack("{s:s, s:I, s:I}", "name", parts[i].name, "offset", (json_int_t)at, "len",
                                (json_int_t)parts[i].bytes.len);

        ok = row && json_array_append_new(list, row) == 0 && parts[i].bytes.len <= AN_LIMIT_XML_PARTS &&
             (at += parts[i].bytes.len) <= AN_LIMIT_XML_PARTS * 2 && write_whole(fd, parts[i].bytes);
    }
    *ret = json_pack("{s:o}", "parts", list);
    if (!ok) {
        if (fd >= 0)
            close(fd);
        AN_FAIL(reterr, AN_E_LIMIT, "contents of %llu byte", (unsigned long long)at);
    }
    *ret_fd = fd;
    return AN_OK;
}

static an_code
ask(struct an_xml_reader *reader, uint32_t type, const struct an_xml_part *parts, size_t count, int *ret_fd,
    json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *question = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    an_code code;
    int fd = -1;

    AN_TRY(pack_parts(parts, count, &fd, &question, reterr));
    an_json_write(&text, question);
    code = ask_locked(reader, type, an_buf_view(&text), fd, &answer, reterr);
    if (code == AN_OK && an_json_parse(an_buf_view(&answer), ret, NULL) != AN_OK)
        code = an_err_set(reterr, AN_E_PROC_PROTOCOL, "antin-xml");
    if (code == AN_OK && ret_fd)
        *ret_fd = fd;
    else
        close(fd);
    return code;
}

static an_code
ask_with(struct an_xml_reader *reader, uint32_t type, an_bytes xml, const struct an_xml_part *parts, size_t part_count,
         json_t **ret, struct an_err *reterr)
{
    struct an_xml_part *all = an_new_array(part_count + 1, sizeof(*all));
    an_code code;

    all[0] = (struct an_xml_part){"", xml};
    for (size_t i = 0; i < part_count; i++)
        all[i + 1] = parts[i];
    code = ask(reader, type, all, part_count + 1, NULL, ret, reterr);
    free(all);
    return code;
}

/* ---- reading answers: everything lands in the arena; a value that is missing or odd is the empty one ---- */
struct taker { struct an_arena *arena; bool failed; };

static const char *
take_text(struct taker *taker, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    char *copy = an_arena_str(taker->arena, an_bytes_of_str(text ? text : ""));

    taker->failed = taker->failed || !copy;
    return copy ? copy : "";
}

static int
take_int(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value < -1 || value > 1000000 ? -1 : (int)value;
}

static bool
take_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static an_bytes
take_base64(struct taker *taker, const json_t *text)
{
    struct an_buf bytes = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    an_bytes copy = AN_NONE;

    if (text && (!json_is_string(text) || !an_base64_decode(&bytes,
                                                            AN_BYTES(json_string_value(text),
                                                                     json_string_length(text)))))
        taker->failed = true;
    else if (bytes.len)
        copy = an_arena_dup(taker->arena, an_buf_view(&bytes));
    taker->failed = taker->failed || (bytes.len && !copy.len);
    an_buf_free(&bytes);
    return copy;
}

static an_bytes
take_bytes(struct taker *taker, const json_t *object, const char *key)
{
    return take_base64(taker, json_object_get(object, key));
}

static void *
take_array(struct taker *taker, const json_t *list, size_t size, size_t *ret_count)
{
    size_t count = json_array_size(list);
    void *items = count ? an_arena_alloc(taker->arena, count * size) : NULL;

    taker->failed = taker->failed || (count && !items);
    *ret_count = items ? count : 0;
    return items;
}

static struct an_xml_blobs
take_blobs(struct taker *taker, const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);
    struct an_xml_blobs blobs = {0};

    blobs.items = take_array(taker, list, sizeof(*blobs.items), &blobs.count);
    for (size_t i = 0; i < blobs.count; i++)
        blobs.items[i] = take_base64(taker, json_array_get(list, i));
    return blobs;
}

static struct an_xml_digest *
take_digests(struct taker *taker, const json_t *object, const char *key, size_t *ret_count)
{
    const json_t *list = json_object_get(object, key);
    struct an_xml_digest *rows = take_array(taker, list, sizeof(*rows), ret_count);

    for (size_t i = 0; i < *ret_count; i++) {
        rows[i].digest = take_int(json_array_get(list, i), "digest");
        rows[i].value = take_bytes(taker, json_array_get(list, i), "value");
    }
    return rows;
}

static void
take_references(struct taker *taker, const json_t *list, struct an_xml_signature *ret)
{
    ret->references = take_array(taker, list, sizeof(*ret->references), &ret->reference_count);
    for (size_t i = 0; i < ret->reference_count; i++) {
        const json_t *row = json_array_get(list, i);
        struct an_xml_reference *reference = &ret->references[i];
        int state = take_int(row, "state");

        taker->failed = taker->failed || state < AN_XML_MATCHES || state > AN_XML_MALFORMED ||
            !json_object_get(row, "state");
        reference->state = (enum an_xml_state)state;
        reference->uri = take_text(taker, row, "uri");
        reference->type = take_text(taker, row, "type");
        reference->detail = take_text(taker, row, "detail");
        reference->covers = take_text(taker, row, "covers");
        reference->digest = take_int(row, "digest");
        reference->in_manifest = take_bool(row, "manifest");
        reference->has_uri = take_bool(row, "has_uri");
        reference->filtered = take_bool(row, "filtered");
    }
}

static void
take_stamps(struct taker *taker, const json_t *list, struct an_xml_signature *ret)
{
    ret->stamps = take_array(taker, list, sizeof(*ret->stamps), &ret->stamp_count);
    for (size_t i = 0; i < ret->stamp_count; i++) {
        const json_t *row = json_array_get(list, i);
        int kind = take_int(row, "kind");

        taker->failed = taker->failed || kind < AN_XML_STAMP_CONTENT || kind > AN_XML_STAMP_REFS_ONLY;
        ret->stamps[i].kind = (enum an_xml_stamp_kind)kind;
        ret->stamps[i].token = take_bytes(taker, row, "token");
        ret->stamps[i].digests = take_digests(taker, row, "digests", &ret->stamps[i].digest_count);
    }
}

/* ---- evidence records ---- */
static void
take_ers_stamp(struct taker *taker, const json_t *row, struct an_ers_stamp *ret)
{
    const json_t *groups = json_object_get(row, "groups");

    ret->token = take_bytes(taker, row, "token");
    ret->self = take_bytes(taker, row, "self");
    ret->groups = take_array(taker, groups, sizeof(*ret->groups), &ret->group_count);
    for (size_t i = 0; i < ret->group_count; i++) {
        const json_t *group = json_array_get(groups, i);

        ret->groups[i].hashes = take_array(taker, group, sizeof(*ret->groups[i].hashes), &ret->groups[i].count);
        for (size_t j = 0; j < ret->groups[i].count; j++)
            ret->groups[i].hashes[j] = take_base64(taker, json_array_get(group, j));
    }
}

static void
take_ers_chain(struct taker *taker, const json_t *row, struct an_ers_chain *ret)
{
    const json_t *stamps = json_object_get(row, "stamps"), *objects = json_object_get(row, "objects");

    ret->digest = take_int(row, "digest");
    ret->before = take_bytes(taker, row, "before");
    ret->objects = take_array(taker, objects, sizeof(*ret->objects), &ret->object_count);
    for (size_t i = 0; i < ret->object_count; i++)
        ret->objects[i] = take_bytes(taker, json_array_get(objects, i), "value");
    ret->stamps = take_array(taker, stamps, sizeof(*ret->stamps), &ret->stamp_count);
    for (size_t i = 0; i < ret->stamp_count; i++)
        take_ers_stamp(taker, json_array_get(stamps, i), &ret->stamps[i]);
}

static struct an_ers *
take_ers(struct taker *taker, const json_t *root)
{
    const json_t *chains = json_object_get(root, "chains");
    struct an_ers *ers = an_arena_alloc(taker->arena, sizeof(*ers));

    taker->failed = taker->failed || !ers;
    if (!ers)
        return NULL;
    *ers = (struct an_ers){.is_xml = true};
    ers->chains = take_array(taker, chains, sizeof(*ers->chains), &ers->chain_count);
    for (size_t i = 0; i < ers->chain_count; i++)
        take_ers_chain(taker, json_array_get(chains, i), &ers->chains[i]);
    return ers;
}

static void
take_seals(struct taker *taker, const json_t *list, struct an_xml_signature *ret)
{
    ret->seals = take_array(taker, list, sizeof(*ret->seals), &ret->seal_count);
    for (size_t i = 0; i < ret->seal_count; i++) {
        const json_t *row = json_array_get(list, i), *xml = json_object_get(row, "xml");

        ret->seals[i].record = xml ? take_ers(taker, xml) : NULL;
        ret->seals[i].asn1 = take_bytes(taker, row, "asn1");
        ret->seals[i].digests = take_digests(taker, row, "digests", &ret->seals[i].digest_count);
    }
}

static void
take_method(struct taker *taker, const json_t *row, struct an_xml_signature *ret)
{
    ret->method = take_text(taker, row, "method");
    ret->scheme_kind = take_int(row, "kind");
    ret->scheme_digest = take_int(row, "digest");
    ret->scheme_mgf = take_int(row, "mgf");
    ret->scheme_salt = take_int(row, "salt");
    ret->hmac_digest = take_int(row, "hmac");
    ret->hmac_bits = take_int(row, "hmac_bits");
    ret->signed_info = take_bytes(taker, row, "signed_info");
    ret->value = take_bytes(taker, row, "value");
    ret->spki = take_bytes(taker, row, "spki");
    ret->certs = take_blobs(taker, row, "certs");
    ret->crls = take_blobs(taker, row, "crls");
}

static void
take_signature(struct taker *taker, const json_t *row, struct an_xml_signature *ret)
{
    ret->id = take_text(taker, row, "id");
    ret->parent = take_text(taker, row, "parent");
    ret->problem = take_text(taker, row, "problem");
    ret->coverage = take_text(taker, row, "coverage");
    ret->policy = take_text(taker, row, "policy");
    ret->is_moved = take_bool(row, "moved");
    ret->is_counter = take_bool(row, "counter");
    ret->has_xades = take_bool(row, "xades");
    ret->is_baseline = take_bool(row, "baseline");
    ret->has_signed_properties = take_bool(row, "signed_properties");
    ret->has_signing_certificate = take_bool(row, "has_signing_certificate");
    ret->has_revocation_values = take_bool(row, "has_revocation_values");
    ret->signing_time = an_time_parse(an_bytes_of_str(take_text(taker, row, "signing_time")));
    take_method(taker, row, ret);
    take_references(taker, json_object_get(row, "references"), ret);
    ret->cert_digests = take_digests(taker, row, "cert_digests", &ret->cert_digest_count);
    ret->cert_values = take_blobs(taker, row, "cert_values");
    ret->crl_values = take_blobs(taker, row, "crl_values");
    ret->ocsp_values = take_blobs(taker, row, "ocsp_values");
    take_stamps(taker, json_object_get(row, "stamps"), ret);
    take_seals(taker, json_object_get(row, "seals"), ret);
}

void
an_xml_document_free(struct an_xml_document **document)
{
    if (*document)
        an_arena_free(&(*document)->arena);
    free(*document);
    *document = NULL;
}

an_code
an_xml_read(struct an_xml_reader *reader, an_bytes xml, const struct an_xml_part *parts, size_t part_count,
            struct an_xml_document **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_xml_document_free) struct an_xml_document *document = NULL;
    struct taker taker = {0};
    const json_t *list;

    AN_TRY(ask_with(reader, AN_XML_SIGNATURES, xml, parts, part_count, &root, reterr));
    document = AN_NEW(struct an_xml_document);
    document->arena = taker.arena = an_arena_new(ANSWER_BYTES_MAX);
    document->root = take_text(&taker, root, "root");
    document->has_dtd = take_bool(root, "dtd");
    list = json_object_get(root, "signatures");
    document->signatures = take_array(&taker, list, sizeof(*document->signatures), &document->signature_count);
    for (size_t i = 0; i < document->signature_count; i++)
        take_signature(&taker, json_array_get(list, i), &document->signatures[i]);
    if (taker.failed)
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-xml: signatures");
    *ret = document;
    document = NULL;
    return AN_OK;
}

an_code
an_xml_record_read(struct an_xml_reader *reader, an_bytes xml, const struct an_xml_part *parts, size_t part_count,
                   struct an_ers **ret, struct an_arena **ret_arena, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    struct taker taker = {0};

    AN_TRY(ask_with(reader, AN_XML_RECORD, xml, parts, part_count, &root, reterr));
    *ret_arena = taker.arena = an_arena_new(ANSWER_BYTES_MAX);
    *ret = take_ers(&taker, root);
    if (!taker.failed)
        return AN_OK;
    an_arena_free(ret_arena);
    AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-xml: record");
}

/* ---- containers ---- */
void
an_zip_free(struct an_zip **zip)
{
    if (*zip)
        an_arena_free(&(*zip)->arena);
    free(*zip);
    *zip = NULL;
}

/* Read, not mapped: the helper still holds the memory file and could cut it short. */
static bool
take_contents(struct taker *taker, int fd, const json_t *row, an_bytes *ret)
{
    json_int_t offset = json_integer_value(json_object_get(row, "offset"));
    json_int_t len = json_integer_value(json_object_get(row, "len"));
    uint8_t *bytes;

    if (offset < 0 || len < 0 || (uint64_t)len > AN_LIMIT_XML_PARTS)
        return false;
    bytes = an_arena_alloc(taker->arena, (size_t)len + 1);
    *ret = AN_BYTES(bytes, (size_t)len);
    for (size_t done = 0; bytes && done < (size_t)len;) {
        ssize_t n = pread(fd, bytes + done, (size_t)len - done, (off_t)offset + (off_t)done);

        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return bytes != NULL;
}

an_code
an_zip_read(struct an_xml_reader *reader, an_bytes bytes, struct an_zip **ret, struct an_err *reterr)
{
    return an_zip_read_within(reader, bytes, AN_LIMIT_XML_PARTS, ret, reterr);
}

an_code
an_zip_read_within(struct an_xml_reader *reader, an_bytes bytes, size_t bytes_max, struct an_zip **ret,
                   struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_free_ptr) char *room = an_asprintf("%zu", bytes_max);
    struct an_xml_part part = {room, bytes};
    struct taker taker = {0};
    struct an_zip *zip;
    const json_t *list;
    int fd = -1;

    AN_TRY(ask(reader, AN_XML_UNZIP, &part, 1, &fd, &root, reterr));
    zip = AN_NEW(struct an_zip);
    zip->arena = taker.arena = an_arena_new(AN_LIMIT_XML_PARTS + AN_LIMIT_MESSAGE_BYTES);
    list = json_object_get(root, "entries");
    zip->entries = take_array(&taker, list, sizeof(*zip->entries), &zip->count);
    for (size_t i = 0; i < zip->count && !taker.failed; i++) {
        zip->entries[i].name = take_text(&taker, json_array_get(list, i), "name");
        taker.failed = taker.failed || !take_contents(&taker, fd, json_array_get(list, i), &zip->entries[i].bytes);
    }
    close(fd);
    if (taker.failed) {
        an_zip_free(&zip);
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-xml: entries");
    }
    *ret = zip;
    return AN_OK;
}

void
an_manifest_free(struct an_manifest **manifest)
{
    if (*manifest)
        an_arena_free(&(*manifest)->arena);
    free(*manifest);
    *manifest = NULL;
}

an_code
an_manifest_read(struct an_xml_reader *reader, an_bytes xml, struct an_manifest **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    struct an_xml_part part = {"", xml};
    struct taker taker = {0};
    struct an_manifest *manifest;
    const json_t *list;

    AN_TRY(ask(reader, AN_XML_MANIFEST, &part, 1, NULL, &root, reterr));
    manifest = AN_NEW(struct an_manifest);
    manifest->arena = taker.arena = an_arena_new(ANSWER_BYTES_MAX);
    manifest->sig_uri = take_text(&taker, root, "sig_uri");
    list = json_object_get(root, "entries");
    manifest->entries = take_array(&taker, list, sizeof(*manifest->entries), &manifest->count);
    for (size_t i = 0; i < manifest->count; i++) {
        const json_t *row = json_array_get(list, i);

        manifest->entries[i].uri = take_text(&taker, row, "uri");
        manifest->entries[i].digest = take_int(row, "digest");
        manifest->entries[i].value = take_bytes(&taker, row, "value");
        manifest->entries[i].is_root = take_bool(row, "root");
    }
    if (taker.failed) {
        an_manifest_free(&manifest);
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-xml: manifest");
    }
    *ret = manifest;
    return AN_OK;
}
