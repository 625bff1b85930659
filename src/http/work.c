/* Threads that carry requests out, so that the loops never wait for a key or a database. */
#include "http/internal.h"

#include "base/limits.h"

#include <stdio.h>

#define WAITING_MAX 4096 /* more are told to come back in a second: a queue that long answers nobody in time */

void
http_job_free(struct http_job *job)
{
    an_buf_free(&job->head_bytes);
    an_buf_free(&job->path);
    an_buf_free(&job->body);
    http_answer_done(&job->answer);
    free(job);
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
        pthread_cond_signal(&server->is_work);
    }
    pthread_mutex_unlock(&server->lock);
    return done;
}

static struct http_job *
take_job(struct an_http_server *server)
{
    struct http_job *job;

    pthread_mutex_lock(&server->lock);
    while (server->first == NULL && !server->loops_gone)
        pthread_cond_wait(&server->is_work, &server->lock);
    job = server->first;
    if (job != NULL) {
        server->first = job->next;
        if (server->first == NULL)
            server->last = &server->first;
        server->waiting--;
    }
    pthread_mutex_unlock(&server->lock);
    return job;
}

/* Behind a proxy that we know, the other end is who the proxy says it is. */
static void
read_forwarded(const struct an_http_server *server, struct http_job *job)
{
    an_bytes from = an_http_head_find(&job->head, "x-forwarded-for");
    size_t comma = an_bytes_rfind(from, AN_LIT(",")), at = 0;

    if (from.len == 0 || !http_is_trusted(server, job->peer))
        return;
    if (comma != SIZE_MAX)
        from = an_bytes_slice(from, comma + 1, SIZE_MAX);
    for (size_t i = 0; i < from.len && at + 1 < sizeof(job->peer); i++)
        if (strchr("0123456789abcdefABCDEF.:", from.ptr[i]) != NULL)
            job->peer[at++] = (char)from.ptr[i];
    job->peer[at] = '\0';
}

/* What only a trusted proxy may say is taken out of everybody else's request. */
static void
drop_untrusted(const struct an_http_server *server, struct http_job *job)
{
    if (http_is_trusted(server, job->peer))
        return;
    for (size_t i = 0; i < job->head.header_count; i++)
        if (job->head.headers[i].name.len == 13 && strncasecmp((const char *)job->head.headers[i].name.ptr, "x-client-cert", 13) == 0)
            job->head.headers[i].value = AN_NONE;
}

static void
carry_out(const struct an_http_server *server, struct http_job *job)
{
    AN_CLEANUP(an_free_ptr) char *query = an_strdup_bytes(job->head.query);
    AN_CLEANUP(an_free_ptr) char *type = an_strdup_bytes(an_http_head_find(&job->head, "content-type"));
    struct an_http_request request = {.method = job->is_head || job->head.method.ptr[0] == 'G' ? "GET" : job->head.method.ptr[0] == 'D' ? "DELETE" :
                                      job->head.method.len == 4 ? "POST" : "PUT",
                                      .path = (const char *)job->path.ptr, .query = query, .content_type = type, .body = an_buf_view(&job->body),
                                      .peer = job->peer, .head = &job->head};

    drop_untrusted(server, job);
    read_forwarded(server, job);
    job->answer = (struct an_http_answer){.status = 404, .fd = -1, .body = an_buf_new(AN_LIMIT_MESSAGE_BYTES), .headers = an_buf_new(8192),
                                          .last_modified = AN_TIME_NONE, .expires = AN_TIME_NONE};
    job->route->handle(server->setup.context, &request, &job->answer);
    if (an_buf_ok(&job->answer.body) && an_buf_ok(&job->answer.headers) && job->answer.status >= 200 && job->answer.status <= 599)
        return;
    an_buf_free(&job->answer.body);
    an_buf_free(&job->answer.headers);
    job->answer.body = an_buf_new(256);
    job->answer.headers = an_buf_new(256);
    an_http_answer_text(&job->answer, 500, "Lỗi nội bộ", "Internal error");
}

static void
give_back(struct http_job *job, struct loop *loop)
{
    bool was_empty;

    pthread_mutex_lock(&loop->lock);
    was_empty = loop->done == NULL;
    job->next = loop->done;
    loop->done = job;
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        http_loop_wake(loop);
}

void *
http_work(void *context)
{
    struct an_http_server *server = context;
    struct http_job *job;

    while ((job = take_job(server)) != NULL) {
        carry_out(server, job);
        give_back(job, job->conn->loop);
    }
    return NULL;
}
