#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# errata.sh: runs in an arm64 host; its stdin has -cpu options, a line each. Prints what the
# host's kernel knows of its CPU, as hosts/guest-init.c has it with guest=cpu, and for each
# option a line "case STATUS" and what the guest printed. /files/Image is the guest's kernel.

set -eu
dmesg | sed -n 's/.*CPU features: detected: /host: detected: /p'
for file in /sys/devices/system/cpu/vulnerabilities/*; do echo "host: ${file##*/}: $(cat "$file")"; done
while IFS= read -r cpu; do
    status=0
    qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu "$cpu" -m 256 -nodefaults -display none \
        -serial stdio -monitor none -no-reboot -kernel /files/Image -initrd "$HOST_GUESTS/initrd-arm64" \
        -append 'console=ttyAMA0 quiet guest=cpu' < /dev/null > /tmp/said 2>&1 || status=$?
    echo "case $status"
    cat /tmp/said
done
