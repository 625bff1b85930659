/* UTCTime and GeneralizedTime as RFC 5280 and RFC 3161 write them. */
#include "asn1/der.h"

/* Two decimal digits at the front of text, which moves past them; -1 when they are not there. */
static int
take_two_digits(an_bytes *text)
{
    unsigned tens, ones;

    if (text->len < 2)
        return -1;
    tens = text->ptr[0] - (unsigned)'0';
    ones = text->ptr[1] - (unsigned)'0';
    if (tens > 9 || ones > 9)
        return -1;
    *text = AN_BYTES(text->ptr + 2, text->len - 2);
    return (int)(tens * 10 + ones);
}

/* Digits behind the seconds (RFC 3161 2.4.2): read over, at least one must be there. */
static void
skip_fraction(an_bytes *text)
{
    size_t at = 1;

    if (text->len < 2 || text->ptr[0] != '.')
        return;
    while (at < text->len && text->ptr[at] >= '0' && text->ptr[at] <= '9')
        at++;
    if (at > 1)
        *text = AN_BYTES(text->ptr + at, text->len - at);
}

static an_time
read_time(int tag, an_bytes text)
{
    struct an_date date = {0};
    int century = 0, fields[6];

    if (tag == AN_DER_GENERALIZED_TIME)
        century = take_two_digits(&text);
    for (size_t i = 0; i < AN_COUNT(fields); i++) {
        fields[i] = take_two_digits(&text);
        if (fields[i] < 0)
            return AN_TIME_NONE;
    }
    if (tag == AN_DER_GENERALIZED_TIME)
        skip_fraction(&text);
    if (century < 0 || text.len != 1 || text.ptr[0] != 'Z')
        return AN_TIME_NONE;
    if (tag == AN_DER_UTC_TIME)
        century = fields[0] < 50 ? 20 : 19;
    date = (struct an_date){century * 100 + fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]};
    return an_time_of_date(&date, 0);
}

an_code
an_der_time(an_bytes *in, an_time *ret, struct an_err *reterr)
{
    an_bytes rest = *in, text;
    int tag = an_der_peek(rest);
    an_time when;

    if (tag != AN_DER_UTC_TIME)
        tag = AN_DER_GENERALIZED_TIME;
    AN_TRY(an_der_take(&rest, tag, &text, reterr));
    when = read_time(tag, text);
    if (when == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_DER_VALUE, "time not of the form %sYYMMDDhhmmssZ", tag == AN_DER_UTC_TIME ? "" : "YY");
    *ret = when;
    *in = rest;
    return AN_OK;
}
