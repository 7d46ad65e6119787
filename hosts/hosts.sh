# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced after common.sh
#
# What hosts/build and hosts/run share. What one host is and how it is made
# stands in its folder's host.sh.

host_names='arm64 (the same as arm64-6.1), arm64-6.12, arm64-7.2, e500v2, e500v2-smp, x86_64, native'

# host_load NAME: sets $host, $folder and what the folder's host.sh sets.
host_load()
{
    suite=''    # of the host that was loaded before, and part of what makes a kernel
    case $1 in
    arm64) host=arm64-6.1 folder=arm64 ;;
    arm64-6.1 | arm64-6.12 | arm64-7.2) host=$1 folder=arm64 ;;
    e500v2 | e500v2-smp) host=$1 folder=e500v2 ;;
    x86_64) host=$1 folder=$1 ;;
    native)
        host=$1
        case $(uname -m) in
        aarch64) folder=arm64 ;;
        ppc | ppc64) folder=e500v2 ;;
        x86_64) folder=x86_64 ;;
        *) die "host native: there are no guests for $(uname -m), this machine's architecture; take an emulated host: $host_names" ;;
        esac ;;
    *) die "unknown host '$1'; there are $host_names" ;;
    esac
    emulator_release= # any
    # shellcheck source=/dev/null
    . "$top/hosts/$folder/host.sh"
    [ "$host" != native ] || root=native # with this machine's libraries
}

# cpu_names EMULATOR: the CPUs that it has for the host
cpu_names() { "$1" -M "$machine" -cpu help | tr -s ' \t' '\n' | grep -xE "$cpu_pattern" | sort -u | tr '\n' ' '; }

# find_emulator [CPU]: sets $emulator to the machine's own, or where that is too
# old and has no such CPU to the one that hosts/build unpacks. The same model has
# other registers in another release (ID_DFR0_EL1, CCSIDR_EL1): what a host is may
# not change with the release, as the simulation's profiles are compared with it.
find_emulator()
{
    [ -n "$emulator_release" ] || return 0
    ! dpkg --compare-versions "$(dpkg-query -W -f '${source:Upstream-Version}' "$emulator_package" 2> /dev/null)" \
        ge "$emulator_release" || return 0
    if [ -n "${1-}" ]; then
        case " $(cpu_names "$emulator")" in *" ${1%%,*} "*) return 0 ;; esac
    fi
    emulator=$build/hosts/emulator-$folder/$emulator
}

# archive FOLDER FILE: that folder as an initramfs, all of it root's.
archive()
{
    ( cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet ) > "$2"
}
