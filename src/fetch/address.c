#include "fetch/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

struct range4 { uint32_t base; unsigned bits; };

/* IANA special-purpose registry: everything that is not globally reachable. */
static const struct range4 private4[] = {
    {0x00000000, 8},  /* this network */
    {0x0A000000, 8},  /* RFC 1918 */
    {0x64400000, 10}, /* shared address space, RFC 6598 */
    {0x7F000000, 8},  /* loopback */
    {0xA9FE0000, 16}, /* link-local */
    {0xAC100000, 12}, /* RFC 1918 */
    {0xC0000000, 24}, /* IETF protocol assignments */
    {0xC0000200, 24}, /* documentation */
    {0xC0A80000, 16}, /* RFC 1918 */
    {0xC6120000, 15}, /* benchmarking */
    {0xC6336400, 24}, /* documentation */
    {0xCB007100, 24}, /* documentation */
    {0xE0000000, 3},  /* multicast, reserved, broadcast */
};

static bool
is_private4(uint32_t address)
{
    for (size_t i = 0; i < AN_COUNT(private4); i++)
        if ((address ^ private4[i].base) >> (32 - private4[i].bits) == 0)
            return true;
    return false;
}

static uint32_t
read_be32(const uint8_t in[static 4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Only 2000::/3 is given out; inside it 6to4 carries an IPv4 address, and so does NAT64 outside of it. */
static bool
is_private6(const uint8_t a[static 16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};

    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return is_private4(read_be32(a + 12));
    if ((a[0] & 0xE0u) != 0x20)
        return true;
    if (a[0] == 0x20 && a[1] == 0x02)
        return is_private4(read_be32(a + 2));
    if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xFEu) == 0)
        return true; /* 2001::/23: Teredo, benchmarking, ORCHID */
    return a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8; /* documentation */
}

bool
an_fetch_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return is_private4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        return is_private6(v6.sin6_addr.s6_addr);
    }
    return true;
}

/* Names that are nobody's on the Internet: RFC 6761, 6762, 8375, ICANN on "internal"; and any name of one label. */
static bool
is_private_name(const char *host)
{
    static const char *const ends[] = {".localhost", ".localdomain", ".local", ".internal", ".home.arpa"};
    size_t len = strlen(host);

    for (size_t i = 0; i < AN_COUNT(ends); i++)
        if (len > strlen(ends[i]) && strcasecmp(host + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    return strchr(host, '.') == NULL;
}

/* A dot at the end changes nothing about a name or an address; inet_aton reads them octal, hexadecimal and short. */
bool
an_fetch_names_private(const char *text)
{
    char host[256];
    size_t len = strlen(text);
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (len > 0 && text[len - 1] == '.')
        len--;
    if (len == 0 || len >= sizeof(host))
        return true; /* longer than any name */
    memcpy(host, text, len);
    host[len] = '\0';
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &v6.sin6_addr) != 1 || an_fetch_is_private((struct sockaddr *)&v6);
    }
    if (inet_aton(host, &v4.sin_addr) != 0)
        return an_fetch_is_private((struct sockaddr *)&v4);
    return is_private_name(host);
}
