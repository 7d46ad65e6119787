/*
 * The guest's TLBs and special registers on BookE 2.06, under TCG and KVM
 *
 * Claims:
 * - the TLBs have the size that the CPU properties say, and the guest reads it;
 *   a size that cannot be had is one clear error;
 * - reset leaves the machine's initial mapping and registers as under TCG, and
 *   nothing of the guest before, in the kernel too;
 * - a guest that was saved and restored goes on where it was, busy or idle, and
 *   its timer goes on; so does the one that was saved;
 * - a guest can be stopped wherever it loops;
 * - a migration stream that cannot be right is refused;
 * - what all this costs in calls of the kernel.
 * KVM is tested on hosts with the core that the guest's code is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <poll.h>
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "libqtest.h"
#include "accel-choice-util.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"

#define CPU "e500v2_v30"
#define ALL "-nodefaults -display none -nic none -m 64 "

/* Where the time goes: an emulated host is slow */
#define DEADLINE_S 60

/* The guest: code, its interrupt handlers, and the page that it counts in */
#define CODE            0x00100000
#define HANDLER         0x400           /* beyond CODE */
#define DATA            0x00200000
#define COUNTER         (DATA + 0)      /* goes up while the guest runs */
#define TICKS           (DATA + 4)      /* goes up with each timer interrupt */
#define MARK            (DATA + 8)
#define READY           0x600d600d
/* It sees that page here: in the last set of a TLB0 with up to 512 sets */
#define DATA_EA         0x201ff000
#define GUEST_PID       5
#define GUEST_ENTRIES   7               /* with the machine's initial one */

/* Special purpose registers */
enum {
    SPR_DEC = 22, SPR_SRR1 = 27, SPR_PID = 48, SPR_DECAR = 54, SPR_CSRR0 = 58,
    SPR_CSRR1 = 59, SPR_DEAR = 61, SPR_ESR = 62, SPR_IVPR = 63,
    SPR_SPRG0 = 272, SPR_DAC1 = 316, SPR_IAC1 = 312, SPR_TSR = 336,
    SPR_TCR = 340, SPR_IVOR0 = 400, SPR_IVOR32 = 528,
    SPR_MAS0 = 624, SPR_MAS1 = 625, SPR_MAS2 = 626,
    SPR_MAS3 = 627, SPR_MAS4 = 628, SPR_MAS6 = 630, SPR_MAS7 = 944,
    SPR_HID0 = 1008,
};

#define MAS0_TLB1       0x10000000
#define MAS1_V          0x80000000
#define MAS1_IPROT      0x40000000
#define MAS1_TS         0x00001000
#define TSIZE_SHIFT     7
#define SIZE_4K         (2 << TSIZE_SHIFT)
#define SIZE_4M         (12 << TSIZE_SHIFT)
#define MAS3_ALL        0x3f
#define TSR_DIS         0x08000000
#define MSR_WE          0x00040000
#define MSR_EE          0x00008000
#define MSR_ME          0x00001000

/* An entry in the migration stream: MAS8, MAS1, MAS2, MAS7 and MAS3 */
#define STREAM_ENTRY    24
#define TLB0_ENTRIES    512
#define ALL_ENTRIES     528

/*
 * Registers that reset has to bring back, and a stream to carry: all that KVM
 * lets QEMU set, besides those that count time.
 */
static const char *const sprs[] = {
    "SRR0", "SRR1", "CSRR0", "CSRR1", "MCSRR0", "MCSRR1", "ESR", "DEAR",
    "MCSR", "MCAR", "IVPR",
    "IVOR0", "IVOR1", "IVOR2", "IVOR3", "IVOR4", "IVOR5", "IVOR6", "IVOR7",
    "IVOR8", "IVOR9", "IVOR10", "IVOR11", "IVOR12", "IVOR13", "IVOR14",
    "IVOR15", "IVOR32", "IVOR33", "IVOR34", "IVOR35",
    "MAS0", "MAS1", "MAS2", "MAS3", "MAS4", "MAS6", "MAS7",
    "PID", "PID1", "PID2", "PIR", "PVR", "SVR", "HID0", "DSRR0", "DSRR1",
    "SPRG0", "SPRG1", "SPRG2", "SPRG3", "SPRG4", "SPRG5", "SPRG6", "SPRG7",
    "USPRG0", "TCR", "DECAR", "EPR", "IAC1", "IAC2", "DAC1", "DAC2",
    "DBCR0", "DBCR1", "DBCR2",
    "MMUCFG", "TLB0CFG", "TLB1CFG",
};

/* How the machine is run */
typedef struct Setup {
    const char *name;
    const char *args;
} Setup;

static const Setup tcg = { "tcg", "-M ppce500 -accel tcg" };
static const Setup kvm_setups[] = {
    { "kvm", "-M ppce500 -accel kvm,kernel-irqchip=on" },
    { "kvm-mpic-in-qemu", "-M ppce500 -accel kvm,kernel-irqchip=off" },
};

static char *tmpdir;
static char *busy_guest, *idle_guest, *behind_sc_guest;

/* Assembles the guest */

typedef struct Code {
    uint32_t insns[512];
    unsigned int n;
} Code;

static void insn(Code *c, uint32_t opcode)
{
    g_assert_cmpuint(c->n, <, ARRAY_SIZE(c->insns));
    c->insns[c->n++] = cpu_to_be32(opcode);
}

static void load(Code *c, int reg, uint32_t value)
{
    insn(c, 0x3c000000 | reg << 21 | value >> 16);                  /* lis */
    insn(c, 0x60000000 | reg << 21 | reg << 16 | (value & 0xffff)); /* ori */
}

static uint32_t spr_fields(int reg, int spr)
{
    return reg << 21 | (spr & 0x1f) << 16 | (spr >> 5) << 11;
}

static void mtspr(Code *c, int spr, uint32_t value)
{
    load(c, 3, value);
    insn(c, 0x7c0003a6 | spr_fields(3, spr));
}

static void isync(Code *c)
{
    insn(c, 0x4c00012c);
}

static void tlbwe(Code *c, uint32_t mas0, uint32_t mas1, uint32_t mas2,
                  uint32_t mas3)
{
    mtspr(c, SPR_MAS0, mas0);
    mtspr(c, SPR_MAS1, mas1);
    mtspr(c, SPR_MAS2, mas2);
    mtspr(c, SPR_MAS3, mas3 | MAS3_ALL);
    mtspr(c, SPR_MAS7, 0);
    isync(c);
    insn(c, 0x7c0007a4);
    isync(c);
}

/* reg[at] = reg[at] + 1, with a scratch register */
static void count(Code *c, int reg, int at, int scratch)
{
    insn(c, 0x80000000 | scratch << 21 | reg << 16 | at);           /* lwz */
    insn(c, 0x38000001 | scratch << 21 | scratch << 16);            /* addi */
    insn(c, 0x90000000 | scratch << 21 | reg << 16 | at);           /* stw */
}

/* What a guest does once it has set up all */
typedef enum Loop {
    BUSY,           /* counts */
    IDLE,           /* counts, and waits for an interrupt each time */
    BEHIND_SC,      /* a branch to itself, without interrupts, behind an sc */
} Loop;

#define INSN_SC     0x44000002

/*
 * A guest without a kernel. It needs its TLB entries, its process ID and its
 * timer to go on, and leaves something in each register that it can write.
 */
static char *write_guest(const char *name, Loop kind)
{
    static const uint8_t header[] = {
        0x7f, 'E', 'L', 'F', 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 2, 0, 20, 0, 0, 0, 1,            /* executable, PowerPC */
        CODE >> 24, (uint8_t)(CODE >> 16), 0, 0, 0, 0, 0, 52, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 1, 0, 0, 0, 84,
        CODE >> 24, (uint8_t)(CODE >> 16), 0, 0,
        CODE >> 24, (uint8_t)(CODE >> 16), 0, 0,
        0, 0, sizeof(((Code *)0)->insns) >> 8, 0,
        0, 0, sizeof(((Code *)0)->insns) >> 8, 0, 0, 0, 0, 5, 0, 0, 0, 4,
    };
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(tmpdir, name, NULL);
    GByteArray *elf = g_byte_array_new();
    Code c = {};
    unsigned int loop;

    QEMU_BUILD_BUG_ON(sizeof(header) != 84);
    QEMU_BUILD_BUG_ON((CODE & 0xffff) != 0 || (sizeof(c.insns) & 0xff) != 0);

    /* 4 entries of TLB1, one of them protected, and 2 of TLB0 */
    for (int i = 1; i <= 4; i++) {
        tlbwe(&c, MAS0_TLB1 | i << 16,
              MAS1_V | (i == 2 ? MAS1_IPROT : 0) | MAS1_TS | SIZE_4M,
              0x30000000 + i * 0x01000000, 0x01000000 + i * 0x00400000);
    }
    tlbwe(&c, 1 << 16, MAS1_V | MAS1_TS | SIZE_4K, 0x20006000, DATA + 0x1000);
    tlbwe(&c, 0, MAS1_V | GUEST_PID << 16 | SIZE_4K, DATA_EA, DATA);

    mtspr(&c, SPR_MAS4, 0x00010100);
    mtspr(&c, SPR_MAS6, GUEST_PID << 16);
    mtspr(&c, SPR_CSRR0, 0x11111110);
    mtspr(&c, SPR_CSRR1, 0x00021000);
    mtspr(&c, SPR_DEAR, 0x33333333);
    mtspr(&c, SPR_ESR, 0x00800000);
    mtspr(&c, SPR_IAC1, 0x44444444);
    mtspr(&c, SPR_DAC1, 0x55555555);
    mtspr(&c, SPR_HID0, 0x00800000);    /* MSR[WE] means to doze */
    mtspr(&c, SPR_IVPR, CODE);
    for (int i = 0; i < 16; i++) {
        mtspr(&c, SPR_IVOR0 + i, i == 10 ? HANDLER : 0x600 + i * 0x10);
    }
    for (int i = 0; i < 4; i++) {
        mtspr(&c, SPR_IVOR32 + i, 0x700 + i * 0x10);
    }
    for (int i = 0; i < 8; i++) {
        mtspr(&c, SPR_SPRG0 + i, 0x12340000 + i);
    }
    mtspr(&c, SPR_PID, GUEST_PID);
    isync(&c);

    /* an interrupt every 10 ms, at 400 MHz; in time, however slow we are */
    mtspr(&c, SPR_TCR, 0x04400000);     /* DIE, ARE */
    mtspr(&c, SPR_DECAR, 4000000);
    mtspr(&c, SPR_DEC, 4000000);
    load(&c, 4, DATA_EA);
    load(&c, 5, READY);
    insn(&c, 0x90a40008);               /* stw r5, 8(r4) */
    load(&c, 6, MSR_EE | MSR_ME | (kind == IDLE ? MSR_WE : 0));
    if (kind == BUSY) {
        insn(&c, 0x7cc00124);           /* mtmsr r6 */
    } else if (kind == BEHIND_SC) {
        insn(&c, 0x48000008);           /* b, over the next one */
        insn(&c, INSN_SC);
        insn(&c, 0x48000000);           /* b . */
    }
    loop = c.n;
    count(&c, 4, COUNTER - DATA, 5);
    if (kind == IDLE) {
        insn(&c, 0x7cc00124);
        isync(&c);
    }
    insn(&c, 0x48000000 | ((loop - c.n) * 4 & 0x03fffffc));         /* b */

    g_assert_cmpuint(c.n, <=, HANDLER / 4);
    c.n = HANDLER / 4;
    load(&c, 20, TSR_DIS);
    insn(&c, 0x7c0003a6 | spr_fields(20, SPR_TSR));
    load(&c, 21, DATA_EA);
    count(&c, 21, TICKS - DATA, 22);
    insn(&c, 0x7c0002a6 | spr_fields(20, SPR_SRR1));                /* mfspr */
    load(&c, 21, MSR_WE);
    insn(&c, 0x7e94a878);               /* andc r20, r20, r21 */
    insn(&c, 0x7c0003a6 | spr_fields(20, SPR_SRR1));
    insn(&c, 0x4c000064);               /* rfi */

    g_byte_array_append(elf, header, sizeof(header));
    g_byte_array_append(elf, (uint8_t *)c.insns, sizeof(c.insns));
    g_file_set_contents(path, (char *)elf->data, elf->len, &error);
    g_assert_no_error(error);
    g_byte_array_unref(elf);
    return path;
}

/* Talks to QEMU */

static QTestState *start(const Setup *setup, const char *cpu,
                         const char *guest, const char *more)
{
    return qtest_initf("%s " ALL "-cpu %s -kernel %s %s", setup->args, cpu,
                       guest, more);
}

static uint64_t spr(QTestState *qts, const char *name)
{
    g_autofree char *text = qtest_hmp(qts, "print /x $%s", name);
    uint64_t value;
    char *end;

    value = g_ascii_strtoull(text, &end, 0);
    if (end == text) {
        g_error("%s: %s", name, text);
    }
    return value;
}

static unsigned int valid_entries(const char *info_tlb)
{
    unsigned int n = 0;

    for (const char *p = info_tlb; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        n += g_str_has_prefix(p, "0x");
    }
    return n;
}

static void wait_beyond(QTestState *qts, uint64_t addr, uint32_t value)
{
    gint64 end = g_get_monotonic_time() + DEADLINE_S * G_TIME_SPAN_SECOND;

    while (qtest_readl(qts, addr) <= value) {
        if (g_get_monotonic_time() >= end) {
            g_autofree char *registers = qtest_hmp(qts, "info registers");
            g_autofree char *tlb = qtest_hmp(qts, "info tlb");

            g_error("0x%" PRIx64 " stays at 0x%x:\n%s\n%s", addr,
                    qtest_readl(qts, addr), registers, tlb);
        }
        g_usleep(10000);
    }
}

/* Until the guest has set up what is its own, and its timer runs */
static void wait_ready(QTestState *qts)
{
    wait_beyond(qts, MARK, READY - 1);
    wait_beyond(qts, TICKS, 2);
}

/* The guest counts, and its timer interrupts it. */
static void assert_alive(QTestState *qts)
{
    wait_beyond(qts, COUNTER, qtest_readl(qts, COUNTER));
    wait_beyond(qts, TICKS, qtest_readl(qts, TICKS) + 2);
}

/* Starts the guest afresh; it may run or not. */
static void reset(QTestState *qts)
{
    qtest_writel(qts, MARK, 0);
    qtest_writel(qts, TICKS, 0);
    qtest_system_reset(qts);
}

/*
 * Runs QEMU where it has to end by itself, without qtest, so that it speaks as
 * it does to a user. @err: filled in with what it wrote to stderr
 */
static int run(char **err, const char *args)
{
    g_autofree char *command = g_strdup_printf(
        "%s " ALL "%s", getenv("QTEST_QEMU_BINARY"), args);
    gint64 end = g_get_monotonic_time() + DEADLINE_S * G_TIME_SPAN_SECOND;
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new("");
    int fd, status;
    GPid pid;

    g_test_message("%s", args);
    g_assert_true(g_shell_parse_argv(command, NULL, &argv, &error));
    g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL,
                                           G_SPAWN_DO_NOT_REAP_CHILD |
                                           G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                                           NULL, &pid, NULL, NULL, &fd,
                                           &error));
    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        char buffer[1024];
        ssize_t n;

        if (g_get_monotonic_time() >= end || poll(&pfd, 1, 1000) < 0) {
            kill(pid, SIGKILL);
            g_error("QEMU goes on, and says: %s", text->str);
        }
        if (!pfd.revents) {
            continue;
        }
        n = read(fd, buffer, sizeof(buffer));
        if (n <= 0) {
            break;
        }
        g_string_append_len(text, buffer, n);
    }
    close(fd);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    *err = g_string_free(text, FALSE);
    g_test_message("%s", *err);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Waits for the end of a migration, to @qts or away from it. */
static void wait_migrated(QTestState *qts)
{
    gint64 end = g_get_monotonic_time() + DEADLINE_S * G_TIME_SPAN_SECOND;

    for (;;) {
        QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-migrate' }");
        QDict *info = qdict_get_qdict(rsp, "return");
        const char *status = qdict_get_try_str(info, "status");
        bool done = g_strcmp0(status, "completed") == 0;

        g_assert_cmpstr(status, !=, "failed");
        qobject_unref(rsp);
        if (done) {
            return;
        }
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(10000);
    }
}

static bool has_status(QTestState *qts, const char *status)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-status' }");
    bool has = g_str_equal(status, qdict_get_str(qdict_get_qdict(rsp, "return"),
                                                 "status"));

    qobject_unref(rsp);
    return has;
}

static char *save(QTestState *qts, const char *name)
{
    char *path = g_build_filename(tmpdir, name, NULL);
    g_autofree char *uri = g_strdup_printf("file:%s", path);

    qtest_qmp_assert_success(qts, "{ 'execute': 'migrate', 'arguments': {"
                             "'uri': %s } }", uri);
    wait_migrated(qts);
    /* only then it may go on */
    while (!has_status(qts, "postmigrate")) {
        g_usleep(10000);
    }
    return path;
}

/*
 * The decrementer of a guest that was saved runs, or has run out: where it is
 * reloaded each time it cannot stand still. (Under TCG it may be expiring,
 * which no register shows; the stream has it.)
 */
static void assert_decrementer(const Setup *setup, QTestState *qts)
{
    g_assert_true(setup == &tcg || spr(qts, "DECR") != 0 ||
                  (spr(qts, "TSR") & TSR_DIS) != 0);
}

static QTestState *restore(const Setup *setup, const char *cpu,
                           const char *path)
{
    g_autofree char *incoming = g_strdup_printf("-S -incoming file:%s", path);
    QTestState *qts = start(setup, cpu, busy_guest, incoming);

    wait_migrated(qts);
    return qts;
}

static void cont(QTestState *qts)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'cont' }");
}

/* Returns only when all vCPUs have stopped, and the monitor waits with us. */
static void stop(QTestState *qts)
{
    alarm(DEADLINE_S);
    qtest_qmp_assert_success(qts, "{ 'execute': 'stop' }");
    alarm(0);
}

static void stop_takes_too_long(int signal)
{
    static const char says[] = "a vCPU does not stop\n";
    ssize_t n = write(STDERR_FILENO, says, sizeof(says) - 1);

    (void)n;
    abort();
}

/* What is different is named, all of it. */
static void compare_sprs(QTestState *qts, const uint64_t expected[])
{
    unsigned int differ = 0;

    for (int i = 0; i < ARRAY_SIZE(sprs); i++) {
        uint64_t value = spr(qts, sprs[i]);

        if (value != expected[i]) {
            g_test_message("%s is 0x%" PRIx64 " and should be 0x%" PRIx64,
                           sprs[i], value, expected[i]);
            differ++;
        }
    }
    g_assert_cmpuint(differ, ==, 0);
}

static void read_sprs(QTestState *qts, uint64_t values[])
{
    for (int i = 0; i < ARRAY_SIZE(sprs); i++) {
        values[i] = spr(qts, sprs[i]);
    }
}

/* The CPU properties */

static uint64_t cpu_property(QTestState *qts, const char *name)
{
    QDict *cpus = qtest_qmp(qts, "{ 'execute': 'query-cpus-fast' }");
    QDict *cpu = qobject_to(QDict, qlist_peek(qdict_get_qlist(cpus,
                                                              "return")));
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                           "'path': %s, 'property': %s } }",
                           qdict_get_str(cpu, "qom-path"), name);
    uint64_t value = qdict_get_int(rsp, "return");

    qobject_unref(rsp);
    qobject_unref(cpus);
    return value;
}

static void check_size(QTestState *qts, uint32_t entries0, uint32_t ways0,
                       uint32_t entries1, uint32_t tlb0cfg, uint32_t tlb1cfg)
{
    g_autofree char *registers = qtest_hmp(qts, "info registers");
    g_autofree char *says = g_strdup_printf("TLB0CFG %08x TLB1CFG %08x",
                                            tlb0cfg, tlb1cfg);
    g_autofree char *says64 = g_strdup_printf("TLB0CFG %016x TLB1CFG %016x",
                                              tlb0cfg, tlb1cfg);
    g_autofree char *tlb = qtest_hmp(qts, "info tlb");

    g_assert_cmpuint(cpu_property(qts, "tlb0-entries"), ==, entries0);
    g_assert_cmpuint(cpu_property(qts, "tlb0-ways"), ==, ways0);
    g_assert_cmpuint(cpu_property(qts, "tlb1-entries"), ==, entries1);
    g_assert_cmphex(spr(qts, "TLB0CFG"), ==, tlb0cfg);
    g_assert_cmphex(spr(qts, "TLB1CFG"), ==, tlb1cfg);
    g_assert_true(strstr(registers, says) || strstr(registers, says64));
    g_assert_cmpuint(valid_entries(tlb), ==, 1);
}

/* Without properties, the TLBs are the core's. */
static void test_defaults(const void *data)
{
    static const struct {
        const char *cpu;
        uint32_t entries0, ways0, entries1, tlb0cfg, tlb1cfg;
    } models[] = {
        { "e500v1", 256, 2, 16, 0x02110100, 0x1019c010 },
        { "e500v2", 512, 4, 16, 0x04110200, 0x101cc010 },
        { "e500mc", 512, 4, 64, 0x04110200, 0x401cc040 },
        { "e5500", 512, 4, 64, 0x04110200, 0x401cc040 },
        { "e6500", 1024, 8, 64, 0x08052400, 0x40028040 },
    };

    for (int i = 0; i < ARRAY_SIZE(models); i++) {
        QTestState *qts;

        if (!qtest_has_cpu_model(models[i].cpu)) {
            g_test_message("no %s in this QEMU", models[i].cpu);
            continue;
        }
        g_test_message("%s", models[i].cpu);
        qts = start(data, models[i].cpu, busy_guest, "-S");
        check_size(qts, models[i].entries0, models[i].ways0,
                   models[i].entries1, models[i].tlb0cfg, models[i].tlb1cfg);
        qtest_quit(qts);
    }
}

/* Other sizes are what the guest reads, and uses. */
static void test_sizes(const void *data)
{
    static const struct {
        const char *cpu, *global;
        uint32_t entries0, ways0, entries1, tlb0cfg, tlb1cfg;
    } cases[] = {
        { CPU ",tlb0-entries=2048", "",
          2048, 4, 16, 0x04110800, 0x101cc010 },
        { CPU ",tlb0-entries=4096,tlb0-ways=16,tlb1-entries=64", "",
          4096, 16, 64, 0x10110000, 0x401cc040 },
        { CPU ",tlb0-entries=256,tlb0-ways=2,tlb1-entries=32", "",
          256, 2, 32, 0x02110100, 0x201cc020 },
        { CPU, "tlb0-entries=1024",
          1024, 4, 16, 0x04110400, 0x101cc010 },
        { "host,tlb0-entries=2048,tlb0-ways=8", "",
          2048, 8, 16, 0x08110800, 0x101cc010 },
    };
    bool is64 = g_str_equal(qtest_get_arch(), "ppc64");
    const char *suffix = is64 ? "powerpc64" : "powerpc";

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *args = g_strdup("-S");
        g_autofree char *tlb = NULL, *gpa = NULL;
        QTestState *qts;

        if (*cases[i].global) {
            g_free(args);
            args = g_strdup_printf("-S -global %s-%s-cpu.%s", cases[i].cpu,
                                   suffix, cases[i].global);
        }
        if (data == &tcg && g_str_has_prefix(cases[i].cpu, "host")) {
            continue;
        }
        g_test_message("%s %s", cases[i].cpu, cases[i].global);
        qts = start(data, cases[i].cpu, busy_guest, args);
        check_size(qts, cases[i].entries0, cases[i].ways0, cases[i].entries1,
                   cases[i].tlb0cfg, cases[i].tlb1cfg);
        cont(qts);
        wait_ready(qts);
        stop(qts);
        tlb = qtest_hmp(qts, "info tlb");
        g_assert_cmpuint(valid_entries(tlb), ==, GUEST_ENTRIES);
        gpa = qtest_hmp(qts, "gva2gpa 0x%x", DATA_EA + 0x123);
        g_assert_true(g_str_has_prefix(gpa, "gpa: 0x200123"));
        qtest_quit(qts);
    }
}

static void test_bad_sizes(const void *data)
{
    const Setup *setup = data;
    static const struct {
        const char *properties, *says;
    } cases[] = {
        { "tlb0-entries=0", "TLB0 cannot have 0 entries: " },
        { "tlb0-entries=511", "TLB0 cannot have 511 entries: " },
        { "tlb0-entries=768", "TLB0 cannot have 768 entries: " },
        { "tlb0-entries=8192", "TLB0 cannot have 8192 entries: " },
        { "tlb0-entries=0x80000000", "TLB0 cannot have 2147483648 entries: " },
        { "tlb0-entries=4294967295", "TLB0 cannot have 4294967295 entries: " },
        { "tlb0-ways=0", "TLB0 cannot have 0 ways: " },
        { "tlb0-ways=1", "TLB0 cannot have 1 ways: " },
        { "tlb0-ways=3", "TLB0 cannot have 3 ways: " },
        { "tlb0-ways=32", "TLB0 cannot have 32 ways: " },
        { "tlb0-entries=8,tlb0-ways=16", "it has only 8 entries" },
        { "tlb1-entries=0", "TLB1 cannot have 0 entries: " },
        { "tlb1-entries=15", "TLB1 cannot have 15 entries: " },
        { "tlb1-entries=48", "TLB1 cannot have 48 entries: " },
        { "tlb1-entries=128", "TLB1 cannot have 128 entries: " },
        /* not even a number of 32 bits */
        { "tlb0-entries=-1", "'tlb0-entries' expects uint32_t" },
        { "tlb0-ways=-4", "'tlb0-ways' expects uint32_t" },
        { "tlb1-entries=-16", "'tlb1-entries' expects uint32_t" },
        { "tlb0-entries=4294967808", "'tlb0-entries' expects uint32_t" },
        { "tlb0-entries=many", "'tlb0-entries' expects uint" },
        { "tlb0-ways=4.0", "'tlb0-ways' expects uint" },
        { "tlb1-entries=", "'tlb1-entries' expects uint" },
        { "timebase-wait=-1", "'timebase-wait' expects uint32_t" },
        { "timebase-wait=long", "'timebase-wait' expects uint" },
        /* TLB1 is fully associative, and there are no others */
        { "tlb1-ways=4", "tlb1-ways" },
        { "tlb2-entries=16", "tlb2-entries" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *args = g_strdup_printf(
            "%s -cpu %s,%s -kernel %s -S", setup->args, CPU,
            cases[i].properties, busy_guest);
        g_autofree char *err = NULL;

        g_assert_cmpint(run(&err, args), ==, 1);
        g_assert_nonnull(strstr(err, cases[i].says));
        g_assert_cmpint(accel_count(err, "\n"), ==, 1);
    }
}

/* Reset */

static void test_reset(const void *data)
{
    uint64_t reset_values[ARRAY_SIZE(sprs)];
    g_autofree char *first = NULL;
    QTestState *qts;

    /* What it has to be is what TCG makes of it. */
    qts = start(&tcg, CPU, busy_guest, "-S");
    read_sprs(qts, reset_values);
    first = qtest_hmp(qts, "info tlb");
    g_assert_cmpuint(valid_entries(first), ==, 1);
    qtest_quit(qts);

    qts = start(data, CPU, busy_guest, "");
    for (int i = 0; i < 10; i++) {
        g_autofree char *used = NULL, *after = NULL;

        wait_ready(qts);
        stop(qts);
        used = qtest_hmp(qts, "info tlb");
        g_assert_cmpuint(valid_entries(used), ==, GUEST_ENTRIES);
        g_assert_cmphex(spr(qts, "IVPR"), ==, CODE);
        g_assert_cmphex(spr(qts, "MAS4"), ==, 0x00010100);
        g_assert_cmphex(spr(qts, "DEAR"), ==, 0x33333333);
        g_assert_cmphex(spr(qts, "SPRG7"), ==, 0x12340007);

        reset(qts);
        after = qtest_hmp(qts, "info tlb");
        g_assert_cmpstr(after, ==, first);
        compare_sprs(qts, reset_values);
        cont(qts);
    }

    /* Without a stop, while the guest runs */
    for (int i = 0; i < 10; i++) {
        wait_ready(qts);
        reset(qts);
    }
    wait_ready(qts);
    assert_alive(qts);
    qtest_quit(qts);
}

static char *info_tlb(QTestState *qts, int cpu)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'human-monitor-command',"
                           "'arguments': { 'command-line': 'info tlb',"
                           "'cpu-index': %d } }", cpu);
    char *text = g_strdup(qdict_get_str(rsp, "return"));

    qobject_unref(rsp);
    return text;
}

/* A core that waits in the spin table gets its mapping when it leaves. */
static void test_reset_secondary(const void *data)
{
    QTestState *qts;

    if (data != &tcg && sysconf(_SC_NPROCESSORS_CONF) < 2) {
        g_test_skip("needs a KVM with 2 vCPUs: as many as the host's kernel is "
                    "for");
        return;
    }
    qts = start(data, CPU, busy_guest, "-smp 2 -S");
    for (int i = 0; i < 2; i++) {
        g_autofree char *boot = info_tlb(qts, 0);
        g_autofree char *secondary = info_tlb(qts, 1);

        g_assert_cmpuint(valid_entries(boot), ==, 1);
        g_assert_cmpuint(valid_entries(secondary), ==, 0);
        qtest_system_reset(qts);
    }
    qtest_quit(qts);
}

/*
 * Stopping. Under KVM, a vCPU whose NIP is behind an sc runs on, because there
 * may be an interrupt for it: but not for ever.
 */
static void test_behind_sc(const void *data)
{
    QTestState *qts = start(data, CPU, behind_sc_guest, "");

    for (int i = 0; i < 3; i++) {
        wait_beyond(qts, MARK, READY - 1);
        for (int j = 0; j < 5; j++) {
            gint64 then = g_get_monotonic_time();

            stop(qts);
            g_test_message("stopped in %d ms",
                           (int)((g_get_monotonic_time() - then) / 1000));
            cont(qts);
            g_usleep(20000);            /* until it is in the guest again */
        }
        stop(qts);
        g_assert_cmphex(qtest_readl(qts, spr(qts, "nip") - 4), ==, INSN_SC);
        reset(qts);
        cont(qts);
    }
    qtest_quit(qts);
}

/* Saving and restoring */

/* MPIC registers of a source that nothing is connected to */
#define MPIC            0xfe0040000
#define MPIC_CTPR       (MPIC + 0x20080)
#define MPIC_IVPR(_irq) (MPIC + 0x10000 + (_irq) * 0x20)
#define MPIC_IDR(_irq)  (MPIC + 0x10010 + (_irq) * 0x20)
#define MPIC_IRQ        60

static void move(const Setup *from, const Setup *to, const char *guest,
                 bool stopped)
{
    uint64_t values[ARRAY_SIZE(sprs)];
    g_autofree char *tlb = NULL, *tlb_there = NULL, *path = NULL;
    QTestState *here = start(from, CPU, guest, ""), *there;
    uint32_t counter, ticks, ivpr, ctpr;

    wait_ready(here);
    qtest_writel(here, MPIC_IVPR(MPIC_IRQ), 0x80060123);
    qtest_writel(here, MPIC_IDR(MPIC_IRQ), 1);
    qtest_writel(here, MPIC_CTPR, 3);
    ivpr = qtest_readl(here, MPIC_IVPR(MPIC_IRQ));
    ctpr = qtest_readl(here, MPIC_CTPR);
    g_assert_cmphex(ivpr & 0x000f0fff, ==, 0x00060123);
    g_assert_cmphex(ctpr, ==, 3);

    if (stopped) {
        stop(here);
    }
    path = save(here, "move.stream");
    counter = qtest_readl(here, COUNTER);
    ticks = qtest_readl(here, TICKS);
    tlb = qtest_hmp(here, "info tlb");
    g_assert_cmpuint(valid_entries(tlb), ==, GUEST_ENTRIES);
    read_sprs(here, values);
    assert_decrementer(from, here);

    there = restore(to, CPU, path);
    g_assert_cmpuint(qtest_readl(there, COUNTER), ==, counter);
    g_assert_cmpuint(qtest_readl(there, TICKS), ==, ticks);
    tlb_there = qtest_hmp(there, "info tlb");
    g_assert_cmpstr(tlb_there, ==, tlb);
    compare_sprs(there, values);
    g_assert_cmphex(qtest_readl(there, MPIC_IVPR(MPIC_IRQ)), ==, ivpr);
    g_assert_cmphex(qtest_readl(there, MPIC_IDR(MPIC_IRQ)), ==, 1);
    g_assert_cmphex(qtest_readl(there, MPIC_CTPR), ==, ctpr);
    cont(there);
    assert_alive(there);

    /* which has to know how to start afresh, too */
    reset(there);
    wait_ready(there);
    qtest_quit(there);

    cont(here);
    assert_alive(here);
    qtest_quit(here);
    unlink(path);
}

static void test_move_busy(const void *data)
{
    move(data, data, busy_guest, false);
}

/* Saved while it stands still: nothing is dirty when it stops. */
static void test_move_stopped(const void *data)
{
    move(data, data, busy_guest, true);
}

static void test_move_idle(const void *data)
{
    move(data, data, idle_guest, false);
}

/*
 * At any moment: also where the decrementer has just run out, and the host's
 * timer for it is late. That is one of a hundred moments or less.
 */
static void test_saves(const void *data)
{
    QTestState *qts = start(data, CPU, busy_guest, "");

    wait_ready(qts);
    for (int i = 0; i < (g_test_slow() ? 500 : 20); i++) {
        g_autofree char *path = save(qts, "saves.stream");

        assert_decrementer(data, qts);
        unlink(path);
        cont(qts);
        assert_alive(qts);
    }
    qtest_quit(qts);
}

/* One guest through all of them: their streams are the same. */
static void test_move_between(const void *data)
{
    const Setup *setups[] = { &tcg, &kvm_setups[0], &kvm_setups[1] };

    for (int i = 0; i < ARRAY_SIZE(setups); i++) {
        for (int j = 0; j < ARRAY_SIZE(setups); j++) {
            if (i != j) {
                g_test_message("%s to %s", setups[i]->name, setups[j]->name);
                move(setups[i], setups[j], busy_guest, false);
                move(setups[i], setups[j], idle_guest, false);
            }
        }
    }
}

/* Streams that cannot be right */

typedef struct Stream {
    uint8_t *data;
    gsize size;
    gsize tlb1;         /* where the only valid entry is */
    gsize timers;       /* where "booke-timers" begins: frequency, time base */
} Stream;

static gsize find(const Stream *s, const void *what, gsize size)
{
    const uint8_t *at = memmem(s->data, s->size, what, size), *next;

    g_assert_nonnull(at);
    next = at + 1;
    g_assert_null(memmem(next, s->data + s->size - next, what, size));
    return at - s->data;
}

static void stream_get(Stream *s, const Setup *setup)
{
    QTestState *qts = start(setup, CPU, busy_guest, "-S");
    uint64_t size = spr(qts, "R7");     /* of the initial mapping (ePAPR) */
    g_autofree char *path = save(qts, "good.stream");
    g_autoptr(GError) error = NULL;
    uint8_t entry[STREAM_ENTRY] = {};

    qtest_quit(qts);
    g_assert_true(g_file_get_contents(path, (char **)&s->data, &s->size,
                                      &error));
    stl_be_p(entry + 4, MAS1_V | (ctz64(size) - 10) << TSIZE_SHIFT);
    stq_be_p(entry + 16, MAS3_ALL);
    s->tlb1 = find(s, entry, sizeof(entry));
    /* nothing else is valid, and the TLBs begin where they have to */
    g_assert_cmpuint(ldl_be_p(s->data + s->tlb1 - TLB0_ENTRIES * STREAM_ENTRY -
                              4), ==, ALL_ENTRIES);
    /* its length, the name, an instance and a version */
    s->timers = find(s, "\014booke-timers", 13) + 13 + 8;
}

static char *incoming(const Setup *setup, const char *cpu, const Stream *s,
                      gsize size)
{
    char *path = g_build_filename(tmpdir, "bad.stream", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, (char *)s->data, size, &error));
    g_free(path);
    return g_strdup_printf("%s -cpu %s -kernel %s -S -incoming file:%s/"
                           "bad.stream", setup->args, cpu, busy_guest, tmpdir);
}

static void refused(const Setup *setup, const char *cpu, const Stream *s,
                    gsize size, const char *says)
{
    g_autofree char *args = incoming(setup, cpu, s, size);
    g_autofree char *err = NULL;

    g_assert_cmpint(run(&err, args), ==, 1);
    assert_says(err, says);
    assert_says(err, "load of migration failed: ");
}

static void accepted(const Setup *setup, const char *cpu, const Stream *s)
{
    g_autofree char *args = incoming(setup, cpu, s, s->size);
    QTestState *qts = qtest_initf(ALL "%s", args);

    wait_migrated(qts);
    cont(qts);
    wait_ready(qts);
    assert_alive(qts);
    qtest_quit(qts);
}

static void test_other_size(const void *data)
{
    static const struct {
        const char *cpu, *says;
    } cases[] = {
        { CPU ",tlb0-entries=1024", "The numbers of TLB entries differ: " },
        { CPU ",tlb0-entries=256", "The numbers of TLB entries differ: " },
        { CPU ",tlb1-entries=64", "The numbers of TLB entries differ: " },
        { CPU ",tlb0-ways=8", "TLB0CFG is 0x04110200 in the incoming state, "
                              "and here it is 0x08110200" },
    };
    Stream s;

    stream_get(&s, data);
    accepted(data, CPU, &s);
    /* the same, said otherwise */
    accepted(data, CPU ",tlb0-entries=512,tlb0-ways=4,tlb1-entries=16", &s);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        refused(data, cases[i].cpu, &s, s.size, cases[i].says);
    }
    g_free(s.data);
}

static void test_truncated(const void *data)
{
    Stream s;

    stream_get(&s, data);
    {
        const gsize sizes[] = {
            0, 1, 8, 100, s.size / 4,
            s.tlb1 - TLB0_ENTRIES * STREAM_ENTRY - 4,
            s.tlb1 - STREAM_ENTRY, s.tlb1, s.tlb1 + 6,
            s.tlb1 + 16 * STREAM_ENTRY, s.timers - 1, s.timers + 4,
            s.timers + 12,
        };

        for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
            g_test_message("%zu of %zu bytes", sizes[i], s.size);
            refused(data, CPU, &s, sizes[i], "load of migration failed: ");
        }
    }
    g_free(s.data);
}

/* Entries that no tlbwe could have written, and TLBs of another size */
static void test_corrupted(const void *data)
{
    Stream s;
    gsize first, count;

    stream_get(&s, data);
    first = s.tlb1 - TLB0_ENTRIES * STREAM_ENTRY;
    count = first - 4;

    /* TLB1 has pages of 4, 16, 64 ... KiB, up to 16 GiB. */
    for (int i = 0; i < 7; i++) {
        static const uint32_t tsizes[] = { 0, 1, 3, 5, 23, 26, 31 };
        uint8_t *mas1 = s.data + s.tlb1 + 4;
        uint32_t good = ldl_be_p(mas1);
        uint32_t bad = MAS1_V | tsizes[i] << TSIZE_SHIFT;
        g_autofree char *says = g_strdup_printf(
            "TLB1 entry 0 (MAS1 0x%08x, MAS2 0x0) has page size 2^%u KiB",
            bad, tsizes[i]);

        stl_be_p(mas1, bad);
        refused(data, CPU, &s, s.size, says);
        stl_be_p(mas1, good);
    }

    /* TLB0 has pages of 4 KiB only. */
    for (int i = 7; i < TLB0_ENTRIES; i += 504) {
        uint8_t *mas1 = s.data + first + i * STREAM_ENTRY + 4;
        g_autofree char *says = g_strdup_printf(
            "TLB0 entry %d (MAS1 0x80000200, MAS2 0x0) has page size 2^4 KiB",
            i);

        stl_be_p(mas1, MAS1_V | 4 << TSIZE_SHIFT);
        refused(data, CPU, &s, s.size, says);
        /* as long as it is not valid it does not matter */
        stl_be_p(mas1, 4 << TSIZE_SHIFT);
        accepted(data, CPU, &s);
        stl_be_p(mas1, 0);
    }

    for (int i = 0; i < 4; i++) {
        static const uint32_t counts[] = { 0, 527, 0x7fffffff, 0x80000000 };

        stl_be_p(s.data + count, counts[i]);
        refused(data, CPU, &s, s.size, "The numbers of TLB entries differ: ");
        stl_be_p(s.data + count, ALL_ENTRIES);
    }
    g_free(s.data);
}

static void test_time_base(const void *data)
{
    bool kvm = data != &tcg;
    uint32_t freq;
    uint64_t tb;
    Stream s;

    stream_get(&s, data);
    freq = ldl_be_p(s.data + s.timers);
    tb = ldq_be_p(s.data + s.timers + 4);
    g_test_message("time base 0x%" PRIx64 " at %u Hz", tb, freq);

    /* A guest that runs knows how fast its time base is. */
    stl_be_p(s.data + s.timers, freq + 1);
    refused(data, CPU, &s, s.size, "The guest's time base runs at ");
    stl_be_p(s.data + s.timers, 0);
    refused(data, CPU, &s, s.size, "The guest's time base runs at 0 Hz");
    stl_be_p(s.data + s.timers, freq);

    /* Any time can be had of TCG, and under KVM the host's or less. */
    stq_be_p(s.data + s.timers + 4, 0);
    accepted(data, CPU, &s);
    stq_be_p(s.data + s.timers + 4, tb + 100000ull * freq);
    if (!kvm) {
        accepted(data, CPU, &s);
        stq_be_p(s.data + s.timers + 4, UINT64_MAX - freq);
        accepted(data, CPU, &s);
    } else {
        gint64 then;

        refused(data, CPU, &s, s.size, "KVM cannot move it");
        refused(data, CPU ",timebase-wait=5", &s, s.size, "timebase-wait=");
        stq_be_p(s.data + s.timers + 4, UINT64_MAX);
        refused(data, CPU ",timebase-wait=5", &s, s.size,
                "KVM cannot move it");

        /* Unless it is soon, and somebody waits */
        then = g_get_monotonic_time();
        stq_be_p(s.data + s.timers + 4, tb + 30ull * freq);
        accepted(data, CPU ",timebase-wait=60", &s);
        g_test_message("%d s", (int)((g_get_monotonic_time() - then) /
                                     G_TIME_SPAN_SECOND));
    }
    g_free(s.data);
}

/*
 * A decrementer that is about to expire when the guest is restored does so: no
 * order of writing it, TSR and DECAR may lose that.
 */
static void test_decrementer(const void *data)
{
    static const uint32_t ticks[] = { 1, 2, 40, 400, 4000, 40000 };
    /* CSRR0, CSRR1, what is not there, DEAR and ESR, as the guest wrote them */
    static const uint32_t sprs_at_csrr0[] = {
        0x11111110, 0x00021000, 0, 0x33333333, 0x00800000,
    };
    unsigned int width = g_str_equal(qtest_get_arch(), "ppc64") ? 8 : 4;
    uint8_t pattern[ARRAY_SIZE(sprs_at_csrr0) * 8] = {};
    QTestState *qts = start(data, CPU, busy_guest, "");
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t *first;
    Stream s;

    wait_ready(qts);
    path = save(qts, "good.stream");
    qtest_quit(qts);
    g_assert_true(g_file_get_contents(path, (char **)&s.data, &s.size,
                                      &error));
    for (int i = 0; i < ARRAY_SIZE(sprs_at_csrr0); i++) {
        stl_be_p(pattern + (i + 1) * width - 4, sprs_at_csrr0[i]);
    }
    /* the registers are in the stream by their numbers */
    first = s.data + find(&s, pattern, ARRAY_SIZE(sprs_at_csrr0) * width) -
            SPR_CSRR0 * width;
    g_assert_cmphex(ldl_be_p(first + (SPR_PID + 1) * width - 4), ==,
                    GUEST_PID);
    stl_be_p(first + (SPR_TSR + 1) * width - 4, 0);

    for (int i = 0; i < ARRAY_SIZE(ticks); i++) {
        g_test_message("DEC %u", ticks[i]);
        stl_be_p(first + (SPR_DEC + 1) * width - 4, ticks[i]);
        accepted(data, CPU, &s);
    }
    g_free(s.data);
}

/* What it costs */

/* KVM's numbers for vCPU calls: the low 16 bits are the same on every host. */
#define ANY             0
#define DIRTY_TLB       0xaeaa

static char *trace_path(void)
{
    return g_build_filename(tmpdir, "trace", NULL);
}

static unsigned int calls(unsigned int which)
{
    g_autofree char *path = trace_path();
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    unsigned int n = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    for (const char *p = text; (p = strstr(p, "kvm_vcpu_ioctl "));) {
        p = strstr(p, "type ");
        g_assert_nonnull(p);
        n += which == ANY ||
             (g_ascii_strtoull(p + 5, NULL, 0) & 0xffff) == which;
    }
    return n;
}

static void test_calls(const void *data)
{
    g_autofree char *path = trace_path();
    g_autofree char *args = g_strdup_printf("-trace kvm_vcpu_ioctl -D %s",
                                            path);
    QTestState *qts = start(data, CPU, busy_guest, args);
    unsigned int before, sync;

    wait_ready(qts);
    if (calls(ANY) == 0) {
        g_test_skip("needs QEMU's log as a trace backend");
        goto out;
    }

    /* A stop and a start change nothing that has to be pushed. */
    before = calls(DIRTY_TLB);
    stop(qts);
    g_free(qtest_hmp(qts, "info registers"));
    cont(qts);
    assert_alive(qts);
    g_assert_cmpuint(calls(DIRTY_TLB), ==, before);

    /* One sync, and then every translation is of QEMU's own. */
    stop(qts);
    before = calls(ANY);
    g_free(qtest_hmp(qts, "info registers"));
    sync = calls(ANY);
    g_test_message("the sync of a stop: %u calls", sync - before);
    g_assert_cmpuint(sync, >, before);
    for (int i = 0; i < 500; i++) {
        g_autofree char *gpa = qtest_hmp(qts, "gva2gpa 0x%x", DATA_EA + i * 8);
        g_autofree char *says = g_strdup_printf("gpa: 0x%x", DATA + i * 8);
        g_autofree char *word = qtest_hmp(qts, "x /1xw 0x%x", DATA_EA + 8);

        g_assert_cmpstr(g_strchomp(gpa), ==, says);
        g_assert_nonnull(strstr(word, "0x600d600d"));
    }
    g_free(qtest_hmp(qts, "info tlb"));
    g_assert_cmpuint(calls(ANY), ==, sync);

    /* A reset pushes all that it changed at once. */
    for (int i = 0; i < 3; i++) {
        before = calls(DIRTY_TLB);
        sync = calls(ANY);
        qtest_system_reset(qts);
        g_free(qtest_hmp(qts, "info registers"));
        g_test_message("a reset: %u calls", calls(ANY) - sync);
        g_assert_cmpuint(calls(DIRTY_TLB), ==, before + 1);
    }
out:
    qtest_quit(qts);
    unlink(path);
}

static bool host_is_e500v2(void)
{
    g_autofree char *cpuinfo = NULL;

    return g_file_get_contents("/proc/cpuinfo", &cpuinfo, NULL, NULL) &&
           strstr(cpuinfo, "e500v2");
}

static void add(const char *name, const Setup *setup,
                void (*fn)(const void *data))
{
    g_autofree char *path = g_strdup_printf("kvm-booke-tlb/%s/%s", setup->name,
                                            name);

    qtest_add_data_func(path, setup, fn);
}

static void add_all(const Setup *setup)
{
    add("sizes", setup, test_sizes);
    add("reset", setup, test_reset);
    add("secondary", setup, test_reset_secondary);
    add("behind-sc", setup, test_behind_sc);
    add("move-busy", setup, test_move_busy);
    add("move-stopped", setup, test_move_stopped);
    add("move-idle", setup, test_move_idle);
    add("saves", setup, test_saves);
    add("decrementer", setup, test_decrementer);
}

/* What does not depend on where the MPIC is */
static void add_once(const Setup *setup)
{
    add("bad-sizes", setup, test_bad_sizes);
    add("other-size", setup, test_other_size);
    add("truncated", setup, test_truncated);
    add("corrupted", setup, test_corrupted);
    add("time-base", setup, test_time_base);
}

static void test_no_kvm(void)
{
    g_test_skip("needs an e500v2 host with /dev/kvm");
}

int main(int argc, char **argv)
{
    const struct sigaction on_alarm = { .sa_handler = stop_takes_too_long };
    g_autoptr(GError) error = NULL;
    int ret;

    g_test_init(&argc, &argv, NULL);

    if (!qtest_has_accel("tcg")) {
        g_test_skip("TCG is not built in");
        return g_test_run();
    }
    tmpdir = g_dir_make_tmp("kvm-booke-tlb-XXXXXX", &error);
    g_assert_no_error(error);
    busy_guest = write_guest("busy", BUSY);
    idle_guest = write_guest("idle", IDLE);
    behind_sc_guest = write_guest("behind-sc", BEHIND_SC);
    sigaction(SIGALRM, &on_alarm, NULL);

    add("defaults", &tcg, test_defaults);
    add_all(&tcg);
    add_once(&tcg);
    if (host_is_e500v2() && qtest_has_accel("kvm")) {
        for (int i = 0; i < ARRAY_SIZE(kvm_setups); i++) {
            add_all(&kvm_setups[i]);
            add("calls", &kvm_setups[i], test_calls);
        }
        add_once(&kvm_setups[0]);
        add("between", &kvm_setups[0], test_move_between);
    } else {
        qtest_add_func("kvm-booke-tlb/kvm", test_no_kvm);
    }
    ret = g_test_run();

    unlink(busy_guest);
    unlink(idle_guest);
    unlink(behind_sc_guest);
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(
            tmpdir, i ? "bad.stream" : "good.stream", NULL);

        unlink(path);
    }
    rmdir(tmpdir);
    g_free(busy_guest);
    g_free(idle_guest);
    g_free(behind_sc_guest);
    g_free(tmpdir);
    return ret;
}
