#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# accel.sh RUNS: runs in an arm64 host; what a start costs until the first
# KVM_RUN with /files/qemu-base (without the series) and with qemu-system-aarch64:
# KVM ioctls under strace, and time without it, of RUNS runs each in turn.

set -eu
runs=$1

# ioctls QEMU: how many before the first KVM_RUN, by descriptor's kind
ioctls()
{
    rm -f /tmp/strace
    strace -f -e trace=ioctl -o /tmp/strace "$1" -M virt -accel kvm -cpu host -nodefaults \
        -display none -m 256 -kernel "$HOST_GUESTS/Image" -append quiet < /dev/null > /dev/null 2>&1 &
    pid=$!
    until grep -q 'KVM_RUN' /tmp/strace 2> /dev/null; do sleep 0.2; done
    killall "${1##*/}" # strace itself ignores signals while it has a child
    wait "$pid" || true
    awk '/resumed>/ { next } /KVM_RUN/ { exit } /KVM_|_IOC\(/ { n++ } END { print n + 0 }' /tmp/strace
}

# first_run QEMU: milliseconds from its execve to its first KVM_RUN (0xae80);
# strace is there for the time of day of the one, and sees nothing else
first_run()
{
    rm -f /tmp/trace /tmp/strace
    strace -f --seccomp-bpf -ttt -e trace=execve -o /tmp/strace "$1" -M virt -accel kvm -cpu host \
        -nodefaults -display none -m 256 -kernel "$HOST_GUESTS/Image" -append quiet \
        -msg timestamp=on -trace kvm_vcpu_ioctl -D /tmp/trace < /dev/null > /dev/null 2>&1 &
    pid=$!
    until grep -q 'type 0xae80' /tmp/trace 2> /dev/null; do sleep 0.1; done
    killall "${1##*/}"
    wait "$pid" || true
    # lines begin "PID SECONDS.MICROSECONDS " and "YYYY-MM-DDTHH:MM:SS.MICROSECONDSZ ", in UTC
    { head -n 1 /tmp/strace; grep -m 1 'type 0xae80' /tmp/trace; } | awk -F '[ TZ:]+' '
        NR == 1 { begin = $2 % 86400 }
        NR == 2 { printf "%.1f\n", (($2 * 60 + $3) * 60 + $4 - begin + 86400) % 86400 * 1e3 }'
}

# summary FILE: its least and its median number
summary() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[1], v[int((NR + 1) / 2)] }'; }

base=/files/qemu-base
series=/bin/qemu-system-aarch64
a=$(ioctls $base)
b=$(ioctls $series)
echo "KVM ioctls before the first KVM_RUN: $a without the series, $b with it: $((b - a)) more"
i=0
while [ "$i" -lt "$runs" ]; do
    first_run $base >> /tmp/base.ms
    first_run $series >> /tmp/series.ms
    i=$((i + 1))
done
echo "$(summary /tmp/base.ms) $(summary /tmp/series.ms)" | awk -v runs="$runs" '{
    printf "ms to the first KVM_RUN, least and median of %d runs: ", runs
    printf "%.1f and %.1f without the series, %.1f and %.1f with it: ", $1, $2, $3, $4
    printf "%.1f and %.1f more\n", $3 - $1, $4 - $2
}'
