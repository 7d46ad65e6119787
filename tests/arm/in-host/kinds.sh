#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kinds.sh: runs in an arm64 host; its stdin has lines of tests/arm/cases/kinds, without
# KERNEL. For each a line "case STATUS", and after it what was said.

set -eu

# online 0|1 CPUS: takes them from the host, or gives them back
online()
{
    for _cpu in $2; do echo "$1" > "/sys/devices/system/cpu/cpu$_cpu/online"; done
}

while IFS=\; read -r cpus options _; do
    status=0 off=
    case $cpus in *' off '*) off=$(echo "${cpus#* off }" | tr , ' ') ;; esac
    online 0 "$off"
    # shellcheck disable=SC2086 # a list
    taskset -c "${cpus%% *}" qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -m 256 -nodefaults -display none \
        -serial stdio -monitor none -no-reboot $options -kernel "$HOST_GUESTS/Image" \
        -initrd "$HOST_GUESTS/initrd-arm64" -append 'console=ttyAMA0 quiet' < /dev/null > /tmp/said 2>&1 || status=$?
    online 1 "$off"
    echo "case $status"
    cat /tmp/said
done
