#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What it costs to keep a BookE guest's TLB in sync, on the emulated e500v2 host.
# Exit status 1 if a bar is missed: 1 KVM_DIRTY_TLB for a reset, and no vCPU ioctl
# for 1000 translations.

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

runs=20 build_it=yes
for arg; do
    case $arg in
    --no-build) build_it= ;;
    --help | -h)
        cat <<EOF
Usage: tests/bench/booke.sh [--no-build] [RESETS]

Prints what a reset of a guest costs in ioctls and in time, the least of five
times RESETS (default: 20) in a row, and what 1000 translations by the monitor
cost, with the series and without it.

  --no-build  QEMU as build/root-ppc and build/root-base-ppc have it
EOF
        exit 0 ;;
    *[!0-9]* | 0* | '') die "RESETS '$arg': give a whole number from 1 up" ;;
    *) runs=$arg ;;
    esac
done

if [ -n "$build_it" ]; then
    for base in --keep-work --base; do "$top/scripts/qemu-tree" $base; done
    for base in '' --base; do
        # shellcheck disable=SC2086 # an option or none
        "$top/scripts/build-qemu" $base ppc
    done
fi
log=$build/logs/bench-booke.log
mkdir -p "$build/logs"
"$top/hosts/run" --timeout 600 --memory 1024 --file "$top/tests/booke/in-host/qemu.sh" --file "$top/tests/bench/in-host/booke.sh" \
    --file "$build/root-base-ppc/bin/qemu-system-ppc:qemu-base" \
    e500v2 -- sh /files/booke.sh "$runs" < /dev/null > "$log" || die "it could not be measured; see above and $log"

value() { sed -n "s/^$1 //p" "$log"; }
for which in base series; do
    case $which in base) how='without the series' ;; *) how='with it' ;; esac
    echo "a reset, $how: $(value $which-reset-dirty-tlb) KVM_DIRTY_TLB, $(value $which-reset-ioctls) vCPU ioctls in all"
    echo "1000 translations while stopped, $how: $(value $which-translations) vCPU ioctls"
done
echo "ms of a reset with 528 entries: $(value base-reset-528) without the series, $(value series-reset-528) with it; with 4160: $(value series-reset-4160)"
[ "$(value series-traced)" -gt 0 ] || die "the trace of ioctls has nothing in it"
[ "$(value series-reset-dirty-tlb)" = 1 ] || die "a reset makes $(value series-reset-dirty-tlb) KVM_DIRTY_TLB, and 1 is the bar"
[ "$(value series-translations)" = 0 ] || die "1000 translations make $(value series-translations) vCPU ioctls, and 0 are the bar"
case $(value series-translated) in
0x* | *gpa:*) ;;
*) die "the last translation gave '$(value series-translated)'" ;;
esac
