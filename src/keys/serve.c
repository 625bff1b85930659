/* Those who ask antin-key: a thread reads each connection; whoever has an answer writes it, several at once. */
#include "keys/internal.h"

#include "proc/frame.h"

#include <unistd.h>

#define IN_HAND_MAX 4096 /* questions of one connection that wait; more are read when some are answered */
#define CLIENTS_MAX 64
#define STACK_BYTES ((size_t)256 * 1024)

struct key_client {
    int fd;
    unsigned refs; /* atomic: its thread and every question in hand */
    pthread_mutex_t lock;
    pthread_cond_t is_room;
    struct an_buf out;
    size_t in_hand;
    bool is_writing, is_gone;
};

static unsigned client_count; /* atomic */

size_t
an_key_client_count(void)
{
    return __atomic_load_n(&client_count, __ATOMIC_ACQUIRE);
}

static struct key_client *
take_client(struct key_client *client)
{
    __atomic_add_fetch(&client->refs, 1, __ATOMIC_ACQ_REL);
    pthread_mutex_lock(&client->lock);
    client->in_hand++;
    pthread_mutex_unlock(&client->lock);
    return client;
}

static void
free_client(struct key_client *client)
{
    close(client->fd);
    an_buf_free(&client->out);
    pthread_mutex_destroy(&client->lock);
    pthread_cond_destroy(&client->is_room);
    free(client);
    __atomic_sub_fetch(&client_count, 1, __ATOMIC_ACQ_REL);
}

static void
drop_client(struct key_client *client)
{
    if (__atomic_sub_fetch(&client->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free_client(client);
}

void
an_key_client_unref(struct key_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->in_hand--;
    pthread_cond_signal(&client->is_room);
    pthread_mutex_unlock(&client->lock);
    drop_client(client);
}

void
an_key_client_answer(struct key_client *client, const struct an_key_answer *answer)
{
    pthread_mutex_lock(&client->lock);
    if (!client->is_gone)
        an_key_put_answer(&client->out, answer);
    pthread_mutex_unlock(&client->lock);
}

void
an_key_client_flush(struct key_client *client)
{
    pthread_mutex_lock(&client->lock);
    while (!client->is_writing && client->out.len != 0 && !client->is_gone) {
        struct an_buf part = client->out;
        enum an_frame_state state;

        client->out = an_buf_new(AN_BUF_UNLIMITED);
        client->is_writing = true;
        pthread_mutex_unlock(&client->lock);
        state = an_frame_send(client->fd, AN_KEYS_SIGNED, an_buf_view(&part), -1, 0);
        an_buf_free(&part);
        pthread_mutex_lock(&client->lock);
        client->is_writing = false;
        client->is_gone = state != AN_FRAME_OK;
    }
    pthread_mutex_unlock(&client->lock);
}

static bool
answer_list(struct key_client *client)
{
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(AN_KEYS_FRAME_BYTES);
    bool done = false;

    an_key_tell(&list);
    pthread_mutex_lock(&client->lock);
    if (!client->is_writing) /* a list is asked for before anything is signed */
        done = an_frame_send(client->fd, AN_KEYS_LIST, an_buf_view(&list), -1, 0) == AN_FRAME_OK;
    pthread_mutex_unlock(&client->lock);
    return done;
}

static void
wait_for_room(struct key_client *client)
{
    pthread_mutex_lock(&client->lock);
    while (client->in_hand >= IN_HAND_MAX)
        pthread_cond_wait(&client->is_room, &client->lock);
    pthread_mutex_unlock(&client->lock);
}

static void *
serve_client(void *context)
{
    struct key_client *client = context;
    struct an_frame frame = {.payload = an_buf_new(AN_KEYS_FRAME_BYTES), .fd = -1};
    bool goes_on = true;

    while (goes_on && an_frame_receive(client->fd, &frame, 0) == AN_FRAME_OK) {
        if (frame.fd >= 0)
            close(frame.fd);
        if (frame.type == AN_KEYS_LIST)
            goes_on = answer_list(client);
        else
            goes_on = frame.type == AN_KEYS_SIGN && an_key_ask(client, an_buf_view(&frame.payload), take_client);
        wait_for_room(client);
    }
    an_buf_free(&frame.payload);
    drop_client(client);
    return NULL;
}

void
an_key_client_start(int fd)
{
    struct key_client *client = AN_NEW(struct key_client);
    pthread_attr_t attributes;
    pthread_t thread;

    *client = (struct key_client){.fd = fd, .refs = 1, .out = an_buf_new(AN_BUF_UNLIMITED)};
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->is_room, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (__atomic_add_fetch(&client_count, 1, __ATOMIC_ACQ_REL) > CLIENTS_MAX ||
        pthread_create(&thread, &attributes, serve_client, client) != 0)
        drop_client(client);
    pthread_attr_destroy(&attributes);
}
