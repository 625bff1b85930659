/*
 * 1/x modulo an odd number of 256 bits, by division steps: D. Bernstein and B. Yang, "Fast constant-time gcd computation
 * and modular inversion", 2019. Here not in constant time, and therefore only for what is public. 62 steps are worked
 * out on the lowest words alone and then done to the whole numbers at once, as a matrix.
 *
 * Numbers are five limbs of 62 bits, the last one signed.
 */
#include "crypto/internal.h"

#define LIMBS 5
#define LIMB_BITS 62
#define LIMB_MASK (UINT64_MAX >> 2)
#define NUMBER_BYTES 32
#define ROUNDS_MAX 12 /* 741 steps end it for all numbers of 256 bits */

struct number { int64_t limb[LIMBS]; };
struct matrix { int64_t u, v, q, r; }; /* 2^62 × what the steps do to the pair */
__extension__ typedef __int128 wide;

static struct number
number_of(const uint8_t bytes[NUMBER_BYTES])
{
    uint64_t w[4];

    memcpy(w, bytes, sizeof(w)); /* little-endian, as are the machines that this is built for */
    return (struct number){{(int64_t)(w[0] & LIMB_MASK), (int64_t)((w[0] >> 62 | w[1] << 2) & LIMB_MASK),
                            (int64_t)((w[1] >> 60 | w[2] << 4) & LIMB_MASK),
                            (int64_t)((w[2] >> 58 | w[3] << 6) & LIMB_MASK), (int64_t)(w[3] >> 56)}};
}

static void
bytes_of(const struct number *n, uint8_t ret[NUMBER_BYTES])
{
    const uint64_t l[LIMBS] = {(uint64_t)n->limb[0], (uint64_t)n->limb[1], (uint64_t)n->limb[2], (uint64_t)n->limb[3],
                               (uint64_t)n->limb[4]};
    const uint64_t w[4] = {l[0] | l[1] << 62, l[1] >> 2 | l[2] << 60, l[2] >> 4 | l[3] << 58, l[3] >> 6 | l[4] << 56};

    memcpy(ret, w, sizeof(w));
}

static bool
is_zero(const struct number *n)
{
    return (n->limb[0] | n->limb[1] | n->limb[2] | n->limb[3] | n->limb[4]) == 0;
}

/* 62 steps from the lowest bits of both, f odd. Zeros at the end of g are shifted out; then g is odd, and a multiple of
 * f takes away as many of its bits as there are steps before the two change places. */
static int64_t
work_out(int64_t delta, uint64_t f, uint64_t g, struct matrix *ret)
{
    uint64_t u = 1, v = 0, q = 0, r = 1;

    for (int left = LIMB_BITS;;) {
        int zeros = __builtin_ctzll(g | UINT64_MAX << left), steps;
        uint64_t times;

        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        delta += zeros;
        left -= zeros;
        if (left == 0)
            break;
        if (delta > 0) {
            const uint64_t before[3] = {f, u, v};
            delta = -delta;
            f = g, u = q, v = r;
            g = -before[0], q = -before[1], r = -before[2];
        }
        steps = 1 - delta < left ? (int)(1 - delta) : left;
        times = g * f * (f * f - 2) & (steps < 6 ? (UINT64_C(1) << steps) - 1 : 63); /* -g/f modulo 64 */
        g += f * times;
        q += u * times;
        r += v * times;
    }
    *ret = (struct matrix){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
    return delta;
}

/* Both at once; the division by 2^62 leaves no rest. */
static void
step_pair(struct number *f, struct number *g, const struct matrix *t)
{
    wide x = 0, y = 0;

    for (int i = 0; i < LIMBS; i++) {
        x += (wide)t->u * f->limb[i] + (wide)t->v * g->limb[i];
        y += (wide)t->q * f->limb[i] + (wide)t->r * g->limb[i];
        if (i > 0) {
            f->limb[i - 1] = (int64_t)((uint64_t)x & LIMB_MASK);
            g->limb[i - 1] = (int64_t)((uint64_t)y & LIMB_MASK);
        }
        x >>= LIMB_BITS;
        y >>= LIMB_BITS;
    }
    f->limb[LIMBS - 1] = (int64_t)x;
    g->limb[LIMBS - 1] = (int64_t)y;
}

/* The same for what they are multiples of, modulo m: so many times m is added that no rest is left. Results are above
 * -2m and below m, as are the arguments. odd: 1/m modulo 2^62. */
static void
step_multiples(struct number *d, struct number *e, const struct matrix *t, const struct number *m, uint64_t odd)
{
    const int64_t below_d = d->limb[LIMBS - 1] >> 63, below_e = e->limb[LIMBS - 1] >> 63;
    int64_t times_d = (t->u & below_d) + (t->v & below_e), times_e = (t->q & below_d) + (t->r & below_e);
    wide x = (wide)t->u * d->limb[0] + (wide)t->v * e->limb[0], y = (wide)t->q * d->limb[0] + (wide)t->r * e->limb[0];

    times_d -= (int64_t)((odd * (uint64_t)x + (uint64_t)times_d) & LIMB_MASK);
    times_e -= (int64_t)((odd * (uint64_t)y + (uint64_t)times_e) & LIMB_MASK);
    x = (x + (wide)m->limb[0] * times_d) >> LIMB_BITS;
    y = (y + (wide)m->limb[0] * times_e) >> LIMB_BITS;
    for (int i = 1; i < LIMBS; i++) {
        x += (wide)t->u * d->limb[i] + (wide)t->v * e->limb[i] + (wide)m->limb[i] * times_d;
        y += (wide)t->q * d->limb[i] + (wide)t->r * e->limb[i] + (wide)m->limb[i] * times_e;
        d->limb[i - 1] = (int64_t)((uint64_t)x & LIMB_MASK);
        e->limb[i - 1] = (int64_t)((uint64_t)y & LIMB_MASK);
        x >>= LIMB_BITS;
        y >>= LIMB_BITS;
    }
    d->limb[LIMBS - 1] = (int64_t)x;
    e->limb[LIMBS - 1] = (int64_t)y;
}

/* n × sign + m when that is below zero */
static void
lift(struct number *n, int64_t sign, const struct number *m)
{
    const bool adds = (n->limb[LIMBS - 1] < 0) != (sign < 0) && !is_zero(n);
    int64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += n->limb[i] * sign + (adds ? m->limb[i] : 0);
        n->limb[i] = i + 1 < LIMBS ? (int64_t)((uint64_t)carry & LIMB_MASK) : carry;
        carry >>= LIMB_BITS;
    }
}

bool
an_quick_inverse(const BIGNUM *x, const BIGNUM *modulus, BIGNUM *ret)
{
    uint8_t bytes[2][NUMBER_BYTES];
    struct number f, g, m, d = {{0}}, e = {{1}};
    struct matrix t;
    uint64_t odd;
    int64_t delta = 1;

    if (!BN_is_odd(modulus) || BN_bn2lebinpad(x, bytes[0], NUMBER_BYTES) < 0 ||
        BN_bn2lebinpad(modulus, bytes[1], NUMBER_BYTES) < 0)
        return false;
    g = number_of(bytes[0]);
    f = m = number_of(bytes[1]);
    odd = (uint64_t)m.limb[0]; /* right in its three lowest bits; each round doubles them */
    for (int i = 0; i < 5; i++)
        odd *= 2 - (uint64_t)m.limb[0] * odd;
    for (int round = 0; !is_zero(&g); round++) {
        if (round == ROUNDS_MAX)
            return false;
        delta = work_out(delta, (uint64_t)f.limb[0] | (uint64_t)f.limb[1] << LIMB_BITS,
                         (uint64_t)g.limb[0] | (uint64_t)g.limb[1] << LIMB_BITS, &t);
        step_multiples(&d, &e, &t, &m, odd);
        step_pair(&f, &g, &t);
    }
    lift(&d, 1, &m);
    lift(&d, f.limb[LIMBS - 1] < 0 ? -1 : 1, &m);
    bytes_of(&d, bytes[0]);
    return BN_lebin2bn(bytes[0], NUMBER_BYTES, ret) != NULL;
}
