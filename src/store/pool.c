/* Connections for reading: opened when wanted, as many as were allowed, kept until the store is closed. */
#include <unistd.h>

#include "base/limits.h"
#include "store/internal.h"

an_code
pool_take(struct an_store *store, struct conn **ret, struct an_err *reterr)
{
    an_code code;

    pthread_mutex_lock(&store->read_lock);
    while (store->readers_free == 0 && store->readers_open >= store->readers_max)
        pthread_cond_wait(&store->reader_free, &store->read_lock);
    if (store->readers_free > 0) {
        *ret = store->readers[--store->readers_free];
        pthread_mutex_unlock(&store->read_lock);
        return AN_OK;
    }
    store->readers_open++;
    pthread_mutex_unlock(&store->read_lock);
    code = store->engine->open(store->url, (store->flags & AN_STORE_READ_ONLY) | OPEN_READER, ret, reterr);
    if (code != AN_OK) {
        *ret = NULL;
        pool_give(store, NULL);
    }
    return code;
}

/* A connection that is broken is closed; its place is free for another. */
void
pool_give(struct an_store *store, struct conn *conn)
{
    if (conn != NULL && conn->broken)
        store->engine->close(&conn);
    pthread_mutex_lock(&store->read_lock);
    if (conn != NULL)
        store->readers[store->readers_free++] = conn;
    else
        store->readers_open--;
    pthread_cond_signal(&store->reader_free);
    pthread_mutex_unlock(&store->read_lock);
}

void
pool_close(struct an_store *store)
{
    for (size_t i = 0; i < store->readers_free; i++)
        store->engine->close(&store->readers[i]);
    store->readers_free = store->readers_open = 0;
}
