#include "base/bytes.h"

size_t
an_bytes_find(an_bytes haystack, an_bytes needle, size_t from)
{
    const uint8_t *hit;

    if (from > haystack.len || needle.len == 0 || haystack.ptr == NULL)
        return SIZE_MAX;
    hit = memmem(haystack.ptr + from, haystack.len - from, needle.ptr, needle.len);
    return hit ? (size_t)(hit - haystack.ptr) : SIZE_MAX;
}

size_t
an_bytes_rfind(an_bytes haystack, an_bytes needle)
{
    if (needle.len == 0 || needle.len > haystack.len)
        return SIZE_MAX;
    for (size_t at = haystack.len - needle.len + 1; at-- > 0;)
        if (memcmp(haystack.ptr + at, needle.ptr, needle.len) == 0)
            return at;
    return SIZE_MAX;
}

bool
an_bytes_eq_secret(an_bytes a, an_bytes b)
{
    volatile uint8_t difference = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        difference |= a.ptr[i] ^ b.ptr[i];
    return difference == 0;
}
