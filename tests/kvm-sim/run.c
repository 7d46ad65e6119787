// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM_RUN: a guest that does nothing until a signal comes, or what a script
 * says. KVM_SIM_SCRIPT names a file with a step on each line, for vCPU 0 or
 * the one of the last "vcpu" line:
 *
 *   vcpu N                     the following lines are that vCPU's
 *   mmio read|write ADDR LEN [VALUE]    an exit; the next entry completes it,
 *                              and before that the state is nobody's to ask for
 *   event TYPE                 KVM_EXIT_SYSTEM_EVENT: 1 off, 2 reset, 3 crash
 *   exit REASON                an exit with that number and nothing else
 *   hypercall NR               an SMCCC call: an exit if the filter forwards it (arm64)
 *   sleep                      until a signal comes
 *   until FILE                 the same, until that file is there
 *   touch FILE                 makes that file: tells a test how far we are
 *   state FILE                 writes what KVM knows of the VM, once all its vCPUs run
 *   scribble SEED              the guest changes all that it can, on all vCPUs: registers,
 *                              TLB entries, interrupt controllers, with what SEED makes
 *                              of their numbers; vCPUs that are off are turned on
 *   set NAME VALUE             the guest writes a register
 *   write ADDR VALUE           the guest writes a word of its RAM, and the log has it
 *   expect NAME VALUE          the contract is broken if it has another value
 *   tlbwe ENTRY MAS1 MAS2 MAS7_3        the guest writes a TLB entry (powerpc)
 *   expect-tlb ENTRY MAS1 MAS2 MAS7_3   (powerpc)
 *
 * Registers: an id or S3_0_C0_C0_0 (arm64); fields of struct kvm_regs and
 * kvm_sregs by name (powerpc). When a script is over the guest sleeps, and so it
 * does at a branch to itself (powerpc), where a program can have it wait.
 */
#include "sim.h"
#include "../lib/faults.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct step {
    int vcpu, line, argc;
    char *argv[8];
} *steps;
static size_t n_steps;

static void __attribute__((noreturn)) bad_step(int line, const char *what)
{
    config_error("%s:%d: %s; tests/kvm-sim/run.c says at its top what steps there are",
                 getenv("KVM_SIM_SCRIPT"), line, what);
}

/* What is not a step would be found only when the guest comes to it, or never. */
static void check_step(const struct step *s)
{
    static const struct {
        const char *name;
        int least, most;
    } known[] = {
        { "mmio", 4, 5 }, { "event", 2, 2 }, { "exit", 2, 2 }, { "hypercall", 2, 2 },
        { "sleep", 1, 1 },
        { "until", 2, 2 }, { "touch", 2, 2 }, { "state", 2, 2 },
        { "scribble", 2, 2 }, { "set", 3, 3 }, { "write", 3, 3 }, { "expect", 3, 3 },
        { "tlbwe", 5, 5 }, { "expect-tlb", 5, 5 }, { "vcpu", 2, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (!strcmp(s->argv[0], known[i].name)) {
            if (s->argc < known[i].least || s->argc > known[i].most) {
                bad_step(s->line, "too few words or too many");
            }
            return;
        }
    }
    bad_step(s->line, "no such step");
}

static uint64_t argument(const struct step *s, int n)
{
    uint64_t value;

    if (n >= s->argc || !parse_number(s->argv[n], &value)) {
        bad_step(s->line, "a number is wanted");
    }
    return value;
}

void script_load(void)
{
    const char *path = getenv("KVM_SIM_SCRIPT");
    FILE *f = path ? fopen(path, "re") : NULL;
    char text[512], *save;
    int vcpu = 0, line = 0;

    if (path && !f) {
        config_error("KVM_SIM_SCRIPT: %s: %s; name a file that is there, or none", path,
                     strerror(errno));
    }
    while (f && fgets(text, sizeof(text), f)) {
        struct step s = { .vcpu = vcpu, .line = ++line };
        char *comment = strchr(text, '#');

        if (comment) {
            *comment = 0;
        }
        for (char *w = strtok_r(text, " \t\n", &save);
             w && s.argc < (int)ARRAY_SIZE(s.argv);
             w = strtok_r(NULL, " \t\n", &save)) {
            s.argv[s.argc++] = strdup(w);
        }
        if (!s.argc) {
            continue;
        }
        check_step(&s);
        if (!strcmp(s.argv[0], "vcpu")) {
            vcpu = argument(&s, 1);
            continue;
        }
        steps = realloc(steps, (n_steps + 1) * sizeof(*steps));
        steps[n_steps++] = s;
    }
    if (f) {
        fclose(f);
    }
}

static struct step *next_step(struct vcpu *vcpu)
{
    while (vcpu->step < n_steps && steps[vcpu->step].vcpu != vcpu->id) {
        vcpu->step++;
    }
    return vcpu->step < n_steps ? &steps[vcpu->step] : NULL;
}

/*
 * Whether a signal is pending that KVM_SET_SIGNAL_MASK lets through. It stays
 * pending, and is not handled, as the mask holds inside KVM_RUN only.
 */
static bool signal_pending(struct vcpu *vcpu)
{
    sigset_t pending, mask;

    if (!vcpu->has_mask) {
        return false;
    }
    sigemptyset(&mask);
    memcpy(&mask, &vcpu->sigmask, sizeof(vcpu->sigmask));
    sigpending(&pending);
    for (int i = 1; i < 64; i++) {
        if (sigismember(&pending, i) == 1 && sigismember(&mask, i) == 0) {
            return true;
        }
    }
    return false;
}

static bool others_run(struct vcpu *vcpu)
{
    for (int i = 0; i < MAX_VCPUS; i++) {
        struct vcpu *other = vcpu->o.vm->vcpus[i];

        if (other && other != vcpu && !other->running) {
            return false;
        }
    }
    return true;
}

/*
 * Until a signal comes, or immediate_exit, or, if @others, all other vCPUs run:
 * true. In slices, as those have no event.
 */
static bool sleep_in_guest(struct vcpu *vcpu, bool others)
{
    bool done;

    vcpu->running = true;
    sim_unlock();
    while (!(done = others && others_run(vcpu)) && !signal_pending(vcpu) &&
           !__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_SEQ_CST)) {
        struct timespec slice = { .tv_nsec = 20000000 };

        if (ppoll(NULL, 0, &slice, NULL) < 0) {
            break;
        }
    }
    sim_lock();
    vcpu->running = false;
    return done;
}

/* A line for each part: its name, and its value. Who compares two goes by the names. */
static void write_state(struct vm *vm, const char *path)
{
    char new[512];
    FILE *f;

    snprintf(new, sizeof(new), "%s.new", path);
    f = fopen(new, "we");
    if (!f) {
        config_error("KVM_SIM_SCRIPT: %s: %s; name a file that can be written", new,
                     strerror(errno));
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        struct vcpu *v = vm->vcpus[i];

        if (v) {
            fprintf(f, "vcpu%d:mp_state %u\n", i, v->mp_state.mp_state);
            fprintf(f, "vcpu%d:debug 0x%x\n", i, v->debug.control);
            arch_state(v, f);
        }
    }
    for (size_t i = 0; i < vm->n_devices; i++) {
        device_state(vm->devices[i], f);
    }
    for (int i = 0; i < MAX_SLOTS; i++) {
        const struct slot *s = &vm->slots[i];

        if (s->used) {
            fprintf(f, "memory:0x%llx 0x%llx,%u\n", (unsigned long long)s->gpa,
                    (unsigned long long)s->size, s->flags);
        }
    }
    fprintf(f, "gsi:routes %u\n", vm->gsi_routes);
    if (fclose(f) || rename(new, path)) {
        config_error("KVM_SIM_SCRIPT: %s: %s; name a file that can be written", path,
                     strerror(errno));
    }
}

uint64_t scribbled(uint64_t seed, uint64_t what, int cpu)
{
    uint64_t x = (seed << 8 | cpu) * 0x9e3779b97f4a7c15 ^ what * 0xd1342543de82ef95;

    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9;
    return x ^ x >> 32;
}

static void scribble(struct vm *vm, uint64_t seed)
{
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i]) {
            arch_scribble(vm->vcpus[i], seed);
        }
    }
    for (size_t i = 0; i < vm->n_devices; i++) {
        arch_scribble_device(vm->devices[i], seed);
    }
}

static bool exists(const char *path)
{
    return !syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
}

/* Exits in the middle of an instruction, which the next entry completes */
static bool incomplete(uint32_t reason)
{
    return reason == KVM_EXIT_MMIO || reason == KVM_EXIT_IO || reason == KVM_EXIT_OSI ||
           reason == KVM_EXIT_PAPR_HCALL || reason == KVM_EXIT_EPR;
}

/* One step: true when KVM_RUN returns with 0 or *@ret */
static bool play(struct vcpu *vcpu, struct step *s, int *ret)
{
    const char *what = s->argv[0];
    struct kvm_run *run = vcpu->run;

    *ret = 0;
    if (!strcmp(what, "mmio")) {
        bool write = !strcmp(s->argv[1], "write");
        uint64_t value = write ? argument(s, 4) : 0;

        run->exit_reason = KVM_EXIT_MMIO;
        run->mmio.phys_addr = argument(s, 2);
        run->mmio.len = argument(s, 3);
        run->mmio.is_write = write;
        for (unsigned i = 0; i < run->mmio.len && i < 8; i++) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            run->mmio.data[run->mmio.len - 1 - i] = value >> 8 * i;
#else
            run->mmio.data[i] = value >> 8 * i;
#endif
        }
    } else if (!strcmp(what, "event")) {
        run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
        run->system_event.type = argument(s, 1);
        run->system_event.ndata = 0;
    } else if (!strcmp(what, "exit")) {
        run->exit_reason = argument(s, 1);
    } else if (!strcmp(what, "hypercall")) {
        if (!arch_hypercall(vcpu, argument(s, 1))) {
            vcpu->step++;
            return false;
        }
    } else if (!strcmp(what, "sleep")) {
        vcpu->step++;
        sleep_in_guest(vcpu, false);
        *ret = -EINTR;
        return true;
    } else if (!strcmp(what, "until")) {
        if (!exists(s->argv[1])) {
            sleep_in_guest(vcpu, false);
            *ret = -EINTR;
            return true;
        }
        vcpu->step++;
        return false;
    } else if (!strcmp(what, "state") || !strcmp(what, "scribble")) {
        /* interrupted while it waits: the next KVM_RUN comes to the same step */
        if (!sleep_in_guest(vcpu, true)) {
            *ret = -EINTR;
            return true;
        }
        if (!strcmp(what, "state")) {
            write_state(vcpu->o.vm, s->argv[1]);
        } else {
            scribble(vcpu->o.vm, argument(s, 1));
        }
        vcpu->step++;
        return false;
    } else if (!strcmp(what, "write")) {
        if (!write_ram(vcpu->o.vm, argument(s, 1), argument(s, 2))) {
            bad_step(s->line, "the guest has no RAM there");
        }
        vcpu->step++;
        return false;
    } else if (!strcmp(what, "touch")) {
        int fd = syscall(SYS_openat, AT_FDCWD, s->argv[1],
                         O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

        if (fd >= 0) {
            syscall(SYS_close, fd);
        }
        note("script touch %s", s->argv[1]);
        vcpu->step++;
        return false;
    } else {
        if (arch_step(vcpu, s->argc, s->argv)) {
            bad_step(s->line, "no such register, entry or value");
        }
        vcpu->step++;
        return false;
    }
    vcpu->step++;
    return true;
}

/*
 * A VM whose question was answered, and that nobody closed, beside one that
 * runs: only an accelerator that was passed over leaves one.
 */
static void check_leaks(struct vm *running)
{
    for (struct vm *vm = vms; vm; vm = vm->next) {
        if (vm != running && !vm->ran) {
            violation(RULE_DESCRIPTOR_LEAK, "%s is still there, and %s runs",
                      vm->o.name, running->o.name);
        }
    }
}

int vcpu_run(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct step *s;
    int ret;

    if (c->arg) {
        return -EINVAL;
    }
    ret = arch_run_enter(vcpu);
    if (ret) {
        return ret;
    }
    if (!vcpu->o.vm->ran) {
        vcpu->o.vm->ran = true;
        check_leaks(vcpu->o.vm);
    }
    vcpu->ran = true;
    vcpu->run->exit_reason = KVM_EXIT_INTR;
    ret = -EINTR;
    if (!vcpu->run->immediate_exit) {
        for (;;) {
            s = vcpu->mp_state.mp_state == KVM_MP_STATE_RUNNABLE &&
                !arch_loops(vcpu) ? next_step(vcpu) : NULL;
            if (!s) {
                sleep_in_guest(vcpu, false);
                ret = -EINTR;
                break;
            }
            if (play(vcpu, s, &ret)) {
                break;
            }
        }
    }
    vcpu->incomplete = incomplete(vcpu->run->exit_reason);
    arch_run_leave(vcpu);
    snprintf(c->extra, sizeof(c->extra), "exit %u", vcpu->run->exit_reason);
    return ret;
}
