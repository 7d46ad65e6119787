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
#include "accel-choice-util.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"

/* Arm's "virt" has another default CPU type under each accelerator. */
static void test_tcg_declines_host(void)
{
    static const char *const machines[] = { "none", "virt" };

    for (int i = 0; i < ARRAY_SIZE(machines); i++) {
        g_autofree char *args =
            g_strdup_printf("-M %s -accel tcg -cpu host", machines[i]);
        g_autofree char *err = NULL;

        if (!qtest_has_machine(machines[i])) {
            continue;
        }
        g_assert_cmpint(accel_run(&err, args), ==, 1);
        assert_says(err, "tcg cannot run CPU type 'host': ");
        assert_silent_on(err, "falling back");
    }
}

/*
 * Where the user named no accelerator, all is as it was: TCG is used, and does
 * not answer. What the machine says of such a CPU type is its own.
 */
static void test_implicit(void)
{
    g_autofree char *err = NULL;

    accel_run(&err, "-M none -cpu host");
    assert_silent_on(err, "falling back");
    assert_silent_on(err, "cannot run");
    assert_silent_on(err, "can run");
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
    QDict *info = accel_query(&qts, "-M none -accel tcg");

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
    g_autofree char *err = NULL, *listed = NULL, *by_machine = NULL;
    QTestState *qts;
    QDict *info = accel_query(&qts, "-M none -accel nvmm -accel tcg");

    if (is_present(info, "nvmm")) {
        qobject_unref(info);
        qtest_quit(qts);
        g_test_skip("nvmm is built in");
        return;
    }
    g_assert_cmpstr(qdict_get_str(info, "enabled"), ==, "tcg");
    accel_declined(info, "nvmm", "absent");
    qobject_unref(info);
    qtest_quit(qts);

    g_assert_cmpint(accel_run(&err, "-M none -accel nvmm -accel tcg -cpu host"),
                    ==, 1);
    assert_says(err, "no accelerator can run CPU type 'host':\n");
    assert_says(err, "  nvmm: it is not built into this executable\n");
    assert_says(err, "  tcg: ");
    assert_silent_on(err, "invalid accelerator");

    g_assert_cmpint(accel_run(&listed, "-M none -accel nvmm -accel tcg"),
                    ==, 0);
    assert_says(listed, "invalid accelerator nvmm");
    assert_says(listed, "falling back to tcg");
    g_assert_cmpint(accel_run(&by_machine, "-M none,accel=nvmm:tcg"), ==, 0);
    assert_says(by_machine, "invalid accelerator nvmm");
    assert_says(by_machine, "falling back to tcg");
}

/* Who is on the list twice, and says the same, is told once. */
static void test_twice(void)
{
    g_autofree char *err = NULL;

    g_assert_cmpint(accel_run(&err, "-M none -accel tcg -accel tcg -cpu host"),
                    ==, 1);
    assert_says(err, "tcg cannot run CPU type 'host': ");
}

/* A CPU type that the machine never takes is its error, not a decline. */
static void test_machine_error(void)
{
    g_autofree char *err = NULL;

    /* which says so when it is made, after this */
    g_assert_cmpint(accel_run(&err, "-M virt -accel tcg -cpu cortex-a9"),
                    ==, 0);
    g_assert_cmpstr(err, ==, "");
    if (qtest_has_accel("kvm")) {
        g_autofree char *kvm = NULL;

        g_assert_cmpint(accel_run(&kvm, "-M virt -accel kvm -cpu cortex-a9"),
                        ==, 0);
        g_assert_cmpstr(kvm, ==, "");
    }
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
        g_assert_cmpint(accel_run(&err, cases[i].args), ==, 1);
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
    QDict *built = accel_query(&probe, "-M none -accel tcg");
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
        g_autofree char *twice = g_strdup_printf(
            "-accel kvm,device=/dev/zero %s", listed);
        g_autofree char *host = g_strdup_printf("%s -cpu host", listed);
        g_autofree char *err1 = NULL, *err2 = NULL, *err3 = NULL;
        QTestState *qts;
        QDict *info;

        g_assert_cmpint(accel_run(&err1, alone), ==, 1);
        assert_silent_on(err1, "falling back");
        g_assert_cmpint(accel_run(&err2, listed), ==, 0);
        assert_says(err2, "falling back to tcg");
        g_assert_cmpint(accel_run(&err3, host), ==, 1);
        assert_says(err3, "no accelerator can run CPU type 'host':\n");
        assert_says(err3, "  kvm: ");
        assert_says(err3, "  tcg: ");

        info = accel_query(&qts, twice);
        g_assert_cmpstr(qdict_get_str(info, "enabled"), ==, "tcg");
        accel_declined(info, "kvm", "failed");
        g_assert_cmpint(accel_kvm_descriptors(qtest_pid(qts)), ==, 0);
        qobject_unref(info);
        qtest_quit(qts);
    }
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

    accel_check_verdict(machine, "e500v2_v30", NULL);
    accel_check_verdict(machine, "e500v2_v10", NULL);
    accel_check_verdict(machine, "host", NULL);
    accel_check_verdict(machine, "e500mc", "cpu");
    accel_check_verdict("none", "g4", "cpu");
    accel_check_messages("ppce500", "e500mc");
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
    qtest_add_func("accel-cpu-type/implicit", test_implicit);
    qtest_add_func("accel-cpu-type/twice", test_twice);
    qtest_add_func("accel-cpu-type/bad-lists", test_bad_lists);
    qtest_add_func("accel-cpu-type/bad-kvm-device", test_bad_kvm_device);

    if (qtest_has_machine("virt") &&
        (g_str_equal(qtest_get_arch(), "arm") ||
         g_str_equal(qtest_get_arch(), "aarch64"))) {
        qtest_add_func("accel-cpu-type/arm/machine-error", test_machine_error);
    }
    if (g_str_equal(arch, "ppc")) {
        qtest_add_func("accel-cpu-type/ppc/models", test_ppc_models);
    }
    return g_test_run();
}
