/*
 * Arm CPU types as KVM knows them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_MODELS_H
#define TARGET_ARM_KVM_MODELS_H

/* Lets the kernel choose: KVM_ARM_PREFERRED_TARGET is the host's own CPU. */
#define KVM_ARM_TARGET_PREFERRED UINT32_MAX

/* Optional parts of a model, which become KVM_ARM_VCPU_* features */
enum {
    KVM_ARM_MODEL_PMU = 1,
    KVM_ARM_MODEL_SVE = 2,
    KVM_ARM_MODEL_PAUTH = 4,
};

/**
 * KVMArmModel: a CPU type
 * @name: as in ``-cpu``
 * @title: its name in Arm's manuals, or NULL where it is the host's CPU
 * @implementer: MIDR_EL1.Implementer
 * @part: MIDR_EL1.PartNum; 0 where it is the host's CPU
 * @aarch64: whether it has AArch64 at EL1
 * @target: KVM vCPU target that Linux before 6.6 wants for this CPU and no
 *     other; KVM_ARM_TARGET_PREFERRED for the host's CPU, whichever it is
 * @features: KVM_ARM_MODEL_* that it has
 */
typedef struct KVMArmModel {
    const char *name;
    const char *title;
    uint8_t implementer;
    uint16_t part;
    bool aarch64;
    uint32_t target;
    uint32_t features;
} KVMArmModel;

/**
 * kvm_arm_model:
 * @type: name of a QOM type
 *
 * Returns: the model of that CPU type, or NULL if KVM has never heard of it
 */
const KVMArmModel *kvm_arm_model(const char *type);

/**
 * kvm_arm_midr_name:
 * @midr: a MIDR_EL1 value
 *
 * Returns: the name of that CPU in Arm's manuals, or else its implementer and
 * part number; to be freed with g_free()
 */
char *kvm_arm_midr_name(uint64_t midr);

/**
 * kvm_arm_model_is_midr:
 * @model: a model, not the host's CPU
 * @midr: a MIDR_EL1 value
 *
 * Returns: true if @midr is that CPU, of whatever revision
 */
bool kvm_arm_model_is_midr(const KVMArmModel *model, uint64_t midr);

/* As many targets as kvm_arm_model_targets() may fill in */
#define KVM_ARM_MAX_TARGETS 3

/**
 * kvm_arm_model_targets:
 * @model: a model
 * @preferred: what KVM_ARM_PREFERRED_TARGET answered, or
 *     KVM_ARM_TARGET_PREFERRED where the kernel does not have it
 * @targets: filled in with the targets to try, in this order
 *
 * The rules changed with time:
 *
 * - Linux 3.9 to 3.11 has no KVM_ARM_PREFERRED_TARGET, and accepts the number
 *   of the host's own CPU, which is one of the first three;
 * - from 3.12 on it names the target of the host's CPU. Other CPUs than those
 *   with a number of their own have GENERIC_V8 since 4.3;
 * - since 6.6 it is always GENERIC_V8, and the host's own number is accepted
 *   too (arch/arm64/kvm/arm.c, kvm_vcpu_init_check_features() and its caller).
 *
 * So what is preferred is always right where it can be asked for.
 *
 * Returns: how many there are; none if such a kernel cannot have the model
 */
int kvm_arm_model_targets(const KVMArmModel *model, uint32_t preferred,
                          uint32_t targets[KVM_ARM_MAX_TARGETS]);

/**
 * kvm_arm_target_name:
 * @target: a KVM vCPU target
 *
 * Returns: its name, or "unknown"
 */
const char *kvm_arm_target_name(uint32_t target);

#endif
