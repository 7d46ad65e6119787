/*
 * What tests of the accelerator choice share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "accel-choice-util.h"
#include "qobject/qlist.h"

int accel_start(char **err, const char *args)
{
    g_autofree char *command =
        g_strdup_printf("%s -display none %s",
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

int accel_run(char **err, const char *args)
{
    g_autofree char *quick =
        g_strdup_printf("-dump-vmstate /dev/null %s", args);

    return accel_start(err, quick);
}

int accel_count(const char *text, const char *what)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, what)); p += strlen(what)) {
        n++;
    }
    return n;
}

QDict *accel_query(QTestState **qts, const char *args)
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

const char *accel_declined(QDict *info, const char *accel, const char *kind)
{
    QListEntry *e;
    const char *reason = NULL;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(info, "declined"), e) {
        QDict *d = qobject_to(QDict, qlist_entry_obj(e));

        if (g_str_equal(qdict_get_str(d, "accelerator"), accel)) {
            g_assert_null(reason);
            g_assert_cmpstr(qdict_get_str(d, "kind"), ==, kind);
            reason = qdict_get_str(d, "reason");
        }
    }
    g_assert_true(!reason == !kind);
    return reason;
}

int accel_kvm_descriptors(pid_t pid)
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

void accel_check_verdict(const char *machine, const char *cpu,
                         const char *declined)
{
    g_autofree char *args =
        g_strdup_printf("-M %s -accel kvm -accel tcg -cpu %s -S", machine, cpu);
    QTestState *qts;
    QDict *info = accel_query(&qts, args);

    g_assert_cmpstr(qdict_get_str(info, "enabled"), ==,
                    declined ? "tcg" : "kvm");
    accel_declined(info, "kvm", declined);
    if (declined) {
        g_assert_cmpint(accel_kvm_descriptors(qtest_pid(qts)), ==, 0);
    } else {
        g_assert_cmpint(accel_kvm_descriptors(qtest_pid(qts)), >, 0);
    }
    qobject_unref(info);
    qtest_quit(qts);
}

void accel_check_messages(const char *machine, const char *cpu)
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
    g_autofree char *host = g_strdup_printf(
        "-M %s -accel kvm -cpu host", machine);
    g_autofree char *err1 = NULL, *err2 = NULL, *err3 = NULL, *err4 = NULL;

    g_assert_cmpint(accel_run(&err1, listed), ==, 0);
    assert_says(err1, fallback);
    g_assert_cmpint(accel_count(err1, "\n"), ==, 1);
    g_assert_cmpint(accel_run(&err2, by_machine), ==, 0);
    assert_says(err2, fallback);
    g_assert_cmpint(accel_count(err2, "\n"), ==, 1);
    g_assert_cmpint(accel_run(&err3, alone), ==, 1);
    assert_says(err3, reason);
    /* a remedy is one: qemu-system-arm wants a host CPU with AArch32 */
    g_assert_cmpint(accel_count(err3, "-cpu host"), ==,
                    accel_run(&err4, host) == 0);
    assert_says(err3, "-accel tcg");
    assert_silent_on(err3, "falling back");
}
