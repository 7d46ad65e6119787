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
    /* CPUs have these properties with KVM only. */
    static const char *const kvm_only[] = {
        "kvm-no-adjvtime", "kvm-steal-time",
    };
    const char *aarch64 = accel_cpu_request_property(cpu, "aarch64");
    bool is_64bit = true;

    for (int i = 0; i < ARRAY_SIZE(kvm_only); i++) {
        const char *value = accel_cpu_request_property(cpu, kvm_only[i]);

        if (value) {
            error_setg(errp, "property '%s' is KVM's", kvm_only[i]);
            return false;
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
