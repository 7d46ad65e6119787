/*
 * The TLBs of BookE 2.06 CPUs: geometry, entries, what KVM_DIRTY_TLB is told,
 * and the translation for debuggers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/memalign.h"
#include "qapi/error.h"
#include "target/ppc/booke206-tlb.h"

/* MAS1 (Power ISA 2.06 Book III-E, 6.10.3), apart from the code's own */
#define V               0x80000000u
#define IPROT           0x40000000u
#define TID(_tid)       ((uint32_t)(_tid) << 16)
#define TS              0x00001000u
#define TSIZE(_tsize)   ((uint32_t)(_tsize) << 7)
#define SIZE_4K         2               /* 2^2 KiB */
#define SIZE_4G         22

/* TLBnCFG of a real e500v2, and of an e6500's TLB0 */
#define E500V2_TLB0CFG  0x04110200u
#define E500V2_TLB1CFG  0x101cc010u
#define E6500_TLB0CFG   0x08052400u

/* TLBnPS of an e500v2: TLB0 has 4 KiB, TLB1 4^1 to 4^12 KiB */
#define TLB0PS          0x00000004u
#define TLB1PS          0x01555554u

typedef struct Geometry {
    const char *name;
    uint32_t entries0, ways0, entries1;
} Geometry;

static const Geometry geometries[] = {
    { "e500v1", 256, 2, 16 },
    { "e500v2", 512, 4, 16 },
    { "e500mc", 512, 4, 64 },
    { "e5500", 512, 4, 64 },
    { "e6500", 1024, 8, 64 },
    { "larger", 2048, 4, 16 },
    { "more ways", 512, 16, 16 },
    { "the largest", 4096, 16, 64 },
    { "the largest of few ways", 4096, 2, 64 },
    { "one set", 16, 16, 1 },
    { "the smallest", 2, 2, 1 },
};

static BookE206TLBGeometry geometry(const Geometry *g)
{
    return (BookE206TLBGeometry) {
        .entries = { g->entries0, g->entries1 },
        .ways = { g->ways0, g->entries1 },
    };
}

static void tlb_init(BookE206TLB *tlb, const Geometry *g)
{
    memset(tlb, 0, sizeof(*tlb));
    tlb->geometry = geometry(g);
    booke206_tlb_alloc(tlb);
    g_test_message("%s", g->name);
}

static void tlb_free(BookE206TLB *tlb)
{
    qemu_vfree(tlb->entries);
    g_free(tlb->dirty);
}

static const Geometry e500v2 = { "e500v2", 512, 4, 16 };

static void test_geometry(void)
{
    for (int i = 0; i < ARRAY_SIZE(geometries); i++) {
        BookE206TLBGeometry g = geometry(&geometries[i]);

        g_test_message("%s", geometries[i].name);
        g_assert_true(booke206_tlb_check_geometry(&g, &error_abort));
    }
}

/* Each rule names the field and the value that break it. */
static void test_wrong_geometry(void)
{
    static const struct {
        BookE206TLBGeometry g;
        const char *says, *rule;
    } cases[] = {
        { { { 0, 16 }, { 4, 16 } },
          "TLB0 cannot have 0 entries: ", "a power of two, up to 4096" },
        { { { 0, 16 }, { 0, 16 } },
          "TLB0 cannot have 0 entries: ", "a power of two, up to 4096" },
        { { { 511, 16 }, { 4, 16 } },
          "TLB0 cannot have 511 entries: ", "a power of two, up to 4096" },
        { { { 768, 16 }, { 4, 16 } },
          "TLB0 cannot have 768 entries: ", "a power of two, up to 4096" },
        { { { 4097, 16 }, { 4, 16 } },
          "TLB0 cannot have 4097 entries: ", "a power of two, up to 4096" },
        { { { 8192, 16 }, { 4, 16 } },
          "TLB0 cannot have 8192 entries: ", "a power of two, up to 4096" },
        { { { 0x80000000, 16 }, { 4, 16 } },
          "TLB0 cannot have 2147483648 entries: ", "up to 4096" },
        { { { UINT32_MAX, 16 }, { 4, 16 } },
          "TLB0 cannot have 4294967295 entries: ", "up to 4096" },
        { { { 512, 0 }, { 4, 0 } },
          "TLB1 cannot have 0 entries: ", "a power of two, up to 64" },
        { { { 512, 15 }, { 4, 15 } },
          "TLB1 cannot have 15 entries: ", "a power of two, up to 64" },
        { { { 512, 24 }, { 4, 24 } },
          "TLB1 cannot have 24 entries: ", "a power of two, up to 64" },
        { { { 512, 128 }, { 4, 128 } },
          "TLB1 cannot have 128 entries: ", "a power of two, up to 64" },
        { { { 512, UINT32_MAX }, { 4, UINT32_MAX } },
          "TLB1 cannot have 4294967295 entries: ", "up to 64" },
        { { { 512, 16 }, { 0, 16 } },
          "TLB0 cannot have 0 ways: ", "2, 4, 8 or 16" },
        { { { 512, 16 }, { 1, 16 } },
          "TLB0 cannot have 1 ways: ", "2, 4, 8 or 16" },
        { { { 512, 16 }, { 3, 16 } },
          "TLB0 cannot have 3 ways: ", "2, 4, 8 or 16" },
        { { { 512, 16 }, { 32, 16 } },
          "TLB0 cannot have 32 ways: ", "2, 4, 8 or 16" },
        { { { 512, 16 }, { 512, 16 } },
          "TLB0 cannot have 512 ways: ", "2, 4, 8 or 16" },
        { { { 512, 16 }, { UINT32_MAX, 16 } },
          "TLB0 cannot have 4294967295 ways: ", "2, 4, 8 or 16" },
        { { { 8, 16 }, { 16, 16 } },
          "TLB0 cannot have 16 ways: ", "it has only 8 entries" },
        { { { 1, 16 }, { 2, 16 } },
          "TLB0 cannot have 2 ways: ", "it has only 1 entries" },
        { { { 512, 16 }, { 4, 4 } },
          "TLB1 cannot have 4 ways: ", "fully associative, and has 16" },
        { { { 512, 16 }, { 4, 0 } },
          "TLB1 cannot have 0 ways: ", "fully associative, and has 16" },
        { { { 512, 16 }, { 4, 32 } },
          "TLB1 cannot have 32 ways: ", "fully associative, and has 16" },
        { { { 512, 16, 16 }, { 4, 16, 16 } },
          "TLB2 cannot have 16 entries in 16 ways: ", "only TLB0 and TLB1" },
        { { { 512, 16, 16 }, { 4, 16 } },
          "TLB2 cannot have 16 entries in 0 ways: ", "only TLB0 and TLB1" },
        { { { 512, 16 }, { 4, 16, 1 } },
          "TLB2 cannot have 0 entries in 1 ways: ", "only TLB0 and TLB1" },
        { { { 512, 16, 0, 4 }, { 4, 16, 0, 4 } },
          "TLB3 cannot have 4 entries in 4 ways: ", "only TLB0 and TLB1" },
        { { { 512, 16 }, { 4, 16, 0, 1 } },
          "TLB3 cannot have 0 entries in 1 ways: ", "only TLB0 and TLB1" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        Error *err = NULL;

        g_assert_false(booke206_tlb_check_geometry(&cases[i].g, &err));
        g_test_message("%s", error_get_pretty(err));
        g_assert_true(g_str_has_prefix(error_get_pretty(err), cases[i].says));
        g_assert_nonnull(strstr(error_get_pretty(err), cases[i].rule));
        error_free(err);
        g_assert_false(booke206_tlb_check_geometry(&cases[i].g, NULL));
    }
}

/* NENTRY and ASSOC are the TLB's; what else it can do stays. */
static void test_config(void)
{
    static const struct {
        uint32_t tlbncfg, entries, ways, result;
    } cases[] = {
        { E500V2_TLB0CFG, 512, 4, E500V2_TLB0CFG },
        { E500V2_TLB0CFG, 256, 2, 0x02110100 },
        { E500V2_TLB0CFG, 2048, 4, 0x04110800 },
        { E500V2_TLB0CFG, 2048, 16, 0x10110800 },
        { E500V2_TLB0CFG, 4096, 4, 0x04110000 },    /* Linux's convention */
        { E6500_TLB0CFG, 1024, 8, E6500_TLB0CFG },
        { E6500_TLB0CFG, 4096, 16, 0x10052000 },
        { E500V2_TLB1CFG, 16, 16, E500V2_TLB1CFG },
        { E500V2_TLB1CFG, 64, 64, 0x401cc040 },
        { 0, 512, 4, 0x04000200 },
        { UINT32_MAX, 512, 4, 0x04fff200 },
        { UINT32_MAX, 4096, 16, 0x10fff000 },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        BookE206TLBGeometry g = {
            .entries = { 64, cases[i].entries },
            .ways = { 2, cases[i].ways },
        };
        uint32_t result = booke206_tlb_config(cases[i].tlbncfg,
                                              cases[i].entries,
                                              cases[i].ways);

        g_assert_cmphex(result, ==, cases[i].result);
        g_assert_true(booke206_tlb_same_config(&g, 1, result));
        g_assert_false(booke206_tlb_same_config(&g, 0, result));
        /* another size, and other ways */
        g_assert_false(booke206_tlb_same_config(&g, 1, result ^ 0x00000400));
        g_assert_false(booke206_tlb_same_config(&g, 1, result ^ 0x20000000));
        /* what the TLB can do besides is not compared */
        g_assert_true(booke206_tlb_same_config(&g, 1, result ^ 0x00010000));
    }
}

/* Entries are TLB0's, set by set, then TLB1's; each of them is somewhere. */
static void test_index(void)
{
    for (int i = 0; i < ARRAY_SIZE(geometries); i++) {
        const Geometry *g = &geometries[i];
        uint32_t sets = g->entries0 / g->ways0;
        unsigned int index = 0;
        BookE206TLB tlb;

        tlb_init(&tlb, g);
        g_assert_cmpuint(tlb.nb_entries, ==, g->entries0 + g->entries1);
        for (uint64_t set = 0; set < sets; set++) {
            for (unsigned int way = 0; way < g->ways0; way++, index++) {
                g_assert_cmpuint(booke206_tlb_index(&tlb, 0, set << 12, way),
                                 ==, index);
                /* within the page, behind the last set, above 4 GiB */
                g_assert_cmpuint(booke206_tlb_index(&tlb, 0, set << 12 | 0xfff,
                                                    way), ==, index);
                g_assert_cmpuint(booke206_tlb_index(&tlb, 0, (set + 3 * sets)
                                                    << 12, way), ==, index);
                g_assert_cmpuint(booke206_tlb_index(&tlb, 0, set << 12 |
                                                    0xabcd000000000000, way),
                                 ==, index);
                /* behind the last way */
                g_assert_cmpuint(booke206_tlb_index(&tlb, 0, set << 12,
                                                    way + 5 * g->ways0),
                                 ==, index);
            }
        }
        for (unsigned int way = 0; way < g->entries1; way++, index++) {
            g_assert_cmpuint(booke206_tlb_index(&tlb, 1, 0, way), ==, index);
            g_assert_cmpuint(booke206_tlb_index(&tlb, 1, -1ull, way),
                             ==, index);
            g_assert_cmpuint(booke206_tlb_index(&tlb, 1, 0,
                                                way + g->entries1), ==, index);
        }
        g_assert_cmpuint(index, ==, tlb.nb_entries);
        tlb_free(&tlb);
    }
}

/* How many entries are dirty; *@bitmap is what KVM_DIRTY_TLB gets */
static uint32_t num_dirty(const BookE206TLB *tlb, uint8_t **bitmap)
{
    uint32_t n = UINT32_MAX;
    uint8_t *b = booke206_tlb_dirty_bitmap(tlb, &n);

    g_assert_true(!b == !n);
    if (bitmap) {
        *bitmap = b;
    } else {
        g_free(b);
    }
    return n;
}

static bool same_entry(const BookE206TLBEntry *a, const BookE206TLBEntry *b)
{
    return a->mas8 == b->mas8 && a->mas1 == b->mas1 && a->mas2 == b->mas2 &&
           a->mas7_3 == b->mas7_3;
}

static void test_alloc(void)
{
    for (int i = 0; i < ARRAY_SIZE(geometries); i++) {
        static const BookE206TLBEntry invalid;
        BookE206TLB tlb;

        tlb_init(&tlb, &geometries[i]);
        g_assert_cmpuint((uintptr_t)tlb.entries % qemu_real_host_page_size(),
                         ==, 0);
        for (unsigned int e = 0; e < tlb.nb_entries; e++) {
            g_assert_true(same_entry(&tlb.entries[e], &invalid));
        }
        g_assert_cmpuint(num_dirty(&tlb, NULL), ==, 0);
        tlb_free(&tlb);
    }
}

/* What changes is dirty, and only that. */
static void test_entries(void)
{
    static const BookE206TLBEntry invalid, entries[] = {
        { .mas1 = V | TSIZE(SIZE_4K) },
        { .mas1 = V | TSIZE(SIZE_4K), .mas2 = 0x1000 },
        { .mas1 = V | TSIZE(SIZE_4K), .mas2 = 0xffffffff00001000 },
        { .mas1 = V | TSIZE(SIZE_4K), .mas7_3 = 0xf0000003f },
        { .mas1 = V | TSIZE(SIZE_4K), .mas8 = 1 },
        { .mas1 = TSIZE(SIZE_4K) },             /* not valid, and not clear */
        { .mas1 = V | IPROT | TSIZE(SIZE_4G) },
    };
    BookE206TLB tlb;
    uint32_t others = 0;

    tlb_init(&tlb, &e500v2);
    for (int i = 0; i < ARRAY_SIZE(entries); i++) {
        unsigned int index = i * 88;            /* first and last: 0 and 528 */
        BookE206TLBEntry entry;

        index = MIN(index, tlb.nb_entries - 1);
        booke206_tlb_set_entry(&tlb, index, &invalid);
        g_assert_cmpuint(num_dirty(&tlb, NULL), ==, others);
        booke206_tlb_set_entry(&tlb, index, &entries[i]);
        g_assert_cmpuint(num_dirty(&tlb, NULL), ==, ++others);
        booke206_tlb_set_entry(&tlb, index, &entries[i]);
        g_assert_cmpuint(num_dirty(&tlb, NULL), ==, others);
        entry = booke206_tlb_get_entry(&tlb, index);
        g_assert_true(same_entry(&entry, &entries[i]));
    }

    /* Told to KVM: the entries stay */
    booke206_tlb_clear_dirty(&tlb);
    g_assert_cmpuint(num_dirty(&tlb, NULL), ==, 0);
    for (int i = 0; i < ARRAY_SIZE(entries); i++) {
        unsigned int index = MIN(i * 88, tlb.nb_entries - 1);
        BookE206TLBEntry entry = booke206_tlb_get_entry(&tlb, index);

        g_assert_true(same_entry(&entry, &entries[i]));
        booke206_tlb_set_entry(&tlb, index, &entries[i]);
    }
    g_assert_cmpuint(num_dirty(&tlb, NULL), ==, 0);

    /* Protected ones go too, and those that were clear are not dirty. */
    booke206_tlb_invalidate_all(&tlb);
    g_assert_cmpuint(num_dirty(&tlb, NULL), ==, ARRAY_SIZE(entries));
    for (unsigned int e = 0; e < tlb.nb_entries; e++) {
        BookE206TLBEntry entry = booke206_tlb_get_entry(&tlb, e);

        g_assert_true(same_entry(&entry, &invalid));
    }
    booke206_tlb_clear_dirty(&tlb);
    booke206_tlb_invalidate_all(&tlb);
    g_assert_cmpuint(num_dirty(&tlb, NULL), ==, 0);

    /* Set and cleared before KVM was told: it has to be told. */
    booke206_tlb_set_entry(&tlb, 7, &entries[0]);
    booke206_tlb_invalidate_all(&tlb);
    g_assert_cmpuint(num_dirty(&tlb, NULL), ==, 1);
    tlb_free(&tlb);
}

static bool bitmap_has(const uint8_t *bitmap, unsigned int bit)
{
    return bitmap[bit / 8] & (1 << bit % 8);
}

/*
 * The ABI: bytes from the lowest entry on, the lowest bit first, on any host;
 * as many as fill 64-bit words (a sanitizer finds it when there are fewer).
 */
static void test_dirty_bitmap(void)
{
    static const BookE206TLBEntry entry = { .mas1 = V | TSIZE(SIZE_4K) };
    static const struct {
        Geometry g;
        unsigned int nb_entries, bytes;
    } cases[] = {
        { { "256 + 16", 256, 2, 16 }, 272, 40 },
        { { "512 + 16", 512, 4, 16 }, 528, 72 },
        { { "512 + 64", 512, 4, 64 }, 576, 72 },
        { { "1024 + 64", 1024, 8, 64 }, 1088, 136 },
        { { "4096 + 64", 4096, 16, 64 }, 4160, 520 },
        { { "2 + 1", 2, 2, 1 }, 3, 8 },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned int nb_entries = cases[i].nb_entries;
        uint8_t *bitmap;
        BookE206TLB tlb;

        tlb_init(&tlb, &cases[i].g);
        g_assert_cmpuint(tlb.nb_entries, ==, nb_entries);
        g_assert_cmpuint(num_dirty(&tlb, &bitmap), ==, 0);
        g_assert_null(bitmap);

        /* each one alone */
        for (unsigned int e = 0; e < nb_entries; e++) {
            booke206_tlb_set_entry(&tlb, e, &entry);
            g_assert_cmpuint(num_dirty(&tlb, &bitmap), ==, 1);
            for (unsigned int b = 0; b < cases[i].bytes; b++) {
                g_assert_cmphex(bitmap[b], ==, b == e / 8 ? 1 << e % 8 : 0);
            }
            g_free(bitmap);
            booke206_tlb_clear_dirty(&tlb);
        }
        booke206_tlb_invalidate_all(&tlb);
        booke206_tlb_clear_dirty(&tlb);

        /* every third */
        for (unsigned int e = 0; e < nb_entries; e += 3) {
            booke206_tlb_set_entry(&tlb, e, &entry);
        }
        g_assert_cmpuint(num_dirty(&tlb, &bitmap), ==,
                         DIV_ROUND_UP(nb_entries, 3));
        for (unsigned int e = 0; e < cases[i].bytes * 8; e++) {
            g_assert_true(bitmap_has(bitmap, e) ==
                          (e < nb_entries && e % 3 == 0));
        }
        g_free(bitmap);

        /* all of them, and nothing behind them */
        booke206_tlb_mark_all_dirty(&tlb);
        g_assert_cmpuint(num_dirty(&tlb, &bitmap), ==, nb_entries);
        for (unsigned int e = 0; e < cases[i].bytes * 8; e++) {
            g_assert_true(bitmap_has(bitmap, e) == (e < nb_entries));
        }
        g_free(bitmap);
        booke206_tlb_clear_dirty(&tlb);
        g_assert_cmpuint(num_dirty(&tlb, &bitmap), ==, 0);
        g_assert_null(bitmap);
        tlb_free(&tlb);
    }
}

static void test_dirty_bytes(void)
{
    static const BookE206TLBEntry entry = { .mas1 = V | TSIZE(SIZE_4K) };
    static const uint8_t expected[72] = {
        [0] = 0x01, [1] = 0x02, [7] = 0x80, [8] = 0x01, [64] = 0x01,
        [65] = 0x80,
    };
    uint8_t *bitmap;
    BookE206TLB tlb;

    tlb_init(&tlb, &e500v2);
    booke206_tlb_set_entry(&tlb, 0, &entry);
    booke206_tlb_set_entry(&tlb, 9, &entry);
    booke206_tlb_set_entry(&tlb, 63, &entry);
    booke206_tlb_set_entry(&tlb, 64, &entry);
    booke206_tlb_set_entry(&tlb, booke206_tlb_index(&tlb, 1, 0, 0), &entry);
    booke206_tlb_set_entry(&tlb, booke206_tlb_index(&tlb, 1, 0, 15), &entry);
    g_assert_cmpuint(num_dirty(&tlb, &bitmap), ==, 6);
    g_assert_cmpmem(bitmap, sizeof(expected), expected, sizeof(expected));
    g_free(bitmap);
    tlb_free(&tlb);
}

static void set_mas1(BookE206TLB *tlb, int n, uint64_t ea, unsigned int way,
                     uint32_t mas1)
{
    BookE206TLBEntry entry = { .mas1 = mas1, .mas2 = ea };

    booke206_tlb_set_entry(tlb, booke206_tlb_index(tlb, n, ea, way), &entry);
}

/* From a migration stream: sizes that no tlbwe could have written */
static void test_check_entries(void)
{
    BookE206TLB tlb;

    for (uint32_t tsize = 0; tsize < 32; tsize++) {
        for (int n = 0; n < 2; n++) {
            uint32_t page_sizes = n ? TLB1PS : TLB0PS;
            bool ok = n ? tsize && tsize % 2 == 0 && tsize <= 24 : tsize == 2;
            unsigned int way = n ? 13 : 2;
            g_autofree char *says = g_strdup_printf(
                "TLB%d entry %u (MAS1 0x%08x, MAS2 0x5000) has page size 2^%u "
                "KiB", n, n ? 13 : 5 * 4 + 2, V | TSIZE(tsize), tsize);
            Error *err = NULL;

            tlb_init(&tlb, &e500v2);
            /* What is not valid can be anything. */
            set_mas1(&tlb, n, 0x5000, way, TSIZE(tsize));
            g_assert_true(booke206_tlb_check_entries(&tlb, n, page_sizes,
                                                     &error_abort));
            set_mas1(&tlb, n, 0x5000, way, V | TSIZE(tsize));
            g_assert_true(booke206_tlb_check_entries(&tlb, n, page_sizes,
                                                     &err) == ok);
            if (!ok) {
                g_assert_true(g_str_has_prefix(error_get_pretty(err), says));
                error_free(err);
                g_assert_false(booke206_tlb_check_entries(&tlb, n, page_sizes,
                                                          NULL));
            }
            /* The other TLB is asked about on its own. */
            g_assert_true(booke206_tlb_check_entries(&tlb, !n, 0,
                                                     &error_abort));
            g_assert_true(booke206_tlb_check_entries(&tlb, n, UINT32_MAX,
                                                     &error_abort));
            tlb_free(&tlb);
        }
    }

    /* The last entry of each, and TLBs that are not there */
    tlb_init(&tlb, &e500v2);
    set_mas1(&tlb, 0, 127 << 12, 3, V | TSIZE(SIZE_4K));
    set_mas1(&tlb, 1, 0, 15, V | TSIZE(SIZE_4G));
    g_assert_true(booke206_tlb_check_entries(&tlb, 0, TLB0PS, &error_abort));
    g_assert_true(booke206_tlb_check_entries(&tlb, 1, TLB1PS, &error_abort));
    g_assert_false(booke206_tlb_check_entries(&tlb, 0, TLB0PS << 1, NULL));
    g_assert_false(booke206_tlb_check_entries(&tlb, 1, TLB0PS, NULL));
    g_assert_true(booke206_tlb_check_entries(&tlb, 2, 0, &error_abort));
    g_assert_true(booke206_tlb_check_entries(&tlb, 3, 0, &error_abort));
    tlb_free(&tlb);
}

/* What gva2gpa and gdb see; -1 if it is not mapped */
static uint64_t translate(const BookE206TLB *tlb, uint64_t ea, uint32_t pid,
                          bool as)
{
    const uint32_t pids[] = { pid };
    uint64_t pa = 0xdeadbeefdeadbeef;

    if (!booke206_tlb_translate(tlb, ea, pids, ARRAY_SIZE(pids), as, &pa)) {
        return -1;
    }
    return pa;
}

static void map(BookE206TLB *tlb, int n, unsigned int way, uint32_t mas1,
                uint64_t ea, uint64_t pa)
{
    /* the low bits are attributes and permissions: none are needed */
    BookE206TLBEntry entry = {
        .mas1 = mas1, .mas2 = ea | 0x1f, .mas7_3 = pa | 0x3ff,
    };

    booke206_tlb_set_entry(tlb, booke206_tlb_index(tlb, n, ea, way), &entry);
}

/* First and last byte of pages of each size, and the ones beside them */
static void test_page_sizes(void)
{
    for (uint32_t tsize = SIZE_4K; tsize <= SIZE_4G; tsize++) {
        uint64_t size = 1024ull << tsize;
        uint64_t ea = 0x8000000000, pa = 0x7800000000;
        BookE206TLB tlb;

        tlb_init(&tlb, &geometries[4]);
        map(&tlb, 1, 63, V | TSIZE(tsize), ea, pa);
        g_assert_cmphex(translate(&tlb, ea, 0, false), ==, pa);
        g_assert_cmphex(translate(&tlb, ea + 0x123, 0, false), ==, pa + 0x123);
        g_assert_cmphex(translate(&tlb, ea + size - 1, 0, false), ==,
                        pa + size - 1);
        g_assert_cmphex(translate(&tlb, ea - 1, 0, false), ==, -1);
        g_assert_cmphex(translate(&tlb, ea + size, 0, false), ==, -1);
        /* An address of 32 bits is not this one. */
        g_assert_cmphex(translate(&tlb, (uint32_t)ea, 0, false), ==, -1);
        tlb_free(&tlb);
    }
}

/* All of a 32-bit address space in one page, as U-Boot has it */
static void test_largest_page(void)
{
    BookE206TLB tlb;

    tlb_init(&tlb, &e500v2);
    map(&tlb, 1, 0, V | TSIZE(SIZE_4G), 0, 0x300000000);
    g_assert_cmphex(translate(&tlb, 0, 0, false), ==, 0x300000000);
    g_assert_cmphex(translate(&tlb, 0xffffffff, 0, false), ==, 0x3ffffffff);
    g_assert_cmphex(translate(&tlb, 0x100000000, 0, false), ==, -1);
    tlb_free(&tlb);
}

static void test_tid_and_as(void)
{
    BookE206TLB tlb;
    const uint32_t pids[] = { 1, 0x3fff, 7 };
    uint64_t pa = 0;

    tlb_init(&tlb, &e500v2);
    g_assert_cmphex(translate(&tlb, 0, 0, false), ==, -1);

    /* one page for each process and address space, in the ways of one set */
    map(&tlb, 0, 0, V | TID(5) | TSIZE(SIZE_4K), 0x10000, 0x1000);
    map(&tlb, 0, 1, V | TID(6) | TSIZE(SIZE_4K), 0x10000, 0x2000);
    map(&tlb, 0, 2, V | TID(5) | TS | TSIZE(SIZE_4K), 0x10000, 0x3000);
    map(&tlb, 0, 3, V | TID(0x3fff) | TSIZE(SIZE_4K), 0x10000, 0x4000);
    g_assert_cmphex(translate(&tlb, 0x10abc, 5, false), ==, 0x1abc);
    g_assert_cmphex(translate(&tlb, 0x10abc, 6, false), ==, 0x2abc);
    g_assert_cmphex(translate(&tlb, 0x10abc, 5, true), ==, 0x3abc);
    g_assert_cmphex(translate(&tlb, 0x10abc, 6, true), ==, -1);
    g_assert_cmphex(translate(&tlb, 0x10abc, 0x3fff, false), ==, 0x4abc);
    g_assert_cmphex(translate(&tlb, 0x10abc, 0, false), ==, -1);
    g_assert_cmphex(translate(&tlb, 0x10abc, 7, false), ==, -1);
    g_assert_cmphex(translate(&tlb, 0x10abc, 0x4005, false), ==, -1);

    /* the same set, another page */
    g_assert_cmphex(translate(&tlb, 0x10000 + (128 << 12), 5, false), ==, -1);
    map(&tlb, 0, 1, V | TID(5) | TSIZE(SIZE_4K), 0x10000 + (128 << 12), 0x9000);
    g_assert_cmphex(translate(&tlb, 0x10000 + (128 << 12), 5, false), ==,
                    0x9000);
    g_assert_cmphex(translate(&tlb, 0x10000, 6, false), ==, -1);

    /* e500v2 has three process IDs at a time */
    g_assert_true(booke206_tlb_translate(&tlb, 0x10000, pids,
                                         ARRAY_SIZE(pids), false, &pa));
    g_assert_cmphex(pa, ==, 0x4000);
    g_assert_false(booke206_tlb_translate(&tlb, 0x10000, pids, 1, false, &pa));

    /* global: with any process ID, and without one */
    map(&tlb, 1, 3, V | IPROT | TSIZE(SIZE_4K), 0x20000, 0x5000);
    g_assert_cmphex(translate(&tlb, 0x20001, 0, false), ==, 0x5001);
    g_assert_cmphex(translate(&tlb, 0x20001, 99, false), ==, 0x5001);
    g_assert_cmphex(translate(&tlb, 0x20001, 99, true), ==, -1);
    g_assert_true(booke206_tlb_translate(&tlb, 0x20001, NULL, 0, false, &pa));
    g_assert_cmphex(pa, ==, 0x5001);
    g_assert_false(booke206_tlb_translate(&tlb, 0x10000, NULL, 0, false, &pa));

    /* What is not valid maps nothing. */
    map(&tlb, 1, 3, IPROT | TSIZE(SIZE_4K), 0x20000, 0x5000);
    g_assert_cmphex(translate(&tlb, 0x20001, 0, false), ==, -1);
    booke206_tlb_invalidate_all(&tlb);
    g_assert_cmphex(translate(&tlb, 0x10abc, 5, false), ==, -1);
    tlb_free(&tlb);
}

/* Any entry of any geometry is found, with addresses of 64 bits too. */
static void test_all_entries(void)
{
    for (int i = 0; i < ARRAY_SIZE(geometries); i++) {
        const Geometry *g = &geometries[i];
        uint32_t sets = g->entries0 / g->ways0;
        BookE206TLB tlb;

        tlb_init(&tlb, g);
        for (uint32_t set = 0; set < sets; set++) {
            for (uint32_t way = 0; way < g->ways0; way++) {
                uint64_t ea = ((uint64_t)way << 32 | set) << 12;
                uint64_t pa = (uint64_t)(set * g->ways0 + way) << 12;

                map(&tlb, 0, way, V | TID(1) | TSIZE(SIZE_4K), ea, pa);
            }
        }
        for (uint32_t way = 0; way < g->entries1; way++) {
            map(&tlb, 1, way, V | TSIZE(20), (uint64_t)way << 30 | 1ull << 60,
                (uint64_t)way << 30);
        }
        for (uint32_t e = 0; e < g->entries0; e++) {
            uint64_t ea = ((uint64_t)(e % g->ways0) << 32 | e / g->ways0) << 12;

            g_assert_cmphex(translate(&tlb, ea + 0xfff, 1, false), ==,
                            ((uint64_t)e << 12) + 0xfff);
        }
        for (uint32_t way = 0; way < g->entries1; way++) {
            uint64_t ea = (uint64_t)way << 30 | 1ull << 60;

            g_assert_cmphex(translate(&tlb, ea + 0x3abcdef0, 1, false), ==,
                            ((uint64_t)way << 30) + 0x3abcdef0);
        }
        g_assert_cmphex(translate(&tlb, 1ull << 61, 1, false), ==, -1);
        tlb_free(&tlb);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/booke206-tlb/geometry", test_geometry);
    g_test_add_func("/booke206-tlb/wrong-geometry", test_wrong_geometry);
    g_test_add_func("/booke206-tlb/config", test_config);
    g_test_add_func("/booke206-tlb/index", test_index);
    g_test_add_func("/booke206-tlb/alloc", test_alloc);
    g_test_add_func("/booke206-tlb/entries", test_entries);
    g_test_add_func("/booke206-tlb/dirty-bitmap", test_dirty_bitmap);
    g_test_add_func("/booke206-tlb/dirty-bytes", test_dirty_bytes);
    g_test_add_func("/booke206-tlb/check-entries", test_check_entries);
    g_test_add_func("/booke206-tlb/page-sizes", test_page_sizes);
    g_test_add_func("/booke206-tlb/largest-page", test_largest_page);
    g_test_add_func("/booke206-tlb/tid-and-as", test_tid_and_as);
    g_test_add_func("/booke206-tlb/all-entries", test_all_entries);
    return g_test_run();
}
