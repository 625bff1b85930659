/* Inside report/: a form and the file it was read from. */
#pragma once

#include "report/form.h"

#define AN_FORM_COLUMNS_MAX 12 /* what antin-layout sets in one table */
#define AN_FORM_SIGNERS_MAX 3  /* side by side on one page */

struct loaded_form {
    struct an_form form; /* first: an_form_free finds the rest by it */
    struct an_yaml_doc *doc;
};
