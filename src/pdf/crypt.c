/* The standard security handlers: ISO 32000-2, 7.6.4; revisions 2, 3, 4 of ISO 32000-1; revision 5 of Adobe. */
#include "base/utf8.h"
#include "pdf/internal.h"

#include <stdio.h>

#define CIPHER_ROOM 64 /* block ciphers ask for more room than they fill */

enum method { METHOD_NONE, METHOD_RC4, METHOD_AES128, METHOD_AES256 };

struct an_pdf_crypt {
    enum method strings, streams, files;
    int version, revision;
    int32_t permissions;
    bool is_owner, encrypts_metadata;
    uint8_t key[32];
    size_t key_len;
    an_bytes o, u, oe, ue, id;
    const struct an_pdf_obj *filters; /* /CF */
    char name[40];
};

static const uint8_t padding[32] = {
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08,
    0x2E, 0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
};

/* ---- revisions 2 to 4 ---- */

static void
pad_password(an_bytes password, uint8_t ret[static 32])
{
    size_t len = password.len < 32 ? password.len : 32;

    if (len)
        memcpy(ret, password.ptr, len);
    memcpy(ret + len, padding, 32 - len);
}

/* RC4 with the key, then with each byte of it XORed by 1…19 (or downwards, to undo it). */
static void
rc4_rounds(const uint8_t *key, size_t key_len, uint8_t *data, size_t len, bool downwards)
{
    for (int i = 0; i < 20; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(len);
        uint8_t round_key[32];
        uint8_t x = (uint8_t)(downwards ? 19 - i : i);

        for (size_t j = 0; j < key_len; j++)
            round_key[j] = key[j] ^ x;
        an_rc4(AN_BYTES(round_key, key_len), AN_BYTES(data, len), &out);
        if (out.len == len)
            memcpy(data, out.ptr, len);
        an_wipe(round_key, sizeof round_key);
    }
}

/* Algorithm 2. */
static void
compute_key(const struct an_pdf_crypt *crypt, an_bytes password, size_t key_len, uint8_t ret[static 32])
{
    AN_CLEANUP(an_hash_free) struct an_hash *md5 = an_hash_new(AN_MD5);
    uint8_t padded[32], digest[AN_DIGEST_MAX];
    uint32_t p = (uint32_t)crypt->permissions;
    uint8_t le[4] = {(uint8_t)p, (uint8_t)(p >> 8), (uint8_t)(p >> 16), (uint8_t)(p >> 24)};

    pad_password(password, padded);
    an_hash_update(md5, AN_BYTES(padded, 32));
    an_hash_update(md5, an_bytes_slice(crypt->o, 0, 32));
    an_hash_update(md5, AN_BYTES(le, 4));
    an_hash_update(md5, crypt->id);
    if (crypt->revision >= 4 && !crypt->encrypts_metadata)
        an_hash_update(md5, AN_LIT("\xff\xff\xff\xff"));
    an_hash_final(md5, digest);
    for (int i = 0; crypt->revision >= 3 && i < 50; i++)
        an_hash_once(AN_MD5, AN_BYTES(digest, key_len), digest);
    memcpy(ret, digest, 16);
    an_wipe(padded, sizeof padded);
    an_wipe(digest, sizeof digest);
}

/* Algorithms 4, 5 and 6. */
static bool
is_user_key(const struct an_pdf_crypt *crypt, const uint8_t *key, size_t key_len)
{
    uint8_t digest[AN_DIGEST_MAX];
    AN_CLEANUP(an_hash_free) struct an_hash *md5 = NULL;

    if (crypt->revision == 2) {
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(32);

        an_rc4(AN_BYTES(key, key_len), AN_BYTES(padding, 32), &out);
        return an_bytes_eq_secret(an_buf_view(&out), an_bytes_slice(crypt->u, 0, 32));
    }
    md5 = an_hash_new(AN_MD5);
    an_hash_update(md5, AN_BYTES(padding, 32));
    an_hash_update(md5, crypt->id);
    an_hash_final(md5, digest);
    rc4_rounds(key, key_len, digest, 16, false);
    return an_bytes_eq_secret(AN_BYTES(digest, 16), an_bytes_slice(crypt->u, 0, 16));
}

static bool
try_user_legacy(struct an_pdf_crypt *crypt, an_bytes password, size_t key_len)
{
    uint8_t key[32];

    compute_key(crypt, password, key_len, key);
    if (!is_user_key(crypt, key, key_len))
        return false;
    memcpy(crypt->key, key, key_len);
    crypt->key_len = key_len;
    an_wipe(key, sizeof key);
    return true;
}

/* Algorithm 7: the owner's password opens /O, which holds the user's. */
static bool
try_owner_legacy(struct an_pdf_crypt *crypt, an_bytes password, size_t key_len)
{
    uint8_t padded[32], digest[AN_DIGEST_MAX], user[32];
    bool is_right;

    if (crypt->o.len < 32)
        return false;
    pad_password(password, padded);
    an_hash_once(AN_MD5, AN_BYTES(padded, 32), digest);
    for (int i = 0; crypt->revision >= 3 && i < 50; i++)
        an_hash_once(AN_MD5, AN_BYTES(digest, 16), digest);
    memcpy(user, crypt->o.ptr, 32);
    if (crypt->revision == 2) {
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(32);

        an_rc4(AN_BYTES(digest, key_len), AN_BYTES(user, 32), &out);
        if (out.len == 32)
            memcpy(user, out.ptr, 32);
    } else {
        rc4_rounds(digest, key_len, user, 32, true);
    }
    is_right = try_user_legacy(crypt, AN_BYTES(user, 32), key_len);
    crypt->is_owner = crypt->is_owner || is_right;
    an_wipe(padded, sizeof padded);
    an_wipe(user, sizeof user);
    return is_right;
}

/* ---- revisions 5 and 6 ---- */

/* One round of algorithm 2.B: 64 copies of password, K and user data through AES-128. */
static an_code
hash_round(an_bytes password, an_bytes udata, uint8_t *k, size_t *k_len, struct an_buf *plain, struct an_buf *cipher)
{
    static const enum an_digest digests[3] = {AN_SHA256, AN_SHA384, AN_SHA512};
    uint8_t digest[AN_DIGEST_MAX];
    unsigned sum = 0;

    an_buf_reset(plain);
    an_buf_reset(cipher);
    for (int i = 0; i < 64; i++) {
        an_buf_append(plain, password);
        an_buf_append(plain, AN_BYTES(k, *k_len));
        an_buf_append(plain, udata);
    }
    AN_TRY(an_aes_cbc_raw(AN_BYTES(k, 16), AN_BYTES(k + 16, 16), an_buf_view(plain), true, cipher, NULL));
    if (cipher->len < 16)
        return AN_E_PDF_ENCRYPTED;
    for (int i = 0; i < 16; i++)
        sum += cipher->ptr[i];
    an_hash_once(digests[sum % 3], an_buf_view(cipher), digest);
    *k_len = an_digest_size(digests[sum % 3]);
    memcpy(k, digest, *k_len);
    return AN_OK;
}

static bool
hash_password(const struct an_pdf_crypt *crypt, an_bytes password, an_bytes salt, an_bytes udata,
              uint8_t ret[static 32])
{
    AN_CLEANUP(an_hash_free) struct an_hash *sha = an_hash_new(AN_SHA256);
    AN_CLEANUP(an_buf_free) struct an_buf plain = an_buf_new(64 * 256), cipher = an_buf_new(64 * 256 + CIPHER_ROOM);
    uint8_t k[AN_DIGEST_MAX];
    size_t k_len = 32;

    an_hash_update(sha, password);
    an_hash_update(sha, salt);
    an_hash_update(sha, udata);
    an_hash_final(sha, k);
    for (int i = 0; crypt->revision >= 6 && (i < 64 || cipher.ptr[cipher.len - 1] > i - 32); i++)
        if (hash_round(password, udata, k, &k_len, &plain, &cipher) != AN_OK)
            return false;
    memcpy(ret, k, 32);
    return true;
}

static bool
open_file_key(struct an_pdf_crypt *crypt, const uint8_t *intermediate, an_bytes wrapped)
{
    static const uint8_t zero[16];
    AN_CLEANUP(an_buf_free) struct an_buf key = an_buf_new(32 + CIPHER_ROOM);

    if (an_aes_cbc_raw(AN_BYTES(intermediate, 32), AN_BYTES(zero, 16), an_bytes_slice(wrapped, 0, 32), false, &key,
                       NULL) != AN_OK ||
        key.len != 32)
        return false;
    memcpy(crypt->key, key.ptr, 32);
    crypt->key_len = 32;
    return true;
}

/* Algorithm 2.A for one of the two passwords. */
static bool
try_modern(struct an_pdf_crypt *crypt, an_bytes password, bool as_owner)
{
    an_bytes stored = as_owner ? crypt->o : crypt->u, udata = as_owner ? an_bytes_slice(crypt->u, 0, 48) : AN_NONE;
    uint8_t hash[32];

    password = an_bytes_slice(password, 0, 127);
    if (stored.len < 48 || crypt->u.len < 48 ||
        !hash_password(crypt, password, an_bytes_slice(stored, 32, 8), udata, hash))
        return false;
    if (!an_bytes_eq_secret(AN_BYTES(hash, 32), an_bytes_slice(stored, 0, 32)))
        return false;
    if (!hash_password(crypt, password, an_bytes_slice(stored, 40, 8), udata, hash))
        return false;
    crypt->is_owner = crypt->is_owner || as_owner;
    return open_file_key(crypt, hash, as_owner ? crypt->oe : crypt->ue);
}

/* ---- setting up ---- */

static bool
try_password(struct an_pdf_crypt *crypt, an_bytes password)
{
    size_t lengths[3] = {crypt->key_len, 16, 5}; /* the stated key length first; some files state it wrongly */

    if (crypt->revision >= 5)
        return try_modern(crypt, password, true) || try_modern(crypt, password, false);
    for (size_t i = 0; i < AN_COUNT(lengths); i++)
        if (try_owner_legacy(crypt, password, lengths[i]) || try_user_legacy(crypt, password, lengths[i]))
            return true;
    return false;
}

/* A password typed as UTF-8 was PDFDocEncoding (near Latin-1) in the older revisions. */
static bool
try_as_latin1(struct an_pdf_crypt *crypt, an_bytes password)
{
    uint8_t latin[128];
    size_t len = 0, at = 0;
    bool is_right;

    while (at < password.len && len < sizeof latin) {
        uint32_t code = an_utf8_next(password, &at);

        if (code > 255)
            return false;
        latin[len++] = (uint8_t)code;
    }
    is_right = try_password(crypt, AN_BYTES(latin, len));
    an_wipe(latin, sizeof latin);
    return is_right;
}

static enum method
method_of(struct an_pdf *pdf, const struct an_pdf_crypt *crypt, const struct an_pdf_obj *name)
{
    const struct an_pdf_obj *filter, *cfm;
    char key[64];

    if (name->kind != AN_PDF_NAME || an_pdf_is_name(name, "Identity"))
        return METHOD_NONE;
    snprintf(key, sizeof key, "%.*s", AN_FMT(an_bytes_slice(name->u.text, 0, sizeof key - 1)));
    filter = an_pdf_at(pdf, AN_PDF_NOW, crypt->filters, key);
    cfm = an_pdf_at(pdf, AN_PDF_NOW, filter, "CFM");
    if (an_pdf_is_name(cfm, "V2"))
        return METHOD_RC4;
    if (an_pdf_is_name(cfm, "AESV2"))
        return METHOD_AES128;
    return an_pdf_is_name(cfm, "AESV3") ? METHOD_AES256 : METHOD_NONE;
}

static size_t
stated_key_len(struct an_pdf *pdf, const struct an_pdf_crypt *crypt, const struct an_pdf_obj *dict)
{
    int64_t bits = crypt->version == 1 ? 40 : crypt->version >= 4 ? 128 : 40;

    if (crypt->version == 2 || crypt->version == 3)
        (void)an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, dict, "Length"), &bits);
    if (bits > 0 && bits < 40) /* bytes instead of bits */
        bits *= 8;
    return bits < 40 || bits > 128 ? 5 : (size_t)bits / 8;
}

static void
set_methods(struct an_pdf *pdf, struct an_pdf_crypt *crypt, const struct an_pdf_obj *dict)
{
    static const char *const names[] = {"none", "RC4", "AES-128", "AES-256"};
    const struct an_pdf_obj *files = an_pdf_at(pdf, AN_PDF_NOW, dict, "EFF");

    crypt->strings = crypt->streams = METHOD_RC4;
    if (crypt->version >= 4) {
        crypt->filters = an_pdf_at(pdf, AN_PDF_NOW, dict, "CF");
        crypt->strings = method_of(pdf, crypt, an_pdf_at(pdf, AN_PDF_NOW, dict, "StrF"));
        crypt->streams = method_of(pdf, crypt, an_pdf_at(pdf, AN_PDF_NOW, dict, "StmF"));
    }
    crypt->files = files->kind == AN_PDF_NAME && crypt->version >= 4 ? method_of(pdf, crypt, files) : crypt->streams;
    if (crypt->streams == METHOD_RC4)
        snprintf(crypt->name, sizeof crypt->name, "RC4-%zu (R%d)", crypt->key_len * 8, crypt->revision);
    else
        snprintf(crypt->name, sizeof crypt->name, "%s (R%d)", names[crypt->streams], crypt->revision);
}

static an_bytes
text_at(struct an_pdf *pdf, const struct an_pdf_obj *dict, const char *key)
{
    const struct an_pdf_obj *text = an_pdf_at(pdf, AN_PDF_NOW, dict, key);

    return text->kind == AN_PDF_STRING ? text->u.text : AN_NONE;
}

static an_code
read_dict(struct an_pdf *pdf, struct an_pdf_crypt *crypt, const struct an_pdf_obj *dict, struct an_err *reterr)
{
    const struct an_pdf_obj *id = an_pdf_at(pdf, AN_PDF_NOW, an_pdf_trailer(pdf, AN_PDF_NOW), "ID");
    const struct an_pdf_obj *metadata = an_pdf_at(pdf, AN_PDF_NOW, dict, "EncryptMetadata");
    int64_t version = 0, revision = 0, permissions = 0;

    (void)an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, dict, "V"), &version);
    (void)an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, dict, "R"), &revision);
    (void)an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, dict, "P"), &permissions);
    if (!an_pdf_is_name(an_pdf_at(pdf, AN_PDF_NOW, dict, "Filter"), "Standard") || version < 1 || version > 5 ||
        revision < 2 || revision > 6)
        AN_FAIL(reterr, AN_E_PDF_ENCRYPTED, "/Encrypt: V %lld R %lld", (long long)version, (long long)revision);
    crypt->version = (int)version;
    crypt->revision = (int)revision;
    crypt->permissions = (int32_t)(uint32_t)permissions;
    crypt->encrypts_metadata = metadata->kind != AN_PDF_BOOL || metadata->u.boolean;
    crypt->o = text_at(pdf, dict, "O");
    crypt->u = text_at(pdf, dict, "U");
    crypt->oe = text_at(pdf, dict, "OE");
    crypt->ue = text_at(pdf, dict, "UE");
    if (id->kind == AN_PDF_ARRAY && id->u.array.count && id->u.array.items[0].kind == AN_PDF_STRING)
        crypt->id = id->u.array.items[0].u.text;
    crypt->key_len = stated_key_len(pdf, crypt, dict);
    return AN_OK;
}

static an_code
unlock(struct an_pdf_crypt *crypt, const struct an_secret *password, struct an_err *reterr)
{
    an_bytes text = password ? an_secret_bytes(password) : AN_NONE;

    if (try_password(crypt, text) || (text.len && crypt->revision < 5 && try_as_latin1(crypt, text)))
        return AN_OK;
    if (text.len && try_password(crypt, AN_NONE)) /* a password where none is needed */
        return AN_OK;
    AN_FAIL(reterr, AN_E_PDF_PASSWORD, "R%d", crypt->revision);
}

an_code
an_pdf_crypt_open(struct an_pdf *pdf, const struct an_secret *password, struct an_err *reterr)
{
    const struct an_pdf_obj *entry = an_pdf_dict_find(an_pdf_trailer(pdf, AN_PDF_NOW), "Encrypt"), *dict;
    struct an_pdf_crypt *crypt;
    an_code code;

    if (entry == NULL || entry->kind == AN_PDF_NULL || pdf->crypt)
        return AN_OK;
    if (entry->kind == AN_PDF_REF)
        pdf->encrypt_num = entry->u.ref.num;
    dict = an_pdf_resolve(pdf, AN_PDF_NOW, entry);
    if (dict->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_XREF, "/Encrypt is no dictionary");
    if (pdf->crypt) /* looking for it rebuilt the file and opened it there */
        return AN_OK;
    crypt = AN_NEW(struct an_pdf_crypt);
    code = read_dict(pdf, crypt, dict, reterr);
    if (code == AN_OK)
        code = unlock(crypt, password, reterr);
    if (code != AN_OK) {
        an_pdf_crypt_free(&crypt);
        return code;
    }
    set_methods(pdf, crypt, dict);
    pdf->crypt = crypt;
    return AN_OK;
}

void
an_pdf_crypt_free(struct an_pdf_crypt **crypt)
{
    if (*crypt)
        an_wipe(*crypt, sizeof(**crypt));
    free(*crypt);
    *crypt = NULL;
}

const char *
an_pdf_crypt_name(const struct an_pdf_crypt *crypt)
{
    return crypt ? crypt->name : "";
}

bool
an_pdf_is_encrypted(const struct an_pdf *pdf)
{
    return pdf->crypt != NULL;
}

/* Table 22: filling in forms or annotating (bit 6), filling in alone (bit 9), or changing the document (bit 4). */
bool
an_pdf_may_sign(struct an_pdf *pdf)
{
    const uint32_t bits = 1u << 3 | 1u << 5 | 1u << 8;

    return pdf->crypt == NULL || pdf->crypt->is_owner || ((uint32_t)pdf->crypt->permissions & bits) != 0;
}

/* ---- strings and streams ---- */

/* Algorithm 1; the file key itself for AES-256. */
static an_bytes
object_key(const struct an_pdf_crypt *crypt, enum method method, uint32_t num, uint16_t gen,
           uint8_t ret[static AN_DIGEST_MAX])
{
    uint8_t salted[32 + 5 + 4];
    size_t len = crypt->key_len;
    const uint8_t place[5] = {(uint8_t)num, (uint8_t)(num >> 8), (uint8_t)(num >> 16), (uint8_t)gen,
                              (uint8_t)(gen >> 8)};

    if (method == METHOD_AES256)
        return AN_BYTES(crypt->key, crypt->key_len);
    memcpy(salted, crypt->key, len);
    memcpy(salted + len, place, 5);
    if (method == METHOD_AES128)
        memcpy(salted + len + 5, "sAlT", 4);
    an_hash_once(AN_MD5, AN_BYTES(salted, len + 5 + (method == METHOD_AES128 ? 4 : 0)), ret);
    an_wipe(salted, sizeof salted);
    return AN_BYTES(ret, len + 5 < 16 ? len + 5 : 16);
}

static an_code
decrypt(const struct an_pdf_crypt *crypt, enum method method, uint32_t num, uint16_t gen, an_bytes in,
        struct an_buf *out, struct an_err *reterr)
{
    uint8_t memory[AN_DIGEST_MAX];
    an_bytes key = object_key(crypt, method, num, gen, memory);
    an_bytes body = an_bytes_slice(in, 16, (in.len - (in.len < 16 ? in.len : 16)) / 16 * 16);

    if (method == METHOD_RC4) {
        an_rc4(key, in, out);
        return AN_OK;
    }
    if (in.len == 0)
        return AN_OK;
    if (an_aes_cbc_decrypt(key, in, out, NULL) == AN_OK)
        return AN_OK;
    an_buf_reset(out); /* wrong padding: what whole blocks there are, as readers do */
    if (body.len == 0)
        return AN_OK;
    return an_aes_cbc_raw(key, AN_BYTES(in.ptr, 16), body, false, out, reterr);
}

an_bytes
an_pdf_decrypt_string(struct an_pdf *pdf, struct an_arena *arena, uint32_t num, uint16_t gen, an_bytes text)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(text.len + CIPHER_ROOM);

    if (pdf->crypt == NULL || pdf->crypt->strings == METHOD_NONE || text.len == 0)
        return text;
    if (decrypt(pdf->crypt, pdf->crypt->strings, num, gen, text, &out, NULL) != AN_OK)
        return text;
    return an_arena_dup(arena, an_buf_view(&out));
}

/* A /Crypt filter on the stream names its own method. */
static bool
own_filter(struct an_pdf *pdf, const struct an_pdf_obj *stream, enum method *ret)
{
    const struct an_pdf_obj *filter = an_pdf_at(pdf, AN_PDF_NOW, stream, "Filter");
    const struct an_pdf_obj *parms = an_pdf_at(pdf, AN_PDF_NOW, stream, "DecodeParms");

    if (filter->kind == AN_PDF_ARRAY && filter->u.array.count)
        filter = an_pdf_resolve(pdf, AN_PDF_NOW, &filter->u.array.items[0]);
    if (!an_pdf_is_name(filter, "Crypt"))
        return false;
    if (parms->kind == AN_PDF_ARRAY && parms->u.array.count)
        parms = an_pdf_resolve(pdf, AN_PDF_NOW, &parms->u.array.items[0]);
    *ret = method_of(pdf, pdf->crypt, an_pdf_at(pdf, AN_PDF_NOW, parms, "Name"));
    return true;
}

static enum method
stream_method(struct an_pdf *pdf, const struct an_pdf_obj *stream)
{
    const struct an_pdf_obj *type = an_pdf_at(pdf, AN_PDF_NOW, stream, "Type");
    enum method method;

    if (pdf->crypt == NULL || an_pdf_is_name(type, "XRef"))
        return METHOD_NONE;
    if (pdf->crypt->version >= 4 && own_filter(pdf, stream, &method))
        return method;
    if (pdf->crypt->version >= 4 && !pdf->crypt->encrypts_metadata && an_pdf_is_name(type, "Metadata"))
        return METHOD_NONE;
    return an_pdf_is_name(type, "EmbeddedFile") ? pdf->crypt->files : pdf->crypt->streams;
}

bool
an_pdf_stream_is_crypted(struct an_pdf *pdf, const struct an_pdf_obj *stream)
{
    return pdf->crypt && stream_method(pdf, stream) != METHOD_NONE;
}

an_code
an_pdf_decrypt_stream(struct an_pdf *pdf, const struct an_pdf_obj *stream, an_bytes raw, struct an_buf *out,
                      struct an_err *reterr)
{
    an_buf_free(out);
    *out = an_buf_new(raw.len + CIPHER_ROOM);
    return decrypt(pdf->crypt, stream_method(pdf, stream), stream->num, stream->gen, raw, out, reterr);
}

static an_code
encrypt(const struct an_pdf_crypt *crypt, enum method method, uint32_t num, uint16_t gen, an_bytes plain,
        struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(an_hash_free) struct an_hash *sha = NULL;
    uint8_t memory[AN_DIGEST_MAX], iv[AN_DIGEST_MAX];
    an_bytes key;

    if (method == METHOD_NONE) {
        an_buf_append(out, plain);
        return AN_OK;
    }
    key = object_key(crypt, method, num, gen, memory);
    if (method == METHOD_RC4) {
        an_rc4(key, plain, out);
        return AN_OK;
    }
    sha = an_hash_new(AN_SHA256);
    an_hash_update(sha, AN_BYTES(crypt->key, crypt->key_len));
    an_hash_update(sha, AN_BYTES(&num, sizeof num));
    an_hash_update(sha, AN_BYTES(&gen, sizeof gen));
    an_hash_update(sha, plain);
    an_hash_final(sha, iv);
    an_buf_append(out, AN_BYTES(iv, 16)); /* it stands before the cipher text */
    return an_aes_cbc_encrypt(key, AN_BYTES(iv, 16), plain, out, reterr);
}

an_code
an_pdf_crypt_string(struct an_pdf *pdf, uint32_t num, uint16_t gen, an_bytes plain, struct an_buf *out,
                    struct an_err *reterr)
{
    return encrypt(pdf->crypt, pdf->crypt->strings, num, gen, plain, out, reterr);
}

an_code
an_pdf_crypt_stream(struct an_pdf *pdf, uint32_t num, uint16_t gen, an_bytes plain, struct an_buf *out,
                    struct an_err *reterr)
{
    return encrypt(pdf->crypt, pdf->crypt->streams, num, gen, plain, out, reterr);
}
