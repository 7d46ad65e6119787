/*
 * Which Arm CPU types TCG can run
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "system/accel-choice.h"
#include "cpu.h"
#include "internals.h"

bool arm_tcg_can_run_cpu(const AccelCPURequest *cpu, Error **errp)
{
    const char *aarch64 = accel_cpu_request_property(cpu, "aarch64");
    bool is_64bit = true;
    GHashTableIter iter;
    const char *name;

    if (cpu->properties) {
        g_hash_table_iter_init(&iter, cpu->properties);
        while (g_hash_table_iter_next(&iter, (void **)&name, NULL)) {
            /* CPUs have these with KVM only, kvm_arm_add_vcpu_properties() */
            if (g_str_has_prefix(name, "kvm-")) {
                error_setg(errp, "property '%s' is KVM's", name);
                return false;
            }
        }
    }
    /* aarch64_cpu_set_aarch64() refuses it later. */
    if (aarch64 && qapi_bool_parse("aarch64", aarch64, &is_64bit, NULL) &&
        !is_64bit) {
        error_setg(errp, "aarch64=off needs KVM");
        return false;
    }
    return true;
}
