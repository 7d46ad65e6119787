#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does the simulated /dev/kvm answer like the real one? See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=tests/sim-env.sh
. "$top/tests/sim-env.sh"

usage()
{
    cat <<EOF
Usage: tests/sim-calibrate.sh [--tap] [--update] --all | PROFILE...

Runs tests/kvm-abi-probe on the emulated host of each PROFILE of
tests/kvm-sim/profiles/ and on its simulation, and compares the answers, but for
those that tests/cases/sim-uncalibrated lists with a reason. Exit status 1 if
one differs, or if there are less than 300.

  --all     all profiles that an emulated host has: a quarter of an hour
  --update  writes these profiles anew, as the hosts are now
  --native  the host is this machine: PROFILE is compared with its /dev/kvm, or,
            with --update, written from it
  --tap     a line for each profile and nothing else

Answers: build/logs/sim-calibrate/.
EOF
}

# host_probe PROFILE OPTION...: the probe's output on the profile's host
host_probe()
{
    _cpu=${1%-*} _release=${1##*-} _arch=$(sim_arch "$1")
    shift
    case $native$_arch in
    nativearm64 | nativepowerpc)
        "$sim_build/$_arch/kvm-abi-probe" "$@" ;;
    arm64)
        case $_cpu in max) _cpu=max,pauth-impdef=on ;; esac
        "$top/hosts/run" --timeout 1800 --cpu "$_cpu" --file "$sim_build/arm64/kvm-abi-probe" \
            "arm64-$_release" -- /files/kvm-abi-probe "$@" < /dev/null ;;
    powerpc)
        "$top/hosts/run" --file "$sim_build/powerpc/kvm-abi-probe" "$_cpu" -- \
            /files/kvm-abi-probe "$@" < /dev/null ;;
    esac
}

# compared < ANSWERS: those that are compared
compared()
{
    awk -F';' -v list="$top/tests/cases/sim-uncalibrated" '
        BEGIN { while ((getline < list) > 0) if (!/^#/ && NF) but[$1] = 1 }
        {
            for (b in but) if (index($0, b) == 1 && substr($0, length(b) + 1) ~ /^[: ]/) next
            print
        }'
}

tap='' update='' all='' native=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --update) update=yes; shift ;;
    --all) all=yes; shift ;;
    --native) native=native; shift ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/sim-calibrate.sh --help" ;;
    *) break ;;
    esac
done
if [ -n "$all" ]; then
    # those that a probe wrote
    # shellcheck disable=SC2046 # a list
    set -- $(grep -l '^# Written by' "$sim_profiles"/* | sed 's|.*/||')
fi
[ $# -gt 0 ] || { usage >&2; exit 2; }

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_make >&3
logs=$build/logs/sim-calibrate
mkdir -p "$logs"
failed=0
for profile; do
    if [ -n "$update" ]; then
        [ -e "$sim_profiles/$profile" ] || echo "arch $(uname -m | sed 's/aarch64/arm64/; s/ppc.*/powerpc/')" > "$sim_profiles/$profile"
        host_probe "$profile" --profile "${profile%-*} with Linux ${profile##*-}" > "$logs/$profile.new" 2> "$logs/$profile.err" ||
            { tail -n 5 "$logs/$profile.err" >&2; die "the probe failed on the host of $profile"; }
        mv "$logs/$profile.new" "$sim_profiles/$profile"
    fi
    if ! host_probe "$profile" > "$logs/$profile.host" 2> "$logs/$profile.err"; then
        echo "not ok - $profile: the probe failed on its host: $(tail -n 1 "$logs/$profile.err")"
        failed=$((failed + 1))
        continue
    fi
    KVM_SIM_CONTRACT=log sim_run "$profile" kvm-abi-probe > "$logs/$profile.sim" 2> "$logs/$profile.err" ||
        echo "the probe failed on the simulation" >> "$logs/$profile.sim"
    for side in host sim; do compared < "$logs/$profile.$side" > "$logs/$profile.$side.compared"; done
    n=$(wc -l < "$logs/$profile.host.compared")
    diff "$logs/$profile.host.compared" "$logs/$profile.sim.compared" > "$logs/$profile.diff" || true
    differ=$(grep -c '^[<>]' "$logs/$profile.diff") || true
    if [ "$differ" -eq 0 ] && [ "$n" -ge 300 ]; then
        echo "ok - $profile: $n answers compared, 0 differ"
    else
        echo "not ok - $profile: $n answers compared, $differ lines differ:"
        sed 's/^/#   /' "$logs/$profile.diff" | head -n 20
        failed=$((failed + 1))
    fi
done
[ "$failed" -eq 0 ]
