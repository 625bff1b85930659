/* Threads that carry requests out, so that the loops never wait for a key or a database. */
#include "http/internal.h"

#include "base/limits.h"

#include <stdio.h>
#include <unistd.h>

#define HEADERS_MAX ((size_t)8192)
#define WAITING_MAX 4096 /* more are told to come back in a second: a queue that long answers nobody in time */
#define IN_HAND_ENOUGH 16 /* as many as a token has sessions for (keys/hold.c): every key is busy, what comes meanwhile gathers */

void
http_job_free(struct http_job *job)
{
    an_buf_free(&job->head_bytes);
    an_buf_free(&job->path);
    an_buf_free(&job->body);
    http_answer_done(&job->answer);
    free(job);
}

void
http_job_reset(struct http_job *job)
{
    an_buf_reset(&job->head_bytes);
    an_buf_reset(&job->path);
    an_buf_reset(&job->body);
    an_buf_reset(&job->answer.body);
    an_buf_reset(&job->answer.headers);
    if (job->answer.fd >= 0)
        close(job->answer.fd);
    job->answer.fd = -1;
    job->held = 0;
}

bool
http_work_push(struct an_http_server *server, struct http_job *job)
{
    bool done;

    pthread_mutex_lock(&server->lock);
    done = server->waiting < WAITING_MAX;
    if (done) {
        job->next = NULL;
        *server->last = job;
        server->last = &job->next;
        server->waiting++;
    }
    pthread_mutex_unlock(&server->lock);
    return done;
}

/* ---- taking ----
 * What is carried out together costs a share of every wake-up, question and look into the store. So when enough of a
 * route is in hand, what comes gathers until some of it is back: then it is the next batch of whoever brought that
 * back. */
static bool
may_take(const struct an_http_server *server, const struct http_job *job)
{
    return job->route->handle_many == NULL || server->in_hand[job->route_number] < IN_HAND_ENOUGH;
}

/* Where the first job hangs that may be taken now; NULL = there is none. */
static struct http_job **
find_job(struct an_http_server *server)
{
    for (struct http_job **at = &server->first; *at != NULL; at = &(*at)->next)
        if (may_take(server, *at))
            return at;
    return NULL;
}

void
http_work_wake(struct an_http_server *server)
{
    bool is_work;

    pthread_mutex_lock(&server->lock);
    is_work = find_job(server) != NULL;
    pthread_mutex_unlock(&server->lock);
    if (is_work)
        pthread_cond_signal(&server->is_work);
}

/* The job and those of its route that stand behind it, when they can be carried out together. */
static struct http_job *
cut_jobs(struct an_http_server *server, struct http_job **at, size_t *ret_count)
{
    struct http_job *first = *at, *last = first;
    size_t count = 1;

    for (; first->route->handle_many != NULL && count < AN_HTTP_TURNS_MAX && last->next != NULL &&
         last->next->route == first->route; count++)
        last = last->next;
    *at = last->next;
    if (last->next == NULL)
        server->last = at;
    last->next = NULL;
    server->waiting -= count;
    server->in_hand[first->route_number] += count;
    *ret_count = count;
    if (find_job(server) != NULL)
        pthread_cond_signal(&server->is_work); /* whoever takes wakes the next one, as long as there is work */
    return first;
}

/* The next jobs; those of the last time, count of that route, are back. NULL when the server ends. */
static struct http_job *
take_jobs(struct an_http_server *server, size_t *route, size_t *count)
{
    struct http_job **at, *first = NULL;

    pthread_mutex_lock(&server->lock);
    server->in_hand[*route] -= *count;
    while ((at = find_job(server)) == NULL && !(server->first == NULL && server->loops_gone))
        pthread_cond_wait(&server->is_work, &server->lock);
    if (at != NULL) {
        first = cut_jobs(server, at, count);
        *route = first->route_number;
    }
    pthread_mutex_unlock(&server->lock);
    return first;
}

/* What a proxy says of the other end. Only one that we named may say it, and once: of two lines the first may be the
 * stranger's own, passed on by a proxy that added its line behind it. */
static const struct { const char *name; bool of_certs, is_list; } proxy_words[] = {
    {"x-forwarded-for", false, true}, {"x-forwarded-proto", false, false}, {"x-client-cert", true, false},
};

static bool
is_header(const struct an_http_line *header, const char *lower_name)
{
    return header->name.len == strlen(lower_name) && strncasecmp((const char *)header->name.ptr, lower_name,
                                                                 header->name.len) == 0;
}

/* A list is read from its end, so that of its lines the last one counts; of others none does when there are two. */
static void
keep_word(struct an_http_head *head, size_t word, bool is_believed)
{
    struct an_http_line *kept = NULL;
    bool is_twice = false;

    for (size_t i = 0; i < head->header_count; i++) {
        if (!is_header(&head->headers[i], proxy_words[word].name))
            continue;
        is_twice = kept != NULL;
        if (kept != NULL)
            kept->name = AN_NONE;
        kept = &head->headers[i];
    }
    if (kept != NULL && (!is_believed || (is_twice && !proxy_words[word].is_list)))
        kept->name = AN_NONE;
}

/* Behind a proxy that we know, the other end is who the proxy says it is. */
static void
read_forwarded(struct http_job *job)
{
    an_bytes from = an_http_head_find(&job->head, "x-forwarded-for");
    size_t comma = an_bytes_rfind(from, AN_LIT(",")), at = 0;

    if (from.len == 0)
        return;
    if (comma != SIZE_MAX)
        from = an_bytes_slice(from, comma + 1, SIZE_MAX);
    for (size_t i = 0; i < from.len && at + 1 < sizeof(job->peer); i++)
        if (strchr("0123456789abcdefABCDEF.:", from.ptr[i]) != NULL)
            job->peer[at++] = (char)from.ptr[i];
    job->peer[at] = '\0';
}

static void
hear_proxy(const struct an_http_server *server, struct http_job *job, struct an_http_request *request)
{
    static const char *const signs[] = {"x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"};
    bool is_certs = http_is_named(server->trusted_certs, job->peer);

    request->is_vouched = http_is_named(server->trusted, job->peer);
    for (size_t i = 0; i < AN_COUNT(signs); i++)
        request->is_forwarded = request->is_forwarded || an_http_head_find(&job->head, signs[i]).ptr != NULL;
    for (size_t i = 0; i < AN_COUNT(proxy_words); i++)
        keep_word(&job->head, i, proxy_words[i].of_certs ? is_certs : request->is_vouched);
    read_forwarded(job);
}

/* A request as its handler sees it. */
struct turn { struct an_http_request request; char *query, *type; };

static void
open_turn(const struct an_http_server *server, struct http_job *job, struct turn *turn)
{
    turn->query = an_strdup_bytes(job->head.query);
    turn->type = an_strdup_bytes(an_http_head_find(&job->head, "content-type"));
    turn->request = (struct an_http_request){.method = job->is_head ||
                                             job->head.method.ptr[0] == 'G' ? "GET" : job->head.method.ptr[0] == 'D'
                                             ? "DELETE" :
                                             job->head.method.len == 4 ? "POST" : "PUT",
                                             .path = (const char *)job->path.ptr, .query = turn->query,
                                             .content_type = turn->type,
                                             .body = an_buf_view(&job->body), .peer = job->peer, .head = &job->head};
    hear_proxy(server, job, &turn->request);
    /* with the room that they may have of a request before */
    struct an_buf body = job->answer.body, headers = job->answer.headers;

    body.max = AN_LIMIT_MESSAGE_BYTES;
    headers.max = HEADERS_MAX;
    job->answer = (struct an_http_answer){.status = 404, .fd = -1, .body = body, .headers = headers,
                                          .last_modified = AN_TIME_NONE, .expires = AN_TIME_NONE};
}

static void
close_turn(struct http_job *job, struct turn *turn)
{
    free(turn->query);
    free(turn->type);
    if (an_buf_ok(&job->answer.body) && an_buf_ok(&job->answer.headers) && job->answer.status >= 200 &&
        job->answer.status <= 599)
        return;
    an_buf_free(&job->answer.body);
    an_buf_free(&job->answer.headers);
    job->answer.body = an_buf_new(256);
    job->answer.headers = an_buf_new(256);
    an_http_answer_text(&job->answer, 500, "Lỗi nội bộ", "Internal error");
}

static void
carry_out(const struct an_http_server *server, struct http_job *first)
{
    const struct an_http_route *route = first->route;
    struct turn turns[AN_HTTP_TURNS_MAX];
    struct an_http_turn seen[AN_HTTP_TURNS_MAX];
    size_t count = 0;

    for (struct http_job *job = first; job != NULL; job = job->next, count++) {
        open_turn(server, job, &turns[count]);
        seen[count] = (struct an_http_turn){&turns[count].request, &job->answer};
    }
    if (route->handle_many != NULL)
        route->handle_many(server->setup.context, seen, count);
    else
        route->handle(server->setup.context, seen[0].request, seen[0].answer);
    count = 0;
    for (struct http_job *job = first; job != NULL; job = job->next, count++)
        close_turn(job, &turns[count]);
}

/* True when its loop has to be woken. */
static bool
give_back(struct http_job *job, struct loop *loop)
{
    bool was_empty;

    pthread_mutex_lock(&loop->lock);
    was_empty = loop->done == NULL;
    job->next = loop->done;
    loop->done = job;
    pthread_mutex_unlock(&loop->lock);
    return was_empty;
}

/* A loop that is woken finds all of its answers, not the first one. */
static void
give_all_back(struct http_job *job)
{
    struct loop *to_wake[AN_HTTP_TURNS_MAX];
    size_t count = 0;

    for (struct http_job *next; job != NULL; job = next) {
        struct loop *loop = job->conn->loop;
        next = job->next;
        if (give_back(job, loop))
            to_wake[count++] = loop;
    }
    for (size_t i = 0; i < count; i++)
        http_loop_wake(to_wake[i]);
}

void *
http_work(void *context)
{
    struct an_http_server *server = context;
    size_t route = 0, count = 0;
    struct http_job *jobs;

    while ((jobs = take_jobs(server, &route, &count)) != NULL) {
        carry_out(server, jobs);
        give_all_back(jobs);
    }
    return NULL;
}
