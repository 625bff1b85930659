#include "office/tables.h"

static const struct command commands[] = {};
const struct command_group office_instance = {commands, AN_COUNT(commands)};
