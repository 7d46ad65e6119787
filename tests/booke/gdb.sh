#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gdb looks into a guest of the emulated e500v2 host. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/booke/common.sh
. "$top/tests/booke/common.sh"

usage()
{
    cat <<EOF
Usage: tests/booke/gdb.sh [--tap | --base] [--no-build]

Attaches gdb-multiarch to a busy Linux guest under KVM on the emulated e500v2
host, interrupts it, reads memory of its kernel and of its process, has it stop
at a breakpoint, and writes memory, general and special registers: what was
written has to reach the guest. 1000 reads at different addresses while it is
stopped must not make one vCPU ioctl. Prints a line "ok" or "not ok" for each.
Exit status 1 if one is not.

  --tap       nothing but these lines
  --base      QEMU without the series, and nothing expected of it
  --no-build  QEMU as build/root-ppc has it

Logs: build/logs/booke-gdb/.
EOF
}

booke_options "$@"
need_packages gdb-multiarch
booke_begin booke-gdb
out=$logs/out err=$logs/err log=$logs/booke-gdb.log

# The guest's console is QEMU's standard error, which comes to $err.
guest="$top/hosts/run $base --timeout 300 --log $logs/console e500v2 -- \
qemu-system-ppc -M ppce500 -accel kvm -cpu e500v2_v30 -m 128 -nodefaults -display none \
-serial file:/proc/self/fd/2 -gdb stdio -kernel /guest/vmlinux -initrd /guest/initrd-ppc \
-append 'console=ttyS0 quiet guest=busy' 2> $err"

# When the guest has counted to N: interrupts gdb, which is our parent
cat > "$logs/interrupt" <<EOF
until grep -q 'tick '\$1' ' $err; do sleep 0.5; done
kill -INT \$2
EOF
# traced N: waits for what is on its way, and has the ioctls traced so far in N
cat > "$logs/traced" <<EOF
sleep 2
grep -c '^kvm_vcpu_ioctl' $err > $logs/\$1
true
EOF

# Each printf is a line "NAME VALUE" that is checked below. There is never a
# breakpoint at an address from where the guest goes on: gdb would have it make
# a single step there, and those never end on an emulated host.
cat > "$logs/commands" <<EOF
set pagination off
set confirm off
set remotetimeout 60
set print repeats unlimited
target remote | $guest
shell (sh $logs/interrupt 3 \$PPID) &
continue
printf "banner %.20s\n", (char *)&linux_banner
printf "jiffies %u\n", *(unsigned int *)((char *)&jiffies_64 + 4)

tbreak *sys_getpid
continue
printf "hit %x\n", \$pc - (unsigned int)&sys_getpid
printf "msr %x\n", \$msr
printf "ivpr %x\n", \$ivpr
printf "head %x\n", *(unsigned int *)0x30000000
printf "tick %u\n", *(unsigned int *)0x30000004
printf "later %u\n", *(unsigned int *)((char *)&jiffies_64 + 4)

set \$was = \$pid
printf "pid %u\n", \$was
set \$pid = 77
printf "strange %u\n", \$pid
python
try:
    gdb.execute("set \$v = *(unsigned int *)0x30000000")
    print("other readable")
except gdb.MemoryError:
    print("other none")
end
set \$pid = \$was
printf "again %x\n", *(unsigned int *)0x30000000

monitor trace-event kvm_vcpu_ioctl on
set \$i = 0
set \$sum = 0
while \$i < 900
  set \$sum = \$sum + *(unsigned int *)(0xc0000000 + \$i * 4096)
  set \$i = \$i + 1
end
while \$i < 1000
  set \$sum = \$sum + *(unsigned int *)(0x30000000 + \$i)
  set \$i = \$i + 1
end
printf "translated %d\n", \$i
monitor gva2gpa 0xc0001000
shell sh $logs/traced translations
set \$sprg6 = 0x600df00d
set \$mas4 = \$mas4 | 0x20
tbreak *\$lr
continue
printf "sprg6 %x\n", \$sprg6
printf "mas4 %x\n", \$mas4
set \$mas4 = \$mas4 & ~0x20
monitor trace-event kvm_vcpu_ioctl off
shell sh $logs/traced run

printf "returns %d\n", \$r3
set \$r3 = 4242
tbreak *sys_getpid
continue
set var *(unsigned int *)0x30000000 = 0x12345678
set \$i = 0
while \$i < 60
  tbreak *\$lr
  continue
  tbreak *sys_getpid
  continue
  set \$i = \$i + 1
end
set var *(unsigned int *)0x30000000 = 0x47554553
shell (n=\$(grep -c ' ok' $err); until [ \$(grep -c ' ok' $err) -ge \$((n + 4)) ]; do sleep 0.5; done; kill -INT \$PPID) &
continue
printf "end %x\n", *(unsigned int *)&linux_banner
kill
EOF
: > "$err"
status=0
timeout 280 gdb-multiarch -q -batch -nx -x "$logs/commands" "$build/guest-ppc/vmlinux" < /dev/null > "$out" 2>&1 || status=$?

# value NAME: what gdb printed
value() { sed -n "s/^$1 //p" "$out" | head -n 1; }

# is NAME REGEX WHAT: a test's line
is()
{
    if value "$1" | grep -qxE -e "$2"; then
        echo "ok - $3: $(value "$1")"
    else
        echo "not ok - $3: '$(value "$1")' does not match $2"
    fi
}

{
    is banner 'Linux version 6.1.*' 'gdb reads the kernel'
    is jiffies '[0-9]+' 'and its clock'
    is hit 0 'a breakpoint is hit'
    is msr '2[19][0-9a-f]*' 'MSR'
    is ivpr c0000000 'IVPR'
    is head 47554553 'memory of the process'
    is tick '[3-9]|[1-9][0-9]+' 'its last tick'
    if [ "$(value later)" -gt "$(value jiffies)" ] 2> /dev/null; then echo 'ok - the clock went on'; else echo 'not ok - the clock stood'; fi
    is strange 77 'another PID'
    is other none 'which has no such memory'
    is again 47554553 'and back'
    is translated 1000 'translations'
    is sprg6 600df00d 'a special register that was written, behind a run'
    is mas4 '[0-9a-f]*[2367abef][0-9a-f]' 'MAS4 that was written, behind a run'
    is returns 1 'what a system call returns'
    if grep -q 'BAD tick .* getpid does not give 1' "$err"; then echo 'ok - a written register reached the guest'; else echo 'not ok - a written register did not reach the guest'; fi
    if grep -q 'BAD tick .* the head has 0x12345678' "$err"; then echo 'ok - written memory reached the guest'; else echo 'not ok - written memory did not reach the guest'; fi
    # The head is wrong for as many ticks as 120 breakpoints take
    n=$(grep -c 'BAD tick .* getpid' "$err") || true
    other=$(grep 'BAD tick' "$err" | grep -v -e 'getpid does not give 1' -e 'the head has 0x12345678') || true
    if [ "$n" -le 1 ] && [ -z "$other" ]; then
        echo 'ok - the guest found nothing else'
    else
        echo "not ok - the guest found more than what was done to it: $(grep -m 3 'BAD tick' "$err" | tr '\n' ' ')"
    fi
    is end '[0-9a-f]+' 'the guest went on, and was stopped again'
    n=$(cat "$logs/translations" 2> /dev/null) || true
    run=$(cat "$logs/run" 2> /dev/null) || true
    # a trace without what a run needs would be no trace
    if [ "${n:-x}" = 0 ] && [ "${run:-0}" -gt 0 ]; then
        echo "ok - 1000 translations made 0 vCPU ioctls (a run, $run)"
    else
        echo "not ok - 1000 translations made ${n:-?} vCPU ioctls (a run, $((${run:-0} - ${n:-0})))"
    fi
    if [ "$status" -eq 0 ]; then echo 'ok - gdb ended well'; else echo "not ok - gdb ended with status $status: $(tail -n 1 "$out")"; fi
} | tee "$log"
booke_end 21
