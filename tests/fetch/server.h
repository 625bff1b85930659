/* A server that misbehaves as told: the path of the request says how. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Starts it on loopback; returns its port. It runs until the process ends. */
unsigned server_start(void);
/* A port where nothing listens. */
unsigned server_closed_port(void);
/* The last request as it came; and how many came for a path. */
const char *server_last_request(void);
unsigned server_count(const char *path);
