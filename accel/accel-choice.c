/*
 * Choosing the accelerator by what it has to run: the CPU type, the machine
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
    AcceleratorDeclinedKind kind;
    char *subject;      /* what it declined to run, or NULL */
    char *reason;
    char *message;      /* what to say of it where none declined, or NULL */
    Location where;     /* of @message: the option */
    bool runs_host;     /* instead of the CPU type that it declined */
    bool runs_max;
} PassedOver;

static MachineState *machine;   /* NULL: nobody is asked */
static const char *cpu_option;  /* the argument of -cpu, or NULL */
static AccelCPURequest request; /* what the last accelerator was asked */
static GSList *passed_over;     /* of PassedOver, in the order of the list */

/* One that is on the list twice, and says the same again, is told once. */
static PassedOver *pass_over(const char *name, AcceleratorDeclinedKind kind,
                             const char *reason)
{
    PassedOver *p;

    for (GSList *l = passed_over; l; l = l->next) {
        p = l->data;
        if (g_str_equal(p->name, name) && g_str_equal(p->reason, reason)) {
            return p;
        }
    }
    p = g_new0(PassedOver, 1);
    p->name = g_strdup(name);
    p->kind = kind;
    p->reason = g_strdup(reason);
    passed_over = g_slist_append(passed_over, p);
    return p;
}

static bool any_declined(void)
{
    for (GSList *l = passed_over; l; l = l->next) {
        if (((PassedOver *)l->data)->subject) {
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

        g_string_append_printf(s, "%s%s", s->len ? "; " : "", p->name);
        if (p->subject) {
            g_string_append_printf(s, " cannot run %s", p->subject);
        }
        g_string_append_printf(s, ": %s", p->reason);
    }
    return g_string_free(s, false);
}

static void add_property(GHashTable *properties, const char *name, int len,
                         const char *value)
{
    g_hash_table_insert(properties, g_strndup(name, len), g_strdup(value));
}

static void add_global(const GlobalProperty *global, void *opaque)
{
    add_property(opaque, global->property, strlen(global->property),
                 global->value);
}

/* All forms that a target's parser takes; not each target's takes them all. */
GHashTable *accel_cpu_properties(ObjectClass *oc, const char *features)
{
    GHashTable *properties = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                   g_free, g_free);
    g_auto(GStrv) words = g_strsplit(features ?: "", ",", -1);

    if (oc) {
        qdev_foreach_global_class_prop(oc, add_global, properties);
    }
    for (char **w = words; *w; w++) {
        char *eq = strchr(*w, '=');

        if (**w == '+' || **w == '-') {
            add_property(properties, *w + 1, strlen(*w + 1),
                         **w == '+' ? "on" : "off");
        } else {
            add_property(properties, *w, eq ? eq - *w : strlen(*w),
                         eq ? eq + 1 : "on");
        }
    }
    return properties;
}

const char *accel_cpu_request_property(const AccelCPURequest *cpu,
                                       const char *name)
{
    return cpu->properties ? g_hash_table_lookup(cpu->properties, name) : NULL;
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

/*
 * Whether the machine takes CPUs of class @oc under any accelerator. If not,
 * that is the machine's error, whoever runs it. Machines that have another
 * list for each accelerator (virt) ask which ones are enabled, and add up.
 */
static bool machine_takes(ObjectClass *oc)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    g_autoptr(GSList) accels = NULL;
    g_autoptr(GPtrArray) types = NULL;

    if (mc->valid_cpu_types) {
        for (int i = 0; mc->valid_cpu_types[i]; i++) {
            if (object_class_dynamic_cast(oc, mc->valid_cpu_types[i])) {
                return true;
            }
        }
        return false;
    }
    if (!mc->get_valid_cpu_types) {
        return true;
    }

    accels = object_class_get_list(TYPE_ACCEL, false);
    for (GSList *l = accels; l; l = l->next) {
        *ACCEL_CLASS(l->data)->allowed = true;
    }
    types = mc->get_valid_cpu_types(machine);
    for (GSList *l = accels; l; l = l->next) {
        *ACCEL_CLASS(l->data)->allowed = false;
    }
    for (guint i = 0; i < types->len; i++) {
        if (object_class_dynamic_cast(oc, types->pdata[i])) {
            return true;
        }
    }
    return false;
}

/* Sets request. Returns: whether there is something to ask */
static bool make_request(AccelClass *ac)
{
    const char *default_type = default_cpu_type(ac);
    const MachineClass *mc = MACHINE_GET_CLASS(machine);

    g_free(request.model);
    g_clear_pointer(&request.properties, g_hash_table_unref);
    request = (AccelCPURequest) {};

    /*
     * A machine that names no default CPU type makes its own CPUs, whatever
     * -cpu says; "none" is made to hold any one CPU.
     */
    if (!mc->default_cpu_type && !mc->get_default_cpu_type &&
        !g_str_equal(mc->name, "none")) {
        return !mc->can_run_under;
    }
    if (cpu_option) {
        g_auto(GStrv) pieces = g_strsplit(cpu_option, ",", 2);

        if (!pieces[0]) {
            return false;
        }
        request.oc = cpu_class_by_name(target_cpu_type(), pieces[0]);
        if (request.oc ? !machine_takes(request.oc) :
            strcmp(pieces[0], "host")) {
            return false;
        }
        request.model = g_strdup(pieces[0]);
        request.properties = accel_cpu_properties(request.oc, pieces[1]);
        return true;
    }
    if (default_type) {
        request.oc = object_class_by_name(default_type);
        /* PowerPC has its "host" when KVM has been initialised. */
        request.model = request.oc ? cpu_model_from_type(default_type)
                                   : g_strdup("host");
        request.properties = accel_cpu_properties(request.oc, NULL);
    }
    return default_type != NULL;
}

/* Whether the machine takes -cpu @model, which is no other name of a model */
static bool helps(const char *model)
{
    g_autofree char *type = g_strdup_printf("%s-%s", model, target_cpu_type());
    ObjectClass *oc = cpu_class_by_name(target_cpu_type(), model);

    if (!oc) {
        /* PowerPC has its "host" when KVM has been initialised. */
        return g_str_equal(model, "host");
    }
    return g_str_equal(object_class_get_name(oc), type) && machine_takes(oc);
}

/*
 * Whether @accel would run -cpu @model, of which nothing else is wanted, with
 * what -global says or as it is
 */
static bool runs(AccelState *accel, const char *model, bool with_globals)
{
    ObjectClass *oc = cpu_class_by_name(target_cpu_type(), model);
    g_autoptr(GHashTable) properties =
        accel_cpu_properties(with_globals ? oc : NULL, NULL);
    AccelCPURequest other = {
        .model = (char *)model,
        .oc = oc,
        .properties = properties,
    };

    return ACCEL_GET_CLASS(accel)->can_run_cpu(accel, &other, NULL);
}

bool accel_choice_accepts(AccelState *accel, const char *name)
{
    AccelClass *ac = ACCEL_GET_CLASS(accel);
    g_autofree char *subject = NULL;
    MachineClass *mc;
    bool asked, cpu = false;
    Error *err = NULL;
    PassedOver *p;

    if (!machine) {
        return true;
    }
    mc = MACHINE_GET_CLASS(machine);
    asked = make_request(ac) && ac->can_run_cpu;
    if (asked && !ac->can_run_cpu(accel, &request, &err)) {
        cpu = request.model;
        subject = cpu ? g_strdup_printf("CPU type '%s'", request.model) :
                        g_strdup_printf("machine '%s'", mc->name);
    } else if (mc->can_run_under &&
               !mc->can_run_under(machine, accel, &err)) {
        subject = g_strdup_printf("machine '%s'", mc->name);
    } else {
        return true;
    }
    p = pass_over(name, cpu ? ACCELERATOR_DECLINED_KIND_CPU :
                              ACCELERATOR_DECLINED_KIND_MACHINE,
                  error_get_pretty(err));
    if (!p->subject) {
        p->subject = g_steal_pointer(&subject);
    }
    p->runs_host |= cpu && helps("host") && runs(accel, "host", true);
    p->runs_max |= cpu && helps("max") && runs(accel, "max", true);
    if (ac->can_run_cpu && !runs(accel, "host", false) &&
        !runs(accel, "max", false)) {
        p->kind = ACCELERATOR_DECLINED_KIND_UNAVAILABLE;
    }
    error_free(err);
    return false;
}

bool accel_runs_cpu_type(AccelState *accel, const char *type, Error **errp)
{
    AccelClass *ac = ACCEL_GET_CLASS(accel);
    ObjectClass *oc = object_class_by_name(type);
    g_autofree char *model = cpu_model_from_type(type);
    g_autoptr(GHashTable) properties = accel_cpu_properties(oc, NULL);
    AccelCPURequest cpu = {
        .model = model,
        .oc = oc,
        .properties = properties,
    };

    return !ac->can_run_cpu || ac->can_run_cpu(accel, &cpu, errp);
}

bool accel_emulates(const AccelState *accel)
{
    return object_dynamic_cast(OBJECT(accel), ACCEL_CLASS_NAME("tcg")) ||
           object_dynamic_cast(OBJECT(accel), ACCEL_CLASS_NAME("qtest"));
}

void accel_choice_absent(const char *name, bool quiet)
{
    PassedOver *p = pass_over(name, ACCELERATOR_DECLINED_KIND_ABSENT,
                              "it is not built into this executable");

    if (!quiet && !p->message) {
        p->message = g_strdup_printf("invalid accelerator %s", name);
        loc_save(&p->where);
    }
}

void accel_choice_failed(const char *name, int err, bool quiet)
{
    PassedOver *p = pass_over(name, ACCELERATOR_DECLINED_KIND_FAILED,
                              strerror(err));

    if (!quiet && !p->message) {
        p->message = g_strdup_printf("failed to initialize %s: %s", name,
                                     strerror(err));
        loc_save(&p->where);
    }
}

static void report_messages(void)
{
    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;

        if (p->message) {
            loc_push_restore(&p->where);
            error_report("%s", p->message);
            loc_pop(&p->where);
        }
    }
}

/* The name by which -accel knows the accelerator that is in use */
static char *used_accel(void)
{
    const char *type = object_get_typename(OBJECT(current_accel()));

    return g_strndup(type, strlen(type) - strlen(ACCEL_CLASS_SUFFIX));
}

void accel_choice_report_fallback(bool quiet)
{
    if (!any_declined()) {
        report_messages();
    }
    if (passed_over && !quiet) {
        g_autofree char *used = used_accel();
        g_autofree char *reasons = passed_over_reasons();

        if (any_declined()) {
            error_report("falling back to %s: %s", used, reasons);
        } else {
            error_report("falling back to %s", current_accel_name());
        }
    }
}

static bool tcg_can_run(void)
{
    AccelClass *ac = accel_find("tcg");
    Object *tcg = object_new_with_class(OBJECT_CLASS(ac));
    /* without -cpu it is another type than the last one's */
    bool ok = !make_request(ac) || !ac->can_run_cpu ||
              ac->can_run_cpu(ACCEL(tcg), &request, NULL);

    object_unref(tcg);
    return ok;
}

static bool tcg_takes_machine(void)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    Object *tcg = object_new_with_class(OBJECT_CLASS(accel_find("tcg")));
    bool ok = !mc->can_run_under ||
              mc->can_run_under(machine, ACCEL(tcg), NULL);

    object_unref(tcg);
    return ok;
}

void accel_choice_report_failure(void)
{
    bool host_helps = false, max_helps = false, tcg_listed = false, same = true;
    g_autofree char *model = g_strdup(request.model ?: "");
    const char *subject = NULL;

    if (!any_declined()) {
        report_messages();
        if (!passed_over) {
            error_report("no accelerator found");
        }
        return;
    }
    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;

        if (!p->subject) {
            continue;
        }
        same = !subject || g_str_equal(subject, p->subject);
        subject = p->subject;
        if (!same) {
            break;
        }
    }
    if (!passed_over->next) {
        g_autofree char *reason = passed_over_reasons();

        error_report("%s", reason);
    } else {
        error_report("no accelerator can run %s:",
                     same ? subject : "this guest");
    }
    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;

        if (passed_over->next) {
            error_printf("  %s: %s%s%s\n", p->name,
                         p->subject && !same ? p->subject : "",
                         p->subject && !same ? ": " : "", p->reason);
        }
        tcg_listed |= g_str_equal(p->name, "tcg");
        host_helps |= p->runs_host;
        max_helps |= p->runs_max && g_str_equal(p->name, "tcg");
    }

    if (host_helps && !g_str_equal(model, "host")) {
        error_printf("Use '-cpu host' to run the host's own CPU.\n");
    }
    if (max_helps && !g_str_equal(model, "max")) {
        error_printf("Use '-cpu max' to run all that tcg can emulate.\n");
    }
    if (!tcg_listed && accel_find("tcg") && tcg_takes_machine()) {
        error_printf("Add '-accel tcg'%s to allow emulation.\n",
                     tcg_can_run() ? "" : ", with another '-cpu',");
    }
}

/* Each accelerator once: of one that is listed twice the last word counts. */
AcceleratorDeclinedList *accel_choice_declined(void)
{
    AcceleratorDeclinedList *list = NULL, **tail = &list;

    for (GSList *l = passed_over; l; l = l->next) {
        PassedOver *p = l->data;
        int accelerator = qapi_enum_parse(&Accelerator_lookup, p->name, -1,
                                          NULL);
        bool last = true;

        for (GSList *later = l->next; later; later = later->next) {
            last &= !g_str_equal(((PassedOver *)later->data)->name, p->name);
        }
        if (accelerator >= 0 && last) {
            AcceleratorDeclined *d = g_new0(AcceleratorDeclined, 1);

            d->accelerator = accelerator;
            d->kind = p->kind;
            d->reason = g_strdup(p->reason);
            QAPI_LIST_APPEND(tail, d);
        }
    }
    return list;
}
