/*
 * What tests of the accelerator choice share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_ACCEL_CHOICE_UTIL_H
#define TESTS_ACCEL_CHOICE_UTIL_H

#include "libqtest.h"
#include "qobject/qdict.h"

/**
 * accel_run:
 * @err: filled in with what QEMU wrote to stderr; to be freed with g_free()
 * @args: QEMU's arguments
 *
 * Runs QEMU until its CPU type is known, without qtest, so that it speaks as
 * it does to a user.
 *
 * Returns: its exit status
 */
int accel_run(char **err, const char *args);

/* The same, of @args that have QEMU end by itself */
int accel_start(char **err, const char *args);

/* Returns: how often @what is in @text */
int accel_count(const char *text, const char *what);

#define assert_says(text, what) g_assert_cmpint(accel_count(text, what), ==, 1)
#define assert_silent_on(text, what) \
    g_assert_cmpint(accel_count(text, what), ==, 0)

/**
 * accel_query:
 * @qts: filled in with the QEMU that was started with @args
 * @args: QEMU's arguments
 *
 * Returns: its answer to ``query-accelerators``
 */
QDict *accel_query(QTestState **qts, const char *args);

/**
 * accel_declined:
 * @info: an answer of accel_query()
 * @accel: an accelerator
 * @kind: the kind of reason for which it has to have been passed over, once;
 *      NULL if it must not have been
 *
 * Returns: the reason, or NULL
 */
const char *accel_declined(QDict *info, const char *accel, const char *kind);

/* Returns: how many descriptors @pid has of a KVM, its VMs or vCPUs */
int accel_kvm_descriptors(pid_t pid);

/**
 * accel_check_verdict:
 * @machine: a machine, with properties
 * @cpu: a CPU type, with properties
 * @declined: the kind of reason for which KVM has to decline, or NULL
 *
 * Starts @machine with @cpu, KVM and TCG allowed, and demands that it starts,
 * under the right one.
 */
void accel_check_verdict(const char *machine, const char *cpu,
                         const char *declined);

/**
 * accel_check_messages:
 * @machine: a machine
 * @cpu: a CPU type that KVM declines
 *
 * Checks how QEMU tells a user so, with a fallback and without.
 */
void accel_check_messages(const char *machine, const char *cpu);

#endif
