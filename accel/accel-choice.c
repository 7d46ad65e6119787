/*
 * Choosing the accelerator by the CPU type that it has to run
 *
 * An accelerator is initialised long before the first CPU object exists, and
 * there is no way back once that has succeeded. So each accelerator of the
 * user's list is asked first, by AccelClass.can_run_cpu(), and one that
 * declines is passed over like one that is not there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-types-accelerator.h"
#include "qapi/util.h"
#include "qemu/error-report.h"
#include "hw/core/cpu.h"
#include "qemu/target-info.h"
#include "accel/accel-ops.h"
#include "system/accel-choice.h"
#include "hw/boards.h"

typedef struct PassedOver {
    char *name;         /* as in -accel */
    char *model;        /* that it declined; NULL if it failed, and said so */
    char *reason;
    bool declined_cpu;  /* because of this CPU type; another one may do */
} PassedOver;

static MachineState *machine;
static const char *cpu_option;  /* the argument of -cpu, or NULL */
static AccelCPURequest request; /* what the last accelerator was asked */
static GSList *passed_over;     /* of PassedOver, in the order of the list */

static PassedOver *pass_over(const char *name, const char *reason)
{
    PassedOver *p = g_new0(PassedOver, 1);

    p->name = g_strdup(name);
    p->reason = g_strdup(reason);
    passed_over = g_slist_append(passed_over, p);
    return p;
}

static bool any_declined(void)
{
    for (GSList *l = passed_over; l; l = l->next) {
        if (((PassedOver *)l->data)->model) {
            return true;
        }
    }
    return false;
}

/* One entry for each accelerator that was passed over, "; " in between. */
static char *passed_over_reasons(void)
{
    GString *s = g_string_new(NULL);

    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;

        g_string_append_printf(s, "%s%s ", s->len ? "; " : "", p->name);
        if (p->model) {
            g_string_append_printf(s, "cannot run CPU type '%s': ", p->model);
        } else {
            g_string_append(s, "failed: ");
        }
        g_string_append(s, p->reason);
    }
    return g_string_free(s, false);
}

char *accel_cpu_request_property(const AccelCPURequest *cpu, const char *name)
{
    g_auto(GStrv) features = g_strsplit(cpu->features ?: "", ",", -1);
    const char *value = NULL;

    for (char **f = features; *f; f++) {
        char *eq = strchr(*f, '=');

        if (eq && eq - *f == strlen(name) && g_str_has_prefix(*f, name)) {
            value = eq + 1;
        }
    }
    if (!value && cpu->oc) {
        const GlobalProperty *global =
            qdev_find_global_class_prop(cpu->oc, name);

        value = global ? global->value : NULL;
    }
    return g_strdup(value);
}

void accel_choice_start(MachineState *ms, const char *option)
{
    machine = ms;
    cpu_option = option;
}

/*
 * The type that the machine would give its CPUs without -cpu, under the
 * accelerator of class @ac. Machines that have a choice (virt: "max", but
 * "cortex-a15" under TCG) ask which accelerator is enabled, so that one has to
 * be, as accel_init_machine() has it for init_machine().
 */
static const char *default_cpu_type(AccelClass *ac)
{
    bool allowed = *ac->allowed;
    const char *type;

    *ac->allowed = true;
    type = machine_default_cpu_type(machine);
    *ac->allowed = allowed;
    return type;
}

/* Sets request; request.model is NULL if there is nothing to ask. */
static void make_request(AccelClass *ac)
{
    const char *default_type = default_cpu_type(ac);

    g_free(request.model);
    g_free(request.features);
    request = (AccelCPURequest) {};

    if (cpu_option) {
        g_auto(GStrv) pieces = g_strsplit(cpu_option, ",", 2);

        /*
         * A machine without a default CPU type does not look at -cpu, but
         * for "none", which is made to hold any one CPU.
         */
        if (!pieces[0] ||
            (!default_type && strcmp(MACHINE_GET_CLASS(machine)->name,
                                     "none"))) {
            return;
        }
        request.oc = cpu_class_by_name(target_cpu_type(), pieces[0]);
        if (!request.oc && strcmp(pieces[0], "host")) {
            return;
        }
        request.model = g_strdup(pieces[0]);
        request.features = g_strdup(pieces[1]);
    } else if (default_type) {
        request.oc = object_class_by_name(default_type);
        request.model = cpu_model_from_type(default_type);
    }
}

bool accel_choice_accepts(AccelState *accel, const char *name)
{
    AccelClass *ac = ACCEL_GET_CLASS(accel);
    Error *err = NULL;
    PassedOver *p;

    make_request(ac);
    if (!request.model || !ac->can_run_cpu ||
        ac->can_run_cpu(accel, &request, &err)) {
        return true;
    }
    p = pass_over(name, error_get_pretty(err));
    p->model = g_strdup(request.model);
    p->declined_cpu = error_get_class(err) == ERROR_CLASS_GENERIC_ERROR;
    error_free(err);
    return false;
}

void accel_choice_failed(const char *name, const char *reason)
{
    pass_over(name, reason);
}

/* The name by which -accel knows the accelerator that is in use */
static char *used_accel(void)
{
    const char *type = object_get_typename(OBJECT(current_accel()));

    return g_strndup(type, strlen(type) - strlen(ACCEL_CLASS_SUFFIX));
}

bool accel_choice_report_fallback(void)
{
    g_autofree char *used = NULL, *reasons = NULL;

    if (!any_declined()) {
        return false;
    }
    used = used_accel();
    reasons = passed_over_reasons();
    error_report("falling back to %s: %s", used, reasons);
    return true;
}

bool accel_choice_report_failure(void)
{
    bool other_cpu_helps = false, tcg_listed = false;
    bool is_host = request.model && g_str_equal(request.model, "host");

    if (!any_declined()) {
        return false;
    }
    if (passed_over->next && cpu_option) {
        error_report("no accelerator can run CPU type '%s':", request.model);
    } else if (passed_over->next) {
        error_report("no accelerator can run the machine's CPU type:");
    } else {
        g_autofree char *reason = passed_over_reasons();

        error_report("%s", reason);
    }
    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;

        if (passed_over->next && !cpu_option && p->model) {
            error_printf("  %s: '%s': %s\n", p->name, p->model, p->reason);
        } else if (passed_over->next) {
            error_printf("  %s: %s\n", p->name, p->reason);
        }
        if (g_str_equal(p->name, "tcg")) {
            tcg_listed = true;
        } else {
            other_cpu_helps |= p->declined_cpu;
        }
    }

    if (other_cpu_helps && !is_host) {
        error_printf("Use '-cpu host' to run the host's own CPU.\n");
    }
    if (tcg_listed && cpu_class_by_name(target_cpu_type(), "max")) {
        error_printf("Use '-cpu max' to run all that tcg can emulate.\n");
    }
    if (!tcg_listed && accel_find("tcg")) {
        error_printf("Add '-accel tcg'%s to allow emulation.\n",
                     is_host ? ", with another '-cpu'," : "");
    }
    return true;
}

AcceleratorDeclinedList *accel_choice_declined(void)
{
    AcceleratorDeclinedList *list = NULL, **tail = &list;

    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;
        int accelerator = qapi_enum_parse(&Accelerator_lookup, p->name, -1,
                                          NULL);

        if (accelerator >= 0) {
            AcceleratorDeclined *d = g_new0(AcceleratorDeclined, 1);

            d->accelerator = accelerator;
            d->reason = g_strdup(p->reason);
            QAPI_LIST_APPEND(tail, d);
        }
    }
    return list;
}
