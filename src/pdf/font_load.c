/*
 * Loads the font module when the first text is to be drawn. FreeType and HarfBuzz bring seven more libraries: loading
 * them always would cost every command that draws nothing more than its signature does (decision 007).
 */
#include "base/program.h"
#include "pdf/font_ops.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static const struct an_pdf_font_ops *ops;
static char trouble[256];
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

/* Where our other programs are: never through a search path. */
static void
load_module(void)
{
    AN_CLEANUP(an_free_ptr) char *path = an_program_find(AN_PDF_FONT_MODULE);
    void *module = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;

    if (module != NULL)
        ops = dlsym(module, "an_pdf_font_ops");
    if (ops == NULL)
        snprintf(trouble, sizeof(trouble), "%s", path != NULL ? dlerror() : "not found");
}

an_code
an_pdf_font_open(const char *path, struct an_pdf_font **ret, struct an_err *reterr)
{
    pthread_once(&loaded, load_module);
    if (ops == NULL)
        AN_FAIL(reterr, AN_E_PDF_FONT_MODULE, AN_PDF_FONT_MODULE " (%s): %s", AN_LIBEXEC_DIR, trouble);
    return ops->open(path, ret, reterr);
}

/* A font exists only when the module is loaded: the others need not ask. */
void
an_pdf_font_free(struct an_pdf_font **font)
{
    if (font != NULL && *font != NULL)
        ops->free(font);
}

double
an_pdf_font_width(struct an_pdf_font *font, an_bytes utf8, double size_pt)
{
    return ops->width(font, utf8, size_pt);
}

an_code
an_pdf_font_shape(struct an_pdf_font *font, const struct an_pdf_text_line *lines, size_t count, bool cid_set,
                  struct an_pdf_shaped **ret, struct an_err *reterr)
{
    return ops->shape(font, lines, count, cid_set, ret, reterr);
}

void
an_pdf_shaped_free(struct an_pdf_shaped **shaped)
{
    if (*shaped != NULL)
        ops->shaped_free(shaped);
}

const struct an_pdf_bundle *
an_pdf_shaped_bundle(const struct an_pdf_shaped *shaped)
{
    return ops->shaped_bundle(shaped);
}

void
an_pdf_shaped_show(const struct an_pdf_shaped *shaped, size_t line, struct an_buf *out)
{
    ops->shaped_show(shaped, line, out);
}

const char *
an_pdf_font_find(void)
{
    static const char *const places[] = {
        "/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf",  /* Debian */
        "/usr/share/fonts/liberation-serif/LiberationSerif-Regular.ttf",      /* Fedora */
        "/usr/share/fonts/liberation-serif-fonts/LiberationSerif-Regular.ttf",
        "/usr/share/fonts/TTF/LiberationSerif-Regular.ttf",
        "/usr/share/fonts/liberation/LiberationSerif-Regular.ttf",            /* Arch */
        "/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf",   /* Debian 13 and later: version 2 */
    };

    for (size_t i = 0; i < AN_COUNT(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}
