#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# stale.sh RESETS LOADS: runs in an e500v2 host. A guest that takes a TLB
# miss at every turn (hosts/e500v2/thrash.c) is stopped, which leaves one queued
# in KVM every eighth time or so, and gets another state: by RESETS resets, and
# by LOADS loadvm of a snapshot that was made in its handler. The queued miss
# is of no concern to that state. A line "ok" or "not ok" for each.
#
# shellcheck disable=SC2015 # A && B || C: C is for both

set -eu
# shellcheck source=tests/booke/in-host/qemu.sh
. "${0%/*}/qemu.sh"
resets=$1 loads=$2

# begin OPTION...: as A; fails with $problem
begin()
{
    : > "$serial"
    start A -kernel "$HOST_GUESTS/thrash-ppc" -initrd "$HOST_GUESTS/thrash-ppc" "$@" && up 1 ||
        { problem="it does not start: $reply $(said A)"; return 1; }
}

# up N: waits until it has said N times that it is up
up()
{
    _try=0
    until [ "$(grep -c '^thrash: up' "$serial")" -ge "$1" ]; do
        _try=$((_try + 1))
        [ "$_try" -lt 40 ] || return 1
        sleep 0.05
    done
}

# register NAME: in hexadecimal, as the monitor prints it
register() { hmp A "print /x \$$1"; }

# queued: whether KVM has a miss for the guest: it is at the load, and the
# handler has not set MAS3 since
queued() { [ "$(register nip)" = 0x100014 ] && [ "$(register mas3)" = 0 ]; }

# enough N: whether there were N states, and one of them behind a queued miss;
# more than four times N are enough in any case
enough() { [ "$n" -ge "$1" ] && { [ "$found" -gt 0 ] || [ "$n" -ge $((4 * $1)) ]; }; }

# ended_well NAME N FOUND: the line for a test in which N states were put, FOUND
# of which behind a queued miss
ended_well()
{
    quit A
    if [ -n "$problem" ]; then
        failed "$1" "$problem"
    elif [ "$ended" != 0 ] || ! content A; then
        failed "$1" "it ended with status $ended: $(said A)"
    elif grep -q 'another exception' "$serial"; then
        failed "$1" 'it had an exception that it does not make'
    elif [ "$3" -eq 0 ]; then
        failed "$1" 'KVM had never queued a miss, which makes it no test'
    else
        passed "$1: of $2, $3 behind a miss that was queued"
    fi
}

reset_part()
{
    n=0 found=0 problem=
    begin || return 0
    until enough "$resets"; do
        n=$((n + 1))
        qmp A stop || { problem="stop: $reply"; return 0; }
        ! queued || found=$((found + 1))
        qmp A system_reset && qmp A cont || { problem="reset $n: $reply"; return 0; }
        up $((n + 1)) || { problem="reset $n: it does not start again: NIP $(register nip), $(state A)"; return 0; }
    done
}

# in_handler: stops it there
in_handler()
{
    while :; do
        qmp A stop || return 1
        case $(register nip) in 0x10003? | 0x100040 | 0x100044) return 0 ;; esac
        qmp A cont || return 1
    done
}

# moves: whether it gets on: the page that it reads is another one soon
moves()
{
    _page=$(register r30)
    qmp A cont || return 1
    _try=0
    while [ "$_try" -lt 20 ]; do
        [ "$(register r30)" = "$_page" ] || return 0
        _try=$((_try + 1))
        sleep 0.05
    done
    return 1
}

load_part()
{
    n=0 found=0 problem=
    cp /files/snapshots.qcow2 /tmp/snapshots.qcow2
    begin -drive if=none,id=snapshots,format=qcow2,file=/tmp/snapshots.qcow2 || return 0
    in_handler || { problem=$reply; return 0; }
    _said=$(hmp A 'savevm one')
    [ -z "$_said" ] || { problem="savevm: $_said"; return 0; }
    qmp A cont || { problem="cont: $reply"; return 0; }
    until enough "$loads"; do
        n=$((n + 1))
        qmp A stop || { problem="stop: $reply"; return 0; }
        ! queued || found=$((found + 1))
        _said=$(hmp A 'loadvm one')
        [ -z "$_said" ] || { problem="loadvm $n: $_said"; return 0; }
        moves || { problem="loadvm $n: it does not get on: NIP $(register nip), $(state A)"; return 0; }
    done
}

reset_part
ended_well 'resets behind queued exceptions' "$n" "$found"
[ "$loads" -gt 0 ] || exit 0
load_part
ended_well 'loadvm behind queued exceptions' "$n" "$found"
