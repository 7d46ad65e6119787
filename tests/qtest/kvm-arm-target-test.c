/*
 * Every Arm CPU type becomes the vCPU that it promises, or an honest no.
 *
 * Claims:
 * - what QEMU answers before the machine is built is what happens when it is
 *   started, and what query-cpu-definitions has;
 * - the host's own CPU runs, by whatever KVM vCPU target;
 * - another one runs only where the kernel shows it, and then the guest reads
 *   what it reads under TCG;
 * - a guest that asks on which CPUs it may run is told;
 * - each property that needs the host is part of the question.
 * What the host can do is what its kernel answers this program.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "accel-choice-util.h"
#include "qobject/qbool.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"

#ifdef HOST_ARM_KVM
#include <sys/ioctl.h>
#include <linux/kvm.h>
#endif

/* KVM_ARM_VCPU_* and capabilities (include/uapi of Linux) */
#define EL1_32BIT       (1 << 1)
#define PMU_V3          (1 << 3)
#define SVE             (1 << 4)
#define PTRAUTH         (3 << 5)
#define CAP_STEAL_TIME  187
#define CAP_MTE         205
#define CAP_IMP_ID_REGS 239
#define CAP_EL2         240

/* Without it no other CPU than the host's is shown. */
#define LOSSY ",kvm-lose-errata-workarounds=on"

/* MIDR_EL1 of QEMU's models; 0 where it is the host's */
static const struct {
    const char *cpu;
    uint32_t midr;
    uint32_t features;
} models[] = {
    { "host", 0 },
    { "max", 0 },
    { "cortex-a7", 0x410fc075, EL1_32BIT },
    { "cortex-a15", 0x414fc0f0, EL1_32BIT },
    { "cortex-a35", 0x411fd040, PMU_V3 },
    { "cortex-a53", 0x410fd034, PMU_V3 },
    { "cortex-a55", 0x412fd050, PMU_V3 },
    { "cortex-a57", 0x411fd070, PMU_V3 },
    { "cortex-a72", 0x410fd083, PMU_V3 },
    { "cortex-a76", 0x414fd0b1, PMU_V3 },
    { "cortex-a710", 0x412fd471, PMU_V3 | SVE | PTRAUTH },
    { "a64fx", 0x461f0010, PMU_V3 | SVE },
    { "neoverse-n1", 0x414fd0c1, PMU_V3 },
    { "neoverse-n2", 0x410fd493, PMU_V3 | SVE | PTRAUTH },
    { "neoverse-v1", 0x411fd402, PMU_V3 | SVE | PTRAUTH },
};

/* Skips a test that needs a KVM for AArch64 guests, on other hosts */
static bool needs_arm_kvm(void)
{
    if (qtest_has_accel("kvm")) {
        return true;
    }
    g_test_skip("needs an AArch64 host with /dev/kvm");
    return false;
}

#ifdef HOST_ARM_KVM
/*
 * Whether the kernel would initialise a vCPU of the host's CPU with @features,
 * and take @request, KVM_GET_ONE_REG or KVM_SET_ONE_REG, of its register @id.
 * @value: of that register, or NULL for no request
 */
static bool kernel_takes(uint32_t features, unsigned long request, uint64_t id,
                         uint64_t *value)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int ipa = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    int vm = ioctl(kvm, KVM_CREATE_VM, MAX(ipa, 0));
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    struct kvm_vcpu_init init = { };
    struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };
    bool ok;

    g_assert_cmpint(vcpu, >=, 0);
    g_assert_cmpint(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), ==, 0);
    init.features[0] = features;
    ok = !ioctl(vcpu, KVM_ARM_VCPU_INIT, &init) &&
         (!value || !ioctl(vcpu, request, &reg));
    close(vcpu);
    close(vm);
    close(kvm);
    return ok;
}
#endif

/* The same, and @midr is filled in with its MIDR_EL1 unless it is NULL. */
static bool kernel_accepts(uint32_t features, uint64_t *midr)
{
#ifdef HOST_ARM_KVM
    return kernel_takes(features, KVM_GET_ONE_REG,
                        ARM64_SYS_REG(3, 0, 0, 0, 0), midr);
#else
    g_assert_not_reached();
#endif
}

static bool kernel_has(int cap)
{
#ifdef HOST_ARM_KVM
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    bool has = ioctl(kvm, KVM_CHECK_EXTENSION, cap) > 0;

    close(kvm);
    return has;
#else
    g_assert_not_reached();
#endif
}

/* How many bits of address a guest's memory may need */
static int kernel_ipa_bits(void)
{
#ifdef HOST_ARM_KVM
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

    close(kvm);
    return bits > 0 ? bits : 40;
#else
    g_assert_not_reached();
#endif
}

/* Whether the kernel makes such an interrupt controller for guests */
static bool kernel_has_gic(int version)
{
#ifdef HOST_ARM_KVM
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int ipa = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    int vm = ioctl(kvm, KVM_CREATE_VM, MAX(ipa, 0));
    struct kvm_create_device dev = {
        .type = version == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2
                             : KVM_DEV_TYPE_ARM_VGIC_V3,
        .flags = KVM_CREATE_DEVICE_TEST,
    };
    bool has = version < 4 && !ioctl(vm, KVM_CREATE_DEVICE, &dev);

    close(vm);
    close(kvm);
    return has;
#else
    g_assert_not_reached();
#endif
}

static bool is_host_cpu(uint32_t midr)
{
    uint64_t host;

    g_assert_true(kernel_accepts(0, &host));
    return ((host ^ midr) & 0xff00fff0) == 0;   /* implementer and part */
}

/* What QEMU with KVM alone answers before the machine is built */
static bool accepted(const char *cpu)
{
    g_autofree char *args = g_strdup_printf("-M virt -accel kvm -cpu %s", cpu);
    g_autofree char *err = NULL;
    int status = accel_run(&err, args);

    g_assert_cmpint(accel_count(err, "kvm cannot run CPU type '"), ==, status);
    return !status;
}

/* Why @cpu cannot run, as query-cpu-definitions of a QEMU with KVM has it */
static char *definition(const char *cpu)
{
    static QDict *rsp;
    char *reason = NULL;
    bool found = false;
    QListEntry *e;

    if (!rsp) {
        QTestState *qts = qtest_init("-M none -accel kvm");

        rsp = qtest_qmp(qts, "{ 'execute': 'query-cpu-definitions' }");
        qtest_quit(qts);
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if (g_str_equal(qdict_get_str(d, "name"), cpu)) {
            found = true;
            g_assert_true(qdict_haskey(d, "unavailable-features"));
            reason = g_strdup(qdict_get_try_str(d, "unavailable-reason"));
            g_assert_true(qlist_empty(qdict_get_qlist(d,
                                      "unavailable-features")) == !reason);
        }
    }
    g_assert_true(found);
    return reason;
}

/* The models' MIDR_EL1 are those of the CPUs that TCG runs. */
static void test_midr(void)
{
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        g_autofree char *args = g_strdup_printf(
            "-M virt -accel tcg -cpu %s -S", models[i].cpu);
        QTestState *qts;
        QDict *rsp, *cpu;

        if (!models[i].midr) {
            continue;
        }
        qts = qtest_init(args);
        rsp = qtest_qmp(qts, "{ 'execute': 'query-cpus-fast' }");
        cpu = qobject_to(QDict, qlist_peek(qdict_get_qlist(rsp, "return")));
        cpu = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                        "'path': %s, 'property': 'midr' } }",
                        qdict_get_str(cpu, "qom-path"));
        g_assert_cmphex(qdict_get_int(cpu, "return"), ==, models[i].midr);
        qobject_unref(cpu);
        qobject_unref(rsp);
        qtest_quit(qts);
    }
}

static void test_models(void)
{
    if (!needs_arm_kvm()) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        g_autofree char *why = definition(models[i].cpu);
        bool ok = accepted(models[i].cpu);

        g_assert_true(ok == !why);
        if (!models[i].midr) {
            g_assert_true(ok);
        } else if (models[i].features & EL1_32BIT) {
            g_assert_false(ok);
        } else if (is_host_cpu(models[i].midr)) {
            g_assert_true(ok == kernel_accepts(models[i].features, NULL));
        } else {
            g_autofree char *plain = g_strdup_printf(
                "-M virt -accel kvm -cpu %s", models[i].cpu);
            g_autofree char *lossy = g_strconcat(models[i].cpu, LOSSY, NULL);
            g_autofree char *says = NULL;
            bool shown = accepted(lossy);

            g_assert_cmpint(accel_run(&says, plain), ==, 1);
            g_assert_true(!shown || kernel_has(CAP_IMP_ID_REGS));
            g_assert_true(shown == !!strstr(says, &LOSSY[1]));
            if (shown) {
                accel_check_verdict("virt", lossy, NULL);
            }
        }
        accel_check_verdict("virt", models[i].cpu, ok ? NULL : "cpu");
    }
}

/*
 * A guest that stores what it reads from these registers, and stops: a word for
 * each register at RESULTS, then DONE.
 */
#define RESULTS 0x40001000
#define DONE    0x600d

static const struct {
    const char *name;
    uint8_t op1, crm, op2;
} id_regs[] = {
    { "MIDR_EL1", 0, 0, 0 },
    { "REVIDR_EL1", 0, 0, 6 },
    { "CTR_EL0", 3, 0, 1 },
    { "CLIDR_EL1", 1, 0, 1 },
    { "ID_AA64ISAR0_EL1", 0, 6, 0 },
    { "ID_AA64MMFR0_EL1", 0, 7, 0 },
    { "ID_AA64MMFR1_EL1", 0, 7, 1 },
    { "ID_AA64DFR0_EL1", 0, 5, 0 },
    { "ID_ISAR5_EL1", 0, 2, 5 },
    { "MVFR1_EL1", 0, 3, 1 },
};

/* A file with these instructions, for -kernel */
static char *write_code(uint32_t *code, int n)
{
    g_autoptr(GError) error = NULL;
    char *path;
    int fd;

    for (int i = 0; i < n; i++) {
        code[i] = cpu_to_le32(code[i]);
    }
    fd = g_file_open_tmp("kvm-arm-target-XXXXXX", &path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(fd, code, 4 * n), ==, 4 * n);
    close(fd);
    return path;
}

static char *write_guest(void)
{
    uint32_t code[2 * ARRAY_SIZE(id_regs) + 8];
    int n = 0;

    code[n++] = 0xd2a80001;             /* movz x1, #0x4000, lsl #16 */
    code[n++] = 0xf2820001;             /* movk x1, #0x1000 */
    for (int i = 0; i < ARRAY_SIZE(id_regs); i++) {
        code[n++] = 0xd5380000 | id_regs[i].op1 << 16 |
                    id_regs[i].crm << 8 | id_regs[i].op2 << 5; /* mrs x0 */
        code[n++] = 0xf8008420;         /* str x0, [x1], #8 */
    }
    code[n++] = 0xd2800000 | DONE << 5; /* movz x0, #DONE */
    code[n++] = 0xf9000020;             /* str x0, [x1] */
    code[n++] = 0x14000000;             /* b . */
    return write_code(code, n);
}

/* Runs @guest until it is done, and reads its @n @values. */
static void run_guest(const char *guest, const char *accel, const char *cpu,
                      int n, uint64_t values[])
{
    QTestState *qts = qtest_initf(
        "-M virt,gic-version=3 -accel %s -cpu %s -smp 2 -kernel %s",
        accel, cpu, guest);

    for (int i = 0; qtest_readq(qts, RESULTS + 8 * n) != DONE; i++) {
        g_assert_cmpint(i, <, 6000);
        g_usleep(10000);
    }
    for (int i = 0; i < n; i++) {
        values[i] = qtest_readq(qts, RESULTS + 8 * i);
    }
    qtest_quit(qts);
}

/* A model reads as under TCG, also on its own CPU. */
static void test_guest_sees(void)
{
    g_autofree char *guest = NULL;
    int n = 0;

    if (!needs_arm_kvm()) {
        return;
    }
    if (!kernel_has(CAP_IMP_ID_REGS)) {
        g_test_skip("needs KVM_CAP_ARM_WRITABLE_IMP_ID_REGS (Linux 6.15)");
        return;
    }
    guest = write_guest();
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        g_autofree char *lossy = g_strconcat(models[i].cpu, LOSSY, NULL);
        uint64_t kvm[ARRAY_SIZE(id_regs)], tcg[ARRAY_SIZE(id_regs)];

        if (!models[i].midr || !accepted(lossy)) {
            continue;
        }
        n++;
        run_guest(guest, "kvm", lossy, ARRAY_SIZE(kvm), kvm);
        run_guest(guest, "tcg", models[i].cpu, ARRAY_SIZE(tcg), tcg);
        for (int r = 0; r < ARRAY_SIZE(id_regs); r++) {
            g_test_message("%s: %s 0x%" PRIx64, models[i].cpu, id_regs[r].name,
                           kvm[r]);
            g_assert_cmphex(kvm[r], ==, tcg[r]);
        }
        g_assert_cmphex(kvm[0], ==, models[i].midr);
    }
    unlink(guest);
    if (!n) {
        g_test_skip("needs a host CPU that can be shown as a model");
    }
}

/* Whether the kernel would give a guest that PSCI version. */
static bool kernel_has_psci(uint64_t version)
{
#ifdef HOST_ARM_KVM
    return kernel_takes(1 << KVM_ARM_VCPU_PSCI_0_2, KVM_SET_ONE_REG,
                        KVM_REG_ARM_FW_REG(0), &version);
#else
    g_assert_not_reached();
#endif
}

/* Each property that needs the host, or one accelerator, and who is right */
static void test_properties(void)
{
    struct {
        const char *cpu;
        bool kvm, tcg;
        const char *kvm_says, *tcg_says;
    } cases[] = {
        { "max,aarch64=off", kernel_accepts(EL1_32BIT, NULL), false,
          "AArch32 at EL1", "aarch64=off needs KVM" },
        { "max,sve=on", kernel_accepts(SVE, NULL), true, "SVE" },
        { "max,sve128=on", kernel_accepts(SVE, NULL), true, "SVE" },
        { "max,sve384=off,sve512=on", false, true, "SVE" },
        { "max,sve=off", true, true },
        { "max,pauth=on", kernel_accepts(PTRAUTH, NULL), true, "pointer" },
        { "max,pmu=on", kernel_accepts(PMU_V3, NULL), true, "PMU" },
        { "max,pmu=on,pmu=off", true, true },
        { "max,aarch64=off,sve=on", false, false, "has no sve",
          "aarch64=off needs KVM" },
        { "max,aarch64=off,kvm-steal-time=on", false, false,
          "has no kvm-steal-time", "is KVM's" },
        { "max,kvm-steal-time=on", kernel_has(CAP_STEAL_TIME), false,
          "KVM_CAP_STEAL_TIME", "is KVM's" },
        { "max,kvm-no-adjvtime=on", true, false, NULL, "is KVM's" },
        { "max,kvm-psci-version=0.2", true, false, NULL, "is KVM's" },
        { "max,kvm-psci-version=0.2,kvm-target-impl-cpus=host", false, false,
          "PSCI before 1.0 a guest does not ask", "is KVM's" },
        { "max,aarch64=off,kvm-target-impl-cpus=host", false, false,
          "a 32-bit guest does not ask", "is KVM's" },
        { "max,kvm-psci-version=1.3", kernel_has_psci(0x10003), false,
          "does not give guests PSCI 1.3", "is KVM's" },
        { "max,kvm-psci-version=1.4", false, false, "'1.4' is none of 0.2",
          "is KVM's" },
        { "max,pauth-impdef=on", false, true, "'pauth-impdef' is TCG's" },
        { "max,lpa2=off", false, true, "'lpa2' is TCG's" },
        { "max,midr=0x410fd034", false, true, "host's CPU" },
        { "cortex-a15,kvm-no-adjvtime=on", false, false, "32-bit",
          "is KVM's" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *kvm = g_strdup_printf("-M virt -accel kvm -cpu %s",
                                               cases[i].cpu);
        g_autofree char *tcg = g_strdup_printf("-M virt -accel tcg -cpu %s",
                                               cases[i].cpu);
        g_autofree char *err1 = NULL, *err2 = NULL;

        g_assert_cmpint(accel_run(&err1, kvm), ==, !cases[i].kvm);
        if (!cases[i].kvm) {
            assert_says(err1, "kvm cannot run CPU type '");
            g_assert_nonnull(strstr(err1, cases[i].kvm_says));
        }
        g_assert_cmpint(accel_run(&err2, tcg), ==, !cases[i].tcg);
        if (!cases[i].tcg) {
            assert_says(err2, "tcg cannot run CPU type '");
            assert_says(err2, cases[i].tcg_says);
        }
        if (cases[i].kvm || cases[i].tcg) {
            const char *declined = NULL;

            if (!cases[i].kvm) {
                declined = "cpu";
            }
            accel_check_verdict("virt", cases[i].cpu, declined);
        }
    }
}

/* Adds the properties of @cpu that can be written as text, with their values */
static void add_properties(GHashTable *all, const char *cpu, const char *accel)
{
    g_autofree char *args = g_strdup_printf("-M virt -accel %s -cpu %s -S",
                                            accel, cpu);
    QTestState *qts = qtest_init(args);
    QDict *cpus = qtest_qmp(qts, "{ 'execute': 'query-cpus-fast' }"), *list;
    const char *path = qdict_get_str(
        qobject_to(QDict, qlist_peek(qdict_get_qlist(cpus, "return"))),
        "qom-path");
    QListEntry *e;

    list = qtest_qmp(qts, "{ 'execute': 'qom-list', 'arguments': "
                     "{ 'path': %s } }", path);
    QLIST_FOREACH_ENTRY(qdict_get_qlist(list, "return"), e) {
        const char *name = qdict_get_str(qobject_to(QDict, qlist_entry_obj(e)),
                                         "name");
        QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': "
                               "{ 'path': %s, 'property': %s } }", path, name);
        QObject *value = qdict_get(rsp, "return");
        QBool *b = qobject_to(QBool, value);
        QNum *n = qobject_to(QNum, value);
        char *text = NULL;

        if (b) {
            text = g_strdup(qbool_get_bool(b) ? "on" : "off");
        } else if (n) {
            text = qnum_to_string(n);
        }
        /* which asks for an abort */
        if (text && strcmp(name, "realized")) {
            g_hash_table_insert(all, g_strdup(name), text);
        }
        qobject_unref(rsp);
    }
    qobject_unref(list);
    qobject_unref(cpus);
    qtest_quit(qts);
}

static bool starts(const char *accels, const char *cpu, const char *property,
                   const char *value)
{
    /* ends when the machine is made, with the board's device tree */
    g_autofree char *dtb = NULL, *args = NULL, *err = NULL;
    int fd = g_file_open_tmp("kvm-arm-target-XXXXXX", &dtb, NULL);
    bool ok;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    args = g_strdup_printf("-M virt,dumpdtb=%s %s -cpu %s,%s=%s", dtb, accels,
                           cpu, property, value);
    ok = !accel_start(&err, args);
    unlink(dtb);
    return ok;
}

/*
 * What is accepted starts. Each property that @cpu has under one of them, with
 * the value that it has there: with both on the list QEMU starts if it does
 * with one of them alone. Returns: how many differ
 */
static int check_every_property(const char *cpu)
{
    g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                      g_free, g_free);
    GHashTableIter iter;
    char *name, *value;
    int differ = 0, kvm = 0, tcg = 0;

    add_properties(all, cpu, "tcg");
    add_properties(all, cpu, "kvm");
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, (void **)&name, (void **)&value)) {
        bool with_kvm = starts("-accel kvm", cpu, name, value);
        bool with_tcg = starts("-accel tcg", cpu, name, value);

        kvm += with_kvm;
        tcg += with_tcg;
        if (starts("-accel kvm -accel tcg", cpu, name, value) !=
            (with_kvm || with_tcg)) {
            g_test_message("%s,%s=%s: alone %d %d", cpu, name, value,
                           with_kvm, with_tcg);
            differ++;
        }
    }
    g_assert_cmpint(kvm, >, 0);
    g_assert_cmpint(tcg, >, kvm);
    return differ;
}

static void test_every_property(void)
{
    int differ = 0;

    if (!needs_arm_kvm()) {
        return;
    }
    differ = check_every_property("max");
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        if (models[i].midr && is_host_cpu(models[i].midr) &&
            accepted(models[i].cpu)) {
            differ += check_every_property(models[i].cpu);
        }
    }
    g_assert_cmpint(differ, ==, 0);
}

static void test_properties_with_kvm(void)
{
    if (needs_arm_kvm()) {
        test_properties();
    }
}

/*
 * A guest that makes these calls, and stores X0 to X3 of each at RESULTS, then
 * DONE.
 */
static const struct {
    uint32_t nr, arg;
} calls[] = {
    { 0xc6000040, 0 },          /* DISCOVER_IMPL_VER */
    { 0xc6000041, 0 },          /* DISCOVER_IMPL_CPUS */
    { 0xc6000041, 1 },
    { 0xc6000041, 2 },
};

static char *write_caller(void)
{
    uint32_t code[8 * ARRAY_SIZE(calls) + 8];
    int n = 0;

    code[n++] = 0xd2a80005;             /* movz x5, #0x4000, lsl #16 */
    code[n++] = 0xf2820005;             /* movk x5, #0x1000 */
    for (int i = 0; i < ARRAY_SIZE(calls); i++) {
        code[n++] = 0xd2a00000 | calls[i].nr >> 16 << 5;    /* movz x0, lsl */
        code[n++] = 0xf2800000 | (calls[i].nr & 0xffff) << 5; /* movk x0 */
        code[n++] = 0xd2800001 | calls[i].arg << 5; /* movz x1, #arg */
        code[n++] = 0xd2800002;         /* movz x2, #0 */
        code[n++] = 0xd2800003;         /* movz x3, #0 */
        code[n++] = 0xd4000002;         /* hvc #0 */
        code[n++] = 0xa88104a0;         /* stp x0, x1, [x5], #16 */
        code[n++] = 0xa8810ca2;         /* stp x2, x3, [x5], #16 */
    }
    code[n++] = 0xd2800000 | DONE << 5; /* movz x0, #DONE */
    code[n++] = 0xf90000a0;             /* str x0, [x5] */
    code[n++] = 0x14000000;             /* b . */
    return write_code(code, n);
}

static uint64_t id_of_cpu0(const char *name)
{
    g_autofree char *path = g_strconcat(
        "/sys/devices/system/cpu/cpu0/regs/identification/", name, NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return g_ascii_strtoull(text, NULL, 0);
}

/* A guest that asks is told of the host's CPU, and of those that were named. */
static void test_impl_cpus(void)
{
    const int64_t not_supported = -1, invalid_parameter = -3;
    g_autofree char *guest = NULL, *pair = NULL;
    uint64_t x[ARRAY_SIZE(calls)][4], midr, revidr;

    if (!needs_arm_kvm()) {
        return;
    }
    if (!kernel_has(CAP_IMP_ID_REGS)) {
        g_autofree char *err = NULL;

        g_assert_cmpint(accel_run(&err, "-M virt -accel kvm -cpu host,"
                                  "kvm-target-impl-cpus=host"), ==, 1);
        assert_says(err, "kvm-target-impl-cpus needs a kernel that has");
        g_test_skip("needs DISCOVER_IMPL_CPUS (Linux 6.15)");
        return;
    }
    midr = id_of_cpu0("midr_el1");
    revidr = id_of_cpu0("revidr_el1");
    guest = write_caller();

    run_guest(guest, "kvm", "host", 4 * ARRAY_SIZE(calls), x[0]);
    for (int i = 0; i < ARRAY_SIZE(calls); i++) {
        g_assert_cmphex(x[i][0], ==, not_supported);
    }

    run_guest(guest, "kvm", "host,kvm-target-impl-cpus=host",
              4 * ARRAY_SIZE(calls), x[0]);
    g_assert_cmphex(x[0][0], ==, 0);
    g_assert_cmphex(x[0][1], ==, 0x10000);      /* version 1.0 */
    g_assert_cmphex(x[0][2], >=, 1);            /* kinds of the host's CPUs */
    g_assert_cmphex(x[1][0], ==, 0);
    g_assert_cmphex(x[1][1], ==, midr);
    g_assert_cmphex(x[1][2], ==, revidr);
    g_assert_cmphex(x[2][0], ==, x[0][2] > 1 ? 0 : invalid_parameter);

    /* another revision */
    pair = g_strdup_printf("max,kvm-target-impl-cpus=0x%" PRIx64 ":5:7-0x%"
                           PRIx64 ":0x%" PRIx64, midr ^ 1, midr, revidr);
    run_guest(guest, "kvm", pair, 4 * ARRAY_SIZE(calls), x[0]);
    g_assert_cmphex(x[0][2], ==, 2);
    g_assert_cmphex(x[1][0], ==, 0);
    g_assert_cmphex(x[1][1], ==, midr ^ 1);
    g_assert_cmphex(x[1][2], ==, 5);
    g_assert_cmphex(x[1][3], ==, 7);
    g_assert_cmphex(x[2][0], ==, 0);
    g_assert_cmphex(x[2][1], ==, midr);
    g_assert_cmphex(x[2][2], ==, revidr);
    g_assert_cmphex(x[3][0], ==, invalid_parameter);
    unlink(guest);
}

/* Lists that cannot be */
static void test_bad_impl_cpus(void)
{
    static const struct {
        const char *list, *says;
    } bad[] = {
        { "", "'' is not MIDR_EL1" },
        { "-", "'' is not MIDR_EL1" },
        { "hosts", "'hosts' is not MIDR_EL1" },
        { "0x411fd070-", "'' is not MIDR_EL1" },
        { "0x411fd070:", "'0x411fd070:' is not MIDR_EL1" },
        { "0x411fd070:0:0:0", "'0x411fd070:0:0:0' is not MIDR_EL1" },
        { "0x411fd07z", "'0x411fd07z' is not MIDR_EL1" },
        { "0x1411fd070", "'0x1411fd070' is not MIDR_EL1" },
        { "0x4110d070", "'0x4110d070' is not MIDR_EL1" },
        { "0x411fd070-0x410fd083-0x411fd070:0:1", "is there twice" },
        { "0x411fd070-0x410fd034",
          "is safe from Spectre v2 and the other one may not be" },
        { "0x410fd460-0x410fd490",
          "is safe from Spectre-BHB and the other one may not be" },
        { "0x410fd841-0x410fd842", "without break-before-make" },
        { "0xc00fac30-0x414fd0c1", "without break-before-make" },
        { "0x610f0220", "is not on the list" },
    };
    g_autoptr(GString) many = g_string_new(
        "-M virt -accel kvm -cpu host,kvm-target-impl-cpus=0x410fd0b0");
    g_autofree char *err = NULL;

    if (!needs_arm_kvm()) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *args = g_strdup_printf(
            "-M virt -accel kvm -cpu host,kvm-target-impl-cpus=%s",
            bad[i].list);
        g_autofree char *said = NULL;

        g_assert_cmpint(accel_run(&said, args), ==, 1);
        if (kernel_has(CAP_IMP_ID_REGS) ||
            !strstr(bad[i].says, "on the list")) {
            assert_says(said, bad[i].says);
        }
    }
    for (int i = 1; i <= 32; i++) {
        g_string_append_printf(many, "-0x410fd0b0:%d", i);
    }
    g_assert_cmpint(accel_run(&err, many->str), ==, 1);
    assert_says(err, "there are more than 32 CPUs");
}

static void test_global_property(void)
{
    g_autofree char *err = NULL;
    bool can;

    if (!needs_arm_kvm()) {
        return;
    }
    can = kernel_accepts(EL1_32BIT, NULL);
    g_assert_cmpint(accel_run(&err, "-M virt -accel kvm -cpu max "
                              "-global max-arm-cpu.aarch64=off"), ==, !can);
    if (!can) {
        assert_says(err, "kvm cannot run CPU type 'max': a 32-bit vCPU needs");
    }
}

static void test_messages(void)
{
    if (needs_arm_kvm()) {
        accel_check_messages("virt", "cortex-a15");
    }
}

/* Under KVM, virt's default is "max", and that is what KVM is asked about. */
static void test_default_cpu_type(void)
{
    g_autofree char *kvm = NULL, *no_kvm = NULL;

    if (!needs_arm_kvm()) {
        return;
    }
    g_assert_cmpint(accel_run(&kvm, "-M virt -accel kvm -accel tcg"), ==, 0);
    g_assert_cmpstr(kvm, ==, "");
    g_assert_cmpint(accel_run(&no_kvm, "-M virt -accel kvm,device=/dev/null "
                              "-accel tcg"), ==, 0);
    assert_says(no_kvm, "falling back to tcg: kvm cannot run CPU type 'max': ");
}

/*
 * What is asked of the machine and not of its CPUs: what KVM accepts starts,
 * and what it declines starts under TCG.
 */
static void test_machine(void)
{
    g_autofree char *err = NULL, *alone = NULL, *memory = NULL;
    g_autofree char *too_much = NULL;
    int bits;

    if (!needs_arm_kvm()) {
        return;
    }
    accel_check_verdict("virt,secure=on", "max", "machine");
    accel_check_verdict("virt,virtualization=on,gic-version=3", "max",
                        kernel_has(CAP_EL2) ? NULL : "machine");
    accel_check_verdict("virt,gic-version=3,mte=on", "max",
                        kernel_has(CAP_MTE) ? NULL : "machine");
    accel_check_verdict("virt,gic-version=2", "max",
                        kernel_has_gic(2) ? NULL : "machine");
    accel_check_verdict("virt,gic-version=3", "max",
                        kernel_has_gic(3) ? NULL : "machine");
    accel_check_verdict("virt,gic-version=3,kernel-irqchip=off", "max",
                        "machine");
    accel_check_verdict("virt,virtualization=on,gic-version=4", "max",
                        "machine");
    accel_check_verdict("virt,virtualization=on,gic-version=2", "max",
                        "machine");
    accel_check_verdict("virt,virtualization=on,kernel-irqchip=off", "max",
                        "machine");
    accel_check_verdict("virt,gic-version=max", "max", NULL);
    accel_check_verdict("virt,gic-version=host", "max", NULL);
    accel_check_verdict("virt -smp 1,maxcpus=9", "max",
                        kernel_has_gic(3) ? NULL : "machine");
    accel_check_verdict("virt,gic-version=max -smp 1,maxcpus=9", "max",
                        kernel_has_gic(3) ? NULL : "machine");
    accel_check_verdict("virt,gic-version=max,kernel-irqchip=off "
                        "-smp 1,maxcpus=9", "max", "machine");

    bits = kernel_ipa_bits();
    memory = g_strdup_printf("virt -m 512M,slots=1,maxmem=%lluM",
                             (1ull << (bits - 20)) - 4096);
    accel_check_verdict(memory, "max", NULL);
    if (bits < 48) {
        too_much = g_strdup_printf("virt -m 512M,slots=1,maxmem=%lluM",
                                   1ull << (bits - 20));
        accel_check_verdict(too_much, "max", "machine");
    }

    g_assert_cmpint(accel_run(&err, "-M virt,gic-version=host "
                              "-accel kvm -accel tcg -cpu cortex-a15"), ==, 1);
    assert_says(err, "no accelerator can run this guest:\n");
    assert_says(err, "  kvm: CPU type 'cortex-a15': ");
    assert_says(err, "  tcg: machine 'virt-");
    assert_says(err, "gic-version=host requires KVM");
    /* and with KVM alone TCG is no remedy */
    g_assert_cmpint(accel_run(&alone, "-M virt,gic-version=host -accel kvm "
                              "-cpu cortex-a15"), ==, 1);
    assert_silent_on(alone, "-accel tcg");
}

/* With KVM alone, each is one error that names the machine's property. */
static void test_machine_messages(void)
{
    static const struct {
        const char *machine, *names;
        int cap;
    } cases[] = {
        { "virt,secure=on", "secure=on", -1 },
        { "virt,virtualization=on", "virtualization=on", CAP_EL2 },
        { "virt,mte=on", "mte=on", CAP_MTE },
        { "virt,gic-version=4", "GICv4", -1 },
    };

    if (!needs_arm_kvm()) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *args =
            g_strdup_printf("-M %s -accel kvm -cpu host", cases[i].machine);
        g_autofree char *err = NULL;

        if (cases[i].cap >= 0 && kernel_has(cases[i].cap)) {
            continue;
        }
        g_assert_cmpint(accel_run(&err, args), ==, 1);
        assert_says(err, "kvm cannot run machine 'virt");
        assert_says(err, cases[i].names);
        assert_says(err, "Add '-accel tcg'");
        assert_silent_on(err, "Use '-cpu host'");
    }
}

/* query-cpu-model-expansion knows what query-cpu-definitions knows. */
static void test_expansion(void)
{
    QTestState *qts;

    if (!needs_arm_kvm()) {
        return;
    }
    qts = qtest_init("-M virt -accel kvm -cpu host");
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        g_autofree char *why = definition(models[i].cpu);
        QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-cpu-model-expansion',"
                               "'arguments': { 'type': 'full', "
                               "'model': { 'name': %s } } }", models[i].cpu);

        if (why) {
            QDict *error = qdict_get_qdict(rsp, "error");

            g_assert_nonnull(error);
            assert_says(qdict_get_str(error, "desc"), why);
        } else {
            g_assert_true(qdict_haskey(rsp, "return"));
        }
        qobject_unref(rsp);
    }
    qtest_quit(qts);
}

/* QEMU does not need the device any more for what it is asked later. */
static void test_no_device(void)
{
    QTestState *qts;
    QDict *rsp;
    QListEntry *e;
    int n = 0;

    if (!needs_arm_kvm()) {
        return;
    }
    if (geteuid()) {
        g_test_skip("needs root, for chroot");
        return;
    }
    qts = qtest_init("-M virt -accel kvm -cpu max -run-with chroot=/tmp");
    rsp = qtest_qmp(qts, "{ 'execute': 'query-cpu-definitions' }");
    QLIST_FOREACH_ENTRY(qdict_get_qlist(rsp, "return"), e) {
        QDict *d = qobject_to(QDict, qlist_entry_obj(e));
        const char *name = qdict_get_str(d, "name");
        const char *why = qdict_get_try_str(d, "unavailable-reason");

        g_assert_true(!why || !strstr(why, "/dev/kvm"));
        g_assert_true(qdict_haskey(d, "migration-safe") == !why);
        if (g_str_equal(name, "host") || g_str_equal(name, "max")) {
            g_assert_false(qdict_get_bool(d, "migration-safe"));
            n++;
        } else if (!why) {
            g_assert_true(qdict_get_bool(d, "migration-safe") ==
                          kernel_has(CAP_IMP_ID_REGS));
        }
    }
    g_assert_cmpint(n, ==, 2);
    qobject_unref(rsp);
    rsp = qtest_qmp(qts, "{ 'execute': 'query-cpu-model-expansion',"
                    "'arguments': { 'type': 'full', 'model': {"
                    "'name': 'host' } } }");
    g_assert_true(qdict_haskey(rsp, "return"));
    qobject_unref(rsp);
    qtest_quit(qts);
}

/* A query's properties are part of the question. */
static void test_query_properties(void)
{
    QTestState *qts;
    QDict *rsp;
    bool has;

    if (!needs_arm_kvm()) {
        return;
    }
    has = kernel_accepts(SVE, NULL);
    qts = qtest_init("-M none -accel kvm");
    rsp = qtest_qmp(qts, "{ 'execute': 'query-cpu-model-expansion',"
                    "'arguments': { 'type': 'full', 'model': {"
                    "'name': 'max', 'props': { 'sve': true } } } }");
    g_assert_true(qdict_haskey(rsp, "return") == has);
    if (!has) {
        assert_says(qdict_get_str(qdict_get_qdict(rsp, "error"), "desc"),
                    "SVE needs a host CPU that has it");
    }
    qobject_unref(rsp);
    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        g_autofree char *lossy = g_strconcat(models[i].cpu, LOSSY, NULL);

        if (!models[i].midr || is_host_cpu(models[i].midr)) {
            continue;
        }
        rsp = qtest_qmp(qts, "{ 'execute': 'query-cpu-model-expansion',"
                        "'arguments': { 'type': 'full', 'model': {"
                        "'name': %s, 'props': {"
                        "'kvm-lose-errata-workarounds': true } } } }",
                        models[i].cpu);
        g_assert_true(qdict_haskey(rsp, "return") == accepted(lossy));
        qobject_unref(rsp);
    }
    qtest_quit(qts);
}

/* qemu-system-arm has the host's CPU, where it has AArch32, and no other. */
static void test_arm(void)
{
    static const char *const cpus[] = { "host", "max" };
    g_autofree char *err = NULL;
    bool can;

    if (!needs_arm_kvm()) {
        return;
    }
    can = kernel_accepts(EL1_32BIT, NULL);
    for (int i = 0; i < ARRAY_SIZE(cpus); i++) {
        g_autofree char *args = g_strdup_printf(
            "-M virt,gic-version=max -accel kvm -cpu %s", cpus[i]);
        g_autofree char *says = NULL;

        g_assert_cmpint(accel_run(&says, args), ==, !can);
        if (can) {
            accel_check_verdict("virt,gic-version=max", cpus[i], NULL);
        } else {
            assert_says(says, "AArch32 at EL1");
        }
    }
    accel_check_messages("virt", "cortex-a15");
    accel_check_messages("virt", "cortex-a7");
    g_assert_cmpint(accel_run(&err, "-M virt -accel kvm -accel tcg"), ==, 0);
    if (can) {
        g_assert_cmpstr(err, ==, "");
    } else {
        assert_says(err, "falling back to tcg: kvm cannot run CPU type 'max'");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    if (!qtest_has_accel("tcg")) {
        g_test_skip("TCG is not built in");
        return g_test_run();
    }
    if (g_str_equal(qtest_get_arch(), "arm")) {
        qtest_add_func("kvm-arm-target/arm", test_arm);
        return g_test_run();
    }
    qtest_add_func("kvm-arm-target/midr", test_midr);
    qtest_add_func("kvm-arm-target/models", test_models);
    qtest_add_func("kvm-arm-target/guest-sees", test_guest_sees);
    qtest_add_func("kvm-arm-target/properties", test_properties_with_kvm);
    if (g_test_slow()) {
        qtest_add_func("kvm-arm-target/every-property", test_every_property);
    }
    qtest_add_func("kvm-arm-target/impl-cpus", test_impl_cpus);
    qtest_add_func("kvm-arm-target/bad-impl-cpus", test_bad_impl_cpus);
    qtest_add_func("kvm-arm-target/global-property", test_global_property);
    qtest_add_func("kvm-arm-target/messages", test_messages);
    qtest_add_func("kvm-arm-target/default-cpu-type", test_default_cpu_type);
    qtest_add_func("kvm-arm-target/machine", test_machine);
    qtest_add_func("kvm-arm-target/machine-messages", test_machine_messages);
    qtest_add_func("kvm-arm-target/expansion", test_expansion);
    qtest_add_func("kvm-arm-target/no-device", test_no_device);
    qtest_add_func("kvm-arm-target/query-properties", test_query_properties);
    return g_test_run();
}
