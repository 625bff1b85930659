/* What a ground for revocation (ca/ground.h, NĐ 68/2024 Điều 17) asks for beside the revocation itself. */
#include "service/registration/request_internal.h"

static const struct { const char *id; bool needs_record, is_emergency; } ground_table[] = {
    {"that-lac", true, true},    /* NĐ 68/2024 Điều 20, Mẫu 09; Bắc Ninh Điều 5.2c: Mẫu 15 */
    {"lo-khoa", false, true},    /* Bắc Ninh Điều 15.4, Bình Thuận Điều 19.5a: at once */
    {"mat-an-toan", false, true},
};

bool
request_ground_needs_record(const char *id)
{
    for (size_t i = 0; i < AN_COUNT(ground_table); i++)
        if (strcmp(ground_table[i].id, id) == 0)
            return ground_table[i].needs_record;
    return false;
}

bool
request_ground_is_emergency(const char *id)
{
    for (size_t i = 0; i < AN_COUNT(ground_table); i++)
        if (strcmp(ground_table[i].id, id) == 0)
            return ground_table[i].is_emergency;
    return false;
}
