/*
 * The accelerator is chosen by the CPU type that it has to run.
 *
 * Claims: the first accelerator of the list that can run the CPU type is used;
 * only the list allows a fallback; who declined says why, once; nothing of an
 * accelerator that was passed over remains. Where there is a KVM, its verdict
 * is what the kernel answers this program.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"

#ifdef HOST_ARM_KVM
#include <sys/ioctl.h>
#include <linux/kvm.h>
#endif

/* What KVM_ARM_VCPU_INIT takes (arch/arm64/include/uapi/asm/kvm.h) */
#define ARM_TARGET_CORTEX_A57 2
#define ARM_TARGET_CORTEX_A53 4
#define ARM_EL1_32BIT         (1 << 1)

/*
 * Runs QEMU with @args until its CPU type is known, without qtest, so that it
 * speaks as it does to a user. Returns its exit status, and in @err what it
 * wrote to stderr.
 */
static int run(char **err, const char *args)
{
    g_autofree char *command =
        g_strdup_printf("%s -display none -dump-vmstate /dev/null %s",
                        getenv("QTEST_QEMU_BINARY"), args);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    g_assert_true(g_shell_parse_argv(command, NULL, &argv, &error));
    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL,
                               NULL, NULL, NULL, err, &status, &error));
    g_test_message("%s", args);
    g_test_message("%s", *err);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int count(const char *text, const char *what)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, what)); p += strlen(what)) {
        n++;
    }
    return n;
}

#define assert_says(text, what) g_assert_cmpint(count(text, what), ==, 1)
#define assert_silent_on(text, what) g_assert_cmpint(count(text, what), ==, 0)

/* Starts QEMU with @args and asks which accelerators it used and declined. */
static QDict *query(QTestState **qts, const char *args)
{
    QDict *rsp, *info;

    *qts = qtest_init(args);
    rsp = qtest_qmp(*qts, "{ 'execute': 'query-accelerators' }");
    g_assert_true(qdict_haskey(rsp, "return"));
    info = qdict_get_qdict(rsp, "return");
    qobject_ref(info);
    qobject_unref(rsp);
    g_test_message("%s: %s", args, qdict_get_str(info, "enabled"));
    return info;
}

/* The reason for which @accel was passed over, or NULL if it was not. */
static const char *declined(QDict *info, const char *accel)
{
    QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "declined"), e) {
        QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if (g_str_equal(qdict_get_str(d, "accelerator"), accel)) {
            return qdict_get_str(d, "reason");
        }
    }
    return NULL;
}

/* How many descriptors of @pid are of a KVM, its VMs or vCPUs. */
static int kvm_descriptors(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    int n = 0;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *link = g_build_filename(path, name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        n += target && strstr(target, "kvm");
    }
    return n;
}

static void test_tcg_declines_host(void)
{
    g_autofree char *err = NULL;

    g_assert_cmpint(run(&err, "-M none -accel tcg -cpu host"), ==, 1);
    assert_says(err, "tcg cannot run CPU type 'host': ");
    assert_silent_on(err, "falling back");
}

/* Whether @accel is built into the binary, whatever the host can do */
static bool is_present(QDict *info, const char *accel)
{
    QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "present"), e) {
        QString *name = qobject_to(QString, qlist_entry_obj(e));

        if (g_str_equal(qstring_get_str(name), accel)) {
            return true;
        }
    }
    return false;
}

static void test_accepted(void)
{
    QTestState *qts;
    QDict *info = query(&qts, "-M none -accel tcg");

    g_assert_cmpstr(qdict_get_str(info, "enabled"), ==, "tcg");
    g_assert_true(is_present(info, "tcg"));
    g_assert_true(is_present(info, "qtest"));
    g_assert_true(qlist_empty(qdict_get_qlist(info, "declined")));
    qobject_unref(info);
    qtest_quit(qts);
}

/* An accelerator that the binary lacks is passed over like any other. */
static void test_absent(void)
{
    g_autofree char *err = NULL;
    QTestState *qts;
    QDict *info = query(&qts, "-M none -accel nvmm -accel tcg");

    g_assert_cmpstr(qdict_get_str(info, "enabled"), ==, "tcg");
    g_assert_nonnull(declined(info, "nvmm"));
    qobject_unref(info);
    qtest_quit(qts);

    g_assert_cmpint(run(&err, "-M none -accel nvmm -accel tcg -cpu host"),
                    ==, 1);
    assert_says(err, "no accelerator can run CPU type 'host':\n");
    assert_says(err, "  nvmm: ");
    assert_says(err, "  tcg: ");
}

static void test_bad_lists(void)
{
    static const struct {
        const char *args, *says;
    } cases[] = {
        { "-M none -accel nosuchaccel", "invalid accelerator nosuchaccel" },
        { "-machine none,accel=nosuchaccel", "invalid accelerator" },
        { "-machine none,accel=", "no accelerator found" },
        { "-accel tcg -machine none,accel=tcg", "are incompatible" },
        { "-M none -accel tcg -cpu nosuchcpu", "'nosuchcpu'" },
        { "-M none -accel tcg -cpu ,", "unable to find CPU model ''" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *err = NULL;

        /* MicroBlaze has one CPU type, by whatever name */
        if (strstr(cases[i].args, "-cpu") &&
            g_str_has_prefix(qtest_get_arch(), "microblaze")) {
            continue;
        }
        g_assert_cmpint(run(&err, cases[i].args), ==, 1);
        assert_says(err, cases[i].says);
        assert_silent_on(err, "falling back");
    }
}

/* What is no KVM is an error, or the fallback that the list allows. */
static void test_bad_kvm_device(void)
{
    static const char *const devices[] = {
        "/dev/null", "/proc/self/exe", "/nonexistent/kvm",
    };
    QTestState *probe;
    QDict *built = query(&probe, "-M none -accel tcg");
    bool has_kvm = is_present(built, "kvm");

    qobject_unref(built);
    qtest_quit(probe);
    if (!has_kvm) {
        g_test_skip("KVM is not built for this target on this host");
        return;
    }

    for (int i = 0; i < ARRAY_SIZE(devices); i++) {
        g_autofree char *alone = g_strdup_printf(
            "-M none -accel kvm,device=%s -cpu host", devices[i]);
        g_autofree char *listed = g_strdup_printf(
            "-M none -accel kvm,device=%s -accel tcg", devices[i]);
        g_autofree char *host = g_strdup_printf("%s -cpu host", listed);
        g_autofree char *err1 = NULL, *err2 = NULL, *err3 = NULL;
        QTestState *qts;
        QDict *info;

        g_assert_cmpint(run(&err1, alone), ==, 1);
        assert_silent_on(err1, "falling back");
        g_assert_cmpint(run(&err2, listed), ==, 0);
        assert_says(err2, "falling back to tcg");
        g_assert_cmpint(run(&err3, host), ==, 1);
        assert_says(err3, "no accelerator can run CPU type 'host':\n");
        assert_says(err3, "  kvm: ");
        assert_says(err3, "  tcg: ");

        info = query(&qts, listed);
        g_assert_cmpstr(qdict_get_str(info, "enabled"), ==, "tcg");
        g_assert_nonnull(declined(info, "kvm"));
        g_assert_cmpint(kvm_descriptors(qtest_pid(qts)), ==, 0);
        qobject_unref(info);
        qtest_quit(qts);
    }
}

/*
 * Starts @machine with @cpu, KVM allowed, and demands that it starts, under
 * KVM if @expect_kvm.
 */
static void check_verdict(const char *machine, const char *cpu,
                          bool expect_kvm)
{
    g_autofree char *args =
        g_strdup_printf("-M %s -accel kvm -accel tcg -cpu %s -S", machine, cpu);
    QTestState *qts;
    QDict *info = query(&qts, args);

    g_assert_cmpstr(qdict_get_str(info, "enabled"), ==,
                    expect_kvm ? "kvm" : "tcg");
    g_assert_true(!declined(info, "kvm") == expect_kvm);
    if (!expect_kvm) {
        g_assert_cmpint(kvm_descriptors(qtest_pid(qts)), ==, 0);
    } else {
        g_assert_cmpint(kvm_descriptors(qtest_pid(qts)), >, 0);
    }
    qobject_unref(info);
    qtest_quit(qts);
}

/* How QEMU tells a user that KVM declined @cpu, with a fallback and without */
static void check_messages(const char *machine, const char *cpu)
{
    g_autofree char *listed = g_strdup_printf(
        "-M %s -accel kvm -accel tcg -cpu %s", machine, cpu);
    g_autofree char *by_machine = g_strdup_printf(
        "-M %s,accel=kvm:tcg -cpu %s", machine, cpu);
    g_autofree char *alone = g_strdup_printf(
        "-M %s -accel kvm -cpu %s", machine, cpu);
    g_autofree char *reason = g_strdup_printf(
        "kvm cannot run CPU type '%s': ", cpu);
    g_autofree char *fallback = g_strdup_printf(
        "falling back to tcg: %s", reason);
    g_autofree char *err1 = NULL, *err2 = NULL, *err3 = NULL;

    g_assert_cmpint(run(&err1, listed), ==, 0);
    assert_says(err1, fallback);
    g_assert_cmpint(count(err1, "\n"), ==, 1);
    g_assert_cmpint(run(&err2, by_machine), ==, 0);
    assert_says(err2, fallback);
    g_assert_cmpint(count(err2, "\n"), ==, 1);
    g_assert_cmpint(run(&err3, alone), ==, 1);
    assert_says(err3, reason);
    assert_says(err3, "-cpu host");
    assert_says(err3, "-accel tcg");
    assert_silent_on(err3, "falling back");
}

/* Skips a test that needs a KVM for AArch64 guests, on other hosts */
static bool needs_arm_kvm(void)
{
    if (qtest_has_accel("kvm")) {
        return true;
    }
    g_test_skip("needs an AArch64 host with /dev/kvm");
    return false;
}

/* Whether the kernel would initialise a vCPU so; target -1: the host's own. */
static bool kernel_accepts(int target, uint32_t features)
{
#ifdef HOST_ARM_KVM
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int ipa = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    int vm = ioctl(kvm, KVM_CREATE_VM, MAX(ipa, 0));
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    struct kvm_vcpu_init init = { };
    bool ok;

    g_assert_cmpint(vcpu, >=, 0);
    if (target < 0) {
        g_assert_cmpint(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), ==, 0);
    } else {
        init.target = target;
    }
    init.features[0] = features;
    ok = !ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
    close(vcpu);
    close(vm);
    close(kvm);
    return ok;
#else
    g_assert_not_reached();
#endif
}

static void test_arm_models(void)
{
    static const struct {
        const char *cpu;
        int target;     /* -1: host's own, -2: none */
        uint32_t features;
    } cases[] = {
        { "host", -1 },
        { "max", -1 },
        { "host,aarch64=off", -1, ARM_EL1_32BIT },
        { "max,aarch64=off", -1, ARM_EL1_32BIT },
        { "cortex-a53", ARM_TARGET_CORTEX_A53 },
        { "cortex-a57", ARM_TARGET_CORTEX_A57 },
        { "cortex-a7", -2 },
        { "cortex-a15", -2 },
        { "cortex-a35", -2 },
        { "cortex-a55", -2 },
        { "cortex-a72", -2 },
        { "cortex-a76", -2 },
        { "neoverse-n1", -2 },
    };

    if (!needs_arm_kvm()) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        bool accepts = cases[i].target != -2 &&
                       kernel_accepts(cases[i].target, cases[i].features);

        /* TCG can run neither the host's CPU nor a 64-bit one at 32 bits */
        if (!accepts && cases[i].target == -1) {
            g_autofree char *args = g_strdup_printf(
                "-M virt -accel kvm -cpu %s", cases[i].cpu);
            g_autofree char *err = NULL;

            g_assert_cmpint(run(&err, args), ==, 1);
            assert_says(err, "kvm cannot run CPU type '");
        } else {
            check_verdict("virt", cases[i].cpu, accepts);
        }
    }
}

static void test_arm_global_property(void)
{
    const char *args = "-M virt -accel kvm -cpu max "
                       "-global max-arm-cpu.aarch64=off";

    if (!needs_arm_kvm()) {
        return;
    }
    if (kernel_accepts(-1, ARM_EL1_32BIT)) {
        QTestState *qts;
        QDict *info = query(&qts, args);

        g_assert_cmpstr(qdict_get_str(info, "enabled"), ==, "kvm");
        qobject_unref(info);
        qtest_quit(qts);
    } else {
        g_autofree char *err = NULL;

        g_assert_cmpint(run(&err, args), ==, 1);
        assert_says(err, "kvm cannot run CPU type 'max': aarch64=off needs");
    }
}

static void test_arm_messages(void)
{
    if (!needs_arm_kvm()) {
        return;
    }
    check_messages("virt", "cortex-a15");
    check_messages("virt", "cortex-a72");
}

/* The machine's default CPU type is asked about like one from -cpu. */
static void test_arm_default_cpu_type(void)
{
    g_autofree char *err = NULL;

    if (!needs_arm_kvm()) {
        return;
    }
    g_assert_cmpint(run(&err, "-M virt -accel kvm -accel tcg"), ==, 0);
    assert_says(err, "kvm cannot run CPU type 'cortex-a15': ");
}

static bool host_is_e500v2(void)
{
    g_autofree char *cpuinfo = NULL;

    return g_file_get_contents("/proc/cpuinfo", &cpuinfo, NULL, NULL) &&
           strstr(cpuinfo, "e500v2");
}

/* ppce500 does not start without a kernel: one that branches to itself */
static char *ppc_kernel(void)
{
    static const uint8_t elf[] = {
        0x7f, 'E', 'L', 'F', 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 2, 0, 20, 0, 0, 0, 1,            /* executable, PowerPC */
        0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 1, 0, 0, 0, 84, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 4,
        0x48, 0, 0, 0,                      /* b . */
    };
    g_autoptr(GError) error = NULL;
    char *path;
    int fd = g_file_open_tmp("accel-cpu-type-XXXXXX", &path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(write(fd, elf, sizeof(elf)), ==, sizeof(elf));
    close(fd);
    return path;
}

static void test_ppc_models(void)
{
    g_autofree char *kernel = NULL, *machine = NULL;

    if (!host_is_e500v2() || !qtest_has_accel("kvm")) {
        g_test_skip("needs an e500v2 host with /dev/kvm");
        return;
    }
    kernel = ppc_kernel();
    machine = g_strdup_printf("ppce500 -kernel %s", kernel);

    check_verdict(machine, "e500v2_v30", true);
    check_verdict(machine, "e500v2_v10", true);
    check_verdict(machine, "host", true);
    check_verdict(machine, "e500mc", false);
    check_verdict("none", "g4", false);
    check_messages("ppce500", "e500mc");
    unlink(kernel);
}

int main(int argc, char **argv)
{
    const char *arch;

    g_test_init(&argc, &argv, NULL);
    arch = qtest_get_arch();

    if (!qtest_has_accel("tcg")) {
        g_test_skip("TCG is not built in");
        return g_test_run();
    }

    qtest_add_func("accel-cpu-type/tcg-declines-host", test_tcg_declines_host);
    qtest_add_func("accel-cpu-type/accepted", test_accepted);
    qtest_add_func("accel-cpu-type/absent", test_absent);
    qtest_add_func("accel-cpu-type/bad-lists", test_bad_lists);
    qtest_add_func("accel-cpu-type/bad-kvm-device", test_bad_kvm_device);

    if (g_str_equal(arch, "aarch64")) {
        qtest_add_func("accel-cpu-type/arm/models", test_arm_models);
        qtest_add_func("accel-cpu-type/arm/global-property",
                       test_arm_global_property);
        qtest_add_func("accel-cpu-type/arm/messages", test_arm_messages);
        qtest_add_func("accel-cpu-type/arm/default-cpu-type",
                       test_arm_default_cpu_type);
    } else if (g_str_equal(arch, "ppc")) {
        qtest_add_func("accel-cpu-type/ppc/models", test_ppc_models);
    }
    return g_test_run();
}
