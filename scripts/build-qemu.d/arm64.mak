# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for aarch64-softmmu on an arm64 host: as elsewhere, and a board whose
# display wants pixman, which only that build has.
include ../arm-softmmu/project.mak
CONFIG_SBSA_REF=y
CONFIG_XLNX_ZYNQMP_ARM=y
