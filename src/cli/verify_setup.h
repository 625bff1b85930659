/* The options of `antin verify`, loaded: the same for files of a command line and for requests of a stream. */
#pragma once

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/material.h"
#include "verify/verify.h"

struct verify_setup {
    struct material material;
    struct an_secret *password;
    struct an_file content;    /* the only one; else: */
    struct an_file *contents; struct an_named_content *named; size_t content_count;
    struct an_verify_options options; /* borrows from the rest and from the arguments */
};
#define VERIFY_SETUP_NONE ((struct verify_setup){.content = AN_FILE_NONE, .options = {.content_fd = -1}})

/* cache: NULL = none. */
an_code verify_setup_load(const struct verify_args *args, struct material_cache *cache, an_path_fetch fetch,
                          struct verify_setup *ret, struct an_err *reterr) AN_MUST_USE;
/* Are the contents still the files that were opened? AN_E_FILE_CHANGED when not. */
an_code verify_setup_check_same(const struct verify_setup *setup, struct an_err *reterr) AN_MUST_USE;
void verify_setup_done(struct verify_setup *setup); /* for AN_CLEANUP too */
