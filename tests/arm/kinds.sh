#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU on hosts whose CPUs differ. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=scripts/series.sh
. "$top/scripts/series.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

usage()
{
    cat <<USAGE
Usage: tests/arm/kinds.sh [KERNEL...]

Boots arm64 hosts with two Cortex-A53 and two Cortex-A57, with each KERNEL (6.1, 6.12,
7.2; all), and runs tests/arm/cases/kinds there. Prints TAP. No release of QEMU emulates
such a host: the emulator is QEMU without the series and with hosts/arm64/two-kinds.patch,
and is built first, in build/two-kinds and build/obj-two-kinds.

Logs: build/logs/arm-kinds/.
USAGE
}

case ${1-} in
--help | -h) usage; exit 0 ;;
-*) die "unknown option '$1'; see tests/arm/kinds.sh --help" ;;
esac
[ $# -gt 0 ] || set -- 6.1 6.12 7.2
cases=$top/tests/arm/cases/kinds
for kernel; do
    grep -q "^$kernel;" "$cases" || die "kernel '$kernel': tests/arm/cases/kinds has 6.1, 6.12 and 7.2"
done

emulator=$build/two-kinds
if [ ! -e "$emulator" ]; then
    qgit "$build/qemu" worktree prune
    qgit "$build/qemu" worktree add -q --detach "$emulator" base
fi
qgit "$emulator" checkout -q hw/arm/virt.c ||
    die "$emulator is not a work tree of $build/qemu (was that made anew?); remove it: rm -rf $emulator"
patch -d "$emulator" -p1 -s < "$top/hosts/arm64/two-kinds.patch"
QEMU_TREE=$emulator OBJ=$build/obj-two-kinds "$top/scripts/build-qemu" native qemu-system-aarch64 >&2
logs=$build/logs/arm-kinds
mkdir -p "$logs"
make_tmp
printf '#!/bin/sh\nTWO_KINDS=cortex-a57-arm-cpu exec %s/qemu-system-aarch64 "$@"\n' "$build/obj-two-kinds" > "$tmp/qemu-system-aarch64"
chmod +x "$tmp/qemu-system-aarch64"

for kernel; do
    log=$logs/$kernel
    sed -n "s/^$kernel;//p" "$cases" > "$tmp/cases"
    PATH=$tmp:$PATH "$top/hosts/run" --cpu cortex-a53 --smp 4 --log "$log.console" --timeout 3600 \
        --file "$top/tests/arm/in-host/kinds.sh" "arm64-$kernel" -- sh /files/kinds.sh < "$tmp/cases" > "$log" 2> "$log.err" ||
        echo "the host ended with status $?: $(tail -n 1 "$log.err")" >> "$log"
    n=0
    while IFS=\; read -r cpus options regex; do
        n=$((n + 1))
        tr -d '\r' < "$log" | awk -v n="$n" '/^case / { at++ } at == n' > "$tmp/case"
        case $regex in 'guest: up'*) want=0 ;; *) want=1 ;; esac
        if grep -qx "case $want" "$tmp/case" && grep -qE -e "$regex" "$tmp/case"; then
            ok "$kernel: on CPUs $cpus: $options: $regex"
        else
            tail -n 5 "$log" >> "$tmp/case"
            not_ok "$kernel: on CPUs $cpus: $options: $regex" - < "$tmp/case"
        fi
    done < "$tmp/cases"
done
done_testing
