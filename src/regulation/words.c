/* The vocabulary of questions and rules: regulations/words.yaml. */
#include "regulation/rules.h"

static const char *const KIND_KEYS[WORD_KINDS] = {"acts", "roles", "subjects", "devices", "notices", "facts", "events"};
static const char *const FACT_TYPES[] = {"choice", "number", "date", "text", NULL};

#define WORD(member) offsetof(struct word, member)
static const struct an_yaml_field WORD_FIELDS[] = {
    {"vi", AN_FIELD_TEXT, true, WORD(vi), NULL},
    {"en", AN_FIELD_TEXT, true, WORD(en), NULL},
    {"type", AN_FIELD_CHOICE, false, WORD(type), FACT_TYPES},
    {"values", AN_FIELD_TEXTS, false, WORD(values), NULL},
};

static an_code
read_words(struct an_yaml_doc *doc, const struct an_yaml_node *map, bool are_facts, struct word_list *ret,
           struct an_err *reterr)
{
    ret->items = an_arena_alloc(doc->arena, (map->count + 1) * sizeof(struct word));
    if (!ret->items)
        return an_yaml_fail(doc, map, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = map->first; node; node = node->next) {
        struct word *word = &ret->items[ret->count++];
        word->id = node->key;
        AN_TRY(an_yaml_read_fields(doc, node, WORD_FIELDS, are_facts ? AN_COUNT(WORD_FIELDS) : 2, word, reterr));
        if (are_facts && (word->type == FACT_CHOICE) != (word->values.count > 0))
            return an_yaml_fail(doc, node, reterr, AN_E_YAML_TYPE, "\"values\" belong to the type \"choice\"");
    }
    return AN_OK;
}

static an_code
load_words(const char *path, struct words *words, struct an_err *reterr)
{
    struct words_keys {
        const struct an_yaml_node *maps[WORD_KINDS];
    } keys = {0};
    struct an_yaml_field fields[WORD_KINDS];

    for (size_t i = 0; i < WORD_KINDS; i++)
        fields[i] = (struct an_yaml_field){KIND_KEYS[i], AN_FIELD_MAP, true,
                                           offsetof(struct words_keys, maps) + i * sizeof(keys.maps[0]), NULL};
    AN_TRY(an_yaml_load(path, NULL, &words->doc, reterr));
    AN_TRY(an_yaml_read_fields(words->doc, words->doc->root, fields, AN_COUNT(fields), &keys, reterr));
    for (size_t i = 0; i < WORD_KINDS; i++)
        AN_TRY(read_words(words->doc, keys.maps[i], i == AN_WORD_FACT, &words->lists[i], reterr));
    return AN_OK;
}

void
words_free(struct words **words)
{
    if (!*words)
        return;
    an_yaml_free(&(*words)->doc);
    free(*words);
    *words = NULL;
}

an_code
regs_words(struct an_regulations *regs, const struct words **ret, struct an_err *reterr)
{
    if (!regs->words) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/words.yaml", regs->regulations_dir);
        AN_CLEANUP(words_free) struct words *words = AN_NEW(struct words);
        AN_TRY(load_words(path, words, reterr));
        regs->words = words;
        words = NULL;
    }
    *ret = regs->words;
    return AN_OK;
}

const struct word *
words_find(const struct words *words, enum an_word_kind kind, const char *id)
{
    const struct word_list *list = &words->lists[kind];

    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].id, id) == 0)
            return &list->items[i];
    return NULL;
}

void
words_append(const struct words *words, enum an_word_kind kind, struct an_buf *out)
{
    const struct word_list *list = &words->lists[kind];

    for (size_t i = 0; i < list->count; i++)
        an_buf_printf(out, "%s%s", i ? ", " : "", list->items[i].id);
}

/* Never changes afterwards, so it is walked without the lock: a callback may ask again. */
static an_code
load_once(struct an_regulations *regs, const struct words **ret, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    return regs_words(locked, ret, reterr);
}

an_code
an_word_each(struct an_regulations *regs, enum an_word_kind kind, an_word_fn each, void *context, struct an_err *reterr)
{
    const struct words *words = NULL;

    AN_TRY(load_once(regs, &words, reterr));
    for (size_t i = 0; i < words->lists[kind].count; i++)
        each(context, words->lists[kind].items[i].id, words->lists[kind].items[i].vi, words->lists[kind].items[i].en);
    return AN_OK;
}

const char *
an_word_name(struct an_regulations *regs, enum an_word_kind kind, const char *word, bool english)
{
    const struct words *words = NULL;

    if (load_once(regs, &words, NULL) != AN_OK)
        return word;
    const struct word *found = words_find(words, kind, word);
    return !found ? word : english ? found->en : found->vi;
}
