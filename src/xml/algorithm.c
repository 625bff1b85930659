/* Algorithm identifiers of XML Signature: RFC 3275, RFC 4051, RFC 6931, RFC 9231. */
#include "xml/internal.h"

#define DSIG "http://www.w3.org/2000/09/xmldsig#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE7 "http://www.w3.org/2007/05/xmldsig-more#"
#define MORE21 "http://www.w3.org/2021/04/xmldsig-more#"
#define ENC "http://www.w3.org/2001/04/xmlenc#"
#define D11 "http://www.w3.org/2009/xmldsig11#"

static const struct { const char *uri; enum an_digest digest; } digests[] = {
    {DSIG "sha1", AN_SHA1},          {MORE "sha224", AN_SHA224},        {ENC "sha256", AN_SHA256},
    {MORE "sha384", AN_SHA384},      {ENC "sha512", AN_SHA512},         {ENC "ripemd160", AN_RIPEMD160},
    {MORE "md5", AN_MD5},            {MORE7 "sha3-224", AN_SHA3_224},   {MORE7 "sha3-256", AN_SHA3_256},
    {MORE7 "sha3-384", AN_SHA3_384}, {MORE7 "sha3-512", AN_SHA3_512},
};

static const struct { const char *uri; enum an_sig_kind kind; enum an_digest digest; } methods[] = {
    {DSIG "rsa-sha1", AN_SIG_RSA_PKCS1, AN_SHA1},
    {MORE "rsa-md5", AN_SIG_RSA_PKCS1, AN_MD5},
    {MORE "rsa-ripemd160", AN_SIG_RSA_PKCS1, AN_RIPEMD160},
    {MORE "rsa-sha224", AN_SIG_RSA_PKCS1, AN_SHA224},
    {MORE "rsa-sha256", AN_SIG_RSA_PKCS1, AN_SHA256},
    {MORE "rsa-sha384", AN_SIG_RSA_PKCS1, AN_SHA384},
    {MORE "rsa-sha512", AN_SIG_RSA_PKCS1, AN_SHA512},
    {MORE7 "sha1-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA1},
    {MORE7 "sha224-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA224},
    {MORE7 "sha256-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA256},
    {MORE7 "sha384-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA384},
    {MORE7 "sha512-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA512},
    {MORE7 "sha3-224-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA3_224},
    {MORE7 "sha3-256-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA3_256},
    {MORE7 "sha3-384-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA3_384},
    {MORE7 "sha3-512-rsa-MGF1", AN_SIG_RSA_PSS, AN_SHA3_512},
    {MORE "ecdsa-sha1", AN_SIG_ECDSA, AN_SHA1},
    {MORE "ecdsa-sha224", AN_SIG_ECDSA, AN_SHA224},
    {MORE "ecdsa-sha256", AN_SIG_ECDSA, AN_SHA256},
    {MORE "ecdsa-sha384", AN_SIG_ECDSA, AN_SHA384},
    {MORE "ecdsa-sha512", AN_SIG_ECDSA, AN_SHA512},
    {MORE7 "ecdsa-ripemd160", AN_SIG_ECDSA, AN_RIPEMD160},
    {MORE7 "ecdsa-sha3-224", AN_SIG_ECDSA, AN_SHA3_224},
    {MORE7 "ecdsa-sha3-256", AN_SIG_ECDSA, AN_SHA3_256},
    {MORE7 "ecdsa-sha3-384", AN_SIG_ECDSA, AN_SHA3_384},
    {MORE7 "ecdsa-sha3-512", AN_SIG_ECDSA, AN_SHA3_512},
    {MORE21 "ecdsa-sha3-224", AN_SIG_ECDSA, AN_SHA3_224},
    {MORE21 "ecdsa-sha3-256", AN_SIG_ECDSA, AN_SHA3_256},
    {MORE21 "ecdsa-sha3-384", AN_SIG_ECDSA, AN_SHA3_384},
    {MORE21 "ecdsa-sha3-512", AN_SIG_ECDSA, AN_SHA3_512},
    {DSIG "dsa-sha1", AN_SIG_DSA, AN_SHA1},
    {D11 "dsa-sha256", AN_SIG_DSA, AN_SHA256},
    {MORE21 "eddsa-ed25519", AN_SIG_EDDSA, AN_DIGEST_NONE},
    {MORE21 "eddsa-ed448", AN_SIG_EDDSA, AN_DIGEST_NONE},
};

static const struct { const char *uri; enum an_digest digest; } hmacs[] = {
    {DSIG "hmac-sha1", AN_SHA1},     {MORE "hmac-sha224", AN_SHA224}, {MORE "hmac-sha256", AN_SHA256},
    {MORE "hmac-sha384", AN_SHA384}, {MORE "hmac-sha512", AN_SHA512}, {MORE "hmac-ripemd160", AN_RIPEMD160},
    {MORE "hmac-md5", AN_MD5},
};

enum an_digest
xml_digest(const char *uri)
{
    for (size_t i = 0; uri && i < AN_COUNT(digests); i++)
        if (strcmp(uri, digests[i].uri) == 0)
            return digests[i].digest;
    if (uri && strcmp(uri, MORE21 "sha3-256") == 0)
        return AN_SHA3_256;
    return AN_DIGEST_NONE;
}

static enum an_digest
child_digest(const xmlNode *parent)
{
    char *uri = xml_attribute(xml_child(parent, XML_NS_DSIG, "DigestMethod"), "Algorithm");
    enum an_digest digest = xml_digest(uri);

    free(uri);
    return digest;
}

/* RFC 9231 2.3.9: rsa-pss with RSAPSSParams; all of them may be absent (SHA-256, 32). */
static bool
read_pss(const xmlNode *method, struct an_scheme *ret)
{
    const xmlNode *params = xml_child(method, MORE7, "RSAPSSParams");
    const xmlNode *mask = xml_child(params, MORE7, "MaskGenerationFunction");
    const xmlNode *salt = xml_child(params, MORE7, "SaltLength");
    struct an_buf text = an_buf_new(16);

    *ret = (struct an_scheme){.kind = AN_SIG_RSA_PSS, .digest = AN_SHA256, .mgf_digest = AN_SHA256};
    if (xml_child(params, XML_NS_DSIG, "DigestMethod"))
        ret->digest = child_digest(params);
    ret->mgf_digest = xml_child(mask, XML_NS_DSIG, "DigestMethod") ? child_digest(mask) : ret->digest;
    ret->salt_len = (int)an_digest_size(ret->digest);
    if (salt) {
        xml_text(salt, &text);
        an_buf_byte(&text, 0);
        ret->salt_len = an_buf_ok(&text) ? (int)strtol((const char *)text.ptr, NULL, 10) : -2;
    }
    an_buf_free(&text);
    return ret->digest && ret->mgf_digest && ret->salt_len >= 0 && ret->salt_len <= 512;
}

bool
xml_signature_method(const xmlNode *method, struct xml_method *ret)
{
    char *uri = xml_attribute(method, "Algorithm");
    bool ok = false;

    *ret = (struct xml_method){0};
    for (size_t i = 0; uri && i < AN_COUNT(methods) && !ok; i++)
        if ((ok = strcmp(uri, methods[i].uri) == 0))
            ret->scheme = (struct an_scheme){
                methods[i].kind, methods[i].digest, methods[i].kind == AN_SIG_RSA_PSS ? methods[i].digest
                : AN_DIGEST_NONE,
                methods[i].kind == AN_SIG_RSA_PSS ? (int)an_digest_size(methods[i].digest) : 0};
    for (size_t i = 0; uri && i < AN_COUNT(hmacs) && !ok; i++)
        if ((ok = strcmp(uri, hmacs[i].uri) == 0))
            ret->hmac = hmacs[i].digest;
    if (!ok && uri && strcmp(uri, MORE7 "rsa-pss") == 0)
        ok = read_pss(method, &ret->scheme);
    free(uri);
    return ok;
}
