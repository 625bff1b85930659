#include "keys/wire.h"

#define QUESTION_HEAD 24
#define ANSWER_HEAD 12

static void
put_number(uint8_t *at, uint64_t value, size_t octets)
{
    for (size_t i = 0; i < octets; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t
read_number(const uint8_t *at, size_t octets)
{
    uint64_t value = 0;

    for (size_t i = octets; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

uint64_t
an_key_handle(an_bytes spki)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, spki, digest);
    return read_number(digest, 8);
}

void
an_key_put_question(struct an_buf *out, const struct an_key_question *question)
{
    uint8_t head[QUESTION_HEAD];

    put_number(head, question->id, 4);
    put_number(head + 4, question->key, 8);
    head[12] = (uint8_t)question->purpose;
    head[13] = (uint8_t)question->scheme.kind;
    head[14] = (uint8_t)question->scheme.digest;
    head[15] = (uint8_t)question->scheme.mgf_digest;
    put_number(head + 16, (uint32_t)question->scheme.salt_len, 4);
    put_number(head + 20, question->digest.len, 4);
    an_buf_append(out, AN_BYTES(head, sizeof(head)));
    an_buf_append(out, question->digest);
}

bool
an_key_take_question(an_bytes *in, struct an_key_question *ret)
{
    size_t len;

    if (in->len < QUESTION_HEAD)
        return false;
    len = read_number(in->ptr + 20, 4);
    if (len > in->len - QUESTION_HEAD || len > AN_KEYS_MESSAGE_BYTES || in->ptr[12] >= AN_PURPOSES ||
        in->ptr[13] > AN_SIG_DSA ||
        in->ptr[14] > AN_SHAKE256 || in->ptr[15] > AN_SHAKE256)
        return false;
    *ret = (struct an_key_question){
        .id = (uint32_t)read_number(in->ptr, 4), .key = read_number(in->ptr + 4, 8),
        .purpose = (enum an_key_purpose)in->ptr[12],
        .scheme = {.kind = (enum an_sig_kind)in->ptr[13], .digest = (enum an_digest)in->ptr[14],
                   .mgf_digest = (enum an_digest)in->ptr[15],
                   .salt_len = (int32_t)read_number(in->ptr + 16, 4)},
        .digest = AN_BYTES(in->ptr + QUESTION_HEAD, len)};
    *in = AN_BYTES(in->ptr + QUESTION_HEAD + len, in->len - QUESTION_HEAD - len);
    return true;
}

void
an_key_put_answer(struct an_buf *out, const struct an_key_answer *answer)
{
    uint8_t head[ANSWER_HEAD];

    put_number(head, answer->id, 4);
    put_number(head + 4, (uint32_t)answer->code, 4);
    put_number(head + 8, answer->bytes.len, 4);
    an_buf_append(out, AN_BYTES(head, sizeof(head)));
    an_buf_append(out, answer->bytes);
}

bool
an_key_take_answer(an_bytes *in, struct an_key_answer *ret)
{
    size_t len;

    if (in->len < ANSWER_HEAD)
        return false;
    len = read_number(in->ptr + 8, 4);
    if (len > in->len - ANSWER_HEAD)
        return false;
    *ret = (struct an_key_answer){.id = (uint32_t)read_number(in->ptr, 4), .code = (an_code)read_number(in->ptr + 4, 4),
                                  .bytes = AN_BYTES(in->ptr + ANSWER_HEAD, len)};
    *in = AN_BYTES(in->ptr + ANSWER_HEAD + len, in->len - ANSWER_HEAD - len);
    return true;
}
