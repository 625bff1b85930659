/* The words of profiles: name parts, usages, reasons; and names as people type them. */
#include "ca/profile_words.h"

#include "base/utf8.h"

const struct an_word an_name_words[] = {
    {"C", "2.5.4.6", 0}, {"ST", "2.5.4.8", 0}, {"L", "2.5.4.7", 0}, {"O", "2.5.4.10", 0}, {"OU", "2.5.4.11", 0}, {"CN", "2.5.4.3", 0},
    {"T", "2.5.4.12", 0}, {"SN", "2.5.4.4", 0}, {"GN", "2.5.4.42", 0}, {"serialNumber", "2.5.4.5", 0},
    {"organizationIdentifier", "2.5.4.97", 0}, {"UID", "0.9.2342.19200300.100.1.1", 0}, {NULL, NULL, 0},
};
const struct an_word an_usage_words[] = {
    {"digitalSignature", NULL, AN_KU_DIGITAL_SIGNATURE}, {"nonRepudiation", NULL, AN_KU_NON_REPUDIATION},
    {"keyEncipherment", NULL, AN_KU_KEY_ENCIPHERMENT}, {"dataEncipherment", NULL, AN_KU_DATA_ENCIPHERMENT},
    {"keyAgreement", NULL, AN_KU_KEY_AGREEMENT}, {"keyCertSign", NULL, AN_KU_KEY_CERT_SIGN}, {"cRLSign", NULL, AN_KU_CRL_SIGN}, {NULL, NULL, 0},
};
const struct an_word an_purpose_words[] = {
    {"serverAuth", "1.3.6.1.5.5.7.3.1", 0}, {"clientAuth", "1.3.6.1.5.5.7.3.2", 0}, {"codeSigning", "1.3.6.1.5.5.7.3.3", 0},
    {"emailProtection", "1.3.6.1.5.5.7.3.4", 0}, {"timeStamping", "1.3.6.1.5.5.7.3.8", 0}, {"OCSPSigning", "1.3.6.1.5.5.7.3.9", 0},
    {"documentSigning", "1.3.6.1.5.5.7.3.36", 0}, {"cmcRA", "1.3.6.1.5.5.7.3.28", 0}, {"smartcardLogon", "1.3.6.1.4.1.311.20.2.2", 0}, {NULL, NULL, 0},
};

const struct an_word *
an_word_find(const struct an_word *words, const char *name)
{
    for (; words->name != NULL; words++)
        if (strcmp(words->name, name) == 0)
            return words;
    return NULL;
}

const char *
an_name_part_oid(const char *name)
{
    const struct an_word *word = an_word_find(an_name_words, name);
    uint8_t octets[AN_OID_MAX];

    if (word != NULL)
        return word->oid;
    return an_oid_encode(name, octets) != 0 ? name : NULL;
}

const char *
an_name_part_name(const char *oid)
{
    for (const struct an_word *word = an_name_words; word->name != NULL; word++)
        if (strcmp(word->oid, oid) == 0)
            return word->name;
    return oid;
}

/* Up to the next separator that no backslash stands before; blanks around it dropped, backslashes taken away. */
static char *
take_piece(const char **at, char separator, struct an_arena *arena)
{
    AN_CLEANUP(an_buf_free) struct an_buf piece = an_buf_new(AN_LIMIT_CERT_BYTES);

    while (**at == ' ')
        (*at)++;
    for (; **at != '\0' && **at != separator; (*at)++) {
        if (**at == '\\' && (*at)[1] != '\0')
            (*at)++;
        an_buf_byte(&piece, (uint8_t)**at);
    }
    while (piece.len > 0 && piece.ptr[piece.len - 1] == ' ')
        piece.len--;
    return an_arena_str(arena, an_buf_view(&piece));
}

/* Its place among the short names, which stand from country to person; SIZE_MAX when it has none. */
static size_t
rank_of(const char *oid)
{
    for (size_t i = 0; an_name_words[i].name != NULL; i++)
        if (strcmp(an_name_words[i].oid, oid) == 0)
            return i;
    return SIZE_MAX;
}

/* RFC 4514 writes the most particular part first: turned round. */
static void
put_general_first(struct an_name_part *parts, size_t count)
{
    if (count < 2 || rank_of(parts[0].oid) <= rank_of(parts[count - 1].oid))
        return;
    for (size_t i = 0; i < count / 2; i++) {
        struct an_name_part kept = parts[i];
        parts[i] = parts[count - 1 - i];
        parts[count - 1 - i] = kept;
    }
}

an_code
an_name_parts_parse(const char *text, struct an_arena *arena, struct an_name_part *ret, size_t max, size_t *ret_count,
                    struct an_err *reterr)
{
    const char separator = *text == '/' ? '/' : ',';
    size_t count = 0;

    for (const char *at = text + (separator == '/'); *at != '\0';) {
        char *piece = take_piece(&at, separator, arena), *equal = piece ? strchr(piece, '=') : NULL;
        if (equal == NULL || count == max)
            AN_FAIL(reterr, AN_E_CA_NAME, "%.80s", piece ? piece : text);
        *equal = '\0';
        ret[count] = (struct an_name_part){.oid = an_name_part_oid(piece), .text = equal + 1};
        if (ret[count].oid == NULL)
            AN_FAIL(reterr, AN_E_CA_NAME, "%.80s", piece);
        count++;
        if (*at == separator)
            at++;
    }
    put_general_first(ret, count);
    *ret_count = count;
    return AN_OK;
}

an_code
an_name_parts_of(an_bytes name, struct an_arena *arena, struct an_name_part *ret, size_t max, size_t *ret_count,
                 struct an_err *reterr)
{
    an_bytes rdn, part, oid;
    size_t count = 0;

    AN_TRY(an_der_take(&name, AN_DER_SEQUENCE, &name, reterr));
    for (; name.len > 0; count++) {
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4096);
        AN_CLEANUP(an_buf_free) struct an_buf dotted = an_buf_new(256);
        AN_TRY(an_der_take(&name, AN_DER_SET, &rdn, reterr));
        AN_TRY(an_der_take(&rdn, AN_DER_SEQUENCE, &part, reterr));
        AN_TRY(an_der_take(&part, AN_DER_OID, &oid, reterr));
        AN_TRY(an_der_text(&part, &text, reterr));
        an_oid_text(oid, &dotted);
        if (count == max || rdn.len != 0)
            AN_FAIL(reterr, AN_E_CA_NAME, "%zu RDN", count);
        ret[count] = (struct an_name_part){an_arena_str(arena, an_buf_view(&dotted)),
                                           an_arena_str(arena, an_buf_view(&text))};
        if (ret[count].oid == NULL || ret[count].text == NULL)
            AN_FAIL(reterr, AN_E_LIMIT, "RDN");
    }
    *ret_count = count;
    return AN_OK;
}
