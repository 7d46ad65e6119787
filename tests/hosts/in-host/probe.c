// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is /dev/kvm a real one? Creates a VM and a vCPU, enters it, and prints what
 * it got, one "name value" line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* A call's result: a descriptor counts as "ok", a failure has its reason. */
static const char *word(int result)
{
    return result < 0 ? strerror(errno) : "ok";
}

int main(void)
{
    int kvm = open("/dev/kvm", O_RDWR), vm, vcpu, size;
    struct kvm_run *run;

    printf("open %s\n", word(kvm));
    printf("api-version %d\n", ioctl(kvm, KVM_GET_API_VERSION, 0));
    vm = ioctl(kvm, KVM_CREATE_VM, 0);
    printf("create-vm %s\n", word(vm));
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    printf("create-vcpu %s\n", word(vcpu));
#ifdef __aarch64__
    {
        struct kvm_vcpu_init init = { 0 };

        ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
        printf("preferred-target %u\n", init.target);
        printf("vcpu-init %s\n", word(ioctl(vcpu, KVM_ARM_VCPU_INIT, &init)));
    }
#endif
    size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED) {
        printf("run mmap: %s\n", strerror(errno));
        return 1;
    }
    /* Enters the kernel's run loop and comes straight back out of it. */
    run->immediate_exit = 1;
    ioctl(vcpu, KVM_RUN, 0);
    printf("run %s\n", strerror(errno));
    return 0;
}
