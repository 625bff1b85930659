/* Status answers that may be given again: in memory, found by the request as it came. */
#pragma once

#include "base/buf.h"
#include "base/time.h"

struct an_answers;
struct an_answers *an_answers_new(size_t bytes_max); /* never NULL */
void an_answers_free(struct an_answers **answers);

struct an_answer_kept {
    int64_t authority;
    an_bytes serial, request, answer;
    an_bytes headers; /* that go with it: lines of HTTP */
    an_time this_update, next_update;
};
/* An answer is put in only when nothing was dropped since mark was taken: what was read from the store before a change
 * must not be remembered after it. */
uint64_t an_answers_mark(const struct an_answers *answers);
void an_answers_put(struct an_answers *answers, const struct an_answer_kept *kept, uint64_t mark);
/* take is called with the answer while it is held; false = not there, or no longer fresh. */
typedef void (*an_answer_take_fn)(void *context, const struct an_answer_kept *kept);
bool an_answers_find(struct an_answers *answers, an_bytes serial, an_bytes request, an_time now, an_answer_take_fn take,
                     void *context);
/* A certificate's status changed. */
void an_answers_drop(struct an_answers *answers, int64_t authority, an_bytes serial);
void an_answers_drop_all(struct an_answers *answers);
size_t an_answers_count(const struct an_answers *answers);
