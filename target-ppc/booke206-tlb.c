/*
 * The TLBs of BookE 2.06 CPUs
 *
 * Plain data, without CPU or accelerator, so that it can be tested anywhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/host-utils.h"
#include "qemu/madvise.h"
#include "qemu/memalign.h"
#include "qapi/error.h"
#include "booke206-tlb.h"

/* Power ISA 2.06 Book III-E, 6.10.3; TSIZE as MMU architecture 2.0 has it */
#define ENTRY_TSIZE(entry)  extract32((entry)->mas1, 7, 5)
#define ENTRY_TS(entry)     extract32((entry)->mas1, 12, 1)
#define ENTRY_TID(entry)    extract32((entry)->mas1, 16, 14)
#define ENTRY_V(entry)      extract32((entry)->mas1, 31, 1)

#define CFG_NENTRY_LENGTH 12

#define EPN_SHIFT 12

bool booke206_tlb_check_geometry(const BookE206TLBGeometry *geometry,
                                 Error **errp)
{
    static const uint32_t max[] = {
        BOOKE206_MAX_TLB0_SIZE, BOOKE206_MAX_TLB1_SIZE
    };
    const uint32_t *entries = geometry->entries, *ways = geometry->ways;

    for (int n = 0; n < ARRAY_SIZE(max); n++) {
        if (!is_power_of_2(entries[n]) || entries[n] > max[n]) {
            error_setg(errp, "TLB%d cannot have %" PRIu32 " entries: their "
                       "number has to be a power of two, up to %" PRIu32,
                       n, entries[n], max[n]);
            return false;
        }
    }
    if (!is_power_of_2(ways[0]) || ways[0] < 2 || ways[0] > 16) {
        error_setg(errp, "TLB0 cannot have %" PRIu32 " ways: their number "
                   "has to be 2, 4, 8 or 16", ways[0]);
        return false;
    }
    if (ways[0] > entries[0]) {
        error_setg(errp, "TLB0 cannot have %" PRIu32 " ways: it has only %"
                   PRIu32 " entries", ways[0], entries[0]);
        return false;
    }
    if (ways[1] != entries[1]) {
        error_setg(errp, "TLB1 cannot have %" PRIu32 " ways: it has to be "
                   "fully associative, and has %" PRIu32 " entries",
                   ways[1], entries[1]);
        return false;
    }
    for (int n = ARRAY_SIZE(max); n < BOOKE206_MAX_TLBN; n++) {
        if (entries[n] || ways[n]) {
            error_setg(errp, "TLB%d cannot have %" PRIu32 " entries in %"
                       PRIu32 " ways: only TLB0 and TLB1 can be there",
                       n, entries[n], ways[n]);
            return false;
        }
    }
    return true;
}

uint32_t booke206_tlb_config(uint32_t tlbncfg, uint32_t entries,
                             uint32_t ways)
{
    QEMU_BUILD_BUG_ON(BOOKE206_MAX_TLB0_SIZE != 1 << CFG_NENTRY_LENGTH);

    tlbncfg = deposit32(tlbncfg, 0, CFG_NENTRY_LENGTH, entries);
    return deposit32(tlbncfg, 24, 8, ways);
}

bool booke206_tlb_same_config(const BookE206TLBGeometry *geometry, int n,
                              uint32_t tlbncfg)
{
    return booke206_tlb_config(tlbncfg, geometry->entries[n],
                               geometry->ways[n]) == tlbncfg;
}

void booke206_tlb_alloc(BookE206TLB *tlb)
{
    size_t page = qemu_real_host_page_size(), size;

    for (int n = 0; n < BOOKE206_MAX_TLBN; n++) {
        tlb->nb_entries += tlb->geometry.entries[n];
    }
    size = ROUND_UP(tlb->nb_entries * sizeof(tlb->entries[0]), page);
    tlb->entries = qemu_memalign(page, size);
    memset(tlb->entries, 0, size);
    /*
     * While a child has pages in common with us, a write gives us a copy,
     * and KVM keeps the page that it pinned. Not every host can promise it.
     */
    qemu_madvise(tlb->entries, size, QEMU_MADV_DONTFORK);
    tlb->dirty = bitmap_new(ROUND_UP(tlb->nb_entries, 64));
}

unsigned int booke206_tlb_index(const BookE206TLB *tlb, int n, uint64_t ea,
                                unsigned int way)
{
    uint32_t entries = tlb->geometry.entries[n], ways = tlb->geometry.ways[n];
    unsigned int index = ((ea >> EPN_SHIFT) % (entries / ways)) * ways +
                         way % ways;

    for (int i = 0; i < n; i++) {
        index += tlb->geometry.entries[i];
    }
    return index;
}

void booke206_tlb_set_entry(BookE206TLB *tlb, unsigned int index,
                            const BookE206TLBEntry *entry)
{
    assert(index < tlb->nb_entries);
    if (memcmp(&tlb->entries[index], entry, sizeof(*entry))) {
        tlb->entries[index] = *entry;
        set_bit(index, tlb->dirty);
    }
}

BookE206TLBEntry booke206_tlb_get_entry(const BookE206TLB *tlb,
                                        unsigned int index)
{
    assert(index < tlb->nb_entries);
    return tlb->entries[index];
}

void booke206_tlb_invalidate_all(BookE206TLB *tlb)
{
    static const BookE206TLBEntry invalid;

    for (unsigned int i = 0; i < tlb->nb_entries; i++) {
        booke206_tlb_set_entry(tlb, i, &invalid);
    }
}

void booke206_tlb_mark_all_dirty(BookE206TLB *tlb)
{
    bitmap_set(tlb->dirty, 0, tlb->nb_entries);
}

void *booke206_tlb_dirty_bitmap(const BookE206TLB *tlb, uint32_t *num_dirty)
{
    unsigned int bits = ROUND_UP(tlb->nb_entries, 64);
    unsigned long *bitmap;

    *num_dirty = bitmap_count_one(tlb->dirty, bits);
    if (!*num_dirty) {
        return NULL;
    }
    bitmap = bitmap_new(bits);
    bitmap_to_le(bitmap, tlb->dirty, bits);
    return bitmap;
}

void booke206_tlb_clear_dirty(BookE206TLB *tlb)
{
    bitmap_zero(tlb->dirty, tlb->nb_entries);
}

bool booke206_tlb_check_entries(const BookE206TLB *tlb, int n,
                                uint32_t page_sizes, Error **errp)
{
    unsigned int first = 0;

    for (int i = 0; i < n; i++) {
        first += tlb->geometry.entries[i];
    }
    for (unsigned int i = 0; i < tlb->geometry.entries[n]; i++) {
        const BookE206TLBEntry *entry = &tlb->entries[first + i];
        unsigned int tsize = ENTRY_TSIZE(entry);

        if (ENTRY_V(entry) &&
            !extract32(page_sizes, tsize, 1)) {
            error_setg(errp, "TLB%d entry %u (MAS1 0x%08" PRIx32 ", MAS2 0x%"
                       PRIx64 ") has page size 2^%u KiB, which that TLB does "
                       "not have", n, i, entry->mas1, entry->mas2, tsize);
            return false;
        }
    }
    return true;
}

static bool maps(const BookE206TLBEntry *entry, uint64_t ea,
                 const uint32_t *pids, int nb_pids, bool as, uint64_t *pa)
{
    uint64_t mask = -1024ULL << ENTRY_TSIZE(entry);
    uint32_t tid = ENTRY_TID(entry);
    bool ours = !tid;

    for (int i = 0; i < nb_pids && !ours; i++) {
        ours = tid == pids[i];
    }
    if (!ours || !ENTRY_V(entry) || ENTRY_TS(entry) != as ||
        (entry->mas2 ^ ea) & mask) {
        return false;
    }
    *pa = (entry->mas7_3 & mask) | (ea & ~mask);
    return true;
}

bool booke206_tlb_translate(const BookE206TLB *tlb, uint64_t ea,
                            const uint32_t *pids, int nb_pids, bool as,
                            uint64_t *pa)
{
    for (int n = 0; n < BOOKE206_MAX_TLBN; n++) {
        for (unsigned int way = 0; way < tlb->geometry.ways[n]; way++) {
            unsigned int i = booke206_tlb_index(tlb, n, ea, way);

            if (maps(&tlb->entries[i], ea, pids, nb_pids, as, pa)) {
                return true;
            }
        }
    }
    return false;
}
