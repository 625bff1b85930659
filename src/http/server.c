#include "http/internal.h"

#include "base/program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENING_PAUSE_US 200
#define WORKERS_MIN 8u   /* they wait for keys and the database more than they compute */
#define THREADS_MAX 256u
#define CONNECTIONS_MAX 8192
#define STACK_BYTES ((size_t)512 * 1024)

/* ---- listening ---- */
static bool
parse_port(an_bytes text, in_port_t *ret)
{
    unsigned long port = 0;

    if (text.len < 1 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text.ptr[i] - '0');
    }
    *ret = htons((in_port_t)port);
    return port <= 65535;
}

static bool
parse_listen(const char *listen, struct sockaddr_storage *ret)
{
    an_bytes text = an_bytes_of_str(listen);
    size_t colon = an_bytes_rfind(text, AN_LIT(":"));
    bool is_v6 = text.len > 0 && text.ptr[0] == '[';
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char host[INET6_ADDRSTRLEN] = "";
    in_port_t port = 0;

    if (colon == SIZE_MAX || colon >= sizeof(host) || !parse_port(an_bytes_slice(text, colon + 1, SIZE_MAX), &port))
        return false;
    memset(ret, 0, sizeof(*ret));
    if (is_v6) {
        if (colon < 3 || text.ptr[colon - 1] != ']')
            return false;
        memcpy(host, text.ptr + 1, colon - 2);
        v6.sin6_port = port;
        memcpy(ret, &v6, sizeof(v6));
        return inet_pton(AF_INET6, host, &((struct sockaddr_in6 *)ret)->sin6_addr) == 1;
    }
    memcpy(host, text.ptr, colon);
    v4.sin_port = port;
    memcpy(ret, &v4, sizeof(v4));
    return inet_pton(AF_INET, host, &((struct sockaddr_in *)ret)->sin_addr) == 1;
}

static unsigned
port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    /* the port stands at the same place for both families */
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

an_code
an_http_listen(const char *text, int *ret, unsigned *ret_port, struct an_err *reterr)
{
    struct sockaddr_storage address;
    int fd, on = 1, failed;

    if (!parse_listen(text, &address))
        AN_FAIL(reterr, AN_E_HTTP_LISTEN, "%s: not address:port", text);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_HTTP_LISTEN, errno, "%s", text);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&address, address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
             : sizeof(struct sockaddr_in)) != 0 ||
        listen(fd, HTTP_BACKLOG) != 0) {
        failed = errno;
        close(fd);
        return an_err_set_errno(reterr, AN_E_HTTP_LISTEN, failed, "%s", text);
    }
    *ret = fd;
    if (ret_port != NULL)
        *ret_port = port_of(fd);
    return AN_OK;
}

/* ---- starting ---- */
static void
add_routes(struct an_http_server *server)
{
    for (size_t i = 0; i < server->setup.table_count; i++)
        for (size_t j = 0; j < server->setup.tables[i].count; j++) {
            AN_ASSERT(server->route_count < HTTP_ROUTES_MAX);
            server->routes[server->route_count] = &server->setup.tables[i].items[j];
            server->route_lens[server->route_count++] = strlen(server->setup.tables[i].items[j].path);
        }
}

static bool
start_thread(pthread_t *thread, void *(*run)(void *), void *context)
{
    pthread_attr_t attributes;
    bool done;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    done = pthread_create(thread, &attributes, run, context) == 0;
    pthread_attr_destroy(&attributes);
    return done;
}

static bool
start_loop(struct an_http_server *server, struct loop *loop, unsigned loops)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = loop};
    struct epoll_event listener = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = server};

    *loop = (struct loop){.server = server, .listens = true,
                           .connections_max = server->setup.connections_max / loops + 1,
                           .bodies_max = HTTP_BODIES_BYTES / loops,
                           .room = an_new_array(HTTP_ROOM_BYTES, 1)};
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll < 0 || loop->event < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->event, &event) != 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, server->listener, &listener) != 0)
        return false;
    __atomic_add_fetch(&server->listening, 1, __ATOMIC_ACQ_REL);
    if (start_thread(&loop->thread, http_loop_run, loop))
        return true;
    __atomic_sub_fetch(&server->listening, 1, __ATOMIC_ACQ_REL);
    return false;
}

static bool
start_threads(struct an_http_server *server)
{
    unsigned loops = server->setup.loops ? server->setup.loops : (unsigned)an_cores();
    unsigned workers = server->setup.workers ? server->setup.workers : loops * 4 > WORKERS_MIN ? loops * 4
            : WORKERS_MIN;

    loops = loops < THREADS_MAX ? loops : THREADS_MAX;
    workers = workers < THREADS_MAX ? workers : THREADS_MAX;
    server->loops = an_new_array(loops, sizeof(*server->loops));
    server->workers = an_new_array(workers, sizeof(*server->workers));
    while (server->worker_count < workers && start_thread(&server->workers[server->worker_count], http_work, server))
        server->worker_count++;
    while (server->loop_count < loops && start_loop(server, &server->loops[server->loop_count], loops))
        server->loop_count++;
    return server->worker_count > 0 && server->loop_count > 0;
}

an_code
an_http_server_start(const struct an_http_setup *setup, struct an_http_server **ret, unsigned *ret_port,
                     struct an_err *reterr)
{
    int fd = setup->listen_fd;
    struct an_http_server *server;

    if (setup->listen != NULL)
        AN_TRY(an_http_listen(setup->listen, &fd, NULL, reterr));
    server = AN_NEW(struct an_http_server);
    *server = (struct an_http_server){.setup = *setup, .listener = fd, .owns_listener = setup->listen != NULL};
    server->trusted = setup->trusted ? an_strdup(setup->trusted) : NULL;
    server->trusted_certs = setup->trusted_certs ? an_strdup(setup->trusted_certs) : NULL;
    if (server->setup.connections_max == 0)
        server->setup.connections_max = CONNECTIONS_MAX;
    server->last = &server->first;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->is_work, NULL);
    add_routes(server);
    if (!start_threads(server)) {
        an_http_server_stop(&server);
        AN_FAIL(reterr, AN_E_HTTP_LISTEN, "threads");
    }
    if (ret_port != NULL)
        *ret_port = port_of(fd);
    *ret = server;
    return AN_OK;
}

/* ---- ending ---- */
static void
wake_all(struct an_http_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++)
        http_loop_wake(&server->loops[i]);
}

void
an_http_server_drain(struct an_http_server *server)
{
    __atomic_store_n(&server->is_draining, true, __ATOMIC_RELEASE);
    wake_all(server);
    /* a round of each loop, which waits for nobody */
    while (__atomic_load_n(&server->listening, __ATOMIC_ACQUIRE) != 0)
        usleep(LISTENING_PAUSE_US);
}

bool
an_http_server_is_empty(const struct an_http_server *server)
{
    size_t open = 0;

    for (unsigned i = 0; i < server->loop_count; i++)
        open += __atomic_load_n(&server->loops[i].connections, __ATOMIC_ACQUIRE);
    return open == 0;
}

static void
join_all(struct an_http_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++)
        pthread_join(server->loops[i].thread, NULL); /* each leaves when none of its requests is in hand */
    pthread_mutex_lock(&server->lock);
    server->loops_gone = true;
    pthread_cond_broadcast(&server->is_work);
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < server->worker_count; i++)
        pthread_join(server->workers[i], NULL);
}

void
an_http_server_stop(struct an_http_server **server)
{
    struct an_http_server *own = *server;

    if (own == NULL)
        return;
    __atomic_store_n(&own->is_stopping, true, __ATOMIC_RELEASE);
    wake_all(own);
    join_all(own);
    for (unsigned i = 0; i < own->loop_count; i++) {
        close(own->loops[i].epoll);
        close(own->loops[i].event);
        free(own->loops[i].room);
        for (struct http_job *job = own->loops[i].spare_jobs, *next; job != NULL; job = next) {
            next = job->next;
            http_job_free(job);
        }
        while (own->loops[i].spare_count > 0)
            an_buf_free(&own->loops[i].spare[--own->loops[i].spare_count]);
        pthread_mutex_destroy(&own->loops[i].lock);
    }
    if (own->owns_listener)
        close(own->listener);
    pthread_mutex_destroy(&own->lock);
    pthread_cond_destroy(&own->is_work);
    free(own->loops);
    free(own->workers);
    free(own->trusted);
    free(own->trusted_certs);
    free(own);
    *server = NULL;
}
