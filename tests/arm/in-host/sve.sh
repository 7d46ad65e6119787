#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sve.sh: runs in an arm64 host; /files/vectors is the guest, /files/snapshots.qcow2 an
# empty image, /files/todo has lines of what to do:
#
#   live NUMBER OPTIONS         starts a guest with these -cpu options, stops it and has it
#                               go on, migrates it into a file, saves it and loads it as a
#                               snapshot, and has a second QEMU take it from that file
#   load NUMBER FROM OPTIONS    has it go on from /files/FROM.state, which "live" has left
#   break NUMBER LOSS OPTIONS   starts a guest that loses what vectors.c says
#
# Prints an archive (tar): NUMBER.outcome, NUMBER.serial, NUMBER.err; and of "live" what
# "load" wants, NUMBER.state, .registers (info registers) and .tick (its last number).

set -eu
# shellcheck source=tests/arm/in-host/wait.sh
. "${0%/*}/wait.sh"
out=/tmp/out
mkdir -p "$out"
cd "$out"
pid='' reply='' serial=''

# lines FROM: what the guest has said from that byte on, in whole lines. One that a save has
# cut into two is none.
lines() { { tail -c +"$1" "$serial"; echo .; } | tr -d '\n' | tr '\r' '\n' | sed '$d'; }
ticks() { lines "$1" | sed -n 's/^vectors: tick \([0-9]*\)$/\1/p'; }
losses() { lines 1 | sed -n 's/.*LOST/LOST/p' | sort -u | tr '\n' ','; }

# What until_true waits for
gone() { ! kill -0 "$pid" 2> /dev/null; }
ticked() { gone || [ "$(ticks "$1" | wc -l)" -ge "$2" ]; }
listens() { gone || ask query-status; }
migrated() { ask query-migrate.status && case $reply in completed | failed) ;; *) false ;; esac }
loaded() { gone || { ask query-status.status && [ "$reply" != inmigrate ]; }; }

# ask COMMAND...: QEMU's monitor; its answer, or why there is none, is in $reply
ask() { reply=$(qmp -t 120 /tmp/qmp "$@" 2>&1); }
# hmp LINE: the same; fails when it says anything
hmp() { ask human-monitor-command command-line="$1" && [ -z "$reply" ]; }
end() { printf '%s\n' "$*" > "$n.outcome"; return 1; }
said() { sed -n 's/^qemu-system-aarch64: //p' "$n.err" | tr '\n' ' ' | grep . || echo "QEMU ended: $(tail -n 1 "$n.err")"; }

# size: where what the guest prints from now on begins
size() { echo $(($(wc -c < "$serial") + 1)); }

# start OPTIONS: QEMU with the guest and -cpu
start()
{
    rm -f /tmp/qmp
    cp /files/snapshots.qcow2 /tmp/
    # shellcheck disable=SC2086 # options
    qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -m 64 -nodefaults -display none \
        -serial "file:$serial" -qmp unix:/tmp/qmp,server=on,wait=off \
        -drive if=none,id=snapshots,format=qcow2,file=/tmp/snapshots.qcow2 \
        -kernel /files/vectors -cpu $1 < /dev/null >> "$n.err" 2>&1 &
    pid=$!
    until_true listens && ! gone
}

quit()
{
    [ -n "$pid" ] || return 0
    ask quit || true
    until_true gone || kill -9 "$pid"
    wait "$pid" 2> /dev/null || true
    pid=
}

# goes_on FROM: the guest, from that byte of what it printed on, ticks, and has lost nothing
goes_on()
{
    until_true ticked "$1" 3 || true
    if [ -n "$(losses)" ]; then
        end "$2 the guest: $(losses)"
    elif gone; then
        end "$2 $(said)"
    elif ! ticked "$1" 3; then
        ask query-status.status || true
        end "$2 the guest is dead, QEMU says: $reply"
    fi
}

registers() { ask human-monitor-command 'command-line=info registers' && printf '%s\n' "$reply" | tr -d '\r'; }

# same_registers FROM: "info registers" has what FROM has in its .registers
same_registers()
{
    registers > "$n.registers-now"
    diff "$1.registers" "$n.registers-now" > "$n.diff" ||
        end "registers differ: $(grep '^[+>]' "$n.diff" | head -n 4 | tr '\n' ' ')"
}

# arrive OPTIONS FROM: has the guest of $n go on in a new QEMU
arrive()
{
    serial=$n.serial-there
    : > "$serial"
    start "$1 -S -incoming file:$2.state" || { end "$(said)" || return 1; }
    until_true loaded || true
    ! gone || end "$(said)" || return 1
    _differ=
    same_registers "$2" || _differ=$(cat "$n.outcome")
    ask cont || true
    goes_on 1 "${_differ:+$_differ; }there" || return 1
    [ -z "$_differ" ] || end "$_differ" || return 1
    _now=$(ticks 1 | head -n 1)
    [ "$_now" -le $(($(cat "$2.tick") + 2)) ] && [ "$_now" -ge "$(cat "$2.tick")" ] ||
        end "it goes on with tick $_now after $(cat "$2.tick")"
}

live()
{
    serial=$n.serial
    : > "$serial"
    start "$1" || { end "$(said)" || return 1; }
    goes_on 1 'started:' || return 1
    up=$(sed -n 's/^vectors: up //p' "$serial" | tr -d '\r')

    # What is looked at is read from KVM, and so written back.
    ask stop
    registers > /dev/null
    at=$(size)
    ask cont
    goes_on "$at" "$up: stopped:" || return 1

    ask migrate uri="file:$out/$n.state" && until_true migrated || true
    if [ "$reply" != completed ]; then
        ask query-migrate.error-desc || ask migrate uri="file:$out/$n.state" || true
        migrate=$reply
        hmp 'savevm one' || true
        end "$up: stops; migrate: $migrate; savevm: $reply" || return 1
    fi
    ticks 1 | tail -n 1 > "$n.tick"
    registers > "$n.registers"
    at=$(size)
    ask cont
    goes_on "$at" "$up: stops; migrated, and here again:" || return 1

    ask stop
    before=$(ticks 1 | tail -n 1)
    registers > "$n-snapshot.registers"
    hmp 'savevm one' || end "$up: stops; savevm: $reply" || return 1
    at=$(size)
    ask cont
    goes_on "$at" "$up: stops; saved:" || return 1
    ask stop
    at=$(size)
    hmp 'loadvm one' || end "$up: stops; loadvm: $reply" || return 1
    _differ=
    same_registers "$n-snapshot" || _differ="$(cat "$n.outcome"); "
    ask cont
    goes_on "$at" "$up: stops; ${_differ}loaded:" || return 1
    [ -z "$_differ" ] || end "$up: stops; loaded: $_differ" || return 1
    [ "$(ticks "$at" | head -n 1)" -le $((before + 2)) ] || end "$up: stops; loadvm does not go back" || return 1
    quit
    arrive "$1" "$n" || end "$up: stops, is loaded; second QEMU: $(cat "$n.outcome")" || return 1
    echo "$up: stops, is loaded, resumes" > "$n.outcome"
}

while read -r what n rest; do
    : > "$n.err"
    case $what in
    live) live "$rest" || true ;;
    load)
        from=/files/${rest%% *}
        if [ -e "$from.state" ]; then
            arrive "${rest#* }" "$from" && echo resumes > "$n.outcome" || true
        else
            end 'it was not saved' || true
        fi ;;
    break)
        serial=$n.serial
        : > "$serial"
        if start "${rest#* } -append break=${rest%% *}"; then
            until_true ticked 1 6 || true
            losses > "$n.outcome"
        else
            end "$(said)" || true
        fi ;;
    esac
    quit
    rm -f /tmp/snapshots.qcow2
done < /files/todo
tar -c .
