/*
 * Choosing the accelerator by the CPU type that it has to run
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_ACCEL_CHOICE_H
#define SYSTEM_ACCEL_CHOICE_H

#include "accel/accel-ops.h"

typedef struct AcceleratorDeclinedList AcceleratorDeclinedList;

/**
 * AccelCPURequest: the CPU type that the guest was promised
 * @model: its name as in ``-cpu``, without features; NULL for whatever CPUs the
 *      machine makes, which has no default, does not look at ``-cpu``, and has
 *      no MachineClass.can_run_under()
 * @oc: its class, or NULL where the name only exists once an accelerator
 *      runs (PowerPC registers "host" when KVM has been initialised)
 * @properties: what was asked of its properties, see accel_cpu_properties();
 *      or NULL
 */
struct AccelCPURequest {
    char *model;
    ObjectClass *oc;
    GHashTable *properties;
};

/**
 * accel_cpu_properties:
 * @oc: class of the CPU type, or NULL
 * @features: what follows the first comma of ``-cpu``, or NULL
 *
 * Takes apart what ``-global`` and ``-cpu`` ask for, without parsing it for the
 * CPUs: cc->parse_features() registers global properties, and must only run
 * once, after the accelerator has been chosen. The last mention counts.
 *
 * Returns: names and values, strings; for g_hash_table_unref()
 */
GHashTable *accel_cpu_properties(ObjectClass *oc, const char *features);

/**
 * accel_cpu_request_property:
 * @cpu: the request
 * @name: a property of the CPU type
 *
 * Returns: the value that was asked for, or NULL
 */
const char *accel_cpu_request_property(const AccelCPURequest *cpu,
                                       const char *name);

/**
 * accel_choice_start:
 * @ms: the machine that is being built
 * @option: the argument of ``-cpu``, or NULL
 *
 * Notes what CPU type the accelerators will be asked about: that of ``-cpu``,
 * or else the machine's default under the accelerator that is asked, or none
 * of a machine that makes its own. Nothing is asked when the name is unknown
 * (parse_cpu_option() reports that).
 *
 * Not called when the user named no accelerator: nobody is asked then.
 */
void accel_choice_start(MachineState *ms, const char *option);

/**
 * accel_choice_accepts:
 * @accel: accelerator object with its properties set, not yet initialised
 * @name: its name as in ``-accel``
 *
 * Asks @accel's class whether it can run the CPU type. A reason to decline is
 * remembered for accel_choice_report_*() and ``query-accelerators``.
 *
 * Returns: true if @accel can be initialised
 */
bool accel_choice_accepts(AccelState *accel, const char *name);

/**
 * accel_emulates:
 * @accel: an accelerator, initialised or not
 *
 * For MachineClass.can_run_under().
 *
 * Returns: true if it can run guest CPUs with all that QEMU emulates
 */
bool accel_emulates(const AccelState *accel);

/**
 * accel_runs_cpu_type:
 * @accel: an accelerator with its properties set
 * @type: a CPU type that a machine makes by itself
 * @errp: says why not
 *
 * For MachineClass.can_run_under() of machines that do not look at ``-cpu``.
 *
 * Returns: true if it can run such CPUs here
 */
bool accel_runs_cpu_type(AccelState *accel, const char *type, Error **errp);

/**
 * accel_choice_absent:
 * @name: name of an accelerator as in ``-accel`` that does not exist
 * @quiet: say so only if another one declines
 *
 * Remembers that it was passed over.
 */
void accel_choice_absent(const char *name, bool quiet);

/**
 * accel_choice_failed:
 * @name: name of an accelerator as in ``-accel``
 * @err: errno with which it could not be initialised
 * @quiet: say so only if another one declines
 *
 * Remembers that it was passed over.
 */
void accel_choice_failed(const char *name, int err, bool quiet);

/**
 * accel_choice_report_fallback:
 * @quiet: only say what is wrong with those that did not decline
 *
 * Says which accelerator is used if one was passed over. Where one declined
 * that is one line, with the reason of each.
 */
void accel_choice_report_fallback(bool quiet);

/**
 * accel_choice_report_failure:
 *
 * Reports that no accelerator of the list can be used. Where one declined that
 * is with the reason of each, and a remedy.
 */
void accel_choice_report_failure(void);

/**
 * accel_choice_declined:
 *
 * Returns: those that came before the accelerator in use and were passed over,
 * in the order of the list, for ``query-accelerators``
 */
AcceleratorDeclinedList *accel_choice_declined(void);

#endif
