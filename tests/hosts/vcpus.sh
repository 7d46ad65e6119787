#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # a host's host.sh sets the rest
#
# Has each vCPU its own registers after a restore and a reset? See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=hosts/hosts.sh
. "$top/hosts/hosts.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

usage()
{
    cat <<EOF
Usage: tests/hosts/vcpus.sh [--root DIR] HOST

Runs a guest with two CPUs (tests/hosts/vcpus/) under HOST's KVM (arm64 or
e500v2-smp). It sets all registers that KVM keeps for a vCPU, each CPU others;
QEMU saves it, another QEMU restores it and resets it. Compares what each CPU reads
then, register by register, with what it set, and with what it read at its start.
Prints TAP; a register that differs is told by its name.

  --root DIR  QEMU's, instead of build/root-arm64 or build/root-ppc

Logs: build/logs/vcpus/.
EOF
}

overlay=
case ${1-} in
--help | -h) usage; exit 0 ;;
--root) overlay=${2:?} && shift 2 ;;
esac
case ${1-} in
arm64 | arm64-6.1)
    log_at=0x44000000
    qemu='qemu-system-aarch64 -M virt,gic-version=3 -cpu host -m 128' registers=171
    options='-mgeneral-regs-only -mstrict-align -Wl,-Ttext=0x40200000' ;;
e500v2-smp)
    log_at=0x00800000
    qemu='qemu-system-ppc -M ppce500 -cpu e500v2_v30 -m 128' registers=201
    options='-mcpu=8548 -msoft-float -Wl,-Ttext=0x100000' ;;
*) die "bad HOST '${1-}': it is arm64, which is arm64-6.1, or e500v2-smp" ;;
esac
host_load "$1"
"$top/hosts/build" "$host" >&2
logs=$build/logs/vcpus
log=$logs/$host
mkdir -p "$logs"
make_tmp
# shellcheck disable=SC2086 # a list
"$cc" -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -no-pie -nostdlib \
    -static -s -DLOG="$log_at" -Wl,-e,vcpus_entry,--build-id=none,-z,max-page-size=4096 $options \
    -o "$tmp/guest" "$top/tests/hosts/vcpus/$folder.c"

# shellcheck disable=SC2086 # lists
if "$top/hosts/run" ${overlay:+--root "$overlay"} --memory 1024 --log "$log.console" --file "$tmp/guest" \
    --file "$top/tests/hosts/in-host/vcpus.sh" "$host" -- sh /files/vcpus.sh "$log_at" $qemu \
    < /dev/null > "$log" 2> "$log.err"; then
    ok "$host: the guest is saved, restored and reset"
else
    not_ok "$host: the guest is saved, restored and reset" - < "$log.err"
fi

grep "^[^#]" "$top/tests/hosts/cases/vcpus" | while IFS=\; read -r hosts when register _; do
    ! printf '%s\n' "$host" | grep -qxE -e "$hosts" || echo "$when $register"
done > "$tmp/known"

# differing WHEN WHAT CPU OTHER-WHAT OTHER-CPU: the registers whose values differ, but for those
# that are known to, WHEN; with WHEN "set", those that are the same. Also when it is not as many
# as it should be. The guest's second start is "again".
differing()
{
    awk -v when="$1" -v a="$2 $3" -v b="$4 $5" -v registers="$registers" -v used="$tmp/used" '
        FILENAME != ARGV[2] { if ($1 == when) known[++k] = $2; next }
        $1 == "again" { again = "again-" }
        { v[again $1 " " $2, $3] = $4 }
        again $1 " " $2 == a { names[++n] = $3 }
        function is_known(name,   i) {
            for (i = 1; i <= k; i++) if (name ~ "^" known[i] "$") { print when " " known[i] >> used; return 1 }
        }
        END {
            for (i = 1; i <= n; i++) {
                one = v[a, names[i]]
                other = v[b, names[i]]
                if ((one == other) == (when == "set") && !is_known(names[i]))
                    print names[i] ": " a ": " one "; " b ": " other
            }
            if (n != registers) print n + 0 " registers, and it should be " registers
        }' "$tmp/known" "$log"
}

# none NAME ARG...: whether there are no such registers
none()
{
    name=$1
    shift
    text=$(differing "$@")
    if [ -z "$text" ]; then ok "$host: $name"; else not_ok "$host: $name" "$text"; fi
}

: > "$tmp/used"
none "each vCPU has set $registers registers, to other values" set set 0 set 1
for cpu in 0 1; do
    none "vCPU $cpu has what it had set after a restore" restore kept "$cpu" set "$cpu"
    none "vCPU $cpu is after a reset as at its start" reset again-start "$cpu" start "$cpu"
    none "vCPU $cpu sets the same after a reset" again again-set "$cpu" set "$cpu"
done
text=$(grep -vxF -f "$tmp/used" "$tmp/known") || true
name="$host: tests/hosts/cases/vcpus has no line that nothing needs"
if [ -z "$text" ]; then ok "$name"; else not_ok "$name" "$text"; fi
done_testing
