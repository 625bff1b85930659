/* The demonstration: an authority, two sample agencies, documents signed, sealed, copied, archived, verified, and
 * forged. */
#pragma once

#include "ca/ca.h"
#include "cli/cli.h"
#include "proc/json.h"
#include "proc/layout.h"
#include "proc/render.h"
#include "regulation/regulation.h"
#include "sign/sign.h"
#include "verify/verify.h"

/* One sample subscriber (or authority) with its token, key and certificate. */
struct demo_party {
    const char *id;          /* "chu-tich": names its files and its token */
    const char *profile;     /* of profiles/ */
    const char *name;        /* CN */
    const char *unit, *parent, *email;
    enum an_key_kind kind;
    int bits;
    struct an_signer *signer;
    struct an_cert *cert;
    struct an_buf image;     /* signature or seal, PNG */
};

enum demo_who { DEMO_ROOT = 0, DEMO_ISSUING, DEMO_TSA, DEMO_LEADER, DEMO_AGENCY, DEMO_OTHER_LEADER, DEMO_OTHER_AGENCY,
               DEMO_REVOKED, DEMO_PARTIES };

/* One line of the table at the end. */
struct demo_row { char file[64]; const char *what_vi, *what_en; enum an_indication indication; enum an_clerk_word word;
                 bool expected; };

struct demo {
    struct cli *cli;
    const char *dir;
    struct demo_party parties[DEMO_PARTIES];
    struct an_profiles *profiles;
    struct an_certs anchors, chain;
    struct an_crls crls;
    struct an_tsa tsa;
    struct an_http_server *server;
    unsigned port;
    struct an_child *layout;
    struct an_renderer *renderer;
    struct an_verifier *verifier;
    struct an_fetcher *fetcher;
    char tsa_url[64];
    struct demo_row rows[16];
    size_t row_count;
    uint64_t signatures;
};

/* demo_authority.c: tokens, keys, certificates, CRL, TSA */
an_code demo_make_authority(struct demo *d, struct an_err *reterr) AN_MUST_USE;
/* demo_documents.c: lays out, signs, seals, copies */
an_code demo_make_documents(struct demo *d, struct an_err *reterr) AN_MUST_USE;
/* demo_forgeries.c: the files that must be refused */
an_code demo_make_forgeries(struct demo *d, struct an_err *reterr) AN_MUST_USE;

/* "DIR/name"; the caller frees. */
char *demo_path(const struct demo *d, const char *name) AN_MUST_USE;
void demo_say(struct demo *d, const char *vi, const char *en);
struct demo_sign { enum demo_who who; const char *look, *in, *out, *number, *copy_kind, *agency, *near_text;
                  enum an_level level; bool forger; };
an_code demo_sign(struct demo *d, const struct demo_sign *what, struct an_err *reterr) AN_MUST_USE;

/* story.c: a story of an agency under one regulation, told by the commands themselves (samples/stories/); exit
 * status. */
int demo_story(struct cli *cli, const char *dir, const char *regulation, const char *database, const char *module);
/* story_table.c: why a command refused, in its own words, from its answer in JSON; false: it says nothing. */
bool story_refusal(const struct json_t *answer, bool english, struct an_buf *out);
/* Where the five regulations differ: who decides, on which form, in how many days, who is told. */
void story_differences(struct cli *cli);
