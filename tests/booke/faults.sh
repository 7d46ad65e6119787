#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A BookE guest whose KVM fails. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/booke/common.sh
. "$top/tests/booke/common.sh"

usage()
{
    cat <<EOF
Usage: tests/booke/faults.sh [--short | --todo] [--tap] [--no-build]

Goes through the cases of tests/booke/cases/faults on the emulated e500v2 host:
KVM refuses a call while a guest starts, runs, is reset, saved or restored. It
has to go on as if nothing had been, or QEMU says once what was refused, and ends,
or stops the guest, which is as it was, or can be reset, once KVM works again.
Prints a line "ok" or "not ok" for each. Exit status 1 if one is not.

  --short     those that are marked so
  --todo      those that QEMU does not pass yet, and no others
  --tap       nothing but these lines
  --no-build  QEMU as build/root-ppc has it

Logs: build/logs/booke-faults/.
EOF
}

todo=
if [ "${1-}" = --todo ]; then
    todo=yes
    shift
fi
booke_options "$@"
[ -z "$base" ] || die '--base: without the series these cases have no answer'
need_packages qemu-utils
booke_begin booke-faults
make_tmp
qemu-img create -q -f qcow2 "$tmp/snapshots.qcow2" 64M
powerpc-linux-gnu-gcc -shared -fPIC -O2 -Wall -Werror -o "$tmp/kvm-fault.so" "$top/tests/lib/kvm-fault.c" "$top/tests/lib/faults.c"
if [ -n "$todo" ]; then marks=todo; elif [ -n "$short" ]; then marks=short; else marks='short long'; fi
# shellcheck disable=SC2086 # a list
in_host booke-faults 1200 --file "$tmp/snapshots.qcow2" --file "$tmp/kvm-fault.so" \
    --file "$top/tests/booke/cases/faults" -- faults.sh $marks
booke_end "$(grep -cE "^($(echo "$marks" | tr ' ' '|'));" "$top/tests/booke/cases/faults")"
