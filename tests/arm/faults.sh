#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU with a KVM that fails, and with options that cannot be. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/arm/faults.sh [--tap]

Goes through the cases of tests/arm/cases/faults on the emulated arm64 hosts that
they name: whatever KVM does, the guest runs, or QEMU ends with one error that
says why, or falls back where it may. Prints a line "ok" or "not ok" for each.
Exit status 1 if a case does not end so.

  --tap  nothing but these lines

Logs: build/logs/arm-faults/.
EOF
}

tap=
case ${1-} in
'') ;;
--tap) tap=yes ;;
--help | -h) usage; exit 0 ;;
*) die "unknown option '$1'; see tests/arm/faults.sh --help" ;;
esac

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
"$top/scripts/qemu-tree" --keep-work >&3
"$top/scripts/build-qemu" arm64 >&3
"$top/hosts/build" arm64-6.1 arm64-7.2 >&3
logs=$build/logs/arm-faults
rm -rf "$logs"
mkdir -p "$logs"
aarch64-linux-gnu-gcc -shared -fPIC -O2 -Wall -Werror -o "$logs/kvm-fault.so" "$top/tests/lib/kvm-fault.c" "$top/tests/lib/faults.c"

for kernel in 6.1 7.2; do
    say "Linux $kernel (logs: ${logs#"$top"/}/)" >&3
    {
        "$top/hosts/run" --cpu cortex-a57 --timeout 3600 --log "$logs/$kernel.console" \
            --file "$logs/kvm-fault.so" --file "$top/tests/arm/in-host/faults.sh" \
            --file "$top/tests/arm/cases/faults" "arm64-$kernel" -- sh /files/faults.sh "$kernel" \
            < /dev/null 2>&1 || echo "not ok - Linux $kernel: hosts/run ended with status $?"
    } | tee "$logs/$kernel"
done
failed=$(cat "$logs/6.1" "$logs/7.2" | grep -c '^not ok') || true
passed=$(cat "$logs/6.1" "$logs/7.2" | grep -c '^ok') || true
# one for each kernel of each case
cases=$(awk -F \; '/^[^#]/ { n += split($1, kernels, " ") } END { print n }' "$top/tests/arm/cases/faults")
echo "1..$cases"
echo "$passed passed, $failed failed" >&3
[ "$failed" -eq 0 ] && [ "$passed" -eq "$cases" ]
