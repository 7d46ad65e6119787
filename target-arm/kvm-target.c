/*
 * KVM vCPU targets of Arm CPU types
 *
 * What the kernel accepts is only known by asking it with a scratch vCPU:
 * before Linux 6.6 the target had to be the host's own, since then it may
 * also be the generic one, and each feature depends on the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qapi/util.h"
#include "qemu/target-info.h"
#include "system/accel-choice.h"
#include "system/kvm_int.h"
#include "cpu.h"
#include "cpu-features.h"
#include "kvm_arm.h"
#include "kvm-host-cpus.h"
#include "kvm-idregs.h"
#include "kvm-impl-cpus.h"
#include "kvm-target.h"

void kvm_arm_destroy_scratch_host_vcpu(const int fdarray[3])
{
    for (int i = 2; i >= 0; i--) {
        if (fdarray[i] >= 0) {
            /* The first one may be a duplicate from an fdset. */
            qemu_close(fdarray[i]);
        }
    }
}

bool kvm_arm_create_scratch_host_vcpu(const KVMState *s, unsigned *enable,
                                      int fdarray[3], Error **errp)
{
    static const struct {
        unsigned flag, cap;
    } caps[] = {
        { KVM_ARM_SCRATCH_MTE, KVM_CAP_ARM_MTE },
        { KVM_ARM_SCRATCH_IMP_ID_REGS, KVM_CAP_ARM_WRITABLE_IMP_ID_REGS },
    };
    const char *step;
    int ipa_bits;

    fdarray[1] = fdarray[2] = -1;
    fdarray[0] = kvm_probe_open(s, errp);
    if (fdarray[0] < 0) {
        return false;
    }

    /* Hosts whose IPA space is not 40 bits wide refuse a VM of type 0. */
    ipa_bits = ioctl(fdarray[0], KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    step = "KVM_CREATE_VM";
    do {
        fdarray[1] = ioctl(fdarray[0], KVM_CREATE_VM, MAX(ipa_bits, 0));
    } while (fdarray[1] < 0 && errno == EINTR);

    if (fdarray[1] >= 0) {
        for (int i = 0; enable && i < ARRAY_SIZE(caps); i++) {
            struct kvm_enable_cap cap = { .cap = caps[i].cap };

            if ((*enable & caps[i].flag) &&
                ioctl(fdarray[1], KVM_ENABLE_CAP, &cap)) {
                *enable &= ~caps[i].flag;
            }
        }

        step = "KVM_CREATE_VCPU";
        fdarray[2] = ioctl(fdarray[1], KVM_CREATE_VCPU, 0);
    }
    if (fdarray[2] < 0) {
        error_setg_errno(errp, errno, "the kernel refuses a scratch vCPU: %s",
                         step);
        kvm_arm_destroy_scratch_host_vcpu(fdarray);
        return false;
    }
    return true;
}

/* Each vCPU feature that not every host has, and what tells */
static const struct {
    uint32_t features;
    int cap;
    const char *needs;
} feature_needs[] = {
    { 1 << KVM_ARM_VCPU_EL1_32BIT, KVM_CAP_ARM_EL1_32BIT,
      "a 32-bit vCPU needs a host CPU with AArch32 at EL1 "
      "(KVM_CAP_ARM_EL1_32BIT)" },
    { 1 << KVM_ARM_VCPU_PMU_V3, KVM_CAP_ARM_PMU_V3,
      "its PMU needs a host with one for guests (KVM_CAP_ARM_PMU_V3); "
      "pmu=off does without" },
    { 1 << KVM_ARM_VCPU_SVE, KVM_CAP_ARM_SVE,
      "SVE needs a host CPU that has it (KVM_CAP_ARM_SVE)" },
    { 1 << KVM_ARM_VCPU_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_ADDRESS,
      "pointer authentication needs a host CPU that has it "
      "(KVM_CAP_ARM_PTRAUTH_ADDRESS)" },
    { 1 << KVM_ARM_VCPU_PTRAUTH_GENERIC, KVM_CAP_ARM_PTRAUTH_GENERIC,
      "pointer authentication needs a host CPU that has it "
      "(KVM_CAP_ARM_PTRAUTH_GENERIC)" },
};

bool kvm_arm_try_vcpu_init(const int fdarray[3], struct kvm_vcpu_init *init,
                           Error **errp)
{
    struct kvm_vcpu_init preferred = { };
    g_autofree char *differ = NULL;
    int err;

    if (ioctl(fdarray[1], KVM_ARM_PREFERRED_TARGET, &preferred)) {
        error_setg_errno(errp, errno, "the kernel names no vCPU target: "
                         "KVM_ARM_PREFERRED_TARGET");
        return false;
    }
    init->target = preferred.target;
    if (!ioctl(fdarray[2], KVM_ARM_VCPU_INIT, init)) {
        return true;
    }

    err = errno;
    for (int i = 0; i < ARRAY_SIZE(feature_needs); i++) {
        if ((init->features[0] & feature_needs[i].features) &&
            ioctl(fdarray[0], KVM_CHECK_EXTENSION, feature_needs[i].cap) <= 0) {
            error_setg(errp, "%s", feature_needs[i].needs);
            return false;
        }
    }
    differ = kvm_arm_host_cpus_differ(NULL);
    error_setg(errp, "the kernel refuses vCPU target %" PRIu32 " (%s) with "
               "features 0x%x: KVM_ARM_VCPU_INIT: %s%s%s", init->target,
               kvm_arm_target_name(init->target), init->features[0],
               strerror(err), differ ? "; " : "", differ ?: "");
    return false;
}

bool kvm_arm_psci_version(const char *text, uint32_t *version, Error **errp)
{
    /* Those that kvm_arm_set_fw_reg() of Linux 7.2 knows */
    static const struct {
        const char *name;
        uint32_t version;
    } known[] = {
        { "0.2", QEMU_PSCI_VERSION_0_2 },
        { "1.0", QEMU_PSCI_VERSION_1_0 },
        { "1.1", QEMU_PSCI_VERSION_1_1 },
        { "1.2", 0x10002 },
        { "1.3", 0x10003 },
    };

    for (int i = 0; i < ARRAY_SIZE(known); i++) {
        if (g_str_equal(text, known[i].name)) {
            *version = known[i].version;
            return true;
        }
    }
    error_setg(errp, "kvm-psci-version '%s' is none of 0.2, 1.0, 1.1, 1.2 and "
               "1.3", text);
    return false;
}

bool kvm_arm_set_psci_version(int vcpu, uint32_t version, bool is_told,
                              Error **errp)
{
    uint64_t value = version;
    struct kvm_one_reg reg = {
        .id = KVM_REG_ARM_PSCI_VERSION,
        .addr = (uintptr_t)&value,
    };

    if (is_told && version < QEMU_PSCI_VERSION_1_0) {
        error_setg(errp, "with PSCI before 1.0 a guest does not ask on which "
                   "CPUs it may run (" KVM_ARM_IMPL_CPUS ")");
        return false;
    }
    if (ioctl(vcpu, KVM_SET_ONE_REG, &reg)) {
        error_setg_errno(errp, errno, "this kernel does not give guests PSCI "
                         "%u.%u (kvm-psci-version): KVM_SET_ONE_REG",
                         version >> 16, version & 0xffff);
        return false;
    }
    return true;
}

/* MIDR_EL1 of a VM, which is that of the host's boot CPU until it is written */
static bool get_midr(int vcpu, uint64_t *midr, Error **errp)
{
    struct kvm_one_reg reg = {
        .id = ARM64_SYS_REG(3, 0, 0, 0, 0),
        .addr = (uintptr_t)midr,
    };

    if (ioctl(vcpu, KVM_GET_ONE_REG, &reg)) {
        error_setg_errno(errp, errno, "the kernel does not tell the host's "
                         "MIDR_EL1: KVM_GET_ONE_REG");
        return false;
    }
    return true;
}

/* Whether MIDR_EL1 and its like can be written, and are one for all CPUs */
static bool can_write_imp_id_regs;

int kvm_arch_pre_create_vcpu(CPUState *cs, Error **errp)
{
    const KVMArmModel *model = kvm_arm_model(object_get_typename(OBJECT(cs)));
    static bool asked;

    if (model && !asked &&
        ((model->part && !ARM_CPU(cs)->kvm_host_id_regs) ||
         ARM_CPU(cs)->kvm_impl_cpus)) {
        /* With a vCPU it is too late. Fails if there is no such capability. */
        asked = true;
        can_write_imp_id_regs =
            !kvm_vm_enable_cap(kvm_state, KVM_CAP_ARM_WRITABLE_IMP_ID_REGS, 0);
    }
    return 0;
}

/*
 * All CPUs that QEMU may run on are what the guest is promised, and the boot
 * CPU is not, or is of another revision. Where its registers can be written,
 * KVM shows them on all CPUs.
 */
static bool show_own_cpu(int vcpu, uint64_t midr, uint64_t revidr, Error **errp)
{
    const struct kvm_one_reg regs[] = {
        { ARM64_SYS_REG(3, 0, 0, 0, 0), (uintptr_t)&midr },
        { ARM64_SYS_REG(3, 0, 0, 0, 6), (uintptr_t)&revidr },
    };

    for (int i = 0; i < ARRAY_SIZE(regs); i++) {
        if (ioctl(vcpu, KVM_SET_ONE_REG, &regs[i])) {
            error_setg_errno(errp, errno, "the kernel does not show the guest "
                             "%s of the CPUs that QEMU may run on: "
                             "KVM_SET_ONE_REG", i ? "REVIDR_EL1" : "MIDR_EL1");
            return false;
        }
    }
    return true;
}

/*
 * Makes a vCPU, whose MIDR_EL1 is @boot_midr, look like @cpu, if it is to. See
 * kvm_arm_become_model(). @has_midr: @cpu was given a MIDR_EL1.
 */
static bool become_model(const KVMArmModel *model, const int fds[3],
                         ARMCPU *cpu, bool has_midr, bool can_write,
                         uint64_t boot_midr, Error **errp)
{
    ERRP_GUARD();
    bool told = cpu->kvm_impl_cpus || cpu->kvm_lose_errata_workarounds;
    g_autofree char *differ = NULL, *host = NULL;
    uint64_t midr = boot_midr, revidr = 0;
    bool own;

    if (kvm_arm_host_cpus(&midr, &revidr) == KVM_ARM_HOST_CPUS_DIFFER) {
        differ = kvm_arm_host_cpus_differ(model);
    }
    own = !differ && kvm_arm_model_is_midr(model, midr) &&
          (!has_midr || cpu->midr == midr);
    host = own || !kvm_arm_model_is_midr(model, midr) ?
        kvm_arm_midr_name(midr) :
        g_strdup_printf("one with MIDR_EL1 0x%" PRIx64, midr);

    if (!can_write || cpu->kvm_host_id_regs) {
        if (own) {
            return true;
        }
        error_setg(errp, "it is %s, %s%s%s%s%s%s", model->title,
                   differ ? "" : "this host's CPU is ", differ ? "" : host,
                   differ ? "and " : ", and ",
                   cpu->kvm_host_id_regs ? "a guest is shown the host's "
                   "(kvm-host-id-regs)" : "the kernel cannot show a guest "
                   "another one (KVM_CAP_ARM_WRITABLE_IMP_ID_REGS, Linux 6.15)",
                   differ ? "; " : "", differ ?: "");
        return false;
    }
    if (own && !told) {
        g_autoptr(GArray) impl_cpus = kvm_arm_host_impl_cpus();

        if (impl_cpus->len > 1) {
            own = false;
            g_free(host);
            host = g_strdup("of several revisions");
        }
    }
    if (own && !told && midr != boot_midr &&
        !show_own_cpu(fds[2], midr, revidr, errp)) {
        return false;
    }
    if (!kvm_arm_set_id_regs(fds, cpu, own && !told, errp)) {
        if (differ) {
            error_prepend(errp, "%s. They cannot all be shown as %s: ", differ,
                          model->title);
        } else {
            error_prepend(errp, "it is %s, and this host's %s cannot be shown "
                          "as %s: ", model->title, host,
                          own ? "QEMU's (kvm-host-id-regs=on shows the host's)"
                              : "one");
        }
        return false;
    }
    if (!own && !told) {
        error_setg(errp, "it is %s, and %s%s: the guest would not know whose "
                   "errata and vulnerabilities it has (" KVM_ARM_IMPL_CPUS
                   "=host tells it, and kvm-lose-errata-workarounds=on does "
                   "not care)",
                   model->title, differ ? "" : "this host's CPU is ",
                   differ ?: host);
        return false;
    }
    return true;
}

bool kvm_arm_become_model(const KVMArmModel *model, const int fds[3],
                          ARMCPU *cpu, Error **errp)
{
    /* The VM's MIDR_EL1 is this until the first vCPU has become @model */
    static uint64_t boot_midr;
    g_autoptr(GHashTable) asked =
        accel_cpu_properties(object_get_class(OBJECT(cpu)), NULL);

    if (!model->part) {
        return true;
    }
    if (!boot_midr && !get_midr(fds[2], &boot_midr, errp)) {
        return false;
    }
    return become_model(model, fds, cpu, g_hash_table_contains(asked, "midr"),
                        can_write_imp_id_regs, boot_midr, errp);
}

/* What @cpu asks of boolean property @name. Nonsense is reported later. */
static OnOffAuto requested(const AccelCPURequest *cpu, const char *name)
{
    const char *value = accel_cpu_request_property(cpu, name);
    bool on;

    if (!value || !qapi_bool_parse(name, value, &on, NULL)) {
        return ON_OFF_AUTO_AUTO;
    }
    return on ? ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;
}

/* Vector lengths, in units of 128 bits from bit 0 on, that @cpu has @set */
static uint64_t requested_vls(const AccelCPURequest *cpu, OnOffAuto set)
{
    uint64_t vls = 0;

    for (int vq = 1; vq <= ARM_MAX_VQ; vq++) {
        g_autofree char *name = g_strdup_printf("sve%d", 128 * vq);

        if (requested(cpu, name) == set) {
            vls |= 1 << (vq - 1);
        }
    }
    return vls;
}

/*
 * Whether @cpu has that part of @model. The host's CPU has it if the host has;
 * what was asked for it must have.
 */
static bool wants(const AccelCPURequest *cpu, const KVMArmModel *model,
                  uint32_t part, const char *property)
{
    OnOffAuto asked = requested(cpu, property);

    return asked == ON_OFF_AUTO_ON ||
           (asked == ON_OFF_AUTO_AUTO && (model->features & part));
}

/*
 * Properties that CPUs have with TCG only, see arm_cpu_post_init() and
 * aarch64_max_tcg_initfn(). The test every-property looks for missing ones.
 */
static bool has_tcg_only_property(const AccelCPURequest *cpu,
                                  const KVMArmModel *model, Error **errp)
{
    static const struct {
        const char *pattern;
        bool of_max;        /* models have it with KVM, too */
    } tcg_only[] = {
        { "has_el2", true }, { "has_el3", true }, { "lpa2" }, { "neon" },
        { "pauth-*" }, { "reset-cbar", true }, { "sme*" }, { "sve-max-vq" },
        { "vfp*" }, { "x-l0gptsz" }, { "x-rme" },
    };
    GHashTableIter iter;
    const char *name;

    if (!cpu->properties) {
        return false;
    }
    g_hash_table_iter_init(&iter, cpu->properties);
    while (g_hash_table_iter_next(&iter, (void **)&name, NULL)) {
        for (int i = 0; i < ARRAY_SIZE(tcg_only); i++) {
            if ((!model->part || !tcg_only[i].of_max) &&
                g_pattern_match_simple(tcg_only[i].pattern, name)) {
                error_setg(errp, "property '%s' is TCG's", name);
                return true;
            }
        }
    }
    return false;
}

/*
 * vCPU features that @cpu, which is @model, asks for. Those that exclude each
 * other are an error.
 */
static bool requested_features(const AccelCPURequest *cpu,
                               const KVMArmModel *model, uint32_t *features,
                               Error **errp)
{
    bool is_32bit = requested(cpu, "aarch64") == ON_OFF_AUTO_OFF ||
                    !target_aarch64();

    *features = 0;
    if (wants(cpu, model, KVM_ARM_MODEL_PMU, "pmu")) {
        *features |= 1 << KVM_ARM_VCPU_PMU_V3;
    }
    if (is_32bit) {
        /* What needs AArch64: kvm_arm_limit_to_aarch32(), DEN0057A chapter 2 */
        static const char *const others[] = { "sve", "pauth",
                                              "kvm-steal-time" };

        for (int i = 0; i < ARRAY_SIZE(others); i++) {
            if (requested(cpu, others[i]) == ON_OFF_AUTO_ON) {
                error_setg(errp, "a 32-bit vCPU has no %s", others[i]);
                return false;
            }
        }
        if (accel_cpu_request_property(cpu, KVM_ARM_IMPL_CPUS)) {
            error_setg(errp, "a 32-bit guest does not ask on which CPUs it may "
                       "run (" KVM_ARM_IMPL_CPUS ")");
            return false;
        }
        *features |= 1 << KVM_ARM_VCPU_EL1_32BIT;
        return true;
    }
    if (wants(cpu, model, KVM_ARM_MODEL_SVE, "sve") ||
        requested_vls(cpu, ON_OFF_AUTO_ON)) {
        *features |= 1 << KVM_ARM_VCPU_SVE;
    }
    if (wants(cpu, model, KVM_ARM_MODEL_PAUTH, "pauth")) {
        *features |= 1 << KVM_ARM_VCPU_PTRAUTH_ADDRESS |
                     1 << KVM_ARM_VCPU_PTRAUTH_GENERIC;
    }
    return true;
}

/* Vector lengths of a scratch vCPU with SVE, see requested_vls() */
static bool host_vls(int vcpu, uint64_t *lengths, Error **errp)
{
    uint64_t vls[KVM_ARM64_SVE_VLS_WORDS];
    struct kvm_one_reg reg = {
        .id = KVM_REG_ARM64_SVE_VLS,
        .addr = (uintptr_t)vls,
    };

    if (ioctl(vcpu, KVM_GET_ONE_REG, &reg)) {
        error_setg_errno(errp, errno, "the kernel does not tell its SVE "
                         "vector lengths: KVM_GET_ONE_REG");
        return false;
    }
    *lengths = vls[0];
    return true;
}

/* What of @cpu's properties a scratch vCPU with its features tells */
static bool scratch_vcpu_has(const AccelCPURequest *cpu, const int fdarray[3],
                             uint32_t features, Error **errp)
{
    uint64_t wanted = requested_vls(cpu, ON_OFF_AUTO_ON), vls = 0;
    uint64_t missing, hidden;

    if ((features & (1 << KVM_ARM_VCPU_SVE)) &&
        !host_vls(fdarray[2], &vls, errp)) {
        return false;
    }
    missing = wanted & ~vls;
    /* KVM_REG_ARM64_SVE_VLS may leave out the longest ones only */
    hidden = requested_vls(cpu, ON_OFF_AUTO_OFF) & vls;
    hidden &= wanted ? BIT_ULL(63 - clz64(wanted)) - 1 : 0;
    if (hidden) {
        error_setg(errp, "KVM cannot hide SVE vectors of %d bits (sve%d) and "
                   "show longer ones", 128 * (ctz64(hidden) + 1),
                   128 * (ctz64(hidden) + 1));
        return false;
    }
    if (missing) {
        error_setg(errp, "this host has no SVE vectors of %d bits (sve%d)",
                   128 * (ctz64(missing) + 1), 128 * (ctz64(missing) + 1));
        return false;
    }
    if (requested(cpu, "kvm-steal-time") == ON_OFF_AUTO_ON &&
        ioctl(fdarray[0], KVM_CHECK_EXTENSION, KVM_CAP_STEAL_TIME) <= 0) {
        error_setg(errp, "kvm-steal-time needs a kernel that has it "
                   "(KVM_CAP_STEAL_TIME, Linux 5.10)");
        return false;
    }
    return true;
}

/*
 * A CPU of @cpu's type with those of its properties that change what a guest
 * reads. It is never realized.
 */
static ARMCPU *new_cpu(const AccelCPURequest *cpu, Error **errp)
{
    static const char *const properties[] = {
        "midr", "pmu", "sve", "pauth", "kvm-lose-errata-workarounds",
        "kvm-host-id-regs", KVM_ARM_IMPL_CPUS,
    };
    bool allowed = kvm_allowed;
    Object *obj;

    /* -global may set properties that CPUs have with KVM only */
    kvm_allowed = true;
    obj = object_new(object_class_get_name(cpu->oc));
    kvm_allowed = allowed;

    for (int i = 0; i < ARRAY_SIZE(properties); i++) {
        const char *value =
            accel_cpu_request_property(cpu, properties[i]);

        if (value && object_property_find(obj, properties[i]) &&
            !object_property_parse(obj, properties[i], value, errp)) {
            object_unref(obj);
            return NULL;
        }
    }
    return ARM_CPU(obj);
}

/*
 * Whether the host has the SVE vector lengths of @cpu, up to the longest that
 * @request turns on and shorter than what it turns off, and none in between:
 * KVM cannot hide one that is shorter than the longest.
 */
static bool has_vls_of(ARMCPU *cpu, const AccelCPURequest *request, int vcpu,
                       Error **errp)
{
    uint64_t on = requested_vls(request, ON_OFF_AUTO_ON);
    uint64_t off = requested_vls(request, ON_OFF_AUTO_OFF);
    uint32_t want = cpu->sve_vq.supported;
    uint64_t vls;

    if (!cpu_isar_feature(aa64_sve, cpu)) {
        return true;
    }
    if (on) {
        want &= BIT_ULL(64 - clz64(on)) - 1;
    }
    if (off) {
        want &= BIT_ULL(ctz64(off)) - 1;
    }
    if (!host_vls(vcpu, &vls, errp)) {
        return false;
    }
    vls &= BIT_ULL(32 - clz32(want)) - 1;
    if (vls != want) {
        error_setg(errp, "its SVE vector lengths, a bit for each 128, are 0x%x "
                   "and those of this host 0x%" PRIx64, want, vls);
        return false;
    }
    return true;
}

/*
 * Whether the kernel takes from a vCPU what only that CPU has which a call
 * happens to run on. Before Linux 6.6 it wants this CPU's target, where that
 * has one of its own (kvm_vcpu_set_target()). Before 6.3 it wants this CPU's
 * CCSIDR_EL1 back (demux_c15_set()); since then it makes it up for 14 caches,
 * the last of which, the instruction cache of level 7, no CPU has.
 */
static bool keeps_to_one_cpu(int vcpu, uint32_t target)
{
    uint32_t ccsidr;
    struct kvm_one_reg reg = {
        .id = KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX |
              KVM_REG_ARM_DEMUX_ID_CCSIDR | 13,
        .addr = (uintptr_t)&ccsidr,
    };

    return target != QEMU_KVM_ARM_TARGET_GENERIC_V8 ||
           ioctl(vcpu, KVM_GET_ONE_REG, &reg);
}

static bool scratch_vcpu_becomes(const AccelCPURequest *cpu,
                                 const KVMArmModel *model,
                                 const int fdarray[3], uint32_t target,
                                 bool can_write, Error **errp)
{
    const char *asked_midr = accel_cpu_request_property(cpu, "midr");
    g_autofree char *differ = NULL;
    uint64_t midr = 0;
    ARMCPU *arm_cpu;
    bool ok;

    if (!model->part) {
        if (asked_midr) {
            error_setg(errp, "it is the host's CPU, of which KVM does not "
                       "change the MIDR_EL1; give a CPU model with midr=");
            return false;
        }
        if (kvm_arm_host_cpus(&midr, NULL) == KVM_ARM_HOST_CPUS_DIFFER &&
            keeps_to_one_cpu(fdarray[2], target)) {
            differ = kvm_arm_host_cpus_differ(model);
            error_setg(errp, "this kernel keeps a vCPU to one kind of CPU "
                       "(Linux 6.6 does not), and %s", differ);
            return false;
        }
        return true;
    }
    arm_cpu = new_cpu(cpu, errp);
    if (!arm_cpu) {
        return false;
    }
    ok = get_midr(fdarray[2], &midr, errp) &&
         (!can_write || has_vls_of(arm_cpu, cpu, fdarray[2], errp)) &&
         become_model(model, fdarray, arm_cpu, asked_midr, can_write, midr,
                      errp);
    object_unref(OBJECT(arm_cpu));
    return ok;
}

bool kvm_arch_can_run_cpu(KVMState *s, const AccelCPURequest *cpu,
                          Error **errp)
{
    const KVMArmModel *model = cpu->oc ?
        kvm_arm_model(object_class_get_name(cpu->oc)) : NULL;
    struct kvm_vcpu_init init = { };
    const char *impl_cpus, *psci;
    uint32_t psci_version = 0;
    unsigned enable;
    int fdarray[3];
    bool ok;

    if (!cpu->model) {
        error_setg(errp, "it makes its own CPUs, and does not say that KVM can "
                   "run them");
        return false;
    }
    if (!model || !model->aarch64) {
        error_setg(errp, model ? "it is a 32-bit CPU type, and KVM on AArch64 "
                   "hosts has vCPU targets for 64-bit ones only" :
                   "there is no KVM vCPU target for it");
        return false;
    }
    if (s->kernel_irqchip_split == ON_OFF_AUTO_ON) {
        error_setg(errp, "there is no kernel-irqchip=split on Arm");
        return false;
    }
    impl_cpus = accel_cpu_request_property(cpu, KVM_ARM_IMPL_CPUS);
    enable = model->part || impl_cpus ? KVM_ARM_SCRATCH_IMP_ID_REGS : 0;
    psci = accel_cpu_request_property(cpu, "kvm-psci-version");
    if ((psci && !kvm_arm_psci_version(psci, &psci_version, errp)) ||
        has_tcg_only_property(cpu, model, errp) ||
        !requested_features(cpu, model, &init.features[0], errp) ||
        !kvm_arm_create_scratch_host_vcpu(s, &enable, fdarray, errp)) {
        return false;
    }
    if (psci) {
        init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
    }
    ok = kvm_arm_try_vcpu_init(fdarray, &init, errp) &&
         (!psci ||
          kvm_arm_set_psci_version(fdarray[2], psci_version, impl_cpus,
                                   errp)) &&
         (!impl_cpus || kvm_arm_impl_cpus_ask(impl_cpus, fdarray, errp)) &&
         scratch_vcpu_has(cpu, fdarray, init.features[0], errp) &&
         scratch_vcpu_becomes(cpu, model, fdarray, init.target, enable, errp);
    kvm_arm_destroy_scratch_host_vcpu(fdarray);
    return ok;
}

/* Whether the kernel gives a guest GICv2 or GICv3 here */
static bool has_gic(int fd, int version, Error **errp)
{
    struct kvm_create_device dev = {
        .type = version == 2 ? KVM_DEV_TYPE_ARM_VGIC_V2
                             : KVM_DEV_TYPE_ARM_VGIC_V3,
        .flags = KVM_CREATE_DEVICE_TEST,
    };
    int ipa_bits = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    bool ok;
    int vm;

    if (version > 3) {
        error_setg(errp, "KVM has no GICv%d for guests", version);
        return false;
    }
    do {
        vm = ioctl(fd, KVM_CREATE_VM, MAX(ipa_bits, 0));
    } while (vm < 0 && errno == EINTR);
    if (vm < 0) {
        error_setg_errno(errp, errno, "the kernel refuses a scratch VM: "
                         "KVM_CREATE_VM");
        return false;
    }
    ok = !ioctl(vm, KVM_CREATE_DEVICE, &dev);
    if (!ok) {
        error_setg_errno(errp, errno, "this host has no GICv%d for guests: "
                         "KVM_CREATE_DEVICE", version);
    }
    close(vm);
    return ok;
}

bool kvm_arm_can_give(AccelState *accel, const KVMArmNeeds *needs, Error **errp)
{
    const KVMState *s = KVM_STATE(accel);
    bool ok = false, irqchip;
    int fd, bits = 0;

    if (!needs->el2 && !needs->mte && needs->ipa_bits <= 32 && !needs->gic) {
        return true;
    }

    fd = kvm_probe_open(s, errp);
    if (fd < 0) {
        return false;
    }
    /* As kvm_irqchip_create(): without it QEMU emulates a GICv2 */
    irqchip = needs->gic && s->kernel_irqchip_allowed &&
              ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP) > 0;
    if (needs->ipa_bits > 32) {
        bits = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
        bits = bits > 0 ? bits : 40;
    }
    if (needs->el2 && ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_EL2) <= 0) {
        error_setg(errp, "virtualization=on needs a host with nested "
                   "virtualization (KVM_CAP_ARM_EL2)");
    } else if (needs->el2 && (!irqchip || needs->gic != 3 ||
                              (needs->no_gic2 && has_gic(fd, 2, NULL)))) {
        error_setg(errp, "with virtualization=on KVM wants gic-version=3, and "
                   "the kernel's interrupt controller");
    } else if (needs->mte &&
               ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_MTE) <= 0) {
        error_setg(errp, "mte=on needs a host CPU that has MTE "
                   "(KVM_CAP_ARM_MTE)");
    } else if (needs->ipa_bits > MAX(bits, 32)) {
        error_setg(errp, "its memory needs addresses of %d bits, and this host "
                   "gives a guest %d (KVM_CAP_ARM_VM_IPA_SIZE)",
                   needs->ipa_bits, bits);
    } else if (irqchip) {
        ok = has_gic(fd, needs->gic, errp);
    } else if (needs->gic > 2) {
        error_setg(errp, "without an interrupt controller in the kernel KVM "
                   "has GICv2 only");
    } else {
        ok = true;
    }
    qemu_close(fd);
    return ok;
}
