#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The main job: builds what is missing, boots each case on its emulated host
# and prints what became of it, against what is expected. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/run/table.sh [--tap | --base] [NAME]

Builds QEMU with the series and the emulated KVM hosts where that has not been
done, boots every case of tests/run/cases/NAME (default: run) and prints a table.
Exit status 1 if any case does not end as expected. Logs: build/logs/NAME/.

Cases whose host or QEMU this machine cannot build are left out, with a line
that says why.

  --tap   a line "ok" or "not ok" for each case instead of the table
  --base  with QEMU without the series, and nothing expected of the outcome;
          logs: build/logs/NAME-base/
EOF
}

cases() { grep -v -e '^#' -e '^$' "$top/tests/run/cases/$name"; }

# build_for HOST: for which WHICH of build-qemu that is
build_for() { case $1 in arm64*) echo arm64 ;; e500v2) echo ppc ;; *) echo "$1" ;; esac; }

# outcome LOG STATUS: one line from what QEMU and the guest printed; and first
# what the guest ran under, as it sees it.
outcome()
{
    tr -d '\r' < "$1" | awk -v status="$2" '
        / up kernel=/ || /^bare: up / {
            for (i = 1; i <= NF; i++) {
                n = index($i, "=")
                v[substr($i, 1, n - 1)] = substr($i, n + 1)
            }
            what = v["kernel"] ? "Linux " v["kernel"] " " v["machine"] \
                 : v["midr"] ? "MIDR " v["midr"] " " v["state"] \
                 : "PVR " v["cpu"]
            under = v["accel"] == "none" ? "tcg" : v["accel"]
        }
        /^qemu-system-[a-z0-9_]*: falling back to / {
            sub(/^[^:]*: falling back to [a-z]*: /, "")
            if (match($0, / cannot run (CPU type|machine) .[^:]*: /)) {
                why = "; " substr($0, 1, RSTART - 1) " declined: " \
                      substr($0, RSTART + RLENGTH)
            }
            next
        }
        /^boot-guest: / {
            for (i = 1; i <= NF; i++) {
                sub(/^seconds=/, "", $i) && seconds = $i
            }
            next
        }
        /^qemu-system/ { sub(/^[^:]*: /, ""); error = error " " $0; next }
        /^  [a-z]+: / && error { error = error " " $1 " " substr($0, index($0, $2)) ";" }
        END {
            if (what && status == 0) {
                print under " " what " up in " seconds " s" why
            } else if (error) {
                print "- refused, exit " status ":" error
            } else {
                print "- no guest, exit " status why
            }
        }'
}

# one_case N: runs that case; result and log in build/logs/run/N.*
one_case()
{
    line=$(cases | sed -n "$1p")
    IFS=\; read -r host options guest arguments under expected <<EOF
$line
EOF
    host_options='' guest_env='' where=$host
    for word in $options; do
        case $word in
        NO_KVM) guest_env="$guest_env NO_KVM=1" where="$where no /dev/kvm" ;;
        INJECT=*) guest_env="$guest_env $word" where="$where ${word#INJECT=}" ;;
        *) host_options="$host_options $word"
           case $word in --cpu) ;; *) where="$where $word" ;; esac ;;
        esac
    done
    status=0
    case $guest in
    arm64 | arm | bare-arm) command="qemu-system-aarch64 $arguments" ;;
    *ppc) command="qemu-system-ppc $arguments" ;;
    x86_64) command="qemu-system-x86_64 $arguments" ;;
    *) command="$guest $arguments" ;;
    esac
    why=$(left_out "$(build_for "$host")")
    if [ -n "$why" ]; then
        printf '%s\n' "skip;$where;$command;- left out: $why" > "$logs/$1.result"
        return
    fi
    # shellcheck disable=SC2086 # lists of options
    "$top/hosts/run" $base --timeout 300 $host_options --log "$logs/$1.console" \
        --file "$top/tests/run/in-host/boot-guest.sh" "$host" -- env $guest_env sh /files/boot-guest.sh "$guest" $arguments \
        < /dev/null > "$logs/$1.log" 2>&1 || status=$?
    result=$(outcome "$logs/$1.log" "$status")
    verdict=ok
    if [ -z "$base" ] && { [ "${result%% *}" != "$under" ] ||
       ! printf '%s\n' "${result#* }" | grep -q -e "$expected"; }; then
        verdict='not ok'
    fi
    printf '%s\n' "$verdict;$where;$command;$result" > "$logs/$1.result"
    [ -n "$tap" ] || say "$1: $where: $command: ${result%% *}, ${result#* }$([ "$verdict" = ok ] || echo ' (NOT as expected)')"
}

tap='' base='' one=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --base) base=--base; shift ;;
    --case) one=$2; shift 2 ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option $1; see tests/run/table.sh --help" ;;
    *) break ;;
    esac
done
name=${1-run}
[ -e "$top/tests/run/cases/$name" ] ||
    die "there are no cases '$name'; tests/run/cases/ has $(ls "$top/tests/run/cases")"
logs=$build/logs/$name${base:+-base}
if [ -n "$one" ]; then one_case "$one"; exit; fi

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
# shellcheck disable=SC2086 # an option or none
"$top/scripts/qemu-tree" ${base:---keep-work} >&3
hosts=$(cases | cut -d \; -f 1 | sort -u)
builds=$(for host in $hosts; do build_for "$host"; done | sort -u)
# shellcheck disable=SC2086 # a list
builds=$(buildable $builds)
for which in $builds; do
    # shellcheck disable=SC2086 # an option or none
    "$top/scripts/build-qemu" $base "$which" >&3
done
for host in $hosts; do
    for which in $builds; do
        [ "$which" != "$(build_for "$host")" ] || "$top/hosts/build" "$host" >&3
    done
done

n=$(cases | wc -l)
rm -rf "$logs"
mkdir -p "$logs"
say "booting $n cases, $jobs at a time (logs: ${logs#"$top"/}/)" >&3
# shellcheck disable=SC2086 # an option or none
seq "$n" | xargs -P "$jobs" -I N sh "$0" ${tap:+--tap} $base --case N "$name"

failed=0
if [ -z "$tap" ]; then
    printf '\n%-22s  %-66s  %-9s  %s\n' host command 'ran under' outcome
fi
for i in $(seq "$n"); do
    IFS=\; read -r verdict host command result < "$logs/$i.result" || result="- no result"
    if [ -n "$tap" ] && [ "$verdict" = skip ]; then
        echo "ok - $host: $command # SKIP ${result#- }"
    elif [ -n "$tap" ]; then
        echo "$verdict - $host: $command: $result"
    else
        printf '%-22s  %-66s  %-9s  %s\n' "$host" "$command" "${result%% *}" "${result#* }"
    fi
    case $verdict in
    ok | skip) ;;
    *)  failed=$((failed + 1))
        [ -n "$tap" ] || echo "    NOT as expected; log: $logs/$i.log" ;;
    esac
done
[ -z "$tap" ] || echo "1..$n"
[ "$failed" -eq 0 ] || die "$failed of $n cases did not end as expected; logs: $logs/"
