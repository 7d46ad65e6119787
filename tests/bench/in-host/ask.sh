#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ask.sh CPU...: runs in an arm64 host; "CPU N" for each: how many KVM ioctls
# more qemu-system-aarch64 does than /files/qemu-base (without the series) until
# it knows whether KVM runs that CPU type. -dump-vmstate ends it there.

set -eu

# ioctls QEMU CPU
ioctls()
{
    strace -f -e trace=ioctl -o /tmp/strace "$1" -M virt -accel kvm -cpu "$2" -dump-vmstate /dev/null
    awk '/resumed>/ { next } /KVM_|_IOC\(/ { n++ } END { print n + 0 }' /tmp/strace
}

for cpu; do
    base=$(ioctls /files/qemu-base "$cpu")
    series=$(ioctls /bin/qemu-system-aarch64 "$cpu")
    echo "$cpu $((series - base))"
done
