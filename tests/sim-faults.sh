#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fails each call that QEMU makes to KVM, one at a time. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=tests/sim-env.sh
. "$top/tests/sim-env.sh"

usage()
{
    cat <<EOF
Usage: tests/sim-faults.sh [--tap] [--all] [PROFILE...]

For each line of tests/cases/sim-faults (or those of these PROFILEs): QEMU on the
simulated /dev/kvm starts, is reset and saved; another one is started with that
state. From the log of these runs comes the list of every kind of call in each
phase, and each of them is failed in turn, the first of its kind, one in the middle,
the last. QEMU has to end with an error, or say what failed, or fall back; failures
that need no word are those of tests/cases/sim-silent. Not ok are a crash, a hang, a
broken contract, a failure that nobody hears of, and a save that claims to be
complete without what could not be read. What tests/cases/sim-known lists is
counted as known, with its reason.

A kind of call that was planned for one profile is not planned again for another of
the same architecture and phase.

  --all  every kind for every profile, and also the lines of tests/cases/sim-faults
         that begin with "+": half an hour
  --tap  a line for each case and nothing else

Exit status 1 if a case is not ok. Logs of these: build/logs/sim-faults/.
EOF
}

# wait_for FILE PID DIR [WORD]: until that file is there, that process is not, or it
# says something; with WORD, that is said to it now and then
wait_for()
{
    _n=0
    until [ -e "$1" ] || grep -qv ': warning: ' "$3/err"; do
        kill -0 "$2" 2> /dev/null || return 1
        [ -z "${4-}" ] || [ "$((_n % 10))" -ne 0 ] || echo "$4"
        _n=$((_n + 1))
        sleep 0.03
    done
}

# wait_said DIR PID WORDS: until the monitor has said that
wait_said()
{
    until grep -q "$3" "$1/out"; do
        kill -0 "$2" 2> /dev/null || return 0
        sleep 0.03
    done
}

# life DIR PROFILE start|restore OPTION...: one QEMU, from its start to its end. In
# DIR: out, err, log if there is one already, status; the script touches 1 when the
# guest runs and 2 when it runs after the reset.
life()
{
    dir=$1 profile=$2 what=$3
    shift 3
    arch=$(sim_arch "$profile")
    case $arch in
    arm64) program=qemu-system-aarch64
           set -- "$@" -m 16 ;;
    powerpc) program=qemu-system-ppc
             set -- "$@" -nic none -m 64 -kernel "$sim_build/kernel-ppc" ;;
    esac
    rm -f "$dir/1" "$dir/2" "$dir/reset" "$dir/fifo"
    printf '%s\n' "touch $dir/1" "until $dir/reset" "touch $dir/2" > "$dir/script"
    mkfifo "$dir/fifo"
    KVM_SIM_PROFILE=$profile KVM_SIM_SCRIPT=$dir/script KVM_SIM_FAULT_USED=$dir/used \
        timeout -s KILL 30 "$sim_build/bin-$arch/$program" "$@" -display none -nodefaults \
        -monitor stdio < "$dir/fifo" > "$dir/out" 2> "$dir/err" &
    pid=$!
    exec 5> "$dir/fifo"
    trap '' PIPE                # QEMU can be gone at any moment
    if [ "$what" = start ]; then
        if wait_for "$dir/1" "$pid" "$dir"; then
            if [ -n "$short" ]; then echo quit; fi
            printf 'stop\nsystem_reset\ninfo status\n'
            wait_said "$dir" "$pid" 'VM status'
            : > "$dir/reset"
            echo cont
            if wait_for "$dir/2" "$pid" "$dir"; then
                printf 'stop\nmigrate file:%s\ninfo migrate\nquit\n' "$dir/state"
            fi
        fi
    else
        # too early a "cont" is forgotten
        if wait_for "$dir/1" "$pid" "$dir" cont; then echo quit; fi
    fi >&5 2> /dev/null || true
    status=0
    exec 5>&-
    wait "$pid" || status=$?
    echo "$status" > "$dir/status"
    # the monitor shows each letter that it reads, with control sequences
    sed 's/.*\x1b\[K//' "$dir/out" | grep -v -e '^(qemu)' -e '^QEMU .* monitor' > "$dir/said" || true
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
            }
        }
        END {
            for (i = 1; i <= kinds; i++) {
                k = order[i]
                answer = "EIO"
                if (k ~ /^KVM_CHECK_EXTENSION/) answer = "0"
                if (k ~ /^KVM_GET_API_VERSION/) answer = "11"
                if (k ~ /^KVM_CREATE/) answer = "ENOMEM"
                if (k ~ /^KVM_RUN/) answer = "EFAULT"
                print k "@" first[k] "=" answer
                if (last[k] > first[k]) print k "@" last[k] "=" answer
                middle = int((first[k] + last[k]) / 2)
                if (middle > first[k] && middle < last[k]) print k "@" middle "=" answer
            }
        }'
}

# listed FILE TEXT PROBLEM: whether that list has a line whose first field TEXT, or a
# word of it, begins with, and PROBLEM with its second; its last field is the reason
listed()
{
    awk -F';' -v text="$2" -v problem="$3" '
        /^#/ || !NF { next }
        (index(text, $1) == 1 || index(text, " " $1)) && index(problem, $2) == 1 {
            print $NF; found = 1; exit
        }
        END { exit !found }' "$1"
}

# problem DIR PHASE FAULT: what is wrong with how that life ended, if anything
problem()
{
    status=$(cat "$1/status")
    if [ ! -s "$1/used" ]; then
        # some calls depend on time
        [ "$status" = 0 ] && [ ! -s "$1/err" ] && echo "the call was not made" || echo "fails without the fault"
        return
    fi
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
        [ -s "$1/err" ] || echo "exits with $status and no word"
        return ;;
    esac
    if [ ! -s "$1/err" ] && ! grep -qiE 'error|fail' "$1/said"; then
        echo "is silent"
    elif [ "$2" = save ] && grep -q '^Migration status: completed' "$1/said"; then
        case $3 in KVM_GET_ONE_REG* | KVM_GET_REGS* | KVM_GET_SREGS* | KVM_GET_DEVICE_ATTR*)
            echo "saves without it: $(head -n 1 "$1/err")" ;;
        esac
    fi
}

# one_case N: runs case N of the plan; a line in its result file
one_case()
{
    line=$(sed -n "$1p" "$work/plan")
    IFS=\; read -r profile options phase fault <<EOF
$line
EOF
    dir=$work/case-$1
    mkdir -p "$dir"
    export KVM_SIM_FAULT="$fault"
    # shellcheck disable=SC2086 # lists of options
    case $phase in
    # what fails in the start shows there; with --all, until the save
    start) short=yes
           [ -z "$all" ] || short=
           life "$dir" "$profile" start $options ;;
    restore) life "$dir" "$profile" restore $options -incoming "file:$work/$(state_name "$profile" "$options")" ;;
    *) life "$dir" "$profile" start $options ;;
    esac
    what=$(problem "$dir" "$phase" "$fault")
    name="$profile: $phase: $fault"
    if [ "$what" = 'the call was not made' ]; then
        echo "ok - $name # SKIP $what this time"
    elif [ -z "$what" ]; then
        echo "ok - $name"
    elif reason=$(listed "$top/tests/cases/sim-silent" "$phase $fault" "$what"); then
        echo "ok - $name # may be silent: $reason"
    elif reason=$(listed "$top/tests/cases/sim-known" "$phase $fault" "$what"); then
        echo "ok - $name # TODO known: $what ($reason)"
    else
        echo "not ok - $name: $what"
    fi > "$work/result-$1"
    ! grep -q '^ok' "$work/result-$1" || rm -rf "$dir"
    rm -f "$dir/state"
}

state_name() { echo "state-$1-$(echo "$2" | cksum | cut -d ' ' -f 1)"; }

# references: runs without a fault; the plan comes from their logs
references()
{
    wanted=$1
    : > "$work/plan"
    sed -n "${all:+s/^+//;}/^[a-z]/p" "$top/tests/cases/sim-faults" | while IFS=\; read -r profile options; do
        case $wanted in '  ' | *" $profile "*) ;; *) continue ;; esac
        dir=$work/reference
        state=$work/$(state_name "$profile" "$options")
        for what in start restore; do
            rm -rf "$dir"
            mkdir "$dir"
            # shellcheck disable=SC2086 # lists of options
            if [ "$what" = start ]; then set -- $options; else set -- $options -incoming "file:$state"; fi
            KVM_SIM_LOG=$dir/log life "$dir" "$profile" "$what" "$@"
            if [ "$(cat "$dir/status")" != 0 ] || grep -qv ': warning: ' "$dir/err" || [ ! -e "$dir/1" ]; then
                echo "not ok - $profile: $what without a fault: status $(cat "$dir/status"): $(head -n 1 "$dir/err")"
                break
            fi
            if [ "$what" = start ]; then
                grep -q '^Migration status: completed' "$dir/said" ||
                    { echo "not ok - $profile: the save without a fault"; break; }
                mv "$dir/state" "$state"
                phases='0:start 1:reset 2:save'
            else
                phases=0:restore
            fi
            echo "ok - $profile: $what without a fault"
            for phase in $phases; do
                # what comes first in a restore is tried in the start
                plan "${phase%:*}" < "$dir/log" |
                    { if [ "$phase" = 0:restore ]; then grep -v -e '@1=' -e CHECK_EXTENSION; else cat; fi; } |
                    sed "s|^|$profile;$options;${phase#*:};|"
            done > "$work/more"
            if [ -z "$all" ]; then
                awk -F'[;@]' -v arch="$(sim_arch "$profile")" -v seen="$work/seen-$(sim_arch "$profile")" '
                    BEGIN { while ((getline line < seen) > 0) old[line] = 1 }
                    { key = $3 ";" $4 } !(key in old) { print } { print key >> seen }' "$work/more"
            else
                cat "$work/more"
            fi >> "$work/plan"
        done
    done
}

tap='' all='' one='' short=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --all) all=yes; shift ;;
    --case) one=$2; shift 2 ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/sim-faults.sh --help" ;;
    *) break ;;
    esac
done
work=$build/logs/sim-faults
if [ -n "$one" ]; then one_case "$one"; exit; fi

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_qemu >&3
sim_make >&3
for profile; do sim_arch "$profile" > /dev/null; done
rm -rf "$work"
mkdir -p "$work"
references " $* " > "$work/early"
n=$(wc -l < "$work/plan")
say "$n faults, $jobs at a time (logs: ${work#"$top"/}/)" >&3
seq "$n" | xargs -P "$jobs" -I N sh "$0" ${all:+--all} --case N 2> "$work/stderr"
for i in $(seq "$n"); do
    cat "$work/result-$i" 2> /dev/null || echo "not ok - case $i has no result"
done > "$work/results"
if [ -n "$tap" ]; then
    cat "$work/early" "$work/results"
else
    cat "$work/early" "$work/results" | grep '^not ok' || true
fi
failed=$(cat "$work/early" "$work/results" | grep -c '^not ok') || true
known=$(grep -c '^ok.* # TODO' "$work/results") || true
silent=$(grep -c '^ok.* # may be silent' "$work/results") || true
kinds=$(sed 's/.*;//; s/@.*//' "$work/plan" | sort -u | wc -l)
{
    echo "$n faults of $kinds kinds of calls on $(cut -d ';' -f 1 "$work/plan" | sort -u | wc -l) profiles: $((n - failed - known - silent)) are told or end QEMU, $silent may be silent, $known known, $failed not ok"
    for word in crashes hangs aborts 'is silent' 'saves without it' 'breaks the contract'; do
        printf '%s: %s (%s known)  ' "$word" "$(grep -c "^not ok.*: $word" "$work/results" || true)" \
            "$(grep -c "^ok.*# TODO known: $word" "$work/results" || true)"
    done
    echo
} >&3
[ "$failed" -eq 0 ]
