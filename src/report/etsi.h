/* Between etsi.c (the report of TS 119 102-2) and etsi_facts.c. */
#pragma once

#include "report/internal.h"

struct etsi {
    const struct an_report_context *context;
    struct xml xml;
    struct an_map *objects; /* ids that stand in the list of objects */
};
void etsi_write_reference(struct etsi *etsi, const char *name, char kind, an_bytes object);
void etsi_write_time(struct etsi *etsi, const char *name, an_time when);
/* Nothing is written when nothing is known. */
void etsi_write_revoked(struct etsi *etsi, const struct an_revoked_fact *fact);
void etsi_write_crypto(struct etsi *etsi, const struct an_crypto_fact *fact, const char *signature_id);
