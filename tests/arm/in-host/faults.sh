#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# faults.sh KERNEL: runs in an arm64 host; a line "ok" or "not ok" for
# each case of /files/faults, which explains them, that is for KERNEL

set -eu
cd /tmp

# problem STATUS OUTCOME REGEX: in what QEMU's end is not OUTCOME; its standard
# output and error are in "out" and "err", and the rules that were used in "used"
problem()
{
    # A fault that does not happen would be a test that cannot fail.
    for rule in $fault; do
        grep -qxF -e "$rule" used || echo "$rule was never used"
    done
    guests=0 exit=0 errors=0 fallbacks=0
    case $2 in
    runs) guests=1 ;;
    tcg) guests=1 fallbacks=1 ;;
    refused) exit=1 errors=1 ;;
    *) echo "unknown outcome '$2'" ;;
    esac
    if [ "$1" -eq 137 ]; then
        echo "did not end in 60 s"
    elif [ "$1" -ne "$exit" ]; then
        echo "exit status $1 instead of $exit"
    fi
    n=$(grep -c '^MIDR_EL1 ' out) || true
    [ "$n" -eq "$guests" ] || echo "$n guests ran instead of $guests"
    n=$(grep -c '^qemu-system-aarch64: falling back to tcg' err) || true
    [ "$n" -eq "$fallbacks" ] || echo "$n lines about a fallback instead of $fallbacks"
    # All but warnings, hints and what QEMU's callers say behind the reason is an
    # error. With a fallback, what KVM reported when its initialisation failed stays.
    n=$(grep -vcE -e ': warning: ' -e '^(Use|Add|Please|) ' -e ': kvm_init_vcpu: ' \
        -e ': (Failed to retrieve host CPU features|failed to initialize kvm: .*)$' \
        -e ': Failed to put registers ' err) || true
    [ "$2" = tcg ] || [ "$n" -eq "$errors" ] || echo "$n errors instead of $errors"
    { tr '\n' ' ' < err; echo; } | grep -qE -e "$3" || echo "standard error does not match $3"
}

grep -v -e '^#' -e '^$' /files/faults > cases
while IFS=\; read -r kernels fault options outcome regex; do
    case " $kernels " in *" $1 "*) ;; *) continue ;; esac
    : > used
    status=0
    # shellcheck disable=SC2086 # options
    env LD_PRELOAD=/files/kvm-fault.so KVM_FAULT="$fault" KVM_FAULT_USED=used timeout -s KILL 60 \
        qemu-system-aarch64 -M virt,gic-version=3 -nodefaults -display none $options \
        -serial stdio -monitor none -no-reboot -kernel "$HOST_GUESTS/idregs" \
        < /dev/null > out 2> err || status=$?
    problem "$status" "$outcome" "$regex" > problems
    name="Linux $1: ${fault:-no fault}: $options: $outcome"
    if [ -s problems ]; then
        echo "not ok - $name"
        sed 's/^/#   /' problems
        head -n 20 err | sed 's/^/#   stderr: /'
    else
        echo "ok - $name"
    fi
done < cases
