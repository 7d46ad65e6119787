#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench-accel.sh RUNS: runs in an arm64 host; what a start costs until the first
# KVM_RUN with /files/qemu-base (without the series) and with qemu-system-aarch64:
# KVM ioctls under strace, and time without it, the median of RUNS alternating
# runs. The time ends when the guest leaves KVM for the first time.

set -eu
runs=$1

# ioctls QEMU: how many before the first KVM_RUN, by descriptor's kind
ioctls()
{
    timeout 60 strace -f -e trace=ioctl -o /tmp/strace "$1" -M virt -accel kvm -cpu host -nodefaults \
        -display none -m 256 -kernel "$HOST_GUESTS/Image" -append quiet < /dev/null > /dev/null 2>&1 &
    pid=$!
    until grep -q 'KVM_RUN' /tmp/strace 2> /dev/null; do sleep 0.2; done
    kill "$pid"
    wait "$pid" || true
    awk '/resumed>/ { next } /KVM_RUN/ { exit } /KVM_|_IOC\(/ { n++ } END { print n + 0 }' /tmp/strace
}

# first_exit QEMU: milliseconds from its start to the first return of KVM_RUN
first_exit()
{
    begin=$(date +%s%N)
    rm -f /tmp/trace
    "$1" -M virt -accel kvm -cpu host -nodefaults -display none -m 256 -kernel "$HOST_GUESTS/Image" \
        -append quiet -trace kvm_run_exit -D /tmp/trace < /dev/null > /dev/null 2>&1 &
    pid=$!
    until [ -s /tmp/trace ]; do sleep 0.05; done
    kill "$pid"
    wait "$pid" || true
    # log lines begin PID@SECONDS.MICROSECONDS:
    head -n 1 /tmp/trace | awk -F '[@:]' -v begin="$begin" '{ printf "%.1f\n", ($2 - begin / 1e9) * 1e3 }'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

base=/files/qemu-base
series=/bin/qemu-system-aarch64
a=$(ioctls $base)
b=$(ioctls $series)
echo "KVM ioctls before the first KVM_RUN: $a without the series, $b with it: $((b - a)) more"
i=0
while [ "$i" -lt "$runs" ]; do
    first_exit $base >> /tmp/base.ms
    first_exit $series >> /tmp/series.ms
    i=$((i + 1))
done
a=$(median < /tmp/base.ms)
b=$(median < /tmp/series.ms)
echo "$a $b" | awk -v runs="$runs" '{ printf "ms to the first exit from KVM_RUN, median of %d: %.1f without the series, %.1f with it: %.1f more\n", runs, $1, $2, $2 - $1 }'
