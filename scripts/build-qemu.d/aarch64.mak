# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for aarch64-softmmu: as for arm, and a board that arm has not.
include ../arm-softmmu/project.mak
CONFIG_SBSA_REF=y
