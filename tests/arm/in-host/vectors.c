// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest without a kernel for QEMU's virt machine that is to be stopped, saved and
 * restored: prints what its CPU has of SVE, pointer authentication and memory tagging,
 *
 *   vectors: up sve=LENGTHS pauth=A mte=M
 *
 * gives the registers of these values of their own, and looks at them all the time.
 * Prints "vectors: tick N" each time that it has been through, and a line "vectors: LOST
 * NAME" for what is not as it was. LENGTHS has a bit for each 128 bits of vector length.
 *
 * With -append break=DIGIT it brings a loss about itself after its third tick.
 */

#include "../../../hosts/arm64/bare.h"
#define DEVICE_TREE ((const volatile char *)0x40000000)
#define MAX_DEVICE_TREE 0x100000

/* Field of an ID register that is 0xf when there is none, too */
#define HAS(name, shift, least) ((READ(name) >> (shift) & 0xf) % 0xf >= (least))

#define MAX_BYTES 256           /* of a vector: 2048 bits */
#define GRANULES 16

__attribute__((used)) static unsigned long stack[1024];
static unsigned long translation[512] __attribute__((aligned(4096)));

/* Z0 to Z31; P0 to P15 and FFR. Without SVE z has Q0 to Q31. */
typedef struct Vectors {
    unsigned char z[32 * MAX_BYTES], p[17 * MAX_BYTES / 8];
} Vectors;
static Vectors given __attribute__((aligned(16))), seen __attribute__((aligned(16)));
static unsigned char tagged[16 * GRANULES] __attribute__((aligned(16)));

static int sve, pauth, generic, mte;
static unsigned int lengths;
static unsigned long bytes;     /* of a vector */

#define EACH_16(_) ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n" _ "\n.endr\n"
#define EACH_32(_) EACH_16(_) \
    ".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n" _ "\n.endr\n"

/* load_*(z, p), store_*(z, p): all of them. FFR is read by way of P0. */
asm("load_sve: ldr p0, [x1, #16, mul vl]\n"
    "          wrffr p0.b\n"
    EACH_32("  ldr z\\n, [x0, #\\n, mul vl]")
    EACH_16("  ldr p\\n, [x1, #\\n, mul vl]")
    "          ret\n"
    "store_sve:\n"
    EACH_32("  str z\\n, [x0, #\\n, mul vl]")
    EACH_16("  str p\\n, [x1, #\\n, mul vl]")
    "          rdffr p0.b\n"
    "          str p0, [x1, #16, mul vl]\n"
    "          ldr p0, [x1]\n"
    "          ret\n"
    "load_simd:\n"
    EACH_32("  ldr q\\n, [x0, #16 * \\n]")
    "          ret\n"
    "store_simd:\n"
    EACH_32("  str q\\n, [x0, #16 * \\n]")
    "          ret\n"
    /* What KVM injects of exceptions has no place to go otherwise. */
    ".balign 2048\n"
    "exceptions:\n"
    ".rept 16\n"
    "          .balign 128\n"
    "          mrs x0, esr_el1\n"
    "          mrs x1, elr_el1\n"
    "          b exception\n"
    ".endr\n");
void load_sve(void *z, void *p);
void store_sve(void *z, void *p);
void load_simd(void *z);
void store_simd(void *z);
extern char exceptions[];

static void put(const char *text)
{
    while (*text) {
        *UART = *text++;
    }
}

static void put_number(unsigned long value)
{
    if (value >= 10) {
        put_number(value / 10);
    }
    *UART = '0' + value % 10;
}

static void put_hex(unsigned long value)
{
    put("0x");
    for (int shift = 60; shift >= 0; shift -= 4) {
        if (value >> shift || !shift) {
            *UART = "0123456789abcdef"[value >> shift & 0xf];
        }
    }
}

__attribute__((used)) static void exception(unsigned long esr, unsigned long elr)
{
    put("vectors: LOST itself: ESR_EL1 ");
    put_hex(esr);
    put(" at ");
    put_hex(elr);
    put("\r\n");
    for (;;) {
        asm volatile("wfi");
    }
}

static void lost_value(const char *name, unsigned long was, unsigned long is)
{
    put("vectors: LOST ");
    put(name);
    put(" ");
    put_hex(was);
    put(": ");
    put_hex(is);
    put("\r\n");
}

static void lost(const char *name, int number)
{
    put("vectors: LOST ");
    put(name);
    if (number >= 0) {
        put_number(number);
    }
    put("\r\n");
}

/* Registers that keep what they are given: name, its bits, whether the CPU has it */
#define REGISTERS(_) \
    _("tpidr_el0", 0x0123456789abcdef, 1) \
    _("fpsr", 0x0800009f, 1) \
    _("fpcr", 0x07c89f00, 1) \
    _("s3_0_c2_c1_0", 0x1000000000000011, pauth)    /* APIAKeyLo_EL1 */ \
    _("s3_0_c2_c1_1", 0x2000000000000022, pauth) \
    _("s3_0_c2_c1_2", 0x3000000000000033, pauth)    /* APIBKeyLo_EL1 */ \
    _("s3_0_c2_c1_3", 0x4000000000000044, pauth) \
    _("s3_0_c2_c2_0", 0x5000000000000055, pauth)    /* APDAKeyLo_EL1 */ \
    _("s3_0_c2_c2_1", 0x6000000000000066, pauth) \
    _("s3_0_c2_c2_2", 0x7000000000000077, pauth)    /* APDBKeyLo_EL1 */ \
    _("s3_0_c2_c2_3", 0x8000000000000088, pauth) \
    _("s3_0_c2_c3_0", 0x9000000000000099, generic)  /* APGAKeyLo_EL1 */ \
    _("s3_0_c2_c3_1", 0xa0000000000000aa, generic) \
    _("s3_0_c1_c0_5", 0x5a5a5, mte)                 /* RGSR_EL1 */ \
    _("s3_0_c1_c0_6", 0x1a5a5, mte)                 /* GCR_EL1 */ \
    _("s3_0_c5_c6_0", 3, mte)                       /* TFSR_EL1 */ \
    _("s3_0_c5_c6_1", 3, mte)                       /* TFSRE0_EL1 */
static unsigned long kept[32];
static int at;

/* What it has taken of a value is what has to stay. */
static void keep(const char *name, unsigned long value)
{
    kept[at++] = value;
    if (!value) {
        lost(name, -1);
    }
}

static void compare(const char *name, unsigned long value)
{
    unsigned long was = kept[at++];

    if (value != was) {
        lost_value(name, was, value);
    }
}

#define GIVE(name, value, has) \
    if (has) { \
        WRITE(name, value); \
        keep(name, READ(name)); \
    }
#define LOOK(name, value, has) \
    if (has) { \
        compare(name, READ(name)); \
    }

#define POINTER 0x40123458ul
#define SIGN(instruction) ({ \
        unsigned long v_ = POINTER; \
        asm volatile(instruction " %0, %1" : "+r"(v_) : "r"(0x5e5e5e5eul)); \
        v_; \
    })
static unsigned long codes[5];

static void sign(unsigned long *code)
{
    if (pauth) {
        code[0] = SIGN("pacia");
        code[1] = SIGN("pacib");
        code[2] = SIGN("pacda");
        code[3] = SIGN("pacdb");
    }
    if (generic) {
        asm volatile("pacga %0, %1, %1" : "=r"(code[4]) : "r"(POINTER));
    }
}

/* The vector lengths that there are: ZCR_EL1.LEN takes the next one that is shorter */
static unsigned int find_lengths(void)
{
    unsigned int found = 0;

    for (int len = 0; sve && len < 16; len++) {
        unsigned long vl;

        WRITE("s3_0_c1_c2_0", len);
        asm volatile("rdvl %0, #1" : "=r"(vl));
        found |= 1u << (vl / 16 - 1);
    }
    return found;
}

static void load(void)
{
    if (sve) {
        load_sve(given.z, given.p);
    } else {
        load_simd(given.z);
    }
}

static void store(void)
{
    if (sve) {
        store_sve(seen.z, seen.p);
    } else {
        store_simd(seen.z);
    }
}

static int differ(const unsigned char *a, const unsigned char *b, unsigned long n)
{
    while (n--) {
        if (*a++ != *b++) {
            return 1;
        }
    }
    return 0;
}

static void fill(void)
{
    for (unsigned long i = 0; i < 32 * bytes; i++) {
        given.z[i] = i * 7 + (i / bytes) * 13 + 1;
    }
    for (unsigned long i = 0; i < 16 * bytes / 8; i++) {
        given.p[i] = i * 11 + 3;
    }
    /* FFR has ones and, from one place on, zeroes: five */
    for (unsigned long i = 0; i < bytes / 8; i++) {
        given.p[16 * bytes / 8 + i] = i == bytes / 8 - 1 ? 0x07 : 0xff;
    }
}

static unsigned char *with_tag(int granule, unsigned long tag)
{
    return (unsigned char *)((unsigned long)(tagged + 16 * granule) | tag << 56);
}

static void give(void)
{
    fill();
    load();
    for (int i = 0; mte && i < GRANULES; i++) {
        asm volatile("stg %0, [%0]" : : "r"(with_tag(i, i ^ 5)) : "memory");
    }
    at = 0;
    REGISTERS(GIVE)
    sign(codes);
}

static void look(void)
{
    unsigned long code[5];

    /* First, as find_lengths() and load() change them. C has the x registers only. */
    store();
    for (int i = 0; i < 32; i++) {
        if (differ(given.z + i * bytes, seen.z + i * bytes, bytes)) {
            lost("z", i);
        }
    }
    for (int i = 0; sve && i < 17; i++) {
        if (differ(given.p + i * bytes / 8, seen.p + i * bytes / 8, bytes / 8)) {
            lost(i < 16 ? "p" : "ffr", i < 16 ? i : -1);
        }
    }
    at = 0;
    REGISTERS(LOOK)
    sign(code);
    for (int i = 0; i < 5; i++) {
        if ((i < 4 ? pauth : generic) && code[i] != codes[i]) {
            lost("the code of key ", i);
        }
    }
    for (int i = 0; mte && i < GRANULES; i++) {
        unsigned char *found = tagged + 16 * i;

        asm volatile("ldg %0, [%1]" : "+r"(found) : "r"(tagged + 16 * i));
        if (found != with_tag(i, i ^ 5)) {
            lost("tag ", i);
        }
    }
    if (sve) {
        if (READ("s3_0_c1_c2_0") != 0xf) {
            lost("zcr_el1", -1);
        }
        if (find_lengths() != lengths) {
            lost("its vector lengths", -1);
        }
        /* A change of the length has cleared what is beyond it. */
        load();
    }
}

/* The digit of break= in the device tree, which has -append somewhere, or 0 */
static int what_to_break(void)
{
    const char *wanted = "break=";
    int n = 0;

    for (int i = 0; i < MAX_DEVICE_TREE - 1; i++) {
        n = DEVICE_TREE[i] == wanted[n] ? n + 1 : DEVICE_TREE[i] == wanted[0];
        if (n == 6) {
            return DEVICE_TREE[i + 1] - '0';
        }
    }
    return 0;
}

static void break_it(int what)
{
    if (what == 1) {
        asm volatile("mov v7.b[15], wzr");
    } else if (what == 2) {
        asm volatile("ptrue p5.b");
    } else if (what == 3) {
        asm volatile("setffr");
    } else if (what == 4) {
        WRITE("s3_0_c2_c3_1", 1);
    } else if (what == 5) {
        WRITE("fpsr", 1);
    } else if (what == 6) {
        WRITE("s3_0_c1_c2_0", 0);       /* ZCR_EL1 */
    } else if (what == 7) {
        asm volatile("stg %0, [%0]" : : "r"(with_tag(9, 0)) : "memory");
    }
}

__attribute__((used)) static void start(void)
{
    WRITE("vbar_el1", (unsigned long)exceptions);
    sve = HAS("id_aa64pfr0_el1", 32, 1);
    pauth = HAS("id_aa64isar1_el1", 4, 1) || HAS("id_aa64isar1_el1", 8, 1) ||
            HAS("s3_0_c0_c6_2", 12, 1);
    generic = HAS("id_aa64isar1_el1", 24, 1) || HAS("id_aa64isar1_el1", 28, 1) ||
              HAS("s3_0_c0_c6_2", 8, 1);
    mte = HAS("id_aa64pfr1_el1", 8, 2);

    /* Devices in the first GB; in the second normal memory, that can have tags */
    translation[0] = 0x0060000000000401;
    translation[1] = 0x40000000 | 0x705;
    WRITE("mair_el1", mte ? 0xf000 : 0xff00);
    WRITE("tcr_el1", 0x0000002000803519);   /* 39 bits, 4K, top byte ignored */
    WRITE("ttbr0_el1", (unsigned long)translation);
    WRITE("cpacr_el1", 0x00330000);
    if (sve) {
        lengths = find_lengths();
        asm volatile("rdvl %0, #1" : "=r"(bytes));
    } else {
        bytes = 16;
    }
    asm volatile("tlbi vmalle1; dsb sy; isb");
    WRITE("sctlr_el1", READ("sctlr_el1") | 1 | 1 << 2 | 1 << 12 |
          (pauth ? 0xc8002000ul : 0) | (mte ? 1ul << 43 : 0));

    put("\r\nvectors: up sve=");
    put_hex(lengths);
    put(" pauth=");
    put_number(pauth + generic);
    put(" mte=");
    put_number(mte);
    put("\r\n");
    give();
    for (unsigned long tick = 1;; tick++) {
        for (int i = 0; i < 10000000; i++) {
            asm volatile("");
        }
        look();
        put("vectors: tick ");
        put_number(tick);
        put("\r\n");
        if (tick == 3) {
            break_it(what_to_break());
        }
    }
}

asm(".globl _start\n"
    "_start: adrp x0, stack + 8192\n"
    "        add x0, x0, :lo12:stack + 8192\n"
    "        mov sp, x0\n"
    "        b start\n");
