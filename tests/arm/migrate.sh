#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Migration of KVM guests between arm64 hosts. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/arm/migrate.sh [--tap]

For each case of tests/arm/cases/migrate: starts a Linux guest on the one emulated
arm64 host, has it count, migrates it into a file, and resumes it from there on
the other. Passes when the guest goes on with the next number, counts five more
and its clock does not jump, or when the destination refuses in the words that
the case gives. Prints a table; exit status 1 if a case does not end so.

  --tap  a line "ok" or "not ok" for each case instead of the table

Logs: build/logs/arm-migrate/.
EOF
}

tap=
case ${1-} in
'') ;;
--tap) tap=yes ;;
--help | -h) usage; exit 0 ;;
*) die "unknown option '$1'; see tests/arm/migrate.sh --help" ;;
esac

# on "KERNEL CPU" ARG...: runs tests/arm/in-host/migrate.sh there
on()
{
    _on=$1
    shift
    "$top/hosts/run" --cpu "${_on#* }" --timeout 180 --log "$log.console" --file "$top/tests/arm/in-host/migrate.sh" \
        "$@" < /dev/null
}

# outcome STATUS: "resumes" when the guest's output on both hosts, one right
# behind the other, counts from 1 up and its clock goes on, in spite of the
# hosts' different ones; else what QEMU said, or hosts/run
outcome()
{
    if [ "$1" -eq 0 ]; then
        cat "$log.from" "$log.to" | tr -d '\r' | awk '
            /^guest: tick / {
                now = substr($4, 8) + 0
                if ($3 != ++n || now < last || now > last + 20) bad = bad "; " $0
                last = now
            }
            END { print bad ? "does not count on" bad : "resumes" }'
    else
        sed -n 's/^qemu-system-aarch64: //p' "$log.err" | tr '\n' ' ' | grep . || tail -n 1 "$log.err"
    fi
}

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
"$top/scripts/qemu-tree" --keep-work >&3
"$top/scripts/build-qemu" arm64 >&3
"$top/hosts/build" arm64-6.1 arm64-6.12 arm64-7.2 >&3
logs=$build/logs/arm-migrate
rm -rf "$logs"
mkdir -p "$logs"
make_tmp
cases() { grep -v -e '^#' -e '^$' "$top/tests/arm/cases/migrate"; }
say "migrating $(cases | wc -l) guests (logs: ${logs#"$top"/}/)" >&3

[ -n "$tap" ] || printf '\n%-12s  %-16s  %-16s  %s\n' -cpu from to outcome
cases > "$tmp/cases"
failed=0 n=0 saved=
while IFS=\; read -r model from to expected; do
    n=$((n + 1))
    log=$logs/$n
    # one guest can go to many places
    if [ "$saved" != "$model $from" ]; then
        saved="$model $from"
        status=0
        on "$from" "arm64-${from% *}" -- sh /files/migrate.sh save 3 -cpu "$model" \
            > "$tmp/state" 2> "$tmp/from" || status=$?
    fi
    cp "$tmp/from" "$log.from"
    if [ "$status" -eq 0 ]; then
        moved=0
        on "$to" --file "$tmp/state:state" "arm64-${to% *}" -- sh /files/migrate.sh load 5 -cpu "$model" \
            > "$log.to" 2> "$log.err" || moved=$?
        result=$(outcome "$moved")
    else
        result="did not start, or was not saved: $(tail -n 1 "$tmp/from")"
    fi
    verdict=ok
    if ! printf '%s\n' "$result" | grep -q -e "$expected"; then
        verdict='not ok'
        failed=$((failed + 1))
    fi
    if [ -n "$tap" ]; then
        echo "$verdict - $model from $from to $to: $result"
    else
        printf '%-12s  %-16s  %-16s  %s\n' "$model" "$from" "$to" "$result"
        [ "$verdict" = ok ] || echo "    NOT as expected; logs: $log.*"
    fi
done < "$tmp/cases"
[ -z "$tap" ] || echo "1..$(cases | wc -l)"
[ "$failed" -eq 0 ] || die "$failed of $n guests did not end as expected; logs: $logs/"
