/* The public key: RFC 3279, 5480, 8017, NIST SP 800-89. */
#include "ca/lint_internal.h"

#define OID_RSA AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01")
#define OID_RSA_PSS AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A")
#define OID_EC AN_LIT("\x2A\x86\x48\xCE\x3D\x02\x01")
#define OID_ED25519 AN_LIT("\x2B\x65\x70")

static int
bits_of(an_bytes number)
{
    int bits;

    while (number.len > 0 && number.ptr[0] == 0)
        number = AN_BYTES(number.ptr + 1, number.len - 1);
    if (number.len == 0)
        return 0;
    bits = (int)(number.len - 1) * 8;
    for (unsigned top = number.ptr[0]; top != 0; top >>= 1)
        bits++;
    return bits;
}

/* The remainders by all small primes come from a few remainders by products of them that fit 32 bits. */
static uint32_t
remainder_by(an_bytes number, uint32_t by)
{
    uint64_t rest = 0;
    size_t i = 0;

    for (; i < number.len % 4; i++)
        rest = rest << 8 | number.ptr[i];
    rest %= by;
    for (; i < number.len; i += 4) {
        uint32_t word = (uint32_t)number.ptr[i] << 24 | (uint32_t)number.ptr[i + 1] << 16 |
                        (uint32_t)number.ptr[i + 2] << 8 | number.ptr[i + 3];
        rest = (rest << 32 | word) % by;
    }
    return (uint32_t)rest;
}

static bool
has_small_factor(an_bytes modulus)
{
    static const struct { uint32_t product; uint8_t primes[10]; } groups[] = {
        {3234846615u, {3, 5, 7, 11, 13, 17, 19, 23, 29}}, {95041567u, {31, 37, 41, 43, 47}}, {907383479u, {53, 59, 61, 67, 71}},
        {4132280413u, {73, 79, 83, 89, 97}}, {121330189u, {101, 103, 107, 109}}, {257557397u, {113, 127, 131, 137}},
        {490995677u, {139, 149, 151, 157}}, {842952707u, {163, 167, 173, 179}}, {1314423991u, {181, 191, 193, 197}},
        {2125525169u, {199, 211, 223, 227}}, {3073309843u, {229, 233, 239, 241}},
    };

    for (size_t i = 0; i < AN_COUNT(groups); i++) {
        uint32_t rest = remainder_by(modulus, groups[i].product);
        for (size_t k = 0; groups[i].primes[k] != 0; k++)
            if (rest % groups[i].primes[k] == 0)
                return true;
    }
    return false;
}

static bool
is_negative(an_bytes number)
{
    return number.len > 0 && number.ptr[0] >= 0x80;
}

static bool
check_rsa(struct lint_cert *c, an_bytes bits, an_bytes params, bool is_pss)
{
    struct lint_run *run = &c->run;
    an_bytes in, modulus, exponent;

    if (an_der_take(&bits, AN_DER_SEQUENCE, &in, NULL) != AN_OK || bits.len != 0 ||
        an_der_take(&in, AN_DER_INTEGER, &modulus, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_INTEGER, &exponent, NULL) != AN_OK || in.len != 0 || modulus.len == 0 ||
        exponent.len == 0)
        return false;
    c->key_kind = is_pss ? AN_KEY_RSA_PSS : AN_KEY_RSA;
    c->key_bits = bits_of(modulus);
    lint_if(run, !is_pss && !an_bytes_eq(params, AN_LIT("\x05\x00")), LINT_KEY_RSA_PARAMETERS);
    lint_if(run, is_negative(modulus) || is_negative(exponent), LINT_KEY_RSA_POSITIVE);
    lint_if(run, c->key_bits < 2048, LINT_KEY_RSA_SIZE);
    lint_if(run, c->key_bits % 8 != 0, LINT_KEY_RSA_OCTETS);
    lint_if(run, (exponent.ptr[exponent.len - 1] & 1) == 0 || bits_of(exponent) < 17, LINT_KEY_RSA_EXPONENT);
    lint_if(run, bits_of(exponent) > 256, LINT_KEY_RSA_EXPONENT_LARGE);
    lint_if(run, (modulus.ptr[modulus.len - 1] & 1) == 0 || has_small_factor(modulus), LINT_KEY_RSA_FACTOR);
    return true;
}

static void
check_ec(struct lint_cert *c, an_bytes bits, an_bytes params)
{
    static const struct { an_bytes oid; int bits; } curves[] = {
        {{(const uint8_t *)"\x2A\x86\x48\xCE\x3D\x03\x01\x07", 8}, 256}, {{(const uint8_t *)"\x2B\x81\x04\x00\x22", 5}, 384},
        {{(const uint8_t *)"\x2B\x81\x04\x00\x23", 5}, 521},
    };
    an_bytes oid = AN_NONE;

    c->key_kind = AN_KEY_EC;
    if (an_der_peek(params) != AN_DER_OID || an_der_take(&params, AN_DER_OID, &oid, NULL) != AN_OK) {
        lint_raise(&c->run, LINT_KEY_EC_NAMED);
        return;
    }
    for (size_t i = 0; i < AN_COUNT(curves); i++)
        if (an_bytes_eq(oid, curves[i].oid))
            c->key_bits = curves[i].bits;
    lint_if(&c->run, c->key_bits == 0, LINT_KEY_EC_CURVE);
    lint_if(&c->run, bits.len == 0 ||
            (c->key_bits != 0 && (bits.ptr[0] != 4 || bits.len != 1 + 2 * (((size_t)c->key_bits + 7) / 8))),
            LINT_KEY_EC_POINT);
}

static bool
read_key(struct lint_cert *c)
{
    an_bytes in = c->spki, algorithm, oid, bits;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_take(&algorithm, AN_DER_OID, &oid, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_BIT_STRING, &bits, NULL) != AN_OK || in.len != 0 || bits.len < 2)
        return false;
    lint_if(&c->run, bits.ptr[0] != 0, LINT_KEY_BITS);
    bits = c->key_octets = AN_BYTES(bits.ptr + 1, bits.len - 1);
    if (an_bytes_eq(oid, OID_RSA) || an_bytes_eq(oid, OID_RSA_PSS))
        return check_rsa(c, bits, algorithm, an_bytes_eq(oid, OID_RSA_PSS));
    if (an_bytes_eq(oid, OID_EC))
        check_ec(c, bits, algorithm);
    else if (an_bytes_eq(oid, OID_ED25519))
        c->key_kind = AN_KEY_ED25519;
    lint_if(&c->run, c->key_kind != AN_KEY_EC, LINT_KEY_KIND);
    return true;
}

void
lint_cert_key(struct lint_cert *c)
{
    const struct an_cert *issuer = c->run.plan->issuer;

    if (!read_key(c))
        lint_raise(&c->run, LINT_KEY_STRUCTURE);
    lint_if(&c->run, issuer != NULL && !c->is_self_issued && an_bytes_eq(issuer->spki, c->spki), LINT_KEY_ISSUER);
}
