/*
 * The system's clock as it is after somebody set it, for one process alone: linked into an antin-http of the tests with
 * --wrap=clock_gettime, so that every reading of the wall clock in our code is moved by what stands in the file
 * "clock-step" beside the program (a 64-bit number of milliseconds). It is mapped before the sandbox closes. The clock
 * that only runs is left as it is, as it is when a clock is set.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);

static const int64_t *step_ms;

__attribute__((constructor)) static void
find_step(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);
    void *found;
    int fd;

    if (len < 0)
        return;
    path[len] = '\0';
    strcpy(strrchr(path, '/') + 1, "clock-step");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    found = fd >= 0 ? mmap(NULL, sizeof(*step_ms), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    step_ms = found == MAP_FAILED ? NULL : found;
    if (fd >= 0)
        close(fd);
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
    int answer = __real_clock_gettime(id, ret);
    int64_t move = step_ms != NULL && id == CLOCK_REALTIME ? __atomic_load_n(step_ms, __ATOMIC_RELAXED) : 0, ms;

    ms = (int64_t)ret->tv_sec * 1000 + ret->tv_nsec / 1000000 + move;
    ret->tv_sec = ms / 1000;
    ret->tv_nsec = ms % 1000 * 1000000 + ret->tv_nsec % 1000000;
    return answer;
}
