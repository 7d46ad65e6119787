/*
 * Arm CPU types as KVM knows them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "kvm-consts.h"
#include "kvm-models.h"

#define ARM 0x41
#define FUJITSU 0x46

#define PMU KVM_ARM_MODEL_PMU
#define SVE KVM_ARM_MODEL_SVE
#define PAUTH KVM_ARM_MODEL_PAUTH

/*
 * Implementers and part numbers: MIDR_EL1 in the Arm Architecture Reference
 * Manual and in each CPU's Technical Reference Manual.
 */
static const KVMArmModel models[] = {
    { "host", NULL, 0, 0, true },
    { "max", NULL, 0, 0, true },
    { "cortex-a7", "Cortex-A7", ARM, 0xc07, false },
    { "cortex-a15", "Cortex-A15", ARM, 0xc0f, false },
    { "cortex-a35", "Cortex-A35", ARM, 0xd04, true, PMU },
    { "cortex-a53", "Cortex-A53", ARM, 0xd03, true, PMU },
    { "cortex-a55", "Cortex-A55", ARM, 0xd05, true, PMU },
    { "cortex-a57", "Cortex-A57", ARM, 0xd07, true, PMU },
    { "cortex-a72", "Cortex-A72", ARM, 0xd08, true, PMU },
    { "cortex-a76", "Cortex-A76", ARM, 0xd0b, true, PMU },
    { "cortex-a710", "Cortex-A710", ARM, 0xd47, true,
      PMU | SVE | PAUTH },
    { "a64fx", "A64FX", FUJITSU, 0x001, true, PMU | SVE },
    { "neoverse-n1", "Neoverse-N1", ARM, 0xd0c, true, PMU },
    { "neoverse-n2", "Neoverse-N2", ARM, 0xd49, true,
      PMU | SVE | PAUTH },
    { "neoverse-v1", "Neoverse-V1", ARM, 0xd40, true,
      PMU | SVE | PAUTH },
};

static uint8_t midr_implementer(uint64_t midr)
{
    return midr >> 24;
}

static uint16_t midr_part(uint64_t midr)
{
    return midr >> 4 & 0xfff;
}

const KVMArmModel *kvm_arm_model(const char *type)
{
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        size_t len = strlen(models[i].name);

        if (!strncmp(type, models[i].name, len) &&
            g_str_equal(type + len, "-arm-cpu")) {
            return &models[i];
        }
    }
    return NULL;
}

bool kvm_arm_model_is_midr(const KVMArmModel *model, uint64_t midr)
{
    return model->implementer == midr_implementer(midr) &&
           model->part == midr_part(midr);
}

char *kvm_arm_midr_name(uint64_t midr)
{
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        if (models[i].title && kvm_arm_model_is_midr(&models[i], midr)) {
            return g_strdup(models[i].title);
        }
    }
    return g_strdup_printf("part number 0x%03x of implementer 0x%02x",
                           midr_part(midr), midr_implementer(midr));
}

const char *kvm_arm_target_name(uint32_t target)
{
    static const char *const names[] = {
        [QEMU_KVM_ARM_TARGET_AEM_V8] = "AEMv8",
        [QEMU_KVM_ARM_TARGET_FOUNDATION_V8] = "Foundation-v8",
        [QEMU_KVM_ARM_TARGET_CORTEX_A57] = "Cortex-A57",
        [QEMU_KVM_ARM_TARGET_XGENE_POTENZA] = "X-Gene Potenza",
        [QEMU_KVM_ARM_TARGET_CORTEX_A53] = "Cortex-A53",
        [QEMU_KVM_ARM_TARGET_GENERIC_V8] = "generic Armv8",
    };

    return target < ARRAY_SIZE(names) ? names[target] : "unknown";
}
