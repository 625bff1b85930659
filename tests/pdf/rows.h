/* Just enough of JSON to read a manifest of cases: strings and numbers by key, whatever object they stand in. */
#pragma once

#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
    char *line, *file, *verdict, *kind, *id, *extra;
    long pages[8];
    size_t page_count;
    long signatures, changes; /* -1 = not said; changes: 0 no, 1 yes */
    bool byte_range_bad, dictionary_changed;
};
struct rows {
    struct row *items;
    size_t count;
};

/* The text behind "key": in a line; NULL when absent. */
static inline const char *
row_find(const char *line, const char *key)
{
    char pattern[80];
    const char *at;

    snprintf(pattern, sizeof pattern, "\"%s\":", key);
    at = strstr(line, pattern);
    if (at == NULL)
        return NULL;
    at += strlen(pattern);
    while (*at == ' ')
        at++;
    return at;
}

static inline char *
row_string(const char *line, const char *key)
{
    const char *at = row_find(line, key);
    struct an_buf out = an_buf_new(4096);

    if (at == NULL || *at != '"')
        return an_strdup("");
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1] == 'u') {
            unsigned code = (unsigned)strtoul((char[5]){at[2], at[3], at[4], at[5], 0}, NULL, 16);

            if (code < 0x80) {
                an_buf_byte(&out, (uint8_t)code);
            } else if (code < 0x800) {
                an_buf_byte(&out, (uint8_t)(0xc0 | code >> 6));
                an_buf_byte(&out, (uint8_t)(0x80 | (code & 63)));
            } else {
                an_buf_byte(&out, (uint8_t)(0xe0 | code >> 12));
                an_buf_byte(&out, (uint8_t)(0x80 | (code >> 6 & 63)));
                an_buf_byte(&out, (uint8_t)(0x80 | (code & 63)));
            }
            at += 5;
            continue;
        }
        at += *at == '\\';
        an_buf_byte(&out, (uint8_t)*at);
    }
    return an_buf_take_str(&out);
}

static inline long
row_number(const char *line, const char *key)
{
    const char *at = row_find(line, key);

    if (at && (strncmp(at, "true", 4) == 0 || strncmp(at, "false", 5) == 0))
        return *at == 't';
    return at && ((*at >= '0' && *at <= '9') || *at == '-') ? strtol(at, NULL, 10) : -1;
}

static inline void
row_parse(struct row *row, char *line)
{
    const char *at = row_find(line, "pages");
    char *end;

    row->line = line;
    row->id = row_string(line, "id");
    row->kind = row_string(line, "kind");
    row->file = row_string(line, "file");
    row->verdict = row_string(line, "verdict");
    row->signatures = row_number(line, "signatures");
    row->changes = row_number(line, "changes_after");
    for (at = at && *at == '[' ? at + 1 : NULL; at && row->page_count < 8; at = end) {
        while (*at == ' ' || *at == ',')
            at++;
        if (*at < '0' || *at > '9')
            break;
        row->pages[row->page_count++] = strtol(at, &end, 10);
    }
}

static inline void
rows_done(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->items[i].line);
        free(rows->items[i].id);
        free(rows->items[i].kind);
        free(rows->items[i].file);
        free(rows->items[i].verdict);
    }
    free(rows->items);
    *rows = (struct rows){0};
}

/* false when the folder is not named or the manifest cannot be read. */
static inline bool
rows_load(struct rows *rows, const char *folder, const char *manifest)
{
    char path[1024], *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    FILE *in;

    if (folder == NULL)
        return false;
    snprintf(path, sizeof path, "%s/%s", folder, manifest);
    in = fopen(path, "r");
    if (in == NULL)
        return false;
    while ((len = getline(&line, &capacity, in)) > 0) {
        rows->items = an_grow(rows->items, rows->count + 1, sizeof(*rows->items));
        rows->items[rows->count] = (struct row){.signatures = -1, .changes = -1};
        row_parse(&rows->items[rows->count++], an_strdup(line));
    }
    free(line);
    fclose(in);
    return true;
}
