/*
 * Signed papers by their content: DIR/documents/ab/abcd….pdf, named by SHA-256. A paper is on disk before the commit
 * that names it; one that no commit names came from an act that did not happen, and harms nobody.
 */
#pragma once

#include "base/file.h"
#include "service/instance/instance.h"

an_code an_paper_put(const struct an_instance *instance, an_bytes content, uint8_t ret_hash[static 32],
                     struct an_err *reterr) AN_MUST_USE;
/* The same from a file, which stays. */
an_code an_paper_put_file(const struct an_instance *instance, const char *path, uint8_t ret_hash[static 32],
                          struct an_err *reterr) AN_MUST_USE;
/* Its content as it was kept: AN_E_PAPER_CHANGED when the file holds anything else by now. an_file_close. */
an_code an_paper_open(const struct an_instance *instance, const uint8_t hash[static 32], struct an_file *ret,
                      struct an_err *reterr) AN_MUST_USE;
/* A name for a paper that is being made; in the same folder, never two alike; the caller's. */
char *an_paper_temporary(const struct an_instance *instance, const char *tag) AN_MUST_USE;
