/* Reading the manifests of the given vectors and asking the verifier; shared by the tests of this room. */
#pragma once

#include <jansson.h>

#include "base/file.h"
#include "cms/cms.h"
#include "verify/verify.h"

struct case_files {
    struct an_certs anchors, untrusted;
    struct an_crls crls;
    struct an_ocsps ocsps;
    struct an_buf content;
    struct an_buf named_bytes[8];
    struct an_named_content named[8]; size_t named_count;
};
struct case_result {
    const char *class_;   /* intact, unproven, modified, broken, timestamp-bad, no-signature, error */
    an_code code;
    struct an_err err;
    struct an_report report;
};

const char *vectors_folder(void); /* NULL when they are not here */
const char *text_of(const json_t *object, const char *key);
/* One line of a manifest at a time; false at the end. */
typedef void (*case_fn)(void *context, const json_t *row);
size_t each_case(const char *manifest, case_fn fn, void *context);
void run_case(struct an_verifier *verifier, const json_t *row, const char *policy, struct case_result *ret);
void case_result_done(struct case_result *result);
/* exceptions.tsv: why an expectation does not hold here; EXCEPT_NONE when it must. */
enum exception { EXCEPT_NONE, EXCEPT_SAID, EXCEPT_SILENT, EXCEPT_ABSENT, EXCEPT_OTHER };
enum exception exception_of(const char *id);
