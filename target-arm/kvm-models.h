/*
 * Arm CPU types as KVM knows them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_MODELS_H
#define TARGET_ARM_KVM_MODELS_H

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
 * @features: KVM_ARM_MODEL_* that it has
 */
typedef struct KVMArmModel {
    const char *name;
    const char *title;
    uint8_t implementer;
    uint16_t part;
    bool aarch64;
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

/**
 * kvm_arm_midr_is_kind:
 * @midr: a MIDR_EL1 value
 * @other: another one
 *
 * Returns: true if both are the same CPU, of whatever revision
 */
bool kvm_arm_midr_is_kind(uint64_t midr, uint64_t other);

/**
 * kvm_arm_cpus_differ:
 * @midrs: MIDR_EL1 of each CPU of a host from 0 on; 0 where it does not count
 * @n: how many there are
 * @model: the model that is wanted, or NULL for any
 *
 * Returns: for messages, which CPUs are of which kind, and how to start QEMU on
 * those that are @model; to be freed with g_free(). NULL if they are all alike
 */
char *kvm_arm_cpus_differ(const uint64_t *midrs, unsigned n,
                          const KVMArmModel *model);

/**
 * kvm_arm_target_name:
 * @target: a KVM vCPU target
 *
 * Returns: its name, or "unknown"
 */
const char *kvm_arm_target_name(uint32_t target);

#endif
