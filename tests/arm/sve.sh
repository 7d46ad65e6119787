#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SVE, pointer authentication and memory tags of guests. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

usage()
{
    cat <<EOF2
Usage: tests/arm/sve.sh [--short] [--root DIR] [REGEX]

Starts a guest without a kernel on emulated arm64 hosts that have SVE. It gives the vector
and predicate registers, FFR, the keys of pointer authentication and tags of memory values
of their own, and looks at them all the time, while it is stopped, saved as a snapshot, and
migrated, on the same host and to others. QEMU has to refuse where the guest would see
other vector lengths. Prints TAP, a line for each case of tests/arm/cases/sve.

  --short     those that are marked so
  --root DIR  QEMU's, instead of build/root-arm64
  REGEX       those whose line matches it

Logs: build/logs/arm-sve/.
EOF2
}

marks='short|long' regex=. overlay=
while [ $# -gt 0 ]; do
    case $1 in
    --short) marks=short ;;
    --root) overlay=${2:?} && shift ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/arm/sve.sh --help" ;;
    *) regex=$1 ;;
    esac
    shift
done
logs=$build/logs/arm-sve
rm -rf "$logs"
mkdir -p "$logs"
make_tmp
grep -E "^($marks);" "$top/tests/arm/cases/sve" | grep -E -e "$regex" > "$tmp/cases" || die "no case matches '$regex'"
need_packages qemu-utils
"$top/hosts/build" arm64-6.1 arm64-6.12 arm64-7.2 >&2
qemu-img create -q -f qcow2 "$tmp/snapshots.qcow2" 64M
aarch64-linux-gnu-gcc -std=gnu11 -Os -Wall -Wextra -Werror -ffreestanding -march=armv8.5-a+sve+memtag \
    -mgeneral-regs-only -mstrict-align -fno-pic -fno-stack-protector -no-pie -nostdlib -static -s \
    -Wl,-Ttext=0x40200000,--build-id=none,-z,max-page-size=4096 -o "$tmp/vectors" "$top/tests/arm/in-host/vectors.c"

# What is to be done, by the host: "HOST;WHAT NUMBER ...". A guest that goes to another
# host is first lived through on its own, once for all that it goes to: number L and its
# line's. What has been lived through has its line's number, too.
awk -F \; -v OFS=\; '
    function of() { return $2 ";" $3 }
    $4 == "here" { if (!(of() in live)) { live[of()] = NR; print "1", $3, "live " NR " " $2 }; next }
    $4 ~ /^break / { print "1", $3, "break " NR " " substr($4, 7) " " $2; next }
    { n++; at[n] = NR; from[n] = of(); host[n] = $3; cpu[n] = $2; to[n] = $4; there[n] = $5 == "" ? $2 : $5 }
    END {
        for (i = 1; i <= n; i++) {
            if (!(from[i] in live)) { live[from[i]] = at[i] "-from"; print "1", host[i], "live " at[i] "-from " cpu[i] }
            print "2", to[i], "load " at[i] " " live[from[i]] " " there[i]
        }
    }' "$tmp/cases" > "$tmp/all"

# on STEP HOST: has done there what is to be done
on()
{
    awk -F \; -v step="$1" -v host="$2" '$1 == step && $2 == host { print $3 }' "$tmp/all" > "$tmp/todo"
    set -- "$1" "${2%% *}" "${2#* }" "$(printf %s "$1-$2" | tr -c 'A-Za-z0-9.+=-' _)"
    case $1 in
    2) sed 's/^load [^ ]* \([^ ]*\) .*/\1/' "$tmp/todo" | sort -u > "$tmp/wanted" ;;
    *) : > "$tmp/wanted" ;;
    esac
    _log=$logs/$4 _kernel=${2%+mte}
    case $2 in *+mte) set -- --mte --cpu "$3" ;; *) set -- --cpu "$3" ;; esac
    while read -r _from; do
        for _what in state registers tick; do
            [ ! -e "$logs/$_from.$_what" ] || set -- "$@" --file "$logs/$_from.$_what"
        done
    done < "$tmp/wanted"
    set -- "$@" ${overlay:+--root "$overlay"} --timeout 3000 --log "$_log.console" --file "$tmp/vectors" --file "$tmp/snapshots.qcow2" \
        --file "$tmp/todo" --file "$top/tests/arm/in-host/sve.sh" --file "$top/tests/arm/in-host/wait.sh" "arm64-$_kernel"
    if ! "$top/hosts/run" "$@" -- sh /files/sve.sh < /dev/null > "$tmp/out" 2> "$_log.err" ||
       ! tar -C "$logs" -m -xf "$tmp/out"; then
        sed 's/^[^ ]* \([^ ]*\) .*/\1/' "$tmp/todo" | while read -r _n; do
            [ -e "$logs/$_n.outcome" ] || echo "the host failed: $(tail -n 1 "$_log.err")" > "$logs/$_n.outcome"
        done
    fi
}

for step in 1 2; do
    sed -n "s/^$step;\([^;]*\);.*/\1/p" "$tmp/all" | awk '!seen[$0]++' > "$tmp/hosts"
    while read -r host; do
        echo "# $(awk -F \; -v step="$step" -v host="$host" '$1 == step && $2 == host' "$tmp/all" | wc -l) on $host"
        on "$step" "$host"
    done < "$tmp/hosts"
done

n=0
while IFS=\; read -r _ cpu from to there expected; do
    n=$((n + 1))
    case $to in
    here) name="$from: $cpu" ;;
    break*) name="$from: $cpu: the guest notices loss ${to#break }" ;;
    *) name="$from to $to: $cpu${there:+ to $there}" ;;
    esac
    outcome=$(cat "$logs/$n.outcome" 2> /dev/null || echo 'nothing is known')
    if printf '%s\n' "$outcome" | grep -q -e "$expected"; then
        ok "$name: $outcome"
    else
        not_ok "$name" "is:       $outcome" "expected: $expected" "logs: $logs/$n.*"
    fi
done < "$tmp/cases"
done_testing
