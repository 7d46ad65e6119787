#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fails each call that QEMU makes to KVM, one at a time. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/sim/env.sh
. "$top/tests/sim/env.sh"

usage()
{
    cat <<EOF
Usage: tests/sim/faults.sh [--tap] [--all | --state | --only REGEX] [PROFILE...]

For each line of tests/sim/cases/faults (or those of these PROFILEs): QEMU on the
simulated /dev/kvm starts, is reset and saved; another one is started with that
state. From the log of these runs comes the list of every kind of call in each
phase, and each of them is failed in turn, the first of its kind, one in the middle,
the last. QEMU has to end with an error, or say what failed, or fall back. Not ok are
a crash, a hang, a broken contract, a failure that nobody hears of, and a guest that
runs on with other state in KVM than without the fault: after the start, the reset,
or the restore, of this run's save if that claims to be complete. Exceptions, each
with its reason, are in tests/sim/cases/silent.

Each profile has the first call of each kind that QEMU makes there; other calls, and
capabilities, are not planned again for another one of the same architecture.

  --all  every call of these for every profile, and also the lines of tests/sim/cases/faults
         that begin with "+": half an hour
  --state  only the runs without a fault: what a reset and a restore bring back
  --only REGEX  of the plan the lines that match: PROFILE;OPTIONS;PHASE;FAULT
  --tap  TAP: a line for each case, and the plan
  --case N  case N of the last run once more, from build/logs/sim-faults/plan

Exit status 1 if a case is not ok. Logs of these: build/logs/sim-faults/.
EOF
}

# wait_for FILE PID DIR [cont]: until that file is there, that process is not, or it
# has said something and its guest does not run; with "cont" the guest waits for its
# incoming state, and is to run then
wait_for()
{
    until [ -e "$1" ]; do
        kill -0 "$2" 2> /dev/null || return 1
        # too early a "cont" is forgotten
        [ -z "${4-}" ] || sim_qmp "$4" || true
        if grep -qv ': warning: ' "$3/err"; then
            case $(sim_qmp query-status.status) in
            running | inmigrate) ;;
            *) return ;;
            esac
        fi
        sleep 0.1
    done
}

# life DIR PROFILE start|restore OPTION...: one QEMU, from its start to its end. In
# DIR: out, err, log if there is one already, status; the script touches 1 when the
# guest runs and 2 when it runs after the reset. KVM's state is in state-1 when the
# guest comes first, state-2 when it does so after the reset, state-3 to be saved.
life()
{
    dir=$1 profile=$2 what=$3
    shift 3
    sim_program "$profile" "$1"
    [ "$1" != ppc64 ] || shift
    case $arch in
    arm64) set -- "$@" -m 16 ;;
    *) set -- "$@" -nic none -m 64 -kernel "$sim_build/kernel-ppc" ;;
    esac
    rm -f "$dir/1" "$dir/2" "$dir/reset"
    # another CPU of ppce500 waits in QEMU for a write to the machine's spin table
    kick='# no other CPU'
    case $arch-$what-$* in powerpc*-start-*'-smp 2'*) kick='mmio write 0xfef000024 4 0x1000' ;; esac
    printf '%s\n' "$kick" "state $dir/state-1" 'scribble 1' "touch $dir/1" "until $dir/reset" \
        "$kick" "state $dir/state-2" 'scribble 2' "state $dir/state-3" "touch $dir/2" > "$dir/script"
    KVM_SIM_PROFILE=$profile KVM_SIM_SCRIPT=$dir/script KVM_SIM_FAULT_USED=$dir/used \
        sim_start 120 "$sim_build/bin-$arch/$program" "$@" > "$dir/err" 2>&1
    pid=$started
    # QEMU can be gone at any moment
    if [ "$what" = restore ]; then
        if wait_for "$dir/1" "$pid" "$dir" cont; then sim_qmp quit; fi
    elif wait_for "$dir/1" "$pid" "$dir"; then
        if [ -z "$short" ]; then
            sim_qmp stop
            sim_qmp system_reset
            : > "$dir/reset"
            sim_qmp cont
            if wait_for "$dir/2" "$pid" "$dir"; then
                sim_qmp stop
                sim_save "$dir/stream"
            fi
        fi
        sim_qmp quit
    fi > "$dir/out" 2>&1 || true
    status=0
    reap "$pid" || status=$?
    echo "$status" > "$dir/status"
    # QEMU's own words, and not that it has gone
    grep -v '^qmp: ' "$dir/out" > "$dir/said" || true
}

# plan PHASE < LOG: the faults, a line each, for calls from marker PHASE on (0: the
# start) to the next one
plan()
{
    awk -v phase="$1" '
        /^script touch / { at = substr($3, length($3)); next }
        /^(open|close|script|kvm-sim)/ { next }
        {
            kind = $1
            if ($1 ~ /^KVM_(CHECK_EXTENSION|ENABLE_CAP|CREATE_DEVICE)$/) {
                kind = $1 "/" $3
            } else if ($1 ~ /DEVICE_ATTR$/) {
                split($3, part, ":")
                kind = $1 "/" part[1]
            }
            count[kind]++
            # what fails anyway needs no fault
            if (at + 0 == phase && / -> ok/) {
                if (!(kind in first)) {
                    first[kind] = count[kind]
                    order[++kinds] = kind
                }
                last[kind] = count[kind]
                worked[kind, count[kind]] = 1
            }
        }
        END {
            for (i = 1; i <= kinds; i++) {
                k = order[i]
                # what a kernel says differs: the four in turn
                answer = split("EINVAL ENOMEM EIO EPERM", errnos, " ")
                answer = errnos[(i + phase) % 4 + 1]
                if (k ~ /^KVM_CHECK_EXTENSION/) answer = "0"
                if (k ~ /^KVM_GET_API_VERSION/) answer = "11"
                if (k ~ /^KVM_RUN/) answer = "EFAULT"
                print k "@" first[k] "=" answer
                # which registers there are QEMU learns by that answer
                if (last[k] > first[k]) print k "@" last[k] "=" (k ~ /ONE_REG/ ? "EINVAL" : answer)
                middle = int((first[k] + last[k]) / 2)
                while (!((k, middle) in worked)) middle++
                if (middle > first[k] && middle < last[k]) print k "@" middle "=" answer
            }
        }'
}

# listed TEXT PROBLEM: whether tests/sim/cases/silent has a line whose first field TEXT,
# or a word of it, begins with, with its @N or without, and PROBLEM with its second; its
# last one is the reason
listed()
{
    awk -F';' -v text="$1" -v problem="$2" '
        BEGIN { any = text; sub(/@[0-9]+/, "", any) }
        /^#/ || !NF { next }
        (index(text, $1) == 1 || index(text, " " $1) || index(any, $1) == 1 || index(any, " " $1)) &&
        index(problem, $2) == 1 {
            print $NF; found = 1; exit
        }
        END { exit !found }' "$top/tests/sim/cases/silent"
}

# other_state FILE REFERENCE [WHEN PROFILE]: the first line in which a state differs from
# another one; nothing if the guest did not come so far. With WHEN, but for those that
# tests/sim/cases/kept has for that and PROFILE; what it has is added to $work/kept
other_state()
{
    [ ! -e "$1" ] || awk -v list="$top/tests/sim/cases/kept" -v when="${3-}" -v profile="${4-}" \
        -v kept="$work/kept" '
        function differs(name, is, want,   i) {
            for (i = 1; i <= n; i++) {
                if (name ~ "^(" names[i] ")$") {
                    if (!used[i]++) print lines[i] >> kept
                    return
                }
            }
            if (!found++) print substr(name " " is " and not " want, 1, 200)
        }
        BEGIN {
            while (when && (getline line < list) > 0) {
                split(line, field, ";")
                if (line !~ /^#/ && field[1] == when && profile ~ "^(" field[2] ")$") {
                    names[++n] = field[3]
                    lines[n] = line
                }
            }
        }
        NR == FNR { want[$1] = $2; next }
        !($1 in want) || want[$1] != $2 { differs($1, "is " $2, want[$1]) }
        { delete want[$1] }
        END { for (name in want) differs(name, "is not there", want[name]) }' "$2" "$1"
}

# problem DIR REFERENCE PHASE: what is wrong with how that life ended, if anything
problem()
{
    status=$(cat "$1/status")
    if [ ! -s "$1/used" ]; then
        # some calls depend on time
        [ "$status" = 0 ] && [ ! -s "$1/err" ] && echo "the call was not made" || echo "fails without the fault"
        return
    fi
    # without what is said anyway
    grep -vxFf "$2.err" "$1/err" > "$1/told" || true
    # what an abort said; a monitor command's errors are in the monitor's output
    last=$(cat "$1/err" "$1/said" | grep -iE 'fail|error|not |assert' | tail -n 1)
    case $status in
    0) ;;
    86) echo "breaks the contract: $(grep -m 1 -o 'contract .*' "$1/err")"; return ;;
    137) echo "hangs"; return ;;
    134)
        case $last in
        *[Aa]ssert* | *'not be reached'* | '') echo "crashes: $last" ;;
        *) echo "aborts: $last" ;;
        esac
        return ;;
    *)
        [ "$status" -lt 128 ] || { echo "crashes, status $status: $last"; return; }
        [ -s "$1/err" ] || { echo "exits with $status and no word"; return; }
        ;;
    esac
    silently='' call=${4%%[/@]*}
    if [ ! -s "$1/told" ] && ! grep -qiE "error|fail|$call" "$1/said"; then silently=', silently'; fi
    case $3 in
    restore) other=$(other_state "$1/state-1" "$2.restored") ;;
    *) other=$(for n in 1 2 3; do other_state "$1/state-$n" "$2.state-$n"; done | head -n 1) ;;
    esac
    if [ -n "$other" ]; then
        echo "has other state$silently: $other"
        return
    fi
    if [ -d "$1/restored" ]; then
        other=$(grep -v ': warning: ' "$1/restored/err" | head -n 1) || true
        [ -n "$other" ] || other=$(other_state "$1/restored/state-1" "$2.restored")
        [ -e "$1/restored/1" ] || other="the guest that is restored does not run"
        [ -z "$other" ] || { echo "saves other state$silently: $other"; return; }
    fi
    if [ -n "$silently" ]; then
        echo "is silent"
        return
    fi
    # a capability that is missing is no call that failed
    case $4 in KVM_CHECK_EXTENSION*) return ;; esac
    words=$(cat "$1/told" "$1/said" | grep -iE "$call|fail|error|not |cannot|could" | head -n 1)
    cat "$1/told" "$1/said" | grep -q "$call" || echo "does not name the call: $words"
    case $3-$status in
    # a guest that is not in sync may be there, and must not run
    start-0) [ ! -e "$1/1" ] || echo "goes on: $words" ;;
    # what was being done says whether the incoming state was there
    restore-0) [ ! -e "$1/1" ] ||
        echo "goes on: $(grep -m 1 -E ': (Failed to (get|put) registers|Restoring resisters|Failed to synchronize)' "$1/told" || echo "$words")" ;;
    save-0) grep -q '^Status:[[:space:]]*failed' "$1/said" || echo "saves all the same: $words" ;;
    save-*) echo "ends a guest that was to be saved: $words" ;;
    esac
}

# one_case N: runs case N of the plan; a line in its result file
one_case()
{
    line=$(sed -n "$1p" "$work/plan" 2> /dev/null) || true
    [ -n "$line" ] || die "the last run had no case '$1'; ${work#"$top"/}/plan has them, a line each"
    IFS=\; read -r profile options phase fault <<EOF
$line
EOF
    case_dir=$work/case-$1
    reference=$work/$(reference_name "$profile" "$options")
    mkdir -p "$case_dir"
    rm -f "$case_dir"/state-*
    export KVM_SIM_FAULT="$fault"
    # shellcheck disable=SC2086 # lists of options
    case $phase in
    # what fails in the start shows there; with --all, until the save
    start) short=yes
           [ -z "$all" ] || short=
           life "$case_dir" "$profile" start $options ;;
    restore) life "$case_dir" "$profile" restore $options -incoming "file:$reference.stream" ;;
    *) life "$case_dir" "$profile" start $options
       if [ "$phase" = save ] && grep -q '^Status:[[:space:]]*completed' "$case_dir/said"; then
           # it is as good as what another QEMU makes of it
           KVM_SIM_FAULT=
           mkdir -p "$case_dir/restored"
           life "$case_dir/restored" "$profile" restore $options -incoming "file:$case_dir/stream"
       fi ;;
    esac
    name="$profile: $phase: $fault" bad='' may=''
    problem "$case_dir" "$reference" "$phase" "$fault" > "$case_dir/problems"
    while IFS= read -r what; do
        if [ "$what" = 'the call was not made' ]; then
            may=" # SKIP $what this time"
        elif reason=$(listed "$phase $fault" "$what"); then
            may="${may:- #} $what; may be: $reason;"
        else
            bad="$bad $what;"
        fi
    done < "$case_dir/problems"
    if [ -z "$bad" ]; then
        echo "ok - $name$may"
    else
        echo "not ok - $name:${bad%;}"
    fi > "$case_dir/result"
    rm -f "$case_dir/stream"
    mv "$case_dir/result" "$work/result-$1"
    ! grep -q '^ok' "$work/result-$1" || rm -rf "$case_dir"
}

reference_name() { echo "reference-$1-$(echo "$2" | cksum | cut -d ' ' -f 1)"; }

# lines: those of tests/sim/cases/faults that are gone through
lines() { sed -n "${all:+s/^+//;}/^[a-z]/p" "$top/tests/sim/cases/faults"; }

# same NAME FILE REFERENCE WHEN: a line
same()
{
    _other=$(other_state "$2" "$3" "$4" "$profile")
    if [ -z "$_other" ]; then echo "ok - $profile: $1"; else echo "not ok - $profile: $1: $_other"; fi
}

# alike STATE: a line: vCPU 1 identifies itself as vCPU 0 does, but for its number
alike()
{
    for _cpu in 0 1; do
        sed -n "/0x603000000013c005 /d; s/^vcpu$_cpu:\(0x603000000013c0[0-9a-f][0-9a-f] \|0x603000000013c80[0-7] \|0x603000000013d80[17] \|0x602000000011\)/\1/p" "$1" > "$work/id-$_cpu"
    done
    if [ -s "$work/id-0" ] && diff "$work/id-0" "$work/id-1" > "$work/more"; then
        echo "ok - $profile: vCPU 1 identifies itself as vCPU 0"
    else
        echo "not ok - $profile: vCPU 1 identifies itself as vCPU 0: $(sed -n '2p;$p' "$work/more" | tr '\n' ' ')"
    fi
}

# references: runs without a fault; the plan comes from their logs
references()
{
    wanted=$1
    : > "$work/plan"
    lines | while IFS=\; read -r profile options; do
        case $wanted in '  ' | *" $profile "*) ;; *) continue ;; esac
        # shellcheck disable=SC2086 # lists of options
        sim_program "$profile" $options
        skip=$(sim_skip "$arch")
        [ -z "$skip" ] || { echo "ok - $profile: $options$skip"; continue; }
        dir=$work/reference
        reference=$work/$(reference_name "$profile" "$options")
        for what in start restore; do
            rm -rf "$dir"
            mkdir "$dir"
            # shellcheck disable=SC2086 # lists of options
            if [ "$what" = start ]; then set -- $options; else set -- $options -incoming "file:$reference.stream"; fi
            KVM_SIM_LOG=$dir/log life "$dir" "$profile" "$what" "$@"
            if [ "$(cat "$dir/status")" != 0 ] || grep -qv ': warning: ' "$dir/err" || [ ! -e "$dir/1" ]; then
                echo "not ok - $profile: $what without a fault: status $(cat "$dir/status"): $(head -n 1 "$dir/err")"
                break
            fi
            if [ "$what" = start ]; then
                grep -q '^Status:[[:space:]]*completed' "$dir/said" ||
                    { echo "not ok - $profile: the save without a fault: $(tail -n 1 "$dir/said")"; break; }
                for file in err stream state-1 state-2 state-3; do mv "$dir/$file" "$reference.$file"; done
                phases='0:start 1:reset 2:save'
            else
                mv "$dir/state-1" "$reference.restored"
                phases=0:restore
            fi
            echo "ok - $profile: $what without a fault"
            case $options-$arch-$what in *'-smp 2-arm64-start') alike "$reference.state-1" ;; esac
            case $what in
            start) same 'reset as started' "$reference.state-2" "$reference.state-1" reset ;;
            restore) same 'restored as saved' "$reference.restored" "$reference.state-3" restore ;;
            esac
            for phase in $phases; do
                # what comes first in a restore is tried in the start
                plan "${phase%:*}" < "$dir/log" |
                    { if [ "$phase" = 0:restore ]; then grep -v -e '@1=' -e CHECK_EXTENSION; else cat; fi; } |
                    sed "s|^|$profile;$options;${phase#*:};|"
            done > "$work/more"
            if [ -z "$all" ]; then
                awk -F'[;@]' -v seen="$work/seen-${arch%64}" '
                    BEGIN { while ((getline line < seen) > 0) old[line] = 1 }
                    {
                        key = $3 ";" $4
                        first = !planned[key]++ && $3 != "restore" && $4 !~ /CHECK_EXTENSION/
                    }
                    first || !(key in old)
                    { print key >> seen }' "$work/more"
            else
                cat "$work/more"
            fi >> "$work/plan"
        done
    done
}

tap='' all='' one='' short='' state='' only=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --all) all=yes; shift ;;
    --state) state=yes; shift ;;
    --only) [ $# -gt 1 ] || die "--only needs a regular expression; see tests/sim/faults.sh --help"
            only=$2; shift 2 ;;
    --case) [ $# -gt 1 ] || die "--case needs a number; see tests/sim/faults.sh --help"
            one=$2; shift 2 ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/sim/faults.sh --help" ;;
    *) break ;;
    esac
done
work=$build/logs/sim-faults
make_tmp
if [ -n "$one" ]; then one_case "$one"; exit; fi

for profile; do
    sim_arch "$profile" > /dev/null
    lines | grep -q "^$profile;" ||
        die "tests/sim/cases/faults has no line for the profile '$profile'; add one, or try --all"
done
if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_qemu >&3
sim_make >&3
rm -rf "$work"
mkdir -p "$work"
: > "$work/kept"
references " $* " > "$work/early"
if [ $# -eq 0 ] && [ -z "$SIM_NO_POWERPC" ]; then
    grep -v '^#' "$top/tests/sim/cases/kept" | while IFS= read -r line; do
        grep -qxF -e "$line" "$work/kept" || echo "not ok - tests/sim/cases/kept: no state needs: $line"
    done >> "$work/early"
fi
[ -z "$state" ] || : > "$work/plan"
if [ -n "$only" ]; then
    grep -E -e "$only" "$work/plan" > "$work/more" || die "--only: no fault of the plan matches '$only'; it is in $work/plan"
    mv "$work/more" "$work/plan"
fi
n=$(wc -l < "$work/plan")
# each waits about as long as it computes
many=$((2 * jobs))
say "$n faults, $many at a time (logs: ${work#"$top"/}/)" >&3
# one that died has left no result
seq "$n" | xargs -P "$many" -I N sh "$0" ${all:+--all} --case N 2> "$work/stderr" ||
    sed 's/^/# /' "$work/stderr"
for i in $(seq "$n"); do
    cat "$work/result-$i" 2> /dev/null || echo "not ok - case $i has no result"
done > "$work/results"
cat "$work/early" "$work/results" > "$work/lines"
if [ -n "$tap" ]; then cat "$work/lines"; else grep '^not ok' "$work/lines" || [ "$?" -eq 1 ]; fi
count() { grep -cE -e "$1" "$2" || [ "$?" -eq 1 ]; }
failed=$(count '^not ok' "$work/lines")
but=$(count '^ok.* may be: ' "$work/results")
kinds=$(sed 's/.*;//; s/@.*//' "$work/plan" | sort -u | wc -l)
{
    echo "$n faults of $kinds kinds of calls on $(cut -d ';' -f 1 "$work/plan" | sort -u | wc -l) profiles: $((n - failed - but)) are told or end QEMU, and leave no other state, $but may be otherwise, $failed not ok"
    for word in crashes hangs aborts 'is silent' 'has other state' 'saves other state' \
                'does not name' 'goes on' 'saves all' 'ends a guest' 'breaks the contract'; do
        printf '%s: %s (%s may)  ' "$word" "$(count "^not ok.*[:;] $word" "$work/results")" \
            "$(count "^ok.* $word.*; may be: " "$work/results")"
    done
    echo
} >&3
# every fault that was planned, and what came before them
[ -z "$tap" ] || echo "1..$((n + $(count '^(not )?ok ' "$work/early")))"
[ "$failed" -eq 0 ] && [ "$n$state" != 0 ]
