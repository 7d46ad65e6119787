#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/lib/qtest.sh ARCH TEST [HOST [OPTION...]]
#
# Runs the qtest TEST with qemu-system-ARCH: as scripts/build-qemu built it for
# this machine, or in HOST, with these options of hosts/run. TEST can be a unit
# test: then ARCH is "unit". QTEST_ARGS= has more of the test's own options: -m slow.
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

[ $# -ge 2 ] || die "bad arguments: $*; it is ARCH TEST [HOST [OPTION...]]"
arch=$1 test=$2
shift 2
if [ "$arch" = unit ]; then
    exec "$build/obj-native/tests/unit/$test" --tap
elif [ $# -eq 0 ]; then
    QTEST_QEMU_BINARY=$build/obj-native/qemu-system-$arch exec "$build/obj-native/tests/qtest/$test" --tap -k
fi
host=$1
shift
# shellcheck disable=SC2086 # a list
exec "$top/hosts/run" "$@" "$host" -- env "QTEST_QEMU_BINARY=/bin/qemu-system-$arch" "/bin/$test" --tap -k ${QTEST_ARGS-}
