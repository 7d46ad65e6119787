# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for arm-softmmu: what guests and tests need.
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

# Boards that people use, for what they say under KVM
CONFIG_RASPI=y
CONFIG_SABRELITE=y
CONFIG_FSL_IMX7=y
CONFIG_VEXPRESS=y
# The realview boards, which vexpress brings, want it and do not select it
CONFIG_SPLIT_IRQ=y
# What bcm2835-i2c-test, which the raspi boards bring, talks to
CONFIG_TMP105=y
