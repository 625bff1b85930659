/*
 * Every citation anywhere in the product stands in the regulation data: messages, policies, looks, documentation,
 * and whatever a source file says in a comment or a string. Fails on the first list of those that do not; then tells,
 * for information, how many binding provisions nothing cites yet (--list names them).
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/map.h"
#include "regulation/policy.h"

struct scan {
    struct an_regulations *regs;
    struct an_map *cited; /* citation → itself */
    const char *acts[128];
    size_t act_count;
    size_t found, wrong;
};

static void
keep_act(void *context, const struct an_act *act)
{
    struct scan *scan = context;

    if (scan->act_count < AN_COUNT(scan->acts))
        scan->acts[scan->act_count++] = act->id;
}

static size_t
line_of(an_bytes text, size_t at)
{
    size_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += text.ptr[i] == '\n';
    return line;
}

static void
check_one(struct scan *scan, const char *path, an_bytes text, size_t at, const char *citation)
{
    struct an_err err = {0};

    scan->found++;
    if (an_citation_check(scan->regs, citation, &err) == AN_OK) {
        an_map_put(scan->cited, an_bytes_of_str(citation), scan);
        return;
    }
    scan->wrong++;
    fprintf(stderr, "%s:%zu: %s: %s\n", path, line_of(text, at), citation, an_message_find(err.code)->en);
}

static bool
byte_continues(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/' || c == '.' || c >= 0x80;
}

/* The citation that starts at `at`, into ret; a full stop or a dash at its end belongs to the sentence. */
static void
take_citation(an_bytes text, size_t at, char ret[static 160])
{
    size_t len = 0;

    while (at + len < text.len && len < 159 && byte_continues(text.ptr[at + len]))
        len++;
    while (len > 0 && strchr(".-/", text.ptr[at + len - 1]))
        len--;
    memcpy(ret, text.ptr + at, len);
    ret[len] = '\0';
}

/* "<known act>/…" anywhere, unless it is the end of a longer word. */
static void
scan_known_acts(struct scan *scan, const char *path, an_bytes text)
{
    for (size_t i = 0; i < scan->act_count; i++) {
        an_bytes id = an_bytes_of_str(scan->acts[i]);
        for (size_t at = an_bytes_find(text, id, 0); at != SIZE_MAX; at = an_bytes_find(text, id, at + id.len)) {
            bool starts = at == 0 || !byte_continues(text.ptr[at - 1]);
            if (!starts || at + id.len + 1 >= text.len || text.ptr[at + id.len] != '/')
                continue;
            char citation[160];
            take_citation(text, at, citation);
            check_one(scan, path, text, at, citation);
        }
    }
}

/* "cite: x/y" (comments, YAML) also when x is no act that we know: then it is wrong. */
static void
scan_cite_words(struct scan *scan, const char *path, an_bytes text)
{
    an_bytes word = AN_LIT("cite: ");

    for (size_t at = an_bytes_find(text, word, 0); at != SIZE_MAX; at = an_bytes_find(text, word, at + 1)) {
        char citation[160];
        take_citation(text, at + word.len, citation);
        if (strchr(citation, '/') && strncmp(citation, "act/", 4) != 0)
            check_one(scan, path, text, at, citation);
    }
}

/* The last string of every AN_MSG row. */
static void
scan_message_rows(struct scan *scan, const char *path, an_bytes text)
{
    for (size_t at = an_bytes_find(text, AN_LIT("\nAN_MSG("), 0); at != SIZE_MAX;
         at = an_bytes_find(text, AN_LIT("\nAN_MSG("), at + 1)) {
        size_t end = an_bytes_find(text, AN_LIT("\")"), at + 1);
        size_t quote = end;
        while (end != SIZE_MAX && quote > at + 1 && text.ptr[quote - 1] != '"')
            quote--;
        if (end == SIZE_MAX || quote == end)
            continue;
        char citation[160];
        snprintf(citation, sizeof(citation), "%.*s", (int)(end - quote), (const char *)text.ptr + quote);
        check_one(scan, path, text, quote, citation);
    }
}

static bool
name_ends(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static void
scan_file(struct scan *scan, const char *path)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new((size_t)8 << 20);

    if (an_file_read(path, (size_t)8 << 20, &text, NULL) != AN_OK)
        return;
    scan_known_acts(scan, path, an_buf_view(&text));
    scan_cite_words(scan, path, an_buf_view(&text));
    if (name_ends(path, ".def"))
        scan_message_rows(scan, path, an_buf_view(&text));
}

static void
scan_dir(struct scan *scan, const char *path)
{
    DIR *dir = opendir(path);

    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        AN_CLEANUP(an_free_ptr) char *inner = an_asprintf("%s/%s", path, entry->d_name);
        struct stat st;
        if (entry->d_name[0] == '.' || stat(inner, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            scan_dir(scan, inner);
        else if (name_ends(inner, ".c") || name_ends(inner, ".h") || name_ends(inner, ".def") ||
                 name_ends(inner, ".yaml") || name_ends(inner, ".md"))
            scan_file(scan, inner);
    }
    closedir(dir);
}

/* ---- what nothing cites ---- */
struct coverage {
    const struct scan *scan;
    bool list;
    size_t binding, cited;
};

/* Cited itself, by a part of it, or by the whole that it is a part of. */
static bool
is_cited(const struct an_map *cited, an_bytes citation)
{
    for (size_t i = 0; i < an_map_count(cited); i++) {
        an_bytes key = an_map_key(cited, i);
        an_bytes shorter = key.len < citation.len ? key : citation, longer = key.len < citation.len ? citation : key;
        if (an_bytes_starts_with(longer, shorter) && (longer.len == shorter.len || longer.ptr[shorter.len] == '/'))
            return true;
    }
    return false;
}

static void
count_provision(void *context, const struct an_provision *provision)
{
    struct coverage *coverage = context;

    if (!provision->binds || !provision->says)
        return;
    coverage->binding++;
    if (is_cited(coverage->scan->cited, an_bytes_of_str(provision->citation)))
        coverage->cited++;
    else if (coverage->list)
        printf("  %s: %s\n", provision->citation, provision->says);
}

static void
report_coverage(const struct scan *scan, bool list)
{
    for (size_t i = 0; i < scan->act_count; i++) {
        struct coverage coverage = {.scan = scan, .list = list};
        if (an_provision_each(scan->regs, scan->acts[i], count_provision, &coverage, NULL) == AN_OK)
            printf("%-18s %3zu of %3zu binding provisions cited\n", scan->acts[i], coverage.cited, coverage.binding);
    }
}

int
main(int argc, char **argv)
{
    static const char *const DIRS[] = {"messages", "src", "policies", "profiles", "regulations", "docs"};
    struct scan scan = {.cited = an_map_new()};
    struct an_err err = {0};

    if (an_regulations_open(AN_SOURCE_DIR, &scan.regs, &err) != AN_OK ||
        an_regulations_check(scan.regs, &err) != AN_OK || an_act_each(scan.regs, keep_act, &scan, &err) != AN_OK) {
        fprintf(stderr, "%s: %s\n", an_message_find(err.code)->en, err.detail);
        return 1;
    }
    for (size_t i = 0; i < AN_COUNT(DIRS); i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", AN_SOURCE_DIR, DIRS[i]);
        scan_dir(&scan, path);
    }
    report_coverage(&scan, argc > 1 && strcmp(argv[1], "--list") == 0);
    printf("%zu citations, %zu not in the data\n", scan.found, scan.wrong);
    bool is_bad = scan.wrong > 0 || scan.found < 100; /* finding next to nothing means that the scan itself is broken */
    an_map_free(&scan.cited);
    an_regulations_close(&scan.regs);
    return is_bad;
}
