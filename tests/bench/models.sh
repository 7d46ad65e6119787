#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What it brings to run another CPU under KVM, and what it costs to ask whether
# that is possible, on an emulated Cortex-A57 host with Linux 7.2. Exit status 1
# if a bar is missed: 5 times as fast as TCG, and 12 ioctls for "host".

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

case ${1-} in
'') ;;
--help | -h) echo "Usage: tests/bench/models.sh [RUNS]: RUNS is 3 unless given"; exit 0 ;;
*[!0-9]* | 0*) die "RUNS '$1': give a whole number from 1 up" ;;
esac

# seconds ACCEL PROPERTIES: from the start of a guest to its power-off, the least of RUNS
seconds()
{
    for _run in $(seq "${runs:-3}"); do
        "$top/hosts/run" --file "$top/tests/run/in-host/boot-guest.sh" arm64-7.2 -- \
            sh /files/boot-guest.sh arm64 -accel "$1" -cpu "cortex-a53$2" < /dev/null > "$log" 2>&1 ||
            die "cortex-a53 under $1 ended with status $?: $(grep -m 1 qemu-system "$log" || tail -n 1 "$log")"
        sed -n 's/^boot-guest: .*seconds=//p' "$log"
    done | sort -n | head -n 1
}

runs=${1-} log=$build/logs/bench-models.log
mkdir -p "$build/logs"
for base in --keep-work --base; do "$top/scripts/qemu-tree" $base; done
for base in '' --base; do
    # shellcheck disable=SC2086 # an option or none
    "$top/scripts/build-qemu" $base arm64
done

failed=
"$top/hosts/run" --file "$top/tests/bench/in-host/ask.sh" \
    --file "$build/root-base-arm64/bin/qemu-system-aarch64:qemu-base" \
    arm64-7.2 -- sh /files/ask.sh host cortex-a57 cortex-a53 > "$log" ||
    die "the ioctls could not be counted; see above"
while read -r cpu n; do
    echo "KVM ioctls to ask for -cpu $cpu: $n"
    [ "$cpu" != host ] || [ "$n" -le 12 ] || failed="$failed; $n ioctls for $cpu, and 12 are the bar"
done < "$log"
kvm=$(seconds kvm ,kvm-target-impl-cpus=host)
tcg=$(seconds tcg '')
[ -n "$kvm" ] && [ -n "$tcg" ] || exit 1
ratio=$(echo "$tcg $kvm" | awk '{ printf "%.1f", $1 / $2 }')
echo "seconds to power-off with -cpu cortex-a53: $kvm under KVM, $tcg under TCG: $ratio times as fast"
[ "${ratio%.*}" -ge 5 ] || failed="$failed; $ratio times as fast as TCG, and 5 are the bar"
[ -z "$failed" ] || die "missed${failed#;}"
