# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced by hosts/hosts.sh
#
# An x86-64 host: Debian's cloud kernel on an emulated CPU with AMD's SVM,
# which QEMU's TCG has (it has no Intel VMX).

emulator=qemu-system-x86_64
machine=q35
console=ttyS0
default_cpu=EPYC
cpu_pattern='EPYC(-[A-Za-z0-9-]+)?|Opteron_G[1-5]|phenom|max'
default_memory=2048
max_smp=8
append=cryptomgr.notests       # they take a third of a second

root=x86_64
[ "$(uname -m)" != x86_64 ] || root=native # which scripts/build-qemu makes of x86_64
recipe=hosts/debian.sh
deb_arch=amd64
suite=bookworm
release=6.1
modules='virtio_pci virtio_console kvm_amd'
cc=x86_64-linux-gnu-gcc
packages='gcc-x86-64-linux-gnu libc6-dev-amd64-cross'
emulator_package=qemu-system-x86

guests=x86_64
guest_kernel=x86_64

make_guests()
{
    cp "$build/hosts/kernel-x86_64/kernel" "$1/vmlinuz"
    guest_initrd "$cc" "$1/initrd-x86_64"
}
