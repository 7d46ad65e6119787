/*
 * The table of Arm CPU types that KVM may run
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "target/arm/kvm-consts.h"
#include "target/arm/kvm-models.h"

/* MIDR_EL1 as QEMU's models have it, of some revision */
static const struct {
    const char *type;
    uint64_t midr;
} midrs[] = {
    { "cortex-a7-arm-cpu", 0x410fc075 },
    { "cortex-a15-arm-cpu", 0x414fc0f0 },
    { "cortex-a35-arm-cpu", 0x411fd040 },
    { "cortex-a53-arm-cpu", 0x410fd034 },
    { "cortex-a55-arm-cpu", 0x412fd050 },
    { "cortex-a57-arm-cpu", 0x411fd070 },
    { "cortex-a72-arm-cpu", 0x410fd083 },
    { "cortex-a76-arm-cpu", 0x414fd0b1 },
    { "cortex-a710-arm-cpu", 0x412fd471 },
    { "a64fx-arm-cpu", 0x461f0010 },
    { "neoverse-n1-arm-cpu", 0x414fd0c1 },
    { "neoverse-n2-arm-cpu", 0x410fd493 },
    { "neoverse-v1-arm-cpu", 0x411fd402 },
};

/* Each MIDR_EL1 is that of its model and of no other. */
static void test_midr(void)
{
    for (int i = 0; i < ARRAY_SIZE(midrs); i++) {
        g_autofree char *name = kvm_arm_midr_name(midrs[i].midr);

        for (int j = 0; j < ARRAY_SIZE(midrs); j++) {
            const KVMArmModel *model = kvm_arm_model(midrs[j].type);

            g_assert_nonnull(model);
            g_assert_cmpint(kvm_arm_model_is_midr(model, midrs[i].midr), ==,
                            i == j);
            /* Another revision and variant is the same CPU. */
            g_assert_cmpint(kvm_arm_model_is_midr(model,
                                                  midrs[i].midr ^ 0x50000a),
                            ==, i == j);
            g_assert_cmpint(g_str_equal(model->title, name), ==, i == j);
        }
    }
}

static void test_unknown(void)
{
    g_autofree char *name = kvm_arm_midr_name(0x431f0af1);

    g_assert_null(kvm_arm_model(""));
    g_assert_null(kvm_arm_model("cortex-a57"));
    g_assert_null(kvm_arm_model("cortex-a5-arm-cpu"));
    g_assert_null(kvm_arm_model("cortex-a570-arm-cpu"));
    g_assert_null(kvm_arm_model("cortex-m3-arm-cpu"));
    g_assert_cmpstr(name, ==, "part number 0x0af of implementer 0x43");
    g_assert_cmpstr(kvm_arm_target_name(5), ==, "generic Armv8");
    g_assert_cmpstr(kvm_arm_target_name(6), ==, "unknown");
    g_assert_cmpstr(kvm_arm_target_name(UINT32_MAX), ==, "unknown");
}

/* A host's CPUs, their kinds, and how to keep QEMU on those of one kind */
static void test_cpus_differ(void)
{
    static const uint64_t alike[] = { 0x410fd034, 0, 0x410fd033, 0x411fd034 };
    static const uint64_t mixed[] = {
        0x411fd070, 0x410fd034, 0x410fd033, 0x411fd070, 0, 0x410fd034,
        0x510fd034,
    };
    static const struct {
        const char *type, *end;
    } wanted[] = {
        { NULL, "; start QEMU with 'taskset -c 0,3' or 'taskset -c 1-2,5' or "
                "'taskset -c 6'" },
        { "host-arm-cpu", "; start QEMU with 'taskset -c 0,3' or 'taskset -c "
                          "1-2,5' or 'taskset -c 6'" },
        { "cortex-a53-arm-cpu", "; start QEMU with 'taskset -c 1-2,5'" },
        { "cortex-a72-arm-cpu", "" },
    };

    g_assert_null(kvm_arm_cpus_differ(NULL, 0, NULL));
    g_assert_null(kvm_arm_cpus_differ(alike, ARRAY_SIZE(alike), NULL));
    for (int i = 0; i < ARRAY_SIZE(wanted); i++) {
        const KVMArmModel *model = wanted[i].type ?
                                   kvm_arm_model(wanted[i].type) : NULL;
        g_autofree char *is = kvm_arm_cpus_differ(mixed, ARRAY_SIZE(mixed),
                                                  model);
        g_autofree char *expected =
            g_strconcat("this host's CPUs differ: Cortex-A57 (0,3), Cortex-A53 "
                        "(1-2,5), part number 0xd03 of implementer 0x51 (6)",
                        wanted[i].end, NULL);

        g_assert_cmpstr(is, ==, expected);
    }
}

/* What a CPU type may ask for is what it has. */
static void test_features(void)
{
    static const char *const sve[] = {
        "a64fx-arm-cpu", "cortex-a710-arm-cpu", "neoverse-n2-arm-cpu",
        "neoverse-v1-arm-cpu",
    };

    for (int i = 0; i < ARRAY_SIZE(midrs); i++) {
        const KVMArmModel *model = kvm_arm_model(midrs[i].type);
        bool has_sve = false;

        for (int s = 0; s < ARRAY_SIZE(sve); s++) {
            has_sve |= g_str_equal(midrs[i].type, sve[s]);
        }
        g_assert_cmpint(!!(model->features & KVM_ARM_MODEL_SVE), ==, has_sve);
        g_assert_cmpint(!!(model->features & KVM_ARM_MODEL_PAUTH), ==,
                        has_sve && model->implementer == 0x41);
        g_assert_cmpint(!!(model->features & KVM_ARM_MODEL_PMU), ==,
                        model->aarch64);
    }
    g_assert_cmpint(kvm_arm_model("host-arm-cpu")->features, ==, 0);
    g_assert_cmpint(kvm_arm_model("host-arm-cpu")->part, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kvm-arm-models/midr", test_midr);
    g_test_add_func("/kvm-arm-models/unknown", test_unknown);
    g_test_add_func("/kvm-arm-models/cpus-differ", test_cpus_differ);
    g_test_add_func("/kvm-arm-models/features", test_features);
    return g_test_run();
}
