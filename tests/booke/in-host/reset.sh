#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reset.sh COUNT TCG CPU...: runs in an e500v2 host. For each CPU: a Linux
# guest under KVM is stopped, reset and started again COUNT times. A line "ok" or
# "not ok" for each, and in lines with # what was found. TCG is what to compare
# the registers with: "start", a guest that has not run under TCG, or "boot", one
# that has, and was reset.
#
# shellcheck disable=SC2015 # A && B || C: C is for both

set -eu
# shellcheck source=tests/booke/in-host/qemu.sh
. "${0%/*}/qemu.sh"
count=$1 tcg=$2
shift 2

# Those that a reset sets, but for what `info registers` shows. DEC and TB are clocks.
names='srr0 srr1 csrr0 csrr1 mcsrr0 mcsrr1 dsrr0 dsrr1 sprg0 sprg1 sprg2 sprg3
    sprg4 sprg5 sprg6 sprg7 sprg8 sprg9 usprg0 esr dear mcsr mcar ivpr ivor0 ivor1 ivor2
    ivor3 ivor4 ivor5 ivor6 ivor7 ivor8 ivor9 ivor10 ivor11 ivor12 ivor13 ivor14 ivor15
    ivor32 ivor33 ivor34 ivor35 mas0 mas1 mas2 mas3 mas4 mas5 mas6 mas7 pid pid1 pid2
    tcr tsr decar epr dbcr0 dbcr1 dbcr2 dbsr iac1 iac2 dac1 dac2 hid0 hid1 bucsr
    l1csr0 l1csr1 spefscr mmucsr0 mmucfg tlb0cfg tlb1cfg pir pvr svr vrsave r1 r3 r4 r5 r6 r7 r8 r9'

# registers NAME: NAME VALUE, a line for each special register, and for those others
# that a reset sets in the machine's way
registers()
{
    local name="$1" reg
    set --
    for reg in $names; do set -- "$@" human-monitor-command "command-line=print /x \$$reg" --; done
    ask "$name" "$@" human-monitor-command 'command-line=info registers' > /tmp/registers || return 1
    # a CPU that has no such register says so, and where to find help
    awk -v names="$names" '
        BEGIN { n = split(names, name, " ") }
        /^Try "help/ { next }
        ++line <= n { if (!/nknown|invalid/) print name[line], $0; next }
        { for (i = 1; i < NF; i++) if ($i ~ /^(NIP|MSR|HF)$/) print tolower($i), $(i + 1) }' /tmp/registers
}

# stale FILE: how many entries of that `info tlb` are valid beside the one that
# the machine makes for the start, which maps 0 to 0
stale()
{
    awk '
        /^TLB[0-9]/ { array = $1; next }
        /^Effective/ || NF < 4 { next }
        array ~ /^TLB1/ && $1 ~ /^0x0+$/ && $2 ~ /^0x0+$/ && !initial { initial = 1; next }
        { n++ }
        END { print n + 0, initial + 0 }' "$1"
}

# reset_state FILE: what registers, and TLB, are under TCG
reset_state()
{
    ACCEL=tcg
    if [ "$tcg" = start ]; then
        start B -S || { echo "TCG: $reply"; return 1; }
    else
        : > "$serial"
        start B && wait_ticks B 2 150 && qmp B stop || { echo "TCG: $reply $waited"; return 1; }
    fi
    qmp B system_reset && registers B > "$1" && hmp B 'info tlb' > "$1.tlb" || { echo "TCG: $reply"; return 1; }
    quit B
    ACCEL=kvm
}

# one_reset: stops, resets, looks and goes on; adds to $stale and $different, and
# fails with $problem
one_reset()
{
    problem=
    qmp A stop && hmp A 'info tlb' > /tmp/tlb.before && qmp A system_reset &&
        hmp A 'info tlb' > /tmp/tlb && registers A > /tmp/kvm || { problem=$reply; return 1; }
    found=$(stale /tmp/tlb)
    before=$(stale /tmp/tlb.before)
    # a parser that finds no entries in a running guest would find no stale ones
    [ "${before% *}" -gt 0 ] || problem="$problem; no entry was valid before the reset"
    [ "${found#* }" = 1 ] || problem="$problem; the machine's initial mapping is not there"
    [ "${found% *}" = 0 ] || problem="$problem; ${found% *} stale entries of ${before% *}"
    awk 'NR == FNR { v[$1] = $2; next }
         $1 in v && v[$1] != $2 { print $1 "=" $2 " (" v[$1] ")" }' /tmp/tcg /tmp/kvm > /tmp/different
    [ "$(wc -l < /tmp/kvm)" -eq "$(wc -l < /tmp/tcg)" ] || problem="$problem; not the same registers as TCG's"
    [ ! -s /tmp/different ] ||
        problem="$problem; $(wc -l < /tmp/different) registers differ from TCG's: $(tr '\n' ' ' < /tmp/different)"
    lines=$(($(wc -l < "$serial") + 1))
    ticks=$(ticks)
    qmp A cont || { problem="$problem; $reply"; return 1; }
    wait_ticks A $((ticks + 3)) 150 || { problem="$problem; it does not boot again: $waited"; return 1; }
    tail -n "+$lines" "$serial" | grep -q '^guest: up ' || problem="$problem; it did not boot again, but went on"
    # the line that was on its way when it was reset
    wrong=$(misbehaved $((lines + 1)))
    problem="$problem${wrong:+; $wrong}"
    problem=${problem#; }
    [ -z "$problem" ]
}

GUEST=busy
for CPU; do
    name="$count resets in a row, -cpu $CPU"
    if ! reset_state /tmp/tcg > /tmp/why; then
        failed "$name" "$(cat /tmp/why); $(said B)"
        quit B
        continue
    fi
    [ "$(stale /tmp/tcg.tlb)" = '0 1' ] || { failed "$name" "TCG itself has other entries: $(cat /tmp/tcg.tlb)"; continue; }
    : > "$serial"
    if ! start A || ! wait_ticks A 3 150; then
        failed "$name" "it does not start: $reply $waited $(said A)"
        quit A
        continue
    fi
    i=0 good=0
    : > /tmp/problems
    while [ "$i" -lt "$count" ]; do
        i=$((i + 1))
        if one_reset; then good=$((good + 1)); else echo "reset $i: $problem" >> /tmp/problems; fi
        # a dead guest stays so
        case $problem in *'not boot'* | *'qmp: '*) break ;; esac
    done
    quit A
    [ "$ended" = 0 ] || echo "QEMU ended with status $ended: $(said A)" >> /tmp/problems
    content A || echo "QEMU said: $(said A)" >> /tmp/problems
    if [ "$good" -eq "$count" ] && [ ! -s /tmp/problems ]; then
        passed "$name: 0 stale entries, $(wc -l < /tmp/kvm) registers as under TCG, each booted"
    else
        failed "$name: $good good" "$(cat /tmp/problems)"
    fi
done
