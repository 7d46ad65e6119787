# SPDX-License-Identifier: GPL-2.0-or-later
# Device list for ppc64-softmmu: as for ppc, and what ppc64 hosts run.
include ../ppc-softmmu/project.mak
CONFIG_PSERIES=y
