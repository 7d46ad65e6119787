#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs the tests, and counts them. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/check.sh [PART...]

Builds what is missing and runs these parts, or all that fit CI:

  check-series    the series applies, keeps QEMU's style, equals the copies;
                  and the tools that work on it refuse bad input
  check-headers   the script that updates kernel headers gives what QEMU's own
                  gives; the ABI is what the series needs; the series compiles
                  with the newest packaged headers
  check-native    unit tests and qtests on this machine: the project's, and
                  QEMU's own, whose results must be as without the series
  check-sim       QEMU on a simulated /dev/kvm: KVM's contract, calls that fail,
                  the qtests, and the simulation itself
  check-hosts-short  the project's qtests and the runner on the emulated hosts;
                  a KVM that fails; Arm's CPU types on two hosts; BookE guests
                  that are reset, saved, restored and debugged
  run             the table of make run
  check-hosts     (not in CI) check-hosts-short, and Arm's CPU types on all hosts,
                  as guests that boot, and moving between hosts; BookE guests
                  many times
  check-upstream  (not in CI) check-native with QEMU's migration-test as well

Prints a line for each test, "ok" or "not ok", "# SKIP" and the reason behind
one that was skipped, and the sum at the end. Logs: build/logs/check/.
EOF
}

# run_part NAME COMMAND...: counts the TAP lines that COMMAND prints. One that
# fails without saying "not ok" counts as a failed test of its own.
run_part()
{
    name=$1
    shift
    log=$logs/$name.log
    say "$name"
    { "$@" < /dev/null 2>&1; echo "exit $?"; } | tee "$log" |
        grep -E '^(not )?ok|^[^ ]*: error: ' | sed "s|^|$name: |" || true
    p=$(grep -cE '^ok' "$log") || true
    s=$(grep -cE '^ok.* # SKIP' "$log") || true
    f=$(grep -cE '^not ok' "$log") || true
    if [ "$(tail -n 1 "$log")" != 'exit 0' ] && [ "$f" -eq 0 ]; then
        echo "$name: not ok - ended with $(tail -n 1 "$log"):"
        tail -n 30 "$log"
        f=1
    elif [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then
        echo "$name: not ok - ran no test; log: $log"
        f=1
    fi
    passed=$((passed + p - s)) skipped=$((skipped + s)) failed=$((failed + f))
}

# one_qtest OBJ ARCH TEST: a qtest binary of that build, natively
one_qtest()
{
    QTEST_QEMU_BINARY=$1/qemu-system-$2 "$1/tests/qtest/$3" --tap -k
}

# meson_test OBJ ARG...: QEMU's test runner, with the meson that build-qemu got
meson_test()
{
    _obj=$1
    shift
    PYTHONPATH=$build/meson/usr/lib/python3/dist-packages \
        "$_obj/pyvenv/bin/meson" test -C "$_obj" "$@"
}

# qtests OBJ ARCH: the names of those that QEMU's build has for ARCH
qtests() { meson_test "$1" --list 2>/dev/null | sed -n "s|.*/ qtest-$2/||p"; }

# all_qtests OBJ ARCH BUT: a line for each of QEMU's own, by QEMU's test
# runner, but for the one of that name
all_qtests()
{
    # shellcheck disable=SC2046 # a list
    meson_test "$1" --no-rebuild --num-processes "$jobs" \
        $(qtests "$1" "$2" | grep -vx -e "$3" | sed "s|^|qtest-$2/|") 2>&1 |
        sed -n 's|^ *[0-9]*/[0-9]* .*/ qtest-\([^ ]*\) *\([A-Z]*\).*|\2 \1|p' |
        sort -k 2 | while read -r result test; do
            case $result in
            OK) echo "ok - $test" ;;
            SKIP) echo "ok - $test # SKIP by QEMU's own rules" ;;
            *) echo "not ok - $test: $result" ;;
            esac
        done
}

# build_qtests [--base]: the native build, with all qtests
build_qtests()
{
    "$top/scripts/build-qemu" "$@" native
    obj=$build/obj-${1:+base-}native
    goals=
    for arch in $archs; do
        for test in $(qtests "$obj" "$arch"); do goals="$goals tests/qtest/$test"; done
    done
    [ -n "${1-}" ] || goals="$goals tests/unit/test-kvm-arm-models tests/unit/test-booke206-tlb"
    # shellcheck disable=SC2046,SC2086 # a list
    "$top/scripts/build-qemu" "$@" native $(printf '%s\n' $goals | sort -u)
}

check_series()
{
    # after a pull the tree has to follow patches/ first
    "$top/scripts/qemu-tree" --keep-work
    run_part series "$top/scripts/check-series"
    run_part series-tools "$top/tests/series/tools.sh"
}

check_headers()
{
    "$top/scripts/qemu-tree" --keep-work
    run_part headers "$top/tests/headers/script.sh"
    run_part headers-build "$top/tests/headers/build.sh"
}

check_native()
{
    "$top/scripts/qemu-tree" --keep-work
    build_qtests
    for arch in $archs; do
        run_part "native-$arch" one_qtest "$obj" "$arch" accel-cpu-type-test
    done
    run_part native-arm-target one_qtest "$obj" aarch64 kvm-arm-target-test
    run_part native-booke-tlb one_qtest "$obj" ppc kvm-booke-tlb-test
    for test in test-kvm-arm-models test-booke206-tlb; do
        run_part "$test" "$obj/tests/unit/$test" --tap
    done
    # with /dev/kvm QEMU has migration-test take a quarter of an hour
    compare_upstream migration-test
}

# host_qtest HOST ARCH TEST [OPTION...]: one of the project's qtests in that host
host_qtest()
{
    host=$1 arch=$2 test=$3
    shift 3
    "$top/hosts/run" "$@" "$host" -- env "QTEST_QEMU_BINARY=/bin/qemu-system-$arch" \
        "/bin/$test" --tap -k
}

# arm_qtests NAME HOST ARCH [OPTION...]: those for Arm in that host
arm_qtests()
{
    _name=$1 _host=$2 _arch=$3
    shift 3
    run_part "$_name" host_qtest "$_host" "$_arch" accel-cpu-type-test "$@"
    run_part "$_name-target" host_qtest "$_host" "$_arch" kvm-arm-target-test "$@"
}

check_sim()
{
    "$top/scripts/qemu-tree" --keep-work
    run_part sim "$top/tests/sim/sim.sh" --tap
}

# what fits CI: one of each kind
check_hosts_short()
{
    "$top/scripts/qemu-tree" --keep-work
    for which in arm64 ppc native; do "$top/scripts/build-qemu" "$which"; done
    for host in arm64-6.1 arm64-7.2 e500v2 x86_64; do "$top/hosts/build" "$host"; done
    run_part runner "$top/tests/hosts/runner.sh"
    run_part inputs "$top/tests/hosts/inputs.sh"
    arm_qtests arm64-a57 arm64 aarch64
    run_part arm64-a53 host_qtest arm64 aarch64 accel-cpu-type-test --cpu cortex-a53
    arm_qtests arm64-n1-7.2 arm64-7.2 aarch64 --cpu neoverse-n1
    run_part arm64-max-7.2 host_qtest arm64-7.2 aarch64 accel-cpu-type-test --cpu max,pauth-impdef=on
    arm_qtests arm64-arm arm64 arm
    run_part e500v2 host_qtest e500v2 ppc accel-cpu-type-test
    run_part e500v2-tlb host_qtest e500v2 ppc kvm-booke-tlb-test
    run_part x86_64 host_qtest x86_64 x86_64 accel-cpu-type-test
    run_part x86_64-guests "$top/tests/run/table.sh" --tap x86_64
    run_part arm-faults "$top/tests/arm/faults.sh" --tap
    booke_part booke-gdb
    # the long forms have all of these
    [ -z "${1-}" ] || return 0
    run_part arm-matrix "$top/tests/arm/matrix.sh" --tap --short
    booke_part booke-reset --short
    booke_part booke-migrate --short
    booke_part booke-faults --short
}

# booke_part NAME [OPTION]: a test of e500 guests
booke_part()
{
    _booke=$1
    shift
    run_part "$_booke" "$top/tests/$_booke.sh" --tap "$@"
}

check_hosts()
{
    check_hosts_short long
    arm_qtests arm64-a57-7.2 arm64-7.2 aarch64
    # minutes: QEMU starts slowly on such a host
    run_part arm64-max-7.2-target host_qtest arm64-7.2 aarch64 kvm-arm-target-test --cpu max,pauth-impdef=on
    run_part arm-matrix "$top/tests/arm/matrix.sh" --tap
    run_part arm-models "$top/tests/run/table.sh" --tap models
    run_part arm-migrate "$top/tests/arm/migrate.sh" --tap
    booke_part booke-reset
    booke_part booke-migrate
    booke_part booke-faults
    run_part booke-sanitize "$top/tests/booke/sanitize.sh"
}

# compare_upstream BUT: QEMU's own qtests have the same results with the
# series and without it, on builds with so few devices that some cannot pass
compare_upstream()
{
    "$top/scripts/qemu-tree" --keep-work
    "$top/scripts/qemu-tree" --base
    for base in '' --base; do
        # shellcheck disable=SC2086 # an option or none
        build_qtests $base
        for arch in $archs; do
            say "QEMU's own qtests for $arch${base:+, without the series}"
            all_qtests "$obj" "$arch" "$1" | grep -v -e /accel-cpu-type-test -e /kvm-arm-target-test -e /kvm-booke-tlb-test > "$logs/upstream-$arch$base.txt" || true
        done
    done
    for arch in $archs; do
        run_part "upstream-$arch" same_results "$logs/upstream-$arch.txt" "$logs/upstream-$arch--base.txt"
    done
}

# same_results SERIES BASE: two lists of results
same_results()
{
    diff -u "$2" "$1" || { echo "not ok - results differ from those without the series"; return 1; }
    sed 's/^not ok - \(.*\)/ok - \1, and without the series too/' "$1"
}

logs=$build/logs/check
mkdir -p "$logs"
archs='arm aarch64 ppc x86_64'
passed=0 failed=0 skipped=0
[ $# -gt 0 ] || set -- check-series check-headers check-native check-sim check-hosts-short run
for part; do
    case $part in
    check-series) check_series ;;
    check-headers) check_headers ;;
    check-native) check_native ;;
    check-sim) check_sim ;;
    check-hosts-short) check_hosts_short ;;
    check-hosts) check_hosts ;;
    check-upstream) compare_upstream - ;;
    run) run_part run "$top/tests/run/table.sh" --tap ;;
    --help | -h) usage; exit 0 ;;
    *) die "unknown part '$part'; see tests/check.sh --help" ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
