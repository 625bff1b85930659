#include "fetch/internal.h"

#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>

#define URL_BYTES_MAX 8192

void
an_fetch_url_free(struct an_fetch_url *url)
{
    free(url->url);
    free(url->shown);
    free(url->connect_to);
    *url = (struct an_fetch_url){0};
}

static void
free_parts(CURLU **parts)
{
    curl_url_cleanup(*parts);
}

/* The next "from=to" of the map; false at its end. */
static bool
next_override(an_bytes *map, an_bytes *from, an_bytes *to)
{
    while (map->len > 0) {
        size_t end = an_bytes_find(*map, AN_LIT("\n"), 0);
        an_bytes line = an_bytes_slice(*map, 0, end == SIZE_MAX ? map->len : end);
        size_t sign = an_bytes_find(line, AN_LIT("="), 0);
        *map = end == SIZE_MAX ? AN_NONE : an_bytes_slice(*map, end + 1, SIZE_MAX);
        if (sign == SIZE_MAX || sign == 0)
            continue;
        while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
            line.len--;
        *from = an_bytes_slice(line, 0, sign);
        *to = an_bytes_slice(line, sign + 1, SIZE_MAX);
        return true;
    }
    return false;
}

static char *
replace_prefix(const char *text, const char *map, bool *ret_done)
{
    an_bytes rest = an_bytes_of_str(map), from, to;

    while (next_override(&rest, &from, &to)) {
        if (an_bytes_find(from, AN_LIT("://"), 0) == SIZE_MAX || !an_bytes_starts_with(an_bytes_of_str(text), from))
            continue;
        *ret_done = true;
        return an_asprintf("%.*s%s", AN_FMT(to), text + from.len);
    }
    return an_strdup(text);
}

/* "host", "host:port" and "[v6]:port" to host and port; the port of the URL where none is given. */
static void
split_host(an_bytes text, const char *port, char host[static 300], char ret_port[static 8])
{
    size_t colon = an_bytes_rfind(text, AN_LIT(":")), bracket = an_bytes_rfind(text, AN_LIT("]"));
    bool has_port = colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket);
    an_bytes name = has_port ? an_bytes_slice(text, 0, colon) : text;

    snprintf(host, 300, "%.*s", AN_FMT(name));
    if (has_port)
        snprintf(ret_port, 8, "%.*s", AN_FMT(an_bytes_slice(text, colon + 1, SIZE_MAX)));
    else
        snprintf(ret_port, 8, "%s", port);
}

static char *
find_connect_to(const char *host, const char *port, const char *map)
{
    an_bytes rest = an_bytes_of_str(map), from, to;

    while (next_override(&rest, &from, &to)) {
        char from_host[300], from_port[8], to_host[300], to_port[8];
        if (an_bytes_find(from, AN_LIT("://"), 0) != SIZE_MAX)
            continue;
        split_host(from, port, from_host, from_port);
        if (strcasecmp(from_host, host) != 0 || strcmp(from_port, port) != 0)
            continue;
        split_host(to, port, to_host, to_port);
        return an_asprintf("%s:%s:%s:%s", host, port, to_host, to_port);
    }
    return NULL;
}

static an_code
read_parts(CURLU *parts, const char *map, struct an_fetch_url *url, struct an_err *reterr)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    an_code code = AN_OK;

    if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
        code = an_err_set(reterr, AN_E_FETCH_URL, "no host");
    } else {
        url->is_https = strcmp(scheme, "https") == 0;
        url->names_private = an_fetch_names_private(host);
        url->connect_to = find_connect_to(host, port, map);
        url->is_overridden = url->is_overridden || url->connect_to != NULL;
        url->shown = an_asprintf("%s://%s:%s%.200s", scheme, host, port, path);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    return code;
}

static bool
has_known_scheme(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

an_code
an_fetch_url_parse(const char *text, const char *map, struct an_fetch_url *ret, struct an_err *reterr)
{
    AN_CLEANUP(free_parts) CURLU *parts = curl_url();
    struct an_fetch_url url = {0};
    an_code code;

    if (strlen(text) > URL_BYTES_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "URL of %zu byte", strlen(text));
    url.url = replace_prefix(text, map ? map : "", &url.is_overridden);
    if (!has_known_scheme(url.url)) {
        const char *colon = strstr(url.url, "://");
        int shown = colon != NULL && colon - url.url <= 32 ? (int)(colon - url.url) : 0;
        code = an_err_set(reterr, shown ? AN_E_FETCH_SCHEME : AN_E_FETCH_URL, "%.*s", shown, url.url);
    } else if (curl_url_set(parts, CURLUPART_URL, url.url, CURLU_DISALLOW_USER) != CURLUE_OK) {
        code = an_err_set(reterr, AN_E_FETCH_URL, "%zu byte", strlen(text));
    } else {
        code = read_parts(parts, map ? map : "", &url, reterr);
    }
    if (code != AN_OK) {
        an_fetch_url_free(&url);
        return code;
    }
    *ret = url;
    return AN_OK;
}
