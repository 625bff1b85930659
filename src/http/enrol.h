/* Routes of enrolment and of what is published for people: /cmp, /.well-known/est/, /trust/gca.ctl, /cp, /search.
 * Context: struct an_node. */
#pragma once

#include "http/http.h"

extern const struct an_http_route an_enrol_routes[];
extern const size_t an_enrol_route_count;
