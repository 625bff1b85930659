#include "cli/material.h"

#include "base/file.h"

#include <dirent.h>
#include <sys/stat.h>

void
material_done(struct material *m)
{
    an_certs_done(&m->anchors);
    an_certs_done(&m->untrusted);
    an_crls_unref(&m->crls);
    an_ocsps_unref(&m->ocsps);
}

typedef an_code (*load_fn)(const char *path, void *set, struct an_err *reterr);

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A folder's files in the order of their names, so that the same folder always gives the same answer; a file in it
 * that is of another kind is passed over, a file named by the person is not. */
static an_code
load_path(const char *path, load_fn load, void *set, struct an_err *reterr)
{
    struct stat st;
    struct dirent **entries = NULL;
    int count;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return load(path, set, reterr);
    count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char *name = an_asprintf("%s/%s", path, entries[i]->d_name);
        struct an_err ignored = {0};
        if (stat(name, &st) == 0 && S_ISREG(st.st_mode) && load(name, set, &ignored) != AN_OK)
            ignored.code = AN_OK;
        free(name);
        free(entries[i]);
    }
    free(entries);
    return AN_OK;
}

static an_code
load_certs(const char *path, void *set, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    an_code code;

    AN_TRY(an_file_open(path, AN_LIMIT_CMS_BYTES, &file, reterr));
    code = an_certs_read(set, file.bytes, reterr);
    an_err_name_file(reterr, code == AN_OK ? NULL : path);
    return code;
}

static an_code
add_crl(struct an_crls *set, an_bytes der, struct an_err *reterr)
{
    struct an_crl *crl = NULL;

    AN_TRY(an_crl_parse(der, &crl, reterr));
    *an_crls_push(set) = crl;
    return AN_OK;
}

static an_code
load_crls(const char *path, void *set, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    char label[64];
    size_t at = 0, found = 0;

    AN_TRY(an_file_open(path, AN_LIMIT_CRL_BYTES, &file, reterr));
    for (;;) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
        if (!an_pem_next(file.bytes, &at, &der, label))
            break;
        if (strcmp(label, "X509 CRL") != 0 && label[0] != '\0')
            continue;
        an_code code = add_crl(set, an_buf_view(&der), reterr);
        if (code != AN_OK) {
            an_err_name_file(reterr, path);
            return code;
        }
        found++;
    }
    if (found == 0)
        AN_FAIL(reterr, AN_E_CLI_MATERIAL, "%s", path);
    return AN_OK;
}

static an_code
load_ocsps(const char *path, void *set, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_ocsp *ocsp = NULL;
    an_code code;

    AN_TRY(an_file_open(path, AN_LIMIT_OCSP_BYTES, &file, reterr));
    code = an_ocsp_parse(file.bytes, &ocsp, reterr);
    if (code != AN_OK) {
        an_err_name_file(reterr, path);
        return code;
    }
    *an_ocsps_push(set) = ocsp;
    return AN_OK;
}

an_code
material_certs(const char *path, struct an_certs *set, struct an_err *reterr)
{
    return load_path(path, load_certs, set, reterr);
}

an_code
material_crls(const char *path, struct an_crls *set, struct an_err *reterr)
{
    return load_path(path, load_crls, set, reterr);
}

an_code
material_ocsps(const char *path, struct an_ocsps *set, struct an_err *reterr)
{
    return load_path(path, load_ocsps, set, reterr);
}

an_code
material_password(const char *path, struct an_secret **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(4096);
    size_t len;

    if (path == NULL)
        return AN_OK;
    AN_TRY(an_file_read(path, 4096, &content, reterr));
    for (len = 0; len < content.len && content.ptr[len] != '\n' && content.ptr[len] != '\r';)
        len++;
    *ret = an_secret_from(AN_BYTES(content.ptr, len));
    if (content.ptr != NULL)
        an_wipe(content.ptr, content.len);
    return AN_OK;
}

an_code
material_time(const char *text, an_time *ret, struct an_err *reterr)
{
    *ret = AN_TIME_NONE;
    if (text == NULL)
        return AN_OK;
    *ret = an_time_parse(an_bytes_of_str(text));
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "%s", text);
    return AN_OK;
}
