#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# boot-guest.sh GUEST [OPTION...]: runs in a host; starts QEMU with a guest of
# that kind and these options, and afterwards says how long it ran in a line
# "boot-guest: exit=STATUS seconds=N". GUEST is arm64, arm, ppc, x86_64, bare-ppc
# and bare-arm (programs without a kernel: for cores that the ppc kernel is not
# for, and for 32-bit guests under TCG, where Linux takes minutes), or
# qemu-system-arm (the arm guest in that program).
#
# NO_KVM=1         the host has no /dev/kvm while it runs
# INJECT=CALL:...  calls of that kind on /dev/kvm fail as strace(1) is told

set -eu
guest=$1
shift
case $guest in
arm64 | arm | bare-arm)
    # -machine virt,accel=... brings the machine's name with it
    case " $* " in *' -machine virt'*) ;; *) set -- -M virt "$@" ;; esac
    set -- qemu-system-aarch64 "$@" -nodefaults -m 512
    case $guest in
    arm64) set -- "$@" -kernel "$HOST_GUESTS/Image" -initrd "$HOST_GUESTS/initrd-arm64" ;;
    arm) set -- "$@" -kernel "$HOST_GUESTS/zImage" -initrd "$HOST_GUESTS/initrd-arm" ;;
    bare-arm) set -- "$@" -kernel "$HOST_GUESTS/bare-arm" ;;
    esac
    set -- "$@" -append 'console=ttyAMA0 quiet cryptomgr.notests' ;;
ppc)
    set -- qemu-system-ppc -M ppce500 -nic none "$@" -m 128 \
        -kernel "$HOST_GUESTS/vmlinux" -initrd "$HOST_GUESTS/initrd-ppc" \
        -append 'console=ttyS0 quiet' ;;
bare-ppc)
    set -- qemu-system-ppc -M ppce500 -nic none "$@" -m 128 \
        -kernel "$HOST_GUESTS/bare-ppc" ;;
x86_64)
    set -- qemu-system-x86_64 -M microvm,rtc=on "$@" -nodefaults -m 256 \
        -kernel "$HOST_GUESTS/vmlinuz" -initrd "$HOST_GUESTS/initrd-x86_64" \
        -append 'console=ttyS0 quiet' ;;
qemu-system-arm)
    set -- qemu-system-arm -M virt "$@" -nodefaults -m 512 -kernel "$HOST_GUESTS/zImage" \
        -initrd "$HOST_GUESTS/initrd-arm" -append 'console=ttyAMA0 quiet cryptomgr.notests' ;;
*)
    echo "boot-guest.sh: error: unknown guest '$guest'" >&2
    exit 2 ;;
esac

[ -z "${INJECT-}" ] ||
    set -- strace -f --seccomp-bpf -qq -o /dev/null -P /dev/kvm -e "trace=${INJECT%%:*}" \
        -e "inject=$INJECT" "$@"
[ -z "${NO_KVM-}" ] || mv /dev/kvm /dev/no-kvm
read -r start _ < /proc/uptime
status=0
"$@" -display none -serial stdio -monitor none -no-reboot < /dev/null || status=$?
read -r end _ < /proc/uptime
[ -z "${NO_KVM-}" ] || mv /dev/no-kvm /dev/kvm
echo "boot-guest: exit=$status seconds=$(echo "$start $end" | awk '{ printf "%.1f", $2 - $1 }')"
exit "$status"
