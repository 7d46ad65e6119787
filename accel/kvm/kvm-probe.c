/*
 * Looking at a KVM that the accelerator need not have initialised
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "system/kvm_int.h"

int kvm_probe_open(const KVMState *s, Error **errp)
{
    const char *device = s && s->device ? s->device : "/dev/kvm";
    int version, fd;

    if (s && s->fd >= 0) {
        /* QEMU may not be able to open the device any more. */
        fd = dup(s->fd);
        if (fd < 0) {
            error_setg_errno(errp, errno, "could not duplicate the descriptor "
                             "of '%s'", device);
        } else {
            qemu_set_cloexec(fd);
        }
        return fd;
    }

    fd = qemu_open_old(device, O_RDWR);
    if (fd < 0) {
        error_setg_errno(errp, errno, "could not open '%s'", device);
        return -1;
    }

    version = ioctl(fd, KVM_GET_API_VERSION, 0);
    if (version == KVM_API_VERSION) {
        return fd;
    }
    if (version < 0) {
        error_setg_errno(errp, errno, "'%s' is not KVM: KVM_GET_API_VERSION",
                         device);
    } else {
        error_setg(errp, "'%s' has KVM API version %d, not %d", device, version,
                   KVM_API_VERSION);
    }
    qemu_close(fd);
    return -1;
}
