/*
 * peak COMMAND…: runs it and prints the kB it held at most. A process starts as a copy of the one that starts it, whose size counts as
 * its own peak: so a small program starts it, and not the interpreter that measures.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    struct rusage usage;
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO); /* ours is the only line */
    if (argc < 2 || posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ) != 0 || wait4(child, &status, 0, &usage) != child)
        return 127;
    posix_spawn_file_actions_destroy(&actions);
    printf("%ld\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
