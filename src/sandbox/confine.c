/* SPDX-License-Identifier: MIT */
/*
 * The walls of a child, from the outside in: no new privileges, no core dump or ptrace, death with
 * the parent, resource limits, Landlock (no file of the machine), seccomp (no system call but a
 * few). Two lists below are the whole policy; a call that is not in a list ends the process, so a
 * library that starts to use another one shows in tests at once.
 */
#include "sandbox/confine.h"

#include "sandbox/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum err drop_privileges(struct err_note *note)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return err_errno(note, "prctl");
    return ERR_OK;
}

struct limit {
    int what;
    rlim_t soft, hard;
};

static enum err set_limits(const struct limit *limit, size_t count, struct err_note *note)
{
    for (size_t i = 0; i < count; i++) {
        struct rlimit r = {limit[i].soft, limit[i].hard}, now;
        // Whoever started the server may have set a stricter one, which cannot be raised.
        if (getrlimit((__rlimit_resource_t)limit[i].what, &now) == 0 && now.rlim_max < r.rlim_max) {
            r.rlim_max = now.rlim_max;
            if (r.rlim_cur > r.rlim_max)
                r.rlim_cur = r.rlim_max;
        }
        if (setrlimit((__rlimit_resource_t)limit[i].what, &r) != 0)
            return err_errno(note, "setrlimit %d", limit[i].what);
    }
    return ERR_OK;
}

// Landlock's ABI (include/uapi/linux/landlock.h of Linux 6.12); Debian's header is older than the
// kernels this runs on.
struct landlock_attr {
    uint64_t handled_fs;
    uint64_t handled_net; // since ABI 4
    uint64_t scoped;      // since ABI 6
};

// The number of file rights each ABI knows; they are bits from 0 up.
static int landlock_fs_rights(long abi)
{
    return abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
}

// No rule is ever added: every right that the kernel knows is refused everywhere.
static enum err deny_files(struct err_note *note)
{
    enum { VERSION_FLAG = 1 };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, VERSION_FLAG);

    if (abi <= 0)
        return ERR_OK;
    struct landlock_attr attr = {
        .handled_fs = (UINT64_C(1) << landlock_fs_rights(abi)) - 1,
        .handled_net = abi >= 4 ? 3 : 0, // bind and connect TCP
        .scoped = abi >= 6 ? 3 : 0,      // abstract sockets and signals of others
    };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (fd < 0)
        return err_errno(note, "landlock");
    long r = syscall(SYS_landlock_restrict_self, fd, 0);
    enum err e = r == 0 ? ERR_OK : err_errno(note, "landlock");
    close(fd);
    return e;
}

static enum err seccomp_error(int code, struct err_note *note)
{
    errno = -code;
    return err_errno(note, "seccomp");
}

#if SANDBOX_SANITIZED

// Under a sanitizer: what an intruder would want, refused; the sanitizer's own needs, allowed.
static const int never[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(bpf),
    SCMP_SYS(kill),
    SCMP_SYS(io_uring_setup),
};

static enum err filter(bool renderer, bool allow_jit, struct err_note *note)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

    (void)allow_jit;
    if (!ctx)
        return err_set(note, ERR_NOMEM, "seccomp");
    int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, renderer);
    for (size_t i = 0; r == 0 && i < sizeof(never) / sizeof(never[0]); i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, never[i], 0);
    if (r == 0)
        r = seccomp_load(ctx);
    seccomp_release(ctx);
    return r == 0 ? ERR_OK : seccomp_error(r, note);
}

#else

// Both need memory, messages on descriptor 3, the time (a system call only where the vDSO cannot
// tell it) and an end; mmap and mprotect are added with their condition on PROT_EXEC.
static const int common_calls[] = {
    SCMP_SYS(brk),          SCMP_SYS(munmap),     SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(close),        SCMP_SYS(exit_group), SCMP_SYS(exit),   SCMP_SYS(rt_sigreturn),
    SCMP_SYS(futex),        SCMP_SYS(getrandom),  SCMP_SYS(time),   SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
};

static const int renderer_calls[] = {
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),     SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getpid),          SCMP_SYS(gettid),
    SCMP_SYS(getcpu),          SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),       SCMP_SYS(restart_syscall),
    SCMP_SYS(sysinfo),         SCMP_SYS(getrusage),
    SCMP_SYS(ftruncate),       SCMP_SYS(fstat),
    SCMP_SYS(membarrier),
};

// Libraries try these and do without: the answer is an error, not the end.
static const struct {
    int call, error;
} renderer_refused[] = {
    // clone3 hides its flags from a filter; glibc falls back to clone.
    {SCMP_SYS(clone3), ENOSYS},     {SCMP_SYS(open), EACCES},
    {SCMP_SYS(openat), EACCES},     {SCMP_SYS(openat2), ENOSYS},
    {SCMP_SYS(access), EACCES},     {SCMP_SYS(faccessat), EACCES},
    {SCMP_SYS(faccessat2), ENOSYS}, {SCMP_SYS(readlink), EACCES},
    {SCMP_SYS(readlinkat), EACCES}, {SCMP_SYS(stat), EACCES},
    {SCMP_SYS(newfstatat), EACCES}, {SCMP_SYS(statx), ENOSYS},
    {SCMP_SYS(mbind), EPERM},       {SCMP_SYS(ioctl), ENOTTY},
    {SCMP_SYS(prctl), EPERM},       {SCMP_SYS(sched_setaffinity), EPERM},
};

static int allow(scmp_filter_ctx ctx, const int *calls, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
    return r;
}

static int allow_on_fd(scmp_filter_ctx ctx, int call, int fd)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd));
}

// For the calls whose third argument is a protection.
static int allow_memory(scmp_filter_ctx ctx, bool executable)
{
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
        r = executable ? seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0)
                       : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
                                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return r;
}

static int allow_renderer(scmp_filter_ctx ctx)
{
    // A thread and nothing else: no process, no namespace, no tracing of the new one.
    const scmp_datum_t checked = CLONE_THREAD | CLONE_VM | CLONE_NEWNS | CLONE_NEWUSER |
                                 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                                 CLONE_NEWCGROUP | CLONE_PTRACE | CLONE_UNTRACED;
    int r = allow(ctx, renderer_calls, sizeof(renderer_calls) / sizeof(renderer_calls[0]));

    for (size_t i = 0; r == 0 && i < sizeof(renderer_refused) / sizeof(renderer_refused[0]); i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((unsigned)renderer_refused[i].error),
                             renderer_refused[i].call, 0);
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, checked, CLONE_THREAD | CLONE_VM));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(memfd_create), 1,
                             SCMP_A1(SCMP_CMP_EQ, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                             SCMP_A1(SCMP_CMP_EQ, F_ADD_SEALS));
    // The last words of an assertion.
    if (r == 0)
        r = allow_on_fd(ctx, SCMP_SYS(write), STDERR_FILENO);
    if (r == 0)
        r = allow_on_fd(ctx, SCMP_SYS(writev), STDERR_FILENO);
    return r;
}

static enum err filter(bool renderer, bool allow_jit, struct err_note *note)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (!ctx)
        return err_set(note, ERR_NOMEM, "seccomp");
    int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0) // threads that were started before have to be behind the wall too
        r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, renderer);
    if (r == 0)
        r = allow(ctx, common_calls, sizeof(common_calls) / sizeof(common_calls[0]));
    if (r == 0)
        r = allow_memory(ctx, allow_jit);
    if (r == 0)
        r = allow_on_fd(ctx, SCMP_SYS(sendmsg), CHANNEL_CHILD_FD);
    if (r == 0)
        r = allow_on_fd(ctx, SCMP_SYS(recvmsg), CHANNEL_CHILD_FD);
    if (r == 0 && renderer)
        r = allow_renderer(ctx);
    if (r == 0)
        r = seccomp_load(ctx);
    seccomp_release(ctx);
    return r == 0 ? ERR_OK : seccomp_error(r, note);
}

#endif

enum err confine_decoder(const struct confine_limits *limits, struct err_note *note)
{
    enum { FILES = 6 }; // 0-4 and the pixels
    const struct limit limit[] = {
        {RLIMIT_CORE, 0, 0},
        {RLIMIT_CPU, (rlim_t)limits->cpu_s, (rlim_t)limits->cpu_s + 1},
#if !SANDBOX_SANITIZED
        {RLIMIT_AS, (rlim_t)limits->memory_bytes, (rlim_t)limits->memory_bytes},
        {RLIMIT_DATA, (rlim_t)limits->memory_bytes, (rlim_t)limits->memory_bytes},
        {RLIMIT_NPROC, 0, 0},
#endif
        // No RLIMIT_FSIZE: it counts for memfds as well.
    };
    const struct limit last = {RLIMIT_NOFILE, FILES, FILES};

    enum err e = drop_privileges(note);
    if (e == ERR_OK)
        e = set_limits(limit, sizeof(limit) / sizeof(limit[0]), note);
    if (e == ERR_OK)
        e = deny_files(note);
    if (e == ERR_OK && !SANDBOX_SANITIZED)
        e = set_limits(&last, 1, note);
    if (e == ERR_OK)
        e = filter(false, false, note);
    return e;
}

enum err confine_renderer(bool allow_jit, struct err_note *note)
{
    const struct limit limit = {RLIMIT_CORE, 0, 0};

    enum err e = drop_privileges(note);
    if (e == ERR_OK)
        e = set_limits(&limit, 1, note);
    if (e == ERR_OK)
        e = deny_files(note);
    if (e == ERR_OK)
        e = filter(true, allow_jit, note);
    return e;
}
