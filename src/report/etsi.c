/*
 * The validation report of ETSI TS 119 102-2: for each signature its identifier, the constraints that were evaluated,
 * the times, the signer, the status; then every object that was used, with its id, so that another validator can
 * follow.
 */
#include "report/etsi.h"

#include "base/buf.h"
#include "base/map.h"

#include <ctype.h>

#define SHA256_URI "http://www.w3.org/2001/04/xmlenc#sha256"
#define ID_MAX 80

/* ---- ids ---- */
static const char *
object_id(char kind, an_bytes bytes, char ret[static ID_MAX])
{
    uint8_t digest[AN_DIGEST_MAX];
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(128);

    an_hash_once(AN_SHA256, bytes, digest);
    an_buf_hex(&hex, AN_BYTES(digest, 32));
    for (size_t i = 0; i < hex.len; i++)
        hex.ptr[i] = (uint8_t)toupper(hex.ptr[i]);
    snprintf(ret, ID_MAX, "%c-%.*s", kind, AN_FMT(an_buf_view(&hex)));
    return ret;
}

void
etsi_write_reference(struct etsi *etsi, const char *name, char kind, an_bytes object)
{
    char id[ID_MAX];

    xml_empty(&etsi->xml, name, "VOReference", object_id(kind, object, id));
}

static void
write_digest(struct etsi *etsi, const uint8_t digest[static 32])
{
    xml_open(&etsi->xml, "DigestAlgAndValue", NULL, NULL);
    xml_empty(&etsi->xml, "ds:DigestMethod", "Algorithm", SHA256_URI);
    xml_base64(&etsi->xml, "ds:DigestValue", AN_BYTES(digest, 32));
    xml_close(&etsi->xml);
}

void
etsi_write_time(struct etsi *etsi, const char *name, an_time when)
{
    char text[AN_TIME_TEXT_MAX];

    xml_text(&etsi->xml, name, an_time_format_utc(when, text));
}

/* ---- status ---- */
static void
write_indication(struct etsi *etsi, const char *main, const char *sub)
{
    AN_CLEANUP(an_free_ptr) char *uri = an_asprintf("urn:etsi:019102:mainindication:%s", main);
    AN_CLEANUP(an_free_ptr) char *sub_uri = an_asprintf("urn:etsi:019102:subindication:%s", sub ? sub : "");

    xml_text(&etsi->xml, "MainIndication", uri);
    if (sub && *sub)
        xml_text(&etsi->xml, "SubIndication", sub_uri);
}

static const char *
main_word(enum an_indication indication)
{
    return indication == AN_TOTAL_PASSED   ? "total-passed"
           : indication == AN_TOTAL_FAILED ? "total-failed"
                                           : "indeterminate";
}

static void
write_chain(struct etsi *etsi, const struct an_signature_report *s)
{
    if (!s->chain_count)
        return;
    if (s->chain_count > 1)
        etsi_write_reference(etsi, "TrustAnchor", 'C', s->chain[s->chain_count - 1]->der);
    xml_open(&etsi->xml, "CertificateChain", NULL, NULL);
    for (size_t i = 0; i < s->chain_count; i++)
        etsi_write_reference(etsi,
                        i == 0                   ? "SigningCertificate"
                        : i + 1 < s->chain_count ? "IntermediateCertificate"
                                                 : "TrustAnchor",
                        'C', s->chain[i]->der);
    xml_close(&etsi->xml);
}

static void
write_status(struct etsi *etsi, const struct an_signature_report *s, const char *signature_id)
{
    bool has_data = s->chain_count || s->revoked.cert || s->crypto.is_known;

    xml_open(&etsi->xml, "SignatureValidationStatus", NULL, NULL);
    write_indication(etsi, main_word(s->indication), s->sub_indication);
    if (has_data) {
        xml_open(&etsi->xml, "AssociatedValidationReportData", NULL, NULL);
        write_chain(etsi, s);
        etsi_write_revoked(etsi, &s->revoked);
        etsi_write_crypto(etsi, &s->crypto, signature_id);
        xml_close(&etsi->xml);
    }
    xml_close(&etsi->xml);
}

/* ---- constraints ---- */
static void
write_policy(struct etsi *etsi, const char *id)
{
    const struct an_policy *policy = NULL;
    AN_CLEANUP(an_free_ptr) char *uri = an_asprintf("urn:x-antin:policy:%s", id);

    xml_open(&etsi->xml, "SignatureValidationPolicy", NULL, NULL);
    xml_open(&etsi->xml, "SignaturePolicyIdentifier", NULL, NULL);
    xml_empty(&etsi->xml, "xades:SignaturePolicyImplied", NULL, NULL);
    xml_close(&etsi->xml);
    if (etsi->context->regulations && an_policy_find(etsi->context->regulations, id, &policy, NULL) == AN_OK)
        xml_text(&etsi->xml, "PolicyName", PICK(etsi->context, policy->name_vi, policy->name_en));
    xml_text(&etsi->xml, "FormalPolicyURI", uri);
    xml_close(&etsi->xml);
}

static void
write_constraint(struct etsi *etsi, const struct an_finding *finding)
{
    static const char *const words[] = {
        [AN_FINDING_PASSED] = "passed", [AN_FINDING_INDETERMINATE] = "indeterminate", [AN_FINDING_FAILED] = "failed"};
    bool applied = finding->status < AN_COUNT(words);
    AN_CLEANUP(an_free_ptr) char *uri = an_asprintf("urn:x-antin:rule:%s", finding->rule);

    xml_open(&etsi->xml, "ValidationConstraint", NULL, NULL);
    xml_text(&etsi->xml, "ValidationConstraintIdentifier", uri);
    xml_open(&etsi->xml, "ConstraintStatus", NULL, NULL);
    xml_text(&etsi->xml, "Status",
             applied ? "urn:etsi:019102:constraintStatus:applied" : "urn:etsi:019102:constraintStatus:disabled");
    xml_close(&etsi->xml);
    if (applied) {
        xml_open(&etsi->xml, "ValidationStatus", NULL, NULL);
        write_indication(etsi, words[finding->status], NULL);
        xml_close(&etsi->xml);
    }
    xml_text(&etsi->xml, "Indications", report_message(etsi->context, finding->code));
    xml_close(&etsi->xml);
}

static void
write_constraints(struct etsi *etsi, const struct an_report_paper *paper, const struct an_signature_report *s)
{
    xml_open(&etsi->xml, "ValidationConstraintsEvaluationReport", NULL, NULL);
    write_policy(etsi, paper->policy);
    for (size_t i = 0; i < s->finding_count; i++)
        if (s->findings[i].status != AN_FINDING_NOTE)
            write_constraint(etsi, &s->findings[i]);
    xml_close(&etsi->xml);
}

/* ---- one signature ---- */
static void
write_identifier(struct etsi *etsi, const struct an_signature_report *s, const char *id)
{
    xml_open(&etsi->xml, "SignatureIdentifier", "id", id);
    if (s->value_len)
        xml_base64(&etsi->xml, "ds:SignatureValue", AN_BYTES(s->value, s->value_len));
    xml_text(&etsi->xml, "HashOnly", "false");
    xml_text(&etsi->xml, "DocHashOnly", "false");
    if (s->field && *s->field)
        xml_text(&etsi->xml, "DAIdentifier", s->field);
    xml_close(&etsi->xml);
}

static void
write_times(struct etsi *etsi, const struct an_report_paper *paper, const struct an_signature_report *s)
{
    bool proven = s->best_time != AN_TIME_NONE;

    xml_open(&etsi->xml, "ValidationTimeInfo", NULL, NULL);
    etsi_write_time(etsi, "ValidationTime", paper->at);
    xml_open(&etsi->xml, "BestSignatureTime", NULL, NULL);
    etsi_write_time(etsi, "POETime", proven ? s->best_time : paper->at);
    xml_text(&etsi->xml, "TypeOfProof", "urn:etsi:019102:poetype:validation");
    for (size_t i = 0; proven && i < s->time_stamp_count; i++)
        if (s->time_stamps[i].token_len && s->time_stamps[i].gen_time == s->best_time) {
            etsi_write_reference(etsi, "POEObject", 'T', AN_BYTES(s->time_stamps[i].token,
                                                                  s->time_stamps[i].token_len));
            break;
        }
    xml_close(&etsi->xml);
    xml_close(&etsi->xml);
}

static void
write_attributes(struct etsi *etsi, const struct an_signature_report *s)
{
    static const struct {
        const char *kind, *name;
    } names[] = {{"signature", "SignatureTimeStamp"},
                 {"document", "DocTimeStamp"},
                 {"archive", "ArchiveTimeStamp"},
                 {"content", "AllDataObjectsTimeStamp"}};

    if (s->claimed_time == AN_TIME_NONE && !s->time_stamp_count)
        return;
    xml_open(&etsi->xml, "SignatureAttributes", NULL, NULL);
    if (s->claimed_time != AN_TIME_NONE) {
        xml_open(&etsi->xml, "SigningTime", "Signed", "true");
        etsi_write_time(etsi, "Time", s->claimed_time);
        xml_close(&etsi->xml);
    }
    for (size_t i = 0; i < s->time_stamp_count; i++)
        for (size_t k = 0; k < AN_COUNT(names); k++) {
            const struct an_time_stamp_report *t = &s->time_stamps[i];
            if (strcmp(names[k].kind, t->kind) != 0 || t->gen_time == AN_TIME_NONE)
                continue;
            xml_open(&etsi->xml, names[k].name, NULL, NULL);
            if (t->token_len)
                etsi_write_reference(etsi, "AttributeObject", 'T', AN_BYTES(t->token, t->token_len));
            etsi_write_time(etsi, "TimeStampValue", t->gen_time);
            xml_close(&etsi->xml);
        }
    xml_close(&etsi->xml);
}

static const char *
process_of(const char *level)
{
    return level && strcmp(level, "B-LTA") == 0 ? "urn:etsi:019102:validationprocess:LTA"
           : level && (strcmp(level, "B-T") == 0 || strcmp(level, "B-LT") == 0)
               ? "urn:etsi:019102:validationprocess:LTVM"
               : "urn:etsi:019102:validationprocess:Basic";
}

static void
write_signature(struct etsi *etsi, const struct an_report_paper *paper, size_t at)
{
    const struct an_signature_report *s = &paper->report->signatures[at];
    AN_CLEANUP(an_free_ptr) char *seed = an_asprintf("%s %zu %s", paper->file, at, s->field ? s->field : "");
    char id[ID_MAX];

    object_id('S', an_bytes_of_str(seed), id);
    xml_open(&etsi->xml, "SignatureValidationReport", NULL, NULL);
    write_identifier(etsi, s, id);
    write_constraints(etsi, paper, s);
    write_times(etsi, paper, s);
    xml_open(&etsi->xml, "SignersDocument", NULL, NULL);
    write_digest(etsi, paper->sha256);
    xml_close(&etsi->xml);
    write_attributes(etsi, s);
    if (s->cert) {
        xml_open(&etsi->xml, "SignerInformation", NULL, NULL);
        etsi_write_reference(etsi, "SignerCertificate", 'C', s->cert->der);
        xml_text(&etsi->xml, "Signer", s->signer ? s->signer : "");
        xml_close(&etsi->xml);
    }
    xml_open(&etsi->xml, "SignatureValidationProcess", NULL, NULL);
    xml_text(&etsi->xml, "SignatureValidationProcessID", process_of(s->level));
    xml_close(&etsi->xml);
    write_status(etsi, s, id);
    xml_close(&etsi->xml);
}

/* ---- the objects ---- */
/* Where an object was used: its signature, whose proofs of existence are the object's too. */
struct use { const struct an_report_paper *paper; const struct an_signature_report *signature; };

/* When an object is known to have existed; and what a time-stamp itself proves: the signature that it covers. */
static void
write_poe(struct etsi *etsi, const struct use *used, const struct an_time_stamp_report *stamp)
{
    const struct an_signature_report *s = used->signature;
    bool proves = stamp && stamp->indication == AN_TOTAL_PASSED && s && s->value_len > 0 &&
        strcmp(stamp->kind, "content") != 0;
    uint8_t digest[AN_DIGEST_MAX];

    xml_open(&etsi->xml, "POE", NULL, NULL);
    etsi_write_time(etsi, "POETime", used->paper->at);
    xml_text(&etsi->xml, "TypeOfProof", "urn:etsi:019102:poetype:validation");
    xml_close(&etsi->xml);
    if (!proves)
        return;
    an_hash_once(AN_SHA256, AN_BYTES(s->value, s->value_len), digest);
    xml_open(&etsi->xml, "POEProvisioning", NULL, NULL);
    etsi_write_time(etsi, "POETime", stamp->gen_time);
    xml_open(&etsi->xml, "SignatureReference", NULL, NULL);
    xml_text(&etsi->xml, "DigestMethod", SHA256_URI);
    xml_base64(&etsi->xml, "DigestValue", AN_BYTES(digest, 32));
    xml_close(&etsi->xml);
    xml_close(&etsi->xml);
}

static void
write_object(struct etsi *etsi, char kind, const char *type, an_bytes bytes, const struct use *used,
             const struct an_time_stamp_report *stamp)
{
    AN_CLEANUP(an_free_ptr) char *uri = an_asprintf("urn:etsi:019102:validationObject:%s", type);
    char id[ID_MAX];

    object_id(kind, bytes, id);
    if (an_map_find(etsi->objects, an_bytes_of_str(id)))
        return;
    an_map_put(etsi->objects, an_bytes_of_str(id), etsi);
    xml_open(&etsi->xml, "ValidationObject", "id", id);
    xml_text(&etsi->xml, "ObjectType", uri);
    xml_open(&etsi->xml, "ValidationObjectRepresentation", NULL, NULL);
    xml_base64(&etsi->xml, "base64", bytes);
    xml_close(&etsi->xml);
    write_poe(etsi, used, stamp);
    if (stamp) {
        xml_open(&etsi->xml, "ValidationReport", NULL, NULL);
        xml_open(&etsi->xml, "SignatureValidationStatus", NULL, NULL);
        write_indication(etsi,
                         stamp->indication == AN_TOTAL_PASSED   ? "passed"
                         : stamp->indication == AN_TOTAL_FAILED ? "failed"
                                                                : "indeterminate",
                         stamp->sub_indication);
        xml_close(&etsi->xml);
        xml_close(&etsi->xml);
    }
    xml_close(&etsi->xml);
}

static void
write_objects(struct etsi *etsi, const struct an_report_paper *paper)
{
    AN_CLEANUP(report_selection_done) struct report_selection used;
    struct use use = {.paper = paper};

    report_select(paper->report, false, &used);
    for (size_t i = 0; i < used.certs.count; i++)
        write_object(etsi, 'C', "certificate", used.certs.items[i]->der, &use, NULL);
    for (size_t i = 0; i < used.crls.count; i++)
        write_object(etsi, 'R', "CRL", used.crls.items[i]->der, &use, NULL);
    for (size_t i = 0; i < used.ocsps.count; i++)
        write_object(etsi, 'O', "OCSPResponse", used.ocsps.items[i]->der, &use, NULL);
    for (size_t i = 0; i < paper->report->signature_count; i++)
        for (size_t k = 0; k < paper->report->signatures[i].time_stamp_count; k++) {
            const struct an_time_stamp_report *t = &paper->report->signatures[i].time_stamps[k];
            use.signature = &paper->report->signatures[i];
            if (t->token_len)
                write_object(etsi, 'T', "timestamp", AN_BYTES(t->token, t->token_len), &use, t);
        }
}

static bool
has_objects(const struct an_report_paper *papers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < papers[i].report->signature_count; k++)
            if (papers[i].report->signatures[k].cert || papers[i].report->signatures[k].time_stamp_count)
                return true;
    return false;
}

/* Document time-stamps are objects, not signatures; a file that has nothing else is reported by them. */
static bool
has_signature(const struct an_report *report)
{
    for (size_t i = 0; i < report->signature_count; i++)
        if (!report->signatures[i].is_time_stamp)
            return true;
    return false;
}

void
an_report_write_etsi(const struct an_report_context *context, const struct an_report_paper *papers, size_t count,
                     struct an_buf *out)
{
    struct etsi etsi = {.context = context, .objects = an_map_new()};

    xml_start(&etsi.xml, out);
    xml_open(
        &etsi.xml,
        "ValidationReport xmlns=\"http://uri.etsi.org/19102/v1.2.1#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" "
        "xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\"",
        NULL, NULL);
    etsi.xml.open[0] = "ValidationReport";
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < papers[i].report->signature_count; k++)
            if (!papers[i].report->signatures[k].is_time_stamp || !has_signature(papers[i].report))
                write_signature(&etsi, &papers[i], k);
    if (has_objects(papers, count)) {
        xml_open(&etsi.xml, "SignatureValidationObjects", NULL, NULL);
        for (size_t i = 0; i < count; i++)
            write_objects(&etsi, &papers[i]);
        xml_close(&etsi.xml);
    }
    xml_close(&etsi.xml);
    an_map_free(&etsi.objects);
}
