/*
 * KVM on BookE PowerPC
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "system/kvm_int.h"
#include "kvm-booke.h"

static const char *family_name(PowerPCCPUClass *pcc)
{
    return DEVICE_CLASS(ppc_cpu_get_family_class(pcc))->desc;
}

bool kvmppc_booke_can_run(const KVMState *s, PowerPCCPUClass *model,
                          PowerPCCPUClass *host, uint32_t host_pvr,
                          Error **errp)
{
    int fd, ret;

    if (!host || ppc_cpu_get_family_class(model) !=
                 ppc_cpu_get_family_class(host)) {
        error_setg(errp, "its family is '%s' and the host's is '%s' "
                   "(PVR 0x%08" PRIx32 "), which KVM cannot hide",
                   family_name(model), host ? family_name(host) : "unknown",
                   host_pvr);
        return false;
    }

    fd = kvm_probe_open(s, errp);
    if (fd < 0) {
        return false;
    }
    ret = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_SW_TLB);
    qemu_close(fd);
    if (ret <= 0) {
        error_set(errp, ERROR_CLASS_KVM_MISSING_CAP,
                  "the kernel does not share the guest's TLBs "
                  "(KVM_CAP_SW_TLB is missing)");
        return false;
    }
    return true;
}
