/* A document of strangers through everything that antin-xml does with it, in-process. */
#include "xml/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    struct an_xml_part parts[] = {{"", AN_BYTES(data, size)}, {"", AN_LIT("<a>content</a>")}};
    const struct xml_input input = {parts, AN_COUNT(parts)};
    json_t *json = NULL;

    if (!started)
        xml_start();
    started = true;
    if (size == 0)
        return 0;
    if (xml_answer(&input, &json, NULL) == AN_OK)
        AN_ASSERT(json_is_array(json_object_get(json, "signatures")));
    json_decref(json);
    json = NULL;
    if (xml_answer_manifest(&input, &json, NULL) == AN_OK)
        AN_ASSERT(json_is_array(json_object_get(json, "entries")));
    json_decref(json);
    json = NULL;
    if (xml_answer_record(&input, &json, NULL) == AN_OK)
        AN_ASSERT(json_is_array(json_object_get(json, "chains")));
    json_decref(json);
    return 0;
}
