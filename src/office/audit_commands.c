#include "office/tables.h"

static const struct command commands[] = {};
const struct command_group office_audit = {commands, AN_COUNT(commands)};
