/* Every bound on what input may make us do, once, with its reason. Passing one is AN_E_LIMIT, never a crash. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* asn1, x509, cms */
#define AN_LIMIT_DER_DEPTH 32                          /* real certificates nest at most 12 deep */
#define AN_LIMIT_DER_OUT_DEPTH 24                      /* what we write nests less than this */
#define AN_LIMIT_CERT_BYTES ((size_t)64 * 1024)        /* fielded certificates are under 4 kB */
#define AN_LIMIT_CMS_BYTES ((size_t)256 * 1024 * 1024) /* attached CAdES carries the document; embedded CRLs */
#define AN_LIMIT_SERIAL_BYTES 32 /* RFC 5280: 20; some fielded ones are longer */
#define AN_LIMIT_CRL_BYTES ((size_t)512 * 1024 * 1024) /* ten million revoked certificates */
#define AN_LIMIT_OCSP_BYTES ((size_t)256 * 1024)
#define AN_LIMIT_OCSP_SINGLES 256 /* answers in one response; responders give one */
#define AN_LIMIT_TSP_BYTES ((size_t)256 * 1024)
#define AN_LIMIT_CMS_CERTS 256   /* certificates looked at in one signature */
#define AN_LIMIT_CMS_SIGNERS 64
#define AN_LIMIT_CMS_ATTRIBUTES 256 /* of one signer; archived signatures carry a few dozen */
#define AN_LIMIT_EXTENSIONS 128  /* extensions of one object; the busiest certificates carry 20 */
#define AN_LIMIT_PATH_DEPTH 16      /* certificates in one path */
#define AN_LIMIT_PATH_TRIES 512     /* candidate paths tried before giving up: stops exponential cross-certificate webs */
#define AN_LIMIT_PATH_SIGNATURES 256 /* public-key operations in one validation, status included; a real one needs under 20 */
#define AN_LIMIT_STATUS_DECISIONS 128 /* certificates whose status is looked up in one validation, CRL signers included */
#define AN_LIMIT_STATUS_NESTING 4   /* the status of the signer of the list of the signer of the list … */
#define AN_LIMIT_PATH_FETCHES 16    /* certificates whose issuers are asked for over the network */
#define AN_LIMIT_POLICY_NODES 4096  /* valid policy tree; CVE-2023-0464 shows why it must be bounded */
#define AN_LIMIT_NAME_CHECKS ((size_t)250000) /* names × constraints on one path */

/* enrol */
#define AN_LIMIT_CMP_BYTES ((size_t)256 * 1024)   /* a message with its chain is under 16 kB; a revocation list may be carried */
#define AN_LIMIT_CMP_CERTS 16                     /* extraCerts of a request: the signer and its issuers */
#define AN_LIMIT_CMP_QUESTIONS 32                 /* in one general message */
#define AN_LIMIT_CMP_ROUNDS_MIN 100               /* clients in the field use 500; the secrets have 128 bits of their own */
#define AN_LIMIT_CMP_ROUNDS_MAX 100000            /* 40 ms of hashing; more is an attack on the server (RFC 4210 bis) */
#define AN_LIMIT_CMP_SALT_MIN 8
#define AN_LIMIT_CMP_SALT_MAX 128
#define AN_LIMIT_ENROL_REFERENCE 64               /* ours have 12 characters */
#define AN_LIMIT_ENROL_FAILURES 20                /* wrong secrets that are counted of one reference: they have 128 bits, more tell nothing */
#define AN_LIMIT_ENROL_TOLD 5                     /* refusals of one party that stand in the log one by one, an hour; the rest is one event */
#define AN_LIMIT_TRUST_CERTS 1024                 /* authorities in one trust list; two hierarchies with every generation have under 20 */
#define AN_LIMIT_SEARCH_ROWS 20                   /* of one page of the public search */
#define AN_LIMIT_SEARCH_ROWS_MAX 50
#define AN_LIMIT_ENROL_DAYS 90                    /* an approval is fetched in days; a longer one waits to be found by others */

/* pdf */
#define AN_LIMIT_PDF_DEPTH 64                        /* nesting of arrays and dictionaries */
#define AN_LIMIT_PDF_OBJECTS ((uint32_t)50000000)    /* ISO 32000 Annex C: 8,388,607; large scans pass it */
#define AN_LIMIT_PDF_REVISIONS 4096                  /* revisions followed through /Prev */
#define AN_LIMIT_PDF_STREAM ((size_t)256 * 1024 * 1024) /* one decoded stream that we must read (xref, object stream) */
#define AN_LIMIT_PDF_RATIO 1100                      /* deflate cannot expand more than 1032:1 */
#define AN_LIMIT_PDF_PAGE_DEPTH 64                   /* page tree */
#define AN_LIMIT_PDF_FIELDS 100000
#define AN_LIMIT_PDF_ARENA ((size_t)1024 * 1024 * 1024)

/* pictures, fonts, text */
#define AN_LIMIT_PNG_BYTES ((size_t)32 * 1024 * 1024)
#define AN_LIMIT_PNG_PIXELS ((size_t)64 * 1024 * 1024) /* 600 dpi A4 is 35 million */
#define AN_LIMIT_FONT_BYTES ((size_t)32 * 1024 * 1024)
#define AN_LIMIT_LOOK_TEXT 1024

/* files that people write: regulations, policies, configuration */
#define AN_LIMIT_YAML_BYTES ((size_t)4 * 1024 * 1024)
#define AN_LIMIT_YAML_DEPTH 12    /* the deepest law file nests 8 */
#define AN_LIMIT_YAML_NODES 65536 /* the national base has about 1,500 values */
#define AN_LIMIT_YAML_KEYS 1024   /* of one map: duplicates are looked for one by one */
#define AN_LIMIT_FACTS 16 /* of one question; there are fifteen facts */
#define AN_LIMIT_WORKING_DAYS 5000 /* counted one by one: twenty years are longer than any deadline */
#define AN_LIMIT_RULES 1000 /* of one file; pairs are compared, and the national base has about a hundred */
#define AN_LIMIT_REGULATIONS 512  /* files in one data folder: 34 provinces, several acts each */

/* verify: one file */
#define AN_LIMIT_VERIFY_CERTS 4096        /* certificates embedded in all its signatures and its DSS together */
#define AN_LIMIT_VERIFY_STATUS 4096       /* CRLs, and OCSP answers, likewise */
#define AN_LIMIT_VERIFY_SIGNATURES 2048   /* each costs a hash over up to the whole file */
#define AN_LIMIT_VERIFY_STAMPS 64         /* time-stamps looked at in one signature */
#define AN_LIMIT_VERIFY_CACHE 1024        /* objects of each kind that a verifier remembers */
#define AN_LIMIT_VERIFY_CMS_TEXT ((size_t)24 * 1024 * 1024) /* base64 of AN_LIMIT_CMS_BYTES */

/* command line */
#define AN_LIMIT_MATERIAL_CACHE 4096                 /* parsed files that a stream of requests remembers */
#define AN_LIMIT_STREAM_LINE ((size_t)1024 * 1024)   /* one request; a longer one is answered with an error */
#define AN_LIMIT_MIME_DEPTH 4             /* multipart inside multipart */
#define AN_LIMIT_MIME_HEADERS 256         /* lines of one header */
#define AN_LIMIT_MIME_BYTES ((size_t)256 * 1024 * 1024) /* one signed mail */

/* xml, containers */
#define AN_LIMIT_XML_BYTES ((size_t)256 * 1024 * 1024)  /* one document; its tree takes several times as much */
#define AN_LIMIT_XML_PARTS ((size_t)512 * 1024 * 1024)  /* contents beside a signature, or in a container, together */
#define AN_LIMIT_XML_WORK ((size_t)4096 * 1024 * 1024)  /* bytes canonicalised and digested for one document */
#define AN_LIMIT_XML_DEPTH 250                          /* the libraries recurse; invoices nest 12 deep */
#define AN_LIMIT_XML_SIGNATURES 64                      /* in one document */
#define AN_LIMIT_XML_REFERENCES 512                     /* of one signature, manifests included */
#define AN_LIMIT_XML_TRANSFORMS 8                       /* of one reference; two are usual */
#define AN_LIMIT_XML_SIGNED_INFO ((size_t)4 * 1024 * 1024) /* canonical; 512 references take 300 kB */
#define AN_LIMIT_ZIP_ENTRIES 4096                       /* in one container */

/* requests */
#define AN_LIMIT_REQUEST_ITEMS 5000                      /* a province's largest agency has some 3,000 people; a form of 150 pages */
#define AN_LIMIT_PAPER_BYTES ((size_t)64 * 1024 * 1024)   /* a form of 5,000 lines takes 3 MB, a scanned letter 10 MB */
#define AN_LIMIT_REQUEST_ARENA ((size_t)64 * 1024 * 1024) /* 5,000 items with all their fields take 10 MB */

/* between processes and over the network */
#define AN_LIMIT_MESSAGE_BYTES ((size_t)64 * 1024 * 1024)
#define AN_LIMIT_HTTP_BYTES ((size_t)512 * 1024 * 1024)
#define AN_LIMIT_MAIL_BYTES ((size_t)24 * 1024 * 1024) /* mail servers take 25 MB, attachments in base64 included */
#define AN_LIMIT_MAIL_RECIPIENTS 100                    /* RFC 5321 4.5.3.1.8: every server takes that many */
#define AN_LIMIT_PIN_BYTES 255
#define AN_LIMIT_KDF_ROUNDS 5000000 /* a second or two of PBKDF2; a key file that asks for more is an attack or damaged */

/* store, audit */
#define AN_LIMIT_STORE_GROUP 256          /* works in one commit: longer groups make the first of them wait */
#define AN_LIMIT_STORE_WAITING 4096       /* works in the queue; more are told that the store is busy */
#define AN_LIMIT_STORE_BUSY_MS 10000      /* patience with another process that writes */
#define AN_LIMIT_STORE_PATIENCE_MS 60000  /* a database that went away is asked again for so long: Patroni notices after 30 s */
#define AN_LIMIT_STORE_READERS 64
#define AN_LIMIT_STORE_KEPT_BYTES ((size_t)64 * 1024 * 1024) /* audit records of one group */
#define AN_LIMIT_STORE_RERUNS 8           /* of one group, for conflicts that a second run resolves */
#define AN_LIMIT_AUDIT_EVENT ((size_t)64 * 1024) /* one event; facts, not documents */
#define AN_LIMIT_AUDIT_FINDINGS 1000 /* told of one log; a log with more is beyond reading one by one */
#define AN_LIMIT_AUDIT_CHECKPOINT ((size_t)1024 * 1024) /* one signed head with its certificates and time-stamp */

/* registry */
#define AN_LIMIT_REGISTRY_TEXT ((size_t)2000)              /* one name, address, title; the longest agency name found has 180 letters */
#define AN_LIMIT_REGISTRY_ARENA ((size_t)16 * 1024 * 1024) /* what one answer about one object holds: a few hundred rows */
#define AN_LIMIT_RECORD_DEVICES 500                        /* on one record: more do not go into one hand-over */
#define AN_LIMIT_RECORD_BYTES ((size_t)8 * 1024 * 1024)    /* a record of 500 devices with two signatures is under 1 MB */
#define AN_LIMIT_CSV_ROW ((size_t)64 * 1024)               /* one row of a list; the longest of the forms has under 1 kB */
#define AN_LIMIT_IMPORT_BYTES ((uint64_t)1024 * 1024 * 1024) /* a million people take 200 MB; the file is mapped */
#define AN_LIMIT_IMPORT_ARENA ((size_t)64 * 1024 * 1024)   /* one batch of at most 10,000 rows */
#define AN_LIMIT_XLSX_BYTES ((size_t)256 * 1024 * 1024)    /* texts of one sheet; 100,000 people take 40 MB */
#define AN_LIMIT_XLSX_RATIO ((size_t)100)                  /* to one byte of the file: sheets of real people shrink to a tenth or twentieth */
#define AN_LIMIT_XLSX_LEAST ((size_t)4 * 1024 * 1024)      /* what a small workbook may come to whatever its ratio */
