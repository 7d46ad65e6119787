// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads a profile: what a host and its kernel are like. Lines of words; "#" and
 * what follows is a comment. Later lines win, so that a profile can include
 * another one and change it.
 *
 *   include FILE             beside this one
 *   arch arm64|powerpc       name TEXT...      kernel RELEASE
 *   mmap SIZE                KVM_GET_VCPU_MMAP_SIZE
 *   cap NUMBER VALUE         KVM_CHECK_EXTENSION, on /dev/kvm and on VMs
 *   vmcap NUMBER VALUE       on VMs, where it differs
 *   device TYPE | nodevice TYPE         KVM_CREATE_DEVICE
 *   attr GROUP ATTR VALUE    of a device, or of a register of its, after its creation
 * arm64:
 *   preferred TARGET | nopreferred      KVM_ARM_PREFERRED_TARGET
 *   targets N...             KVM_ARM_VCPU_INIT accepts these
 *   features BITS KNOWN      and these feature bits; others are EINVAL, or ENOENT if not KNOWN
 *   only64 BITS              features that exclude EL1_32BIT
 *   masks                    KVM_ARM_GET_REG_WRITABLE_MASKS is there
 *   idmask INDEX MASK        what that gives
 *   reg ID VALUE[,HIGH] [if BITS] [unless BITS] [HOW...]
 *       HOW: rw MASK, same ERRNO, ro ERRNO, keep, wo, fields F0 ... F15 (what each
 *       four bits from bit 0 on accept: bit n for value n), and imp, vcpu, ticks,
 *       hidden
 *   noreg ID [if BITS]       is not there
 *   cpus FIRST LAST MIDR REVIDR TARGET  the host has these CPUs, of a kind of their own
 *   cpureg ID VALUE          of the kind of the line before: what KVM_GET_ONE_REG has there
 *   nosys                    /sys is not mounted
 * powerpc:
 *   pvr VALUE
 *   cpuinfo KEY TEXT...      a line of /proc/cpuinfo; there is the file then
 *   nocpuinfo                takes back all lines so far
 *   sreg NAME VALUE          after KVM_CREATE_VCPU: a field of powerpc.c's table
 *   reg ID VALUE HOW...      KVM_GET_ONE_REG
 */
#include "sim.h"
#include "../lib/faults.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct profile profile = { .preferred = -1, .mmap_size = 0x3000 };

static const char *current_file;
static int current_line;

static void __attribute__((noreturn)) bad(const char *what)
{
    config_error("%s:%d: %s; tests/kvm-sim/profile.c says at its top what lines there are",
                 current_file, current_line, what);
}

/* The line's words */
static int words;
static char *word[64];
static int next;

static const char *take(void)
{
    if (next >= words) {
        bad("a word is missing");
    }
    return word[next++];
}

static uint64_t number(void)
{
    uint64_t n;

    if (!parse_reg_id(take(), &n)) {
        bad("a number is wanted");
    }
    return n;
}

static bool maybe(const char *what)
{
    if (next < words && !strcmp(word[next], what)) {
        next++;
        return true;
    }
    return false;
}

static int errno_word(void)
{
    int error = error_by_name(take());

    if (!error) {
        bad("an errno's name is wanted");
    }
    return error;
}

static struct profile_reg *new_reg(void)
{
    struct profile_reg *r;

    profile.regs = realloc(profile.regs,
                           (profile.n_regs + 1) * sizeof(*profile.regs));
    r = &profile.regs[profile.n_regs++];
    memset(r, 0, sizeof(*r));
    r->id = number();
    return r;
}

static void condition(struct profile_reg *r)
{
    if (maybe("if")) {
        r->features = number();
    }
    if (maybe("unless")) {
        r->without = number();
    }
}

static void reg_line(void)
{
    struct profile_reg *r = new_reg();
    char *value = (char *)take(), *high = strchr(value, ',');

    if (high) {
        *high++ = 0;
        if (!parse_number(high, &r->value[1])) {
            bad("a number is wanted");
        }
    }
    if (!parse_number(value, &r->value[0])) {
        bad("a number is wanted");
    }
    r->mask = UINT64_MAX;
    condition(r);
    while (next < words) {
        if (maybe("rw")) {
            r->how = HOW_RW;
            r->mask = number();
        } else if (maybe("same")) {
            r->how = HOW_SAME;
            r->error = errno_word();
        } else if (maybe("ro")) {
            r->how = HOW_RO;
            r->error = errno_word();
        } else if (maybe("wo")) {
            r->how = HOW_WO;
            r->error = errno_word();
        } else if (maybe("keep")) {
            r->how = HOW_KEEP;
        } else if (maybe("fields")) {
            r->how = HOW_FIELDS;
            r->error = EINVAL;
            for (int i = 0; i < 16; i++) {
                r->fields[i] = number();
            }
        } else if (maybe("imp")) {
            r->imp = true;
        } else if (maybe("vcpu")) {
            r->vcpu_id = true;
        } else if (maybe("ticks")) {
            r->ticks = true;
        } else if (maybe("hidden")) {
            r->hidden = true;
        } else {
            bad("no such word for a register");
        }
    }
}

static void device_line(bool there)
{
    uint32_t type = number();
    size_t i;

    for (i = 0; i < profile.n_devices; i++) {
        if (profile.devices[i].type == type) {
            break;
        }
    }
    if (!there && i < profile.n_devices) {
        profile.devices[i] = profile.devices[--profile.n_devices];
    } else if (there && i == profile.n_devices) {
        if (i == MAX_DEVICES) {
            bad("too many devices");
        }
        profile.devices[profile.n_devices++].type = type;
    }
}

static void sreg_line(void)
{
    const char *name = take();
    size_t i;

    for (i = 0; i < profile.n_sregs; i++) {
        if (!strcmp(profile.sregs[i].name, name)) {
            break;
        }
    }
    if (i == ARRAY_SIZE(profile.sregs)) {
        bad("too many sregs");
    }
    if (i == profile.n_sregs) {
        profile.n_sregs++;
        snprintf(profile.sregs[i].name, sizeof(profile.sregs[i].name), "%s",
                 name);
    }
    profile.sregs[i].value = number();
}

static void cpus_line(void)
{
    struct profile_cpus *c = &profile.cpus[profile.n_cpus];

    if (profile.n_cpus++ == ARRAY_SIZE(profile.cpus)) {
        bad("too many kinds of CPUs");
    }
    c->first = number();
    c->last = number();
    c->midr = number();
    c->revidr = number();
    c->target = number();
}

static void cpureg_line(void)
{
    struct profile_cpus *c = &profile.cpus[profile.n_cpus - 1];

    if (!profile.n_cpus || c->n_regs == ARRAY_SIZE(c->regs)) {
        bad("no 'cpus' before, or too many registers");
    }
    c->regs[c->n_regs].id = number();
    c->regs[c->n_regs++].value = number();
}

static uint64_t below(uint64_t n, uint64_t limit)
{
    if (n >= limit) {
        bad("the number is too large");
    }
    return n;
}

static void load(const char *path);

static void line(const char *path)
{
    const char *what = take();
    char *slash, other[512];

    if (!strcmp(what, "include")) {
        snprintf(other, sizeof(other), "%s", path);
        slash = strrchr(other, '/');
        snprintf(slash ? slash + 1 : other,
                 sizeof(other) - (slash ? slash + 1 - other : 0), "%s", take());
        load(other);
    } else if (!strcmp(what, "arch")) {
        snprintf(profile.arch, sizeof(profile.arch), "%s", take());
    } else if (!strcmp(what, "name")) {
        snprintf(profile.name, sizeof(profile.name), "%s", take());
        next = words;
    } else if (!strcmp(what, "kernel")) {
        unsigned major = 0, minor = 0;

        sscanf(take(), "%u.%u", &major, &minor);
        profile.kernel = 100 * major + minor;
    } else if (!strcmp(what, "mmap")) {
        profile.mmap_size = number();
    } else if (!strcmp(what, "cap")) {
        uint64_t n = below(number(), ARRAY_SIZE(profile.caps));
        profile.caps[n] = number();
        profile.has_vmcap[n] = false;
    } else if (!strcmp(what, "vmcap")) {
        uint64_t n = below(number(), ARRAY_SIZE(profile.caps));
        profile.vmcaps[n] = number();
        profile.has_vmcap[n] = true;
    } else if (!strcmp(what, "device")) {
        device_line(true);
    } else if (!strcmp(what, "nodevice")) {
        device_line(false);
    } else if (!strcmp(what, "attr")) {
        profile.attrs = realloc(profile.attrs, (profile.n_attrs + 1) *
                                sizeof(*profile.attrs));
        profile.attrs[profile.n_attrs].group = number();
        profile.attrs[profile.n_attrs].attr = number();
        profile.attrs[profile.n_attrs++].value = number();
    } else if (!strcmp(what, "preferred")) {
        profile.preferred = number();
    } else if (!strcmp(what, "nopreferred")) {
        profile.preferred = -1;
    } else if (!strcmp(what, "targets")) {
        profile.targets = 0;
        while (next < words) {
            profile.targets |= 1u << below(number(), 32);
        }
    } else if (!strcmp(what, "features")) {
        profile.features = number();
        profile.known_features = number();
    } else if (!strcmp(what, "only64")) {
        profile.only64 = number();
    } else if (!strcmp(what, "masks")) {
        profile.masks = true;
    } else if (!strcmp(what, "nomasks")) {
        profile.masks = false;
    } else if (!strcmp(what, "idmask")) {
        uint64_t n = below(number(), ARRAY_SIZE(profile.id_masks));
        profile.id_masks[n] = number();
    } else if (!strcmp(what, "reg")) {
        reg_line();
    } else if (!strcmp(what, "noreg")) {
        struct profile_reg *r = new_reg();
        r->gone = true;
        condition(r);
    } else if (!strcmp(what, "cpus")) {
        cpus_line();
    } else if (!strcmp(what, "cpureg")) {
        cpureg_line();
    } else if (!strcmp(what, "nosys")) {
        profile.no_sys = true;
    } else if (!strcmp(what, "pvr")) {
        profile.pvr = number();
    } else if (!strcmp(what, "nocpuinfo")) {
        *profile.cpuinfo = 0;
    } else if (!strcmp(what, "cpuinfo")) {
        size_t n = strlen(profile.cpuinfo);

        snprintf(profile.cpuinfo + n, sizeof(profile.cpuinfo) - n, "%s\t: ", take());
        while (next < words) {
            n = strlen(profile.cpuinfo);
            snprintf(profile.cpuinfo + n, sizeof(profile.cpuinfo) - n, "%s%s", take(),
                     next == words ? "\n" : " ");
        }
    } else if (!strcmp(what, "sreg")) {
        sreg_line();
    } else {
        bad("no such word");
    }
    if (next != words) {
        bad("too many words");
    }
}

static void load(const char *path)
{
    const char *outer_file = current_file;
    int outer_line = current_line, outer_words = words, outer_next = next;
    static int depth;
    char text[1024], *comment, *save;
    FILE *f;

    if (++depth > 8) {
        bad("this includes itself");
    }
    f = fopen(path, "re");
    if (!f) {
        config_error("profile %s: %s; those that there are: tests/kvm-sim/profiles/", path,
                     strerror(errno));
    }
    current_file = path;
    current_line = 0;
    while (fgets(text, sizeof(text), f)) {
        current_line++;
        comment = strchr(text, '#');
        if (comment) {
            *comment = 0;
        }
        words = next = 0;
        for (char *w = strtok_r(text, " \t\n", &save); w;
             w = strtok_r(NULL, " \t\n", &save)) {
            if (words == (int)ARRAY_SIZE(word)) {
                bad("too many words");
            }
            word[words++] = w;
        }
        if (words) {
            line(path);
        }
    }
    fclose(f);
    depth--;
    current_file = outer_file;
    current_line = outer_line;
    words = outer_words;
    next = outer_next;
}

void profile_load(void)
{
    const char *path = getenv("KVM_SIM_PROFILE");

    load(path);
    if (strcmp(profile.arch, arch_name)) {
        config_error("profile %s is for %s, and this program for %s; take another profile", path,
                     *profile.arch ? profile.arch : "nothing", arch_name);
    }
}
