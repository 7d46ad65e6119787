# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for aarch64-softmmu without TCG: as for arm, but for its boards, which want TCG.
CONFIG_ARM_VIRT=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_SERIAL=y
# ACPI tables call functions of CXL, which only all of CXL brings
CONFIG_PCIE_PORT=y
CONFIG_PXB=y
CONFIG_CXL=y
CONFIG_CXL_MEM_DEVICE=y
