// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AArch64: vCPU targets and features, registers, the vGIC.
 */
#ifdef __aarch64__

#include "sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

const char arch_name[] = "arm64";
const int arch_vm_unknown = EINVAL;

#define FEATURES 7              /* bits that Linux up to 7.2 knows, but EL2's */
#define HAS_POWER_OFF (1u << KVM_ARM_VCPU_POWER_OFF)
#define HAS_EL1_32BIT (1u << KVM_ARM_VCPU_EL1_32BIT)
#define HAS_PMU (1u << KVM_ARM_VCPU_PMU_V3)
#define HAS_SVE (1u << KVM_ARM_VCPU_SVE)
#define HAS_PAUTH (3u << KVM_ARM_VCPU_PTRAUTH_ADDRESS)

#define CAP_ARM_MTE 205
#define CAP_EAGER_SPLIT 228
#define CAP_IMP_ID_REGS 239
#define CORE_GROUP 0x10
#define SVE_GROUP 0x15
#define SVE_VLS 0x15ffff
#define LINES 0x100             /* no group: the levels of KVM_IRQ_LINE */
#define REG_PC 0x6030000000100040
#define REG_TARGET_UNSET UINT32_MAX

/* Of KVM_DEV_TYPE_ARM_VGIC_V3 and _ITS; a device's registers are 64 KiB pages */
#define GICD_TYPER 4
#define GICD_IIDR 8
#define GICR_TYPER 8
#define GITS_CTLR 0
#define GITS_IIDR 4

struct reg {
    const struct profile_reg *p;
    uint8_t *data;
};

struct arch_vm {
    uint32_t target, features;  /* of the first vCPU */
    bool imp;                   /* MIDR_EL1 and the like can be written */
    struct { uint64_t id, value; } *shared;     /* what differs from the profile */
    size_t n_shared;
    unsigned nr_irqs;
};

struct arch_vcpu {
    bool initialised, finalized;
    uint32_t target, features;
    struct reg *regs;
    size_t n_regs;
    bool pmu_irq, pmu_initialised;
    struct kvm_vcpu_events events;
};

void arch_start(void)
{
}

void arch_vm_new(struct vm *vm)
{
    vm->arch = calloc(1, sizeof(*vm->arch));
    vm->arch->target = REG_TARGET_UNSET;
}

void arch_vm_free(struct vm *vm)
{
    free(vm->arch->shared);
    free(vm->arch);
}

/* The type is the guest's physical address bits; 0 is 40. */
int arch_vm_type_check(uint64_t type)
{
    int most = profile.caps[KVM_CAP_ARM_VM_IPA_SIZE];

    if (!type) {
        return most && most < 40 ? -EINVAL : 0;
    }
    return type & ~0xffull || type < 32 || (int)type > (most ?: 40) ? -EINVAL
                                                                    : 0;
}

static struct device *vgic(struct vm *vm)
{
    for (size_t i = 0; i < vm->n_devices; i++) {
        if (vm->devices[i]->type == KVM_DEV_TYPE_ARM_VGIC_V3 ||
            vm->devices[i]->type == KVM_DEV_TYPE_ARM_VGIC_V2) {
            return vm->devices[i];
        }
    }
    return NULL;
}

int arch_vcpu_new(struct vcpu *vcpu)
{
    struct device *gic = vgic(vcpu->o.vm);

    if (gic && gic->initialised) {
        violation(RULE_VGIC_ORDER, "a vCPU is made after the vGIC was initialised");
        return -EBUSY;
    }
    vcpu->arch = calloc(1, sizeof(*vcpu->arch));
    vcpu->arch->target = REG_TARGET_UNSET;
    return 0;
}

static void free_regs(struct arch_vcpu *a)
{
    for (size_t i = 0; i < a->n_regs; i++) {
        free(a->regs[i].data);
    }
    free(a->regs);
    a->regs = NULL;
    a->n_regs = 0;
}

void arch_vcpu_free(struct vcpu *vcpu)
{
    free_regs(vcpu->arch);
    free(vcpu->arch);
}

/* --- registers */

static struct reg *find_reg(struct vcpu *vcpu, uint64_t id)
{
    for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
        if (vcpu->arch->regs[i].p->id == id) {
            return &vcpu->arch->regs[i];
        }
    }
    return NULL;
}

static uint64_t initial(struct vcpu *vcpu, const struct profile_reg *p)
{
    uint64_t value = p->value[0];
    struct arch_vm *vm = vcpu->o.vm->arch;

    if (p->vcpu_id) {
        value = (value & ~0xff0full) | (vcpu->id & 0xf) |
                (vcpu->id >> 4 & 0xff) << 8;
    }
    for (size_t i = 0; p->shared && i < vm->n_shared; i++) {
        if (vm->shared[i].id == p->id) {
            value = vm->shared[i].value;
        }
    }
    return value;
}

/* Those of the profile that a vCPU with these features has, as after a reset */
static void reset_regs(struct vcpu *vcpu)
{
    struct arch_vcpu *a = vcpu->arch;

    free_regs(a);
    a->regs = calloc(profile.n_regs, sizeof(*a->regs));
    for (size_t i = 0; i < profile.n_regs; i++) {
        const struct profile_reg *p = &profile.regs[i];
        struct reg *r;

        if ((p->features & a->features) != p->features ||
            (p->without & a->features)) {
            continue;
        }
        r = find_reg(vcpu, p->id);
        if (!r) {
            r = &a->regs[a->n_regs++];
            r->data = calloc(1, 256);
        }
        r->p = p;
        memset(r->data, 0, 256);
        memcpy(r->data, &(uint64_t) { initial(vcpu, p) }, 8);
        memcpy(r->data + 8, &p->value[1], 8);
    }
}

static void share(struct vm *vm, const struct profile_reg *p, uint64_t value)
{
    struct arch_vm *a = vm->arch;
    size_t i;

    for (i = 0; i < a->n_shared && a->shared[i].id != p->id; i++) {
    }
    if (i == a->n_shared) {
        a->shared = realloc(a->shared, (i + 1) * sizeof(*a->shared));
        a->n_shared++;
    }
    a->shared[i].id = p->id;
    a->shared[i].value = value;
    for (int n = 0; n < MAX_VCPUS; n++) {
        struct reg *r = vm->vcpus[n] ? find_reg(vm->vcpus[n], p->id) : NULL;

        if (r) {
            memcpy(r->data, &value, 8);
        }
    }
}

/* 0, or the errno of an id that is none */
static int malformed(struct vcpu *vcpu, uint64_t id)
{
    unsigned group = id >> 16 & 0xfff;
    unsigned size = one_reg_size(id);
    bool other_arch = (id & KVM_REG_ARCH_MASK) != KVM_REG_ARM64;

    if (!other_arch && group == CORE_GROUP) {
        for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
            uint64_t known = vcpu->arch->regs[i].p->id;

            if ((known ^ id) && !((known ^ id) & ~KVM_REG_SIZE_MASK)) {
                violation(RULE_REG_ID, "id 0x%llx, and its size is that of 0x%llx",
                          (unsigned long long)id, (unsigned long long)known);
                return EINVAL;
            }
        }
    }
    if (other_arch || size > 256 || size < 4 || group < CORE_GROUP ||
        group > 0x16 || group == 0x12 || (id & 0x000ffffff0000000)) {
        violation(RULE_REG_ID, "id 0x%llx", (unsigned long long)id);
        return other_arch ? EINVAL : ENOENT;
    }
    return 0;
}

static int get_value(const struct reg *r, uint64_t *value)
{
    memcpy(value, r->data, 8);
    if (r->p->ticks) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        *value = t.tv_sec * 62500000ull + t.tv_nsec / 16;
    }
    return 0;
}

static int set_value(struct vcpu *vcpu, struct reg *r, const uint8_t *data,
                     size_t size)
{
    const struct profile_reg *p = r->p;
    bool same = !memcmp(data, r->data, size);
    bool free_now = p->imp && vcpu->o.vm->arch->imp;
    uint64_t old, new = 0;

    memcpy(&old, r->data, 8);
    memcpy(&new, data, size < 8 ? size : 8);
    if (p->shared && vcpu->o.vm->ran && !same) {
        return -EBUSY;
    }
    if (!free_now) {
        switch (p->how) {
        case HOW_RW:
            new = (new & p->mask) | (p->value[0] & ~p->mask);
            break;
        case HOW_WO:
            break;
        case HOW_SAME:
            return same ? 0 : -p->error;
        case HOW_RO:
            return -p->error;
        case HOW_KEEP:
            return 0;
        case HOW_FIELDS:
            for (int i = 0; i < 16; i++) {
                unsigned n = new >> 4 * i & 0xf;

                if (!(p->fields[i] >> n & 1) && n != (old >> 4 * i & 0xf)) {
                    return -p->error;
                }
            }
            break;
        }
    }
    if (p->shared) {
        share(vcpu->o.vm, p, new);
        return 0;
    }
    memcpy(r->data, data, size);
    memcpy(r->data, &new, size < 8 ? size : 8);
    return 0;
}

/* The host's vector lengths up to any of them, and none less */
static int set_vls(struct reg *r, const uint8_t *data, uint64_t value)
{
    uint64_t up_to = value ? UINT64_MAX >> __builtin_clzll(value) : 0;

    if (!value || value != (r->p->value[0] & up_to)) {
        return -EINVAL;
    }
    memcpy(r->data, data, 64);
    return 0;
}

/* What stands before each use of a vCPU */
static int initialised(struct vcpu *vcpu)
{
    if (!vcpu->arch->initialised) {
        violation(RULE_INIT_FIRST, "%s is used before", vcpu->o.name);
        return -ENOEXEC;
    }
    return 0;
}

static int one_reg(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_one_reg *one = c->in;
    bool set = (uint32_t)c->type->request == (uint32_t)KVM_SET_ONE_REG;
    uint8_t data[256] = { };
    struct reg *r;
    size_t size;
    uint64_t value;
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    ret = malformed(vcpu, one->id);
    if (ret) {
        return -ret;
    }
    if ((one->id >> 16 & 0xfff) == SVE_GROUP && (vcpu->arch->features & HAS_SVE)) {
        bool vls = (one->id & 0xffff) == 0xffff;

        if (vls ? set && vcpu->arch->finalized : !vcpu->arch->finalized) {
            return -EPERM;
        }
    }
    r = find_reg(vcpu, one->id);
    if (!r || r->p->gone || reg_is_gone(one->id)) {
        return -ENOENT;
    }
    size = one_reg_size(one->id);
    if (set) {
        if (user_read(data, one->addr, size)) {
            violation(RULE_POINTER, "the value at 0x%llx cannot be read",
                      (unsigned long long)one->addr);
            return -EFAULT;
        }
        memcpy(&value, data, 8);
        ret = (one->id & 0xfffffff) == SVE_VLS ? set_vls(r, data, value) :
              set_value(vcpu, r, data, size);
    } else {
        if (r->p->how == HOW_WO) {
            return -r->p->error;
        }
        memcpy(data, r->data, size);
        get_value(r, &value);
        memcpy(data, &value, size < 8 ? size : 8);
        if (user_write(one->addr, data, size)) {
            violation(RULE_POINTER, "the value at 0x%llx cannot be written",
                      (unsigned long long)one->addr);
            return -EFAULT;
        }
    }
    snprintf(c->extra, sizeof(c->extra), "0x%llx", (unsigned long long)value);
    return ret;
}

static int get_reg_list(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    uint64_t room, *head = c->in, n = 0;
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if ((vcpu->arch->features & HAS_SVE) && !vcpu->arch->finalized) {
        violation(RULE_FINALIZE_FIRST, "%s's registers are listed", vcpu->o.name);
        return -EPERM;
    }
    room = *head;
    for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
        const struct profile_reg *p = vcpu->arch->regs[i].p;

        n += !p->hidden && !p->gone && !reg_is_gone(p->id);
    }
    *head = n;
    if (n > room) {
        return -E2BIG;
    }
    n = 0;
    for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
        const struct profile_reg *p = vcpu->arch->regs[i].p;

        if (p->hidden || p->gone || reg_is_gone(p->id)) {
            continue;
        }
        if (user_write(c->arg + 8 + 8 * n++, &p->id, 8)) {
            violation(RULE_POINTER, "the list has no room for %llu registers",
                      (unsigned long long)*head);
            return -EFAULT;
        }
    }
    return 0;
}

/* --- vCPU */

static int preferred_target(struct call *c)
{
    struct kvm_vcpu_init *init = c->in;

    if (profile.preferred < 0) {
        return -EINVAL;
    }
    init->target = profile.preferred;
    return 0;
}

static bool bad_features(struct vcpu *vcpu, uint32_t features)
{
    struct arch_vm *vm = vcpu->o.vm->arch;
    uint32_t pauth = features & HAS_PAUTH;

    if ((features & ~profile.features) ||
        (pauth && pauth != HAS_PAUTH) ||
        ((features & HAS_EL1_32BIT) && (features & profile.only64))) {
        return true;
    }
    /* One width for all; since Linux 6.5 all features, but POWER_OFF */
    return vm->target != REG_TARGET_UNSET &&
           ((features ^ vm->features) &
            (profile.masks ? ~HAS_POWER_OFF : HAS_EL1_32BIT));
}

static int vcpu_init(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_vcpu_init *init = c->in;
    struct arch_vcpu *a = vcpu->arch;
    uint32_t features = init->features[0];

    snprintf(c->extra, sizeof(c->extra), "target %u features 0x%x",
             init->target, features);
    if (!reserved_zero(&init->features[1], sizeof(init->features) - 4,
                       "features behind the first word")) {
        return -ENOENT;
    }
    if (init->target >= 32 || !(profile.targets >> init->target & 1)) {
        return -EINVAL;
    }
    if (features & ~profile.known_features) {
        return -ENOENT;
    }
    /* POWER_OFF belongs to the call since Linux 6.5, and to the vCPU before */
    if (a->initialised && (a->target != init->target ||
        (a->features ^ features) & (profile.masks ? ~HAS_POWER_OFF : ~0u))) {
        violation(RULE_INIT_SAME, "target %u features 0x%x, and before %u and 0x%x",
                  init->target, features, a->target, a->features);
        /* Linux 6.6 and later do not remember the target. */
        if (!profile.masks || (a->features ^ features) & ~HAS_POWER_OFF) {
            return -EINVAL;
        }
    }
    if (bad_features(vcpu, features)) {
        return -EINVAL;
    }
    if (vcpu->o.vm->arch->target == REG_TARGET_UNSET) {
        vcpu->o.vm->arch->target = init->target;
        vcpu->o.vm->arch->features = features;
    }
    a->target = init->target;
    a->features = features;
    a->initialised = true;
    if (!(features & HAS_SVE)) {
        a->finalized = true;
    }
    vcpu->mp_state.mp_state = features & HAS_POWER_OFF ? KVM_MP_STATE_STOPPED
                                                       : KVM_MP_STATE_RUNNABLE;
    memset(&a->events, 0, sizeof(a->events));
    reset_regs(vcpu);
    return 0;
}

static int vcpu_finalize(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    int *what = c->in, ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if (*what != KVM_ARM_VCPU_SVE || !(vcpu->arch->features & HAS_SVE)) {
        return -EINVAL;
    }
    if (vcpu->arch->finalized) {
        return -EPERM;
    }
    vcpu->arch->finalized = true;
    return 0;
}

static int get_mp_state(struct call *c)
{
    memcpy(c->in, &((struct vcpu *)c->object)->mp_state, 4);
    return 0;
}

static int set_mp_state(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    uint32_t state = *(uint32_t *)c->in;

    if (state != KVM_MP_STATE_RUNNABLE && state != KVM_MP_STATE_STOPPED) {
        return -EINVAL;
    }
    vcpu->mp_state.mp_state = state;
    return 0;
}

static int get_events(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;

    memcpy(c->in, &vcpu->arch->events, sizeof(vcpu->arch->events));
    return profile.kernel > 612 ? initialised(vcpu) : 0;
}

static int set_events(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_vcpu_events *events = c->in;
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if (!reserved_zero(events->reserved, sizeof(events->reserved),
                       "struct kvm_vcpu_events' reserved words")) {
        return -EINVAL;
    }
    if (events->exception.serror_has_esr &&
        !profile.caps[KVM_CAP_ARM_INJECT_SERROR_ESR]) {
        return -EINVAL;
    }
    vcpu->arch->events = *events;
    return 0;
}

/* KVM_SET_DEVICE_ATTR and the like, on a vCPU */
static int vcpu_attr(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_device_attr *a = c->in;
    uint32_t request = c->type->request;
    bool has = request == (uint32_t)KVM_HAS_DEVICE_ATTR;
    bool get = request == (uint32_t)KVM_GET_DEVICE_ATTR;
    struct device *gic = vgic(vcpu->o.vm);
    uint32_t irq = 0;
    uint64_t ipa;
    int ret = 0;

    if (a->flags) {
        violation(RULE_RESERVED, "flags of struct kvm_device_attr");
    }
    switch (a->group) {
    case KVM_ARM_VCPU_PMU_V3_CTRL:
        if (!(vcpu->arch->features & HAS_PMU)) {
            return has ? -ENXIO : -ENODEV;
        }
        if (a->attr > 3 || (get && a->attr)) {
            return -ENXIO;
        }
        if (has || get) {
            return has ? 0 : !vcpu->arch->pmu_irq ? -ENXIO :
                   user_write(a->addr, &irq, 4);
        }
        if (vcpu->arch->pmu_initialised) {
            return -EBUSY;
        }
        if (a->attr == KVM_ARM_VCPU_PMU_V3_IRQ) {
            ret = user_read(&irq, a->addr, 4);
            if (!ret && vcpu->arch->pmu_irq) {
                return -EBUSY;
            }
            if (!ret && (irq < 16 || irq > 31)) {
                return -EINVAL;
            }
            vcpu->arch->pmu_irq = !ret;
        } else if (a->attr == KVM_ARM_VCPU_PMU_V3_INIT) {
            if (gic && !gic->initialised) {
                violation(RULE_VGIC_ORDER, "the PMU is initialised before the vGIC");
                return -ENODEV;
            }
            if (gic && !vcpu->arch->pmu_irq) {
                return -ENXIO;
            }
            vcpu->arch->pmu_initialised = true;
        }
        break;
    case KVM_ARM_VCPU_TIMER_CTRL:
        if (a->attr > (profile.kernel >= 604 ? 3 : 1)) {
            return -ENXIO;
        }
        if (get) {
            irq = a->attr ? 30 : 27;
            return user_write(a->addr, &irq, 4);
        }
        if (!has) {
            ret = user_read(&irq, a->addr, 4);
            if (!ret && (irq < 16 || irq > 31)) {
                return -EINVAL;
            }
            if (!ret && vcpu->o.vm->ran) {
                return -EBUSY;
            }
        }
        break;
    case KVM_ARM_VCPU_PVTIME_CTRL:
        if (a->attr || !profile.caps[KVM_CAP_STEAL_TIME]) {
            return -ENXIO;
        }
        if (!has && !get) {
            ret = user_read(&ipa, a->addr, 8);
            if (!ret && (ipa & 63)) {
                return -EINVAL;
            }
        }
        break;
    default:
        return -ENXIO;
    }
    if (ret) {
        violation(RULE_POINTER, "the attribute's value at 0x%llx", (unsigned long long)a->addr);
    }
    return ret;
}

int arch_run_enter(struct vcpu *vcpu)
{
    struct device *gic = vgic(vcpu->o.vm);
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if (!vcpu->arch->finalized) {
        violation(RULE_FINALIZE_FIRST, "%s is run", vcpu->o.name);
        return -EPERM;
    }
    if (gic && !gic->initialised) {
        violation(RULE_VGIC_ORDER, "%s runs before the vGIC is initialised", vcpu->o.name);
        return -ENODEV;
    }
    if ((vcpu->arch->features & HAS_PMU) && vcpu->arch->pmu_irq &&
        !vcpu->arch->pmu_initialised) {
        return -EINVAL;
    }
    return 0;
}

void arch_run_leave(struct vcpu *vcpu)
{
    (void)vcpu;
}

bool arch_loops(struct vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

void arch_state(struct vcpu *vcpu, FILE *f)
{
    struct arch_vcpu *a = vcpu->arch;

    fprintf(f, "vcpu%d:init %u,0x%x,pmu:%d%d\n", vcpu->id, a->target, a->features,
            a->pmu_irq, a->pmu_initialised);
    fprintf(f, "vcpu%d:events %u,%u,0x%llx\n", vcpu->id, a->events.exception.serror_pending,
            a->events.exception.serror_has_esr,
            (unsigned long long)a->events.exception.serror_esr);
    for (size_t i = 0; i < a->n_regs; i++) {
        const struct profile_reg *p = a->regs[i].p;
        size_t size = one_reg_size(p->id);

        if (p->ticks || p->gone) {
            continue;
        }
        fprintf(f, "vcpu%d:0x%llx ", vcpu->id, (unsigned long long)p->id);
        for (size_t n = size; n--; ) {
            fprintf(f, "%02x", a->regs[i].data[n]);
        }
        fprintf(f, "\n");
    }
}

int arch_step(struct vcpu *vcpu, int argc, char **argv)
{
    uint64_t id, value, now;
    struct reg *r;

    if (argc != 3 || (strcmp(argv[0], "set") && strcmp(argv[0], "expect"))) {
        return 1;
    }
    if (!strcmp(argv[1], "pc")) {
        id = REG_PC;
    } else if (!parse_reg_id(argv[1], &id)) {
        return 1;
    }
    r = find_reg(vcpu, id);
    if (!r || !parse_number(argv[2], &value)) {
        return 1;
    }
    if (!strcmp(argv[0], "set")) {
        memcpy(r->data, &value, one_reg_size(id) < 8 ? 4 : 8);
        return 0;
    }
    get_value(r, &now);
    if (now != value) {
        violation(RULE_SCRIPT, "%s of %s is 0x%llx and was to be 0x%llx", argv[1],
                  vcpu->o.name, (unsigned long long)now, (unsigned long long)value);
    }
    return 0;
}

/* --- VM */

static int enable_cap(struct call *c)
{
    struct kvm_enable_cap *e = c->in;
    struct vm *vm = c->object->vm;
    int ret = check_enable_cap(e, e->cap == KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 ||
                                  e->cap == CAP_EAGER_SPLIT);

    if (ret) {
        return ret;
    }
    switch (e->cap) {
    case KVM_CAP_ARM_NISV_TO_USER:
    case KVM_CAP_HALT_POLL:
        return 0;
    case CAP_EAGER_SPLIT:
        return e->args[0] & 0xfff ? -EINVAL : 0;
    case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
        return e->args[0] & ~(uint64_t)profile.caps[e->cap] ? -EINVAL : 0;
    case CAP_ARM_MTE:
    case CAP_IMP_ID_REGS:
        if (vm->n_vcpus) {
            violation(RULE_CAP_BEFORE_VCPU, "capability %u, and %s has %d vCPUs",
                      e->cap, vm->o.name, vm->n_vcpus);
            return -EINVAL;
        }
        vm->arch->imp |= e->cap == CAP_IMP_ID_REGS;
        return 0;
    }
    return -EINVAL;
}

static int get_masks(struct call *c)
{
    struct { uint64_t addr; uint32_t range, reserved[13]; } *m = c->in;

    if (!profile.masks) {
        return -EINVAL;
    }
    if (!reserved_zero(m->reserved, sizeof(m->reserved),
                       "struct reg_mask_range's reserved words") || m->range) {
        return -EINVAL;
    }
    if (user_write(m->addr, profile.id_masks, sizeof(profile.id_masks))) {
        violation(RULE_POINTER, "the masks have no room of %zu bytes", sizeof(profile.id_masks));
        return -EFAULT;
    }
    return 0;
}

static int irq_line(struct call *c)
{
    struct kvm_irq_level *irq = c->in;
    struct vm *vm = c->object->vm;
    struct device *gic = vgic(vm);
    unsigned type = irq->irq >> KVM_ARM_IRQ_TYPE_SHIFT & KVM_ARM_IRQ_TYPE_MASK;
    unsigned n = irq->irq & KVM_ARM_IRQ_NUM_MASK;
    unsigned cpu = (irq->irq >> KVM_ARM_IRQ_VCPU_SHIFT & KVM_ARM_IRQ_VCPU_MASK) +
                   256 * (irq->irq >> KVM_ARM_IRQ_VCPU2_SHIFT & KVM_ARM_IRQ_VCPU2_MASK);

    snprintf(c->extra, sizeof(c->extra), "type %u vcpu %u number %u level %u",
             type, cpu, n, irq->level);
    if (type == KVM_ARM_IRQ_TYPE_CPU) {
        if (gic) {
            return -ENXIO;
        }
        return n > KVM_ARM_IRQ_CPU_FIQ ? -EINVAL : 0;
    }
    if (!gic || !gic->initialised) {
        violation(RULE_IRQ_ORDER, "an interrupt, and no vGIC that is initialised");
        return -ENXIO;
    }
    if (type == KVM_ARM_IRQ_TYPE_PPI ? n < 16 || n > 31 :
        type != KVM_ARM_IRQ_TYPE_SPI || n < 32 || n >= vm->arch->nr_irqs) {
        violation(RULE_IRQ_ORDER, "type %u has no interrupt %u", type, n);
        return -EINVAL;
    }
    if (type == KVM_ARM_IRQ_TYPE_PPI && (cpu >= MAX_VCPUS || !vm->vcpus[cpu])) {
        return -EINVAL;
    }
    attr_set(gic, LINES, irq->irq, irq->level);
    return 0;
}

static int create_irqchip(struct call *c)
{
    (void)c;
    return -ENODEV;             /* a GICv2, which these hosts have not */
}

/* --- vGIC */

int arch_device_new(struct device *d)
{
    struct vm *vm = d->o.vm;
    bool gic = d->type == KVM_DEV_TYPE_ARM_VGIC_V3 ||
               d->type == KVM_DEV_TYPE_ARM_VGIC_V2;

    if (gic && vgic(vm)) {
        return -EEXIST;
    }
    if (gic) {
        vm->irqchip = true;
    }
    return 0;
}

static int init_vgic(struct device *d)
{
    struct vm *vm = d->o.vm;
    uint64_t value;

    if (d->type == KVM_DEV_TYPE_ARM_VGIC_ITS) {
        if (!vgic(vm) || !vgic(vm)->initialised) {
            violation(RULE_VGIC_ORDER, "the ITS is initialised before the vGIC");
            return -ENODEV;
        }
        d->initialised = true;
        return 0;
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i] && !vm->vcpus[i]->arch->initialised) {
            violation(RULE_VGIC_ORDER, "the vGIC is initialised before %s", vm->vcpus[i]->o.name);
        }
    }
    if (!vm->arch->nr_irqs) {
        vm->arch->nr_irqs = 64 + 32;
    }
    if (!d->initialised && attr_get(d, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_TYPER, &value) != -EINVAL) {
        attr_set(d, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_TYPER,
                 (value & ~0x1full) | (vm->arch->nr_irqs / 32 - 1));
    }
    d->initialised = true;
    return 0;
}

/* Base addresses: each is set once */
static int address(struct device *d, uint32_t request, struct kvm_device_attr *a,
                   uint64_t *value)
{
    bool its = d->type == KVM_DEV_TYPE_ARM_VGIC_ITS;
    bool region = a->attr == KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION;
    uint64_t old;

    if (its ? a->attr != KVM_VGIC_ITS_ADDR_TYPE :
        d->type == KVM_DEV_TYPE_ARM_VGIC_V2 ? a->attr > 1 :
        a->attr != KVM_VGIC_V3_ADDR_TYPE_DIST &&
        a->attr != KVM_VGIC_V3_ADDR_TYPE_REDIST && !region) {
        return request == (uint32_t)KVM_HAS_DEVICE_ATTR ? -ENXIO : -ENODEV;
    }
    if (request == (uint32_t)KVM_GET_DEVICE_ATTR) {
        return its ? -ENXIO :
               attr_get(d, a->group, a->attr, value) ? (*value = UINT64_MAX, 0) : 0;
    }
    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (!region && !attr_get(d, a->group, a->attr, &old)) {
        violation(RULE_VGIC_ORDER, "address %llu is set twice", (unsigned long long)a->attr);
        return -EEXIST;
    }
    if ((region ? *value & 0xffffffff0000 : *value) & 0xffff & ~(region ? 0xffffull : 0)) {
        return -EINVAL;
    }
    if (!region && *value >> (profile.caps[KVM_CAP_ARM_VM_IPA_SIZE] ?: 40)) {
        return -E2BIG;
    }
    attr_set(d, a->group, a->attr, *value);
    return 0;
}

/* Set-enable and clear-enable are two views of one register, and so on. */
static uint64_t bank(uint64_t offset, bool *clears)
{
    uint64_t in_frame = offset & 0xffff;

    *clears = false;
    if (in_frame >= 0x100 && in_frame < 0x400 && in_frame & 0x80) {
        *clears = true;
        return offset & ~0x80ull;
    }
    return offset;
}

static int gic_register(struct device *d, uint32_t request,
                        struct kvm_device_attr *a, uint64_t *value)
{
    bool dist = a->group == KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
    uint64_t offset = a->attr & 0xffffffff, key, old, cpu = a->attr >> 32;
    struct vm *vm = d->o.vm;
    bool clears;

    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return offset & 3 ? -ENXIO : 0;
    }
    if (!d->initialised) {
        violation(RULE_VGIC_ORDER, "a register before KVM_DEV_ARM_VGIC_CTRL_INIT");
        return -EBUSY;
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i] && vm->vcpus[i]->running) {
            violation(RULE_RUNNING, "the vGIC's registers, and %s runs", vm->vcpus[i]->o.name);
            return -EBUSY;
        }
    }
    /* Aff3.Aff2.Aff1.Aff0 of a vCPU; ours have the number in Aff0 and Aff1 */
    if (!dist && ((cpu >> 8 << 4 | (cpu & 0xf)) >= MAX_VCPUS ||
                  !vm->vcpus[cpu >> 8 << 4 | (cpu & 0xf)])) {
        return -EINVAL;
    }
    offset &= ~3ull;
    key = bank(offset, &clears) | cpu << 32;
    if (attr_get(d, a->group, key, &old)) {
        attr_get(d, a->group, bank(offset, &clears), &old);
    }
    if (!dist && a->group == KVM_DEV_ARM_VGIC_GRP_REDIST_REGS &&
        (offset == GICR_TYPER || offset == GICR_TYPER + 4)) {
        old = offset == GICR_TYPER ? (old & ~0xffff10ull) | cpu << 8 |
              ((int)cpu == vm->n_vcpus - 1 ? 0x10 : 0) : cpu;
    }
    if (request == (uint32_t)KVM_GET_DEVICE_ATTR) {
        *value = (offset & 0xff80) == 0x280 ? 0 : old;
        return 0;
    }
    if (dist && offset == GICD_IIDR && *value != old) {
        return -EINVAL;
    }
    if ((dist && (offset == GICD_TYPER || offset == GICD_IIDR)) ||
        (!dist && a->group == KVM_DEV_ARM_VGIC_GRP_REDIST_REGS &&
         (offset == 4 || offset == GICR_TYPER || offset == GICR_TYPER + 4))) {
        return 0;
    }
    offset &= 0xffff;
    if (a->group != KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO && offset >= 0x100 && offset < 0x400) {
        if ((offset & ~0x7full) == 0x280) {
            return 0;           /* clear-pending is ignored from user space */
        }
        if ((offset & ~0xffull) != 0x200) {
            *value = clears ? old & ~*value : old | *value;
        }
    }
    attr_set(d, a->group, key, *value);
    return 0;
}

static int cpu_sysreg(struct device *d, uint32_t request,
                      struct kvm_device_attr *a, uint64_t *value)
{
    uint64_t old, known;

    /* Those that the profile names are there. */
    if (attr_get(d, a->group, a->attr, &old) &&
        attr_get(d, a->group, a->attr & 0xffff, &known)) {
        if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
            return -ENXIO;
        }
        /* ICC_AP0Rn_EL1 and ICC_AP1Rn_EL1 of more priorities than there are */
        return (a->attr & 0xfff4) == 0xc644 || (a->attr & 0xfffc) == 0xc648 ?
               -EINVAL : -ENOENT;
    }
    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (!d->initialised) {
        violation(RULE_VGIC_ORDER, "a register before KVM_DEV_ARM_VGIC_CTRL_INIT");
        return -EBUSY;
    }
    if (request == (uint32_t)KVM_SET_DEVICE_ATTR) {
        attr_set(d, a->group, a->attr, *value);
    } else if (attr_get(d, a->group, a->attr, value)) {
        attr_get(d, a->group, a->attr & 0xffff, value);
    }
    return 0;
}

static int its_register(struct device *d, uint32_t request,
                        struct kvm_device_attr *a, uint64_t *value)
{
    uint64_t base;

    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return a->attr & 3 ? -ENXIO : 0;
    }
    if (a->attr >= 8 && a->attr & 7) {
        return -EINVAL;
    }
    if (attr_get(d, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &base)) {
        violation(RULE_VGIC_ORDER, "an ITS register before the ITS has an address");
        return -ENXIO;
    }
    if (request != (uint32_t)KVM_SET_DEVICE_ATTR) {
        attr_get(d, a->group, a->attr, value);
    } else if (a->attr == GITS_CTLR) {          /* one bit can be written */
        attr_get(d, a->group, a->attr, &base);
        attr_set(d, a->group, a->attr, (base & ~1ull) | (*value & 1));
    } else if (a->attr != GITS_IIDR) {
        attr_set(d, a->group, a->attr, *value);
    }
    return 0;
}

static int nr_irqs(struct device *d, uint32_t request, uint64_t *value)
{
    unsigned *n = &d->o.vm->arch->nr_irqs;

    if (request != (uint32_t)KVM_SET_DEVICE_ATTR) {
        *value = *n;
        return 0;
    }
    if (*value < 64 || *value > 1024 || *value & 31) {
        return -EINVAL;
    }
    if (d->initialised || *n) {
        return -EBUSY;
    }
    *n = *value;
    return 0;
}

static int control(struct device *d, uint32_t request, struct kvm_device_attr *a)
{
    bool its = d->type == KVM_DEV_TYPE_ARM_VGIC_ITS;

    if (its ? a->attr > KVM_DEV_ARM_ITS_CTRL_RESET || a->attr == 3 :
        a->attr != KVM_DEV_ARM_VGIC_CTRL_INIT &&
        a->attr != KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES) {
        return -ENXIO;
    }
    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (request == (uint32_t)KVM_GET_DEVICE_ATTR) {
        return -ENXIO;
    }
    if (a->attr == KVM_DEV_ARM_VGIC_CTRL_INIT) {
        return init_vgic(d);
    }
    if (!d->initialised) {
        violation(RULE_VGIC_ORDER, "tables before KVM_DEV_ARM_VGIC_CTRL_INIT");
        return -EBUSY;
    }
    return 0;
}

int arch_device_attr(struct device *d, unsigned long request,
                     struct kvm_device_attr *a)
{
    bool its = d->type == KVM_DEV_TYPE_ARM_VGIC_ITS;
    uint32_t r = request;
    bool set = r == (uint32_t)KVM_SET_DEVICE_ATTR;
    bool get = r == (uint32_t)KVM_GET_DEVICE_ATTR;
    size_t size = a->group == KVM_DEV_ARM_VGIC_GRP_ADDR ||
                  a->group == KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS ||
                  a->group == KVM_DEV_ARM_VGIC_GRP_ITS_REGS ? 8 : 4;
    uint64_t value = 0;
    int ret;

    if (set && a->group != KVM_DEV_ARM_VGIC_GRP_CTRL &&
        user_read(&value, a->addr, size)) {
        violation(RULE_POINTER, "the attribute's value at 0x%llx", (unsigned long long)a->addr);
        return -EFAULT;
    }
    switch (a->group) {
    case KVM_DEV_ARM_VGIC_GRP_ADDR:
        ret = address(d, r, a, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_CTRL:
        return control(d, r, a);
    case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
        ret = its ? -ENXIO : nr_irqs(d, r, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_DIST_REGS:
    case KVM_DEV_ARM_VGIC_GRP_REDIST_REGS:
    case KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO:
        ret = its ? -ENXIO : gic_register(d, r, a, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS:
        ret = its ? -ENXIO : cpu_sysreg(d, r, a, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_ITS_REGS:
        ret = its ? its_register(d, r, a, &value) : -ENXIO;
        break;
    case 9:                     /* KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ */
        return !its && profile.kernel > 612 && r == (uint32_t)KVM_HAS_DEVICE_ATTR ? 0 : -ENXIO;
    default:
        return -ENXIO;
    }
    if (!ret && get && user_write(a->addr, &value, size)) {
        violation(RULE_POINTER, "the attribute's value at 0x%llx", (unsigned long long)a->addr);
        return -EFAULT;
    }
    return ret;
}

const struct call_type arch_calls[] = {
    T(KVM_ENABLE_CAP, KIND_VM, struct kvm_enable_cap, IN, enable_cap),
    T(KVM_ARM_PREFERRED_TARGET, KIND_VM, struct kvm_vcpu_init, OUT, preferred_target),
    { "KVM_ARM_GET_REG_WRITABLE_MASKS", _IOC(_IOC_READ, KVMIO, 0xb6, 64), KIND_VM,
      64, IN, get_masks },
    T(KVM_IRQ_LINE, KIND_VM, struct kvm_irq_level, IN, irq_line),
    V(KVM_CREATE_IRQCHIP, KIND_VM, 0, create_irqchip),
    T(KVM_ARM_VCPU_INIT, KIND_VCPU, struct kvm_vcpu_init, IN | STATE, vcpu_init),
    T(KVM_ARM_VCPU_FINALIZE, KIND_VCPU, int, IN, vcpu_finalize),
    T(KVM_GET_ONE_REG, KIND_VCPU, struct kvm_one_reg, IN | STATE, one_reg),
    T(KVM_SET_ONE_REG, KIND_VCPU, struct kvm_one_reg, IN | STATE, one_reg),
    T(KVM_GET_REG_LIST, KIND_VCPU, uint64_t, IN | OUT, get_reg_list),
    T(KVM_GET_MP_STATE, KIND_VCPU, struct kvm_mp_state, OUT | STATE, get_mp_state),
    T(KVM_SET_MP_STATE, KIND_VCPU, struct kvm_mp_state, IN | STATE, set_mp_state),
    T(KVM_GET_VCPU_EVENTS, KIND_VCPU, struct kvm_vcpu_events, OUT | STATE, get_events),
    T(KVM_SET_VCPU_EVENTS, KIND_VCPU, struct kvm_vcpu_events, IN | STATE, set_events),
    T(KVM_SET_DEVICE_ATTR, KIND_VCPU, struct kvm_device_attr, IN, vcpu_attr),
    T(KVM_GET_DEVICE_ATTR, KIND_VCPU, struct kvm_device_attr, IN, vcpu_attr),
    T(KVM_HAS_DEVICE_ATTR, KIND_VCPU, struct kvm_device_attr, IN, vcpu_attr),
    { }
};

#endif
