#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/headers/build.sh [KERNEL]
#
# The series compiles with the headers of KERNEL (default: newest, the newest
# that are packaged), as scripts/update-linux-headers.sh takes it: for arm64 and
# powerpc hosts, every file of QEMU with kvm in its name, and those that QEMU
# needs to be changed with such headers (those of patches/headers/). That it
# compiles with those that the base has is what the builds of the series show.
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=scripts/series.sh
. "$top/scripts/series.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
kernel=${1:-newest}

need_tree
need_space 2000
work=$build/headers
if [ ! -e "$work/qemu" ]; then
    qgit "$tree" worktree prune
    qgit "$tree" worktree add -q --detach "$work/qemu" series
fi
qgit "$work/qemu" checkout -q --force --detach "$(qgit "$tree" rev-parse series)" 2>/dev/null ||
    die "$work/qemu is not a work tree of $tree (was that made anew?); remove it: rm -rf $work"
qgit "$work/qemu" clean -q -f -d linux-headers include/standard-headers
said=$("$top/scripts/update-linux-headers.sh" "$kernel" "$work/qemu")
version=$(echo "$said" | sed -n 's/^== \(Linux [^,]*\),.*/\1/p')
say "${said#== }"
wanted=kvm
for patch in $(adaptations "$work/qemu"); do
    qgit "$work/qemu" apply "$top/patches/headers/$patch"
    wanted="$wanted|$(sed -n 's,^+++ b/.*/\(.*\)\.c$,\1,p' "$top/patches/headers/$patch" | paste -sd '|' -)"
done

for which in arm64 ppc; do
    why=$(left_out "$which")
    [ -z "$why" ] || { skip "$which: the series compiles with the headers of $version" "$why"; continue; }
    export QEMU_TREE="$work/qemu" OBJ="$work/headers-$which"
    rc=0
    # Only after it is configured is it known what there is to build.
    "$top/scripts/build-qemu" "$which" build.ninja || rc=$?
    objects=$(ninja -C "$OBJ" -t targets all | sed -nE "s/^([^ ]*($wanted)[^/ ]*\.c\.o): .*/\1/p")
    # shellcheck disable=SC2086 # a list
    [ "$rc" -ne 0 ] || "$top/scripts/build-qemu" "$which" $objects || rc=$?
    if [ "$rc" -eq 0 ] && [ "$(echo "$objects" | grep -c .)" -ge 5 ]; then
        ok "$which: $(echo "$objects" | wc -l) files ($wanted) compile with the headers of $version"
    else
        not_ok "$which: the series compiles with the headers of $version" "see above, and $build/logs/${OBJ##*/}-build.log"
    fi
done
done_testing
