#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guests of the emulated e500v2 host are saved and restored. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/booke/common.sh
. "$top/tests/booke/common.sh"

usage()
{
    cat <<EOF
Usage: tests/booke/migrate.sh [--short] [--tap | --base] [--no-build]

Saves Linux guests on the emulated e500v2 host into a file, running and
stopped, and restores them: ten times in a row each of an idle and a busy one,
with the MPIC in the kernel and in QEMU. Such a guest counts and checks its
memory and its clock (hosts/guest-init.c). It has to go on with the next number,
with its memory as it was and its clock ahead by the time that passed. Then:
savevm and loadvm; a TLB0 with 2048 entries; from TCG to KVM and back; on a host
that was booted just now; a guest
that is continued and stopped while it is migrated; and streams that are wrong, which
have to be refused with one error, and leave the guest that they come from as it is. Prints a line
"ok" or "not ok" for each. Exit status 1 if one is not.

  --short     each of the four once, one host, and some wrong streams
  --tap       nothing but these lines
  --base      QEMU without the series, and nothing expected of it
  --no-build  QEMU as build/root-ppc has it

Logs: build/logs/booke-migrate/.
EOF
}

booke_options "$@"
need_packages qemu-utils
booke_begin booke-migrate
make_tmp
qemu-img create -q -f qcow2 "$tmp/snapshots.qcow2" 64M
powerpc-linux-gnu-gcc -static -O2 -Wall -Wextra -Werror -o "$tmp/tlb-stream" "$top/tests/booke/tlb-stream.c"

# parts NAME SECONDS PART...: in one host
parts()
{
    _name=$1 _limit=$2
    shift 2
    in_host "$_name" "$_limit" --file "$tmp/snapshots.qcow2" --file "$tmp/tlb-stream" -- migrate.sh "$@"
}

# A stream from a host whose clock is ahead of the one's that gets it.
fresh()
{
    name='on a host that was booted just now'
    # shellcheck disable=SC2086 # an option or none
    if "$top/hosts/run" $base --timeout 300 --memory 1024 --log "$logs/fresh-save.console" \
        --file "$top/tests/booke/in-host/qemu.sh" --file "$top/tests/booke/in-host/migrate.sh" \
        e500v2 -- sh /files/migrate.sh save:20 < /dev/null > "$tmp/state" 2> "$tmp/serial"; then
        in_host fresh 300 --file "$tmp/state" --file "$tmp/serial" -- migrate.sh load
    else
        { echo "not ok - $name: not saved"; sed 's/^/#   /' "$tmp/serial"; } | tee "$logs/fresh.log"
    fi
}

wide=e500v2_v30,tlb0-entries=2048,tlb0-ways=4
if [ -n "$short" ]; then
    tests=4
    parts short 600 rounds:1:on:count rounds:1:off:count rounds:1:on:busy rounds:1:off:busy
else
    n=10
    [ -z "$base" ] || n=3 wide=     # none of them comes back, and that takes long
    for irqchip in on off; do
        for guest in count busy; do
            parts "$irqchip-$guest" 900 "rounds:$n:$irqchip:$guest"
        done
    done
    parts snapshots 600 snapshots:10
    [ -n "$base" ] || parts wide 600 "rounds:2:on:busy:$wide"
    parts accelerators 600 accelerators:on accelerators:off
    fresh
    # rounds, snapshots, rounds with larger TLBs, accelerators, fresh
    tests=$((4 + 2 + 1 + 6 + 3))
fi
parts order 600 order
parts streams 600 "streams${wide:+:$wide}"
booke_end $((tests + 12))
