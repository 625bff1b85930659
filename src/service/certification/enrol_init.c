/* The registration signer: its key, its certificate in the register; and the section `enrol` of the configuration. */
#include "service/certification/enrol.h"

#include "audit/audit.h"
#include "keys/keys.h"
#include "service/instance/own_signer.h"


static const struct an_yaml_field FIELDS[] = {
    {"confirm_minutes", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, confirm_minutes), NULL},
    {"poll_seconds", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, poll_seconds), NULL},
    {"clock_skew_seconds", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, clock_skew_seconds), NULL},
    {"trust_list_days", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, trust_list_days), NULL},
};

an_code
an_config_read_enrol(const struct an_config *config, struct an_config_enrol *ret, struct an_err *reterr)
{
    *ret = (struct an_config_enrol){.confirm_minutes = 60, .poll_seconds = 30, .clock_skew_seconds = 900,
                                    .trust_list_days = 30};
    if (config->enrol == NULL)
        return AN_OK;
    AN_TRY(an_yaml_read_fields(config->doc, config->enrol, FIELDS, AN_COUNT(FIELDS), ret, reterr));
    if (ret->confirm_minutes < 1 || ret->confirm_minutes > 10080 || ret->poll_seconds < 1 ||
        ret->poll_seconds > 86400 || ret->clock_skew_seconds < 0 ||
        ret->trust_list_days < 1 || ret->trust_list_days > 365)
        return an_yaml_fail(config->doc, config->enrol, reterr, AN_E_CONFIG_VALUE, "1 or more");
    return AN_OK;
}

/* ---- the signer ---- */
an_code
an_enrol_init(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr)
{
    struct an_secret *secret = NULL;
    an_code code;

    AN_TRY(an_own_signer_init(instance, AN_OWN_ENROL, plan, reterr));
    /* the key of the secrets, too: who serves may read it and make none */
    code = an_enrol_secret(instance, &(struct an_approval){.reference = ""}, &secret, reterr);
    an_secret_free(&secret);
    return code;
}

static an_code
find_signer(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct an_cert **cert = context;

    an_cert_unref(cert);
    return an_own_signer_find(tx, AN_OWN_ENROL, cert, reterr);
}

an_code
an_enrol_signer_cert(struct an_store *store, struct an_cert **ret, struct an_err *reterr)
{
    return an_store_read(store, find_signer, ret, reterr);
}
