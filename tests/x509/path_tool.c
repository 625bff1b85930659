/* For differential.py: one question a line, "anchor untrusted leaf crl time mode"; one answer a line. "-" = none. */
#include "base/file.h"
#include "x509/path.h"

#include <stdio.h>

static void
add_certs(const char *path, struct an_certs *set)
{
    struct an_buf content AN_CLEANUP(an_buf_free) = an_buf_new(AN_LIMIT_CERT_BYTES * 16);

    if (strcmp(path, "-") != 0 && an_file_read(path, AN_LIMIT_CERT_BYTES * 16, &content, NULL) == AN_OK &&
        an_certs_read(set, an_buf_view(&content), NULL) != AN_OK)
        an_certs_done(set);
}

static void
add_crl(const char *path, struct an_crls *set)
{
    struct an_buf content AN_CLEANUP(an_buf_free) = an_buf_new(AN_LIMIT_CERT_BYTES * 16);
    struct an_crl *crl;

    if (strcmp(path, "-") != 0 && an_file_read(path, AN_LIMIT_CERT_BYTES * 16, &content, NULL) == AN_OK &&
        an_crl_parse(an_buf_view(&content), &crl, NULL) == AN_OK)
        *an_crls_push(set) = crl;
}

static void
answer(char *const fields[6])
{
    struct an_certs anchors AN_CLEANUP(an_certs_done) = {0};
    struct an_certs untrusted AN_CLEANUP(an_certs_done) = {0};
    struct an_certs leaves AN_CLEANUP(an_certs_done) = {0};
    struct an_crls crls AN_CLEANUP(an_crls_unref) = {0};
    struct an_path_request request = {.anchors = &anchors, .untrusted = &untrusted, .crls = &crls};
    struct an_path_result result;

    add_certs(fields[0], &anchors);
    add_certs(fields[1], &untrusted);
    add_certs(fields[2], &leaves);
    add_crl(fields[3], &crls);
    if (leaves.count == 0) {
        printf("invalid unparsed\n");
        return;
    }
    request.leaf = leaves.items[0];
    request.at = strtoll(fields[4], NULL, 10);
    request.lenient = strstr(fields[5], "lenient") != NULL;
    request.revocation = strstr(fields[5], "crl") ? "require" : "none";
    if (an_path_request_run(&request, &result, NULL) != AN_OK) {
        printf("error\n");
        return;
    }
    printf("%s %s %s\n", result.valid ? "valid" : "invalid", result.valid ? "-" : an_message_find(result.why)->symbol,
           result.detail);
    an_path_result_done(&result);
}

int
main(void)
{
    char line[8192], *fields[6], *rest;

    while (fgets(line, sizeof(line), stdin)) {
        size_t count = 0;

        rest = line;
        while (count < AN_COUNT(fields) && (fields[count] = strtok_r(rest, " \n", &rest)) != NULL)
            count++;
        if (count == AN_COUNT(fields))
            answer(fields);
        fflush(stdout);
    }
    return 0;
}
