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
Usage: tests/arm/faults.sh [--short] [--tap]

Goes through two lists on the emulated arm64 hosts that they name. In the cases of
tests/arm/cases/faults QEMU starts: whatever KVM does, the guest runs, or QEMU ends
with one error that says why, or falls back where it may. In these of
tests/arm/cases/phases KVM refuses a call while a guest runs, is reset, saved or
restored: the guest goes on, or QEMU says once what was refused, and ends, or stops
it. Prints a line "ok" or "not ok" for each. Exit status 1 if a case does not end so.

  --short  of the second list those that are marked so
  --tap    nothing but these lines

Logs: build/logs/arm-faults/.
EOF
}

tap='' marks='short long'
for arg; do
    case $arg in
    --short) marks=short ;;
    --tap) tap=yes ;;
    --help | -h) usage; exit 0 ;;
    *) die "unknown option '$arg'; see tests/arm/faults.sh --help" ;;
    esac
done

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
"$top/scripts/qemu-tree" --keep-work >&3
"$top/scripts/build-qemu" arm64 >&3
"$top/hosts/build" arm64-6.1 arm64-7.2 >&3
logs=$build/logs/arm-faults
rm -rf "$logs"
mkdir -p "$logs"
aarch64-linux-gnu-gcc -shared -fPIC -O2 -Wall -Werror -o "$logs/kvm-fault.so" "$top/tests/lib/kvm-fault.c" "$top/tests/lib/faults.c"
aarch64-linux-gnu-gcc -std=gnu11 -Os -Wall -Wextra -Werror -ffreestanding -mgeneral-regs-only -mstrict-align \
    -fno-pic -fno-stack-protector -no-pie -nostdlib -static -s \
    -Wl,-Ttext=0x40200000,--build-id=none,-z,max-page-size=4096 -o "$logs/keeps" "$top/tests/arm/in-host/keeps.c"
in_host=$top/tests/arm/in-host cases=$top/tests/arm/cases

for kernel in 6.1 7.2; do
    say "Linux $kernel (logs: ${logs#"$top"/}/)" >&3
    {
        "$top/hosts/run" --cpu cortex-a57 --timeout 3600 --log "$logs/$kernel.console" \
            --file "$logs/kvm-fault.so" --file "$logs/keeps" \
            --file "$in_host/faults.sh" --file "$cases/faults" --file "$in_host/phases.sh" --file "$in_host/wait.sh" --file "$cases/phases" \
            "arm64-$kernel" -- sh -c "sh /files/faults.sh $kernel; sh /files/phases.sh $kernel $marks" \
            < /dev/null 2>&1 || echo "not ok - Linux $kernel: hosts/run ended with status $?"
    } | tee "$logs/$kernel"
done
failed=$(cat "$logs/6.1" "$logs/7.2" | grep -c '^not ok') || true
passed=$(cat "$logs/6.1" "$logs/7.2" | grep -c '^ok') || true
# one for each kernel of each case
planned=$({ grep '^[^#]' "$cases/faults"; grep -E "^($(echo "$marks" | tr ' ' '|'));" "$cases/phases" | cut -d ';' -f 2-; } |
    awk -F \; '{ n += split($1, kernels, " ") } END { print n }')
echo "1..$planned"
echo "$passed passed, $failed failed" >&3
[ "$failed" -eq 0 ] && [ "$passed" -eq "$planned" ]
