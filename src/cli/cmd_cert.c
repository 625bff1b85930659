/* antin cert show, antin look list. */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/time.h"
#include "cli/report.h"
#include "regulation/regulation.h"
#include "x509/cert.h"

static const struct { uint32_t bit; const char *name; } key_usage_table[] = {
    {AN_KU_DIGITAL_SIGNATURE, "digitalSignature"}, {AN_KU_NON_REPUDIATION, "nonRepudiation"}, {AN_KU_KEY_ENCIPHERMENT, "keyEncipherment"},
    {AN_KU_DATA_ENCIPHERMENT, "dataEncipherment"}, {AN_KU_KEY_AGREEMENT, "keyAgreement"}, {AN_KU_KEY_CERT_SIGN, "keyCertSign"},
    {AN_KU_CRL_SIGN, "cRLSign"},
};
static const char *const key_kind_table[] = {[AN_KEY_UNKNOWN] = "?", [AN_KEY_RSA] = "RSA", [AN_KEY_RSA_PSS] = "RSA-PSS",
                                             [AN_KEY_EC] = "EC",
                                             [AN_KEY_ED25519] = "Ed25519", [AN_KEY_ED448] = "Ed448",
                                             [AN_KEY_DSA] = "DSA"};

static json_t *
buf_json(const struct an_buf *text)
{
    return json_stringn(text->len ? (const char *)text->ptr : "", text->len);
}

static json_t *
usage_json(const struct an_cert *cert)
{
    json_t *list = json_array();

    for (size_t i = 0; cert->has_key_usage && i < AN_COUNT(key_usage_table); i++)
        if (cert->key_usage & key_usage_table[i].bit)
            json_array_append_new(list, json_string(key_usage_table[i].name));
    return list;
}

static json_t *
quirks_json(const struct an_cert *cert)
{
    an_code quirks[16];
    size_t count = an_cert_quirks(cert, quirks, AN_COUNT(quirks));

    return report_codes_json(quirks, count < AN_COUNT(quirks) ? count : AN_COUNT(quirks));
}

/* Everything about one certificate; the terminal shows the same object as lines. */
static json_t *
cert_object(const char *file, struct an_cert *cert)
{
    AN_CLEANUP(an_buf_free) struct an_buf subject = an_buf_new(8192);
    AN_CLEANUP(an_buf_free) struct an_buf issuer = an_buf_new(8192);
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(8192);
    AN_CLEANUP(an_buf_free) struct an_buf hash = an_buf_new(8192);
    AN_CLEANUP(an_buf_free) struct an_buf email = an_buf_new(8192);
    struct an_pubkey *key = an_cert_key(cert);
    char from[AN_TIME_TEXT_MAX], to[AN_TIME_TEXT_MAX], key_text[64];

    an_name_text(cert->subject, &subject);
    an_name_text(cert->issuer, &issuer);
    an_buf_hex(&serial, cert->serial);
    an_buf_hex(&hash, AN_BYTES(cert->sha256, 32));
    if (!an_cert_email(cert, &email))
        an_buf_reset(&email);
    snprintf(key_text, sizeof(key_text), "%s %d %s", key ? key_kind_table[an_pubkey_kind(key)] : "?",
             key ? an_pubkey_bits(key) : 0, key ? an_pubkey_curve(key) : "");
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "file", file, "subject",
                     buf_json(&subject), "issuer",
                     buf_json(&issuer), "serial", buf_json(&serial), "email", buf_json(&email), "not_before",
                     an_time_format_vn(cert->not_before, from),
                     "not_after", an_time_format_vn(cert->not_after, to), "key", key_text, "ca", (int)cert->is_ca,
                     "key_usage", usage_json(cert),
                     "sha256", buf_json(&hash), "notes", quirks_json(cert));
}

static void
print_value(FILE *out, const json_t *value, bool english)
{
    size_t at;
    const json_t *item;

    if (json_is_string(value))
        fputs(json_string_value(value), out);
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
    else
        json_array_foreach(value, at, item)
            fprintf(out, "%s%s", at ? ", " : "", json_is_object(item)
                    ? json_string_value(json_object_get(item, english ? "en" : "vi")) : json_string_value(item));
}

static void
print_object(struct cli *cli, json_t *object)
{
    const char *name;
    json_t *value;

    if (cli->json) {
        char *text = json_dumps(object, JSON_COMPACT);
        fprintf(cli->out, "%s\n", text ? text : "{}");
        free(text);
    } else {
        json_object_foreach(object, name, value) {
            fprintf(cli->out, "%-12s ", name);
            print_value(cli->out, value, cli->english);
            fputc('\n', cli->out);
        }
        fputc('\n', cli->out);
    }
    json_decref(object);
}

int
cmd_cert_show(struct cli *cli, const void *options, char **args, int count)
{
    int status = 0;

    (void)options;
    for (int i = 0; i < count; i++) {
        AN_CLEANUP(an_certs_done) struct an_certs certs = {0};
        AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
        struct an_err err = {0};
        if (an_file_open(args[i], AN_LIMIT_CMS_BYTES, &file, &err) != AN_OK ||
            an_certs_read(&certs, file.bytes, &err) != AN_OK) {
            an_err_name_file(&err, args[i]);
            status = cli_fail(cli, &err);
        }
        for (size_t k = 0; k < certs.count; k++)
            print_object(cli, cert_object(args[i], certs.items[k]));
    }
    return status;
}

static void
show_look(struct cli *cli, const struct an_look *look)
{
    AN_CLEANUP(an_buf_free) struct an_buf citation = an_buf_new(2048);

    cli_citation(cli, look->citation, &citation);
    if (cli->json) {
        json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s%}", "id", look->id, "vi", look->name_vi, "en",
                                   look->name_en, "regulation", look->regulation,
                                   "cite", look->citation, "citation", citation.len ? (const char *)citation.ptr : "",
                                   citation.len);
        char *text = json_dumps(object, JSON_COMPACT);
        fprintf(cli->out, "%s\n", text ? text : "{}");
        free(text);
        json_decref(object);
        return;
    }
    fprintf(cli->out, "%-22s %s\n%-22s [%.*s]\n", look->id, SAY(cli, look->name_vi, look->name_en), "",
            AN_FMT(an_buf_view(&citation)));
}

AN_VEC(look_list, const struct an_look *);

static void
note_look(void *context, const struct an_look *look)
{
    *look_list_push(context) = look;
}

/* Noted first, shown after: to write a citation the regulations are asked again, and an_look_each holds their lock. */
int
cmd_look_list(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    struct an_regulations *regs = cli_regulations(cli);
    struct look_list list = {0};
    an_code code;

    (void)options;
    code = regs ? an_look_each(regs, count ? args[0] : NULL, note_look, &list, &err) : an_regulations_open(NULL,
            &cli->regulations, &err);
    for (size_t i = 0; code == AN_OK && i < list.count; i++)
        show_look(cli, list.items[i]);
    free(list.items);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
