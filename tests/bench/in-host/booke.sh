#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# booke.sh RESETS: runs in an e500v2 host; what a reset and translations
# cost with /files/qemu-base (without the series) and with qemu-system-ppc, in lines
# "NAME VALUE". The guest is a small one that never runs, so that a reset has
# hardly anything to load.

set -eu
# shellcheck source=tests/booke/in-host/qemu.sh
. "${0%/*}/qemu.sh"
resets=$1

# begin QEMU OPTION...: as A, with what it traces in /tmp/A.err
begin()
{
    QEMU=$1
    shift
    start A -S -kernel "$HOST_GUESTS/bare-ppc" "$@" || { echo "$QEMU does not start: $reply $(said A)" >&2; exit 1; }
}

# trace on|off: of vCPU ioctls
trace()
{
    case $1 in on) _on=true ;; *) _on=false ;; esac
    qmp A trace-event-set-state name=kvm_vcpu_ioctl "enable=$_on"
}

# traced [TYPE]: how many were, of that type
traced() { grep -c "^kvm_vcpu_ioctl .*type 0x${1-}" /tmp/A.err || true; }

# reset_done: a reset, and an answer that comes behind it
reset_done() { qmp A system_reset -- query-status; }

# ms COMMAND: what it takes, with an answer behind it, least of five times RESETS in a row
ms()
{
    _what=$1 _i=0
    set --
    while [ "$_i" -lt "$resets" ]; do
        set -- "$@" "$_what" -- query-status --
        _i=$((_i + 1))
    done
    for _try in 1 2 3 4 5; do
        _begin=$(uptime | tr -d .)
        patience=600 qmp A "$@" query-status
        echo "$(($(uptime | tr -d .) - _begin)) $resets"
    done | awk '{ t = $1 * 10 / $2; if (NR == 1 || t < least) least = t } END { printf "%.1f\n", least }'
}

# reset_ms: of one reset, without what the questions take
reset_ms() { echo "$(ms system_reset) $(ms query-status)" | awk '{ printf "%.1f\n", $1 - $2 }'; }

for which in base series; do
    case $which in base) qemu=/files/qemu-base ;; *) qemu='qemu-system-ppc' ;; esac
    begin $qemu
    reset_done
    trace on
    reset_done
    trace off
    echo "$which-reset-ioctls $(traced)"
    echo "$which-reset-dirty-tlb $(traced 8010aeaa)"
    echo "$which-reset-528 $(reset_ms)"
    quit A
    begin $qemu
    hmp A 'info registers' > /tmp/said  # the sync that a stop makes
    trace on
    _i=0
    while [ "$_i" -lt 1000 ]; do
        hmp A "gva2gpa $((_i * 4096))" > /tmp/said
        _i=$((_i + 1))
    done
    echo "$which-translated $(cat /tmp/said)"
    echo "$which-translations $(traced)"
    reset_done
    # a trace that has nothing then has none of the above either
    echo "$which-traced $(traced)"
    quit A
done
CPU=e500v2_v30,tlb0-entries=4096,tlb0-ways=4,tlb1-entries=64
begin qemu-system-ppc
echo "series-reset-4160 $(reset_ms)"
quit A
