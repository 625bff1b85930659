/* The system call filter: an allow-list. What is not on it fails with EPERM, so that a library may cope. */
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SHADOW_MEMORY 1
#endif
#endif
#ifndef SHADOW_MEMORY
#define SHADOW_MEMORY 0 /* the sanitizer reserves terabytes of addresses: no limit can be set then */
#endif

/* Computing, and talking on descriptors that are open already. */
static const int calls_always[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat),
    SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk),
    SCMP_SYS(madvise), SCMP_SYS(mincore), SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(futex), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(getrlimit),
    SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(restart_syscall), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl), SCMP_SYS(membarrier),
};

static const int calls_to_list[] = {SCMP_SYS(getdents64)};

static const int calls_to_write[] = {
    SCMP_SYS(ftruncate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(rename), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(fchmod),
    SCMP_SYS(utimensat),
};

static const int calls_of_threads[] = {SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getparam),
                                       SCMP_SYS(sched_getscheduler)};

static const int calls_of_network[] = {
    SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
    SCMP_SYS(getsockopt), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown), SCMP_SYS(socketpair), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
};

/* Sockets of this machine: a connection from another process of ours, the daemon of a card reader. */
static const int calls_of_local[] = {
    SCMP_SYS(connect), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(flock), SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(sendfile),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
};

static int
allow_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int failed = 0;

    for (size_t i = 0; i < count && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return failed;
}

/* Memory may be mapped and protected, but nothing new may become code. */
static int
allow_memory(scmp_filter_ctx filter)
{
    int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return failed;
}

/* Signals only to ourselves (abort), descriptors only looked at, limits only read, threads only named. */
static int
allow_narrowly(scmp_filter_ctx filter)
{
    scmp_datum_t self = (scmp_datum_t)getpid();
    int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self));
    static const int commands[] = {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD, F_DUPFD_CLOEXEC};

    for (size_t i = 0; i < AN_COUNT(commands) && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                  SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i]));
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    return failed;
}

static int
allow_files(scmp_filter_ctx filter, const struct an_sandbox *what)
{
    const scmp_datum_t changing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    int failed = 0;

    if (what->write_count > 0) {
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 0);
        if (failed == 0)
            failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 0);
        if (failed == 0)
            failed = allow_calls(filter, calls_to_write, AN_COUNT(calls_to_write));
    } else if (what->read_count > 0) {
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, changing, O_RDONLY));
        if (failed == 0)
            failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                                      SCMP_A1(SCMP_CMP_MASKED_EQ, changing, O_RDONLY));
    }
    if (failed == 0 && what->read_count + what->write_count > 0)
        failed = allow_calls(filter, calls_to_list, AN_COUNT(calls_to_list));
    return failed;
}

/* clone for threads only; clone3, whose flags a filter cannot see, is answered "unknown" so that clone is used. */
static int
allow_threads(scmp_filter_ctx filter)
{
    const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));

    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return failed ? failed : allow_calls(filter, calls_of_threads, AN_COUNT(calls_of_threads));
}

/* Internet sockets, and the netlink one by which the resolver learns of our own addresses. Nothing may listen. */
static int
allow_network(scmp_filter_ctx filter)
{
    static const int families[] = {AF_INET, AF_INET6, AF_NETLINK};
    int failed = 0;

    for (size_t i = 0; i < AN_COUNT(families) && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
    if (failed == 0) /* FIONREAD: the resolver asks how much has arrived */
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, 0x541B));
    return failed ? failed : allow_calls(filter, calls_of_network, AN_COUNT(calls_of_network));
}

static int
allow_local(scmp_filter_ctx filter)
{
    static const int locks[] = {F_SETLK, F_SETLKW, F_GETLK, F_OFD_SETLK, F_OFD_SETLKW};
    int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));

    for (size_t i = 0; i < AN_COUNT(locks) && failed == 0; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                  SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)locks[i]));
    return failed ? failed : allow_calls(filter, calls_of_local, AN_COUNT(calls_of_local));
}

static int
fill_filter(scmp_filter_ctx filter, const struct an_sandbox *what)
{
    int failed = allow_calls(filter, calls_always, AN_COUNT(calls_always));

    if (failed == 0)
        failed = allow_memory(filter);
    if (failed == 0)
        failed = allow_narrowly(filter);
    if (failed == 0)
        failed = allow_files(filter, what);
    if (failed == 0 && what->threads)
        failed = allow_threads(filter);
    if (failed == 0 && what->network)
        failed = allow_network(filter);
    if (failed == 0 && what->local)
        failed = allow_local(filter);
    return failed;
}

static int
enter_filter(const struct an_sandbox *what)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int failed;

    if (filter == NULL)
        return ENOMEM;
    failed = fill_filter(filter, what);
    if (failed == 0)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return -failed;
}

static bool
lower_limit(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit now, want = {.rlim_cur = value, .rlim_max = value};

    if (getrlimit(resource, &now) != 0)
        return false;
    if (now.rlim_max < value) /* an outer limit is stricter already */
        want.rlim_cur = want.rlim_max = now.rlim_max;
    return setrlimit(resource, &want) == 0;
}

static bool
lower_limits(const struct an_sandbox *what)
{
    bool done = lower_limit(RLIMIT_CORE, 0) && lower_limit(RLIMIT_NOFILE, what->descriptors_max ? what->descriptors_max
                                                           : what->network || what->local ? 256 : 64);

    /* Without this a write to standard error that is a file would end the process instead of failing. */
    signal(SIGXFSZ, SIG_IGN);
    done = done && lower_limit(RLIMIT_FSIZE, what->file_bytes_max);
    if (what->cpu_seconds_max != 0)
        done = done && lower_limit(RLIMIT_CPU, what->cpu_seconds_max);
    if (what->memory_bytes_max != 0 && !SHADOW_MEMORY)
        done = done && lower_limit(RLIMIT_AS, what->memory_bytes_max);
    return done;
}

an_code
an_sandbox_enter(const struct an_sandbox *what, bool required, struct an_err *reterr)
{
    int failed;

    if (!lower_limits(what))
        return an_err_set_errno(reterr, AN_E_PROC_SANDBOX, errno, "setrlimit");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return an_err_set_errno(reterr, AN_E_PROC_SANDBOX, errno, "prctl");
    if (!an_landlock_enter(what) && required)
        AN_FAIL(reterr, AN_E_PROC_SANDBOX, "Landlock");
    failed = enter_filter(what);
    if (failed != 0)
        return an_err_set_errno(reterr, AN_E_PROC_SANDBOX, failed, "seccomp");
    return AN_OK;
}
