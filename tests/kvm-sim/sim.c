// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptors, the dispatch of calls, the log, faults on demand, the contract.
 *
 * KVM_SIM_PROFILE     what host and kernel to be: a file of profiles/
 * KVM_SIM_LOG         each call is added to that file, a line each
 * KVM_SIM_FAULT       what goes wrong, see tests/lib/faults.c
 * KVM_SIM_FAULT_USED  each fault that happened is added to that file
 * KVM_SIM_FAULT_IF    while that file is not there, nothing does
 * KVM_SIM_SCRIPT      what the guest does, see run.c
 * KVM_SIM_CPUS        on which of the host's CPUs, see cpus.c
 * KVM_SIM_CONTRACT    "log": a broken contract is noted and not the end
 */
#include "sim.h"
#include "../lib/faults.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FDS 4096

static struct object *objects[MAX_FDS];
static struct object kvm_object = { .kind = KIND_SYSTEM, .name = "kvm" };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
struct vm *vms;
static bool enabled, enforce, api_version_asked;
static const char *log_path;
static int scratch = -1;            /* to test pointers with */
static char *scratch_mem;
static __thread struct call *current;

void sim_lock(void) { pthread_mutex_lock(&lock); }
void sim_unlock(void) { pthread_mutex_unlock(&lock); }

/* --- the log: opened for each line, so that no descriptor shows */

static bool append(const char *path, const char *text)
{
    int fd = syscall(SYS_openat, AT_FDCWD, path,
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    bool done = fd >= 0 && write(fd, text, strlen(text)) >= 0;

    if (fd >= 0) {
        syscall(SYS_close, fd);
    }
    return done;
}

void note(const char *format, ...)
{
    char text[512];
    va_list ap;
    size_t n;

    if (!log_path) {
        return;
    }
    va_start(ap, format);
    vsnprintf(text, sizeof(text) - 1, format, ap);
    va_end(ap);
    n = strlen(text);
    text[n] = '\n';
    text[n + 1] = 0;
    append(log_path, text);
}

/* --- the contract */

static const struct {
    const char *name, *source;
} rules[N_RULES] = {
#define API "Linux, Documentation/virt/kvm/api.rst"
#define VGIC "Linux, Documentation/virt/kvm/devices/arm-vgic-v3.rst"
    [RULE_KNOWN_CALL] = { "known-call", API " 4: each call belongs to one kind of descriptor" },
    [RULE_API_VERSION] = { "api-version", API " 4.1: refuse to run unless KVM_GET_API_VERSION gave 12" },
    [RULE_POINTER] = { "pointer", API " 4: arguments are memory of the caller" },
    [RULE_RESERVED] = { "reserved", API ": flags, padding and reserved fields that have no meaning yet are zero" },
    [RULE_REG_ID] = { "reg-id", API " 4.68: architecture, size and register group of an id" },
    [RULE_INIT_FIRST] = { "init-first", API " 4.82: KVM_ARM_VCPU_INIT before the vCPU is used" },
    [RULE_FINALIZE_FIRST] = { "finalize-first", API " 4.119: KVM_ARM_VCPU_FINALIZE before registers are listed and the vCPU runs" },
    [RULE_CAP_BEFORE_VCPU] = { "cap-before-vcpu", API " 7: capabilities that shape vCPUs are enabled before the first one" },
    [RULE_RUNNING] = { "running", API " 2: vCPU calls come from the vCPU's thread; another one waits until KVM_RUN returns" },
    [RULE_COMPLETE_EXIT] = { "complete-exit", API " 5: after KVM_EXIT_IO, _MMIO, _OSI, _PAPR_HCALL and _EPR state is consistent only once KVM_RUN was called again" },
    [RULE_DESCRIPTOR_LEAK] = { "descriptor-leak", "the accelerator's question leaves no VM behind" },
    [RULE_CLOSED] = { "closed", API " 3: descriptors live until they are closed, and are closed on exec" },
    [RULE_MEMSLOT] = { "memslot", API " 4.35: slots are page aligned, do not overlap, and keep their size" },
    [RULE_VGIC_ORDER] = { "vgic-order", VGIC ": vCPUs, addresses, KVM_DEV_ARM_VGIC_CTRL_INIT, registers, in that order" },
    [RULE_IRQ_ORDER] = { "irq-order", API " 4.25: an interrupt needs an interrupt controller and a line that it has" },
    [RULE_SCRIPT] = { "expected-state", "the test's script: state that the program was to put" },
    [RULE_TLB_GEOMETRY] = { "tlb-geometry", API " 8 (KVM_CAP_SW_TLB): sizes, ways, types and the array's length" },
    [RULE_DIRTY_BITMAP] = { "dirty-bitmap", API " 4.60: the bitmap is rounded up to 64 bits" },
    [RULE_DIRTY_COUNT] = { "dirty-count", API " 4.60: num_dirty is the number of bits that are set; bits past the last entry are not" },
    [RULE_TLB_ANNOUNCED] = { "tlb-announced", API " 4.60: changed entries are announced by KVM_DIRTY_TLB before KVM_RUN" },
    [RULE_TLB_RUNNING] = { "tlb-running", API " 8 (KVM_CAP_SW_TLB): the array changes only while the vCPU does not run" },
    [RULE_SREGS] = { "sregs", "Linux, arch/powerpc/include/uapi/asm/kvm.h: features are those that KVM_GET_SREGS gave; known update flags" },
    [RULE_INIT_SAME] = { "init-same", API " 4.82: a further KVM_ARM_VCPU_INIT has the same target and features" },
    [RULE_MPIC_ORDER] = { "mpic-order", "Linux, Documentation/virt/kvm/devices/mpic.rst: one MPIC, its address, then vCPUs connected to it" },
};

/* For test-contract, by dlsym(): the name of a rule, or NULL behind the last one */
const char *kvm_sim_rule(unsigned rule)
{
    return rule < N_RULES ? rules[rule].name : NULL;
}

void violation(enum rule rule, const char *format, ...)
{
    char what[256], text[768], call[128] = "no call";
    va_list ap;

    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    if (current) {
        snprintf(call, sizeof(call), "%s on %s",
                 current->type ? current->type->name : "unknown call",
                 current->object->name);
        if (current->has_about) {
            snprintf(call + strlen(call), sizeof(call) - strlen(call),
                     " 0x%llx", (unsigned long long)current->about);
        }
    }
    snprintf(text, sizeof(text), "kvm-sim: contract %s broken: %s; call: %s; source: %s\n",
             rules[rule].name, what, call, rules[rule].source);
    if (log_path) {
        append(log_path, text);
    }
    if (enforce) {
        if (write(2, text, strlen(text)) < 0) {
            /* the status tells */
        }
        _exit(CONTRACT_STATUS);
    }
}

bool reserved_zero(const void *bytes, size_t size, const char *what)
{
    for (size_t i = 0; i < size; i++) {
        if (((const char *)bytes)[i]) {
            violation(RULE_RESERVED, "byte %zu of %s", i, what);
            return false;
        }
    }
    return true;
}

/* --- the program's memory. A file's read and write say EFAULT; we would die. */

int user_read(void *to, uint64_t from, size_t size)
{
    for (size_t n; size; size -= n, from += n, to = (char *)to + n) {
        n = size < 4096 ? size : 4096;
        if (from != (uintptr_t)from ||
            pwrite(scratch, (void *)(uintptr_t)from, n, 0) != (ssize_t)n) {
            return -EFAULT;
        }
        memcpy(to, scratch_mem, n);
    }
    return 0;
}

int user_write(uint64_t to, const void *from, size_t size)
{
    for (size_t n; size; size -= n, to += n, from = (const char *)from + n) {
        n = size < 4096 ? size : 4096;
        memcpy(scratch_mem, from, n);
        if (to != (uintptr_t)to ||
            pread(scratch, (void *)(uintptr_t)to, n, 0) != (ssize_t)n) {
            return -EFAULT;
        }
    }
    return 0;
}

/* --- faults */

void config_error(const char *format, ...)
{
    char text[512] = "kvm-sim: ";
    va_list ap;

    va_start(ap, format);
    vsnprintf(text + strlen(text), sizeof(text) - strlen(text) - 1, format, ap);
    va_end(ap);
    strcat(text, "\n");
    if (write(2, text, strlen(text)) < 0) {
        /* the status tells */
    }
    _exit(2);
}

/* The rules are tests/lib/faults.c's, and so are their names for calls. */
static void check_calls(void)
{
    const struct call_type *tables[] = { common_calls, arch_calls };
    const struct fault_call *f;

    for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
        for (const struct call_type *c = tables[t]; c->name; c++) {
            for (f = fault_calls; f->name && strcmp(f->name, c->name); f++) {
                /* the next one */
            }
            if (!f->name || (uint32_t)f->request != (uint32_t)c->request) {
                config_error("%s is a call here, and not in tests/lib/faults.c; add it there",
                             c->name);
            }
        }
    }
}

/* --- descriptors */

struct object *object_of(int fd)
{
    return fd >= 0 && fd < MAX_FDS ? objects[fd] : NULL;
}

bool sim_owns(int fd)
{
    return object_of(fd) != NULL;
}

int new_descriptor(struct object *object, const char *name, size_t size)
{
    int fd = syscall(SYS_memfd_create, name, 1 /* MFD_CLOEXEC */);

    if (fd < 0) {
        return -errno;
    }
    if (fd >= MAX_FDS || ftruncate(fd, size)) {
        syscall(SYS_close, fd);
        return -EMFILE;
    }
    objects[fd] = object;
    object->refs++;
    return fd;
}

static void free_vm(struct vm *vm)
{
    for (struct vm **p = &vms; *p; p = &(*p)->next) {
        if (*p == vm) {
            *p = vm->next;
            break;
        }
    }
    for (int i = 0; i < MAX_SLOTS; i++) {
        free(vm->slots[i].dirty);
    }
    arch_vm_free(vm);
    free(vm);
}

/* A VM lives until its own descriptors, its vCPUs' and its devices' are gone. */
void vm_put(struct vm *vm)
{
    if (vm->o.refs) {
        return;
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i] && vm->vcpus[i]->o.refs) {
            return;
        }
    }
    for (size_t i = 0; i < vm->n_devices; i++) {
        if (vm->devices[i]->o.refs) {
            return;
        }
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i]) {
            munmap(vm->vcpus[i]->run, profile.mmap_size);
            arch_vcpu_free(vm->vcpus[i]);
            free(vm->vcpus[i]);
        }
    }
    for (size_t i = 0; i < vm->n_devices; i++) {
        free(vm->devices[i]->attrs);
        free(vm->devices[i]);
    }
    free_vm(vm);
}

void sim_closed(int fd)
{
    struct object *o = object_of(fd);

    if (!o) {
        return;
    }
    sim_lock();
    objects[fd] = NULL;
    if (!--o->refs) {
        note("close %s", o->name);
        if (o->kind == KIND_VCPU && ((struct vcpu *)o)->running) {
            violation(RULE_CLOSED, "%s is closed while it runs", o->name);
        }
        if (o->vm) {
            vm_put(o->vm);
        }
    }
    sim_unlock();
}

/* Whether there is room for it: one that we do not know would be the real kernel's */
bool sim_duplicated(int from, int to)
{
    struct object *o = object_of(from);

    if (o && to >= MAX_FDS) {
        return false;
    }
    if (o) {
        sim_lock();
        objects[to] = o;
        o->refs++;
        sim_unlock();
    }
    return true;
}

bool is_kvm_path(const char *path)
{
    return enabled && path && !strcmp(path, "/dev/kvm");
}

/* QEMU and its tests look there for the CPU and its time base. */
bool is_cpuinfo(const char *path)
{
    return enabled && *profile.cpuinfo && !strcmp(path, "/proc/cpuinfo");
}

int sim_open_cpuinfo(void)
{
    int fd = syscall(SYS_memfd_create, "cpuinfo", 1 /* MFD_CLOEXEC */);

    if (fd >= 0 && pwrite(fd, profile.cpuinfo, strlen(profile.cpuinfo), 0) < 0) {
        syscall(SYS_close, fd);
        return -1;
    }
    return fd;
}

int sim_open(int flags)
{
    const struct fault *f;
    int fd;

    sim_lock();
    f = fault_for(OPEN, 0, NULL);
    fd = f ? -f->error : new_descriptor(&kvm_object, "kvm", 0);
    note("open /dev/kvm -> %s", fd < 0 ? strerrorname_np(-fd) : "ok");
    if (fd >= 0 && !(flags & O_CLOEXEC)) {
        fcntl(fd, F_SETFD, 0);
    }
    sim_unlock();
    if (fd < 0) {
        errno = -fd;
        return -1;
    }
    return fd;
}

/* --- dispatch */

size_t one_reg_size(uint64_t id)
{
    return 1 << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

static const struct call_type *find_call(unsigned long request, unsigned kind,
                                         bool *elsewhere)
{
    const struct call_type *tables[] = { arch_calls, common_calls };

    *elsewhere = false;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
        for (const struct call_type *c = tables[t]; c->name; c++) {
            if ((uint32_t)c->request != (uint32_t)request) {
                continue;
            }
            if (c->kinds & kind) {
                return c;
            }
            *elsewhere = true;
        }
    }
    return NULL;
}

static int run_call(struct call *c)
{
    const struct call_type *t = c->type;
    const struct fault *f;
    uint64_t about[2] = { };
    int ret;

    if (t->size && (t->flags & (IN | OUT))) {
        if (t->flags & IN) {
            if (user_read(c->in, c->arg, t->size)) {
                violation(RULE_POINTER, "its argument 0x%lx cannot be read",
                          (unsigned long)c->arg);
                return -EFAULT;
            }
        } else {
            memset(c->in, 0, t->size);
        }
    }
    c->has_about = fault_about(t->request, c->arg, c->in, about);
    c->about = about[0];
    c->about2 = about[1];
    cpus_before(t->name);
    f = fault_for(t->request, c->arg, c->in);
    if (f && f->error) {
        return -f->error;
    }
    if (c->object->kind == KIND_SYSTEM &&
        (uint32_t)t->request == (uint32_t)KVM_GET_API_VERSION) {
        api_version_asked = true;
    }
    if ((uint32_t)t->request == (uint32_t)KVM_CREATE_VM && !api_version_asked) {
        violation(RULE_API_VERSION, "a VM is made by a program that has not asked for it");
    }
    if (c->object->kind == KIND_VCPU && !(t->flags & ASYNC) &&
        ((struct vcpu *)c->object)->running) {
        violation(RULE_RUNNING, "%s is in KVM_RUN", c->object->name);
        return -EINTR;
    }
    if ((t->flags & STATE) && ((struct vcpu *)c->object)->incomplete) {
        violation(RULE_COMPLETE_EXIT, "%s left with exit %u, and did not enter again",
                  c->object->name, ((struct vcpu *)c->object)->run->exit_reason);
    }
    if (f && f->call->fills == FILLS_NOTHING) {
        ret = f->value;
    } else {
        ret = t->handle(c);
        if (f && ret != -EFAULT) {
            fault_put(f, c->in);
        }
    }
    if (t->size && (t->flags & OUT) &&
        (ret >= 0 || (t->flags & IN)) && user_write(c->arg, c->in, t->size)) {
        violation(RULE_POINTER, "its argument 0x%lx cannot be written",
                  (unsigned long)c->arg);
        return -EFAULT;
    }
    return ret;
}

int sim_ioctl(int fd, unsigned long request, void *arg)
{
    static __thread uint64_t buffer[512];
    struct call c = { .arg = (uintptr_t)arg, .in = buffer };
    bool elsewhere;
    int ret;

    sim_lock();
    c.object = object_of(fd);
    if (!c.object) {
        sim_unlock();
        errno = EBADF;
        return -1;
    }
    current = &c;
    c.type = find_call(request, c.object->kind, &elsewhere);
    if (!c.type) {
        violation(RULE_KNOWN_CALL, "0x%08lx%s, on %s", request & 0xffffffff,
                  elsewhere ? ", which is another descriptor's" : "",
                  c.object->name);
        ret = c.object->kind == KIND_VM ? -arch_vm_unknown :
              c.object->kind == KIND_DEVICE ? -ENOTTY : -EINVAL;
    } else {
        ret = run_call(&c);
    }
    if (log_path) {
        char what[64] = "";

        if (c.has_about) {
            snprintf(what, sizeof(what), c.about2 || (c.type->flags & IN &&
                     c.object->kind == KIND_DEVICE) ? " 0x%llx:0x%llx" :
                     " 0x%llx", (unsigned long long)c.about,
                     (unsigned long long)c.about2);
        }
        note("%s %s%s%s%s -> %s%.0d", c.type ? c.type->name : "unknown",
             c.object->name, what, *c.extra ? " " : "", c.extra,
             ret < 0 ? strerrorname_np(-ret) : "ok ", ret > 0 ? ret : 0);
    }
    current = NULL;
    sim_unlock();
    if (ret < 0) {
        errno = -ret;
        return -1;
    }
    return ret;
}

static void __attribute__((constructor)) start(void)
{
    const char *contract = getenv("KVM_SIM_CONTRACT");

    unsetenv("LD_PRELOAD");
    if (!getenv("KVM_SIM_PROFILE")) {
        return;                 /* nothing is simulated */
    }
    enabled = true;
    log_path = getenv("KVM_SIM_LOG");
    if (log_path && !append(log_path, "")) {
        config_error("KVM_SIM_LOG: %s: %s; name a file that can be written", log_path,
                     strerror(errno));
    }
    enforce = !contract || strcmp(contract, "log");
    if (enforce && contract && *contract) {
        config_error("KVM_SIM_CONTRACT is '%s'; it can be 'log', or nothing", contract);
    }
    scratch = syscall(SYS_memfd_create, "scratch", 1 /* MFD_CLOEXEC */);
    if (scratch < 0 || ftruncate(scratch, 4096)) {
        config_error("memfd_create: %s", strerror(errno));
    }
    scratch_mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                       scratch, 0);
    kvm_object.refs = 1;        /* never freed */
    profile_load();
    cpus_load();
    arch_start();
    check_calls();
    faults_load("kvm-sim", "KVM_SIM_FAULT");
    script_load();
}
