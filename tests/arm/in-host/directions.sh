#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# directions.sh save|load|old MODEL: runs in an arm64 host, for guests of one and of two
# CPUs that print all that they read again and again (idregs-stay).
#
# save starts them and migrates them: a tar of N.state, and of N.dump, what the
# guest read, to stdout. load takes each /files/FROM/N.state, and prints a line
# "FROM N OUTCOME": "counts on", with "and reads NAME ..." for registers that are not
# what they were, or the words of the destination. The PMU's registers tell of the
# host's (tests/arm/cases/kvm-owned), and are left out.
#
# old moves them here, between QEMU with the series and /files/qemu-base without it,
# and prints lines "TO FROM N OUTCOME", TO and FROM with their machine types.

set -eu
what=$1 model=$2

# ticks FILE: how often the guest has printed all
ticks() { grep -c '^\(1:\)*tick [0-9a-f]\{16\}' "$1" || true; }

# dump FILE: what the guest read between its last two ticks
dump()
{
    tr -d '\r' < "$1" | awk '
        /^(1:)?tick / { last = now; now = ""; next }
        /^(1:)?PM/ { next }
        { now = now $0 "\n" }
        END { printf "%s", last }'
}

# run N TICKS OPTION...: QEMU until the guest of N CPUs has ticked that often, then
# command $then; status 1 when QEMU ended before
run()
{
    n=$1 wanted=$2
    shift 2
    : > serial
    rm -f qmp.socket
    ${qemu:-qemu-system-aarch64} -M "${machine:-virt},gic-version=3" -accel kvm -cpu "$model" -smp "$n" -m 128 -nodefaults \
        -display none -serial file:serial -qmp unix:qmp.socket,server=on,wait=off -no-reboot \
        -kernel "$HOST_GUESTS/idregs-stay" "$@" < /dev/null 2> err &
    pid=$!
    while [ "$(ticks serial)" -lt "$wanted" ]; do
        sleep 0.2
        kill -0 "$pid" 2> /dev/null || { wait "$pid" || true; return 1; }
    done
    $then
    qmp qmp.socket quit > /dev/null || true
    wait "$pid" || true
}

save_it()
{
    qmp qmp.socket migrate uri=file:"$n.state"
    state=
    until [ "$state" = completed ]; do
        state=$(qmp qmp.socket query-migrate.status)
        [ "$state" != failed ] || { qmp qmp.socket query-migrate.error-desc >&2; return 1; }
        sleep 0.2
    done
    dump serial > "$n.dump"
}

# load_it FROM: sets $outcome
load_it()
{
    then=:
    if ! run "$n" 3 -incoming "file:$1/$n.state"; then
        outcome=$(sed -n '/warning: /!s/^qemu-[a-z0-9-]*: //p' err | tr '\n' ' ')
    else
        dump serial > now
        outcome=$(diff now "$1/$n.dump" | sed -n 's/^-\([A-Z0-9].*\)/\1/p' | tr '\n' ' ')
        outcome="counts on${outcome:+ and reads $outcome}"
    fi
}

cd /tmp
case $what in
old)
    cp /files/qemu-base qemu-base
    machine=virt-10.2
    for n in 1 2; do
        for from in base series; do
            to=base qemu=
            if [ "$from" = base ]; then to=series qemu=./qemu-base; fi
            then=save_it
            run "$n" 2 || { cat err >&2; exit 1; }
            qemu=
            if [ "$to" = base ]; then qemu=./qemu-base; fi
            load_it .
            echo "$to/$machine $from/$machine $n $outcome"
        done
    done ;;
save)
    for n in 1 2; do
        then=save_it
        run "$n" 2 || { cat err >&2; exit 1; }
        grep -q '^PSCI_VERSION ' "$n.dump" || { echo "directions.sh: error: the guest printed no registers" >&2; exit 1; }
    done
    tar c ./*.state ./*.dump ;;
load)
    for from in /files/from-*; do
        for n in 1 2; do
            load_it "$from"
            echo "${from#/files/from-} $n $outcome"
        done
    done ;;
esac
