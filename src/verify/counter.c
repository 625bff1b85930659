/*
 * Counter-signatures in CMS (RFC 5652, 11.4): one more SignerInfo in an unsigned attribute, over the signature value of
 * the signer that carries it, and perhaps counter-signed itself. Each is judged as a signature of its own; what it
 * signs is a signature, not the document, and it gives the document no effect.
 */
#include "verify/cms_reader.h"

static const char id_counter[] = "1.2.840.113549.1.9.6";

struct counter {
    struct an_cms_signer signer;
    an_bytes over;  /* the signature value that it signs */
    char *field;    /* "#1.2": the second on the first */
    an_code parse;
};
struct counters { struct counter *items; size_t count; };

static size_t
count_on(const struct an_cms_signer *signer)
{
    size_t count = 0;

    for (size_t i = 0; i < signer->unsigned_count; i++) {
        an_bytes values = signer->unsigned_attributes[i].values, info;

        while (an_oid_eq(signer->unsigned_attributes[i].oid, id_counter) && values.len &&
               an_der_take(&values, AN_DER_SEQUENCE, &info, NULL) == AN_OK)
            count++;
    }
    return count;
}

/* Room for all that can be there, nested ones included. */
size_t
an_counter_count(const struct an_cms *cms)
{
    for (size_t i = 0; i < cms->signer_count; i++)
        if (count_on(&cms->signers[i]))
            return AN_LIMIT_CMS_SIGNERS;
    return 0;
}

static void
collect(struct counters *counters, const struct an_cms_signer *signer, const char *field)
{
    size_t number = 0;

    for (size_t i = 0; i < signer->unsigned_count; i++) {
        an_bytes values = signer->unsigned_attributes[i].values, info;

        while (an_oid_eq(signer->unsigned_attributes[i].oid, id_counter) && values.len &&
               counters->count < AN_LIMIT_CMS_SIGNERS &&
               an_der_take_whole(&values, AN_DER_SEQUENCE, &info, NULL) == AN_OK) {
            struct counter *counter = &counters->items[counters->count++];

            counter->over = signer->signature;
            counter->field = an_asprintf("%s.%zu", field, ++number);
            counter->parse = an_cms_counter_parse(info, &counter->signer, NULL);
        }
    }
}

static void
verify_one(const struct an_cms_input *input, struct counter *counter)
{
    const struct an_cms_signer *signer = &counter->signer;
    uint8_t digest[AN_DIGEST_MAX];
    struct an_case sig;

    an_case_begin(&sig, input->job, input->format);
    sig.report->field = an_strdup(counter->field);
    sig.report->is_counter = true;
    an_finding_add(sig.report, "cms.counter", AN_FINDING_NOTE, AN_N_XML_COUNTER, "%s", "");
    if (counter->parse != AN_OK) {
        an_step_set(&sig.structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s", an_message_find(counter->parse)->en);
    } else {
        an_case_take_signer(&sig, signer);
        an_case_read_stamps(&sig, signer);
        if (signer->digest != AN_DIGEST_NONE)
            an_hash_once(signer->digest, counter->over, digest);
        an_case_check_cms(&sig, input->cms, signer, AN_NONE,
                          signer->digest != AN_DIGEST_NONE ? AN_BYTES(digest, an_digest_size(signer->digest))
                          : AN_NONE);
    }
    an_case_conclude(&sig);
    an_case_done(&sig);
}

void
an_counter_verify(const struct an_cms_input *input)
{
    struct counters counters = {0};

    if (!an_counter_count(input->cms))
        return;
    counters.items = an_new_array(AN_LIMIT_CMS_SIGNERS, sizeof(*counters.items));
    for (size_t i = 0; i < input->cms->signer_count; i++) {
        char *field = an_asprintf("#%zu", i + 1);

        collect(&counters, &input->cms->signers[i], field);
        free(field);
    }
    for (size_t i = 0; i < counters.count; i++) { /* the list grows by what stands on those in it */
        if (counters.items[i].parse == AN_OK)
            collect(&counters, &counters.items[i].signer, counters.items[i].field);
        verify_one(input, &counters.items[i]);
    }
    for (size_t i = 0; i < counters.count; i++) {
        an_cms_signer_done(&counters.items[i].signer);
        free(counters.items[i].field);
    }
    free(counters.items);
}
