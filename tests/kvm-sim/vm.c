// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What both architectures have: VMs, vCPUs, memory slots, devices.
 */
#include "sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of some C libraries */
#ifndef KVM_CAP_BINARY_STATS_FD
#define KVM_CAP_BINARY_STATS_FD 203
#endif
struct memory_region2 {
    uint32_t slot, flags;
    uint64_t guest_phys_addr, memory_size, userspace_addr, guest_memfd_offset;
    uint32_t guest_memfd, pad1;
    uint64_t pad2[14];
};
#define SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct memory_region2)
#define CAP_USER_MEMORY2 231

static struct vm *vm_of(struct call *c)
{
    return c->object->vm;
}

static struct vcpu *vcpu_of(struct call *c)
{
    return (struct vcpu *)c->object;
}

/* --- /dev/kvm */

static int get_api_version(struct call *c)
{
    return c->arg ? -EINVAL : 12;
}

static int get_mmap_size(struct call *c)
{
    return c->arg ? -EINVAL : profile.mmap_size;
}

static int check_extension(struct call *c)
{
    unsigned cap = c->arg;
    int value = 0;

    if (cap < ARRAY_SIZE(profile.caps)) {
        value = vm_of(c) && profile.has_vmcap[cap] ? profile.vmcaps[cap]
                                                   : profile.caps[cap];
    }
    return value < 0 ? -EINVAL : value;
}

static int create_vm(struct call *c)
{
    static unsigned count;
    struct vm *vm;
    int ret = arch_vm_type_check(c->arg);

    if (ret) {
        return ret;
    }
    vm = calloc(1, sizeof(*vm));
    vm->number = ++count;
    vm->o.kind = KIND_VM;
    vm->o.vm = vm;
    snprintf(vm->o.name, sizeof(vm->o.name), "vm%u", vm->number);
    arch_vm_new(vm);
    ret = new_descriptor(&vm->o, "kvm-vm", 0);
    if (ret < 0) {
        arch_vm_free(vm);
        free(vm);
        return ret;
    }
    vm->next = vms;
    vms = vm;
    snprintf(c->extra, sizeof(c->extra), "%s", vm->o.name);
    return ret;
}

/* --- VM */

static int create_vcpu(struct call *c)
{
    struct vm *vm = vm_of(c);
    struct vcpu *vcpu;
    int ret, max = profile.caps[KVM_CAP_MAX_VCPUS] ?: 4;

    if (c->arg >= MAX_VCPUS ||
        c->arg >= (unsigned)(profile.caps[KVM_CAP_MAX_VCPU_ID] ?: max) ||
        vm->n_vcpus >= max) {
        return -EINVAL;
    }
    if (vm->vcpus[c->arg]) {
        return -EEXIST;
    }
    vcpu = calloc(1, sizeof(*vcpu));
    vcpu->o.kind = KIND_VCPU;
    vcpu->o.vm = vm;
    vcpu->id = c->arg;
    snprintf(vcpu->o.name, sizeof(vcpu->o.name), "vm%u.vcpu%d", vm->number,
             vcpu->id);
    ret = arch_vcpu_new(vcpu);
    if (ret) {
        free(vcpu);
        return ret;
    }
    ret = new_descriptor(&vcpu->o, "kvm-vcpu", profile.mmap_size);
    if (ret >= 0) {
        vcpu->run = mmap(NULL, profile.mmap_size, PROT_READ | PROT_WRITE,
                         MAP_SHARED, ret, 0);
    }
    if (ret < 0 || vcpu->run == MAP_FAILED) {
        arch_vcpu_free(vcpu);
        free(vcpu);
        return -ENOMEM;
    }
    vm->vcpus[vcpu->id] = vcpu;
    vm->n_vcpus++;
    return ret;
}

static size_t log_size(const struct slot *s)
{
    return (s->size / sysconf(_SC_PAGESIZE) + 63) / 64 * 8;
}

static int set_region(struct call *c)
{
    struct memory_region2 m = { };
    struct vm *vm = vm_of(c);
    uint32_t known = KVM_MEM_LOG_DIRTY_PAGES;
    struct slot *slot = NULL, *unused = NULL;
    long page = sysconf(_SC_PAGESIZE);

    memcpy(&m, c->in, c->type->size);
    snprintf(c->extra, sizeof(c->extra), "slot %u flags %u 0x%llx+0x%llx",
             m.slot, m.flags, (unsigned long long)m.guest_phys_addr,
             (unsigned long long)m.memory_size);
    if (profile.caps[KVM_CAP_READONLY_MEM]) {
        known |= KVM_MEM_READONLY;
    }
    if (m.flags & ~known) {
        violation(RULE_RESERVED, "memory slot flags 0x%x", m.flags & ~known);
        return -EINVAL;
    }
    reserved_zero(&m.pad1, sizeof(m) - offsetof(struct memory_region2, pad1),
                  "a memory slot's padding");
    if ((m.memory_size | m.guest_phys_addr | m.userspace_addr) & (page - 1)) {
        violation(RULE_MEMSLOT, "slot %u is not page aligned", m.slot);
        return -EINVAL;
    }
    if ((m.slot & 0xffff) >= (unsigned)profile.caps[KVM_CAP_NR_MEMSLOTS] ||
        m.slot >> 16) {
        return -EINVAL;
    }
    for (int i = 0; i < MAX_SLOTS; i++) {
        struct slot *s = &vm->slots[i];

        if (!s->used) {
            unused = unused ?: s;
        } else if (s->id == m.slot) {
            slot = s;
        } else if (m.memory_size && m.guest_phys_addr < s->gpa + s->size &&
                   s->gpa < m.guest_phys_addr + m.memory_size) {
            violation(RULE_MEMSLOT, "slots %u and %u overlap", m.slot, s->id);
            return -EEXIST;
        }
    }
    if (!m.memory_size) {
        if (!slot) {
            violation(RULE_MEMSLOT, "slot %u is not there to be removed", m.slot);
            return -EINVAL;
        }
        free(slot->dirty);
        *slot = (struct slot) { };
        return 0;
    }
    if (slot && (slot->size != m.memory_size || slot->hva != m.userspace_addr ||
                 (slot->flags ^ m.flags) & KVM_MEM_READONLY)) {
        violation(RULE_MEMSLOT, "slot %u changes its size, memory or READONLY", m.slot);
        return -EINVAL;
    }
    if (!slot) {
        char byte;

        if (!unused) {
            return -ENOSPC;
        }
        if (user_read(&byte, m.userspace_addr, 1)) {
            violation(RULE_POINTER, "slot %u's memory 0x%llx is not there",
                      m.slot, (unsigned long long)m.userspace_addr);
        }
        slot = unused;
    }
    slot->used = true;
    slot->id = m.slot;
    slot->flags = m.flags;
    slot->gpa = m.guest_phys_addr;
    slot->size = m.memory_size;
    slot->hva = m.userspace_addr;
    if (!(m.flags & KVM_MEM_LOG_DIRTY_PAGES)) {
        free(slot->dirty);
        slot->dirty = NULL;
    } else if (!slot->dirty) {
        slot->dirty = malloc(log_size(slot));
        memset(slot->dirty, vm->protect & KVM_DIRTY_LOG_INITIALLY_SET ? 0xff : 0,
               log_size(slot));
    }
    return 0;
}

bool write_ram(struct vm *vm, uint64_t gpa, uint32_t value)
{
    long page = sysconf(_SC_PAGESIZE);

    for (int i = 0; i < MAX_SLOTS; i++) {
        struct slot *s = &vm->slots[i];
        uint64_t at = gpa - s->gpa;

        if (s->used && !(s->flags & KVM_MEM_READONLY) && gpa >= s->gpa &&
            at + sizeof(value) <= s->size) {
            if (s->dirty) {
                s->dirty[at / page / 64] |= 1ull << at / page % 64;
            }
            return !user_write(s->hva + at, &value, sizeof(value));
        }
    }
    return false;
}

static struct slot *logged_slot(struct vm *vm, uint32_t id)
{
    for (int i = 0; i < MAX_SLOTS; i++) {
        struct slot *s = &vm->slots[i];

        if (s->used && s->id == id && (s->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
            return s;
        }
    }
    return NULL;
}

/* What scripts write is dirty, and nothing else. */
static int get_dirty_log(struct call *c)
{
    struct kvm_dirty_log *log = c->in;
    struct slot *s = logged_slot(vm_of(c), log->slot);
    uint64_t bitmap = (uintptr_t)log->dirty_bitmap;
    size_t size;

#ifdef __powerpc__
    return -EOPNOTSUPP;         /* BookE's KVM has none */
#endif
    if (log->padding1) {
        violation(RULE_RESERVED, "padding of struct kvm_dirty_log");
    }
    if (!s) {
        return -ENOENT;
    }
    size = log_size(s);
    if (allocated_size(bitmap) && allocated_size(bitmap) < size) {
        violation(RULE_DIRTY_BITMAP, "slot %u needs %zu bytes, and %zu are there",
                  log->slot, size, allocated_size(bitmap));
    }
    if (user_write(bitmap, s->dirty, size)) {
        violation(RULE_POINTER, "the dirty bitmap cannot be written");
        return -EFAULT;
    }
    if (!vm_of(c)->protect) {
        memset(s->dirty, 0, size);
    }
    return 0;
}

static int clear_dirty_log(struct call *c)
{
    struct kvm_clear_dirty_log *log = c->in;
    struct slot *s = logged_slot(vm_of(c), log->slot);
    uint64_t clear;

    if (!s) {
        return -ENOENT;
    }
    if (log->first_page & 63 || log->first_page > s->size / sysconf(_SC_PAGESIZE)) {
        violation(RULE_DIRTY_BITMAP, "first_page %llu", (unsigned long long)log->first_page);
        return -EINVAL;
    }
    for (uint32_t i = 0; i < log->num_pages; i += 64) {
        if (user_read(&clear, (uintptr_t)log->dirty_bitmap + i / 8, sizeof(clear))) {
            violation(RULE_POINTER, "the bitmap of pages to clear is not there");
            return -EFAULT;
        }
        s->dirty[(log->first_page + i) / 64] &= ~clear;
    }
    return 0;
}

static int ioeventfd(struct call *c)
{
    struct kvm_ioeventfd *e = c->in;

    if (e->flags & ~KVM_IOEVENTFD_VALID_FLAG_MASK) {
        violation(RULE_RESERVED, "ioeventfd flags 0x%x", e->flags);
        return -EINVAL;
    }
    reserved_zero(e->pad, sizeof(e->pad), "the padding of struct kvm_ioeventfd");
    return 0;
}

static int irqfd(struct call *c)
{
    struct kvm_irqfd *e = c->in;

    if (e->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE)) {
        violation(RULE_RESERVED, "irqfd flags 0x%x", e->flags);
        return -EINVAL;
    }
    return 0;
}

static int set_gsi_routing(struct call *c)
{
    struct kvm_irq_routing table;
    struct vm *vm = vm_of(c);

    if (user_read(&table, c->arg, sizeof(table))) {
        violation(RULE_POINTER, "the table cannot be read");
        return -EFAULT;
    }
    snprintf(c->extra, sizeof(c->extra), "%u entries", table.nr);
    if (table.flags) {
        violation(RULE_RESERVED, "flags of a GSI table");
        return -EINVAL;
    }
    if (table.nr > 4096) {
        return -EINVAL;
    }
    for (uint32_t i = 0; i < table.nr; i++) {
        struct kvm_irq_routing_entry e;

        if (user_read(&e, c->arg + sizeof(table) + i * sizeof(e), sizeof(e))) {
            violation(RULE_POINTER, "entry %u of the GSI table cannot be read", i);
            return -EFAULT;
        }
        if (e.gsi >= 4096 || !e.type || e.type > 5) {
            return -EINVAL;
        }
    }
    vm->gsi_routes = table.nr;
    return 0;
}

static int signal_msi(struct call *c)
{
    struct kvm_msi *msi = c->in;

    if (msi->flags & ~KVM_MSI_VALID_DEVID) {
        violation(RULE_RESERVED, "flags of an MSI");
        return -EINVAL;
    }
    if (!vm_of(c)->irqchip) {
        violation(RULE_IRQ_ORDER, "an MSI and no interrupt controller");
        return -EINVAL;
    }
    return 1;
}

static int coalesced_mmio(struct call *c)
{
    struct kvm_coalesced_mmio_zone *z = c->in;

    return !profile.caps[KVM_CAP_COALESCED_MMIO] ? -EINVAL :
           z->pio > 1 ? -EINVAL : 0;
}

static int create_device(struct call *c)
{
    struct kvm_create_device *create = c->in;
    struct vm *vm = vm_of(c);
    struct device *d;
    bool there = false;
    int ret;

    for (size_t i = 0; i < profile.n_devices; i++) {
        there |= profile.devices[i].type == create->type;
    }
    if (create->flags & ~KVM_CREATE_DEVICE_TEST) {
        violation(RULE_RESERVED, "KVM_CREATE_DEVICE flags 0x%x", create->flags);
    }
    if (!there) {
        return -ENODEV;
    }
    if (create->flags & KVM_CREATE_DEVICE_TEST) {
        return 0;
    }
    if (vm->n_devices == MAX_DEVICES) {
        return -ENOMEM;
    }
    d = calloc(1, sizeof(*d));
    d->o.kind = KIND_DEVICE;
    d->o.vm = vm;
    d->type = create->type;
    snprintf(d->o.name, sizeof(d->o.name), "vm%u.dev%u", vm->number, d->type);
    ret = arch_device_new(d);
    if (!ret) {
        ret = new_descriptor(&d->o, "kvm-device", 0);
    }
    if (ret < 0) {
        free(d);
        return ret;
    }
    create->fd = ret;
    vm->devices[vm->n_devices++] = d;
    return 0;
}

/* The profile has those of vCPU 0 for each vCPU, whose number is in the upper half. */
static int profile_attr(uint32_t group, uint64_t attr, uint64_t *value)
{
    for (size_t i = profile.n_attrs; i--; ) {
        if (profile.attrs[i].group == group && profile.attrs[i].attr == (uint32_t)attr) {
            *value = profile.attrs[i].value;
            return 0;
        }
    }
    *value = 0;
    return -ENOENT;
}

/* What was written, or what the profile has; -ENOENT if there is neither */
int attr_get(struct device *d, uint32_t group, uint64_t attr, uint64_t *value)
{
    for (size_t i = 0; i < d->n_attrs; i++) {
        if (d->attrs[i].group == group && d->attrs[i].attr == attr) {
            *value = d->attrs[i].value;
            return 0;
        }
    }
    return profile_attr(group, attr, value);
}

void attr_set(struct device *d, uint32_t group, uint64_t attr, uint64_t value)
{
    for (size_t i = 0; i < d->n_attrs; i++) {
        if (d->attrs[i].group == group && d->attrs[i].attr == attr) {
            d->attrs[i].value = value;
            return;
        }
    }
    d->attrs = realloc(d->attrs, (d->n_attrs + 1) * sizeof(*d->attrs));
    d->attrs[d->n_attrs++] = (struct attr) { group, attr, value };
}

/* What was written, unless the profile has the same: for each vCPU, or for all */
void device_state(struct device *d, FILE *f)
{
    for (size_t i = 0; i < d->n_attrs; i++) {
        const struct attr *a = &d->attrs[i];
        uint64_t value, attr = a->attr;

        profile_attr(a->group, attr, &value);
        if (a->value != value) {
            fprintf(f, "dev%u:0x%x:0x%llx 0x%llx\n", d->type, a->group,
                    (unsigned long long)attr, (unsigned long long)a->value);
        }
    }
}

static int any_device_attr(struct call *c)
{
    struct kvm_device_attr *a = c->in;

    if (a->flags) {
        violation(RULE_RESERVED, "flags of struct kvm_device_attr");
    }
    return arch_device_attr((struct device *)c->object, c->type->request, a);
}

int check_enable_cap(const struct kvm_enable_cap *e, size_t args)
{
    if (!reserved_zero(&e->flags, sizeof(e->flags), "flags of struct kvm_enable_cap")) {
        return -EINVAL;
    }
    reserved_zero(&e->args[args], sizeof(e->args) - args * sizeof(e->args[0]),
                  "args of struct kvm_enable_cap that the capability has not");
    return e->cap < ARRAY_SIZE(profile.caps) && profile.caps[e->cap] > 0 ? 0 : -EINVAL;
}

/* The content of statistics is not simulated: an empty file. */
static int get_stats_fd(struct call *c)
{
    int fd;

    if (!profile.caps[KVM_CAP_BINARY_STATS_FD]) {
        return -ENOTTY;
    }
    (void)c;
    fd = syscall(SYS_memfd_create, "kvm-stats", 1);
    return fd < 0 ? -errno : fd;
}

/* --- vCPU */

static int set_signal_mask(struct call *c)
{
    struct kvm_signal_mask mask;
    struct vcpu *vcpu = vcpu_of(c);

    if (!c->arg) {
        vcpu->has_mask = false;
        return 0;
    }
    if (user_read(&mask, c->arg, sizeof(mask)) || mask.len != sizeof(vcpu->sigmask)) {
        return -EINVAL;
    }
    vcpu->has_mask = true;
    return user_read(&vcpu->sigmask, c->arg + sizeof(mask), sizeof(vcpu->sigmask));
}

static int set_guest_debug(struct call *c)
{
    struct kvm_guest_debug *debug = c->in;

    if (!profile.caps[KVM_CAP_SET_GUEST_DEBUG]) {
        return -EINVAL;
    }
    if (debug->pad) {
        violation(RULE_RESERVED, "padding of struct kvm_guest_debug");
    }
    vcpu_of(c)->debug = *debug;
    return 0;
}

const struct call_type common_calls[] = {
    V(KVM_GET_API_VERSION, KIND_SYSTEM, 0, get_api_version),
    V(KVM_CREATE_VM, KIND_SYSTEM, 0, create_vm),
    V(KVM_CHECK_EXTENSION, KIND_SYSTEM | KIND_VM, 0, check_extension),
    V(KVM_GET_VCPU_MMAP_SIZE, KIND_SYSTEM, 0, get_mmap_size),
    V(KVM_CREATE_VCPU, KIND_VM, 0, create_vcpu),
    T(KVM_SET_USER_MEMORY_REGION, KIND_VM, struct kvm_userspace_memory_region, IN, set_region),
    { "KVM_SET_USER_MEMORY_REGION2", SET_USER_MEMORY_REGION2, KIND_VM,
      sizeof(struct memory_region2), IN, set_region },
    T(KVM_GET_DIRTY_LOG, KIND_VM, struct kvm_dirty_log, IN, get_dirty_log),
    T(KVM_CLEAR_DIRTY_LOG, KIND_VM, struct kvm_clear_dirty_log, IN, clear_dirty_log),
    T(KVM_IOEVENTFD, KIND_VM, struct kvm_ioeventfd, IN, ioeventfd),
    T(KVM_IRQFD, KIND_VM, struct kvm_irqfd, IN, irqfd),
    V(KVM_SET_GSI_ROUTING, KIND_VM, 0, set_gsi_routing),
    T(KVM_SIGNAL_MSI, KIND_VM, struct kvm_msi, IN, signal_msi),
    T(KVM_REGISTER_COALESCED_MMIO, KIND_VM, struct kvm_coalesced_mmio_zone, IN, coalesced_mmio),
    T(KVM_UNREGISTER_COALESCED_MMIO, KIND_VM, struct kvm_coalesced_mmio_zone, IN, coalesced_mmio),
    T(KVM_CREATE_DEVICE, KIND_VM, struct kvm_create_device, IN | OUT, create_device),
    V(KVM_GET_STATS_FD, KIND_VM | KIND_VCPU, ASYNC, get_stats_fd),
    T(KVM_SET_DEVICE_ATTR, KIND_DEVICE, struct kvm_device_attr, IN, any_device_attr),
    T(KVM_GET_DEVICE_ATTR, KIND_DEVICE, struct kvm_device_attr, IN, any_device_attr),
    T(KVM_HAS_DEVICE_ATTR, KIND_DEVICE, struct kvm_device_attr, IN, any_device_attr),
    V(KVM_RUN, KIND_VCPU, 0, vcpu_run),
    V(KVM_SET_SIGNAL_MASK, KIND_VCPU, 0, set_signal_mask),
    T(KVM_SET_GUEST_DEBUG, KIND_VCPU, struct kvm_guest_debug, IN, set_guest_debug),
    { }
};
