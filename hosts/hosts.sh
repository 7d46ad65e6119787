# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced after common.sh
#
# What hosts/build and hosts/run share. What one host is and how it is made
# stands in its folder's host.sh.

host_names='arm64 (the same as arm64-6.1), arm64-6.12, arm64-7.2, e500v2, x86_64, native'

# host_load NAME: sets $host, $folder and what the folder's host.sh sets.
host_load()
{
    suite=''    # of the host that was loaded before, and part of what makes a kernel
    case $1 in
    arm64) host=arm64-6.1 folder=arm64 ;;
    arm64-6.1 | arm64-6.12 | arm64-7.2) host=$1 folder=arm64 ;;
    e500v2 | x86_64) host=$1 folder=$1 ;;
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
    # shellcheck source=/dev/null
    . "$top/hosts/$folder/host.sh"
}

# archive FOLDER FILE: that folder as an initramfs, all of it root's.
archive()
{
    ( cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet ) > "$2"
}
