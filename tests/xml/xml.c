/* antin-xml through its client: what is refused, what is seen, and that nothing outside the question is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/map.h"
#include "crypto/crypto.h"
#include "proc/xml.h"

#include <cmocka.h>
#include <zlib.h>

static struct an_xml_reader *reader;

/* ---- XML ---- */
#define DS "http://www.w3.org/2000/09/xmldsig#"
#define SIGNATURE(references)                                                                                          \
    "<ds:Signature xmlns:ds='" DS "'><ds:SignedInfo>"                                                                  \
    "<ds:CanonicalizationMethod Algorithm='http://www.w3.org/2001/10/xml-exc-c14n#'/>"                                 \
    "<ds:SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/>" references                   \
    "</ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"
#define REFERENCE(uri, transforms, digest)                                                                             \
    "<ds:Reference URI=\"" uri "\">" transforms                                                                        \
    "<ds:DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/><ds:DigestValue>" digest                    \
    "</ds:DigestValue></ds:Reference>"
#define ENVELOPED "<ds:Transforms><ds:Transform Algorithm='" DS "enveloped-signature'/></ds:Transforms>"
#define XSLT                                                                                                           \
    "<ds:Transforms><ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'/></ds:Transforms>"
/* sha256 of "<a><b Id=\"x\">1</b></a>", of "<b Id=\"x\">1</b>" and of "hello", by openssl */
#define WHOLE "56sG++XRF5vBCRbo8xMzJrbLJwRdIN0XJkqchNlSNVI="
#define PART "XJZX+yb7w644FSxmkc+UIYel1npoBYNvo4H8ds4RpGw="
#define HELLO "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="

static const struct { const char *name, *xml; enum an_xml_state state; const char *covers, *coverage; } documents[] = {
    {"whole", "<a><b Id=\"x\">1</b>" SIGNATURE(REFERENCE("", ENVELOPED, WHOLE)) "</a>", AN_XML_MATCHES, "document", "whole-file"},
    {"whole, changed", "<a><b Id=\"x\">2</b>" SIGNATURE(REFERENCE("", ENVELOPED, WHOLE)) "</a>", AN_XML_DIFFERS, "document", "none"},
    {"beside", "<a><b Id=\"x\">1</b>" SIGNATURE(REFERENCE("#x", "", PART)) "</a>", AN_XML_MATCHES, "element", "whole-file"},
    {"part", "<a><b Id=\"x\">1</b><c>more</c>" SIGNATURE(REFERENCE("#x", "", PART)) "</a>", AN_XML_MATCHES, "element", "part"},
    {"wrapped away", "<a><b Id=\"y\">2</b><w><b Id=\"x\">1</b></w>" SIGNATURE(REFERENCE("#x", "", PART)) "</a>",
     AN_XML_MATCHES, "element", "part"},
    {"twice", "<a><b Id=\"x\">1</b><b Id=\"x\">1</b>" SIGNATURE(REFERENCE("#x", "", PART)) "</a>", AN_XML_AMBIGUOUS, "nodes", "none"},
    {"twice, other case", "<a><b Id=\"x\">1</b><b ID=\"x\">2</b>" SIGNATURE(REFERENCE("#x", "", PART)) "</a>",
     AN_XML_AMBIGUOUS, "nodes", "none"},
    {"missing", "<a><b Id=\"x\">1</b>" SIGNATURE(REFERENCE("#z", "", PART)) "</a>", AN_XML_MISSING, "nodes", "none"},
    {"by pointer", "<a><b Id=\"x\">1</b>" SIGNATURE(REFERENCE("#xpointer(id('x'))", "", PART)) "</a>", AN_XML_MATCHES,
     "element", "whole-file"},
    {"program", "<a><b Id=\"x\">1</b>" SIGNATURE(REFERENCE("#x", XSLT, PART)) "</a>", AN_XML_REFUSED, "element", "none"},
    {"a file", "<a>" SIGNATURE(REFERENCE("file:///etc/hostname", "", PART)) "</a>", AN_XML_MISSING, "external", "none"},
    {"a given file", "<a>" SIGNATURE(REFERENCE("hello.txt", "", HELLO)) "</a>", AN_XML_MATCHES, "external", "whole-file"},
    {"percent", "<a>" SIGNATURE(REFERENCE("h%65llo.txt", "", HELLO)) "</a>", AN_XML_MATCHES, "external", "whole-file"},
};

static void
test_references(void **state)
{
    const struct an_xml_part parts[] = {{"other.txt", AN_LIT("no")}, {"hello.txt", AN_LIT("hello")}};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(documents); i++) {
        struct an_xml_document *document = NULL;
        struct an_err err = {0};

        assert_int_equal(an_xml_read(reader, an_bytes_of_str(documents[i].xml), parts, AN_COUNT(parts), &document, &err), AN_OK);
        assert_int_equal(document->signature_count, 1);
        assert_int_equal(document->signatures[0].reference_count, 1);
        if (document->signatures[0].references[0].state != documents[i].state ||
            strcmp(document->signatures[0].references[0].covers, documents[i].covers) != 0 ||
            strcmp(document->signatures[0].coverage, documents[i].coverage) != 0)
            fail_msg("%s: state %d, covers %s, coverage %s", documents[i].name,
                     (int)document->signatures[0].references[0].state, document->signatures[0].references[0].covers,
                     document->signatures[0].coverage);
        an_xml_document_free(&document);
    }
}

/* A million laughs, entities from outside, deep nesting, no XML at all. */
static void
test_hostile(void **state)
{
    static const char laughs[] = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaaaaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
                                 "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
                                 "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
                                 "<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'>]><a>&g;&g;&g;</a>";
    static const char outside[] = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a Id='x'>&x;</a>";
    struct an_xml_document *document = NULL;
    struct an_buf deep = an_buf_new(1 << 20);
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_xml_read(reader, AN_LIT("hello"), NULL, 0, &document, &err), AN_E_XML_PARSE);
    assert_int_equal(an_xml_read(reader, an_bytes_of_str(laughs), NULL, 0, &document, &err), AN_E_XML_PARSE);
    if (an_xml_read(reader, an_bytes_of_str(outside), NULL, 0, &document, &err) == AN_OK)
        assert_true(document->has_dtd && document->signature_count == 0);
    an_xml_document_free(&document);
    for (size_t i = 0; i < 300; i++)
        an_buf_str(&deep, "<a>");
    for (size_t i = 0; i < 300; i++)
        an_buf_str(&deep, "</a>");
    assert_int_not_equal(an_xml_read(reader, an_buf_view(&deep), NULL, 0, &document, &err), AN_OK);
    an_buf_free(&deep);
}

/* ---- ZIP, written here byte by byte ---- */
struct row { const char *name, *content; bool deflated; };
struct fault { bool wrong_sum, other_local_name, encrypted, lies_about_size, two_ends, cut; };

static void
put(struct an_buf *out, uint32_t value, int octets)
{
    for (int i = 0; i < octets; i++)
        an_buf_byte(out, (uint8_t)((uint64_t)value >> (8 * i)));
}

static uint32_t
pack(const struct row *row, uint8_t *out, uint32_t room)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)row->content, .avail_in = (uInt)strlen(row->content), .next_out = out,
                       .avail_out = room};

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return (uint32_t)stream.total_out;
}

static void
put_fields(struct an_buf *out, const struct row *row, const struct fault *fault, uint32_t packed)
{
    uint32_t sum = (uint32_t)crc32(0, (const Bytef *)row->content, (uInt)strlen(row->content));

    put(out, 20, 2);
    put(out, fault->encrypted, 2);
    put(out, row->deflated ? 8 : 0, 2);
    put(out, 0, 4);
    put(out, sum ^ fault->wrong_sum, 4);
    put(out, packed, 4);
    put(out, (uint32_t)strlen(row->content) + (fault->lies_about_size ? 7 : 0), 4);
    put(out, (uint32_t)strlen(row->name), 2);
}

static void
build_zip(struct an_buf *out, const struct row *rows, size_t count, const struct fault *fault)
{
    struct an_buf central = an_buf_new(1 << 20);
    uint8_t packed[4096];
    size_t start;

    for (size_t i = 0; i < count; i++) {
        uint32_t len = rows[i].deflated ? pack(&rows[i], packed, sizeof(packed)) : (uint32_t)strlen(rows[i].content);

        put(&central, 0x02014b50, 4);
        put(&central, 20, 2);
        put_fields(&central, &rows[i], fault, len);
        put(&central, 0, 4);
        put(&central, 0, 8);
        put(&central, (uint32_t)out->len, 4);
        an_buf_str(&central, rows[i].name);
        put(out, 0x04034b50, 4);
        put_fields(out, &rows[i], fault, len);
        put(out, 0, 2);
        an_buf_str(out, rows[i].name);
        if (fault->other_local_name)
            out->ptr[out->len - 1] ^= 1;
        an_buf_append(out, rows[i].deflated ? AN_BYTES(packed, len) : an_bytes_of_str(rows[i].content));
    }
    start = out->len;
    an_buf_append(out, an_buf_view(&central));
    for (int ends = 0; ends < 1 + fault->two_ends; ends++) {
        put(out, 0x06054b50, 4);
        put(out, 0, 4);
        put(out, (uint32_t)count, 2);
        put(out, (uint32_t)count, 2);
        put(out, (uint32_t)central.len, 4);
        put(out, (uint32_t)start, 4);
        put(out, fault->two_ends && ends == 0 ? 22 : 0, 2);
    }
    if (fault->cut)
        out->len -= 30;
    an_buf_free(&central);
}

static an_code
unzip(const struct row *rows, size_t count, const struct fault *fault, struct an_zip **ret)
{
    struct an_buf bytes = an_buf_new(1 << 20);
    struct an_err err = {0};
    an_code code;

    build_zip(&bytes, rows, count, fault);
    code = an_zip_read(reader, an_buf_view(&bytes), ret, &err);
    an_buf_free(&bytes);
    return code;
}

static void
test_zip(void **state)
{
    static const struct row rows[] = {
        {"mimetype", "application/vnd.etsi.asic-e+zip", false}, {"thư mục/văn bản.txt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
        {"empty", "", false},
    };
    struct an_zip *zip = NULL;

    (void)state;
    assert_int_equal(unzip(rows, AN_COUNT(rows), &(struct fault){0}, &zip), AN_OK);
    assert_int_equal(zip->count, AN_COUNT(rows));
    for (size_t i = 0; i < zip->count; i++) {
        assert_string_equal(zip->entries[i].name, rows[i].name);
        assert_true(an_bytes_eq_str(zip->entries[i].bytes, rows[i].content));
    }
    an_zip_free(&zip);
}

static void
test_zip_faults(void **state)
{
    static const struct row one[] = {{"a.txt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true}};
    static const struct row twice[] = {{"a.txt", "1", false}, {"a.txt", "2", false}};
    static const struct fault faults[] = {
        {.wrong_sum = true}, {.other_local_name = true}, {.encrypted = true}, {.lies_about_size = true}, {.two_ends = true}, {.cut = true},
    };
    struct an_zip *zip = NULL;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(faults); i++)
        if (unzip(one, 1, &faults[i], &zip) != AN_E_XML_ZIP)
            fail_msg("fault %zu was not refused", i);
    assert_int_equal(unzip(twice, 2, &(struct fault){0}, &zip), AN_E_XML_ZIP);
}

static void
test_manifest(void **state)
{
    static const char xml[] = "<asic:ASiCManifest xmlns:asic='http://uri.etsi.org/02918/v1.2.1#'><asic:SigReference URI='META-INF/s.p7s'/>"
                              "<asic:DataObjectReference URI='a%20b.txt'><DigestMethod xmlns='" DS "' "
                              "Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/><DigestValue xmlns='" DS "'>" HELLO
                              "</DigestValue></asic:DataObjectReference></asic:ASiCManifest>";
    struct an_manifest *manifest = NULL;
    struct an_err err = {0};
    uint8_t digest[AN_DIGEST_MAX];

    (void)state;
    assert_int_equal(an_manifest_read(reader, an_bytes_of_str(xml), &manifest, &err), AN_OK);
    assert_string_equal(manifest->sig_uri, "META-INF/s.p7s");
    assert_int_equal(manifest->count, 1);
    assert_int_equal(manifest->entries[0].digest, AN_SHA256);
    an_hash_once(AN_SHA256, AN_LIT("hello"), digest);
    assert_true(an_bytes_eq(manifest->entries[0].value, AN_BYTES(digest, 32)));
    an_manifest_free(&manifest);
    assert_int_equal(an_manifest_read(reader, AN_LIT("<a/>"), &manifest, &err), AN_E_XML_PARSE);
}

static int
start(void **state)
{
    (void)state;
    an_child_look_in(getenv("ANTIN_HELPERS"));
    reader = an_xml_reader_new(0);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    an_xml_reader_free(&reader);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references), cmocka_unit_test(test_hostile),  cmocka_unit_test(test_zip),
        cmocka_unit_test(test_zip_faults), cmocka_unit_test(test_manifest),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
