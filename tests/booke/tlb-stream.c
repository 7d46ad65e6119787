// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes a migration stream of an e500 guest wrong, for tests:
 *
 *   tlb-stream FILE           prints the offset of the middle of its TLB
 *   tlb-stream FILE tsize N   gives the first valid entry of TLB1 that page size:
 *                             MAS1[TSIZE] as the e500v2 has it, 4^N KiB
 *   tlb-stream FILE count N   claims another number of entries
 *
 * The TLB is the subsection "cpu/tlbmas" of QEMU's section "cpu": the number of
 * its entries, then each as MAS8, MAS1, MAS2, MAS7 and MAS3, all big-endian.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#define ENTRY 24
#define TLB1  16                /* entries, the last of all */
#define VALID 0x80000000u

static uint32_t get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t value)
{
    p[0] = value >> 24;
    p[1] = value >> 16;
    p[2] = value >> 8;
    p[3] = value;
}

int main(int argc, char **argv)
{
    /* QEMU_VM_SUBSECTION, the length of the name, the name, version 1 */
    static const char head[] = "\x05\x0a" "cpu/tlbmas\0\0\0\x01";
    uint8_t *map, *tlb, *entry;
    struct stat st;
    uint32_t n;
    int fd;

    if (argc != 2 && argc != 4) {
        errx(2, "usage: tlb-stream FILE [tsize|count N]");
    }
    fd = open(argv[1], O_RDWR);
    if (fd < 0 || fstat(fd, &st)) {
        err(1, "%s", argv[1]);
    }
    map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        err(1, "%s", argv[1]);
    }
    tlb = memmem(map, st.st_size, head, sizeof(head) - 1);
    if (!tlb) {
        errx(1, "%s has no TLB of an e500", argv[1]);
    }
    tlb += sizeof(head) - 1;
    n = get(tlb);
    if (n < TLB1 || n > 65536 || tlb + 4 + n * ENTRY > map + st.st_size) {
        errx(1, "%s: a TLB of %u entries", argv[1], n);
    }
    if (argc == 2) {
        printf("%td\n", tlb + 4 + n / 2 * ENTRY - map);
    } else if (!strcmp(argv[2], "count")) {
        put(tlb, strtoul(argv[3], NULL, 0));
    } else if (!strcmp(argv[2], "tsize")) {
        entry = tlb + 4 + (n - TLB1) * ENTRY;
        while (!(get(entry + 4) & VALID)) {
            entry += ENTRY;
            if (entry >= tlb + 4 + n * ENTRY) {
                errx(1, "%s: no entry of TLB1 is valid", argv[1]);
            }
        }
        put(entry + 4, (get(entry + 4) & ~0xf80u) | strtoul(argv[3], NULL, 0) << 8);
    } else {
        errx(2, "unknown change '%s'", argv[2]);
    }
    return 0;
}
