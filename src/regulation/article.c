/* Articles, clauses, points: whether what is cited exists, and what it says in one sentence. */
#include <stdio.h>

#include "regulation/internal.h"

static const char *const TEXTS[] = {"read", "restated", "unknown", NULL};

struct provision_reading {
    struct an_yaml_doc *doc;
    struct law_articles *articles;
    size_t capacity;
    struct an_err *reterr;
};
struct provision_keys {
    const char *title, *says;
    int text;
    bool binds;
    const struct an_yaml_node *below;  /* clauses or points */
    const struct an_yaml_node *points; /* of an article without clauses */
};

/* What a level holds: the key of the level below, and whether a title stands here. */
struct level {
    const char *below;
    const struct level *next;
};
static const struct level POINT = {NULL, NULL};
static const struct level CLAUSE = {"points", &POINT};
static const struct level ARTICLE = {"clauses", &CLAUSE};

static an_code
add_provision(struct provision_reading *reading, const struct an_yaml_node *node, const char *citation,
              const struct provision_keys *keys)
{
    struct law_articles *articles = reading->articles;
    char *kept = an_arena_str(reading->doc->arena, an_bytes_of_str(citation));

    if (!kept || articles->count >= reading->capacity)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_LIMIT, "too many provisions");
    struct an_provision *provision = &articles->provisions[articles->count++];
    *provision = (struct an_provision){.citation = kept,
                                       .title = keys->title,
                                       .says = keys->says,
                                       .text = (enum an_provision_text)keys->text,
                                       .binds = keys->binds,
                                       .line = node->line};
    an_map_put(articles->by_citation, an_bytes_of_str(kept), provision);
    return AN_OK;
}

static an_code
read_keys(struct provision_reading *reading, const struct an_yaml_node *node, const struct level *level,
          struct provision_keys *keys)
{
    struct an_yaml_field fields[6] = {
        {"says", AN_FIELD_TEXT, false, offsetof(struct provision_keys, says), NULL},
        {"text", AN_FIELD_CHOICE, false, offsetof(struct provision_keys, text), TEXTS},
        {"binds", AN_FIELD_FLAG, false, offsetof(struct provision_keys, binds), NULL},
    };
    size_t count = 3;

    if (level->below)
        fields[count++] = (struct an_yaml_field){level->below, AN_FIELD_MAP, false,
                                                 offsetof(struct provision_keys, below), NULL};
    if (level == &ARTICLE) {
        fields[count++] = (struct an_yaml_field){"title", AN_FIELD_TEXT, true, offsetof(struct provision_keys, title),
                                                 NULL};
        fields[count++] = (struct an_yaml_field){"points", AN_FIELD_MAP, false, offsetof(struct provision_keys, points),
                                                 NULL};
    }
    AN_TRY(an_yaml_read_fields(reading->doc, node, fields, count, keys, reading->reterr));
    bool says_nothing = !keys->says && !keys->below && !keys->points && keys->text != AN_TEXT_UNKNOWN;
    if (says_nothing)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_MISSING, "\"says\" is missing");
    return AN_OK;
}

/* An article without clauses has its points directly: "act/13//a" is written "act/13/a" and read as a clause named
 * a. */
static an_code read_level(struct provision_reading *reading, const struct an_yaml_node *map, const char *above,
                          const struct level *level, const struct provision_keys *inherited);

static an_code
read_provision(struct provision_reading *reading, const struct an_yaml_node *node, const char *above,
               const struct level *level, const struct provision_keys *inherited)
{
    char citation[160];
    struct provision_keys keys = {.text = inherited->text, .binds = inherited->binds};

    snprintf(citation, sizeof(citation), "%s/%.60s", above, node->key);
    if (!an_yaml_is_citation(an_bytes_of_str(citation)))
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_CITATION_FORM, "%.100s", citation);
    if (node->kind == AN_YAML_TEXT && level != &ARTICLE && node->text[0])
        keys.says = node->text;
    else
        AN_TRY(read_keys(reading, node, level, &keys));
    AN_TRY(add_provision(reading, node, citation, &keys));
    struct provision_keys down = {.text = keys.text, .binds = keys.binds};
    if (keys.below)
        AN_TRY(read_level(reading, keys.below, citation, level->next, &down));
    return keys.points ? read_level(reading, keys.points, citation, &POINT, &down) : AN_OK;
}

static an_code
read_level(struct provision_reading *reading, const struct an_yaml_node *map, const char *above,
           const struct level *level,
           const struct provision_keys *inherited)
{
    for (const struct an_yaml_node *node = map->first; node; node = node->next)
        AN_TRY(read_provision(reading, node, above, level, inherited));
    return AN_OK;
}

static size_t
count_nodes(const struct an_yaml_node *node)
{
    size_t count = 1;

    for (const struct an_yaml_node *child = node->first; child; child = child->next)
        count += count_nodes(child);
    return count;
}

static an_code
read_acts(struct an_yaml_doc *doc, struct law_articles *articles, struct an_err *reterr)
{
    const struct an_yaml_node *acts = an_yaml_find(doc->root, "articles");
    const struct provision_keys start = {.binds = true};

    if (!acts || acts->kind != AN_YAML_MAP)
        return an_yaml_fail(doc, acts ? acts : doc->root, reterr, AN_E_YAML_MISSING,
                         "\"articles\", a map of acts, is missing");
    struct provision_reading reading = {.doc = doc, .articles = articles, .reterr = reterr};
    reading.capacity = count_nodes(acts);
    articles->provisions = an_arena_alloc(doc->arena, reading.capacity * sizeof(struct an_provision));
    if (!articles->provisions)
        return an_yaml_fail(doc, acts, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *act = acts->first; act; act = act->next) {
        if (act->kind != AN_YAML_MAP || !an_yaml_is_citation(an_bytes_of_str(act->key)) || strchr(act->key, '/'))
            return an_yaml_fail(doc, act, reterr, AN_E_YAML_TYPE, "an act with a map of its articles is expected here");
        AN_TRY(read_level(&reading, act, act->key, &ARTICLE, &start));
    }
    return AN_OK;
}

/* Takes doc over, also on failure. */
an_code
articles_read(struct an_yaml_doc *doc, const char *id, struct law_articles **ret, struct an_err *reterr)
{
    AN_CLEANUP(articles_free) struct law_articles *articles = AN_NEW(struct law_articles);

    *articles = (struct law_articles){.doc = doc, .by_citation = an_map_new(), .id = an_strdup(id)};
    AN_TRY(read_acts(doc, articles, reterr));
    *ret = articles;
    articles = NULL;
    return AN_OK;
}

an_code
articles_load(const char *path, const char *id, struct law_articles **ret, struct an_err *reterr)
{
    struct an_yaml_doc *doc = NULL;

    AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
    return articles_read(doc, id, ret, reterr);
}

void
articles_free(struct law_articles **articles)
{
    if (!*articles)
        return;
    an_map_free(&(*articles)->by_citation);
    an_yaml_free(&(*articles)->doc);
    free((*articles)->id);
    free(*articles);
    *articles = NULL;
}

/* ---- asking ---- */

an_code
find_provision(struct an_regulations *regs, const char *citation, const struct an_provision **ret,
               struct an_err *reterr)
{
    an_bytes text = an_bytes_of_str(citation);
    size_t slash = an_bytes_find(text, AN_LIT("/"), 0);
    const struct an_act *act = NULL;
    struct law_articles *articles = NULL;

    if (ret)
        *ret = NULL;
    if (!an_yaml_is_citation(text))
        AN_FAIL(reterr, AN_E_CITATION_FORM, "%.120s", citation);
    an_code code = regs_act(regs, an_bytes_slice(text, 0, slash), &act, reterr);
    if (code == AN_E_REGULATION_UNKNOWN)
        AN_FAIL(reterr, AN_E_CITATION_UNKNOWN, "%.120s", citation);
    AN_TRY(code);
    if (slash == SIZE_MAX)
        return AN_OK;
    AN_TRY(regs_articles(regs, act->file, &articles, reterr));
    const struct an_provision *found = an_map_find(articles->by_citation, text);
    if (!found)
        AN_FAIL(reterr, AN_E_CITATION_UNKNOWN, "%.120s", citation);
    if (ret)
        *ret = found;
    return AN_OK;
}

an_code
an_citation_check(struct an_regulations *regs, const char *citation, struct an_err *reterr)
{
    const struct an_provision *provision = NULL;
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);

    return find_provision(locked, citation, &provision, reterr);
}

an_code
an_provision_find(struct an_regulations *regs, const char *citation, const struct an_provision **ret,
                  struct an_err *reterr)
{
    const struct an_provision *provision = NULL;
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);

    AN_TRY(find_provision(locked, citation, &provision, reterr));
    if (!provision)
        AN_FAIL(reterr, AN_E_CITATION_UNKNOWN, "%.120s", citation);
    *ret = provision;
    return AN_OK;
}

an_code
an_provision_each(struct an_regulations *regs, const char *act_id, an_provision_fn each, void *context,
                  struct an_err *reterr)
{
    const struct an_act *act = NULL;
    struct law_articles *articles = NULL;
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);

    AN_TRY(regs_act(locked, an_bytes_of_str(act_id), &act, reterr));
    AN_TRY(regs_articles(locked, act->file, &articles, reterr));
    size_t len = strlen(act_id);
    for (size_t i = 0; i < articles->count; i++) {
        const char *citation = articles->provisions[i].citation;
        if (strncmp(citation, act_id, len) == 0 && citation[len] == '/')
            each(context, &articles->provisions[i]);
    }
    return AN_OK;
}
