/* The head of a regulation file: who it is, what it inherits, its looks. Read without the articles and rules below
 * it. */
#include "regulation/internal.h"

struct head_keys {
    const struct an_yaml_node *act, *looks, *articles;
    const char *inherits, *place;
    const struct an_yaml_node *rules, *parameters, *doubts, *reminders, *not_carried; /* rule_read.c */
};
static const struct an_yaml_field HEAD_FIELDS[] = {
    {"act", AN_FIELD_MAP, false, offsetof(struct head_keys, act), NULL},
    {"inherits", AN_FIELD_TEXT, false, offsetof(struct head_keys, inherits), NULL},
    {"looks", AN_FIELD_MAP, false, offsetof(struct head_keys, looks), NULL},
    {"place", AN_FIELD_TEXT, false, offsetof(struct head_keys, place), NULL},
    {"articles", AN_FIELD_MAP, false, offsetof(struct head_keys, articles), NULL},
    {"rules", AN_FIELD_MAP, false, offsetof(struct head_keys, rules), NULL},
    {"parameters", AN_FIELD_MAP, false, offsetof(struct head_keys, parameters), NULL},
    {"doubts", AN_FIELD_LIST, false, offsetof(struct head_keys, doubts), NULL},
    {"reminders", AN_FIELD_LIST, false, offsetof(struct head_keys, reminders), NULL},
    {"not-carried", AN_FIELD_MAP, false, offsetof(struct head_keys, not_carried), NULL},
};

/* Takes doc over, also on failure. */
an_code
head_read(struct an_yaml_doc *doc, const char *id, struct law_head **ret, struct an_err *reterr)
{
    AN_CLEANUP(head_free) struct law_head *head = AN_NEW(struct law_head);
    struct head_keys keys = {0};

    *head = (struct law_head){.doc = doc, .id = an_strdup(id)};
    AN_TRY(an_yaml_read_fields(doc, doc->root, HEAD_FIELDS, AN_COUNT(HEAD_FIELDS), &keys, reterr));
    if (keys.inherits && strcmp(keys.inherits, id) == 0)
        return an_yaml_fail(doc, an_yaml_find(doc->root, "inherits"), reterr, AN_E_YAML_TYPE, "from itself");
    head->inherits = keys.inherits;
    head->place = keys.place;
    head->has_act = keys.act != NULL;
    if (keys.act)
        AN_TRY(act_read(doc, keys.act, id, &head->act, reterr));
    if (keys.looks)
        AN_TRY(looks_read(doc, keys.looks, head->id, head, reterr));
    *ret = head;
    head = NULL;
    return AN_OK;
}

an_code
head_load(const char *path, const char *id, struct law_head **ret, struct an_err *reterr)
{
    struct an_yaml_doc *doc = NULL;

    AN_TRY(an_yaml_load(path, "articles", &doc, reterr));
    return head_read(doc, id, ret, reterr);
}

void
head_free(struct law_head **head)
{
    if (!*head)
        return;
    an_yaml_free(&(*head)->doc);
    free((*head)->id);
    free(*head);
    *head = NULL;
}
