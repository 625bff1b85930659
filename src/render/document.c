/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "render/internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which file, in which state, with which password the open document is. */
struct identity {
    struct stat st;
    char password[512];
};

static PopplerDocument *kept;
static struct identity kept_identity;

static bool
is_same(const struct identity *a, const struct identity *b)
{
    return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino && a->st.st_size == b->st.st_size &&
           a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec && a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec &&
           strcmp(a->password, b->password) == 0;
}

static void
forget_kept(void)
{
    if (kept != NULL)
        g_object_unref(kept);
    kept = NULL;
    an_wipe(&kept_identity, sizeof(kept_identity));
}

static an_code
identify(int fd, const char *password, struct identity *ret, struct an_err *reterr)
{
    if (fd < 0 || fstat(fd, &ret->st) != 0 || !S_ISREG(ret->st.st_mode))
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "no file came with the question");
    if (strlen(password) >= sizeof(ret->password))
        AN_FAIL(reterr, AN_E_RENDER_PASSWORD, "longer than %zu byte", sizeof(ret->password) - 1);
    memcpy(ret->password, password, strlen(password) + 1);
    return AN_OK;
}

static an_code
fail_open(GError *error, struct an_err *reterr)
{
    an_code code = AN_E_RENDER_PDF;

    if (error != NULL && error->domain == POPPLER_ERROR && error->code == POPPLER_ERROR_ENCRYPTED)
        code = AN_E_RENDER_PASSWORD;
    an_err_set(reterr, code, "%s", error ? error->message : "");
    g_clear_error(&error);
    return code;
}

an_code
open_document(int fd, const char *password, PopplerDocument **ret, struct an_err *reterr)
{
    struct identity identity;
    GError *error = NULL;
    int own;

    memset(&identity, 0, sizeof(identity));
    AN_TRY(identify(fd, password, &identity, reterr));
    if (kept != NULL && is_same(&identity, &kept_identity)) {
        *ret = kept;
        return AN_OK;
    }
    forget_kept();
    own = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* poppler closes the one it is given */
    kept = poppler_document_new_from_fd(own, password[0] ? password : NULL, &error);
    if (kept == NULL)
        return fail_open(error, reterr);
    kept_identity = identity;
    *ret = kept;
    return AN_OK;
}

an_code
open_page(PopplerDocument *document, int *number, PopplerPage **ret, struct an_err *reterr)
{
    int pages = poppler_document_get_n_pages(document), wanted = *number == -1 ? pages - 1 : *number;
    PopplerPage *page;
    double width = 0, height = 0;

    if (pages < 1)
        AN_FAIL(reterr, AN_E_RENDER_PDF, "no pages");
    if (wanted < 0 || wanted >= pages)
        AN_FAIL(reterr, AN_E_RENDER_PAGE_NUMBER, "page %d of %d", wanted + 1, pages);
    page = poppler_document_get_page(document, wanted);
    if (page == NULL)
        AN_FAIL(reterr, AN_E_RENDER_PDF, "page %d", wanted + 1);
    poppler_page_get_size(page, &width, &height);
    if (!(width > 0 && width < 1e6 && height > 0 && height < 1e6)) {
        g_object_unref(page);
        AN_FAIL(reterr, AN_E_RENDER_PDF, "page %d: size", wanted + 1);
    }
    *number = wanted;
    *ret = page;
    return AN_OK;
}

void
free_page(PopplerPage **page)
{
    if (*page != NULL)
        g_object_unref(*page);
    *page = NULL;
}

/* One page with a text in a font that is not embedded and needs the system's. */
static const char small_document[] =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 33>>stream\nBT /F 9 Tf 9 9 Td (antin) Tj ET  \nendstream endobj\n"
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>endobj\n"
    "xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Size 6>>\nstartxref\n0\n%%EOF\n";

void
warm_up(void)
{
    GBytes *bytes = g_bytes_new_static(small_document, sizeof(small_document) - 1);
    PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, NULL);
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(1024 * 1024);
    PopplerPage *page = document ? poppler_document_get_page(document, 0) : NULL;

    if (page != NULL) {
        g_free(poppler_page_get_text(page));
        (void)!draw_page(page, 72, &png, NULL);
        g_object_unref(page);
    }
    if (document != NULL)
        g_object_unref(document);
    g_bytes_unref(bytes);
}
