# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced by hosts/hosts.sh
#
# AArch64 hosts: Debian's cloud kernels on QEMU's virt machine with EL2. The
# three differ in what KVM takes for a vCPU target: 6.1 the host's own number
# only, 6.12 GENERIC_V8 too, 7.2 also lets user space write the identification
# registers.

emulator=qemu-system-aarch64
# From 10.0 on it has neoverse-v1 and -n2, cortex-a710, and hosts of another
# revision (midr=). Debian 12's own is 7.2.
emulator_release=10.0 emulator_suite=bookworm-backports
machine=virt,virtualization=on,gic-version=3
console=ttyAMA0
default_cpu=cortex-a57
# Those of QEMU's CPU types that a 64-bit kernel can boot on.
cpu_pattern='cortex-a(35|53|55|57|7[0-9]|[0-9]{3})|neoverse-[a-z0-9]+|a64fx|max'
default_memory=2048
max_smp=8
append=cryptomgr.notests       # they take a third of a second

root=arm64
recipe=hosts/debian.sh
deb_arch=arm64
case $host in
*-6.12) suite=bookworm-backports release=6.12 ;;
*-7.2) suite=trixie-backports release=7.2 ;;
*) suite=bookworm release=6.1 ;;
esac
modules='virtio_pci virtio_console'
cc=aarch64-linux-gnu-gcc
packages='gcc-aarch64-linux-gnu libc6-dev-arm64-cross
          gcc-arm-linux-gnueabihf libc6-dev-armhf-cross'
emulator_package=qemu-system-arm

guests=arm64
guest_kernel=arm64-6.1

make_guests()
{
    cp "$build/hosts/kernel-arm64-6.1/kernel" "$1/Image"
    debian_kernel bookworm armhf armmp 6.1 "$1/32"
    mv "$1/32/kernel" "$1/zImage"
    rm -r "$1/32"
    guest_initrd "$cc" "$1/initrd-arm64"
    guest_initrd arm-linux-gnueabihf-gcc "$1/initrd-arm"
    for stay in '' -stay; do
        "$cc" -std=gnu11 -Os -Wall -Wextra -ffreestanding -mgeneral-regs-only ${stay:+-DSTAY} \
            -mstrict-align -fno-pic -fno-stack-protector -no-pie -nostdlib -static -s \
            -Wl,-Ttext=0x40200000,--build-id=none,-z,max-page-size=4096 \
            -o "$1/idregs$stay" "$top/hosts/arm64/idregs.c"
    done
    arm-linux-gnueabihf-gcc -std=gnu11 -Os -Wall -Wextra -ffreestanding -marm -march=armv7-a \
        -mfloat-abi=soft -fno-pic -fno-stack-protector -no-pie -nostdlib -static -s \
        -Wl,-Ttext=0x40200000,--build-id=none,-z,max-page-size=4096 \
        -o "$1/bare-arm" "$top/hosts/arm64/bare-arm.c"
}
