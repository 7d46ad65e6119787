#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# migrate.sh save|load TICKS [OPTION...]: runs in an arm64 host. save starts a
# Linux guest under KVM with these options, has it tick, and migrates it: the
# guest's output goes to stderr and its state to stdout. load starts the same
# QEMU with the state in /files/state, has it tick TICKS times more, and prints
# that output. Exits with 1 when QEMU ends on its own.

set -eu
what=$1 ticks=$2
shift 2
set -- qemu-system-aarch64 -M virt,gic-version=3 -accel kvm "$@" -m 256 -nodefaults -display none \
    -serial file:/tmp/serial -qmp unix:/tmp/qmp,server=on,wait=off -no-reboot \
    -kernel "$HOST_GUESTS/Image" -initrd "$HOST_GUESTS/initrd-arm64" \
    -append 'console=ttyAMA0 quiet cryptomgr.notests guest=stay'
[ "$what" = save ] || set -- "$@" -incoming file:/files/state

: > /tmp/serial
"$@" < /dev/null >&2 &
pid=$!
until [ "$(grep -c '^guest: tick ' /tmp/serial)" -ge "$ticks" ]; do
    sleep 0.2
    if ! kill -0 "$pid" 2> /dev/null; then
        wait "$pid" || status=$?
        cat /tmp/serial
        echo "migrate-guest: QEMU ended with status ${status-0} before tick $ticks" >&2
        exit 1
    fi
done
if [ "$what" = save ]; then
    qmp /tmp/qmp migrate uri=file:/tmp/state
    state=
    until [ "$state" = completed ]; do
        state=$(qmp /tmp/qmp query-migrate.status)
        [ "$state" != failed ] || { cat /tmp/serial; qmp /tmp/qmp query-migrate.error-desc; exit 1; } >&2
        sleep 0.2
    done
fi
qmp /tmp/qmp quit
wait "$pid"
if [ "$what" = save ]; then
    cat /tmp/serial >&2
    cat /tmp/state
else
    cat /tmp/serial
fi
