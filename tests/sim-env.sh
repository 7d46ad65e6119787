# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # sourced after common.sh
#
# What the scripts of the simulated /dev/kvm share. To be sourced after
# common.sh. docs/testing.md says what it is.

sim_build=$build/sim
sim_profiles=$top/tests/kvm-sim/profiles

# sim_cc ARCH OUTPUT OPTION...: compiles for that kind of host
sim_cc()
{
    case $1 in
    arm64) _cc=aarch64-linux-gnu-gcc ;;
    powerpc) _cc=powerpc-linux-gnu-gcc ;;
    esac
    _out=$2
    shift 2
    "$_cc" -std=gnu11 -O2 -Wall -Wextra -Wno-format-truncation -Werror -o "$_out.new" "$@"
    mv "$_out.new" "$_out"
}

# sim_make: the library, the probe and the library's tests for both, where a
# source is newer; packages first
sim_make()
{
    need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-powerpc-linux-gnu \
        libc6-dev-powerpc-cross qemu-user-static
    for _arch in arm64 powerpc; do
        _dir=$sim_build/$_arch
        [ -z "$(find "$top/tests/kvm-sim" "$top/tests/kvm-abi-probe.c" -name '*.[ch]' \
                -newer "$_dir/ready" -print -quit 2>&1)" ] && continue
        mkdir -p "$_dir"
        sim_cc "$_arch" "$_dir/sim.so" -shared -fPIC "$top/tests/kvm-sim/"[!t]*.c
        sim_cc "$_arch" "$_dir/kvm-abi-probe" "$top/tests/kvm-abi-probe.c"
        sim_cc "$_arch" "$_dir/test-contract" "$top/tests/kvm-sim/test-contract.c"
        touch "$_dir/ready"
    done
    # PowerPC's device tree: where QEMU looks for the CPU's clocks, 400 MHz
    mkdir -p "$sim_build/device-tree/cpus/PowerPC,cpu@0"
    printf '\027\327\204\000' > "$sim_build/device-tree/cpus/PowerPC,cpu@0/clock-frequency"
    printf '\027\327\204\000' > "$sim_build/device-tree/cpus/PowerPC,cpu@0/timebase-frequency"
    sim_kernel
    sim_wrappers
}

# sim_qemu: QEMU with the series for both; SIM_READY=1 takes what is there
sim_qemu()
{
    [ -z "${SIM_READY-}" ] || return 0
    "$top/scripts/qemu-tree" --keep-work
    for _which in arm64 ppc; do "$top/scripts/build-qemu" "$_which"; done
}

# sim_arch PROFILE: arm64 or powerpc
sim_arch()
{
    _profile=$sim_profiles/$1
    [ -e "$_profile" ] || die "there is no profile '$1'; see tests/kvm-sim/profiles/"
    while :; do
        _found=$(sed -n 's/^arch //p' "$_profile")
        [ -z "$_found" ] || { echo "$_found"; return; }
        _profile=$sim_profiles/$(sed -n 's/^include //p' "$_profile")
    done
}

# sim_root ARCH: QEMU's root overlay, with the series, or with base=base- without
sim_root()
{
    case $1 in
    arm64) echo "$build/root-${base-}arm64" ;;
    powerpc) echo "$build/root-${base-}ppc" ;;
    esac
}

# sim_wrappers: build/sim/NAME runs the program NAME of a root overlay on the
# simulation; KVM_SIM_* in the environment say how
sim_wrappers()
{
    for _name in qemu-system-aarch64:arm64 qemu-system-arm:arm64 qemu-system-ppc:powerpc \
                 accel-cpu-type-test:arm64 kvm-arm-target-test:arm64 \
                 accel-cpu-type-test:powerpc kvm-booke-tlb-test:powerpc; do
        _arch=${_name#*:} _name=${_name%:*}
        case $_arch in arm64) _user=aarch64 ;; powerpc) _user=ppc ;; esac
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
            if [ "$_arch" = "$(uname -m | sed 's/aarch64/arm64/; s/^ppc$/powerpc/')" ]; then
                echo "exec env LD_PRELOAD=$sim_build/$_arch/sim.so \$root/bin/$_name \"\$@\""
            else
                # the CPU that the program itself reads: DCZID_EL0
                # shellcheck disable=SC2016 # for the wrapper
                [ "$_arch" = powerpc ] ||
                    echo 'cpu=$(echo "${KVM_SIM_PROFILE##*/}" | sed "s/-[^-]*$//; s/-no$//")'
                [ "$_arch" = arm64 ] || echo cpu=
                echo "exec qemu-$_user-static \${cpu:+-cpu \$cpu} -L \$root -E LD_PRELOAD=$sim_build/$_arch/sim.so \$root/bin/$_name \"\$@\""
            fi
        } > "$sim_build/bin-$_arch/.$_name"
        chmod +x "$sim_build/bin-$_arch/.$_name"
        mv "$sim_build/bin-$_arch/.$_name" "$sim_build/bin-$_arch/$_name"
    done
}

# sim_run PROFILE PROGRAM ARG...: a program of build/sim/ARCH on the simulation
sim_run()
{
    _arch=$(sim_arch "$1")
    _run_profile=$1 _program=$sim_build/$_arch/$2
    shift 2
    case $_arch in
    arm64) set -- qemu-aarch64-static -L /usr/aarch64-linux-gnu -E "LD_PRELOAD=$sim_build/$_arch/sim.so" "$_program" "$@" ;;
    powerpc) set -- qemu-ppc-static -L /usr/powerpc-linux-gnu -E "LD_PRELOAD=$sim_build/$_arch/sim.so" "$_program" "$@" ;;
    esac
    KVM_SIM_PROFILE=$sim_profiles/$_run_profile "$@"
}

# sim_kernel: build/sim/kernel-ppc, without which ppce500 does not start: an ELF file
# of one instruction, a branch to itself
sim_kernel()
{
    {
        printf '\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\24\0\0\0\1\0\0\0\0\0\0\0\64'
        printf '\0\0\0\0\0\0\0\0\0\64\0\40\0\1\0\0\0\0\0\0\0\0\0\1\0\0\0\124'
        printf '\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\5\0\0\0\4\110\0\0\0'
    } > "$sim_build/kernel-ppc.$$"
    mv "$sim_build/kernel-ppc.$$" "$sim_build/kernel-ppc"
}
