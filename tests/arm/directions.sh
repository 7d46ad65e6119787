#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Moves guests between all kernels, in each direction. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/arm/directions.sh [--tap]

Starts guests of cortex-a53 and neoverse-n1, with one CPU and with two, on emulated
hosts that have that CPU, with Linux 6.1, 6.12 and 7.2 each, and migrates each to
all three. Passes when the guest goes on and reads the same identification
registers, cache sizes and PSCI version as before, byte for byte, or when the
destination refuses it as tests/arm/cases/directions says. Then it does so on one
host between QEMU with the series and QEMU without it.

  --tap  a line "ok" or "not ok" for each move instead of a table

Logs: build/logs/arm-directions/.
EOF
}

# run KERNEL CPU LOG OPTION... -- WHAT: tests/arm/in-host/directions.sh there
run()
{
    _kernel=$1 _cpu=$2 _log=$logs/$3
    shift 3
    "$top/hosts/run" --cpu "$_cpu" --log "$_log.console" --file "$top/tests/arm/in-host/directions.sh" \
        "arm64-$_kernel" "$@" < /dev/null 2> "$_log.err"
}

# part save|load|old MODEL KERNEL: one host's part
part()
{
    _dir=$logs/$2
    case $1 in
    save)
        mkdir -p "$_dir/from-$3"
        run "$3" "$2" "$2/save-$3" -- sh /files/directions.sh save "$2" | tar x -C "$_dir/from-$3" ;;
    load)
        run "$3" "$2" "$2/load-$3" --file "$_dir/from-6.1" --file "$_dir/from-6.12" --file "$_dir/from-7.2" \
            -- sh /files/directions.sh load "$2" | sed "s/^/$2 $3 /" ;;
    old)
        run "$3" "$2" "$2/old-$3" --file "$build/root-base-arm64/bin/qemu-system-aarch64:qemu-base" \
            -- sh /files/directions.sh old "$2" | sed "s/^/$2 /" ;;
    esac
}

logs=$build/logs/arm-directions
tap=
case ${1-} in
'') ;;
--tap) tap=yes ;;
--part)
    shift
    part "$@"
    exit ;;
--help | -h) usage; exit 0 ;;
*) die "unknown option '$1'; see tests/arm/directions.sh --help" ;;
esac

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
for base in --keep-work --base; do "$top/scripts/qemu-tree" $base >&3; done
for base in '' --base; do
    # shellcheck disable=SC2086 # an option or none
    "$top/scripts/build-qemu" $base arm64 >&3
done
"$top/hosts/build" arm64-6.1 arm64-6.12 arm64-7.2 >&3
rm -rf "$logs"
mkdir -p "$logs"
say "migrating 40 guests (logs: ${logs#"$top"/}/)" >&3
for what in save load; do
    for model in cortex-a53 neoverse-n1; do
        for kernel in 6.1 6.12 7.2; do echo "$what $model $kernel"; done
    done | xargs -P "$jobs" -L 1 sh "$0" --part > "$logs/moves" || true
done
sh "$0" --part old cortex-a53 7.2 >> "$logs/moves" || true

# MODEL TO FROM CPUS OUTCOME against MODEL FROM TO REGEXP
awk -v tap="$tap" '
    FILENAME == ARGV[1] {
        if (/^(#|$)/) next
        key = $1 " " $2 " " $3
        sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "")
        expected[key] = $0
        next
    }
    {
        key = $1 " " $3 " " $2
        cpus = $4
        sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, "")
        ok = (key in expected) && $0 ~ expected[key]
        bad += !ok
        split(key, k)
        if (tap) print (ok ? "ok" : "not ok") " - " k[1] ", " cpus " vCPU, " k[2] " to " k[3] ": " $0
        else printf "%-12s %d vCPU  %-6s to %-6s %s%s\n", k[1], cpus, k[2], k[3], $0, ok ? "" : "   NOT as expected"
        n++
    }
    END {
        if (tap) print "1..40"
        exit bad || n != 40
    }' "$top/tests/arm/cases/directions" "$logs/moves" ||
    die "not every guest ended as expected, or some were not moved; logs: $logs/"
