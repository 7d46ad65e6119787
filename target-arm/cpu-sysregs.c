/*
 * Arm ID system registers, by index and by encoding
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "cpu-sysregs.h"

uint32_t id_register_sysreg(ARMIDRegisterIdx idx)
{
    switch (idx) {
#define DEF(NAME, OP0, OP1, CRN, CRM, OP2) \
    case NAME##_IDX: return SYS_##NAME;
#include "cpu-sysregs.h.inc"
#undef DEF
    case NUM_ID_IDX:
        break;
    }
    g_assert_not_reached();
}

int get_sysreg_idx(ARMSysRegs sysreg)
{
    switch (sysreg) {
#define DEF(NAME, OP0, OP1, CRN, CRM, OP2) \
    case SYS_##NAME: return NAME##_IDX;
#include "cpu-sysregs.h.inc"
#undef DEF
    }
    g_assert_not_reached();
}
