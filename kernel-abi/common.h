/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the series needs of linux/kvm.h on every architecture.
 */
#include "abi.h"

/* The question to KVM: a descriptor, a VM, a vCPU, and what they can. */
VALUE(KVM_API_VERSION, 12);
IOCTL(KVM_GET_API_VERSION, N, 0x00, 0);
IOCTL(KVM_CREATE_VM, N, 0x01, 0);
IOCTL(KVM_CHECK_EXTENSION, N, 0x03, 0);
IOCTL(KVM_GET_VCPU_MMAP_SIZE, N, 0x04, 0);
IOCTL(KVM_CREATE_VCPU, N, 0x41, 0);
IOCTL(KVM_RUN, N, 0x80, 0);
VALUE(KVM_CAP_MP_STATE, 14);

/* Capabilities that are switched on, for a VM or for a vCPU. */
IOCTL(KVM_ENABLE_CAP, W, 0xa3, 104);
SIZE(struct kvm_enable_cap, 104);
FIELD(struct kvm_enable_cap, cap, 0, 4);
FIELD(struct kvm_enable_cap, flags, 4, 4);
FIELD(struct kvm_enable_cap, args, 8, 32);

/* Registers, one by one. */
VALUE(KVM_CAP_ONE_REG, 70);
IOCTL(KVM_GET_ONE_REG, W, 0xab, 16);
IOCTL(KVM_SET_ONE_REG, W, 0xac, 16);
SIZE(struct kvm_one_reg, 16);
FIELD(struct kvm_one_reg, id, 0, 8);
FIELD(struct kvm_one_reg, addr, 8, 8);
IOCTL(KVM_GET_REG_LIST, WR, 0xb0, 8);
SIZE(struct kvm_reg_list, 8);
FIELD(struct kvm_reg_list, n, 0, 8);
_Static_assert(__builtin_offsetof(struct kvm_reg_list, reg) == 8, "struct kvm_reg_list has reg not at offset 8");
VALUE(KVM_REG_ARCH_MASK, 0xff00000000000000);
VALUE(KVM_REG_SIZE_SHIFT, 52);
VALUE(KVM_REG_SIZE_MASK, 0x00f0000000000000);
VALUE(KVM_REG_SIZE_U8, 0x0000000000000000);
VALUE(KVM_REG_SIZE_U16, 0x0010000000000000);
VALUE(KVM_REG_SIZE_U32, 0x0020000000000000);
VALUE(KVM_REG_SIZE_U64, 0x0030000000000000);
VALUE(KVM_REG_SIZE_U128, 0x0040000000000000);
VALUE(KVM_REG_SIZE_U256, 0x0050000000000000);
VALUE(KVM_REG_SIZE_U512, 0x0060000000000000);
VALUE(KVM_REG_SIZE_U1024, 0x0070000000000000);
VALUE(KVM_REG_SIZE_U2048, 0x0080000000000000);

/* Devices that the kernel emulates: the interrupt controllers. */
VALUE(KVM_CAP_DEVICE_CTRL, 89);
IOCTL(KVM_CREATE_DEVICE, WR, 0xe0, 12);
SIZE(struct kvm_create_device, 12);
FIELD(struct kvm_create_device, type, 0, 4);
FIELD(struct kvm_create_device, fd, 4, 4);
FIELD(struct kvm_create_device, flags, 8, 4);
IOCTL(KVM_SET_DEVICE_ATTR, W, 0xe1, 24);
IOCTL(KVM_GET_DEVICE_ATTR, W, 0xe2, 24);
IOCTL(KVM_HAS_DEVICE_ATTR, W, 0xe3, 24);
SIZE(struct kvm_device_attr, 24);
FIELD(struct kvm_device_attr, flags, 0, 4);
FIELD(struct kvm_device_attr, group, 4, 4);
FIELD(struct kvm_device_attr, attr, 8, 8);
FIELD(struct kvm_device_attr, addr, 16, 8);
