/* What the program antin-http has at hand: the context of every route. */
#pragma once

#include "http/http.h"
#include "service/certification/status.h"

struct an_enrol_service;
struct an_certifier;
struct an_signer;
struct an_node {
    struct an_instance *instance;
    struct an_keys *keys;
    struct an_status *status;
    struct an_enrol_service *enrol; /* NULL while enrolment is not set up; read with an_node_enrol */
    struct an_certifier *certifier; /* what it issues with */
    struct an_signer *enrol_signer;
    uint64_t enrol_again_ms, enrol_pause_ms; /* when it is tried again; of the thread that ticks */
    struct an_http_server *server;
    int listener;
    an_time started;
};

/* It may appear while others are asking: the key of the registration signer was away when we started. */
static inline struct an_enrol_service *
an_node_enrol(const struct an_node *node)
{
    return __atomic_load_n(&node->enrol, __ATOMIC_ACQUIRE);
}

/* /ocsp, /tsa, /crl/, /crt/, /healthz, /metrics (status_routes.c) */
extern const struct an_http_route an_status_routes[];
extern const size_t an_status_route_count;

/* ---- questions to antin-http from who started it (frames of proc/) ---- */
#define AN_NODE_SETUP 1u /* {"dir": "…"}, with the socket that listens; answered {} when it serves */
#define AN_NODE_DRAIN 2u /* takes no more connections, answers those that are open once more, ends; no answer */
/* Said by antin-http unasked, {}: the head of the audit log is due, and its time-stamp comes from another machine. */
#define AN_NODE_CHECKPOINT 3u
/* Said unasked, {}: authorities or signers were added or renewed; new processes are to take over. */
#define AN_NODE_AUTHORITIES 4u
/* From who started it: a call into a token's module does not come back; all of them answer again. No answer. */
#define AN_NODE_TOKEN_HANGS 5u
#define AN_NODE_TOKEN_ANSWERS 6u
