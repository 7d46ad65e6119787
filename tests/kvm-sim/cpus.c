// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's CPUs, which may be of several kinds: what /sys and sched_getaffinity(2) say
 * of them, and on which one a call runs.
 *
 * KVM_SIM_CPUS  words: the CPUs that the program may run on, as taskset has them (else
 *               all); CALL@N=CPU: the program is on that CPU from the Nth CALL on. If it
 *               may not be there, somebody has changed that: it may be nowhere else then
 *
 * All threads are on the same CPU, at first the first one.
 */
#include "sim.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static cpu_set_t allowed;
static int on;
static struct { char *call; unsigned at, count, cpu; } moves[8];
static size_t n_moves;

static const struct profile_cpus *kind_of(int cpu)
{
    for (size_t i = 0; i < profile.n_cpus; i++) {
        if (cpu >= profile.cpus[i].first && cpu <= profile.cpus[i].last) {
            return &profile.cpus[i];
        }
    }
    return NULL;
}

const struct profile_cpus *cpus_here(void)
{
    return kind_of(on);
}

void cpus_before(const char *call)
{
    for (size_t i = 0; i < n_moves; i++) {
        if (strcmp(moves[i].call, call) || ++moves[i].count != moves[i].at) {
            continue;
        }
        on = moves[i].cpu;
        if (!CPU_ISSET(on, &allowed)) {
            CPU_ZERO(&allowed);
            CPU_SET(on, &allowed);
        }
        note("on CPU %d", on);
    }
}

static void bad(const char *word)
{
    config_error("KVM_SIM_CPUS: '%s' is no CALL@N=CPU and no list of CPUs that the profile has; "
                 "tests/kvm-sim/cpus.c says at its top what there is", word);
}

static void parse_list(const char *word)
{
    unsigned first, last;
    int n;

    for (const char *p = word; ; p += n + 1) {
        if (sscanf(p, "%u%n", &first, &n) != 1) {
            bad(word);
        }
        last = first;
        p += n;
        n = 0;
        if (*p == '-' && sscanf(p, "-%u%n", &last, &n) != 1) {
            bad(word);
        }
        for (unsigned i = first; i <= last; i++) {
            if (!kind_of(i)) {
                bad(word);
            }
            CPU_SET(i, &allowed);
        }
        if (!p[n]) {
            return;
        } else if (p[n] != ',') {
            bad(word);
        }
    }
}

static void parse_move(char *word, char *at)
{
    char *whole = strdup(word);
    int end = 0;

    *at++ = 0;
    moves[n_moves].call = word;
    if (n_moves == ARRAY_SIZE(moves) - 1 ||
        sscanf(at, "%u=%u%n", &moves[n_moves].at, &moves[n_moves].cpu, &end) != 2 ||
        at[end] || !kind_of(moves[n_moves].cpu)) {
        bad(whole);
    }
    n_moves++;
    free(whole);
}

void cpus_load(void)
{
    char *text = strdup(getenv("KVM_SIM_CPUS") ?: ""), *save, *at;

    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        at = strchr(word, '@');
        if (at) {
            parse_move(word, at);
        } else {
            parse_list(word);
        }
    }
    for (int i = 0; !CPU_COUNT(&allowed) && i < CPU_SETSIZE; i++) {
        for (int n = i; n < CPU_SETSIZE; n++) {
            if (kind_of(n)) {
                CPU_SET(n, &allowed);
            }
        }
    }
    while (profile.n_cpus && !CPU_ISSET(on, &allowed)) {
        on++;
    }
}

bool cpus_affinity(size_t size, cpu_set_t *set)
{
    if (!profile.n_cpus) {
        return false;
    }
    memset(set, 0, size);
    memcpy(set, &allowed, size < sizeof(allowed) ? size : sizeof(allowed));
    return true;
}

/* cpuinfo_regs_init() of arch/arm64/kernel/cpuinfo.c. A profile without CPUs has no /sys */
int cpus_open(const char *path)
{
    const struct profile_cpus *kind;
    char name[16], text[32];
    int cpu, fd, n;

    if (sscanf(path, "/sys/devices/system/cpu/cpu%d/regs/identification/%15s", &cpu, name) != 2) {
        return -2;
    }
    kind = profile.no_sys ? NULL : kind_of(cpu);
    if (!kind || (strcmp(name, "midr_el1") && strcmp(name, "revidr_el1"))) {
        errno = ENOENT;
        return -1;
    }
    n = snprintf(text, sizeof(text), "0x%016llx\n",
                 (unsigned long long)(*name == 'm' ? kind->midr : kind->revidr));
    fd = syscall(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */);
    if (fd >= 0 && pwrite(fd, text, n, 0) != n) {
        syscall(SYS_close, fd);
        return -1;
    }
    return fd;
}
