/*
 * KVM vCPU targets of Arm CPU types
 *
 * What the kernel accepts is only known by asking it with a scratch vCPU:
 * before Linux 6.6 the target had to be the host's own, since then it may
 * also be the generic one, and each feature depends on the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qapi/util.h"
#include "qemu/error-report.h"
#include "system/accel-choice.h"
#include "system/kvm_int.h"
#include "cpu.h"
#include "kvm_arm.h"
#include "kvm-target.h"

static const struct {
    const char *type;
    uint32_t target;
} models[] = {
    { ARM_CPU_TYPE_NAME("host"), KVM_ARM_TARGET_PREFERRED },
    { ARM_CPU_TYPE_NAME("max"), KVM_ARM_TARGET_PREFERRED },
    { ARM_CPU_TYPE_NAME("cortex-a53"), KVM_ARM_TARGET_CORTEX_A53 },
    { ARM_CPU_TYPE_NAME("cortex-a57"), KVM_ARM_TARGET_CORTEX_A57 },
};

static const char *kvm_target_name(uint32_t target)
{
    static const char *const names[] = {
        [KVM_ARM_TARGET_AEM_V8] = "AEMv8",
        [KVM_ARM_TARGET_FOUNDATION_V8] = "Foundation-v8",
        [KVM_ARM_TARGET_CORTEX_A57] = "Cortex-A57",
        [KVM_ARM_TARGET_XGENE_POTENZA] = "X-Gene Potenza",
        [KVM_ARM_TARGET_CORTEX_A53] = "Cortex-A53",
        [KVM_ARM_TARGET_GENERIC_V8] = "generic Armv8",
    };

    return target < ARRAY_SIZE(names) ? names[target] : "unknown";
}

bool kvm_arm_model_target(ObjectClass *oc, uint32_t *target)
{
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        if (g_str_equal(object_class_get_name(oc), models[i].type)) {
            *target = models[i].target;
            return true;
        }
    }
    return false;
}

void kvm_arm_destroy_scratch_host_vcpu(const int fdarray[3])
{
    for (int i = 2; i >= 0; i--) {
        if (fdarray[i] >= 0) {
            /* The first one may be a duplicate from an fdset. */
            qemu_close(fdarray[i]);
        }
    }
}

bool kvm_arm_create_scratch_host_vcpu(const KVMState *s, bool mte,
                                      int fdarray[3], Error **errp)
{
    struct kvm_enable_cap mte_cap = { .cap = KVM_CAP_ARM_MTE };
    const char *step;
    int ipa_bits;

    fdarray[1] = fdarray[2] = -1;
    fdarray[0] = kvm_probe_open(s, errp);
    if (fdarray[0] < 0) {
        return false;
    }

    /* Hosts whose IPA space is not 40 bits wide refuse a VM of type 0. */
    ipa_bits = ioctl(fdarray[0], KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    step = "KVM_CREATE_VM";
    do {
        fdarray[1] = ioctl(fdarray[0], KVM_CREATE_VM, MAX(ipa_bits, 0));
    } while (fdarray[1] < 0 && errno == EINTR);

    if (fdarray[1] >= 0) {
        if (mte) {
            ioctl(fdarray[1], KVM_ENABLE_CAP, &mte_cap);
        }

        step = "KVM_CREATE_VCPU";
        fdarray[2] = ioctl(fdarray[1], KVM_CREATE_VCPU, 0);
    }
    if (fdarray[2] < 0) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND,
                  "the kernel refuses a scratch vCPU: %s: %s", step,
                  strerror(errno));
        kvm_arm_destroy_scratch_host_vcpu(fdarray);
        return false;
    }
    return true;
}

bool kvm_arm_init_scratch_host_vcpu(const int fdarray[3],
                                    struct kvm_vcpu_init *init, Error **errp)
{
    /*
     * Linux before 3.12 has no KVM_ARM_PREFERRED_TARGET and knows no other
     * targets than these, of which it accepts the host's own.
     */
    static const uint32_t old_targets[] = {
        KVM_ARM_TARGET_AEM_V8,
        KVM_ARM_TARGET_FOUNDATION_V8,
        KVM_ARM_TARGET_CORTEX_A57,
    };
    struct kvm_vcpu_init preferred = { };
    bool has_preferred = !ioctl(fdarray[1], KVM_ARM_PREFERRED_TARGET,
                                &preferred);
    bool any = init->target == KVM_ARM_TARGET_PREFERRED;
    int ret = -1;

    if (any && !has_preferred) {
        for (int i = 0; ret < 0 && i < ARRAY_SIZE(old_targets); i++) {
            init->target = old_targets[i];
            ret = ioctl(fdarray[2], KVM_ARM_VCPU_INIT, init);
        }
    } else {
        if (any) {
            init->target = preferred.target;
        }
        ret = ioctl(fdarray[2], KVM_ARM_VCPU_INIT, init);
    }
    if (!ret) {
        return true;
    }

    if (any || (has_preferred && init->target == preferred.target)) {
        error_setg(errp, "the kernel refuses features 0x%x for this host's "
                   "vCPU target: KVM_ARM_VCPU_INIT: %s",
                   init->features[0], strerror(errno));
    } else {
        error_setg(errp, "the kernel refuses vCPU target %" PRIu32 " (%s)%s%s: "
                   "KVM_ARM_VCPU_INIT: %s",
                   init->target, kvm_target_name(init->target),
                   has_preferred ? ", this host's is " : "",
                   has_preferred ? kvm_target_name(preferred.target) : "",
                   strerror(errno));
    }
    return false;
}

bool kvm_arch_can_run_cpu(KVMState *s, const AccelCPURequest *cpu,
                          Error **errp)
{
    g_autofree char *aarch64 =
        accel_cpu_request_property(cpu, "aarch64");
    struct kvm_vcpu_init init = { };
    bool is_64bit = true;
    int fdarray[3];
    bool ok;

    if (!object_class_dynamic_cast(cpu->oc, TYPE_AARCH64_CPU)) {
        error_setg(errp, "it is a 32-bit CPU type, and KVM on AArch64 hosts "
                   "has vCPU targets for 64-bit ones only");
        return false;
    }
    if (!kvm_arm_model_target(cpu->oc, &init.target)) {
        error_setg(errp, "there is no KVM vCPU target for it");
        return false;
    }
    /* A value that is no boolean is reported when the CPU is created. */
    if (aarch64 && qapi_bool_parse("aarch64", aarch64, &is_64bit, NULL) &&
        !is_64bit) {
        init.features[0] |= 1 << KVM_ARM_VCPU_EL1_32BIT;
    }

    if (!kvm_arm_create_scratch_host_vcpu(s, false, fdarray, errp)) {
        return false;
    }
    if (!is_64bit && ioctl(fdarray[0], KVM_CHECK_EXTENSION,
                           KVM_CAP_ARM_EL1_32BIT) <= 0) {
        error_setg(errp, "aarch64=off needs a host CPU with AArch32 at EL1 "
                   "(KVM_CAP_ARM_EL1_32BIT)");
        ok = false;
    } else {
        ok = kvm_arm_init_scratch_host_vcpu(fdarray, &init, errp);
    }
    kvm_arm_destroy_scratch_host_vcpu(fdarray);
    return ok;
}

void kvm_arm_limit_to_aarch32(ARMCPU *cpu)
{
    ARMISARegisters *isar = &cpu->isar;

    isar->id_aa64pfr0 = FIELD_DP64(isar->id_aa64pfr0, ID_AA64PFR0, SVE, 0);
    isar->id_aa64isar1 = FIELD_DP64(isar->id_aa64isar1, ID_AA64ISAR1, APA, 0);
    isar->id_aa64isar1 = FIELD_DP64(isar->id_aa64isar1, ID_AA64ISAR1, API, 0);
    isar->id_aa64isar1 = FIELD_DP64(isar->id_aa64isar1, ID_AA64ISAR1, GPA, 0);
    isar->id_aa64isar1 = FIELD_DP64(isar->id_aa64isar1, ID_AA64ISAR1, GPI, 0);
    isar->id_aa64isar2 = FIELD_DP64(isar->id_aa64isar2, ID_AA64ISAR2, APA3, 0);
    isar->id_aa64isar2 = FIELD_DP64(isar->id_aa64isar2, ID_AA64ISAR2, GPA3, 0);
}
