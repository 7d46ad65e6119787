#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/lib/kvm-fault-test.sh
#
# tests/lib/kvm-fault.c does what tests/lib/cases/fault-rules says, and gives a
# register of each size the value that it is told, on a little-endian and on a
# big-endian machine, which qemu-user stands for. No KVM is asked: what the kernel
# makes of the call does not matter for that.
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=tests/lib/fault-rules.sh
. "$top/tests/lib/fault-rules.sh"
no_ppc=$(left_out ppc)
need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
[ -n "$no_ppc" ] || need_packages gcc-powerpc-linux-gnu libc6-dev-powerpc-cross
make_tmp

# Prints a register of SIZE (as KVM_REG_SIZE_ has it) and id 1, whose bytes were
# all 0xee, as a number, and what is beside it.
cat > "$tmp/ask.c" <<'END'
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
    union { uint8_t b; uint16_t h; uint32_t w; uint64_t d; unsigned __int128 q; } u;
    uint64_t size = argc > 1 ? atoi(argv[1]) : 0;
    struct kvm_one_reg one = {
        .id = (size << KVM_REG_SIZE_SHIFT) | 1, .addr = (uintptr_t)&u
    };

    memset(&u, 0xee, sizeof(u));
    ioctl(0, KVM_GET_ONE_REG, &one);
    printf("%#" PRIx64 "\n", size == 0 ? u.b : size == 1 ? u.h :
                             size == 2 ? u.w : size == 3 ? u.d : (uint64_t)u.q);
    for (size_t i = 1 << size; i < sizeof(u); i++) {
        if (((uint8_t *)&u)[i] != 0xee) {
            puts("more was written");
        }
    }
    return 0;
}
END
# 32-bit compilers have no such type; the low half is the second, big-endian
sed 's/ unsigned __int128 q;/ uint64_t q[2];/; s/(uint64_t)u\.q/u.q[1]/' "$tmp/ask.c" > "$tmp/ask32.c"

# user ARCH PROGRAM...: with the library
user()
{
    _user=$1
    shift
    "qemu-$_user-static" -L "/usr/$triplet" -E "LD_PRELOAD=$tmp/kvm-fault-$_user.so" "$@"
}

# asks ARCH SIZE VALUE: the register of that size reads as VALUE
asks()
{
    KVM_FAULT="KVM_GET_ONE_REG/$(printf '0x%x' "$(($2 << 52 | 1))")=$3" \
        user "$1" "$tmp/ask-$1" "$2" < /dev/null > "$tmp/out"
    cat "$tmp/out"
    [ "$(cat "$tmp/out")" = "$3" ]
}

for arch in aarch64 ppc; do
    case $arch in
    aarch64) triplet=aarch64-linux-gnu source=ask.c name=arm64 ;;
    ppc)
        [ -z "$no_ppc" ] || { skip "$arch" "$no_ppc"; continue; }
        triplet=powerpc-linux-gnu source=ask32.c name=powerpc ;;
    esac
    set -- "$triplet-gcc" -std=gnu11 -O2 -Wall -Wextra -Werror
    "$@" -shared -fPIC -o "$tmp/kvm-fault-$arch.so" "$top/tests/lib/kvm-fault.c" "$top/tests/lib/faults.c"
    "$@" -o "$tmp/ask-$arch" "$tmp/$source"
    "$@" -o "$tmp/calls-$arch" "$top/tests/lib/fault-calls.c"
    check "$arch: 8 bits" asks $arch 0 0x12
    check "$arch: 16 bits" asks $arch 1 0x1234
    check "$arch: 32 bits" asks $arch 2 0x12345678
    check "$arch: 64 bits" asks $arch 3 0x123456789abcdef0
    check "$arch: the low half of 128 bits" asks $arch 4 0x123456789abcdef0
    user "$arch" "$tmp/calls-$arch" > "$tmp/plain"
    fault_rules "$name" > "$tmp/rules"
    while IFS=\; read -r rule what; do
        check "$arch: '$rule': ${what:-nothing}" \
            fault_rule "$tmp" kvm-fault KVM_FAULT "$rule" "$what" user "$arch" "$tmp/calls-$arch"
    done < "$tmp/rules"
done
done_testing
