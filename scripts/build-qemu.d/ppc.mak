# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for ppc-softmmu: what guests and tests need.
CONFIG_E500PLAT=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_SERIAL=y
