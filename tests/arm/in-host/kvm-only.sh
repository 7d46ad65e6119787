#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kvm-only.sh: runs in an arm64 host, which has one QEMU, and one without TCG in
# /files/kvm-only. Asks both the same. Prints lines of these forms, where BUILD is full
# or kvm-only, and which leave out the CPU types that qemu-system-arm has, too:
#
#   full;virt;NAME       virt takes this CPU type, with TCG
#   BUILD;accel;NAME     -accel help lists this one
#   BUILD;help;NAME      -cpu help does
#   BUILD;types;JSON     query-cpu-definitions does, under KVM
#   BUILD;-cpu WHAT;TEXT what QEMU under KVM, its guest, which prints its registers, and
#                        then QEMU's status say, for those of virt and one more

set -eu
cd /tmp

qemu()
{
    local bin
    bin=
    [ "$build" = full ] || bin=/files/kvm-only/bin/
    "$bin"qemu-system-aarch64 "$@" < /dev/null
}

say() { sed "s/\r//; s|^|$build;$1;|"; }

names() { sed -n 's/^  \([a-z0-9-]*\)$/\1/p' | grep -vx -e host -e max; }

types()
{
    qemu -M virt,gic-version=3 -accel kvm -cpu host -S -nodefaults -display none \
        -qmp unix:/tmp/qmp,server=on,wait=off > words 2>&1 &
    until qmp /tmp/qmp query-cpu-definitions > json 2> /dev/null; do
        kill -0 "$!" 2> /dev/null || { cat words; return 0; }
        sleep 0.2
    done
    qmp /tmp/qmp quit
    wait "$!"
    sed 's/^\[{/{/; s/}\]$/}/; s/}, {/}\n{/g' json | sort
}

qemu-system-arm -cpu help | names > arm
sed 's/.*/"name": "&",/' arm > arm.json
build=full
# One that virt cannot take has QEMU say which ones it takes.
qemu -M virt -accel tcg -cpu cortex-m3 2>&1 | sed -n 's/^The valid models are: //p' | tr -d , | tr ' ' '\n' |
    grep -vxF -f arm > models
say virt < models
for build in full kvm-only; do
    qemu -accel help | sed 1d | sort | say accel
    qemu -cpu help | names | grep -vxF -f arm | sort | say help
    types | grep -vF -f arm.json | say types
    for name in $(cat models) cortex-a78ae; do
        for cpu in "$name" "$name,kvm-target-impl-cpus=host"; do
            status=0
            qemu -M virt,gic-version=3 -accel kvm -cpu "$cpu" -nodefaults -display none -serial stdio \
                -monitor none -no-reboot -kernel "$HOST_GUESTS/idregs" > words 2>&1 || status=$?
            { cat words; echo "status $status"; } | say "-cpu $cpu"
        done
    done
done
