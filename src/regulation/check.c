/* The whole data at once: every file read to its end, every citation looked up. For `make check` and for authors. */
#include "regulation/rules.h"

/* Citations stand under these keys, wherever in a head or a policy. */
static bool
key_is_citation(const char *key)
{
    return key && (strcmp(key, "cite") == 0 || strcmp(key, "path-cite") == 0);
}

static an_code
check_node(struct an_regulations *regs, const struct an_yaml_doc *doc, const struct an_yaml_node *node,
           struct an_err *reterr)
{
    const struct an_yaml_node *list = key_is_citation(node->key) && node->kind == AN_YAML_LIST ? node->first : NULL;
    for (; list; list = list->next)
        if (list->kind != AN_YAML_TEXT || an_citation_check(regs, list->text, NULL) != AN_OK)
            return an_yaml_fail(doc, node, reterr, AN_E_CITATION_UNKNOWN, "%.100s", list->text ? list->text : "");
    if (key_is_citation(node->key) && node->kind == AN_YAML_TEXT && an_citation_check(regs, node->text, NULL) != AN_OK)
        return an_yaml_fail(doc, node, reterr, AN_E_CITATION_UNKNOWN, "%.100s", node->text);
    for (const struct an_yaml_node *child = node->first; child; child = child->next)
        if (!(child->key && strcmp(child->key, "articles") == 0))
            AN_TRY(check_node(regs, doc, child, reterr));
    return AN_OK;
}

static an_code
check_file(struct an_regulations *regs, const char *path, struct an_err *reterr)
{
    AN_CLEANUP(an_yaml_free) struct an_yaml_doc *doc = NULL;

    AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
    return check_node(regs, doc, doc->root, reterr);
}

/* An act of the table must have its articles in the file it names; a file's own act must be the file's name. */
static an_code
check_acts(struct an_regulations *regs, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    const struct an_act *act = NULL;
    struct law_articles *articles = NULL;

    AN_TRY(regs_list(locked, reterr));
    for (size_t i = 0; i < locked->id_count; i++) {
        struct law_head *head = NULL;
        AN_TRY(regs_head(locked, locked->ids[i], &head, reterr));
        AN_TRY(regs_articles(locked, locked->ids[i], &articles, reterr));
        if (head->inherits)
            AN_TRY(regs_head(locked, head->inherits, &head, reterr));
    }
    AN_TRY(regs_articles(locked, NATIONAL_BASE, &articles, reterr));
    for (size_t i = 0; i < articles->count; i++) {
        an_bytes id = an_bytes_of_str(articles->provisions[i].citation);
        AN_TRY(regs_act(locked, an_bytes_slice(id, 0, an_bytes_find(id, AN_LIT("/"), 0)), &act, reterr));
        if (strcmp(act->file, NATIONAL_BASE) != 0)
            AN_FAIL(reterr, AN_E_REGULATION_UNKNOWN, "%s: its articles stand in %s.yaml, not in %s.yaml", act->id,
                    NATIONAL_BASE, act->file);
    }
    return AN_OK;
}

struct policy_ids {
    const char *items[64];
    size_t count;
};

static void
keep_policy(void *context, const struct an_policy *policy)
{
    struct policy_ids *ids = context;

    if (ids->count < AN_COUNT(ids->items))
        ids->items[ids->count++] = policy->id;
}

/* Two regulations of one place, in force on a common day. */
static an_code
check_places(struct an_regulations *regs, struct an_err *reterr)
{
    for (const struct law_head *a = regs->heads; a; a = a->next)
        for (const struct law_head *b = a->next; b; b = b->next) {
            if (!a->place || !b->place || strcmp(a->place, b->place) != 0 || !a->has_act || !b->has_act)
                continue;
            bool a_first = a->act.to_utc != AN_TIME_NONE && a->act.to_utc <= b->act.from_utc;
            bool b_first = b->act.to_utc != AN_TIME_NONE && b->act.to_utc <= a->act.from_utc;
            if (!a_first && !b_first)
                return an_yaml_fail(a->doc, an_yaml_find(a->doc->root, "place"), reterr, AN_E_REGULATION_DATES,
                                    "\"%s\" has two regulations in force at once: %s and %s", a->place, b->id, a->id);
        }
    return AN_OK;
}

static an_code
check_rules(struct an_regulations *regs, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);

    for (size_t i = 0; i < locked->id_count; i++) {
        struct law_rules *rules = NULL;
        AN_TRY(regs_rules(locked, locked->ids[i], &rules, reterr));
        AN_TRY(rules_check(locked, rules, reterr));
    }
    return check_places(locked, reterr);
}

an_code
an_regulations_check(struct an_regulations *regs, struct an_err *reterr)
{
    struct policy_ids policies = {0};

    AN_TRY(check_acts(regs, reterr));
    for (size_t i = 0; i < regs->id_count; i++) { /* listed by check_acts; add_file alone adds more */
        AN_CLEANUP(an_free_ptr) char *path = NULL;
        AN_TRY(regs_path(regs, regs->ids[i], &path, reterr));
        AN_TRY(check_file(regs, path, reterr));
    }
    AN_TRY(check_rules(regs, reterr));
    AN_TRY(an_policy_each(regs, keep_policy, &policies, reterr));
    for (size_t i = 0; i < policies.count; i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s.yaml", regs->policies_dir, policies.items[i]);
        AN_TRY(check_file(regs, path, reterr));
    }
    return AN_OK;
}
