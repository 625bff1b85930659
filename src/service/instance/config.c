/* Reading DIR/antin.yaml. */
#include "service/certification/certification.h"
#include "service/instance/config.h"

#include "regulation/regulation.h"
#include "service/certification/enrol.h"
#include "service/registration/mail.h"
#include "service/certification/quorum.h"
#include "service/instance/serve_config.h"

static const char *const HIERARCHIES[] = {"state", "party", "both", NULL};
#define F(member) offsetof(struct an_config, member)
static const struct an_yaml_field FIELDS[] = {
    {"instance", AN_FIELD_TEXT, true, F(instance), NULL},
    {"name", AN_FIELD_TEXT, true, F(name), NULL},
    {"database", AN_FIELD_TEXT, true, F(database), NULL},
    {"database_read", AN_FIELD_TEXT, false, F(database_read), NULL},
    {"readers", AN_FIELD_INT64, false, F(readers), NULL},
    {"regulation", AN_FIELD_TEXT, true, F(regulation), NULL},
    {"hierarchy", AN_FIELD_CHOICE, true, F(hierarchy), HIERARCHIES},
    {"base_url", AN_FIELD_TEXT, true, F(base_url), NULL},
    {"serve", AN_FIELD_MAP, false, F(serve), NULL},
    {"time_stamp", AN_FIELD_MAP, false, F(time_stamp), NULL},
    {"audit", AN_FIELD_MAP, false, F(audit), NULL},
    {"approval", AN_FIELD_MAP, false, F(approval), NULL},
    {"ca", AN_FIELD_MAP, false, F(ca), NULL},
    {"mail", AN_FIELD_MAP, false, F(mail), NULL},
    {"enrol", AN_FIELD_MAP, false, F(enrol), NULL},
    {"request", AN_FIELD_MAP, false, F(request), NULL},
};

static const struct an_yaml_field AUDIT_FIELDS[] = {
    {"checkpoint_events", AN_FIELD_INT64, false, offsetof(struct an_config_audit, checkpoint_events), NULL},
    {"checkpoint_minutes", AN_FIELD_INT64, false, offsetof(struct an_config_audit, checkpoint_minutes), NULL},
    {"tsa", AN_FIELD_TEXT, false, offsetof(struct an_config_audit, tsa), NULL},
    {"tsa_private", AN_FIELD_FLAG, false, offsetof(struct an_config_audit, tsa_private), NULL},
};

an_code
an_config_read_audit(const struct an_config *config, struct an_config_audit *ret, struct an_err *reterr)
{
    *ret = (struct an_config_audit){.checkpoint_events = 10000, .checkpoint_minutes = 60};
    if (config->audit == NULL)
        return AN_OK;
    return an_yaml_read_fields(config->doc, config->audit, AUDIT_FIELDS, AN_COUNT(AUDIT_FIELDS), ret, reterr);
}

static an_code
check_audit(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct an_config_audit audit;

    AN_TRY(an_config_read_audit(config, &audit, reterr));
    if (audit.checkpoint_events < 1 || audit.checkpoint_minutes < 1)
        return an_yaml_fail(config->doc, section, reterr, AN_E_CONFIG_VALUE, "1 or more");
    return AN_OK;
}

static an_code
check_enrol(const struct an_config *config, const struct an_yaml_node *section, struct an_err *reterr)
{
    struct an_config_enrol enrol;

    (void)section;
    return an_config_read_enrol(config, &enrol, reterr);
}

/* A row a section: the check reads it with the table of fields of its owner. */
const struct an_config_section an_config_sections[] = {
    {"approval", an_config_check_approval},
    {"audit", check_audit},
    {"ca", an_config_check_ca},
    {"enrol", check_enrol},
    {"mail", an_config_check_mail},
    {"request", an_config_check_request},
    {"serve", an_config_check_serve},
    {"time_stamp", an_config_check_stamp},
};
const size_t an_config_section_count = AN_COUNT(an_config_sections);

an_code
an_config_load(const char *path, struct an_config *ret, struct an_err *reterr)
{
    struct an_config config = {0};
    an_code code;

    AN_TRY(an_yaml_load(path, NULL, &config.doc, reterr));
    code = an_yaml_read_fields(config.doc, config.doc->root, FIELDS, AN_COUNT(FIELDS), &config, reterr);
    if (code == AN_OK && config.readers < 0)
        code = an_yaml_fail(config.doc, an_yaml_find(config.doc->root, "readers"), reterr, AN_E_CONFIG_VALUE,
                            "0 or more");
    if (code == AN_OK)
        *ret = config;
    else
        an_yaml_free(&config.doc);
    return code;
}

void
an_config_done(struct an_config *config)
{
    an_yaml_free(&config->doc);
    *config = (struct an_config){0};
}

static void
ignore_look(void *context, const struct an_look *look)
{
    (void)context;
    (void)look;
}

static bool
is_one_of(const char *text, const char *const *starts)
{
    for (; *starts != NULL; starts++)
        if (strncmp(text, *starts, strlen(*starts)) == 0)
            return true;
    return false;
}

an_code
an_config_check(const struct an_config *config, struct an_regulations *regulations, struct an_err *reterr)
{
    static const char *const STORES[] = {"sqlite:", "postgresql:", NULL};
    static const char *const URLS[] = {"http://", "https://", NULL};
    const struct an_yaml_node *root = config->doc->root;

    if (!is_one_of(config->database, STORES))
        return an_yaml_fail(config->doc, an_yaml_find(root, "database"), reterr, AN_E_CONFIG_VALUE,
                            "sqlite:PATH, postgresql://…");
    if (!is_one_of(config->base_url, URLS))
        return an_yaml_fail(config->doc, an_yaml_find(root, "base_url"), reterr, AN_E_CONFIG_VALUE,
                            "http://…, https://…");
    AN_TRY(an_look_each(regulations, config->regulation, ignore_look, NULL, reterr));
    for (size_t i = 0; i < an_config_section_count; i++) {
        const struct an_yaml_node *section = an_yaml_find(root, an_config_sections[i].key);

        if (section != NULL)
            AN_TRY(an_config_sections[i].check(config, section, reterr));
    }
    return AN_OK;
}
