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

bool kvm_arm_midr_is_kind(uint64_t midr, uint64_t other)
{
    return midr_implementer(midr) == midr_implementer(other) &&
           midr_part(midr) == midr_part(other);
}

/* Those of @n CPUs that are of the kind of @midr, as taskset has them */
static char *cpu_list(const uint64_t *midrs, unsigned n, uint64_t midr)
{
    GString *s = g_string_new(NULL);

    for (unsigned from = 0, to; from < n; from = to + 1) {
        for (to = from; to < n && kvm_arm_midr_is_kind(midrs[to], midr); to++) {
            /* the next one */
        }
        if (to > from) {
            g_string_append_printf(s, "%s%u", s->len ? "," : "", from);
        }
        if (to > from + 1) {
            g_string_append_printf(s, "-%u", to - 1);
        }
    }
    return g_string_free(s, false);
}

char *kvm_arm_cpus_differ(const uint64_t *midrs, unsigned n,
                          const KVMArmModel *model)
{
    g_autoptr(GString) kinds = g_string_new(NULL);
    g_autoptr(GString) remedy = g_string_new(NULL);
    int n_kinds = 0;

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *cpus = NULL, *name = NULL;
        unsigned first = 0;

        while (!kvm_arm_midr_is_kind(midrs[first], midrs[i])) {
            first++;
        }
        if (!midrs[i] || first < i) {
            continue;
        }
        cpus = cpu_list(midrs, n, midrs[i]);
        name = kvm_arm_midr_name(midrs[i]);
        g_string_append_printf(kinds, "%s%s (%s)", n_kinds++ ? ", " : "", name,
                               cpus);
        if (!model || !model->part || kvm_arm_model_is_midr(model, midrs[i])) {
            g_string_append_printf(remedy, "%s'taskset -c %s'",
                                   remedy->len ? " or " : "", cpus);
        }
    }
    if (n_kinds < 2) {
        return NULL;
    }
    return g_strdup_printf("this host's CPUs differ: %s%s%s", kinds->str,
                           remedy->len ? "; start QEMU with " : "",
                           remedy->str);
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
