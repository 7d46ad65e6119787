# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for aarch64-softmmu on an arm64 host: as elsewhere, and boards which run
# under KVM there, or do not. One has a display that wants pixman, which only that build has.
include ../arm-softmmu/project.mak
CONFIG_SBSA_REF=y
CONFIG_XLNX_ZYNQMP_ARM=y
CONFIG_FSL_IMX8MP_EVK=y
