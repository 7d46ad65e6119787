# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # sourced after common.sh
#
# What the scripts of the simulated /dev/kvm share. To be sourced after
# common.sh. docs/testing.md says what it is.

# where its sources are: a copy of tests/, for tests/mutants/
sim_source=${SIM_SOURCE:-$top/tests}
sim_build=$build/sim
sim_profiles=$top/tests/kvm-sim/profiles

# sim_cc ARCH OUTPUT OPTION...: compiles for that kind of host. What is made has a name of
# our own until it is whole: other scripts make it at the same time
sim_cc()
{
    case $1 in
    arm64) _cc=aarch64-linux-gnu-gcc ;;
    powerpc*) _cc=$1-linux-gnu-gcc ;;
    esac
    _out=$2
    shift 2
    "$_cc" -std=gnu11 -O2 -Wall -Wextra -Wno-format-truncation -Werror -o "$_out.$$" "$@"
    mv "$_out.$$" "$_out"
}

# why there is no PowerPC on this machine, if so; asked once
[ -n "${SIM_NO_POWERPC+asked}" ] || SIM_NO_POWERPC=$(left_out ppc)
export SIM_NO_POWERPC

# sim_archs: the kinds of hosts, or those of SIM_ARCHS; PowerPC where it can be built;
# 64-bit PowerPC, for e5500 and e6500, if its QEMU is there
sim_archs()
{
    [ -z "${SIM_ARCHS-}" ] || { echo "$SIM_ARCHS"; return; }
    if [ -n "$SIM_NO_POWERPC" ]; then
        echo arm64
    elif [ -x "${SIM_ROOT_powerpc64:-$(sim_root powerpc64)}/bin/qemu-system-ppc64" ]; then
        echo arm64 powerpc powerpc64
    else
        echo arm64 powerpc
    fi
}

# tap NAME LOG COMMAND...: runs a command that prints TAP lines, into LOG too, and adds a
# failed test where it did not come to its end: it died, printed no test, or not as many
# as its plan says. 1 if a test failed. What is no TAP becomes a diagnostic
tap()
{
    _tap=$1 _log=$2
    shift 2
    # the status comes last; a COMMAND that exits ends this subshell
    { _rc=0; "$@" 2>&1 || _rc=$?; echo "status $_rc"; } |
        awk -v name="$_tap" -v file="$_log" '
            function say(text) { print text; print text > file; fflush() }
            /^status [0-9]+$/ { status = $2; ended = 1; next }
            /^1\.\.[0-9]+$/ { planned = 1; plan += substr($0, 4); next }
            /^(not )?ok / { n++; bad += /^not ok/; say($0); next }
            { if (!/^#/) { last = $0; $0 = "# " $0 } say($0) }
            END {
                if (!ended || (status && !bad))
                    what = "ended early, with status " (ended ? status : "unknown") ": " last
                else if (!n) what = "ran no test"
                else if (planned && plan != n) what = "ran " n + 0 " tests of " plan
                if (what) { bad++; say("not ok - " name ": " what) }
                exit bad != 0
            }'
}

# sim_make: the library, the probe and the library's tests for all, where a
# source is newer; packages first
sim_make()
{
    need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
    for _arch in $(sim_archs); do
        case $_arch in
        powerpc) need_packages gcc-powerpc-linux-gnu libc6-dev-powerpc-cross ;;
        powerpc64) need_packages gcc-powerpc64-linux-gnu libc6-dev-ppc64-cross ;;
        esac
    done
    for _arch in $(sim_archs); do
        _dir=$sim_build/$_arch
        [ -z "$(find "$sim_source/kvm-sim" "$sim_source/lib" "$sim_source/sim/kvm-abi-probe.c" -name '*.[ch]' \
                -newer "$_dir/ready" -print -quit 2>&1)" ] && continue
        mkdir -p "$_dir"
        sim_cc "$_arch" "$_dir/sim.so" -shared -fPIC "$sim_source/kvm-sim/"[!t]*.c "$sim_source/lib/faults.c"
        sim_cc "$_arch" "$_dir/kvm-abi-probe" "$sim_source/sim/kvm-abi-probe.c"
        sim_cc "$_arch" "$_dir/test-contract" "$sim_source/kvm-sim/test-contract.c"
        sim_cc "$_arch" "$_dir/fault-calls" "$sim_source/lib/fault-calls.c"
        touch "$_dir/ready"
    done
    # PowerPC's device tree: where QEMU looks for the CPU's clocks, 400 MHz
    mkdir -p "$sim_build/device-tree/cpus/PowerPC,cpu@0"
    [ -s "$sim_build/device-tree/cpus/PowerPC,cpu@0/clock-frequency" ] ||
        printf '\027\327\204\000' > "$sim_build/device-tree/cpus/PowerPC,cpu@0/clock-frequency"
    [ -s "$sim_build/device-tree/cpus/PowerPC,cpu@0/timebase-frequency" ] ||
        printf '\027\327\204\000' > "$sim_build/device-tree/cpus/PowerPC,cpu@0/timebase-frequency"
    sim_kernel
    sim_wrappers
}

# sim_qemu: QEMU with the series for arm64 and powerpc, with SIM_PPC64=1 for powerpc64 as
# well; SIM_READY=1 takes what is there
sim_qemu()
{
    if [ -n "${SIM_READY-}" ]; then
        for _program in "${SIM_ROOT_arm64:-$(sim_root arm64)}/bin/qemu-system-aarch64" \
                        "${SIM_ROOT_powerpc:-$(sim_root powerpc)}/bin/qemu-system-ppc" \
                        "$build/obj-native/qmp"; do
            case $SIM_NO_POWERPC-$_program in ?*-*/qemu-system-ppc) continue ;; esac
            [ -x "$_program" ] ||
                die "SIM_READY is set and $_program is not there; without SIM_READY it is built"
        done
        return
    fi
    "$top/scripts/qemu-tree" --keep-work
    _builds=$(buildable arm64 ppc ${SIM_PPC64:+ppc64})
    for _which in $_builds; do "$top/scripts/build-qemu" "$_which"; done
    "$top/scripts/build-qemu" native qmp
}

# sim_start SECONDS PROGRAM OPTION...: QEMU in the background, as $started, for so long at
# most. Its monitor is at $tmp/qmp, and nobody's when it does not answer
sim_start()
{
    local seconds="$1"
    shift
    rm -f "$tmp/qmp"
    start timeout -s KILL "$seconds" "$@" -display none -nodefaults \
        -qmp "unix:$tmp/qmp,server=on,wait=off" < /dev/null
}

# sim_qmp COMMAND...: tests/lib/qmp.c on the QEMU that sim_start started last. What ends
# one that does not answer is its limit
sim_qmp() { "$build/obj-native/qmp" -t 600 "$tmp/qmp" "$@"; }

# sim_await COMMAND...: until that succeeds, or QEMU has ended, which is a failure
sim_await()
{
    until "$@"; do
        kill -0 "$started" 2> /dev/null || return 1
        sleep 0.03
    done
}

# sim_save FILE: saves the guest into that, and prints "Status: completed", or "failed"
# and why
sim_save()
{
    local status=
    sim_qmp migrate "uri=file:$1" || return 1
    until [ "$status" = completed ] || [ "$status" = failed ]; do
        status=$(sim_qmp query-migrate.status) || return 1
    done
    echo "Status: $status"
    [ "$status" = completed ] || sim_qmp query-migrate.error-desc
}

# sim_here: this machine's architecture, by the name that profiles have for it
sim_here() { uname -m | sed 's/^aarch64$/arm64/; s/^ppc\(64\)\{0,1\}$/powerpc/'; }

# sim_arch PROFILE: arm64 or powerpc
sim_arch()
{
    _profile=$sim_profiles/$1
    [ -f "$_profile" ] || die "there is no profile '$1'; see tests/kvm-sim/profiles/"
    while :; do
        _found=$(sed -n 's/^arch //p' "$_profile")
        [ -z "$_found" ] || { echo "$_found"; return; }
        _profile=$sim_profiles/$(sed -n 's/^include //p' "$_profile")
        [ -f "$_profile" ] ||
            die "the profile '$1' does not say its architecture; it needs a line 'arch arm64' or 'arch powerpc'"
    done
}

# sim_root ARCH: QEMU's root overlay, with the series, or with base=base- without
sim_root()
{
    case $1 in
    arm64) echo "$build/root-${base-}arm64" ;;
    powerpc*) echo "$build/root-${base-}ppc${1#powerpc}" ;;
    esac
}

# sim_program PROFILE OPTION...: ARCH and the program of build/sim/bin-ARCH that is to have
# these options: qemu-system-ppc64 if the first one is ppc64. Sets $arch and $program
# shellcheck disable=SC2034 # for those who source this
sim_program()
{
    arch=$(sim_arch "$1")
    case $arch-${2-} in
    arm64-*) program=qemu-system-aarch64 ;;
    *-ppc64) arch=powerpc64 program=qemu-system-ppc64 ;;
    powerpc-*) program=qemu-system-ppc ;;
    esac
}

# sim_skip ARCH: why its lines cannot be run, if they cannot
sim_skip()
{
    case " $(sim_archs) " in
    *" $1 "*) ;;
    *) echo " # SKIP ${SIM_NO_POWERPC:-no build/root-ppc64; scripts/build-qemu ppc64 makes it}" ;;
    esac
}

# sim_wrappers: build/sim/NAME runs the program NAME of a root overlay on the
# simulation; KVM_SIM_* in the environment say how
sim_wrappers()
{
    for _name in qemu-system-aarch64:arm64 qemu-system-arm:arm64 qemu-system-ppc:powerpc \
                 accel-cpu-type-test:arm64 kvm-arm-target-test:arm64 \
                 accel-cpu-type-test:powerpc kvm-booke-tlb-test:powerpc \
                 qemu-system-ppc64:powerpc64 accel-cpu-type-test:powerpc64 kvm-booke-tlb-test:powerpc64; do
        _arch=${_name#*:} _name=${_name%:*}
        case " $(sim_archs) " in *" $_arch "*) ;; *) continue ;; esac
        case $_arch in arm64) _user=aarch64 ;; powerpc*) _user=ppc${_arch#powerpc} ;; esac
        mkdir -p "$sim_build/bin-$_arch"
        {
            echo '#!/bin/sh'
            echo "root=\${SIM_ROOT_$_arch:-$(sim_root "$_arch")}"
            echo "case \${KVM_SIM_PROFILE-} in '' | */*) ;; *) export KVM_SIM_PROFILE=\"$sim_profiles/\$KVM_SIM_PROFILE\" ;; esac"
            echo "export KVM_SIM_DEVICE_TREE=$sim_build/device-tree"
            # the contract is QEMU's; tests ask less carefully
            # shellcheck disable=SC2016 # for the wrapper
            case $_name in
            *-test) echo 'export KVM_SIM_CONTRACT=log' ;;
            *) echo 'export KVM_SIM_CONTRACT=${SIM_CONTRACT-}' ;;
            esac
            # the CPU that the program itself reads, DCZID_EL0, on an AArch64 machine too
            # shellcheck disable=SC2016 # for the wrapper
            [ "$_arch" != arm64 ] ||
                echo 'cpu=$(echo "${KVM_SIM_PROFILE##*/}" | sed "s/+[^-]*//; s/-[^-]*$//; s/-no$//")'
            [ "$_arch" = arm64 ] || echo cpu=
            echo "exec qemu-$_user-static \${cpu:+-cpu \$cpu} -L \$root -E LD_PRELOAD=$sim_build/$_arch/sim.so \$root/bin/$_name \"\$@\""
        } > "$sim_build/bin-$_arch/.$_name.$$"
        chmod +x "$sim_build/bin-$_arch/.$_name.$$"
        mv "$sim_build/bin-$_arch/.$_name.$$" "$sim_build/bin-$_arch/$_name"
    done
}

# sim_run PROFILE PROGRAM ARG...: a program of build/sim/ARCH on the simulation, of
# the file $profile_file instead if that is set
sim_run()
{
    _arch=$(sim_arch "$1")
    _run_profile=$1 _program=$sim_build/$_arch/$2
    shift 2
    case $_arch in
    arm64) set -- qemu-aarch64-static -L /usr/aarch64-linux-gnu -E "LD_PRELOAD=$sim_build/$_arch/sim.so" "$_program" "$@" ;;
    powerpc) set -- qemu-ppc-static -L /usr/powerpc-linux-gnu -E "LD_PRELOAD=$sim_build/$_arch/sim.so" "$_program" "$@" ;;
    esac
    KVM_SIM_PROFILE=${profile_file:-$sim_profiles/$_run_profile} "$@"
}

# sim_kernel: build/sim/kernel-ppc, without which ppce500 does not start: an ELF file
# of a nop, where guests of the simulation stay, and a branch to itself
sim_kernel()
{
    {
        printf '\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\24\0\0\0\1\0\0\0\0\0\0\0\64'
        printf '\0\0\0\0\0\0\0\0\0\64\0\40\0\1\0\0\0\0\0\0\0\0\0\1\0\0\0\124'
        printf '\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0\10\0\0\0\5\0\0\0\4\140\0\0\0\110\0\0\0'
    } > "$sim_build/kernel-ppc.$$"
    mv "$sim_build/kernel-ppc.$$" "$sim_build/kernel-ppc"
}
