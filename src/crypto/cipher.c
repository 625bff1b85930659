#include "crypto/internal.h"

#define AES_BLOCK 16

/* RC4 needs OpenSSL's legacy provider, a file that may be absent; the cipher is shorter than loading it. */
void
an_rc4(an_bytes key, an_bytes in, struct an_buf *out)
{
    uint8_t box[256], i = 0, j = 0;
    uint8_t *to = an_buf_extend(out, in.len);

    if (to == NULL || key.len == 0)
        return;
    for (unsigned n = 0; n < 256; n++)
        box[n] = (uint8_t)n;
    for (unsigned n = 0; n < 256; n++) {
        uint8_t kept = box[n];
        j = (uint8_t)(j + kept + key.ptr[n % key.len]);
        box[n] = box[j];
        box[j] = kept;
    }
    j = 0;
    for (size_t n = 0; n < in.len; n++) {
        uint8_t kept = box[++i];
        j = (uint8_t)(j + kept);
        box[i] = box[j];
        box[j] = kept;
        to[n] = in.ptr[n] ^ box[(uint8_t)(box[i] + box[j])];
    }
    an_wipe(box, sizeof(box));
}

static const EVP_CIPHER *
find_aes_cbc(size_t key_len)
{
    static EVP_CIPHER *fetched[2];
    size_t which = key_len == 32 ? 1 : 0;
    EVP_CIPHER *cipher, *expected = NULL;

    if (key_len != 16 && key_len != 32)
        return NULL;
    cipher = __atomic_load_n(&fetched[which], __ATOMIC_ACQUIRE);
    if (cipher != NULL)
        return cipher;
    an_crypto_start();
    cipher = EVP_CIPHER_fetch(NULL, which ? "AES-256-CBC" : "AES-128-CBC", NULL);
    if (cipher == NULL)
        return NULL;
    if (!__atomic_compare_exchange_n(&fetched[which], &expected, cipher, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        EVP_CIPHER_free(cipher);
        return expected;
    }
    return cipher;
}

static void
free_cipher_ctx(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx); /* wipes the key schedule */
}

/* EVP counts in int: long input is fed in pieces. */
static bool
run_cipher(EVP_CIPHER_CTX *ctx, an_bytes in, uint8_t *to, size_t *ret_len)
{
    const size_t piece_max = (size_t)1 << 30;
    size_t written = 0;
    int len = 0;

    while (in.len > 0) {
        size_t piece = in.len < piece_max ? in.len : piece_max;
        if (EVP_CipherUpdate(ctx, to + written, &len, in.ptr, (int)piece) != 1)
            return false;
        written += (size_t)len;
        in = an_bytes_slice(in, piece, SIZE_MAX);
    }
    if (EVP_CipherFinal_ex(ctx, to + written, &len) != 1)
        return false;
    *ret_len = written + (size_t)len;
    return true;
}

static an_code
crypt_aes_cbc(an_bytes key, an_bytes iv, an_bytes in, bool encrypt, bool padding, struct an_buf *out,
              struct an_err *reterr)
{
    AN_CLEANUP(free_cipher_ctx) EVP_CIPHER_CTX *ctx = NULL;
    const EVP_CIPHER *cipher = find_aes_cbc(key.len);
    size_t before = out->len, len = 0;
    uint8_t *to;

    if (cipher == NULL || iv.len != AES_BLOCK)
        AN_FAIL(reterr, AN_E_DECRYPT, "AES: key %zu, IV %zu byte", key.len, iv.len);
    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL || EVP_CipherInit_ex2(ctx, cipher, key.ptr, iv.ptr, encrypt ? 1 : 0, NULL) != 1)
        return an_crypto_fail(reterr, AN_E_DECRYPT, "AES-CBC");
    EVP_CIPHER_CTX_set_padding(ctx, padding ? 1 : 0);
    to = an_buf_extend(out, in.len + 2 * AES_BLOCK);
    if (to == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "AES: %zu byte", in.len);
    if (!run_cipher(ctx, in, to, &len)) {
        out->len = before;
        return an_crypto_fail(reterr, AN_E_DECRYPT, "AES-CBC");
    }
    out->len = before + len;
    return AN_OK;
}

an_code
an_aes_cbc_decrypt(an_bytes key, an_bytes in, struct an_buf *out, struct an_err *reterr)
{
    if (in.len < 2 * AES_BLOCK || in.len % AES_BLOCK != 0)
        AN_FAIL(reterr, AN_E_DECRYPT, "AES-CBC: %zu byte", in.len);
    return crypt_aes_cbc(key, an_bytes_slice(in, 0, AES_BLOCK), an_bytes_slice(in, AES_BLOCK, SIZE_MAX), false, true,
                         out, reterr);
}

an_code
an_aes_cbc_encrypt(an_bytes key, an_bytes iv, an_bytes in, struct an_buf *out, struct an_err *reterr)
{
    return crypt_aes_cbc(key, iv, in, true, true, out, reterr);
}

an_code
an_aes_cbc_raw(an_bytes key, an_bytes iv, an_bytes in, bool encrypt, struct an_buf *out, struct an_err *reterr)
{
    if (in.len % AES_BLOCK != 0)
        AN_FAIL(reterr, AN_E_DECRYPT, "AES-CBC: %zu byte", in.len);
    return crypt_aes_cbc(key, iv, in, encrypt, false, out, reterr);
}
