#include "service/registration/workbook.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "proc/xml.h"
#include "registry/xlsx.h"

#include <string.h>

#define ODS "application/vnd.oasis.opendocument.spreadsheet"

static an_code
workbook_to_csv(an_bytes file, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(an_xml_reader_free) struct an_xml_reader *reader = an_xml_reader_new(0);
    AN_CLEANUP(an_zip_free) struct an_zip *zip = NULL;
    an_bytes sheet = AN_NONE, strings = AN_NONE;

    size_t room = file.len < (AN_LIMIT_XLSX_BYTES - AN_LIMIT_XLSX_LEAST) / AN_LIMIT_XLSX_RATIO
            ? AN_LIMIT_XLSX_LEAST + file.len * AN_LIMIT_XLSX_RATIO : AN_LIMIT_XLSX_BYTES;

    AN_TRY(an_zip_read_within(reader, file, room, &zip, reterr));
    for (size_t i = 0; i < zip->count; i++) {
        if (strcmp(zip->entries[i].name, "xl/worksheets/sheet1.xml") == 0)
            sheet = zip->entries[i].bytes;
        if (strcmp(zip->entries[i].name, "xl/sharedStrings.xml") == 0)
            strings = zip->entries[i].bytes;
    }
    return an_xlsx_to_csv(sheet, strings, out, reterr);
}

/* "Unicode Text" of spreadsheet programs; the mark at its beginning says which octet of each comes first. */
static an_code
utf16_to_csv(an_bytes file, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf swapped = an_buf_new(AN_LIMIT_XLSX_BYTES);
    bool is_little = file.ptr[0] == 0xFF;

    file = an_bytes_slice(file, 2, file.len);
    for (size_t i = 0; is_little && i + 1 < file.len; i += 2) {
        an_buf_byte(&swapped, file.ptr[i + 1]);
        an_buf_byte(&swapped, file.ptr[i]);
    }
    if (file.len % 2 != 0 || !an_buf_ok(&swapped) ||
        !an_utf8_of_utf16be(out, is_little ? an_buf_view(&swapped) : file) || !an_buf_ok(out))
        AN_FAIL(reterr, AN_E_CSV, "UTF-16");
    return AN_OK;
}

/* The name of a format that is none of ours; NULL = no such. An .ods has its type as its first member, stored. */
static const char *
foreign_format(an_bytes file)
{
    if (an_bytes_starts_with(file, AN_LIT("\xD0\xCF\x11\xE0")))
        return ".xls";
    if (an_bytes_starts_with(file, AN_LIT("PK\3\4")) &&
        an_bytes_find(an_bytes_slice(file, 0, 200), AN_LIT(ODS), 0) != SIZE_MAX)
        return ".ods";
    return NULL;
}

an_code
an_list_to_csv(an_bytes file, struct an_buf *own, an_bytes *ret, struct an_err *reterr)
{
    const char *foreign = foreign_format(file);
    bool is_utf16 = an_bytes_starts_with(file, AN_LIT("\xFF\xFE")) || an_bytes_starts_with(file, AN_LIT("\xFE\xFF"));

    if (foreign != NULL)
        AN_FAIL(reterr, AN_E_LIST_FORMAT, "%s", foreign);
    *ret = file;
    if (!is_utf16 && !an_bytes_starts_with(file, AN_LIT("PK\3\4")))
        return AN_OK;
    AN_TRY(is_utf16 ? utf16_to_csv(file, own, reterr) : workbook_to_csv(file, own, reterr));
    *ret = an_buf_view(own);
    return AN_OK;
}
