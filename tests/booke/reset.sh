#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A guest on the emulated e500v2 host is reset again and again. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/booke/common.sh
. "$top/tests/booke/common.sh"

usage()
{
    cat <<EOF
Usage: tests/booke/reset.sh [--short] [--tap | --base] [--no-build]

Boots a Linux guest under KVM on the emulated e500v2 host, and ten times in a
row stops it, resets it and has it go on. After each reset no TLB entry is
valid but the one that the machine makes for the start, the special registers
are what they are under TCG, and the guest boots again. Done with the TLB that
the CPU has and with larger ones. Then a guest with nothing but TLB misses is
reset a hundred times, and gets another state by loadvm: what KVM has queued
for it must not reach the new state. Prints a line "ok" or "not ok" for each.
Exit status 1 if one is not.

  --short     two resets, and the CPU's own TLB only; fewer misses
  --tap       nothing but these lines
  --base      QEMU without the series, and nothing expected of it
  --no-build  QEMU as build/root-ppc has it

Logs: build/logs/booke-reset/.
EOF
}

booke_options "$@"
need_packages qemu-utils
booke_begin booke-reset
make_tmp
qemu-img create -q -f qcow2 "$tmp/snapshots.qcow2" 64M
count=10 tcg=boot resets=100 loads=40
set -- e500v2_v30 e500v2_v30,tlb0-entries=2048,tlb0-ways=4 \
    e500v2_v30,tlb0-entries=4096,tlb0-ways=4,tlb1-entries=64
[ -z "$short" ] || count=2 tcg=start resets=30 loads=15
[ -z "$short$base" ] || set -- "$1"
in_host booke-reset 1200 -- reset.sh "$count" "$tcg" "$@"
in_host booke-stale 300 --file "$tmp/snapshots.qcow2" -- stale.sh "$resets" "$loads"
# one for each CPU, resets, loadvm
booke_end $(($# + 2))
