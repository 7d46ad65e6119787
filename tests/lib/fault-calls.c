// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fixed list of calls to KVM, and what came of each, a line each: a result, a value,
 * or an error. tests/lib/fault-rules.sh has faults in them. Where there is no KVM, the
 * calls that no fault decides over are as if they had had no answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static int vm = -1, vcpu;

static int show(const char *what, int ret, unsigned long long value)
{
    /* ENOSYS: qemu-user does not know the call */
    if (ret < 0 && errno != EBADF && errno != ENOENT && errno != ENOSYS) {
        printf("%s: %s\n", what, strerrorname_np(errno));
    } else {
        printf("%s: 0x%llx\n", what, value);
    }
    return ret;
}

static void ask_attr(const char *what, int device, uint32_t group, uint64_t attr)
{
    struct kvm_device_attr a = { .group = group, .attr = attr };

    show(what, ioctl(device, KVM_HAS_DEVICE_ATTR, &a), 0);
}

#ifdef __aarch64__
static void get_reg(const char *what, uint64_t id)
{
    uint64_t value = 0;
    struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)&value };
    int ret;

    ret = ioctl(vcpu, KVM_GET_ONE_REG, &one);
    show(what, ret, value);
}

static void vcpu_calls(void)
{
    static struct { uint64_t n, reg[2048]; } list = { .n = 2048 };
    static uint64_t masks[192];
    struct { uint64_t addr; uint32_t range, reserved[13]; } range = { .addr = (uintptr_t)masks };
    struct kvm_vcpu_init init = { };
    int ret;

    ret = ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
    show("target", ret, init.target);
    ret = ioctl(vm, _IOC(_IOC_READ, KVMIO, 0xb6, 64), &range);
    show("masks", ret, masks[0] & masks[191]);
    vcpu = show("vcpu 0", ioctl(vm, KVM_CREATE_VCPU, 0), 0);
    show("vcpu 1", ioctl(vm, KVM_CREATE_VCPU, 1), 0);
    init.features[0] = 1 << KVM_ARM_VCPU_PSCI_0_2;
    show("init 1", ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), 0);
    show("init 2", ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), 0);
    ret = ioctl(vcpu, KVM_GET_REG_LIST, &list);
    show("list", ret, list.n);
    get_reg("midr 1", ARM64_SYS_REG(3, 0, 0, 0, 0));
    get_reg("midr 2", ARM64_SYS_REG(3, 0, 0, 0, 0));
    get_reg("mpidr", ARM64_SYS_REG(3, 0, 0, 0, 5));
}
#else
static void vcpu_calls(void)
{
    struct kvm_regs regs = { };
    struct kvm_sregs sregs = { };
    uint32_t tcr = 0;
    struct kvm_one_reg one = { .id = KVM_REG_PPC_TCR, .addr = (uintptr_t)&tcr };
    int ret;

    vcpu = show("vcpu 0", ioctl(vm, KVM_CREATE_VCPU, 0), 0);
    show("vcpu 1", ioctl(vm, KVM_CREATE_VCPU, 1), 0);
    ret = ioctl(vcpu, KVM_GET_REGS, &regs);
    show("regs 1", ret, regs.pc);
    regs.pc = 0;
    ret = ioctl(vcpu, KVM_GET_REGS, &regs);
    show("regs 2", ret, regs.pc);
    show("sregs", ioctl(vcpu, KVM_GET_SREGS, &sregs), 0);
    ret = ioctl(vcpu, KVM_GET_ONE_REG, &one);
    show("tcr", ret, tcr);
}
#endif

int main(void)
{
    struct kvm_create_device device = {
#ifdef __aarch64__
        .type = KVM_DEV_TYPE_ARM_VGIC_V3,
#else
        .type = KVM_DEV_TYPE_FSL_MPIC_42,
#endif
    };
    struct kvm_create_device test = { .type = device.type, .flags = KVM_CREATE_DEVICE_TEST };
    int kvm = show("open 1", open("/dev/kvm", O_RDWR), 0);
    int ret = ioctl(kvm, KVM_GET_API_VERSION, 0);

    show("version", ret, ret);
    show("open 2", open("/dev/kvm", O_RDWR), 0);
    ret = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
    show("slots", ret, ret);
    ret = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY);
    show("memory", ret, ret);
    for (int i = 1; i <= 3; i++) {
        char what[8];

        snprintf(what, sizeof(what), "vm %d", i);
        ret = show(what, ioctl(kvm, KVM_CREATE_VM, 0), 0);
        vm = vm < 0 ? ret : vm;
    }
    vcpu_calls();
    show("device 1", ioctl(vm, KVM_CREATE_DEVICE, &device), 0);
    show("device 2", ioctl(vm, KVM_CREATE_DEVICE, &test), 0);
    ask_attr("attr 1:0", device.fd, 1, 0);
    ask_attr("attr 1:4", device.fd, 1, 4);
    ask_attr("attr 2:0", device.fd, 2, 0);
    return 0;
}
