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
mkfifo input
# for QEMU not to see an end
exec 4<> input

fail() { echo "vcpus.sh: $*; QEMU said: $(tail -n 3 said)" >&2; exit 1; }

# qemu OPTION...: starts it
qemu()
{
    "$@" -accel kvm -smp 2 -nodefaults -display none -kernel /files/guest \
        -qmp unix:/tmp/qmp,server=on,wait=off \
        -chardev file,id=serial,path=serial,append=on,input-path=input -serial chardev:serial \
        < /dev/null > said 2>&1 &
    pid=$!
}

# ask COMMAND...: QEMU's monitor
ask() { qmp -t 120 /tmp/qmp "$@" || fail "$1"; }

# until_seen N REGEX: waits for N such lines of the guest. What ends one that stands is the
# limit of hosts/run.
until_seen()
{
    until [ "$(grep -c -e "$2" serial)" -ge "$1" ]; do
        kill -0 "$pid" 2> /dev/null || fail "QEMU ended before '$2'"
        ! grep 'error' serial >&2 || { written >&2; fail "the guest goes no further"; }
        sleep 0.5
    done
}

# written: prints what the guest has
written()
{
    ask pmemsave "val=$((address))" size=131072 filename=/tmp/log
    tr '\0' '\n' < log | sed '/^$/,$d'
}

: > serial
qemu "$@"
until_seen 1 '^vcpus: ready'
ask migrate uri=file:/tmp/state
status=
until [ "$status" = completed ]; do
    status=$(ask query-migrate.status)
    [ "$status" != failed ] || fail "the save: $(ask query-migrate.error-desc)"
done
ask quit
wait "$pid"

qemu "$@" -incoming file:state
# It listens before it loads.
until [ "$(qmp /tmp/qmp query-status.status 2> /dev/null)" = running ]; do
    kill -0 "$pid" 2> /dev/null || fail 'QEMU ended in the restore'
    sleep 0.5
done
printf c >&4
until_seen 1 '^vcpus: done'
written
ask system_reset
until_seen 2 '^vcpus: ready'
echo 'again'
written
ask quit
wait "$pid"
