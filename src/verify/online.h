/*
 * What a path may ask for over the network: issuers (AIA), CRLs (distribution points), OCSP answers. Each address is
 * asked once per object; thread-safe. Addresses come from certificates, that is from strangers: fetch/ holds the rules.
 */
#pragma once

#include "x509/path.h"

struct an_online;
struct an_fetcher;
struct an_online *an_online_new(struct an_fetcher *fetcher, uint64_t timeout_ms); /* borrows the fetcher */
void an_online_free(struct an_online **online);
/* .failures tells why an address of a certificate gave nothing: for "why is the status unknown". */
an_path_fetch an_online_path_fetch(struct an_online *online);
