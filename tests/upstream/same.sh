#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/upstream/same.sh [--all] ARCH
#
# Have QEMU's own qtests for ARCH the same results with the series and without
# it? A line for each, as TAP. One that fails in both has to be listed in
# tests/upstream/cases/fails: our builds have so few devices that some cannot
# pass. --all runs migration-test too, which takes a quarter of an hour.
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/upstream/common.sh
. "$top/tests/upstream/common.sh"

but=migration-test
if [ "${1-}" = --all ]; then but=- && shift; fi
arch=${1-}
case " $archs " in
*" $arch "*) ;;
*) die "bad arguments: $*; ARCH is one of $archs" ;;
esac
ours='accel-cpu-type-test kvm-arm-target-test kvm-booke-tlb-test'
logs=$build/logs/upstream
mkdir -p "$logs"

# results OBJ: "TEST RESULT" for each, by QEMU's test runner
results()
{
    # shellcheck disable=SC2046,SC2086 # lists
    meson_test "$1" --no-rebuild --num-processes "$jobs" --logbase "$arch" \
        $(qtests "$1" "$arch" | grep -vx -e "$but" $(printf ' -e %s' $ours) | sed "s|^|qtest-$arch/|") 2>&1 |
        sed -n 's|^ *[0-9]*/[0-9]* .*/ qtest-\([^ ]*\) *\([A-Z]*\).*|\1 \2|p' | sort
}

results "$build/obj-native" > "$logs/$arch"
results "$build/obj-base-native" > "$logs/$arch-base"
known=$top/tests/upstream/cases/fails
join -a 1 -a 2 -e missing -o 0,1.2,2.2 "$logs/$arch" "$logs/$arch-base" | awk -v known="$known" -v arch="$arch" '
    BEGIN { while ((getline line < known) > 0) if (line ~ "^" arch "/") { split(line, w, ";"); why[w[1]] = w[2] } }
    {
        n++
        bad = ""
        if ($2 != $3) bad = "it is " $2 " with the series and " $3 " without"
        else if ($2 != "OK" && $2 != "SKIP" && !($1 in why)) bad = "it is " $2 " with the series and without; say why in tests/upstream/cases/fails"
        else if (($2 == "OK" || $2 == "SKIP") && $1 in why) bad = "it is " $2 ", and tests/upstream/cases/fails lists it"
        seen[$1]
        if (bad) { print "not ok " n " - " $1; print "#   " bad; failed++ }
        else print "ok " n " - " $1 ($2 == "SKIP" ? " # SKIP by QEMU'"'"'s own rules" : $2 == "OK" ? "" : ": " $2 " with the series and without:" why[$1])
    }
    END {
        for (t in why) if (!(t in seen)) { print "not ok " ++n " - " t " is listed in tests/upstream/cases/fails and did not run"; failed++ }
        print "1.." n + 0
        exit failed > 0 || n == 0
    }'
