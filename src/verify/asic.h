/* Between the two readers of containers: asic.c (which file signs what) and asic_proof.c (what proves what). */
#pragma once

#include "verify/record.h"
#include "verify/xml_reader.h"

enum asic_kind { ASIC_DATA, ASIC_MIMETYPE, ASIC_CMS, ASIC_XML, ASIC_STAMP, ASIC_RECORD, ASIC_MANIFEST, ASIC_OTHER };
struct asic_file {
    enum asic_kind kind;
    const struct an_zip_entry *entry;
    struct an_manifest *manifest;
    bool covered;         /* something in the container signs or stamps it */
    bool judged;
    bool is_sealed;       /* a time-stamp or record over it was read */
    an_time exists_since; /* proven by one of them; AN_TIME_NONE = not proven */
};
struct asic {
    struct an_job *job;
    struct an_zip *zip;
    struct asic_file *files; size_t count;
    struct an_xml_part *parts;
    size_t data_count;
    bool is_simple;       /* ASiC-S: one data object */
    struct an_step step;  /* what every signature of it has to bear */
};
/* By the URI of a manifest or reference: percent-encoded UTF-8. */
struct asic_file *asic_find(struct asic *container, const char *uri);
struct asic_file *asic_manifest_of(struct asic *container, const struct asic_file *file);

/* asic_proof.c: time-stamps and evidence records over other files of the container come before what they prove. */
struct asic_file *asic_next(struct asic *container); /* NULL = all judged */
/* After file was judged as the rows of the report from `first` on: what it proves, what it seals. */
void asic_prove(struct asic *container, const struct asic_file *file, size_t first, bool is_manifest_right);
void asic_settle_levels(const struct asic_file *file, struct an_report *report, size_t first);
void asic_order_rows(struct an_report *report); /* signatures, then what stands for itself as a time-stamp */
