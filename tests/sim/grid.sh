#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Starts every board with every kind of accelerator list. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/sim/env.sh
. "$top/tests/sim/env.sh"

usage()
{
    cat <<EOF
Usage: tests/sim/grid.sh [--tap] [--short] [PROFILE...]

QEMU with the series, on the simulated /dev/kvm: each line of tests/sim/cases/grid,
which has a machine with properties, with -accel kvm, -accel kvm -accel tcg, -accel tcg
and none of them, and without -cpu and with each CPU type of the line. Each QEMU makes
its machine, is asked which accelerator it has, and ends. Not ok is

  - a list that does not start, of which one accelerator alone does;
  - -accel kvm that does not start, where -accel tcg does, and KVM did not decline;
  - -accel kvm that starts, and -accel kvm -accel tcg that does not use KVM;
  - no list, and another end or accelerator or message than QEMU without the series has;
  - a list with which QEMU without the series started, and this one does not, or under
    another accelerator.

tests/sim/cases/grid-differs has exceptions, each with its reason.

Prints how many starts there were, and how many end otherwise than without the series.

  --short  the lines that begin with "!", and not QEMU without the series
  --tap    TAP: a line for each case, and the plan

Logs: build/logs/sim-grid/.
EOF
}

# one N: case N of the list; a line for each of its starts, with status, accelerator and
# standard error
one()
{
    IFS=\; read -r profile program machine cpu <<EOF
$(sed -n "$1p" "$work/list")
EOF
    case $profile in *+*) export KVM_SIM_FAULT="${profile#*+}" ;; esac
    profile=${profile%%+*}
    sim_program "$profile" "$program"
    case $program in arm) program=qemu-system-arm ;; esac
    set -- "$1" "$machine" "${cpu:+-cpu $cpu}"
    case $arch in powerpc*) set -- "$1" "$2 -kernel $sim_build/kernel-ppc" "$3" ;; esac
    for which in series ${compare:+base}; do
        if [ "$which" = base ]; then
            # the contract is broken there without the series
            export SIM_CONTRACT=log SIM_ROOT_arm64="$build/root-base-arm64" SIM_ROOT_powerpc="$build/root-base-ppc"
        fi
        for accel in kvm kvm:tcg tcg ''; do
            case $accel in
            kvm:tcg) list='-accel kvm -accel tcg' ;;
            *) list=${accel:+-accel $accel} ;;
            esac
            rc=0
            # shellcheck disable=SC2086 # lists
            printf 'info kvm\nquit\n' |
                KVM_SIM_PROFILE=$profile timeout -s KILL 120 "$sim_build/bin-$arch/$program" -M $2 $list $3 -S -nodefaults \
                    -display none -audio none -monitor stdio > "$work/out-$1" 2> "$work/err-$1" || rc=$?
            used=none
            case $(grep -o 'kvm support: [a-z]*' "$work/out-$1") in *enabled) used=kvm ;; *disabled | *not) used=tcg ;; esac
            printf '%s;%s;%s;%s;%s\n' "$which" "$accel" "$rc" "$used" \
                "$(grep -v ': warning: ' "$work/err-$1" | head -n 1 | tr ';' ,)"
        done
    done > "$work/ends-$1"
    rm -f "$work/out-$1" "$work/err-$1"
}

# verdict LINE STARTS < ENDS: what is wrong with them, a line each, but for exceptions, and
# on standard error what differs from QEMU without the series
verdict()
{
    awk -F \; -v name="$1" -v starts="$2" -v differs="$top/tests/sim/cases/grid-differs" '
        BEGIN {
            while ((getline line < differs) > 0) if (line !~ /^#/) { split(line, f, ";"); list[++n] = f[1]; what[n] = f[2] }
        }
        { rc[$1, $2] = $3; used[$1, $2] = $4; said[$1, $2] = $5; base += $1 == "base" }
        function bad(text,   k) {
            for (k = 1; k <= n; k++) if (name ~ list[k] && what[k] && index(text, what[k]) == 1) return
            print text
        }
        function differ(text) { print text > "/dev/stderr" }
        END {
            if (NR != starts) { print "has " NR " of " starts " ends"; exit }
            s = "series"; b = "base"
            if (rc[s, "kvm:tcg"] && (!rc[s, "tcg"] || !rc[s, "kvm"]))
                bad("kvm:tcg ends with " rc[s, "kvm:tcg"] ", and one alone starts: " said[s, "kvm:tcg"])
            if (rc[s, "kvm"] && !rc[s, "tcg"] && said[s, "kvm"] !~ /kvm cannot run/)
                bad("kvm ends with " rc[s, "kvm"] " and did not decline: " said[s, "kvm"])
            if (!rc[s, "kvm"] && used[s, "kvm:tcg"] != used[s, "kvm"])
                bad("kvm:tcg does without kvm: " said[s, "kvm:tcg"])
            if (!base) exit
            if (rc[s, ""] != rc[b, ""] || used[s, ""] != used[b, ""] || said[s, ""] != said[b, ""])
                bad("without a list: status " rc[s, ""] ", " used[s, ""] ", " said[s, ""] ", and without the series " rc[b, ""] ", " used[b, ""] ", " said[b, ""])
            split("kvm kvm:tcg tcg", accels, " ")
            for (i = 1; i <= 3; i++) {
                a = accels[i]
                now = rc[s, a] ? "error" : used[s, a]
                was = rc[b, a] ? "error" : used[b, a]
                if (now == was) {
                    if (now == "error" && said[s, a] != said[b, a]) differ(a ": another error")
                    continue
                }
                differ(a ": " was ", now " now)
                if (was != "error") bad(a ": was " was ", now " now ": " said[s, a])
            }
        }'
}

tap='' compare=yes one=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --short) compare=''; shift ;;
    --case) one=$2; shift 2 ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/sim/grid.sh --help" ;;
    *) break ;;
    esac
done
work=$build/logs/sim-grid
if [ -n "$one" ]; then compare=$(cat "$work/compare"); one "$one"; exit; fi

for profile; do sim_arch "${profile%%+*}" > /dev/null; done
if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_qemu >&3
sim_make >&3
if [ -n "$compare" ]; then
    "$top/scripts/qemu-tree" --base >&3
    builds=$(buildable arm64 ppc)
    for which in $builds; do "$top/scripts/build-qemu" --base "$which" >&3; done
fi
rm -rf "$work"
mkdir -p "$work"
echo "$compare" > "$work/compare"
wanted=" $* "
grep -v -e '^#' -e '^$' "$top/tests/sim/cases/grid" | while IFS=\; read -r profiles program machine cpus; do
    case $profiles in !*) ;; *) [ -n "$compare" ] || continue ;; esac
    for profile in ${profiles#!}; do
        case $wanted in '  ' | *" $profile "*) ;; *) continue ;; esac
        for cpu in '' $cpus; do echo "$profile;$program;$machine;$cpu"; done
    done
done > "$work/list"
n=$(wc -l < "$work/list")
say "$n cases, $jobs at a time (logs: ${work#"$top"/}/)" >&3
seq "$n" | xargs -P "$((2 * jobs))" -I N sh "$0" --case N 2> "$work/stderr" || true
bad=0 i=0 starts=4
[ -z "$compare" ] || starts=8
: > "$work/differs"
while IFS= read -r line; do
    i=$((i + 1))
    if [ -s "$work/ends-$i" ]; then
        problems=$(verdict "$line" "$starts" 2>> "$work/differs" < "$work/ends-$i" | tr '\n' ';')
    else
        problems='it was not run; see stderr there'
    fi
    if [ -n "$problems" ]; then
        bad=$((bad + 1))
        echo "not ok - $line: ${problems%;}"
    elif [ -n "$tap" ]; then
        echo "ok - $line"
    fi
done < "$work/list"
[ -z "$tap" ] || echo "1..$n"
{
    echo "$(cat "$work"/ends-* | grep -c '^series;') starts with the series, $(cat "$work"/ends-* | grep -c '^base;' || true) without; $bad of $n cases not ok"
    sort "$work/differs" | uniq -c
} >&3
[ "$bad" -eq 0 ] && [ "$n" -gt 0 ]
