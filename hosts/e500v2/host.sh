# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced by hosts/hosts.sh
#
# A BookE host: Linux 6.1 with KVM_E500V2, which runs guests in user mode and
# emulates the rest, so that it asks nothing of the CPU. Debian has no such
# kernel and no powerpc packages any more: make.sh builds both from source.

emulator=qemu-system-ppc
machine=ppce500
console=ttyS0
default_cpu=e500v2_v30
cpu_pattern='e500v2_v[0-9]+'
default_memory=512
case $host in                   # what the kernel is built for
*-smp) max_smp=4 ;;
*) max_smp=1 ;;
esac
append=

root=ppc
recipe=hosts/e500v2/make.sh
modules=
cc=powerpc-linux-gnu-gcc
packages='gcc-powerpc-linux-gnu libc6-dev-powerpc-cross
          make flex bison bc patch dpkg-dev'
emulator_package=qemu-system-ppc

# The guests' kernel is the host's.
case $host in
*-smp) guests=ppc-smp guest_kernel=e500v2-smp ;;
*) guests=ppc guest_kernel=e500v2 ;;
esac

make_guests()
{
    cp "$build/hosts/kernel-$guest_kernel/kernel" "$1/vmlinux"
    guest_initrd "$cc" "$1/initrd-ppc"
    for _bare in bare thrash; do
        "$cc" -std=gnu11 -Os -Wall -Wextra -mcpu=8548 -msoft-float -ffreestanding \
            -fno-pic -fno-stack-protector -no-pie -nostdlib -static -s \
            -Wl,-Ttext=0x100000,--build-id=none,-z,max-page-size=4096 \
            -o "$1/$_bare-ppc" "$top/hosts/e500v2/$_bare.c"
    done
}
