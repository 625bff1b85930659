/* One letter to a mail server. */
#include "fetch/internal.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>

#define CONNECT_MS_MAX 15000

struct post {
    const struct an_fetch_config *config;
    an_bytes rest; /* of the letter */
    bool is_blocked;
    bool is_about_letter; /* the last command named a recipient, or the letter itself */
    char fault[CURL_ERROR_SIZE];
};

static void
free_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void
free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct post *post = context;

    (void)purpose;
    if (!post->config->allow_private && an_fetch_is_private(&address->addr)) {
        post->is_blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
give_letter(char *into, size_t size, size_t count, void *context)
{
    struct post *post = context;
    an_bytes part = an_bytes_slice(post->rest, 0, size * count);

    if (part.len > 0)
        memcpy(into, part.ptr, part.len);
    post->rest = an_bytes_slice(post->rest, part.len, SIZE_MAX);
    return part.len;
}

/* What a server says to EHLO, to who sends, to a log-in is between it and us, whatever the letter is. */
static int
note_command(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
    struct post *post = context;
    an_bytes line = AN_BYTES(data, size);

    (void)curl;
    if (type == CURLINFO_HEADER_OUT && !an_bytes_starts_with(line, AN_LIT("QUIT")))
        post->is_about_letter = an_bytes_starts_with(line, AN_LIT("RCPT")) || an_bytes_starts_with(line, AN_LIT("DATA"));
    return 0;
}

/* An address goes into a line of the conversation: nothing in it may end that line or its brackets. */
static bool
is_address_safe(const char *address)
{
    size_t at = strcspn(address, "@");

    if (at == 0 || address[at] != '@' || address[at + 1] == '\0' || strlen(address) > 254)
        return false;
    for (const unsigned char *c = (const unsigned char *)address; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7F || strchr("<>()[],;:\\\"", *c) != NULL)
            return false;
    return strchr(address + at + 1, '@') == NULL;
}

/* "smtp://host:port" and nothing more: no user, path or query. */
static bool
is_server_safe(const char *server)
{
    const char *host = strncasecmp(server, "smtp://", 7) == 0 ? server + 7 : strncasecmp(server, "smtps://", 8) == 0
            ? server + 8 : "";

    for (const char *c = host; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr(".-:[]", *c) == NULL)
            return false;
    return host[0] != '\0' && strlen(host) < 300;
}

static an_code
check_letter(const struct an_fetch_letter *letter, struct an_err *reterr)
{
    if (!is_server_safe(letter->server))
        AN_FAIL(reterr, AN_E_FETCH_URL, "%.80s", letter->server);
    if (!is_address_safe(letter->from))
        AN_FAIL(reterr, AN_E_MAIL_ADDRESS, "%.80s", letter->from);
    for (size_t i = 0; i < letter->to_count; i++)
        if (!is_address_safe(letter->to[i]))
            AN_FAIL(reterr, AN_E_MAIL_ADDRESS, "%.80s", letter->to[i]);
    if (letter->plain && letter->user != NULL)
        AN_FAIL(reterr, AN_E_MAIL_LOGIN, "%.80s: no log-in without TLS", letter->server);
    return AN_OK;
}

static void
set_options(CURL *curl, struct post *post, const struct an_fetch_letter *letter, struct curl_slist *to)
{
    curl_easy_setopt(curl, CURLOPT_URL, letter->server);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)letter->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(letter->timeout_ms < CONNECT_MS_MAX ? letter->timeout_ms
                                                             : CONNECT_MS_MAX));
    curl_easy_setopt(curl, CURLOPT_USE_SSL, letter->plain ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (letter->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, letter->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, letter->password ? letter->password : "");
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, letter->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, post);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_letter);
    curl_easy_setopt(curl, CURLOPT_READDATA, post);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->fault);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, note_command);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, post);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* to note_command alone */
}

/* What the server said decides before what curl calls it: a refused recipient and a broken line are one code to
 * curl. */
static an_code
name_trouble(CURL *curl, const struct post *post, const struct an_fetch_letter *letter, CURLcode trouble,
             struct an_err *reterr)
{
    long reply = 0;
    bool again = false;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
    if (post->is_blocked)
        AN_FAIL(reterr, AN_E_FETCH_BLOCKED, "%.80s", letter->server);
    if (trouble == CURLE_LOGIN_DENIED)
        AN_FAIL(reterr, AN_E_MAIL_LOGIN, "%.80s", letter->server);
    if (trouble == CURLE_USE_SSL_FAILED)
        AN_FAIL(reterr, AN_E_FETCH_TLS, "%.80s: %s", letter->server, post->fault);
    if (reply >= 400 && reply < 600 && !post->is_about_letter)
        AN_FAIL(reterr, AN_E_MAIL_SERVER, "%.80s: %ld %s", letter->server, reply, post->fault);
    if (reply >= 500 && reply < 600)
        AN_FAIL(reterr, AN_E_MAIL_REFUSED, "%.80s: %ld %s", letter->server, reply, post->fault);
    if (reply >= 400 && reply < 500)
        AN_FAIL(reterr, AN_E_MAIL_LATER, "%.80s: %ld %s", letter->server, reply, post->fault);
    AN_FAIL(reterr, an_fetch_trouble((int)trouble, &again), "%.80s: %s (%d)", letter->server, post->fault,
            (int)trouble);
}

an_code
an_fetch_post(const struct an_fetch_config *config, const struct an_fetch_letter *letter, struct an_err *reterr)
{
    AN_CLEANUP(free_curl) CURL *curl = curl_easy_init();
    AN_CLEANUP(free_list) struct curl_slist *to = NULL;
    struct post post = {.config = config, .rest = letter->message};
    CURLcode trouble;

    AN_TRY(check_letter(letter, reterr));
    if (curl == NULL)
        an_die_memory();
    for (size_t i = 0; i < letter->to_count; i++) {
        struct curl_slist *longer = curl_slist_append(to, letter->to[i]);
        if (longer == NULL)
            an_die_memory();
        to = longer;
    }
    set_options(curl, &post, letter, to);
    trouble = curl_easy_perform(curl);
    return trouble == CURLE_OK ? AN_OK : name_trouble(curl, &post, letter, trouble, reterr);
}
