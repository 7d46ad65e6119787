#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# migrate.sh PART...: runs in an e500v2 host; a line "ok" or "not ok" for
# each test. The PARTs:
#
#   rounds:N:IRQCHIP:GUEST[:CPU]  a guest is saved and restored N times in a row,
#                   with kernel_irqchip=IRQCHIP; GUEST is count (idle) or busy
#   snapshots:N     savevm, loadvm N times in a row and -loadvm, with
#                   /files/snapshots.qcow2
#   accelerators:IRQCHIP  from TCG to TCG and KVM, and from KVM to TCG
#   streams[:CPU]   streams that are wrong; CPU has another TLB
#   order           a guest is migrated while it is stopped, continued meanwhile, and
#                   stopped again: all that it wrote arrives
#   save:SECONDS    a guest's state goes to stdout, when the host has been up for so
#                   long, and what it printed to stderr, with a line about the host's time
#   load            that state, in /files/state, is refused, or waits, or goes on
#
# shellcheck disable=SC2015 # A && B || C: C is for both

set -eu
# shellcheck source=tests/booke/in-host/qemu.sh
. "${0%/*}/qemu.sh"

# save NAME: into /tmp/state; fails with $problem
save()
{
    rm -f /tmp/state
    qmp "$1" migrate uri=file:/tmp/state || { problem="migrate: $reply"; return 1; }
    while :; do
        qmp "$1" query-migrate.status || { problem="query-migrate: $reply"; return 1; }
        case $reply in
        completed) return 0 ;;
        failed) problem="migration failed: $(ask "$1" query-migrate.error-desc)"; return 1 ;;
        esac
        sleep 0.1
    done
}

# stop_at_line NAME: stops it when the guest is not in the middle of a line
stop_at_line()
{
    while :; do
        qmp "$1" stop || { problem="stop: $reply"; return 1; }
        [ -n "$(tail -c 1 "$serial")" ] || return 0
        qmp "$1" cont || { problem="cont: $reply"; return 1; }
        sleep 0.05
    done
}

# look: the host's clock and the guest's, in ms, at its last tick
look() { clock="$(uptime | tr -d .)0 $(tick_clock)"; }

# drift BEFORE NOW: how much further the host's clock went than the guest's, in ms
drift() { echo "$1 $2" | awk '{ print $3 - $1 - ($4 - $2) }'; }

# goes_on NAME KIND N: whether a guest that was restored as NAME counts on for N ticks;
# KIND is kvm when its clock is the host's, tcg when that stands while it is
# stopped, ahead when it can be set to the host's, which is as old as the host.
# $clock was taken before. Fails with $problem.
goes_on()
{
    before=$clock moved=
    _i=0
    while [ "$_i" -lt "$3" ]; do
        _i=$((_i + 1))
        wait_ticks "$1" $(($(ticks) + 1)) || { problem=$waited; return 1; }
        # a tick may be seen late, never early
        look
        _moved=$(drift "$before" "$clock")
        [ -n "$moved" ] && [ "$moved" -le "$_moved" ] || moved=$_moved
    done
    least=-1500
    [ "$2" != ahead ] || least=-$(uptime | tr -d .)0
    if [ "$moved" -lt "$least" ] || { [ "$moved" -gt 1500 ] && [ "$2" = kvm ]; }; then
        problem="its clock is $moved ms behind the host's"
        return 1
    fi
}

# one_round FROM TO HOW: saves, quits, restores; HOW is running or stopped
one_round()
{
    problem=
    wait_ticks "$1" $(($(ticks) + 1)) || { problem="$waited"; return 1; }
    look
    [ "$3" = running ] || stop_at_line "$1" || return 1
    save "$1" || return 1
    quit "$1"
    [ "$ended" = 0 ] || { problem="the source ended with status $ended: $(said "$1")"; return 1; }
    content "$1" || echo "round $i, saved when $3: the source said: $(said "$1")" >> /tmp/problems
    start "$2" -incoming file:/tmp/state || { problem="the destination: $reply $(said "$2")"; return 1; }
    if [ "$3" = stopped ]; then
        await_load "$2" || return 1
        [ "$(state "$2")" = paused ] || { problem="the destination is not stopped, as the source was, but $(state "$2")"; return 1; }
        qmp "$2" cont || { problem="cont: $reply"; return 1; }
    fi
    # in eight ticks the guest has seen all of its memory
    goes_on "$2" kvm 9 || return 1
    content "$2" || { problem="the destination said: $(said "$2")"; return 1; }
}

# await_load NAME: until an incoming migration is over; fails with $problem
await_load()
{
    _until=$(($(uptime | cut -d . -f 1) + patience))
    while :; do
        gone "$1" && { problem="QEMU ended: $(said "$1")"; return 1; }
        _state=$(state "$1") || { problem="while it loads: $_state"; return 1; }
        case $_state in inmigrate) ;; *) return 0 ;; esac
        [ "$(uptime | cut -d . -f 1)" -lt "$_until" ] || { problem='it does not end loading'; return 1; }
        sleep 0.1
    done
}

# begin NAME N: starts a guest and waits for its tick N; fails with $problem
begin()
{
    : > "$serial"
    problem=
    start "$1" && wait_ticks "$1" "$2" 150 || { problem="it does not start: $reply $waited $(said "$1")"; return 1; }
}

rounds()
{
    n=$1 MACHINE=ppce500,kernel_irqchip=$2 GUEST=$3 CPU=${4:-e500v2_v30}
    case $2 in on) _where='the kernel' ;; *) _where=QEMU ;; esac
    case $3 in count) _what=idle ;; *) _what=busy ;; esac
    name="saved and restored $n times, MPIC in $_where, $_what guest${4:+, -cpu $4}"
    i=0 good=0 bad=0 from='' to=B
    : > /tmp/problems
    while [ "$i" -lt "$n" ]; do
        i=$((i + 1))
        if [ -z "$from" ]; then
            begin A 2 || { echo "$problem" >> /tmp/problems; break; }
            from=A to=B
        fi
        case $((i % 2)) in 1) how=running ;; *) how=stopped ;; esac
        if one_round $from $to $how && problem=$(misbehaved 1) && [ -z "$problem" ]; then
            good=$((good + 1))
            [ $from = A ] && from=B to=A || from=A to=B
        else
            echo "round $i, saved when $how: $problem" >> /tmp/problems
            quit A
            quit B
            from='' bad=$((bad + 1))
            # each takes long
            [ "$bad" -lt 3 ] || { echo "given up after $i of $n" >> /tmp/problems; break; }
        fi
    done
    quit A
    quit B
    if [ "$good" -eq "$n" ] && [ ! -s /tmp/problems ]; then
        passed "$name: $good of $n alive, clock $moved ms off the host's in the last"
    else
        failed "$name: $good of $n alive" "$(cat /tmp/problems)"
    fi
    MACHINE=ppce500 GUEST=count CPU=e500v2_v30
}

# back NAME KIND N: whether the guest went from a stop at the end of a line to tick
# $back + 1, and on from there for N ticks; what it had printed until then has
# $lines lines
back()
{
    goes_on "$1" "$2" "$3" || return 1
    problem=$(misbehaved $((lines + 1)))
    [ -z "$problem" ] || return 1
    _tick=$(tail -n "+$((lines + 1))" "$serial" | sed -n '1s/^guest: tick \([0-9]*\) .*/\1/p')
    [ "$_tick" = $((back + 1)) ] || { problem="it went on with tick $_tick, and not with $((back + 1))"; return 1; }
}

# snapshot_rounds IRQCHIP GUEST N
snapshot_rounds()
{
    MACHINE=ppce500,kernel_irqchip=$1 GUEST=$2 _rounds=$3
    cp /files/snapshots.qcow2 /tmp/snapshots.qcow2
    set -- -drive if=none,id=snapshots,format=qcow2,file=/tmp/snapshots.qcow2
    : > "$serial"
    problem=
    start A "$@" && wait_ticks A 3 150 || { problem="it does not start: $reply $waited $(said A)"; return 1; }
    stop_at_line A || return 1
    back=$(last_tick)
    patience=60 hmp A 'savevm one' > /tmp/said || { problem="savevm: $reply"; return 1; }
    [ ! -s /tmp/said ] || { problem="savevm: $(cat /tmp/said)"; return 1; }
    qmp A cont && wait_ticks A $(($(ticks) + 3)) || { problem="after savevm: $reply $waited"; return 1; }
    _round=0
    while [ "$_round" -lt "$_rounds" ]; do
        _round=$((_round + 1))
        stop_at_line A || return 1
        look
        lines=$(wc -l < "$serial")
        patience=60 hmp A 'loadvm one' > /tmp/said || { problem="loadvm $_round: $reply"; return 1; }
        [ ! -s /tmp/said ] || { problem="loadvm $_round: $(cat /tmp/said)"; return 1; }
        qmp A cont || { problem="after loadvm $_round: $reply"; return 1; }
        # in eight ticks the guest has seen all of its memory
        if [ "$_round" -eq "$_rounds" ]; then _ticks=9; else _ticks=3; fi
        back A kvm "$_ticks" || { problem="after loadvm $_round: $problem"; return 1; }
    done
    stop_at_line A || return 1
    look
    quit A
    [ "$ended" = 0 ] && content A || { problem="it ended with status $ended: $(said A)"; return 1; }
    lines=$(wc -l < "$serial")
    patience=60 start B "$@" -loadvm one && qmp B cont || { problem="-loadvm: $reply $(said B)"; return 1; }
    back B kvm 9 || { problem="after -loadvm: $problem"; return 1; }
    quit B
    [ "$ended" = 0 ] && content B || { problem="it ended with status $ended: $(said B)"; return 1; }
}

snapshots()
{
    for _irqchip in on off; do
        case $_irqchip in on) _where='the kernel' ;; *) _where=QEMU ;; esac
        name="savevm, $1 loadvm in a row, -loadvm, MPIC in $_where, busy guest"
        if snapshot_rounds $_irqchip busy "$1"; then passed "$name"; else failed "$name" "$problem"; fi
        quit A
        quit B
    done
    rm -f /tmp/snapshots.qcow2
    MACHINE=ppce500 GUEST=count
}

# refused NAME REGEX: whether that QEMU, which was given something wrong, ends soon,
# with status 1 and an error that matches; fails with $problem
refused()
{
    ended "$1"
    [ "$ended" = 1 ] || { problem="it ended with status $ended: $(said "$1")"; return 1; }
    # what QEMU's callers say behind the reason, when there is one, is no error of its own
    grep -vE -e ': (Failed to load [^ ]*|error while loading state .*|load of migration failed: .*)$' \
        "/tmp/$1.err" > /tmp/errors || cp "/tmp/$1.err" /tmp/errors
    grep -qE -e "$2" /tmp/errors || { problem="its error does not match $2: $(said "$1")"; return 1; }
    # a hint behind an error has not QEMU's name before it
    _n=$(grep '^qemu-system-ppc: ' /tmp/errors | grep -vcE ': (error while loading state .*|load of migration failed: .*|warning: .*)$') || true
    [ "$_n" -le 1 ] || { problem="$_n errors instead of one: $(said "$1")"; return 1; }
}

# alive_or_refused NAME KIND REGEX: restored, it counts on, or QEMU ends with such an
# error; $outcome says which
alive_or_refused()
{
    if goes_on "$1" "$2" 9; then
        problem=$(misbehaved 1)
        outcome="counts on, clock $moved ms off the host's"
        [ -z "$problem" ]
    else
        gone "$1" || return 1
        outcome="refused: $(said "$1")"
        refused "$1" "$3"
    fi
}

# carry NAME ACCEL KIND REGEX: the guest in /tmp/state goes on under ACCEL, or is refused
carry()
{
    ACCEL=$2
    name="$1 to $2, MPIC in $where"
    cp /tmp/serial.saved "$serial"
    clock=$saved_clock
    start B -incoming file:/tmp/state || true
    if alive_or_refused B "$3" "$4"; then passed "$name: $outcome"; else failed "$name" "$problem"; fi
    quit B
    ACCEL=kvm
}

# saved_for_all ACCEL: a guest under that, saved for carry()
saved_for_all()
{
    ACCEL=$1
    begin A 3 && stop_at_line A && look && qmp A cont && save A || { problem="$problem $reply"; return 1; }
    quit A
    cp "$serial" /tmp/serial.saved
    saved_clock=$clock
}

accelerators()
{
    MACHINE=ppce500,kernel_irqchip=$1
    case $1 in on) where='the kernel with KVM' ;; *) where=QEMU ;; esac
    if saved_for_all tcg; then
        carry tcg tcg tcg 'nothing may refuse this'
        carry tcg kvm ahead '[Tt]ime ?base|TCG|KVM|accel'
    else
        failed 'save under tcg' "$problem"
    fi
    quit A
    if saved_for_all kvm; then
        carry kvm tcg tcg '[Tt]ime ?base|TCG|KVM|accel|hypercall|paravirt'
    else
        failed 'save under kvm' "$problem"
    fi
    quit A
    ACCEL=kvm MACHINE=ppce500
}

# wrong_stream WHAT REGEX OPTION...: a destination that must refuse /tmp/wrong
wrong_stream()
{
    name="a stream $1"
    _regex=$2
    shift 2
    start B "$@" -incoming file:/tmp/wrong || true  # it may end before its monitor answers
    if refused B "$_regex"; then passed "$name: $(said B)"; else failed "$name" "$problem"; fi
    quit B
    rm -f /tmp/wrong
}

# edited COMMAND...: /tmp/wrong is the stream with entries of its TLB changed
edited()
{
    cp /tmp/state /tmp/wrong
    /files/tlb-stream /tmp/wrong "$@"
}

streams()
{
    if ! { begin A 3 && look && save A; }; then
        failed 'save for wrong streams' "$problem"
        quit A
        return
    fi
    size=$(wc -c < /tmp/state)
    head -c $((size / 2)) /tmp/state > /tmp/wrong
    wrong_stream 'that ends in the middle' 'state|stream|migration|read'
    # the TLB comes in the last part, with the CPU's other state
    head -c "$(/files/tlb-stream /tmp/state)" /tmp/state > /tmp/wrong
    wrong_stream 'that ends in the TLB' 'cpu|TLB|tlb|state|stream'
    : > /tmp/wrong
    wrong_stream 'of no bytes' 'state|stream|migration|read'
    for change in 'tsize 0' 'tsize 13' 'tsize 15' 'count 544' 'count 4294967295' 'count 0'; do
        # shellcheck disable=SC2086 # a command and its argument
        edited $change || { failed "a stream with $change" 'no such entry'; continue; }
        wrong_stream "with ${change% *}=${change#* } in its TLB" 'TLB|tlb'
    done
    if [ -n "${1-}" ]; then
        CPU=$1
        cp /tmp/state /tmp/wrong
        wrong_stream "for another TLB, to -cpu $1" 'TLB|tlb'
        CPU=e500v2_v30
    fi
    # and the guest that it all came from
    name='the source goes on after all of that'
    if qmp A cont && goes_on A kvm 9 && problem=$(misbehaved 1) && [ -z "$problem" ]; then
        passed "$name"
    else
        failed "$name" "${problem:-$reply}"
    fi
    quit A
}

# migrated NAME: until a migration has completed; fails with $problem
migrated()
{
    while qmp "$1" query-migrate.status; do
        case $reply in
        completed) return 0 ;;
        failed) break ;;
        esac
        sleep 0.1
    done
    problem="the migration is $reply: $(ask "$1" query-migrate.error-desc || true)"
    return 1
}

# ram NAME: what that QEMU has as guest's RAM goes to /tmp/NAME.ram
ram() { qmp "$1" pmemsave val=0 size=134217728 "filename=/tmp/$1.ram" || { problem="pmemsave: $reply"; return 1; }; }

# So slowly that nobody asks KVM for its log from the start to the end.
one_order()
{
    begin A 2 && stop_at_line A || return 1
    lines=$(wc -l < "$serial")
    qmp A migrate-set-parameters max-bandwidth=1000000 -- migrate uri=file:/tmp/state ||
        { problem="migrate: $reply"; return 1; }
    until [ "$(ask A query-migrate.ram | sed 's/.*"transferred": \([0-9]*\).*/\1/')" -gt 2000000 ]; do sleep 0.1; done
    qmp A cont || { problem="cont: $reply"; return 1; }
    # in eight ticks the guest has written all of its memory
    wait_ticks A $(($(ticks) + 9)) || { problem=$waited; return 1; }
    stop_at_line A && look || return 1
    [ "$(ask A query-migrate.status)" = active ] || { problem='it was over too early'; return 1; }
    qmp A migrate-set-parameters max-bandwidth=0 && migrated A && ram A || return 1
    quit A
    start B -incoming file:/tmp/state && await_load B && ram B || { problem="$problem $reply $(said B)"; return 1; }
    cmp /tmp/A.ram /tmp/B.ram > /tmp/differs 2>&1 || { problem=$(cat /tmp/differs); return 1; }
    qmp B cont && goes_on B kvm 9 && problem=$(misbehaved 1) && [ -z "$problem" ]
}

order()
{
    name='what a guest wrote that was continued and stopped while it was migrated has arrived'
    if one_order; then passed "$name"; else failed "$name" "$problem $reply"; fi
    quit A
    quit B
    rm -f /tmp/A.ram /tmp/B.ram /tmp/state
}

save_out()
{
    begin A 3 >&2 || { echo "$problem" >&2; exit 1; }
    while [ "$(uptime | cut -d . -f 1)" -lt "$1" ]; do sleep 0.5; done
    stop_at_line A || { echo "$problem" >&2; exit 1; }
    look
    qmp A cont && save A || { echo "$problem $reply" >&2; exit 1; }
    quit A
    grep '^guest: ' "$serial" >&2
    echo "host: $clock" >&2
    cat /tmp/state
}

# load_in: the time base is behind by less than the SECONDS of save, and more than 5
load_in()
{
    grep -v '^host: ' /files/serial > "$serial"
    ln -sf /files/state /tmp/state
    # the guest's clock goes on as if it had been saved here, at that time
    clock=$(sed -n 's/^host: //p' /files/serial)
    for CPU in e500v2_v30 e500v2_v30,timebase-wait=3; do
        name="on a host that was booted just now, -cpu $CPU"
        start B -incoming file:/tmp/state || true
        if refused B 'time base is at [0-9]* s and .* only at [0-9]* s'; then
            passed "$name: refused"
        else
            failed "$name" "$problem"
        fi
        quit B
    done
    CPU=e500v2_v30,timebase-wait=60
    name="on a host that was booted just now, -cpu $CPU"
    if start B -incoming file:/tmp/state && goes_on B kvm 9 && problem=$(misbehaved 1) && [ -z "$problem" ]; then
        passed "$name: waits, and counts on, clock $moved ms off"
    else
        failed "$name" "$problem $reply $(said B)"
    fi
    quit B
}

for part; do
    case $part in
    rounds:*)
        IFS=: read -r _ n irqchip guest cpu <<EOF
$part
EOF
        rounds "$n" "$irqchip" "$guest" "$cpu" ;;
    snapshots:*) snapshots "${part#*:}" ;;
    accelerators:*) accelerators "${part#*:}" ;;
    streams) streams ;;
    streams:*) streams "${part#*:}" ;;
    order) order ;;
    save:*) save_out "${part#*:}" ;;
    load) load_in ;;
    *) failed "unknown part '$part'" '' ;;
    esac
done
