#include "base/map.h"
#include "pdf/internal.h"
#include "pdf/refs.h"

#define HEADER_WINDOW 1024 /* Annex I: readers accept the header within the first 1024 bytes */
#define FAULTS_MAX 4096

void
an_pdf_fault_note(struct an_pdf *pdf, an_code code, uint32_t num, uint64_t offset)
{
    pdf->note_bits |= UINT64_C(1) << ((unsigned)code - AN_N_PDF_REBUILT);
    if (pdf->faults.count < FAULTS_MAX)
        *an_pdf_fault_vec_push(&pdf->faults) = (struct an_pdf_fault){code, num, offset};
}

static void
read_version(struct an_pdf *pdf)
{
    size_t at = (size_t)pdf->header + 5;
    uint64_t major = 1, minor = 0;

    if (an_pdf_read_uint(pdf->file, &at, &major) && at < pdf->file.len && pdf->file.ptr[at] == '.') {
        at++;
        (void)an_pdf_read_uint(pdf->file, &at, &minor);
    }
    pdf->header_major = major < 10 ? (int)major : 1;
    pdf->header_minor = minor < 10 ? (int)minor : 0;
}

static an_code
find_header(struct an_pdf *pdf, struct an_err *reterr)
{
    size_t at = an_bytes_find(an_bytes_slice(pdf->file, 0, HEADER_WINDOW), AN_LIT("%PDF-"), 0);

    if (at == SIZE_MAX) {
        /* Some files lost their first line; without objects it is no PDF at all. */
        if (!pdf->allow_rebuild || an_bytes_find(pdf->file, AN_LIT(" obj"), 0) == SIZE_MAX)
            AN_FAIL(reterr, AN_E_PDF_HEADER, "no %%PDF- in the first %d bytes", HEADER_WINDOW);
        an_pdf_fault_note(pdf, AN_N_PDF_NO_HEADER, 0, 0);
        pdf->header_major = 1;
        return AN_OK;
    }
    pdf->header = at;
    read_version(pdf);
    if (at)
        an_pdf_fault_note(pdf, AN_N_PDF_HEADER_OFFSET, 0, at);
    return AN_OK;
}

an_code
an_pdf_check_root(struct an_pdf *pdf, struct an_err *reterr)
{
    const struct an_pdf_obj *root = an_pdf_catalog(pdf, AN_PDF_NOW);

    if (root->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_ROOT, "/Root");
    if (an_pdf_at(pdf, AN_PDF_NOW, root, "Pages")->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_ROOT, "/Root/Pages");
    return AN_OK;
}

static an_code
open_normally(struct an_pdf *pdf, struct an_err *reterr)
{
    AN_TRY(an_pdf_xref_open(pdf, reterr));
    AN_TRY(an_pdf_crypt_open(pdf, pdf->password, reterr));
    return an_pdf_check_root(pdf, reterr);
}

static an_code
open_parts(struct an_pdf *pdf, struct an_err *reterr)
{
    struct an_err rebuild_err = {0};
    an_code code;

    AN_TRY(find_header(pdf, reterr));
    code = open_normally(pdf, reterr);
    if (code == AN_OK || code == AN_E_PDF_PASSWORD || code == AN_E_PDF_ENCRYPTED || code == AN_E_LIMIT)
        return code;
    if (!pdf->is_rebuilt && !pdf->allow_rebuild)
        return code;
    if (!pdf->is_rebuilt) {
        an_code rebuilt = an_pdf_rebuild(pdf, &rebuild_err);

        if (rebuilt == AN_E_PDF_PASSWORD || rebuilt == AN_E_PDF_ENCRYPTED) {
            if (reterr)
                *reterr = rebuild_err;
            return rebuilt;
        }
        if (rebuilt != AN_OK)
            return code;
    }
    return an_pdf_check_root(pdf, reterr);
}

an_code
an_pdf_open(an_bytes file, const struct an_pdf_open *options, struct an_pdf **ret, struct an_err *reterr)
{
    struct an_pdf *pdf = AN_NEW(struct an_pdf);
    an_code code;

    pdf->file = file;
    pdf->arena = an_arena_new(AN_LIMIT_PDF_ARENA);
    pdf->objects = an_map_new();
    pdf->containers = an_map_new();
    pdf->allow_rebuild = options && options->allow_rebuild;
    pdf->password = options ? options->password : NULL;
    pdf->scan_budget = 4 * (uint64_t)file.len + ((uint64_t)64 << 20);
    code = open_parts(pdf, reterr);
    pdf->password = NULL;
    if (code != AN_OK) {
        an_pdf_free(&pdf);
        return code;
    }
    if (reterr) /* a first try may have failed before a repair */
        *reterr = (struct an_err){0};
    *ret = pdf;
    return AN_OK;
}

void
an_pdf_free(struct an_pdf **address)
{
    struct an_pdf *pdf = *address;

    if (pdf == NULL)
        return;
    for (size_t i = 0; i < pdf->blocks.count; i++)
        an_buf_free(&pdf->blocks.items[i]);
    an_pdf_block_vec_done(&pdf->blocks);
    an_pdf_section_vec_done(&pdf->sections);
    an_pdf_part_vec_done(&pdf->parts);
    an_pdf_fault_vec_done(&pdf->faults);
    an_pdf_obj_vec_done(&pdf->stack);
    an_pdf_crypt_free(&pdf->crypt);
    an_pdf_refs_free(&pdf->refs);
    an_pdf_history_drop(pdf);
    an_map_free(&pdf->objects);
    an_map_free(&pdf->containers);
    an_arena_free(&pdf->arena);
    free(pdf);
    *address = NULL;
}

an_bytes
an_pdf_file(const struct an_pdf *pdf)
{
    return pdf->file;
}
