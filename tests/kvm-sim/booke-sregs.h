/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of struct kvm_sregs that BookE has, as S("name", field): for the
 * simulation, and for the probe that asks a kernel for them.
 */
#define BOOKE_SREGS(S) \
    S("features", u.e.features), S("impl_id", u.e.impl_id), \
    S("svr", u.e.impl.fsl.svr), S("mcar", u.e.impl.fsl.mcar), \
    S("hid0", u.e.impl.fsl.hid0), S("pir", u.e.pir), \
    S("sprg8", u.e.sprg8), S("csrr0", u.e.csrr0), S("csrr1", u.e.csrr1), \
    S("mcsrr0", u.e.mcsrr0), S("mcsrr1", u.e.mcsrr1), S("esr", u.e.esr), \
    S("dear", u.e.dear), S("ivpr", u.e.ivpr), S("mcsr", u.e.mcsr), \
    S("tsr", u.e.tsr), S("tcr", u.e.tcr), S("decar", u.e.decar), \
    S("dec", u.e.dec), S("epr", u.e.epr), S("vrsave", u.e.vrsave), \
    S("epcr", u.e.epcr), S("mas0", u.e.mas0), S("mas1", u.e.mas1), \
    S("mas2", u.e.mas2), S("mas7_3", u.e.mas7_3), S("mas4", u.e.mas4), \
    S("mas6", u.e.mas6), S("ivor0", u.e.ivor_low[0]), \
    S("ivor1", u.e.ivor_low[1]), S("ivor2", u.e.ivor_low[2]), \
    S("ivor3", u.e.ivor_low[3]), S("ivor4", u.e.ivor_low[4]), \
    S("ivor5", u.e.ivor_low[5]), S("ivor6", u.e.ivor_low[6]), \
    S("ivor7", u.e.ivor_low[7]), S("ivor8", u.e.ivor_low[8]), \
    S("ivor9", u.e.ivor_low[9]), S("ivor10", u.e.ivor_low[10]), \
    S("ivor11", u.e.ivor_low[11]), S("ivor12", u.e.ivor_low[12]), \
    S("ivor13", u.e.ivor_low[13]), S("ivor14", u.e.ivor_low[14]), \
    S("ivor15", u.e.ivor_low[15]), S("ivor32", u.e.ivor_high[0]), \
    S("ivor33", u.e.ivor_high[1]), S("ivor34", u.e.ivor_high[2]), \
    S("ivor35", u.e.ivor_high[3]), S("ivor36", u.e.ivor_high[4]), \
    S("ivor37", u.e.ivor_high[5]), S("mmucfg", u.e.mmucfg), \
    S("eptcfg", u.e.eptcfg), S("tlbcfg0", u.e.tlbcfg[0]), \
    S("tlbcfg1", u.e.tlbcfg[1]), S("tlbcfg2", u.e.tlbcfg[2]), \
    S("tlbps0", u.e.tlbps[0]), S("tlbps1", u.e.tlbps[1])
