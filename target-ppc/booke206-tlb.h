/*
 * The TLBs of BookE 2.06 CPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_PPC_BOOKE206_TLB_H
#define TARGET_PPC_BOOKE206_TLB_H

#define BOOKE206_MAX_TLBN      4

/* TLBnCFG[NENTRY] has 12 bits: Linux and QEMU show this size as 0 */
#define BOOKE206_MAX_TLB0_SIZE 4096
/* Linux's limit (struct kvm_book3e_206_tlb_params in asm/kvm.h) */
#define BOOKE206_MAX_TLB1_SIZE 64

/*
 * An entry as MAS registers have it, which is also the layout that KVM shares
 * (struct kvm_book3e_206_tlb_entry). MAS8 belongs to hypervisors and is 0.
 */
typedef struct BookE206TLBEntry {
    uint32_t mas8;
    uint32_t mas1;
    uint64_t mas2;
    uint64_t mas7_3;
} BookE206TLBEntry;

/* Entries and ways of each TLB; a TLB that is not there has 0 of both */
typedef struct BookE206TLBGeometry {
    uint32_t entries[BOOKE206_MAX_TLBN];
    uint32_t ways[BOOKE206_MAX_TLBN];
} BookE206TLBGeometry;

/*
 * All TLBs of a CPU. Entries are TLB0's first, set by set, then TLB1's, and so
 * on, as Linux wants them (KVM_CAP_SW_TLB in Documentation/virt/kvm/api.rst).
 */
typedef struct BookE206TLB {
    BookE206TLBGeometry geometry;
    unsigned int nb_entries;
    BookE206TLBEntry *entries;
    /* One bit an entry, in 64-bit units: changed and not yet told to KVM */
    unsigned long *dirty;
} BookE206TLB;

/**
 * booke206_tlb_check_geometry:
 * @geometry: entries and ways of each TLB
 * @errp: names the field, its value and the rule that it breaks
 *
 * The rules are those of Linux for KVM_MMU_FSL_BOOKE_NOHV and _HV (struct
 * kvm_book3e_206_tlb_params), and QEMU's: the sizes are powers of two, and
 * TLB0 has at most %BOOKE206_MAX_TLB0_SIZE entries.
 *
 * Returns: true if the TLBs can be had, under KVM and TCG
 */
bool booke206_tlb_check_geometry(const BookE206TLBGeometry *geometry,
                                 Error **errp);

/**
 * booke206_tlb_config:
 * @tlbncfg: TLBnCFG with the properties of the TLB
 * @entries: its entries
 * @ways: its ways
 *
 * Returns: @tlbncfg with NENTRY and ASSOC as software sees them
 */
uint32_t booke206_tlb_config(uint32_t tlbncfg, uint32_t entries,
                             uint32_t ways);

/**
 * booke206_tlb_same_config:
 * @geometry: entries and ways of each TLB
 * @n: which TLB
 * @tlbncfg: TLBnCFG of a TLB
 *
 * Returns: true if @tlbncfg tells of the size and ways that TLB @n has
 */
bool booke206_tlb_same_config(const BookE206TLBGeometry *geometry, int n,
                              uint32_t tlbncfg);

/**
 * booke206_tlb_alloc:
 * @tlb: has a geometry that booke206_tlb_check_geometry() takes, and nothing
 *       else yet
 *
 * Makes the entries, all invalid and not dirty. They begin and end with a page
 * and stay with this process when it forks: KVM pins their pages.
 */
void booke206_tlb_alloc(BookE206TLB *tlb);

/**
 * booke206_tlb_index:
 * @tlb: the TLBs
 * @n: which TLB; it has entries
 * @ea: an effective address, which selects the set
 * @way: counts modulo the TLB's ways
 *
 * Returns: where in @tlb->entries that entry is
 */
unsigned int booke206_tlb_index(const BookE206TLB *tlb, int n, uint64_t ea,
                                unsigned int way);

/**
 * booke206_tlb_invalidate_all: clear all entries, protected ones too
 * @tlb: the TLBs
 *
 * Only entries that were not clear become dirty.
 */
void booke206_tlb_invalidate_all(BookE206TLB *tlb);

/**
 * booke206_tlb_set_entry:
 * @tlb: the TLBs
 * @index: where; less than @tlb->nb_entries
 * @entry: what
 *
 * The entry becomes dirty when it changes.
 */
void booke206_tlb_set_entry(BookE206TLB *tlb, unsigned int index,
                            const BookE206TLBEntry *entry);

/* Read an entry: @index is less than @tlb->nb_entries. */
BookE206TLBEntry booke206_tlb_get_entry(const BookE206TLB *tlb,
                                        unsigned int index);

/* Somebody else wrote the entries: all of them are dirty. */
void booke206_tlb_mark_all_dirty(BookE206TLB *tlb);

/**
 * booke206_tlb_dirty_bitmap:
 * @tlb: the TLBs
 * @num_dirty: where the number of dirty entries goes
 *
 * Returns: the dirty marks as KVM_DIRTY_TLB wants them: the first entry is the
 * lowest bit of the first byte, and the size is a multiple of 64 bits. Free it
 * with g_free(). NULL if no entry is dirty
 */
void *booke206_tlb_dirty_bitmap(const BookE206TLB *tlb, uint32_t *num_dirty);

/* KVM has been told of all dirty entries. */
void booke206_tlb_clear_dirty(BookE206TLB *tlb);

/**
 * booke206_tlb_check_entries:
 * @tlb: the TLBs
 * @n: which TLB
 * @page_sizes: those it has; bit N stands for 2^N KiB, as in TLBnPS
 * @errp: names the entry and the rule that it breaks
 *
 * Returns: true if all valid entries map pages of a size that the TLB has
 */
bool booke206_tlb_check_entries(const BookE206TLB *tlb, int n,
                                uint32_t page_sizes, Error **errp);

/**
 * booke206_tlb_translate:
 * @tlb: the TLBs
 * @ea: the effective address
 * @pids: process IDs to look for, besides the global entries of TID 0
 * @nb_pids: how many
 * @as: the address space, MSR[IS] or MSR[DS]
 * @pa: where the physical address goes
 *
 * Permissions do not matter: this is for debuggers.
 *
 * Returns: true if a valid entry maps @ea
 */
bool booke206_tlb_translate(const BookE206TLB *tlb, uint64_t ea,
                            const uint32_t *pids, int nb_pids, bool as,
                            uint64_t *pa);

#endif
