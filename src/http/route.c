#include "http/internal.h"

size_t
http_route_find(const struct an_http_server *server, an_bytes path)
{
    for (size_t i = 0; i < server->route_count; i++) {
        size_t len = server->route_lens[i];
        bool is_folder = server->routes[i]->path[len - 1] == '/';
        if ((is_folder ? path.len >= len : path.len == len) && memcmp(path.ptr, server->routes[i]->path, len) == 0)
            return i;
    }
    return SIZE_MAX;
}

unsigned
http_method_bit(an_bytes method)
{
    static const struct { const char *name; unsigned bit; } methods[] = {
        {"GET", AN_HTTP_GET}, {"POST", AN_HTTP_POST}, {"HEAD", AN_HTTP_GET}, {"PUT", AN_HTTP_PUT}, {"DELETE", AN_HTTP_DELETE},
    };

    for (size_t i = 0; i < AN_COUNT(methods); i++)
        if (an_bytes_eq_str(method, methods[i].name))
            return methods[i].bit;
    return 0;
}

/* An IPv4 address that came through an IPv6 socket is the same address. */
bool
http_is_named(const char *list, const char *peer)
{
    size_t len = strlen(peer);

    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == len && strncmp(at, peer, len) == 0)
            return true;
        at += word;
        at += strspn(at, " ");
    }
    return false;
}

an_bytes
an_http_header(const struct an_http_request *request, const char *name)
{
    return an_http_head_find(request->head, name);
}

bool
an_http_field(an_bytes fields, const char *name, struct an_buf *ret)
{
    while (fields.len > 0) {
        size_t amp = an_bytes_find(fields, AN_LIT("&"), 0);
        an_bytes pair = an_bytes_slice(fields, 0, amp);
        size_t equals = an_bytes_find(pair, AN_LIT("="), 0);

        if (equals != SIZE_MAX && an_bytes_eq_str(an_bytes_slice(pair, 0, equals), name)) {
            an_buf_reset(ret);
            return an_http_decode(an_bytes_slice(pair, equals + 1, SIZE_MAX), true, ret);
        }
        fields = amp == SIZE_MAX ? AN_NONE : an_bytes_slice(fields, amp + 1, SIZE_MAX);
    }
    return false;
}
