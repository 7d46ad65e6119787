#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the accelerator question costs, on the emulated arm64 host: prints what
# tests/bench/in-host/accel.sh measures. Exit status 1 if it is over the bar: 12 ioctls.

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

case ${1-} in
'') ;;
--help | -h) echo "Usage: tests/bench/accel.sh [RUNS]: RUNS is 9 unless given"; exit 0 ;;
*[!0-9]* | 0*) die "RUNS '$1': give a whole number from 1 up" ;;
esac

for base in --keep-work --base; do "$top/scripts/qemu-tree" $base; done
for base in '' --base; do
    # shellcheck disable=SC2086 # an option or none
    "$top/scripts/build-qemu" $base arm64
done
"$top/hosts/run" --timeout 900 --file "$top/tests/bench/in-host/accel.sh" \
    --file "$build/root-base-arm64/bin/qemu-system-aarch64:qemu-base" \
    arm64 -- sh /files/accel.sh "${1:-9}" | tee "$build/logs/bench.txt"
more=$(sed -n 's/^KVM ioctls.*: \([-0-9]*\) more$/\1/p' "$build/logs/bench.txt")
[ -n "$more" ] || die "the bench printed no count of ioctls; see above"
[ "$more" -le 12 ] || die "$more ioctls more than without the series, and 12 are the bar"
