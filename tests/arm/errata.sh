#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does a guest know of the errata and vulnerabilities of the CPU that it runs on? See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

usage()
{
    cat <<USAGE
Usage: tests/arm/errata.sh [CPU...]

Starts a Linux 7.2 guest for each case of tests/arm/cases/errata, on emulated arm64 hosts
with these CPUs (all) and Linux 7.2, and compares what it detects and what it has in
/sys/devices/system/cpu/vulnerabilities with what the host's own kernel has there. Prints TAP.

Logs: build/logs/arm-errata/.
USAGE
}

case ${1-} in
--help | -h) usage; exit 0 ;;
-*) die "unknown option '$1'; see tests/arm/errata.sh --help" ;;
esac
cases=$top/tests/arm/cases/errata
# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(sed -n '/^#/!s/;.*//p' "$cases" | uniq)
for cpu; do
    grep -q "^$cpu;" "$cases" || die "CPU '$cpu': tests/arm/cases/errata has $(sed -n '/^#/!s/;.*//p' "$cases" | uniq | xargs)"
done
logs=$build/logs/arm-errata
mkdir -p "$logs"
make_tmp
"$top/hosts/build" arm64-7.2 >&2

# missing FILE: what the host has, and the guest of "guest: " lines has not, or is better off
missing()
{
    tr -d '\r' < "$1" | awk '
        function grade(s) { return s ~ /^Not affected/ ? 0 : s ~ /^Mitigation/ ? 1 : 2 }
        /^host: detected: / && /errat|Spectre/ { want[substr($0, 7)]; next }
        /^host: / { sub(/^host: /, ""); name = $1; sub(/^[^ ]* /, ""); is[name] = $0; next }
        /^guest: detected: / { has[substr($0, 8)]; next }
        /^guest: up / { up = 1; next }
        /^guest: / { sub(/^guest: /, ""); name = $1; sub(/^[^ ]* /, ""); now[name] = $0 }
        END {
            if (!up) print "the guest did not come up"
            for (w in want) { n++; if (!(w in has)) print "not " w }
            for (v in is) if (v in now) { n++; if (grade(now[v]) < grade(is[v])) print v " " now[v] ", and here " is[v] }
            if (!n) print "nothing to compare"
        }'
}

for cpu; do
    log=$logs/$cpu
    sed -n "s/^$cpu;\(.*\);.*/\1/p" "$cases" > "$tmp/options"
    "$top/hosts/run" --cpu "$cpu" --memory 2048 --log "$log.console" --file "$top/tests/arm/in-host/errata.sh" \
        --file "$build/hosts/kernel-arm64-7.2/kernel:Image" arm64-7.2 -- sh /files/errata.sh < "$tmp/options" > "$log" 2> "$log.err" ||
        echo "the host ended with status $?: $(tail -n 1 "$log.err")" >> "$log"
    sed -n "s/^$cpu;//p" "$cases" > "$tmp/cases"
    n=0
    while IFS=\; read -r options what; do
        n=$((n + 1))
        awk -v n="$n" '/^case / { at++ } !at || at == n' "$log" > "$tmp/case"
        missing "$tmp/case" > "$tmp/missing"
        name="$cpu: -cpu $options: the guest knows $what"
        case $what-$(cat "$tmp/missing") in
        all- | less-*'not detected: ARM erratum'*) ok "$name" ;;
        *) tail -n 3 "$tmp/case" >> "$tmp/missing"
           not_ok "$name" - < "$tmp/missing" ;;
        esac
    done < "$tmp/cases"
done
done_testing
