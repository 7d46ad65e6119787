// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole user space of the guests that the emulated hosts run: prints one
 * line that says which kernel runs on which machine and CPU, and whether a
 * hypervisor shows itself, then switches the machine off.
 *
 * The kernel argument guest=cpu has it say what its kernel makes of the CPU's
 * errata and vulnerabilities, a line each. guest=stay makes it stay instead, with a line every
 * second, for tests that look at a running guest from outside. guest=count and
 * guest=busy count as well, faster, and watch over themselves: see count().
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static double uptime(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

#if defined(__x86_64__)
static unsigned int cpu_id(void)
{
    unsigned int eax = 0, b, c, d;

    __get_cpuid(1, &eax, &b, &c, &d);
    return eax;
}
#else
/* The number after NAME on its first line of /proc/cpuinfo, or 0. */
static unsigned int cpuinfo(const char *name, const char *format)
{
    unsigned int value = 0, low = 0;
    char line[256], *p;
    FILE *f = fopen("/proc/cpuinfo", "r");

    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, name, strlen(name)) || !(p = strchr(line, ':'))) {
            continue;
        }
        if (sscanf(p, format, &value, &low) == 2) {
            value = value << 16 | low;
        }
        break;
    }
    if (f) {
        fclose(f);
    }
    return value;
}

static unsigned int cpu_id(void)
{
#if defined(__powerpc__)
    return cpuinfo("revision", ": %*s (pvr %x %x)");    /* PVR */
#else
    return cpuinfo("CPU implementer", ": %i") << 24 |   /* MIDR */
           cpuinfo("CPU variant", ": %i") << 20 | 0xf << 16 |
           cpuinfo("CPU part", ": %i") << 4 |
           cpuinfo("CPU revision", ": %i");
#endif
}
#endif

/* What the guest can tell: "kvm", another hypervisor's name, or "none". */
static const char *accelerator(void)
{
    static char text[256 * 1024];
#if defined(__x86_64__)
    unsigned int *name = (unsigned int *)text, eax;

    __cpuid(0x40000000, eax, name[0], name[1], name[2]);
    if (!strncmp(text, "KVMKVMKVM", 9)) {
        return "kvm";
    }
    return text[0] ? text : "none";
#elif defined(__powerpc__)
    int fd = open("/proc/device-tree/hypervisor/compatible", O_RDONLY);

    return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
           !strcmp(text, "linux,kvm") ? "kvm" : "none";
#else
    /* KVM answers the vendor hypervisor calls of SMCCC; TCG does not. */
    return klogctl(3 /* read all */, text, sizeof(text) - 1) > 0 &&
           strstr(text, "KVM: hypervisor services detected") ? "kvm" : "none";
#endif
}

/*
 * Memory that a test can find from outside: at HEAD two words, MAGIC and the
 * number of the last tick; behind it the pages that count() looks after. Its
 * partner has pages of its own at the same addresses.
 */
#define HEAD     ((volatile uint32_t *)0x30000000)
#define MAGIC    0x47554553u
#define PATTERN  ((uint32_t *)0x30001000)
#define WORDS    1024u          /* in a page */
#define PAGES    2048u          /* 8 MiB */
#define CHUNK    256u           /* pages that a tick goes through */
#define PARTNERS 16u            /* pages that the partner has */
#define TICK     250000000      /* nanoseconds */

static char bad[256];           /* what is wrong, since the last tick */

static void __attribute__((format(printf, 1, 2))) found(const char *fmt, ...)
{
    va_list ap;

    if (!bad[0]) {              /* the first says most */
        va_start(ap, fmt);
        vsnprintf(bad, sizeof(bad), fmt, ap);
        va_end(ap);
    }
}

/* The first word of a page that was written at that tick. */
static uint32_t seed(uint32_t page, uint32_t tick)
{
    uint32_t x = page * 2654435761u ^ tick * 2246822519u ^ 0x5bd1e995;

    return (x ^ x >> 15) * 3266489917u;
}

static void fill(uint32_t page, uint32_t tick)
{
    uint32_t *p = PATTERN + page * WORDS, x = seed(page, tick);

    for (unsigned int i = 0; i < WORDS; i++, x += 0x9e3779b9) {
        p[i] = x;
    }
}

/* Whether that page is as it was written at that tick. */
static bool check(uint32_t page, uint32_t tick)
{
    volatile uint32_t *p = PATTERN + page * WORDS;
    uint32_t x = seed(page, tick);

    for (unsigned int i = 0; i < WORDS; i++, x += 0x9e3779b9) {
        if (p[i] != x) {
            found("memory at %p is 0x%08x, and 0x%08x of tick %u was written",
                  &p[i], p[i], x, tick);
            return false;
        }
    }
    return true;
}

static void map(size_t pages)
{
    void *p = mmap((void *)HEAD, (1 + pages) * WORDS * 4, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (p == MAP_FAILED) {
        err(1, "mmap");
    }
}

/*
 * The other process: checks and writes its own pages whenever it is told a
 * number, and gives it back, or 0. With two processes the kernel switches
 * address spaces all the time, which have the same addresses.
 */
static void __attribute__((noreturn)) partner(int from, int to)
{
    uint32_t tick, last = 0x10000000;

    map(PARTNERS);
    for (unsigned int i = 0; i < PARTNERS; i++) {
        fill(i, last);
    }
    while (read(from, &tick, sizeof(tick)) == sizeof(tick)) {
        uint32_t answer = tick;

        for (unsigned int i = 0; i < PARTNERS; i++) {
            if (!check(i, last)) {
                answer = 0;
            }
            fill(i, tick | 0x10000000);
        }
        last = tick | 0x10000000;
        if (write(to, &answer, sizeof(answer)) != sizeof(answer)) {
            break;
        }
    }
    _exit(1);
}

/* The page cache: the file has the number of the last tick. */
static void check_file(uint32_t tick)
{
    char was[16] = "", text[16], now[16];
    int fd = open("/tick", O_RDWR | O_CREAT, 0600);

    snprintf(text, sizeof(text), "tick %u", tick - 1);
    snprintf(now, sizeof(now), "tick %u", tick);
    if (fd < 0 || (tick > 1 && read(fd, was, sizeof(was) - 1) <= 0)) {
        found("cannot open or read a file");
    } else if (tick > 1 && strcmp(was, text)) {
        found("a file has '%s', and '%s' was written", was, text);
    }
    if (fd >= 0 && (ftruncate(fd, 0) ||
                    pwrite(fd, now, strlen(now), 0) != (ssize_t)strlen(now))) {
        found("cannot write a file");
    }
    close(fd);
}

/* In nanoseconds: an e500v2 has no FPU, and emulates each use of it. */
static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t check_clock(void)
{
    static int64_t last;
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now < last) {
        found("the clock went %" PRId64 " ns back", last - now);
    }
    last = now;
    return now;
}

/* A clock that only the timer's interrupt moves must not stay behind. */
static void check_timer(void)
{
    int64_t begin = check_clock(), behind;

    do {
        behind = clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_MONOTONIC_COARSE);
    } while (behind > 2 * TICK && check_clock() < begin + 8 * TICK);
    if (behind > 2 * TICK) {
        found("no timer interrupt for %d ms", (int)(behind / 1000000));
    }
}

/* Computes what needs many registers, and makes system calls. */
static void work(void)
{
    static uint32_t first;
    uint32_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;

    for (int i = 0; i < 20000; i++) {
        a += b * 7; b ^= c >> 3; c += d * 5; d ^= e << 1;
        e += f * 3; f ^= g >> 5; g += h * 9; h ^= a << 2;
    }
    a ^= b + c + d + e + f + g + h;
    if (!first) {
        first = a;
    } else if (a != first) {
        found("computed 0x%08x, and 0x%08x the first time", a, first);
    }
    if (HEAD[0] != MAGIC) {
        found("the head has 0x%08x", HEAD[0]);
    }
    for (int i = 0; i < 50; i++) {
        if (syscall(SYS_getpid) != 1) {
            found("getpid does not give 1");
        }
        check_clock();
    }
}

/*
 * Prints a line every quarter of a second that says "ok", or "BAD" and what
 * is: memory that is not as it was written, a clock that goes back, a sleep
 * that is too short, a timer without interrupts. Sleeps in between, or, when
 * @busy, computes and makes system calls. In eight ticks it has been through
 * all of its memory; which tick a page was last written at follows from the
 * number alone.
 */
static void __attribute__((noreturn)) count(bool busy)
{
    int to[2], from[2];

    if (pipe(to) || pipe(from)) {
        err(1, "pipe");
    }
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        partner(to[0], from[1]);
    }
    map(PAGES);
    HEAD[0] = MAGIC;
    for (unsigned int i = 0; i < PAGES; i++) {
        fill(i, 0);
    }
    for (uint32_t tick = 1; ; tick++) {
        int64_t begin = check_clock(), now = begin;
        uint32_t page = (tick - 1) * CHUNK % PAGES, answer = 0;

        if (busy) {
            while ((now = check_clock()) < begin + TICK) {
                work();
            }
            check_timer();
        } else {
            struct timespec t = { .tv_nsec = TICK };

            if (nanosleep(&t, NULL)) {
                found("cannot sleep");
            }
            now = check_clock();
            if (now < begin + TICK) {
                found("slept only %d ms", (int)((now - begin) / 1000000));
            }
        }
        for (unsigned int i = page; i < page + CHUNK; i++) {
            check(i, tick > PAGES / CHUNK ? tick - PAGES / CHUNK : 0);
            fill(i, tick);
        }
        if (write(to[1], &tick, sizeof(tick)) != sizeof(tick) ||
            read(from[0], &answer, sizeof(answer)) != sizeof(answer)) {
            found("the other process does not answer");
        } else if (answer != tick) {
            found("the other process has %s", answer ? "another number" : "wrong memory");
        }
        check_file(tick);
        if (HEAD[0] != MAGIC || HEAD[1] != tick - 1) {
            found("the head has 0x%08x and tick %u", HEAD[0], HEAD[1]);
        }
        HEAD[1] = tick;
        begin = (now - begin) / 1000000;
        now = check_clock() / 1000000;
        printf("guest: %stick %u uptime=%d.%03d %s=%d.%03d %s\n", bad[0] ? "BAD " : "",
               tick, (int)(now / 1000), (int)(now % 1000), busy ? "worked" : "slept",
               (int)(begin / 1000), (int)(begin % 1000), bad[0] ? bad : "ok");
        fflush(stdout);
        bad[0] = 0;
    }
}

/* "guest: detected: " and an erratum, "guest: NAME: " and its vulnerability */
static void show_cpu(void)
{
    static const char before[] = "CPU features: detected: ";
    static const char folder[] = "/sys/devices/system/cpu/vulnerabilities";
    static char text[256 * 1024];
    struct dirent *e;
    DIR *d = opendir(folder);
    char *save, path[512];

    if (klogctl(3 /* read all */, text, sizeof(text) - 1) < 0) {
        err(1, "klogctl");
    }
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *what = strstr(line, before);

        if (what) {
            printf("guest: detected: %s\n", what + strlen(before));
        }
    }
    while (d && (e = readdir(d))) {
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (f && fgets(path, sizeof(path), f)) {
            printf("guest: %s: %s", e->d_name, path);
        }
        if (f) {
            fclose(f);
        }
    }
    if (d) {
        closedir(d);
    }
    fflush(stdout);
}

int main(void)
{
    const char *mode = getenv("guest");
    struct utsname u;

    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);   /* has the device tree */
    uname(&u);
    printf("guest: up kernel=%s machine=%s cpus=%ld cpu=0x%08x accel=%s "
           "uptime=%.2f\n", u.release, u.machine,
           sysconf(_SC_NPROCESSORS_CONF), cpu_id(), accelerator(), uptime());
    fflush(stdout);
    if (mode && !strcmp(mode, "cpu")) {
        show_cpu();
    }
    if (mode && !strcmp(mode, "stay")) {
        for (unsigned int i = 1; ; i++) {
            sleep(1);
            printf("guest: tick %u uptime=%.2f\n", i, uptime());
            fflush(stdout);
        }
    }
    if (mode && (!strcmp(mode, "count") || !strcmp(mode, "busy"))) {
        count(!strcmp(mode, "busy"));
    }
    tcdrain(STDOUT_FILENO);     /* the power goes before the console's buffer has */
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}
