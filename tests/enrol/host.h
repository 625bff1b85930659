/*
 * An authority small enough to be seen through, for tests of the protocols: certificates are made by openssl(1), approvals stand in a
 * table, transactions in memory. And a server on loopback that hands each POST to the room.
 */
#pragma once

#include "enrol/enrol.h"

/* What stands approved. */
struct test_approval {
    const char *reference, *secret, *subject /* for openssl -subj */;
    bool is_waiting;     /* not yet approved */
    int polls;           /* how often it was asked for while waiting */
    uint8_t key[32];     /* SHA-256 of the key that used it */
    struct an_cert *cert;
};
enum { TEST_APPROVALS = 9 };
extern struct test_approval test_approvals[TEST_APPROVALS];
extern unsigned test_issued, test_revoked, test_confirmed, test_refused;
extern char test_last_refusal[400];
extern char test_folder[128];

/* Makes root, issuing authority and registration signer in a folder of its own; fills the host. */
void test_host_open(struct an_enrol_host *host);
void test_host_close(struct an_enrol_host *host);
/* A device that is enrolled already: DIR/NAME.pem, DIR/NAME.key. */
struct an_cert *test_enrolled(const char *name, const char *subject);
void test_revoke(const struct an_cert *cert);

/* Answers POST /cmp and /.well-known/est/…; returns its port. It runs until the process ends. */
unsigned test_serve(const struct an_enrol_host *host);
/* A shell line in the folder; output in the file "out". */
bool test_run(const char *fmt, ...) AN_PRINTF(1, 2);
bool test_output_has(const char *text);
void test_read(const char *name, struct an_buf *ret);
struct an_cert *test_cert(const char *name); /* DIR/name, PEM */
