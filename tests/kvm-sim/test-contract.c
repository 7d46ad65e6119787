// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tests of the simulated /dev/kvm itself: each rule of the contract has a
 * case that breaks it, in a child whose end has to be that rule's; and what is
 * right passes. Without KVM_SIM_* this program would ask the real /dev/kvm.
 *
 *   test-contract          the cases, "ok" or "not ok" a line; with KVM_SIM_SCRIPT those
 *                          of a guest that leaves with the steps of left_by_mmio()
 *   test-contract rules    the rules that there are
 *   test-contract calls    a fixed list of calls and what came of them: with
 *                          KVM_SIM_FAULT and KVM_SIM_SCRIPT, for tests/sim/sim.sh
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTRACT_STATUS 86
#define PAGE 4096

struct machine {
    int kvm, vm, vcpu;
    struct kvm_run *run;
};

static char memory[16 * PAGE] __attribute__((aligned(PAGE)));
static volatile uintptr_t nowhere = 8;

static int enable(int fd, uint32_t cap, uint32_t flags, uint64_t a0, uint64_t a1)
{
    struct kvm_enable_cap e = { .cap = cap, .flags = flags, .args = { a0, a1 } };

    return ioctl(fd, KVM_ENABLE_CAP, &e);
}

static int slot(int vm, uint32_t id, uint32_t flags, uint64_t gpa, uint64_t size, void *at)
{
    struct kvm_userspace_memory_region m = {
        .slot = id, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
        .userspace_addr = (uintptr_t)at,
    };

    return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m);
}

static struct machine machine(void)
{
    struct machine m;

    m.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    ioctl(m.kvm, KVM_GET_API_VERSION, 0);
    m.vm = ioctl(m.kvm, KVM_CREATE_VM, 0);
    m.vcpu = ioctl(m.vm, KVM_CREATE_VCPU, 0);
    m.run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
    return m;
}

static void on_signal(int number)
{
    (void)number;
}

static void *run_thread(void *vcpu)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    ioctl((intptr_t)vcpu, KVM_RUN, 0);
    return NULL;
}

static void run_elsewhere(int vcpu)
{
    pthread_t thread;

    pthread_create(&thread, NULL, run_thread, (void *)(intptr_t)vcpu);
    usleep(100000);
}

/* --- what both have */

static void unknown_call(void)
{
    ioctl(machine().vm, _IO(KVMIO, 0xff), 0);
}

static void others_call(void)
{
    ioctl(machine().vm, KVM_RUN, 0);
}

static void no_version(void)
{
    ioctl(open("/dev/kvm", O_RDWR), KVM_CREATE_VM, 0);
}

static void bad_pointer(void)
{
    ioctl(machine().vm, KVM_SET_USER_MEMORY_REGION, nowhere);
}

static void bad_slot_memory(void)
{
    slot(machine().vm, 0, 0, 0, PAGE, (void *)(2 * PAGE + nowhere - 8));
}

static void slot_flags(void)
{
    slot(machine().vm, 0, 0x80, 0, PAGE, memory);
}

static void device_flags(void)
{
    struct kvm_create_device d = { .type = 7, .flags = 0x10 };

    ioctl(machine().vm, KVM_CREATE_DEVICE, &d);
}

static void slots_overlap(void)
{
    struct machine m = machine();

    slot(m.vm, 0, 0, 0, 4 * PAGE, memory);
    slot(m.vm, 1, 0, 3 * PAGE, 4 * PAGE, memory);
}

static void slot_unaligned(void)
{
    slot(machine().vm, 0, 0, 0x100, PAGE, memory);
}

static void slot_resized(void)
{
    struct machine m = machine();

    slot(m.vm, 0, 0, 0, 4 * PAGE, memory);
    slot(m.vm, 0, 0, 0, 8 * PAGE, memory);
}

#ifdef __aarch64__

#define PC 0x6030000000100040

static struct kvm_vcpu_init target(struct machine m)
{
    struct kvm_vcpu_init init = { };

    if (ioctl(m.vm, KVM_ARM_PREFERRED_TARGET, &init)) {
        init.target = 2;
    }
    return init;
}

static int vcpu_init(struct machine m, int vcpu, uint32_t features)
{
    struct kvm_vcpu_init init = target(m);

    init.features[0] = features;
    return ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
}

static struct machine ready(void)
{
    struct machine m = machine();

    vcpu_init(m, m.vcpu, 1 << KVM_ARM_VCPU_PSCI_0_2);
    return m;
}

static int one(int vcpu, unsigned long request, uint64_t id, uint64_t *value)
{
    struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

    return ioctl(vcpu, request, &reg);
}

static int attr(int fd, uint32_t group, uint64_t number, void *value)
{
    struct kvm_device_attr a = {
        .group = group, .attr = number, .addr = (uintptr_t)value,
    };

    return ioctl(fd, KVM_SET_DEVICE_ATTR, &a);
}

static int vgic(struct machine m)
{
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };

    ioctl(m.vm, KVM_CREATE_DEVICE, &d);
    return d.fd;
}

static int get_pc(int vcpu, uint64_t *pc)
{
    return one(vcpu, KVM_GET_ONE_REG, PC, pc);
}

static int set_pc(int vcpu, uint64_t pc)
{
    return one(vcpu, KVM_SET_ONE_REG, PC, &pc);
}

static void reg_before_init(void)
{
    uint64_t value;

    get_pc(machine().vcpu, &value);
}

static void run_before_init(void)
{
    ioctl(machine().vcpu, KVM_RUN, 0);
}

static void list_before_finalize(void)
{
    struct machine m = machine();
    uint64_t list[2] = { 1 };

    /* Where there is no SVE this cannot be broken. */
    if (vcpu_init(m, m.vcpu, 1 << KVM_ARM_VCPU_SVE)) {
        _exit(CONTRACT_STATUS + 1);
    }
    ioctl(m.vcpu, KVM_GET_REG_LIST, list);
}

static void cap_after_vcpu(void)
{
    enable(machine().vm, 239, 0, 0, 0);
    _exit(CONTRACT_STATUS + 1);     /* a kernel without it only says EINVAL */
}

static void feature_words(void)
{
    struct machine m = machine();
    struct kvm_vcpu_init init = target(m);

    init.features[3] = 1;
    ioctl(m.vcpu, KVM_ARM_VCPU_INIT, &init);
}

static void cap_flags(void)
{
    enable(machine().vm, KVM_CAP_ARM_NISV_TO_USER, 1, 0, 0);
}

static void reg_of_x86(void)
{
    uint64_t value = 0;

    one(ready().vcpu, KVM_GET_ONE_REG, 0x2030000000000000, &value);
}

static void reg_of_another_size(void)
{
    uint64_t value[4] = { 0 };

    one(ready().vcpu, KVM_SET_ONE_REG, 0x6020000000100040, value);
}

static void reg_pointer(void)
{
    one(ready().vcpu, KVM_GET_ONE_REG, PC, (uint64_t *)nowhere);
}

static void other_features(void)
{
    struct machine m = ready();

    vcpu_init(m, m.vcpu, 0);
}

static void vgic_register_early(void)
{
    uint32_t value = 0;

    attr(vgic(ready()), KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, &value);
}

static void vcpu_after_vgic(void)
{
    struct machine m = ready();

    attr(vgic(m), KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
    ioctl(m.vm, KVM_CREATE_VCPU, 1);
}

static void run_before_vgic(void)
{
    struct machine m = ready();

    vgic(m);
    ioctl(m.vcpu, KVM_RUN, 0);
}

static void address_twice(void)
{
    uint64_t base = 0x8000000;
    int gic = vgic(ready());

    attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &base);
    attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &base);
}

static void interrupt_without_vgic(void)
{
    struct kvm_irq_level irq = { .irq = 1 << 24 | 40, .level = 1 };

    ioctl(ready().vm, KVM_IRQ_LINE, &irq);
}

static void interrupt_that_is_none(void)
{
    struct kvm_irq_level irq = { .irq = 1 << 24 | 900, .level = 1 };
    struct machine m = ready();

    attr(vgic(m), KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
    ioctl(m.vm, KVM_IRQ_LINE, &irq);
}

static void all_right(void)
{
    struct machine m = machine();
    uint64_t base = 0x8000000, redist = 0x80a0000, value = 0x1000, back = 0;
    uint32_t irqs = 64, bits = 0xff;
    static struct { uint64_t n, reg[2048]; } list = { .n = 2048 };
    int gic;

    vcpu_init(m, m.vcpu, 1 << KVM_ARM_VCPU_PSCI_0_2);
    slot(m.vm, 0, 0, 0, 4 * PAGE, memory);
    slot(m.vm, 1, KVM_MEM_LOG_DIRTY_PAGES, 4 * PAGE, 4 * PAGE, memory + 4 * PAGE);
    gic = vgic(m);
    if (attr(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs) ||
        attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &base) ||
        attr(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist) ||
        attr(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL) ||
        attr(gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x104, &bits) ||
        ioctl(m.vcpu, KVM_GET_REG_LIST, &list) || list.n < 200 ||
        one(m.vcpu, KVM_SET_ONE_REG, PC, &value) ||
        one(m.vcpu, KVM_GET_ONE_REG, PC, &back) || back != value) {
        _exit(1);
    }
    /* What was written stays until the next KVM_ARM_VCPU_INIT, and no longer. */
    vcpu_init(m, m.vcpu, 1 << KVM_ARM_VCPU_PSCI_0_2);
    one(m.vcpu, KVM_GET_ONE_REG, PC, &back);
    m.run->immediate_exit = 1;
    _exit(back || !ioctl(m.vcpu, KVM_RUN, 0) || errno != EINTR);
}

#endif
#ifdef __powerpc__

static struct kvm_book3e_206_tlb_entry array[512 + 16];

static struct machine ready(void)
{
    return machine();
}

static int get_pc(int vcpu, uint64_t *pc)
{
    struct kvm_regs regs = { };
    int ret = ioctl(vcpu, KVM_GET_REGS, &regs);

    *pc = regs.pc;
    return ret;
}

static int set_pc(int vcpu, uint64_t pc)
{
    struct kvm_regs regs = { .pc = pc };

    return ioctl(vcpu, KVM_SET_REGS, &regs);
}

static int sw_tlb(int vcpu, uint32_t type, uint32_t tlb0, uint32_t ways, uint32_t length,
                  uint32_t reserved)
{
    struct kvm_book3e_206_tlb_params p = {
        .tlb_sizes = { tlb0, 16 }, .tlb_ways = { ways, 16 }, .reserved = { reserved },
    };
    struct kvm_config_tlb cfg = {
        .params = (uintptr_t)&p, .array = (uintptr_t)array, .mmu_type = type,
        .array_len = length,
    };

    return enable(vcpu, KVM_CAP_SW_TLB, 0, (uintptr_t)&cfg, 0);
}

static struct machine with_tlb(void)
{
    struct machine m = machine();

    sw_tlb(m.vcpu, 0, 512, 4, sizeof(array), 0);
    return m;
}

static int dirty(int vcpu, size_t bytes, unsigned first, unsigned count, unsigned num_dirty)
{
    uint8_t *bitmap = calloc(1, bytes);
    struct kvm_dirty_tlb d = { .bitmap = (uintptr_t)bitmap, .num_dirty = num_dirty };

    for (unsigned i = first; i < first + count; i++) {
        bitmap[i / 8] |= 1 << i % 8;
    }
    return ioctl(vcpu, KVM_DIRTY_TLB, &d);
}

static void mmu_type(void)
{
    sw_tlb(machine().vcpu, 2, 512, 4, sizeof(array), 0);
}

static void geometry(void)
{
    sw_tlb(machine().vcpu, 0, 384, 4, sizeof(array), 0);
}

static void short_array(void)
{
    sw_tlb(machine().vcpu, 0, 512, 4, sizeof(array) - 1, 0);
}

static void tlb_reserved(void)
{
    sw_tlb(machine().vcpu, 0, 512, 4, sizeof(array), 1);
}

static void short_bitmap(void)
{
    dirty(with_tlb().vcpu, 66, 0, 528, 528);
}

static void wrong_count(void)
{
    dirty(with_tlb().vcpu, 72, 0, 3, 528);
}

static void bits_behind(void)
{
    dirty(with_tlb().vcpu, 72, 528, 1, 1);
}

static void not_announced(void)
{
    struct machine m = with_tlb();

    array[5].mas1 = 0x80000100;
    m.run->immediate_exit = 1;
    ioctl(m.vcpu, KVM_RUN, 0);
}

static void others_announced(void)
{
    struct machine m = with_tlb();

    array[5].mas1 = 0x80000100;
    dirty(m.vcpu, 72, 6, 1, 1);
    m.run->immediate_exit = 1;
    ioctl(m.vcpu, KVM_RUN, 0);
}

static struct machine running;

static void *write_array(void *unused)
{
    usleep(100000);
    array[7].mas1 = 0x80000100;
    __atomic_store_n(&running.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    return unused;
}

static void written_while_running(void)
{
    pthread_t thread;

    running = with_tlb();
    pthread_create(&thread, NULL, write_array, NULL);
    ioctl(running.vcpu, KVM_RUN, 0);
}

static void other_pvr(void)
{
    struct machine m = machine();
    struct kvm_sregs s;

    ioctl(m.vcpu, KVM_GET_SREGS, &s);
    s.pvr ^= 0x10;
    ioctl(m.vcpu, KVM_SET_SREGS, &s);
}

static void unknown_features(void)
{
    struct machine m = machine();
    struct kvm_sregs s;

    ioctl(m.vcpu, KVM_GET_SREGS, &s);
    s.u.e.features |= KVM_SREGS_E_PD;
    ioctl(m.vcpu, KVM_SET_SREGS, &s);
}

static void unknown_update(void)
{
    struct machine m = machine();
    struct kvm_sregs s;

    ioctl(m.vcpu, KVM_GET_SREGS, &s);
    s.u.e.update_special = 0x80;
    ioctl(m.vcpu, KVM_SET_SREGS, &s);
}

static void reg_of_x86(void)
{
    uint64_t value = 0;
    struct kvm_one_reg reg = { .id = 0x2030000000000000, .addr = (uintptr_t)&value };

    ioctl(machine().vcpu, KVM_GET_ONE_REG, &reg);
}

static void cap_flags(void)
{
    enable(machine().vcpu, KVM_CAP_PPC_EPR, 1, 0, 0);
}

static void interrupt_that_is_none(void)
{
    struct kvm_interrupt irq = { .irq = 77 };

    ioctl(machine().vcpu, KVM_INTERRUPT, &irq);
}

static void mpic_odd(void)
{
    struct machine m = machine();
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_FSL_MPIC_42 };
    uint64_t base = 0x1000;
    struct kvm_device_attr a = { .group = KVM_DEV_MPIC_GRP_MISC, .addr = (uintptr_t)&base };

    ioctl(m.vm, KVM_CREATE_DEVICE, &d);
    ioctl(d.fd, KVM_SET_DEVICE_ATTR, &a);
}

static void two_mpics(void)
{
    struct machine m = machine();
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_FSL_MPIC_42 };

    ioctl(m.vm, KVM_CREATE_DEVICE, &d);
    ioctl(m.vm, KVM_CREATE_DEVICE, &d);
}

static void all_right(void)
{
    struct machine m = with_tlb();
    struct kvm_sregs s;
    struct kvm_translation t = { .linear_address = 0x123 };

    slot(m.vm, 0, 0, 0, 4 * PAGE, memory);
    array[512].mas1 = 0x80000100;
    array[512].mas7_3 = 0x4000;
    dirty(m.vcpu, 72, 512, 1, 1);
    ioctl(m.vcpu, KVM_GET_SREGS, &s);
    s.u.e.ivpr = 0x1000;
    s.u.e.update_special = KVM_SREGS_E_UPDATE_TSR;
    if (ioctl(m.vcpu, KVM_SET_SREGS, &s)) {
        _exit(1);
    }
    memset(&s, 0, sizeof(s));
    ioctl(m.vcpu, KVM_GET_SREGS, &s);
    m.run->immediate_exit = 1;
    if (s.u.e.ivpr != 0x1000 || !ioctl(m.vcpu, KVM_RUN, 0) || errno != EINTR) {
        _exit(1);
    }
    ioctl(m.vcpu, KVM_TRANSLATE, &t);
    _exit(!t.valid || t.physical_address != 0x4123);
}

#endif

static void closed_running(void)
{
    struct machine m = ready();

    run_elsewhere(m.vcpu);
    close(m.vcpu);
}

static void reg_while_running(void)
{
    struct machine m = ready();
    uint64_t value;

    run_elsewhere(m.vcpu);
    get_pc(m.vcpu, &value);
}

static void leaked_vm(void)
{
    struct machine m;

    machine();
    m = ready();
    m.run->immediate_exit = 1;
    ioctl(m.vcpu, KVM_RUN, 0);
}

/*
 * A guest that left in the middle of an instruction. For that KVM_SIM_SCRIPT has the
 * steps "mmio read 0x9000000 4", "expect pc 0x1234".
 */
static struct machine left_by_mmio(void)
{
    struct machine m = ready();

    if (ioctl(m.vcpu, KVM_RUN, 0) || m.run->exit_reason != KVM_EXIT_MMIO) {
        _exit(1);
    }
    return m;
}

static void set_before_completion(void)
{
    set_pc(left_by_mmio().vcpu, 0x1234);
}

static void get_before_completion(void)
{
    uint64_t pc;

    get_pc(left_by_mmio().vcpu, &pc);
}

static void unexpected_state(void)
{
    ioctl(left_by_mmio().vcpu, KVM_RUN, 0);
}

/* KVM_RUN completes the instruction even if it returns at once. */
static void set_after_completion(void)
{
    struct machine m = left_by_mmio();
    uint64_t pc = 0;

    m.run->immediate_exit = 1;
    _exit(!ioctl(m.vcpu, KVM_RUN, 0) || errno != EINTR || set_pc(m.vcpu, 0x1234) ||
          get_pc(m.vcpu, &pc) || pc != 0x1234);
}

/* KVM_RUN returns on a signal, too. */
static void signal_ends_run(void)
{
    struct machine m = ready();
    struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGALRM, &action, NULL);
    ualarm(100000, 0);
    _exit(!ioctl(m.vcpu, KVM_RUN, 0) || errno != EINTR);
}

/* A duplicate keeps the object; the last close ends it. */
static void duplicates(void)
{
    struct machine m = ready();
    int other = fcntl(m.vm, F_DUPFD_CLOEXEC, 100), third = dup(other);
    struct rlimit limit;

    /* The library knows 4096; where there can be more, no one is the kernel's. */
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (fcntl(m.vm, F_DUPFD_CLOEXEC, 5000) >= 0) {
        _exit(3);
    }

    close(m.vm);
    if (other < 100 || ioctl(other, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS) <= 0) {
        _exit(1);
    }
    close(other);
    if (ioctl(third, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS) <= 0) {
        _exit(2);
    }
    close(third);
    _exit(!ioctl(third, KVM_CHECK_EXTENSION, 0) || fcntl(third, F_GETFD) >= 0);
}

struct test {
    const char *rule, *what;
    void (*break_it)(void);
};

/* With KVM_SIM_SCRIPT */
static const struct test script_cases[] = {
    { "complete-exit", "a register written before the exit is completed", set_before_completion },
    { "complete-exit", "a register read before the exit is completed", get_before_completion },
    { "expected-state", "a register that has another value", unexpected_state },
    { NULL, "registers once the exit is completed", set_after_completion },
    { }
};

static const struct test cases[] = {
    { "known-call", "a call that KVM has not", unknown_call },
    { "known-call", "a vCPU's call on a VM", others_call },
    { "api-version", "a VM without KVM_GET_API_VERSION", no_version },
    { "pointer", "an argument that is no memory", bad_pointer },
    { "pointer", "a memory slot of no memory", bad_slot_memory },
    { "reserved", "unknown flags of a memory slot", slot_flags },
    { "reserved", "unknown flags of a device", device_flags },
    { "reserved", "flags of a capability", cap_flags },
    { "reg-id", "a register of x86", reg_of_x86 },
    { "memslot", "slots that overlap", slots_overlap },
    { "memslot", "a slot that is not aligned", slot_unaligned },
    { "memslot", "a slot that changes its size", slot_resized },
    { "closed", "a vCPU that is closed while it runs", closed_running },
    { "running", "a register of a vCPU that runs", reg_while_running },
    { "descriptor-leak", "a VM beside the one that runs", leaked_vm },
    { "irq-order", "an interrupt that is none", interrupt_that_is_none },
#ifdef __aarch64__
    { "init-first", "a register before KVM_ARM_VCPU_INIT", reg_before_init },
    { "init-first", "KVM_RUN before KVM_ARM_VCPU_INIT", run_before_init },
    { "init-same", "KVM_ARM_VCPU_INIT with other features", other_features },
    { "finalize-first", "a register list before SVE is final", list_before_finalize },
    { "cap-before-vcpu", "a VM's capability after its first vCPU", cap_after_vcpu },
    { "reserved", "features of the second word", feature_words },
    { "reg-id", "PC of 4 bytes", reg_of_another_size },
    { "pointer", "a register to no memory", reg_pointer },
    { "vgic-order", "a vGIC register before it is initialised", vgic_register_early },
    { "vgic-order", "a vCPU after the vGIC is initialised", vcpu_after_vgic },
    { "vgic-order", "KVM_RUN before the vGIC is initialised", run_before_vgic },
    { "vgic-order", "a vGIC address twice", address_twice },
    { "irq-order", "an interrupt without a vGIC", interrupt_without_vgic },
#endif
#ifdef __powerpc__
    { "tlb-geometry", "an MMU type that KVM has not", mmu_type },
    { "tlb-geometry", "384 entries of four ways", geometry },
    { "tlb-geometry", "an array that is too short", short_array },
    { "reserved", "a reserved field of the TLBs' parameters", tlb_reserved },
    { "dirty-bitmap", "a bitmap that is not rounded up", short_bitmap },
    { "dirty-count", "num_dirty that is not the number of bits", wrong_count },
    { "dirty-count", "a bit behind the last entry", bits_behind },
    { "tlb-announced", "an entry that is not announced", not_announced },
    { "tlb-announced", "another entry that is announced", others_announced },
    { "tlb-running", "an entry that changes while the vCPU runs", written_while_running },
    { "sregs", "another PVR", other_pvr },
    { "sregs", "features that the kernel has not", unknown_features },
    { "sregs", "an update flag that is none", unknown_update },
    { "mpic-order", "an MPIC at an odd address", mpic_odd },
    { "mpic-order", "a second MPIC", two_mpics },
#endif
    { NULL, "what is right", all_right },
    { NULL, "KVM_RUN ends with a signal", signal_ends_run },
    { NULL, "descriptors that are duplicated and closed", duplicates },
    { }
};

static bool run_case(const struct test *t)
{
    const char *rule = t->rule, *what = t->what;
    char text[1024] = "", expected[64];
    int fds[2], status;
    ssize_t n, size = 0;
    pid_t child;

    if (pipe(fds)) {
        return false;
    }
    child = fork();
    if (!child) {
        dup2(fds[1], 2);
        alarm(10);
        t->break_it();
        _exit(0);
    }
    close(fds[1]);
    while ((n = read(fds[0], text + size, sizeof(text) - 1 - size)) > 0) {
        size += n;
    }
    close(fds[0]);
    waitpid(child, &status, 0);
    snprintf(expected, sizeof(expected), "contract %s broken: ", rule ?: "");
    if (rule && WIFEXITED(status) && WEXITSTATUS(status) == CONTRACT_STATUS + 1) {
        printf("ok - %s: %s # SKIP this profile has no such thing\n", rule, what);
        return true;
    }
    if (rule ? !WIFEXITED(status) || WEXITSTATUS(status) != CONTRACT_STATUS ||
               !strstr(text, expected) || !strstr(text, "source: ") ||
               !strstr(text, "call: ") :
               !WIFEXITED(status) || WEXITSTATUS(status)) {
        printf("not ok - %s: %s: status 0x%x: %s\n", rule ?: "no rule", what, status, text);
        return false;
    }
    printf("ok - %s: %s\n", rule ?: "no rule", what);
    return true;
}

/* --- calls, for tests of faults and scripts */

static int show(const char *what, int ret)
{
    if (ret < 0) {
        printf("%s: %s\n", what, strerrorname_np(errno) ?: "?");
    } else {
        printf("%s: ok\n", what);
    }
    return ret;
}

static int calls(void)
{
    struct machine m = { .kvm = open("/dev/kvm", O_RDWR) };

    if (show("open", m.kvm) < 0) {
        return 0;
    }
    ioctl(m.kvm, KVM_GET_API_VERSION, 0);
    printf("slots: %d\n", ioctl(m.kvm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS));
    m.vm = show("vm 1", ioctl(m.kvm, KVM_CREATE_VM, 0));
    if (m.vm >= 0) {
        close(m.vm);
    }
    m.vm = show("vm 2", ioctl(m.kvm, KVM_CREATE_VM, 0));
    m.vcpu = show("vcpu", ioctl(m.vm, KVM_CREATE_VCPU, 0));
    if (m.vcpu < 0) {
        return 0;
    }
    m.run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m.vcpu, 0);
#ifdef __aarch64__
    static struct { uint64_t n, reg[2048]; } list = { .n = 2048 };
    uint64_t value = 0;

    printf("target: %u\n", target(m).target);
    show("init", vcpu_init(m, m.vcpu, 1 << KVM_ARM_VCPU_PSCI_0_2));
    show("list", ioctl(m.vcpu, KVM_GET_REG_LIST, &list));
    printf("registers: %llu\n", (unsigned long long)list.n);
    for (int i = 1; i <= 3; i++) {
        char what[16];

        snprintf(what, sizeof(what), "pc %d", i);
        show(what, one(m.vcpu, KVM_GET_ONE_REG, PC, &value));
    }
    printf("pc: 0x%llx\n", (unsigned long long)value);
    show("midr", one(m.vcpu, KVM_GET_ONE_REG, 0x603000000013c000, &value));
#else
    struct kvm_regs regs = { };
    struct kvm_sregs sregs = { };

    show("regs 1", ioctl(m.vcpu, KVM_GET_REGS, &regs));
    show("regs 2", ioctl(m.vcpu, KVM_GET_REGS, &regs));
    show("sregs", ioctl(m.vcpu, KVM_GET_SREGS, &sregs));
    show("tlb", sw_tlb(m.vcpu, 0, 512, 4, sizeof(array), 0));
#endif
    if (getenv("KVM_SIM_SCRIPT")) {
        struct sigaction action = { .sa_handler = on_signal };

        sigaction(SIGALRM, &action, NULL);
        for (int i = 1; i <= 4; i++) {
            int ret;

            ualarm(300000, 0);
            ret = ioctl(m.vcpu, KVM_RUN, 0);
            printf("run %d: %s, exit %u", i, ret ? strerrorname_np(errno) : "ok",
                   m.run->exit_reason);
            if (!ret && m.run->exit_reason == KVM_EXIT_MMIO) {
                printf(", %s 0x%llx %u", m.run->mmio.is_write ? "write" : "read",
                       (unsigned long long)m.run->mmio.phys_addr, m.run->mmio.len);
            }
            printf("\n");
            if (ret) {
                break;
            }
        }
#ifdef __powerpc__
        printf("entry 3: 0x%x\n", array[3].mas1);
#endif
    }
    return 0;
}

static int list_rules(void)
{
    const char *(*rule)(unsigned) = dlsym(RTLD_DEFAULT, "kvm_sim_rule");

    for (unsigned n = 0; rule && rule(n); n++) {
        puts(rule(n));
    }
    return !rule;
}

int main(int argc, char **argv)
{
    int failed = 0;

    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc == 2 && !strcmp(argv[1], "calls")) {
        return calls();
    }
    if (argc == 2 && !strcmp(argv[1], "rules")) {
        return list_rules();
    }
    for (const struct test *t = getenv("KVM_SIM_SCRIPT") ? script_cases : cases; t->what; t++) {
        failed += !run_case(t);
    }
    return failed != 0;
}
