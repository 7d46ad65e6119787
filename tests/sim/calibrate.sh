#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does the simulated /dev/kvm answer like the real one? See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/sim/env.sh
. "$top/tests/sim/env.sh"

usage()
{
    cat <<EOF
Usage: tests/sim/calibrate.sh [--tap] [--update] --all | PROFILE...

Runs tests/kvm-abi-probe on the emulated host of each PROFILE of
tests/kvm-sim/profiles/ and on its simulation, and compares the answers, but for
those that tests/sim/cases/uncalibrated lists with a reason. Exit status 1 if
one differs, or if there are less than 300. Where the archive has no more the
kernel of scripts/inputs.lock, and answers differ, that profile is skipped.

  --all     all profiles that an emulated host has: a quarter of an hour
  --update  writes these profiles anew, as the hosts are now; a new one is called
            CPU-RELEASE
  --native  the host is this machine: PROFILE is compared with its /dev/kvm, or,
            with --update, written from it
  --tap     TAP: a line for each profile, and the plan

JOBS= hosts run at a time. Answers: build/logs/sim-calibrate/.
EOF
}

# check PROFILE: dies unless there is a host of it that can be asked
check()
{
    if [ -n "$native" ]; then
        case $(sim_here) in
        arm64 | powerpc) ;;
        *) die "--native: this machine is $(uname -m), and profiles are of arm64 and powerpc; use a machine with such a KVM, or leave --native out to ask an emulated one" ;;
        esac
        ( : <> /dev/kvm ) 2> /dev/null ||
            die "--native: /dev/kvm is not there, or not yours to open; load KVM's module, or become a member of the group kvm"
    fi
    if [ -n "$native" ] && [ -n "$update" ] && [ ! -e "$sim_profiles/$1" ]; then
        case $1 in
        */* | .* | *' '*) ;;
        ?*-[0-9]*.[0-9]*) return ;;
        esac
        die "'$1' is no name for a profile; it is CPU-RELEASE, such as cortex-a76-6.12"
    fi
    _arch=$(sim_arch "$1")
    [ -z "$native" ] || [ "$_arch" = "$(sim_here)" ] ||
        die "--native: the profile '$1' is of $_arch, and this machine of $(sim_here)"
    grep -q '^# Written by' "$sim_profiles/$1" ||
        die "the profile '$1' has no host: it says how another one would differ; name one that a probe wrote"
}

# host_probe PROFILE OPTION...: the probe's output on the profile's host
host_probe()
{
    _cpu=${1%-*} _release=${1##*-}
    if [ -n "$native" ]; then _arch=$(sim_here); else _arch=$(sim_arch "$1"); fi
    shift
    case $native$_arch in
    native*) "$sim_build/$_arch/kvm-abi-probe" "$@" ;;
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
    awk -F';' -v list="$top/tests/sim/cases/uncalibrated" '
        BEGIN { while ((getline < list) > 0) if (!/^#/ && NF) but[$1] = 1 }
        {
            for (b in but) if (index($0, b) == 1 && substr($0, length(b) + 1) ~ /^[: ]/) next
            print
        }'
}

# one_profile PROFILE: writes it, if that was asked for, and compares it; a line, and
# how it differs
one_profile()
{
    profile=$1
    if [ -z "$native" ]; then
        skip=$(sim_skip "$(sim_arch "$profile")")
        [ -z "$skip" ] || { echo "ok - $profile$skip"; return; }
    fi
    if [ -n "$update" ]; then
        if ! host_probe "$profile" --profile "${profile%-*} with Linux ${profile##*-}" > "$logs/$profile.new" 2> "$logs/$profile.err"; then
            echo "not ok - $profile: not written: the probe failed on its host: $(tail -n 1 "$logs/$profile.err")"
            return
        fi
        mv "$logs/$profile.new" "$sim_profiles/$profile"
    fi
    if ! host_probe "$profile" > "$logs/$profile.host" 2> "$logs/$profile.err"; then
        echo "not ok - $profile: the probe failed on its host: $(tail -n 1 "$logs/$profile.err")"
        return
    fi
    KVM_SIM_CONTRACT=log sim_run "$profile" kvm-abi-probe > "$logs/$profile.sim" 2> "$logs/$profile.err" ||
        echo "the probe failed on the simulation" >> "$logs/$profile.sim"
    for side in host sim; do compared < "$logs/$profile.$side" > "$logs/$profile.$side.compared"; done
    n=$(wc -l < "$logs/$profile.host.compared")
    diff "$logs/$profile.host.compared" "$logs/$profile.sim.compared" > "$logs/$profile.diff" ||
        [ "$?" -eq 1 ]
    differ=$(grep -c '^[<>]' "$logs/$profile.diff") || [ "$?" -eq 1 ]
    # A profile is of the kernel that the lock has. This one may answer otherwise.
    release=$(printf %s "${profile##*-}" | sed 's/[.]/[.]/g')
    moved=$(inputs_moved | sed -n "s/^linux-[a-z]*-${release}[^0-9][^ ]* [^ ]* //p; s/^linux-source-$release [^ ]* //p" | head -n 1)
    if [ "$differ" -eq 0 ] && [ "$n" -ge 300 ]; then
        echo "ok - $profile: $n answers compared, 0 differ"
    elif [ -z "$native" ] && [ -n "$moved" ] && [ "$n" -ge 300 ]; then
        echo "ok - $profile: $differ lines differ # SKIP the host runs $moved, and the profile is of an older kernel; --update writes it anew"
    else
        echo "not ok - $profile: $n answers compared, $differ lines differ:"
        sed 's/^/#   /' "$logs/$profile.diff" | head -n 20
    fi
}

tap='' update='' all='' native='' one=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --update) update=yes; shift ;;
    --all) all=yes; shift ;;
    --native) native=native SIM_ARCHS=$(sim_here); export SIM_ARCHS; shift ;;
    --one) one=yes; shift ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/sim/calibrate.sh --help" ;;
    *) break ;;
    esac
done
if [ -n "$all" ]; then
    # those that a probe wrote
    # shellcheck disable=SC2046 # a list
    set -- $(grep -l '^# Written by' "$sim_profiles"/* | sed 's|.*/||')
fi
[ $# -gt 0 ] || { usage >&2; exit 2; }
logs=$build/logs/sim-calibrate
if [ -n "$one" ]; then
    one_profile "$1" > "$logs/$1.result.new"
    mv "$logs/$1.result.new" "$logs/$1.result"
    exit
fi
for profile; do check "$profile"; done

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_make >&3
mkdir -p "$logs"
rm -f "$logs"/*.result "$logs/results"
# a run that died has left no result
printf '%s\n' "$@" | xargs -P "$jobs" -I NAME sh "$0" ${native:+--native} ${update:+--update} --one NAME ||
    echo "# a run ended early: see above"
for profile; do
    cat "$logs/$profile.result" 2> /dev/null || echo "not ok - $profile: no result"
done > "$logs/results"
cat "$logs/results"
[ -z "$tap" ] || echo "1..$#"
! grep -q '^not ok' "$logs/results"
