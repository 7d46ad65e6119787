/*
 * Telling a guest on which CPUs it may run
 *
 * A guest kernel chooses its workarounds, and what it says of vulnerabilities,
 * by MIDR_EL1 and REVIDR_EL1. Where these are not those of every CPU that it
 * may run on, it can ask for them (Linux 6.15 does): DISCOVER_IMPL_VER and
 * DISCOVER_IMPL_CPUS in Linux's Documentation/virt/kvm/arm/hypercalls.rst. KVM
 * has them forwarded to user space by the SMCCC filter of the VM
 * (Documentation/virt/kvm/devices/vm.rst), and tells guests that they are there
 * by KVM_REG_ARM_VENDOR_HYP_BMAP_2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "migration/vmstate.h"
#include "system/kvm.h"
#include "cpu.h"
#include "kvm-host-cpus.h"
#include "kvm-impl-cpus.h"

/* SMC64 fast calls of the vendor's hypervisor service, functions 64 and 65 */
#define DISCOVER_IMPL_VER       0xc6000040
#define DISCOVER_IMPL_CPUS      0xc6000041
#define VERSION_1_0             0x10000

/* SMC Calling Convention, DEN0028 */
#define SMCCC_SUCCESS           0
#define SMCCC_NOT_SUPPORTED     (-1)
#define SMCCC_INVALID_PARAMETER (-3)

#define BOTH_CALLS (1 << KVM_REG_ARM_VENDOR_HYP_BIT_DISCOVER_IMPL_VER | \
                    1 << KVM_REG_ARM_VENDOR_HYP_BIT_DISCOVER_IMPL_CPUS)

/* QEMU's own limit; a guest has to have memory for them */
#define MAX_CPUS 32

typedef struct ImplCPUs {
    uint32_t n;
    KVMArmImplCPU cpus[MAX_CPUS];
} ImplCPUs;

/* The host's; what the guest is told; what goes to another QEMU, or comes */
static ImplCPUs host, told, moving;

/*
 * Linux asks whether one of the CPUs that it may run on is known to be safe,
 * and then takes all for safe: is_midr_in_range_list() (7.2) for
 * kpti_safe_list, spectre_v2_safe_list, spectre_v4_safe_list,
 * spectre_bhb_safe_list and supports_bbml2_noabort_list. So the CPUs of a list
 * must all be on the same ones. The last one has some revisions of a CPU only;
 * these are not told apart here, and none goes with another.
 */
enum { KPTI = 1, V2 = 2, V4 = 4, BHB = 8, ALL = 15, BBML2 = 16 };

static const char *const dangers[] = {
    "Meltdown", "Spectre v2", "Spectre v4", "Spectre-BHB",
    "TLB conflicts without break-before-make",
};

static unsigned safe_from(uint64_t midr)
{
    static const struct {
        uint8_t implementer;
        uint16_t part;
        uint8_t safe;
    } known[] = {
        { 0x41, 0xd03, ALL },           /* Cortex-A53 */
        { 0x41, 0xd04, ALL },           /* Cortex-A35 */
        { 0x41, 0xd05, ALL },           /* Cortex-A55 */
        { 0x41, 0xd07, KPTI },          /* Cortex-A57 */
        { 0x41, 0xd08, KPTI },          /* Cortex-A72 */
        { 0x41, 0xd09, KPTI },          /* Cortex-A73 */
        { 0x41, 0xd46, BHB },           /* Cortex-A510 */
        { 0x41, 0xd80, BHB },           /* Cortex-A520 */
        { 0x41, 0xd82, BBML2 },         /* Cortex-X4 */
        { 0x41, 0xd83, BBML2 },         /* Neoverse-V3AE */
        { 0x41, 0xd84, BBML2 },         /* Neoverse-V3 */
        { 0x42, 0x100, ALL },           /* Brahma-B53 */
        { 0x42, 0x516, KPTI },          /* Vulcan */
        { 0x43, 0x0af, KPTI },          /* ThunderX2 */
        { 0x48, 0xd01, KPTI | V2 },     /* TSV110 */
        { 0x4e, 0x004, KPTI },          /* Carmel */
        { 0x4e, 0x010, BBML2 },         /* Olympus */
        { 0x51, 0x800, KPTI },          /* Kryo 2xx Gold */
        { 0x51, 0x801, KPTI | V2 | BHB }, /* Kryo 2xx Silver */
        { 0x51, 0x803, ALL },           /* Kryo 3xx Silver */
        { 0x51, 0x805, ALL },           /* Kryo 4xx Silver */
        { 0xc0, 0xac3, BBML2 },         /* AmpereOne */
        { 0xc0, 0xac4, BBML2 },         /* AmpereOne A */
    };

    for (int i = 0; i < ARRAY_SIZE(known); i++) {
        if (kvm_arm_midr_is_kind(midr, (uint32_t)known[i].implementer << 24 |
                                       known[i].part << 4)) {
            return known[i].safe;
        }
    }
    return 0;
}

static char *cpu_name(const KVMArmImplCPU *cpu)
{
    g_autofree char *name = kvm_arm_midr_name(cpu->midr);

    return g_strdup_printf("%s (0x%" PRIx64 ":0x%" PRIx64 ")", name, cpu->midr,
                           cpu->revidr);
}

static bool add(ImplCPUs *list, const KVMArmImplCPU *cpu, Error **errp)
{
    unsigned safe = safe_from(cpu->midr), differ = 0;

    if (list->n) {
        differ = safe ^ safe_from(list->cpus[0].midr);
        differ |= list->cpus[0].midr != cpu->midr ? safe & BBML2 : 0;
    }
    for (int i = 0; i < list->n; i++) {
        if (list->cpus[i].midr == cpu->midr &&
            list->cpus[i].revidr == cpu->revidr) {
            g_autofree char *name = cpu_name(cpu);

            error_setg(errp, "%s is there twice", name);
            return false;
        }
    }
    if (list->n == MAX_CPUS) {
        error_setg(errp, "there are more than %d CPUs", MAX_CPUS);
        return false;
    }
    if (differ) {
        g_autofree char *one = cpu_name(&list->cpus[0]), *other = cpu_name(cpu);

        error_setg(errp, "of %s and %s one is safe from %s and the other one "
                   "may not be, and Linux takes both for safe then; list CPUs "
                   "that are alike in that", one, other,
                   dangers[ctz32(differ)]);
        return false;
    }
    list->cpus[list->n++] = *cpu;
    return true;
}

static bool parse(const char *text, ImplCPUs *list, Error **errp)
{
    /* An empty text has no part, and one that is empty is no CPU, too. */
    g_auto(GStrv) cpus = g_strsplit(*text ? text : ":", "-", -1);

    list->n = 0;
    for (char **c = cpus; *c; c++) {
        g_auto(GStrv) regs = g_strsplit(*c, ":", -1);
        unsigned n = g_strv_length(regs);
        uint64_t values[3] = { };
        bool ok = n >= 1 && n <= 3;

        for (int i = 0; ok && i < n; i++) {
            ok = !qemu_strtou64(regs[i], NULL, 0, &values[i]);
        }
        /* MIDR_EL1.Architecture is 0xf in AArch64, and [63:32] are RES0. */
        if (!ok || values[0] >> 32 || (values[0] >> 16 & 0xf) != 0xf) {
            error_setg(errp, "'%s' is not MIDR_EL1[:REVIDR_EL1[:AIDR_EL1]] of "
                       "a CPU; it takes 'host', or a list of these such as "
                       "0x411fd070-0x410fd034:0x100", *text ? *c : "");
            return false;
        }
        if (!add(list, &(KVMArmImplCPU) { values[0], values[1], values[2] },
                 errp)) {
            return false;
        }
    }
    return true;
}

bool kvm_arm_impl_cpus_check(const char *text, Error **errp)
{
    ERRP_GUARD();
    ImplCPUs list;

    if (g_str_equal(text, "host") || parse(text, &list, errp)) {
        return true;
    }
    error_prepend(errp, KVM_ARM_IMPL_CPUS ": ");
    return false;
}

static bool get_reg(int vcpu, uint64_t id, uint64_t *value)
{
    struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

    return !ioctl(vcpu, KVM_GET_ONE_REG, &reg);
}

/* Those that QEMU may run on; where /sys does not say, the boot CPU */
static bool find_host_cpus(int vcpu, ImplCPUs *list, Error **errp)
{
    g_autoptr(GArray) cpus = kvm_arm_host_impl_cpus();
    KVMArmImplCPU boot = { };

    if (!get_reg(vcpu, ARM64_SYS_REG(3, 0, 0, 0, 0), &boot.midr) ||
        !get_reg(vcpu, ARM64_SYS_REG(3, 0, 0, 0, 6), &boot.revidr) ||
        !get_reg(vcpu, ARM64_SYS_REG(3, 1, 0, 0, 7), &boot.aidr)) {
        error_setg_errno(errp, errno, "the kernel does not tell the host's "
                         "MIDR_EL1, REVIDR_EL1 and AIDR_EL1: KVM_GET_ONE_REG");
        return false;
    }
    if (!cpus->len) {
        g_array_append_val(cpus, boot);
    }
    list->n = 0;
    for (int i = 0; i < cpus->len; i++) {
        KVMArmImplCPU *cpu = &g_array_index(cpus, KVMArmImplCPU, i);

        /* Not every kernel has AIDR_EL1 in /sys. */
        if (!cpu->aidr && cpu->midr == boot.midr &&
            cpu->revidr == boot.revidr) {
            cpu->aidr = boot.aidr;
        }
        if (!add(list, cpu, errp)) {
            return false;
        }
    }
    return true;
}

/* Whether all CPUs of @ours, the host's, are on @list */
static bool are_on(const ImplCPUs *ours, const ImplCPUs *list, Error **errp)
{
    for (int i = 0; i < ours->n; i++) {
        int n = 0;

        while (n < list->n && (ours->cpus[i].midr != list->cpus[n].midr ||
                               ours->cpus[i].revidr != list->cpus[n].revidr)) {
            n++;
        }
        if (n == list->n) {
            g_autofree char *name = cpu_name(&ours->cpus[i]);

            error_setg(errp, "this host's CPU, %s, is not on the list of those "
                       "that the guest may run on; it has to be", name);
            return false;
        }
    }
    return true;
}

/* What @text is on this host, whose CPUs are put into @ours */
static bool resolve(const char *text, const int fds[3], ImplCPUs *ours,
                    ImplCPUs *list, Error **errp)
{
    ERRP_GUARD();
    struct kvm_device_attr filter = {
        .group = KVM_ARM_VM_SMCCC_CTRL,
        .attr = KVM_ARM_VM_SMCCC_FILTER,
    };
    uint64_t offered;
    bool offers;

    if (!kvm_arm_impl_cpus_check(text, errp)) {
        return false;
    }
    offers = get_reg(fds[2], KVM_REG_ARM_VENDOR_HYP_BMAP_2, &offered);
    if (!offers || ioctl(fds[1], KVM_HAS_DEVICE_ATTR, &filter)) {
        error_setg_errno(errp, errno, KVM_ARM_IMPL_CPUS " needs a kernel that "
                         "has DISCOVER_IMPL_CPUS (Linux 6.15): %s",
                         offers ? "KVM_HAS_DEVICE_ATTR" : "KVM_GET_ONE_REG");
        return false;
    }
    if (!find_host_cpus(fds[2], ours, errp)) {
        error_prepend(errp, KVM_ARM_IMPL_CPUS ": ");
        return false;
    }
    if (g_str_equal(text, "host")) {
        *list = *ours;
        return true;
    }
    parse(text, list, &error_abort);
    if (!are_on(ours, list, errp)) {
        error_prepend(errp, KVM_ARM_IMPL_CPUS ": ");
        return false;
    }
    return true;
}

bool kvm_arm_impl_cpus_ask(const char *text, const int fds[3], Error **errp)
{
    ImplCPUs ours, list;

    return resolve(text, fds, &ours, &list, errp);
}

bool kvm_arm_impl_cpus_init_vcpu(ARMCPU *cpu, const int fds[3], Error **errp)
{
    struct kvm_smccc_filter filter = {
        .base = DISCOVER_IMPL_VER,
        .nr_functions = 2,
        .action = KVM_SMCCC_FILTER_FWD_TO_USER,
    };
    uint64_t offered = 0;
    struct kvm_one_reg reg = {
        .id = KVM_REG_ARM_VENDOR_HYP_BMAP_2,
        .addr = (uintptr_t)&offered,
    };

    /* Both are the VM's: the first vCPU sets them. */
    if (!cpu->kvm_impl_cpus || told.n) {
        return true;
    }
    if (!arm_feature(&cpu->env, ARM_FEATURE_AARCH64)) {
        error_setg(errp, "a 32-bit guest does not ask on which CPUs it may run "
                   "(" KVM_ARM_IMPL_CPUS ")");
        return false;
    }
    if (!resolve(cpu->kvm_impl_cpus, fds, &host, &told, errp) ||
        kvm_device_access(fds[1], KVM_ARM_VM_SMCCC_CTRL,
                          KVM_ARM_VM_SMCCC_FILTER, &filter, true, errp) < 0) {
        told.n = 0;
        return false;
    }
    get_reg(fds[2], reg.id, &offered);
    offered |= BOTH_CALLS;
    if (ioctl(fds[2], KVM_SET_ONE_REG, &reg)) {
        error_setg_errno(errp, errno, "the kernel does not offer guests "
                         "DISCOVER_IMPL_CPUS: KVM_SET_ONE_REG");
        told.n = 0;
        return false;
    }
    warn_report("guest kernels that do not ask on which CPUs they may run, "
                "such as Linux before 6.15, have the errata workarounds of the "
                "CPU that they see only");
    return true;
}

int kvm_arm_impl_cpus_call(ARMCPU *cpu, uint64_t nr)
{
    const uint64_t x0 = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
                        KVM_REG_ARM_CORE_REG(regs.regs[0]);
    const uint64_t next = KVM_REG_ARM_CORE_REG(regs.regs[1]) -
                          KVM_REG_ARM_CORE_REG(regs.regs[0]);
    uint64_t x[4] = { SMCCC_NOT_SUPPORTED }, index = 0;
    int ret;

    ret = kvm_get_one_reg(CPU(cpu), x0 + next, &index);
    if (nr == DISCOVER_IMPL_VER) {
        x[0] = SMCCC_SUCCESS;
        x[1] = VERSION_1_0;
        x[2] = told.n;
    } else if (nr == DISCOVER_IMPL_CPUS && index < told.n) {
        x[0] = SMCCC_SUCCESS;
        x[1] = told.cpus[index].midr;
        x[2] = told.cpus[index].revidr;
        x[3] = told.cpus[index].aidr;
    } else if (nr == DISCOVER_IMPL_CPUS) {
        x[0] = SMCCC_INVALID_PARAMETER;
    }
    for (int i = 0; !ret && i < 4; i++) {
        ret = kvm_set_one_reg(CPU(cpu), x0 + i * next, &x[i]);
    }
    if (ret) {
        error_report("a guest's SMCCC call 0x%" PRIx64 " cannot be answered: "
                     "KVM_GET_ONE_REG, KVM_SET_ONE_REG: %s", nr,
                     strerror(-ret));
    }
    return ret;
}

bool kvm_arm_impl_cpus_loaded(uint64_t offered, Error **errp)
{
    if (told.n && (offered & BOTH_CALLS) != BOTH_CALLS) {
        error_setg(errp, "the guest cannot ask on which CPUs it may run: start "
                   "this QEMU without " KVM_ARM_IMPL_CPUS);
        return false;
    }
    return true;
}

static bool is_told(void *opaque)
{
    return told.n;
}

static int take_told(void *opaque)
{
    moving = told;
    return 0;
}

static bool check_moved(void *opaque, int version_id, Error **errp)
{
    ERRP_GUARD();

    if (!told.n) {
        error_setg(errp, "the guest was told on which CPUs it may run: start "
                   "this QEMU with " KVM_ARM_IMPL_CPUS ", too");
        return false;
    }
    if (!moving.n || moving.n > MAX_CPUS) {
        error_setg(errp, "the incoming " KVM_ARM_IMPL_CPUS " has %" PRIu32
                   " CPUs", moving.n);
        return false;
    }
    if (!are_on(&host, &moving, errp)) {
        error_prepend(errp, "the incoming " KVM_ARM_IMPL_CPUS ": ");
        return false;
    }
    told = moving;
    return true;
}

static const VMStateDescription vmstate_impl_cpu = {
    .name = KVM_ARM_IMPL_CPUS "/cpu",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(midr, KVMArmImplCPU),
        VMSTATE_UINT64(revidr, KVMArmImplCPU),
        VMSTATE_UINT64(aidr, KVMArmImplCPU),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_impl_cpus = {
    .name = KVM_ARM_IMPL_CPUS,
    .version_id = 1,
    .minimum_version_id = 1,
    .early_setup = true,
    .needed = is_told,
    .pre_save = take_told,
    .post_load_errp = check_moved,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(n, ImplCPUs),
        VMSTATE_STRUCT_ARRAY(cpus, ImplCPUs, MAX_CPUS, 1, vmstate_impl_cpu,
                             KVMArmImplCPU),
        VMSTATE_END_OF_LIST()
    }
};

void kvm_arm_impl_cpus_register(void)
{
    vmstate_register(NULL, 0, &vmstate_impl_cpus, &moving);
}
