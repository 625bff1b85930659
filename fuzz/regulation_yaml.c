/* Law files from a hostile editor: the tree, and each of the readers above it. */
#include "regulation/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct an_yaml_doc *
parse(const uint8_t *data, size_t size, const char *stop_key)
{
    struct an_yaml_doc *doc = NULL;
    struct an_err err = {0};

    if (an_yaml_parse(AN_BYTES(data, size), "fuzz/thu.yaml", stop_key, &doc, &err) == AN_OK)
        return doc;
    if (doc || err.code == AN_OK || !strstr(err.detail, "thu.yaml:"))
        __builtin_trap(); /* a fault always names its line */
    return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct law_head *head = NULL;
    struct law_articles *articles = NULL;
    struct an_policy *policy = NULL;
    struct an_yaml_doc *doc = parse(data, size, "articles");

    if (doc && head_read(doc, "thu", &head, NULL) == AN_OK)
        head_free(&head);
    doc = parse(data, size, NULL);
    if (doc && articles_read(doc, "thu", &articles, NULL) == AN_OK)
        articles_free(&articles);
    doc = parse(data, size, NULL);
    if (doc && policy_read(doc, "thu", &policy, NULL) == AN_OK)
        policy_free(&policy);
    return 0;
}
