#include "service/registration/workbook.h"

#include "base/limits.h"
#include "proc/xml.h"
#include "registry/xlsx.h"

#include <string.h>

bool
an_workbook_is(an_bytes file)
{
    return an_bytes_starts_with(file, AN_LIT("PK\3\4"));
}

an_code
an_workbook_to_csv(an_bytes file, struct an_buf *out, struct an_err *reterr)
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
