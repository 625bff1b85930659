/* Target: antin-audit-verify with an export of a stranger. */
#include <sys/mman.h>
#include <unistd.h>

#define main outside_main
int outside_main(int argc, char **argv);
#include "../src/audit/outside.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool quiet;
    char path[64], name[] = "antin-audit-verify", earlier[] = "--earlier";
    int fd = memfd_create("export", MFD_CLOEXEC), status;

    if (!quiet) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        quiet = true;
    }
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    status = outside_main(2, (char *[]){name, path, NULL});
    AN_ASSERT(status == 0 || status == 1 || status >= EX_USAGE);
    (void)outside_main(4, (char *[]){name, earlier, path, path, NULL});
    close(fd);
    return 0;
}
