/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A /dev/kvm that is simulated, and stricter than the kernel's: what its parts
 * share. docs/testing.md says how it is used.
 *
 * preload.c  the C library's functions that an unmodified program calls
 * sim.c      descriptors, dispatch of calls, log, the contract
 * profile.c  what the host and its kernel are like: profiles/
 * cpus.c     the host's CPUs, and on which one a call runs
 * vm.c       the calls that both architectures have
 * run.c      KVM_RUN, and scripts of what a guest does
 * arm64.c, powerpc.c  the rest
 */
#ifndef KVM_SIM_H
#define KVM_SIM_H

#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTRACT_STATUS 86      /* exit status of a run that broke the contract */
#define MAX_VCPUS 64
#define MAX_SLOTS 512
#define MAX_DEVICES 8

/* --- profile.c */

/* What a register does with what is written to it */
enum how {
    HOW_RW,             /* bits of mask keep it */
    HOW_SAME,           /* fails unless it is the same value */
    HOW_RO,             /* fails */
    HOW_KEEP,           /* succeeds, and changes nothing */
    HOW_WO,             /* cannot be read */
    HOW_FIELDS,         /* each four bits have values of their own: fields[] */
};

struct profile_reg {
    uint64_t id;
    uint64_t value[2];
    uint32_t features;          /* of the vCPU, all needed for this line */
    uint32_t without;           /* of the vCPU, none may be there */
    enum how how;
    int error;                  /* errno of HOW_SAME, HOW_RO, HOW_WO */
    uint64_t mask;
    uint16_t fields[16];
    bool imp;                   /* free once WRITABLE_IMP_ID_REGS is enabled */
    bool vcpu_id;               /* the vCPU's number is in bits 3:0 */
    bool ticks;                 /* counts on its own */
    bool hidden;                /* not in KVM_GET_REG_LIST */
    bool gone;                  /* not there at all */
};

/* CPUs of one kind, and what KVM has there that is not so on the others */
struct profile_cpus {
    int first, last;
    uint64_t midr, revidr;
    uint32_t target;
    struct { uint64_t id, value; } regs[8];
    size_t n_regs;
};

struct profile {
    char arch[16], name[64];
    unsigned kernel;                    /* 601: Linux 6.1 */
    int caps[1024], vmcaps[1024];       /* KVM_CHECK_EXTENSION */
    bool has_vmcap[1024];
    int mmap_size;
    /* arm64 */
    int preferred;                      /* -1: no KVM_ARM_PREFERRED_TARGET */
    uint32_t targets;                   /* bit n: target n is accepted */
    uint32_t features, known_features;  /* of KVM_ARM_VCPU_INIT */
    uint32_t only64;                    /* features that exclude EL1_32BIT */
    bool masks;                         /* KVM_ARM_GET_REG_WRITABLE_MASKS */
    uint64_t id_masks[192];
    struct profile_reg *regs;
    size_t n_regs;
    struct { uint32_t type; } devices[MAX_DEVICES];
    size_t n_devices;
    struct { uint32_t group; uint64_t attr, value; } *attrs;    /* of devices */
    size_t n_attrs;
    struct profile_cpus cpus[4];
    size_t n_cpus;
    bool no_sys;                        /* /sys is not mounted */
    /* powerpc */
    uint32_t pvr;
    char cpuinfo[512];                  /* what /proc/cpuinfo has */
    struct { char name[24]; uint64_t value; } sregs[128];
    size_t n_sregs;
};

/* What KVM_SIM_* ask for is no good: says so, and ends the program with status 2 */
void __attribute__((noreturn, format(printf, 1, 2)))
config_error(const char *format, ...);

extern struct profile profile;
void profile_load(void);

/* --- cpus.c */

void cpus_load(void);
/* The kind of the CPU that this runs on; NULL where the profile has one kind only */
const struct profile_cpus *cpus_here(void);
void cpus_before(const char *call);
/* What sched_getaffinity(2) says, if the profile has CPUs */
bool cpus_affinity(size_t size, cpu_set_t *set);
/* A descriptor, -1 with errno, or -2: it is no such path */
int cpus_open(const char *path);

/* --- objects */

struct vm;
struct vcpu;

enum kind { KIND_SYSTEM = 1, KIND_VM = 2, KIND_VCPU = 4, KIND_DEVICE = 8 };

struct object {
    enum kind kind;
    int refs;                   /* descriptors */
    struct vm *vm;
    char name[16];              /* for the log */
};

struct attr { uint32_t group; uint64_t attr, value; };

struct device {
    struct object o;
    uint32_t type;
    bool initialised;           /* vGIC, ITS: KVM_DEV_ARM_VGIC_CTRL_INIT; MPIC: reset */
    unsigned vcpus;             /* MPIC: connected ones */
    struct attr *attrs;         /* what was written */
    size_t n_attrs;
};

struct slot {
    bool used;
    uint32_t id, flags;
    uint64_t gpa, size, hva;
    uint64_t *dirty;            /* a bit for each page, while it is logged */
};

struct arch_vm;
struct arch_vcpu;

struct vm {
    struct object o;
    struct vm *next;
    unsigned number;
    bool ran;                   /* KVM_RUN was called */
    bool irqchip;
    uint64_t protect;           /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 */
    struct vcpu *vcpus[MAX_VCPUS];
    int n_vcpus;
    struct slot slots[MAX_SLOTS];
    struct device *devices[MAX_DEVICES];
    size_t n_devices;
    unsigned gsi_routes;
    struct arch_vm *arch;
};

struct vcpu {
    struct object o;
    int id;
    struct kvm_run *run;
    bool running;               /* inside KVM_RUN */
    bool ran;
    bool incomplete;            /* it left with an exit that the next KVM_RUN completes */
    bool has_mask;
    uint64_t sigmask;
    struct kvm_mp_state mp_state;
    struct kvm_guest_debug debug;
    size_t step;                /* of the script */
    struct arch_vcpu *arch;
};

extern struct vm *vms;

/* --- sim.c */

/* A call as handlers get it: a copy of the argument, or its value */
struct call {
    const struct call_type *type;
    struct object *object;
    void *in;                   /* the copy; copied back if that is OUT */
    uintptr_t arg;
    uint64_t about, about2;     /* what the call is about: capability, id, … */
    bool has_about;
    char extra[64];             /* for the log */
};

struct call_type {
    const char *name;
    unsigned long request;
    unsigned kinds;
    unsigned size;
    unsigned flags;
#define IN 1
#define OUT 2
#define ASYNC 4                 /* allowed while the vCPU runs */
#define STATE 8                 /* the vCPU's state: not before an exit is completed */
    int (*handle)(struct call *c);
};

/* A call whose argument is a structure, and one whose argument is a value */
#define T(n, kinds, type, flags, handle) \
    { #n, n, kinds, sizeof(type), flags, handle }
#define V(n, kinds, flags, handle) { #n, n, kinds, 0, flags, handle }

extern const struct call_type common_calls[], arch_calls[];

/*
 * The contract: @rule is broken in the way that the rest says. Ends the run,
 * or, with KVM_SIM_CONTRACT=log, notes it.
 */
enum rule {
    RULE_KNOWN_CALL, RULE_API_VERSION, RULE_POINTER, RULE_RESERVED, RULE_REG_ID,
    RULE_INIT_FIRST, RULE_FINALIZE_FIRST, RULE_CAP_BEFORE_VCPU, RULE_RUNNING,
    RULE_COMPLETE_EXIT, RULE_DESCRIPTOR_LEAK, RULE_CLOSED, RULE_MEMSLOT,
    RULE_VGIC_ORDER, RULE_IRQ_ORDER, RULE_SCRIPT,
    RULE_TLB_GEOMETRY, RULE_DIRTY_BITMAP, RULE_DIRTY_COUNT, RULE_TLB_ANNOUNCED,
    RULE_TLB_RUNNING, RULE_SREGS, RULE_INIT_SAME, RULE_MPIC_ORDER,
    N_RULES
};
void violation(enum rule rule, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether these bytes are zero, as reserved ones have to be */
bool reserved_zero(const void *bytes, size_t size, const char *what);

/* The guest writes its RAM; false where it has none */
bool write_ram(struct vm *vm, uint64_t gpa, uint32_t value);

/* The program's memory, by address: -EFAULT instead of a signal */
int user_read(void *to, uint64_t from, size_t size);
int user_write(uint64_t to, const void *from, size_t size);
/* The size that the block at @p was allocated with, or 0 if it is not known */
size_t allocated_size(uint64_t p);

void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int new_descriptor(struct object *object, const char *name, size_t size);
struct object *object_of(int fd);
size_t one_reg_size(uint64_t id);
void sim_lock(void);
void sim_unlock(void);
void vm_put(struct vm *vm);

/* preload.c -> sim.c */
bool is_kvm_path(const char *path);
int sim_open(int flags);
int sim_open_cpuinfo(void);
bool is_cpuinfo(const char *path);
bool sim_owns(int fd);
int sim_ioctl(int fd, unsigned long request, void *arg);
void sim_closed(int fd);
bool sim_duplicated(int from, int to);

/* --- vm.c, run.c */
int vcpu_run(struct call *c);
void script_load(void);
int device_attr(struct device *d, unsigned long request,
                struct kvm_device_attr *a);
int attr_get(struct device *d, uint32_t group, uint64_t attr, uint64_t *value);
void attr_set(struct device *d, uint32_t group, uint64_t attr, uint64_t value);
void device_state(struct device *d, FILE *f);
/* KVM_ENABLE_CAP of a capability with so many arguments: 0, or the errno */
int check_enable_cap(const struct kvm_enable_cap *e, size_t args);

/* A number for each register @what of vCPU @cpu: what "scribble @seed" writes there */
uint64_t scribbled(uint64_t seed, uint64_t what, int cpu);

/* --- arm64.c, powerpc.c */
extern const char arch_name[];
extern const int arch_vm_unknown;       /* errno of a VM's unknown call */
void arch_start(void);                  /* when the profile is known */
void arch_vm_new(struct vm *vm);
void arch_vm_free(struct vm *vm);
int arch_vcpu_new(struct vcpu *vcpu);
void arch_vcpu_free(struct vcpu *vcpu);
int arch_vm_type_check(uint64_t type);
int arch_run_enter(struct vcpu *vcpu);  /* before the guest runs */
void arch_run_leave(struct vcpu *vcpu);
bool arch_loops(struct vcpu *vcpu);     /* where the guest can do nothing */
/* What KVM knows of a vCPU, a line each: its name, what, value */
void arch_state(struct vcpu *vcpu, FILE *f);
/* A step of a script: 0 done, 1 not known here */
int arch_step(struct vcpu *vcpu, int argc, char **argv);
/* The guest makes this call: whether KVM leaves it to user space */
bool arch_hypercall(struct vcpu *vcpu, uint64_t nr);
/* Everything that its guest can change has another value */
void arch_scribble(struct vcpu *vcpu, uint64_t seed);
void arch_scribble_device(struct device *d, uint64_t seed);
int arch_device_attr(struct device *d, unsigned long request,
                     struct kvm_device_attr *a);
int arch_device_new(struct device *d);

#endif
