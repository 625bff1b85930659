/* antin-xml: XML and ZIP of strangers, in a process that may open no file and no socket. */
#include "xml/internal.h"

#include "proc/json.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKER_MEMORY_BYTES (UINT64_C(4096) * 1024 * 1024)
#define WORKER_CPU_SECONDS 600

struct files { void *mapping; size_t size; struct xml_input input; };

static void
files_done(struct files *files)
{
    free(files->input.parts);
    if (files->mapping)
        munmap(files->mapping, files->size);
}

static bool
take_part(const json_t *item, const struct files *files, struct an_xml_part *ret)
{
    json_int_t offset = 0, len = 0;

    if (json_unpack((json_t *)(uintptr_t)item, "{s:s, s:I, s:I}", "name", &ret->name, "offset", &offset, "len",
                    &len) != 0 ||
        offset < 0 || len < 0 || (uint64_t)offset > files->size || (uint64_t)len > files->size - (uint64_t)offset)
        return false;
    ret->bytes = AN_BYTES((const uint8_t *)files->mapping + offset, (size_t)len);
    return true;
}

static an_code
open_files(const struct an_request *request, const json_t *root, struct files *ret, struct an_err *reterr)
{
    const json_t *parts = json_object_get(root, "parts");
    struct stat st;

    if (request->fd < 0 || fstat(request->fd, &st) != 0 || st.st_size <= 0 || !json_array_size(parts) ||
        json_array_size(parts) > AN_LIMIT_ZIP_ENTRIES + 1)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "%s", "parts");
    ret->size = (size_t)st.st_size;
    ret->mapping = mmap(NULL, ret->size, PROT_READ, MAP_PRIVATE, request->fd, 0);
    if (ret->mapping == MAP_FAILED) {
        ret->mapping = NULL;
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", ret->size);
    }
    ret->input.parts = an_new_array(json_array_size(parts), sizeof(*ret->input.parts));
    for (size_t i = 0; i < json_array_size(parts); i++)
        if (!take_part(json_array_get(parts, i), ret, &ret->input.parts[ret->input.count++]))
            AN_FAIL(reterr, AN_E_PROC_REQUEST, "part %zu", i);
    return AN_OK;
}

/* ---- unzipping: contents go behind what the memory file holds already ---- */
struct unzip { int fd; uint64_t at; json_t *entries; };

static an_code
write_entry(void *context, const char *name, an_bytes bytes, struct an_err *reterr)
{
    struct unzip *unzip = context;
    json_t *text = json_string(name);

    if (!text)
        AN_FAIL(reterr, AN_E_XML_ZIP, "a name is not UTF-8");
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = pwrite(unzip->fd, bytes.ptr + done, bytes.len - done, (off_t)(unzip->at + done));

        if (n <= 0) {
            json_decref(text);
            AN_FAIL(reterr, AN_E_LIMIT, "memory file");
        }
        done += (size_t)n;
    }
    json_array_append_new(unzip->entries, json_pack("{s:o, s:I, s:I}", "name", text, "offset", (json_int_t)unzip->at,
                                                    "len", (json_int_t)bytes.len));
    unzip->at += bytes.len;
    return AN_OK;
}

static an_code
answer_unzip(const struct files *files, int fd, json_t **ret, struct an_err *reterr)
{
    struct unzip unzip = {.fd = fd, .at = files->size, .entries = json_array()};
    const struct an_xml_part *archive = &files->input.parts[0];
    size_t room = strtoull(archive->name, NULL, 10); /* its name says how much may come out of it */
    an_code code = xml_unzip(archive->bytes, room > 0 && room < AN_LIMIT_XML_PARTS ? room : AN_LIMIT_XML_PARTS,
                             write_entry, &unzip, reterr);

    *ret = json_pack("{s:o}", "entries", unzip.entries);
    return code;
}

static an_code
answer(struct an_request *request, const json_t *root, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(files_done) struct files files = {0};

    AN_TRY(open_files(request, root, &files, reterr));
    switch (request->type) {
    case AN_XML_SIGNATURES:
        return xml_answer(&files.input, ret, reterr);
    case AN_XML_MANIFEST:
        return xml_answer_manifest(&files.input, ret, reterr);
    case AN_XML_RECORD:
        return xml_answer_record(&files.input, ret, reterr);
    case AN_XML_UNZIP:
        return answer_unzip(&files, request->fd, ret, reterr);
    default:
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "question %u", request->type);
    }
}

static an_code
handle(struct an_request *request, uint32_t *ret_type, struct an_buf *ret_payload, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_json_free) json_t *result = NULL;
    an_code code = an_json_parse(an_buf_view(&request->payload), &root, reterr);

    (void)ret_type;
    if (code == AN_OK)
        code = answer(request, root, &result, reterr);
    if (code == AN_OK)
        an_json_write(ret_payload, result);
    if (request->fd >= 0)
        close(request->fd);
    return code;
}

int
main(void)
{
    const struct an_sandbox sandbox = {.memory_bytes_max = WORKER_MEMORY_BYTES, .cpu_seconds_max = WORKER_CPU_SECONDS,
                                       .file_bytes_max = (uint64_t)AN_LIMIT_XML_PARTS * 2};
    struct an_err err = {0};

    xml_start();
    if (an_sandbox_enter(&sandbox, false, &err) != AN_OK) {
        fprintf(stderr, "antin-xml: %s: %s\n", an_message_find(err.code)->en, err.detail);
        _exit(AN_KIND_OS);
    }
    dup2(STDOUT_FILENO, STDERR_FILENO); /* /dev/null: what the libraries print is not for people's terminals */
    _exit(an_child_serve(handle));
}
