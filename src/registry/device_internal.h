/* Shared by the files about devices. */
#pragma once

#include "registry/device.h"
#include "registry/internal.h"

extern const struct col device_cols[];
extern const size_t device_col_count;
AN_VEC(device_vec, struct an_device);
struct device_list {
    struct an_arena *arena;
    struct device_vec devices;
};
void device_list_done(struct device_list *list); /* for AN_CLEANUP */
an_code device_gather(void *context, const struct an_row *row, struct an_err *reterr);
