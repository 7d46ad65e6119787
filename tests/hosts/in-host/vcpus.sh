# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# vcpus.sh ADDRESS QEMU [OPTION...]: runs in a host. Starts that QEMU under KVM with
# the guest /files/guest (tests/hosts/vcpus/), which sets its registers and waits;
# saves it; has another QEMU restore it, and the guest go on; resets it, and
# has it start over. Prints what the guest has written down at ADDRESS before
# the reset and after it. Fails, with the reason on stderr, when it does not come
# so far.

set -eu
address=$1
shift
cd /tmp
mkfifo monitor input
# for QEMU not to wait for somebody to write, and not to see an end
exec 3<> monitor 4<> input

fail() { echo "vcpus.sh: $*; QEMU's monitor: $(tr -d '\r' < said | tail -n 3)" >&2; exit 1; }

# qemu OPTION...: starts it; what it prints is in "said"
qemu()
{
    "$@" -accel kvm -smp 2 -nodefaults -display none -kernel /files/guest -monitor stdio \
        -chardev file,id=serial,path=serial,append=on,input-path=input -serial chardev:serial \
        < monitor > said 2>&1 &
    pid=$!
}

# until_seen N REGEX FILE [COMMAND]: waits for N such lines. The monitor is given COMMAND
# until then. What ends a guest that stands is the limit of hosts/run.
until_seen()
{
    until [ "$(grep -c -e "$2" "$3")" -ge "$1" ]; do
        kill -0 "$pid" 2> /dev/null || fail "QEMU ended before '$2'"
        ! grep 'error' serial >&2 || { written >&2; fail "the guest goes no further"; }
        [ -z "${4-}" ] || echo "$4" >&3
        sleep 0.5
    done
}

# written: prints what the guest has
written()
{
    rm -f log
    echo "pmemsave $address 131072 log" >&3
    until [ "$(wc -c < log)" -eq 131072 ]; do sleep 0.2; done 2> /dev/null
    tr '\0' '\n' < log | sed '/^$/,$d'
}

: > serial
qemu "$@"
until_seen 1 '^vcpus: ready' serial
echo 'migrate file:state' >&3
until_seen 1 'Status:.*completed' said 'info migrate'
echo quit >&3
wait "$pid"

qemu "$@" -incoming file:state
until_seen 1 'VM status: running' said 'info status'
printf c >&4
until_seen 1 '^vcpus: done' serial
written
echo system_reset >&3
until_seen 2 '^vcpus: ready' serial
echo 'again'
written
echo quit >&3
wait "$pid"
