# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034 # sourced
#
# For the scripts that run in an e500v2 host: QEMUs with a Linux guest, each
# with a name, A or B, their monitors, and what their guests print. To be sourced
# after `set -eu`.

: "${ACCEL:=kvm}" "${CPU:=e500v2_v30}" "${MACHINE:=ppce500}" "${GUEST:=count}"
serial=/tmp/serial      # what the guests print: one behind the other
patience=30             # seconds to wait for what takes one or two
reply='' waited=''

# start NAME OPTION...: QEMU, with its standard error in /tmp/NAME.err; when its
# monitor does not answer, or it ends, it fails with the reason in $reply
start()
{
    _name=$1
    shift
    # shellcheck disable=SC2086 # WRAP is a command with arguments, or nothing
    ${WRAP-} "${QEMU:-qemu-system-ppc}" -M "$MACHINE" -accel "$ACCEL" -cpu "$CPU" -m 128 -nodefaults -display none \
        -chardev "file,id=serial,path=$serial,append=on" -serial chardev:serial \
        -qmp "unix:/tmp/$_name.qmp,server=on,wait=off" \
        -kernel "$HOST_GUESTS/vmlinux" -initrd "$HOST_GUESTS/initrd-ppc" \
        -append "console=ttyS0 quiet guest=$GUEST" "$@" < /dev/null > "/tmp/$_name.err" 2>&1 &
    echo "$!" > "/tmp/$_name.pid"
    until qmp "$_name" query-status; do
        # nobody listens at first
        [ "$?" -eq 3 ] && ! gone "$_name" || return 1
        sleep 0.1
    done
}

# qmp NAME COMMAND...: tests/lib/qmp.c, with what it says in $reply
qmp()
{
    local to="/tmp/$1.qmp"
    shift
    reply=$(command qmp -t "$patience" "$to" "$@" 2>&1)
}

# ask NAME COMMAND...: prints it
ask()
{
    local status=0
    qmp "$@" || status=$?
    [ -z "$reply" ] || printf '%s\n' "$reply"
    return "$status"
}

# hmp NAME COMMAND: prints what the human monitor does
hmp() { ask "$1" human-monitor-command "command-line=$2"; }

# state NAME: QEMU's word for it: running, paused, inmigrate
state() { ask "$1" query-status.status; }

# uptime: the host's, in seconds and hundredths
uptime() { read -r _up _ < /proc/uptime && printf '%s\n' "$_up"; }

# gone NAME: whether that QEMU has ended
gone() { ! kill -0 "$(cat "/tmp/$1.pid")" 2> /dev/null; }

# ended NAME: waits for its end; its exit status is in $ended, which is "hang"
# when it had to be killed
ended()
{
    _pid=$(cat "/tmp/$1.pid")
    _until=$(($(uptime | cut -d . -f 1) + patience))
    ended=
    while kill -0 "$_pid" 2> /dev/null; do
        if [ "$(uptime | cut -d . -f 1)" -ge "$_until" ]; then
            kill -9 "$_pid"
            ended=hang
            break
        fi
        sleep 0.1
    done
    _status=0
    wait "$_pid" 2> /dev/null || _status=$?
    : "${ended:=$_status}"
    rm "/tmp/$1.pid"
}

# quit NAME: ends it, by force when it does not want to
quit()
{
    [ -e "/tmp/$1.pid" ] || return 0
    patience=5 qmp "$1" quit || kill -9 "$(cat "/tmp/$1.pid")" 2> /dev/null || true
    ended "$1"
}

# ticks: how many lines of ticks there are; last_tick: the last one's number
ticks() { grep -c '^guest: .*tick .*[a-z]' "$serial" || true; }
last_tick() { sed -n 's/^guest: \(BAD \)\{0,1\}tick \([0-9]*\) .*/\2/p' "$serial" | tail -n 1; }

# tick_clock: the clock in the last tick, in ms
tick_clock()
{
    sed -n 's/^guest: .*tick [0-9]* uptime=\([0-9]*\)\.\([0-9]*\) .*/\1\2/p' "$serial" | tail -n 1
}

# wait_ticks NAME N [SECONDS]: until there are N lines of ticks; fails, with the
# reason in $waited, when QEMU ends or none comes for that long
wait_ticks()
{
    _n=$(ticks)
    _last=$(uptime | cut -d . -f 1)
    while [ "$_n" -lt "$2" ]; do
        sleep 0.1
        if gone "$1"; then
            waited="QEMU ended: $(head -n 1 "/tmp/$1.err")"
            return 1
        fi
        _now=$(ticks)
        if [ "$_now" -gt "$_n" ]; then
            _n=$_now
            _last=$(uptime | cut -d . -f 1)
        elif [ "$(uptime | cut -d . -f 1)" -ge $((_last + ${3:-$patience})) ]; then
            waited="the guest is dead: no tick in ${3:-$patience} s after tick $(last_tick)"
            _state=$(patience=5 state "$1") ||
                { waited="$waited, and QEMU's monitor does not answer"; return 1; }
            waited="$waited (it is $_state)"
            return 1
        fi
    done
}

# misbehaved FROM: what is wrong with what the guest printed from line FROM on:
# anything but its ticks in order, and a clock that goes back or stands. Empty
# when all is well.
misbehaved()
{
    tail -n "+$1" "$serial" | tr -d '\r' | awk '
        /^guest: tick [0-9]+ uptime=[0-9.]+ (slept|worked)=[0-9.]+ ok$/ {
            now = substr($4, 8) + 0
            if (n && $3 != n + 1) bad = bad "; tick " $3 " behind tick " n
            if (now <= last) bad = bad "; the clock went from " last " to " now
            n = $3; last = now
            next
        }
        /^(guest: up .*|qemu_e500_setup_arch\(\))?[ ]*$/ { next }
        { line = $0 }
        # the last line may be on its way
        { pending[NR] = $0 }
        END {
            for (i = 1; i < NR; i++) if (i in pending) bad = bad "; it said: " pending[i]
            print substr(bad, 3, 300)
        }'
}

# passed NAME / failed NAME WHY: a test's line
passed() { echo "ok - $1"; }
failed() { echo "not ok - $1"; printf '%s\n' "$2" | sed 's/^/#   /'; }

# said NAME: QEMU's standard error, in one line
said() { tr '\n' ' ' < "/tmp/$1.err"; }

# content NAME: whether that QEMU said nothing but warnings
content() { ! grep -qv ': warning: ' "/tmp/$1.err"; }
