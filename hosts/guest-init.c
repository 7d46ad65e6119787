// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole user space of the guests that the emulated hosts run: prints one
 * line that says which kernel runs on which machine and CPU, and whether a
 * hypervisor shows itself, then switches the machine off.
 *
 * The kernel argument guest=stay makes it stay instead, with a line every
 * second, for tests that look at a running guest from outside.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
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
    if (mode && !strcmp(mode, "stay")) {
        for (unsigned int i = 1; ; i++) {
            sleep(1);
            printf("guest: tick %u uptime=%.2f\n", i, uptime());
            fflush(stdout);
        }
    }
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}
