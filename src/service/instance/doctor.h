/*
 * What is wrong on this machine and with this instance: a table of checks, each with its remedy. A check finds facts;
 * it changes nothing.
 */
#pragma once

#include "service/instance/instance.h"

enum an_health { AN_HEALTH_GOOD = 0, AN_HEALTH_WARNING, AN_HEALTH_BAD, AN_HEALTH_SKIPPED };
struct an_symptom {
    const char *check;               /* "disk", "database" */
    const char *name_vi, *name_en;
    enum an_health health;
    char detail[AN_DETAIL_MAX];      /* facts */
    const char *remedy_vi, *remedy_en;
};
typedef void (*an_symptom_fn)(void *context, const struct an_symptom *symptom);
/* dir NULL = the machine alone. deep: invariants, the whole audit log, each key. */
void an_doctor_examine(const char *dir, bool deep, an_symptom_fn tell, void *context);
