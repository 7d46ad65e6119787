/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the series needs of the kernel's headers on BookE PowerPC hosts.
 */
#include "common.h"

/*
 * The TLB that QEMU and the kernel share: the KVM_PPC_SET_MMU_TYPE,
 * INVALIDATE_TLB, SET_TLBE and GET_TLBE of 2011.
 */
VALUE(KVM_CAP_SW_TLB, 69);
VALUE(KVM_MMU_FSL_BOOKE_NOHV, 0);
VALUE(KVM_MMU_FSL_BOOKE_HV, 1);
SIZE(struct kvm_config_tlb, 24);
FIELD(struct kvm_config_tlb, params, 0, 8);
FIELD(struct kvm_config_tlb, array, 8, 8);
FIELD(struct kvm_config_tlb, mmu_type, 16, 4);
FIELD(struct kvm_config_tlb, array_len, 20, 4);
SIZE(struct kvm_book3e_206_tlb_params, 64);
FIELD(struct kvm_book3e_206_tlb_params, tlb_sizes, 0, 16);
FIELD(struct kvm_book3e_206_tlb_params, tlb_ways, 16, 16);
FIELD(struct kvm_book3e_206_tlb_params, reserved, 32, 32);
SIZE(struct kvm_book3e_206_tlb_entry, 24);
FIELD(struct kvm_book3e_206_tlb_entry, mas8, 0, 4);
FIELD(struct kvm_book3e_206_tlb_entry, mas1, 4, 4);
FIELD(struct kvm_book3e_206_tlb_entry, mas2, 8, 8);
FIELD(struct kvm_book3e_206_tlb_entry, mas7_3, 16, 8);
IOCTL(KVM_DIRTY_TLB, W, 0xaa, 16);
SIZE(struct kvm_dirty_tlb, 16);
FIELD(struct kvm_dirty_tlb, bitmap, 0, 8);
FIELD(struct kvm_dirty_tlb, num_dirty, 8, 4);

/* Registers */
IOCTL(KVM_GET_REGS, R, 0x81, 392);
IOCTL(KVM_SET_REGS, W, 0x82, 392);
SIZE(struct kvm_regs, 392);
FIELD(struct kvm_regs, pc, 0, 8);
FIELD(struct kvm_regs, cr, 8, 8);
FIELD(struct kvm_regs, ctr, 16, 8);
FIELD(struct kvm_regs, lr, 24, 8);
FIELD(struct kvm_regs, xer, 32, 8);
FIELD(struct kvm_regs, msr, 40, 8);
FIELD(struct kvm_regs, srr0, 48, 8);
FIELD(struct kvm_regs, srr1, 56, 8);
FIELD(struct kvm_regs, pid, 64, 8);
FIELD(struct kvm_regs, sprg0, 72, 8);
FIELD(struct kvm_regs, sprg7, 128, 8);
FIELD(struct kvm_regs, gpr, 136, 256);

/* Special registers; features says which of them are there. */
VALUE(KVM_CAP_PPC_BOOKE_SREGS, 62);
IOCTL(KVM_GET_SREGS, R, 0x83, 1232);
IOCTL(KVM_SET_SREGS, W, 0x84, 1232);
SIZE(struct kvm_sregs, 1232);
VALUE(KVM_SREGS_E_IMPL_NONE, 0);
VALUE(KVM_SREGS_E_IMPL_FSL, 1);
VALUE(KVM_SREGS_E_FSL_PIDn, 0x0001);
VALUE(KVM_SREGS_E_BASE, 0x0001);
VALUE(KVM_SREGS_E_ARCH206, 0x0002);
VALUE(KVM_SREGS_E_64, 0x0004);
VALUE(KVM_SREGS_E_SPRG8, 0x0008);
VALUE(KVM_SREGS_E_MCIVPR, 0x0010);
VALUE(KVM_SREGS_E_IVOR, 0x0020);
VALUE(KVM_SREGS_E_ARCH206_MMU, 0x0040);
VALUE(KVM_SREGS_E_DEBUG, 0x0080);
VALUE(KVM_SREGS_E_ED, 0x0100);
VALUE(KVM_SREGS_E_SPE, 0x0200);
VALUE(KVM_SREGS_EXP, 0x0400);
VALUE(KVM_SREGS_E_PD, 0x0800);
VALUE(KVM_SREGS_E_PC, 0x1000);
VALUE(KVM_SREGS_E_PT, 0x2000);
VALUE(KVM_SREGS_E_PM, 0x4000);
VALUE(KVM_SREGS_E_UPDATE_MCSR, 0x0001);
VALUE(KVM_SREGS_E_UPDATE_TSR, 0x0002);
VALUE(KVM_SREGS_E_UPDATE_DEC, 0x0004);
VALUE(KVM_SREGS_E_UPDATE_DBSR, 0x0008);
FIELD(struct kvm_sregs, pvr, 0, 4);
FIELD(struct kvm_sregs, u.e.impl.fsl.features, 8, 4);
FIELD(struct kvm_sregs, u.e.impl.fsl.svr, 12, 4);
FIELD(struct kvm_sregs, u.e.impl.fsl.mcar, 16, 8);
FIELD(struct kvm_sregs, u.e.impl.fsl.hid0, 24, 4);
FIELD(struct kvm_sregs, u.e.impl.fsl.pid1, 28, 4);
FIELD(struct kvm_sregs, u.e.impl.fsl.pid2, 32, 4);
FIELD(struct kvm_sregs, u.e.features, 264, 4);
FIELD(struct kvm_sregs, u.e.impl_id, 268, 4);
FIELD(struct kvm_sregs, u.e.update_special, 272, 4);
FIELD(struct kvm_sregs, u.e.pir, 276, 4);
FIELD(struct kvm_sregs, u.e.sprg8, 280, 8);
FIELD(struct kvm_sregs, u.e.sprg9, 288, 8);
FIELD(struct kvm_sregs, u.e.csrr0, 296, 8);
FIELD(struct kvm_sregs, u.e.dsrr0, 304, 8);
FIELD(struct kvm_sregs, u.e.mcsrr0, 312, 8);
FIELD(struct kvm_sregs, u.e.csrr1, 320, 4);
FIELD(struct kvm_sregs, u.e.dsrr1, 324, 4);
FIELD(struct kvm_sregs, u.e.mcsrr1, 328, 4);
FIELD(struct kvm_sregs, u.e.esr, 332, 4);
FIELD(struct kvm_sregs, u.e.dear, 336, 8);
FIELD(struct kvm_sregs, u.e.ivpr, 344, 8);
FIELD(struct kvm_sregs, u.e.mcivpr, 352, 8);
FIELD(struct kvm_sregs, u.e.mcsr, 360, 8);
FIELD(struct kvm_sregs, u.e.tsr, 368, 4);
FIELD(struct kvm_sregs, u.e.tcr, 372, 4);
FIELD(struct kvm_sregs, u.e.decar, 376, 4);
FIELD(struct kvm_sregs, u.e.dec, 380, 4);
FIELD(struct kvm_sregs, u.e.tb, 384, 8);
FIELD(struct kvm_sregs, u.e.dbsr, 392, 4);
FIELD(struct kvm_sregs, u.e.dbcr, 396, 12);
FIELD(struct kvm_sregs, u.e.iac, 408, 16);
FIELD(struct kvm_sregs, u.e.dac, 424, 8);
FIELD(struct kvm_sregs, u.e.dvc, 432, 8);
FIELD(struct kvm_sregs, u.e.num_iac, 440, 1);
FIELD(struct kvm_sregs, u.e.num_dac, 441, 1);
FIELD(struct kvm_sregs, u.e.num_dvc, 442, 1);
FIELD(struct kvm_sregs, u.e.epr, 444, 4);
FIELD(struct kvm_sregs, u.e.vrsave, 448, 4);
FIELD(struct kvm_sregs, u.e.epcr, 452, 4);
FIELD(struct kvm_sregs, u.e.mas0, 456, 4);
FIELD(struct kvm_sregs, u.e.mas1, 460, 4);
FIELD(struct kvm_sregs, u.e.mas2, 464, 8);
FIELD(struct kvm_sregs, u.e.mas7_3, 472, 8);
FIELD(struct kvm_sregs, u.e.mas4, 480, 4);
FIELD(struct kvm_sregs, u.e.mas6, 484, 4);
FIELD(struct kvm_sregs, u.e.ivor_low, 488, 64);
FIELD(struct kvm_sregs, u.e.ivor_high, 552, 72);
FIELD(struct kvm_sregs, u.e.mmucfg, 624, 4);
FIELD(struct kvm_sregs, u.e.eptcfg, 628, 4);
FIELD(struct kvm_sregs, u.e.tlbcfg, 632, 16);
FIELD(struct kvm_sregs, u.e.tlbps, 648, 16);
FIELD(struct kvm_sregs, u.e.eplc, 664, 4);
FIELD(struct kvm_sregs, u.e.epsc, 668, 4);

/* Those of BookE that ONE_REG has instead: the timer, the proxy, debugging */
VALUE(KVM_REG_PPC, 0x1000000000000000);
VALUE(KVM_REG_PPC_EPCR, 0x1020000000000085);
VALUE(KVM_REG_PPC_EPR, 0x1020000000000086);
VALUE(KVM_REG_PPC_OR_TSR, 0x1020000000000087);
VALUE(KVM_REG_PPC_CLEAR_TSR, 0x1020000000000088);
VALUE(KVM_REG_PPC_TCR, 0x1020000000000089);
VALUE(KVM_REG_PPC_TSR, 0x102000000000008a);
VALUE(KVM_REG_PPC_DEBUG_INST, 0x102000000000008b);
VALUE(KVM_REG_PPC_MAS0, 0x102000000000008c);
VALUE(KVM_REG_PPC_MAS1, 0x102000000000008d);
VALUE(KVM_REG_PPC_MAS2, 0x103000000000008e);
VALUE(KVM_REG_PPC_MAS7_3, 0x103000000000008f);
VALUE(KVM_REG_PPC_MAS4, 0x1020000000000090);
VALUE(KVM_REG_PPC_MAS6, 0x1020000000000091);
VALUE(KVM_REG_PPC_MMUCFG, 0x1020000000000092);
VALUE(KVM_REG_PPC_TLB0CFG, 0x1020000000000093);
VALUE(KVM_REG_PPC_TLB1CFG, 0x1020000000000094);
VALUE(KVM_REG_PPC_TLB0PS, 0x1020000000000097);
VALUE(KVM_REG_PPC_TLB1PS, 0x1020000000000098);
VALUE(KVM_REG_PPC_EPTCFG, 0x102000000000009b);
VALUE(KVM_REG_PPC_VRSAVE, 0x10200000000000b4);
VALUE(KVM_REG_PPC_SPRG9, 0x10300000000000ba);
VALUE(KVM_REG_PPC_DBSR, 0x10200000000000bb);
VALUE(KVM_REG_PPC_FPR(31), 0x103000000000003f);
VALUE(KVM_REG_PPC_FPSCR, 0x1030000000000080);

VALUE(KVM_CAP_PPC_UNSET_IRQ, 53);
VALUE(KVM_CAP_PPC_IRQ_LEVEL, 58);
VALUE(KVM_CAP_PPC_BOOKE_WATCHDOG, 83);
VALUE(KVM_CAP_PPC_EPR, 86);
VALUE(KVM_EXIT_DEBUG, 4);
VALUE(KVM_EXIT_WATCHDOG, 21);
VALUE(KVM_EXIT_EPR, 23);

/* The interrupt controller */
IOCTL(KVM_INTERRUPT, W, 0x86, 4);
VALUE(KVM_INTERRUPT_SET, -1u);
VALUE(KVM_INTERRUPT_UNSET, -2u);
VALUE(KVM_INTERRUPT_SET_LEVEL, -3u);
VALUE(KVM_CAP_IRQ_MPIC, 90);
VALUE(KVM_DEV_TYPE_FSL_MPIC_20, 1);
VALUE(KVM_DEV_TYPE_FSL_MPIC_42, 2);
VALUE(KVM_DEV_MPIC_GRP_MISC, 1);
VALUE(KVM_DEV_MPIC_BASE_ADDR, 0);
VALUE(KVM_DEV_MPIC_GRP_REGISTER, 2);
VALUE(KVM_DEV_MPIC_GRP_IRQ_ACTIVE, 3);
