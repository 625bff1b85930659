#include "pdf/internal.h"

#include <stdio.h>

#define RIGHTS_REVISIONS 256

#define XMP_MAX ((size_t)4 * 1024 * 1024) /* metadata packets are some kilobytes */

static void
read_version(struct an_pdf *pdf, const struct an_pdf_obj *catalog, struct an_pdf_info *ret)
{
    const struct an_pdf_obj *version = an_pdf_at(pdf, AN_PDF_NOW, catalog, "Version");
    int major, minor;

    ret->version_major = pdf->header_major;
    ret->version_minor = pdf->header_minor;
    if (version->kind != AN_PDF_NAME || version->u.text.len != 3 || version->u.text.ptr[1] != '.')
        return;
    major = version->u.text.ptr[0] - '0';
    minor = version->u.text.ptr[2] - '0';
    if (major < 0 || major > 9 || minor < 0 || minor > 9 ||
        major * 10 + minor <= ret->version_major * 10 + ret->version_minor)
        return;
    ret->version_major = major;
    ret->version_minor = minor;
}

/* The value after "pdfaid:part", as an attribute or an element. */
static uint8_t
xmp_value(an_bytes xmp, an_bytes property)
{
    size_t at = an_bytes_find(xmp, property, 0);

    if (at == SIZE_MAX)
        return 0;
    at += property.len;
    while (at < xmp.len && strchr("=\"'> \t\r\n", xmp.ptr[at]))
        at++;
    return at < xmp.len ? xmp.ptr[at] : 0;
}

static void
read_pdfa(struct an_pdf *pdf)
{
    AN_CLEANUP(an_buf_free) struct an_buf xmp = an_buf_new(XMP_MAX);
    const struct an_pdf_obj *metadata;
    uint8_t part, conformance;

    if (pdf->pdfa_known)
        return;
    pdf->pdfa_known = true;
    metadata = an_pdf_at(pdf, AN_PDF_NOW, an_pdf_catalog(pdf, AN_PDF_NOW), "Metadata");
    if (metadata->kind != AN_PDF_STREAM || an_pdf_stream_data(pdf, metadata, XMP_MAX, &xmp, NULL) != AN_OK)
        return;
    part = xmp_value(an_buf_view(&xmp), AN_LIT("pdfaid:part"));
    conformance = xmp_value(an_buf_view(&xmp), AN_LIT("pdfaid:conformance"));
    if (part >= '1' && part <= '9')
        pdf->pdfa_part = part - '0';
    if (pdf->pdfa_part && ((conformance | 32) >= 'a' && (conformance | 32) <= 'z'))
        pdf->pdfa_conformance = (char)(conformance & ~32);
}

int
an_pdf_pdfa_part(struct an_pdf *pdf)
{
    read_pdfa(pdf);
    return pdf->pdfa_part;
}

static bool
is_script(struct an_pdf *pdf, const struct an_pdf_obj *action)
{
    return an_pdf_is_name(an_pdf_at(pdf, AN_PDF_NOW, action, "S"), "JavaScript");
}

static bool
has_javascript(struct an_pdf *pdf, const struct an_pdf_obj *catalog)
{
    const struct an_pdf_obj *events = an_pdf_at(pdf, AN_PDF_NOW, catalog, "AA");
    const struct an_pdf_obj *names = an_pdf_at(pdf, AN_PDF_NOW, catalog, "Names");

    if (is_script(pdf, an_pdf_at(pdf, AN_PDF_NOW, catalog, "OpenAction")) ||
        an_pdf_at(pdf, AN_PDF_NOW, names, "JavaScript")->kind == AN_PDF_DICT)
        return true;
    for (size_t i = 0; events->kind == AN_PDF_DICT && i < events->u.dict.count; i++)
        if (is_script(pdf, an_pdf_resolve(pdf, AN_PDF_NOW, &events->u.dict.entries[i].value)))
            return true;
    return false;
}

static bool
starts_linearized(const struct an_pdf *pdf)
{
    return an_bytes_find(an_bytes_slice(pdf->file, (size_t)pdf->header, 1024), AN_LIT("/Linearized"), 0) != SIZE_MAX;
}

size_t
an_pdf_usage_rights(struct an_pdf *pdf)
{
    static const char *const keys[] = {"UR3", "UR"};
    size_t count = 0, latest = an_pdf_latest(pdf);

    for (size_t k = 0; k < AN_COUNT(keys); k++) {
        uint64_t before = UINT64_MAX;

        for (size_t i = 0; i <= latest && i < RIGHTS_REVISIONS; i++) {
            const struct an_pdf_obj *perms = an_pdf_at(pdf, i, an_pdf_catalog(pdf, i), "Perms");
            const struct an_pdf_obj *rights = an_pdf_at(pdf, i, perms, keys[k]);

            if (rights->kind != AN_PDF_DICT || rights->offset == before || !an_pdf_dict_find(rights, "ByteRange"))
                continue;
            before = rights->offset;
            count++;
        }
    }
    return count;
}

void
an_pdf_describe(struct an_pdf *pdf, struct an_pdf_info *ret)
{
    struct an_pdf_info info = {0};
    const struct an_pdf_obj *catalog, *form;
    const struct an_pdf_section *section;
    int64_t size = 0;

    info.revision_count = an_pdf_latest(pdf) + 1;
    catalog = an_pdf_catalog(pdf, AN_PDF_NOW);
    form = an_pdf_at(pdf, AN_PDF_NOW, catalog, "AcroForm");
    read_version(pdf, catalog, &info);
    read_pdfa(pdf);
    info.is_encrypted = pdf->crypt != NULL;
    snprintf(info.encryption, sizeof info.encryption, "%s", an_pdf_crypt_name(pdf->crypt));
    info.is_linearized = starts_linearized(pdf);
    info.may_sign = an_pdf_may_sign(pdf);
    info.pdfa_part = pdf->pdfa_part;
    info.pdfa_conformance = pdf->pdfa_conformance;
    if (an_pdf_int(an_pdf_dict_find(an_pdf_trailer(pdf, AN_PDF_NOW), "Size"), &size) && size > 0 &&
        size <= AN_LIMIT_PDF_OBJECTS)
        info.object_count = (uint32_t)size;
    if (an_pdf_page_count(pdf, AN_PDF_NOW, &info.page_count, NULL) != AN_OK)
        info.page_count = 0;
    for (size_t i = 0; (section = an_pdf_section_at(pdf, i)) != NULL; i++) {
        info.has_xref_streams = info.has_xref_streams || section->is_stream;
        info.is_hybrid = info.is_hybrid || section->hybrid;
    }
    info.is_rebuilt = pdf->is_rebuilt;
    info.has_acroform = form->kind == AN_PDF_DICT;
    info.has_xfa = an_pdf_at(pdf, AN_PDF_NOW, form, "XFA")->kind != AN_PDF_NULL;
    info.has_usage_rights = an_pdf_dict_find(an_pdf_at(pdf, AN_PDF_NOW, catalog, "Perms"), "UR3") ||
                            an_pdf_dict_find(an_pdf_at(pdf, AN_PDF_NOW, catalog, "Perms"), "UR");
    info.has_javascript = has_javascript(pdf, catalog);
    *ret = info;
}

static void
note_features(struct an_pdf *pdf)
{
    struct an_pdf_info info;

    an_pdf_describe(pdf, &info);
    if (info.is_linearized)
        an_pdf_fault_note(pdf, AN_N_PDF_LINEARIZED, 0, 0);
    if (info.has_xfa)
        an_pdf_fault_note(pdf, AN_N_PDF_XFA, 0, 0);
    if (info.has_usage_rights)
        an_pdf_fault_note(pdf, AN_N_PDF_USAGE_RIGHTS, 0, 0);
    if (info.has_javascript)
        an_pdf_fault_note(pdf, AN_N_PDF_JAVASCRIPT, 0, 0);
}

/* Anything but white space behind the last %%EOF. */
static void
note_tail(struct an_pdf *pdf)
{
    uint64_t end = an_pdf_revision_at(pdf, AN_PDF_NOW)->end;

    while (end < pdf->file.len && (an_pdf_class[pdf->file.ptr[end]] & AN_PDF_SPACE))
        end++;
    if (end < pdf->file.len)
        an_pdf_fault_note(pdf, AN_N_PDF_TAIL, 0, end);
}

size_t
an_pdf_notes(struct an_pdf *pdf, an_code *ret, size_t max)
{
    size_t count = 0;

    note_features(pdf);
    note_tail(pdf);
    for (unsigned bit = 0; bit < 64; bit++)
        if (pdf->note_bits >> bit & 1) {
            if (count < max)
                ret[count] = (an_code)(AN_N_PDF_REBUILT + (int)bit);
            count++;
        }
    return count < max ? count : max;
}
