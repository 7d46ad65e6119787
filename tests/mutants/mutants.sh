#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Do the tests see a bug? Puts small ones in, one at a time. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=scripts/series.sh
. "$top/scripts/series.sh"
# shellcheck source=tests/sim/env.sh
. "$top/tests/sim/env.sh"
mutants=$top/tests/mutants

usage()
{
    cat <<EOF
Usage: tests/mutants/mutants.sh [--tap] [--list] [--survivors] [NAME...]

For each patch of tests/mutants/sim and tests/mutants/series, or those of these
NAMEs (sim, series, or a file's name without .patch): applies it to a copy of the
simulation or of QEMU with the series, builds what it changes, and runs the test that
it names. It is caught if that test fails by an assertion of its own. A mutant that
survives, that does not build, or whose test hangs or dies, is not ok. Each test is
run without a mutant, too, and has to pass there.

A patch begins with what it is, and with these lines:

  Which: sim, or the host whose QEMU is built: arm64, ppc
  Run:   answers PROFILE    the probe answers as it does on the simulation as it is,
                            which tests/sim/calibrate.sh compares with the host
         state PROFILE      tests/sim/faults.sh --state PROFILE
         faults PROFILE REGEX  tests/sim/faults.sh --only REGEX PROFILE
         sim PART           tests/sim/sim.sh PART
         qtest NAME         the qtest of that name of tests/sim/sim.sh
         unit NAME          tests/unit/NAME of QEMU
         vcpus HOST         tests/hosts/vcpus.sh on that emulated host
         sve REGEX          tests/arm/sve.sh, those cases
  Test:  a regular expression: the name of the test that has to fail
  Survives: why no test sees it; it is skipped, and --survivors runs it

  --list       the names, and what they are
  --survivors  only those that are known to survive: one that is caught is not ok
  --tap        TAP: a line for each mutant, and the plan

SIM_READY=1 takes the simulation's QEMUs that are there. Logs: build/logs/mutants/.
The copy of the simulation is in build/mutants/, that of QEMU in build/bisect.
EOF
}

# field NAME FILE: what that line of a mutant says
field() { sed -n "/^---/q; s/^$1: *//p" "$2"; }

# new_build WHICH: a folder for all that is made, with the QEMUs and hosts that are there,
# as links. Mutants of the series have the simulation as it is, and so one of their own
new_build()
{
    case $1 in sim) scratch=$build/mutants/build-sim ;; *) scratch=$build/mutants/build-series ;; esac
    sim_build=$scratch/sim
    mkdir -p "$scratch/logs" "$logs"
    for _path in "$build"/*; do
        case ${_path##*/} in
        sim | logs | mutants | *.lock) ;;
        *) ln -sfnT "$_path" "$scratch/${_path##*/}" ;;
        esac
    done
}

# copy_sim: the simulation as it is, with a time of its own where a file differs
copy_sim()
{
    copy=$build/mutants/tests
    mkdir -p "$copy"
    for _dir in kvm-sim lib sim; do
        rsync -rlpc --delete "$top/tests/$_dir" "$copy/"
    done
}

# copy_series: QEMU with the series, in the work tree that check-bisect has
copy_series()
{
    step_tree
    qgit "$bisect" checkout -q --force --detach "$(qgit "$tree" rev-parse series)"
}

# goals_of RUN: what has to be built for that test
goals_of()
{
    case $1 in
    unit\ *) echo "tests/unit/${1#unit }" ;;
    qtest\ *) echo "$program tests/qtest/$(qtest_field "${1#qtest }" 4)" ;;
    *) echo "$program" ;;
    esac
}

# qtest_field NAME N: of the table in tests/sim/sim.sh
qtest_field()
{
    sed -n "/^qtests='/,/'\$/s/^\(qtests='\)\{0,1\}$1;/$1;/p" "$top/tests/sim/sim.sh" | cut -d ';' -f "$2" | tr -d "'"
}

# build WHICH RUN LOG: 1 if it does not build
build()
{
    case $1-$2 in
    sim-answers*| sim-state*) archs=$(sim_arch "${2#* }") ;;
    *) archs='arm64 powerpc' ;;
    esac
    case $1 in
    sim)
        BUILD=$scratch SIM_SOURCE=$copy SIM_ARCHS=$archs "$0" --make > "$3" 2>&1
        return ;;
    arm64) program=qemu-system-aarch64 ;;
    ppc) program=qemu-system-ppc ;;
    esac
    case $2 in qtest\ *) program=$(qtest_field "${2#qtest }" 5) ;; esac
    obj=$build/bisect-$1
    # shellcheck disable=SC2046 # a list
    QEMU_TREE=$bisect OBJ=$obj ROOT=$build/mutants/none "$top/scripts/build-qemu" "$1" \
        $(goals_of "$2") > "$3" 2>&1 || return 1
    # the programs as built, and the libraries and others of the overlay that is there
    root=$build/mutants/root-$1
    mkdir -p "$root/bin"
    for _path in "$build/root-$1"/*; do
        case ${_path##*/} in bin) ;; *) ln -sfnT "$_path" "$root/${_path##*/}" ;; esac
    done
    for _path in "$build/root-$1"/bin/* "$obj"/qemu-system-* "$obj"/tests/qtest/*-test; do
        [ ! -f "$_path" ] || [ ! -x "$_path" ] || ln -sfnT "$_path" "$root/bin/${_path##*/}"
    done
}

# answers PROFILE: as the probe has them on the simulation
answers()
{
    KVM_SIM_CONTRACT=log sim_run "$1" kvm-abi-probe
}

# run_test WHICH RUN LOG: the test, with what was built, or with --plain what is there
run_test()
{
    case $1 in
    arm64) set -- "$@" "SIM_ROOT_arm64=$root" ;;
    ppc) set -- "$@" "SIM_ROOT_powerpc=$root" ;;
    sim) set -- "$@" "SIM_SOURCE=$copy" ;;
    esac
    _which=$1 _run=$2 _log=$3 _env="BUILD=$scratch SIM_READY=1 $4"
    case $_run in state\ *) _env="$_env SIM_ARCHS=$(sim_arch "${_run#state }")" ;; esac
    # shellcheck disable=SC2086 # lists
    case $_run in
    answers\ *)
        _profile=${_run#answers }
        answers "$_profile" > "$logs/$_profile.now" 2> "$_log" || return 1
        if diff "$logs/$_profile.answers" "$logs/$_profile.now" >> "$_log"; then
            echo "ok - $_profile: answers as calibrated"
        else
            echo "not ok - $_profile: answers as calibrated"
        fi > "$_log.tap"
        cat "$_log.tap" >> "$_log"
        return ;;
    state\ *) set -- "$top/tests/sim/faults.sh" --tap --state ${_run#state } ;;
    faults\ *)
        _run=${_run#faults }
        set -- "$top/tests/sim/faults.sh" --tap --only "${_run#* }" "${_run%% *}" ;;
    sim\ *) set -- "$top/tests/sim/sim.sh" --tap ${_run#sim } ;;
    vcpus\ * | sve\ *)
        # what the links lead to: a host has no other files
        rm -rf "$build/mutants/root-host"
        cp -rL "$root" "$build/mutants/root-host"
        case $_run in
        vcpus*) set -- "$top/tests/hosts/vcpus.sh" --root "$build/mutants/root-host" "${_run#vcpus }" ;;
        *) set -- "$top/tests/arm/sve.sh" --root "$build/mutants/root-host" "${_run#sve }" ;;
        esac ;;
    qtest\ *) set -- "$top/tests/sim/sim.sh" --tap --only "${_run#qtest }" qtests ;;
    unit\ *)
        case $_which in
        arm64) set -- qemu-aarch64-static -L "$build/root-arm64" ;;
        ppc) set -- qemu-ppc-static -L "$build/root-ppc" ;;
        esac
        set -- "$@" "$build/bisect-$_which/tests/unit/${_run#unit }" --tap -k ;;
    esac
    _rc=0
    # shellcheck disable=SC2086 # a list
    timeout -s KILL 900 env $_env "$@" > "$_log" 2>&1 < /dev/null || _rc=$?
    echo "# ended with status $_rc" >> "$_log"
    [ "$_rc" -ne 137 ]
}

# plain WHICH RUN TEST: whether that test passes without a mutant; runs it once
plain()
{
    _log=$logs/plain-$(echo "$1 $2" | tr -c 'a-z0-9\n' -)
    if [ ! -e "$_log.done" ]; then
        case $1 in sim) copy_sim ;; *) copy_series ;; esac
        build "$1" "$2" "$_log.build" || { echo "$1 does not build without a mutant, see $_log.build"; return 0; }
        case $2 in
        answers\ *) answers "${2#answers }" > "$logs/${2#answers }.answers" 2> "$_log" || { echo "the probe fails"; return 0; } ;;
        esac
        run_test "$1" "$2" "$_log" || { echo "'$2' hangs or dies without a mutant"; return 0; }
        touch "$_log.done"
    fi
    if grep -E '^not ok ' "$_log" | grep -qE -e "$3"; then
        echo "'$2' fails without a mutant: see $_log"
    elif ! grep -E '^ok ' "$_log" | grep -v '# SKIP' | grep -qE -e "$3"; then
        echo "'$2' has no test '$3': see $_log"
    fi
}

# one FILE: a line for that mutant
one()
{
    name=$(basename "$1" .patch) which=$(field Which "$1") run=$(field Run "$1") test=$(field Test "$1")
    survives=$(field Survives "$1") what=$(sed -n 1p "$1") log=$logs/$name
    if [ -n "$survives" ] && [ -z "$survivors" ]; then
        echo "ok - $name: $what # SKIP survives: $survives"
        return
    fi
    case $which in sim | arm64 | ppc) ;; *) echo "not ok - $name: no line Which: sim, arm64 or ppc"; return ;; esac
    if [ -z "$run" ] || [ -z "$test" ]; then echo "not ok - $name: no line Run: or Test:"; return; fi
    new_build "$which"
    problem=$(plain "$which" "$run" "$test")
    [ -z "$problem" ] || { echo "not ok - $name: $problem"; return; }
    case $which in
    sim) copy_sim; into=$build/mutants ;;
    *) copy_series; into=$bisect ;;
    esac
    if ! patch -d "$into" -p1 -s -f --no-backup-if-mismatch -r - < "$1" > "$log.patch" 2>&1; then
        echo "not ok - $name: does not apply: $(head -n 1 "$log.patch")"
    elif ! build "$which" "$run" "$log.build"; then
        echo "not ok - $name: does not build; see $log.build"
    elif ! run_test "$which" "$run" "$log"; then
        echo "not ok - $name: '$run' hangs or dies; see $log"
    elif grep -E '^not ok ' "$log" | grep -v 'ended early' | grep -qE -e "$test"; then
        if [ -n "$survives" ]; then
            echo "not ok - $name: $what: is caught; take its line Survives away"
        else
            echo "ok - $name: $what"
        fi
    elif [ -n "$survives" ]; then
        echo "ok - $name: $what # survives: $survives"
    elif ! grep -E '^ok ' "$log" | grep -qE -e "$test"; then
        echo "not ok - $name: '$run' did not come to its test '$test'; see $log"
    else
        echo "not ok - $name: $what: survives; see $log"
    fi
}

list='' survivors='' tap=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --list) list=yes; shift ;;
    --survivors) survivors=yes; shift ;;
    --make) sim_build=$build/sim; sim_make; exit ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/mutants/mutants.sh --help" ;;
    *) break ;;
    esac
done
logs=$build/logs/mutants
files=
[ $# -gt 0 ] || set -- sim series
for name; do
    case $name in
    sim | series) files="$files $(echo "$mutants/$name"/*.patch)" ;;
    *)  for file in "$mutants"/*/"$name.patch"; do
            [ -e "$file" ] || die "there is no mutant '$name'; tests/mutants/mutants.sh --list has their names"
            files="$files $file"
        done ;;
    esac
done
if [ -n "$list" ]; then
    for file in $files; do printf '%-24s %s\n' "$(basename "$file" .patch)" "$(sed -n 1p "$file")"; done
    exit
fi
need_packages patch rsync
if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_qemu >&3
rm -rf "$logs"
mkdir -p "$logs"
n=0 failed=0
for file in $files; do
    [ -z "$survivors" ] || [ -n "$(field Survives "$file")" ] || continue
    n=$((n + 1))
    line=$(one "$file")
    printf '%s\n' "$line"
    case $line in 'not ok'*) failed=1 ;; esac
done
echo "1..$n"
exit "$failed"
