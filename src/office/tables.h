/*
 * The commands that act on an instance, as tables. The program antin-office carries them out; antin compiles the same
 * files with AN_TABLE_ONLY, so that its help, manual and completion know every command and it links neither database.
 */
#pragma once

#include "cli/cli.h"

extern const struct command_group office_instance, office_ca, office_audit, office_regulation, office_registry,
       office_device,
    office_request, office_enrol;

#ifdef AN_TABLE_ONLY
#define RUN(function) NULL
#else
#define RUN(function) function
#endif
/* Where, and who: what every command on an instance's registers begins with. */
#define DESK_OPTS(type) \
    {"dir", "DIR", OPT_TEXT, offsetof(struct type, dir), "thư mục của bản cài đặt", "folder of the instance"}, \
    {"as", "PERSON[/ROLE]", OPT_TEXT, offsetof(struct type, as), "người thực hiện và vai trò; “system” khi thiết lập", "who acts, in which role; “system” while setting up"}
#define OFFICE_OPTS(table, type) table, AN_COUNT(table), sizeof(struct type)
#define OFFICE_NO_OPTS NULL, 0, 1
