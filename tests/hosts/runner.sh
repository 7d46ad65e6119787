#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hosts/run does what it says: a command runs in an emulated host with its
# arguments, input and files, and comes back with its output and status; the
# host has a KVM that works; whatever goes wrong is said, and nothing is left.
# shellcheck disable=SC2016 # the hosts' shells expand them

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

case ${1-} in
--help | -h)
    cat <<EOF
Usage: tests/hosts/runner.sh [HOST...]

Tests hosts/run on each HOST (default: arm64 e500v2). Exits with 1 when a test
failed. Guests are tried where build/root-... has a QEMU for the host.
EOF
    exit 0 ;;
esac
[ $# -gt 0 ] || set -- arm64 e500v2

# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

need_packages procps
make_tmp
mkdir "$tmp/empty"

# run STATUS ARG...: hosts/run without QEMU gives that status; $tmp/out and
# $tmp/err have its output.
run()
{
    _want=$1 _got=0
    shift
    "$top/hosts/run" --root "$tmp/empty" --log "$tmp/log" "$@" > "$tmp/out" 2> "$tmp/err" || _got=$?
    [ "$_got" = "$_want" ] && return 0
    echo "status $_got, and $_want was wanted; stderr:"
    cat "$tmp/err"
    return 1
}

# The emulator has the log's name among its arguments. 1: there is none; others
# are errors.
nothing_left()
{
    _got=0
    pgrep -f "path=$tmp/log" || _got=$?
    [ "$_got" -eq 1 ]
}

# fails TEXT ARG...: hosts/run refuses at once, in one line with TEXT in it.
fails()
{
    _text=$1 _got=0
    shift
    "$top/hosts/run" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null || _got=$?
    cat "$tmp/err"
    [ "$_got" = 125 ] && [ "$(wc -l < "$tmp/err")" = 1 ] && grep -qF -- "$_text" "$tmp/err"
}

# full STREAM: with STREAM on a full disk, hosts/run says so; where that is
# stderr, by its status
full()
{
    _got=0 _out=/dev/full _err=$tmp/err
    [ "$1" = stdout ] || { _out=$tmp/out; _err=/dev/full; }
    : > "$tmp/err"
    "$top/hosts/run" --root "$tmp/empty" --log "$tmp/log" "$h" -- sh -c "echo text >&$2; sleep 999" \
        > "$_out" 2> "$_err" < /dev/null || _got=$?
    echo "status $_got"
    cat "$tmp/err"
    [ "$_got" = 125 ] || return 1
    [ "$1" = stderr ] || grep -q "the command's stdout cannot be written here: No space left on device" "$tmp/err"
}

test_errors()
{
    check "no command without a terminal is an error" fails "no command, and stdin is no terminal" arm64
    check "the same with --" fails "no command, and stdin is no terminal" arm64 --
    check "no host is an error" fails "no host" -- true
    check "no argument is an error" fails "no host"
    check "an unknown host is an error that lists them" fails "unknown host 'arm65'; there are arm64" arm65 -- true
    check "a command without -- is an error" fails "write --" --root "$tmp/empty" arm64 true
    check "an unknown option is an error" fails "--bogus" --bogus arm64 -- true
    check "--timeout 0 is an error" fails "--timeout '0'" --timeout 0 --root "$tmp/empty" arm64 -- true
    check "--timeout soon is an error" fails "--timeout 'soon'" --timeout=soon --root "$tmp/empty" arm64 -- true
    check "--smp 2 on e500v2 is an error" fails "--smp '2'" --smp 2 --root "$tmp/empty" e500v2 -- true
    check "--dry-run on this machine is an error" fails "--dry-run are for emulated hosts" --dry-run --root "$tmp/empty" native
    check "--cpu without a value is an error" fails "--cpu: its value is missing" arm64 --cpu
    check "an unknown CPU is an error that lists them" fails "cortex-a57" --root "$tmp/empty" --cpu cortex-a1 arm64 -- true
    check "a missing --root is an error" fails "$tmp/none" --root "$tmp/none" arm64 -- true
    check "a missing --file is an error" fails "$tmp/none" --root "$tmp/empty" --file "$tmp/none" arm64 -- true
    check "no QEMU is an error that says how to make it" \
        env BUILD="$tmp/none" sh -c '"$0" arm64 -- true 2>&1 | grep -F "scripts/build-qemu arm64"' "$top/hosts/run"
    check "the same for this machine" \
        env BUILD="$tmp/none" sh -c '"$0" native -- true 2>&1 | grep -F "scripts/build-qemu native"' "$top/hosts/run"
}

# busy SECONDS ARG...: hosts/run ARG... with that limit, and eight others on the
# CPU that it has: for a host that boots in 3 to 5 s it takes 30 or more
busy()
{
    # shellcheck disable=SC2016 # another shell's
    taskset -c 0 sh -c '
        others=""
        for n in 1 2 3 4 5 6 7 8; do while :; do :; done & others="$others $!"; done
        status=0
        "$@" || status=$?
        kill $others
        exit "$status"' sh "$top/hosts/run" --root "$tmp/empty" --log "$tmp/log" --timeout "$@" < /dev/null
}

# dry_run ARG...: $tmp/words has the words of the line that it prints.
dry_run()
{
    rm -f "$tmp/it's a log"
    "$top/hosts/run" --dry-run --root "$tmp/empty" --log "$tmp/it's a log" "$@" > "$tmp/out" < /dev/null || return 1
    cat "$tmp/out"
    [ "$(wc -l < "$tmp/out")" -eq 1 ] && [ ! -e "$tmp/it's a log" ] || return 1
    eval "printf '%s\\n' $(cat "$tmp/out")" > "$tmp/words"
}

test_dry_run()
{
    check "$1: --dry-run prints a line" dry_run --smp "$2" --memory 1234 "$1"
    for _word in "$2" 1234 "file,id=log,append=on,path=$tmp/it's a log" virtserialport,nr=1,chardev=port; do
        check "$1: which a shell takes apart into words, such as $_word" grep -qxF -- "$_word" "$tmp/words"
    done
    check "$1: nothing was booted" test ! -e "$tmp/it's a log"
}

# shell_session HOST: types into a shell there; $tmp/out has what the terminal shows.
shell_session()
{
    : > "$tmp/out"
    {
        wait_for "$1:/# " && printf 'tty; stty size; echo "TERM is $TERM"\n' &&
            wait_for '^TERM is vt100' && printf 'sleep 999\n' &&
            wait_for '# .*sleep 999' && sleep 1 && printf '\003' &&
            wait_for '\^C' && printf 'echo status $?; exit 5\n'
        wait_for '^icanon'
    } | TERM=vt100 script -qec "stty rows 33 cols 99
        '$top/hosts/run' --root '$tmp/empty' --log '$tmp/log' $1
        echo ended with \$?; stty -a | grep -o '[-]*icanon'" /dev/null > "$tmp/out"
}

# wait_for PATTERN: for a line of $tmp/out, as long as a host can take to boot
wait_for()
{
    for _ in $(seq 600); do
        ! grep -q -- "$1" "$tmp/out" || return 0
        sleep 0.2
    done
    return 1
}

test_shell()
{
    shell_session "$1"
    tr -d '\r' < "$tmp/out" > "$tmp/lines"
    for line in /dev/pts/0 '33 99' 'TERM is vt100' 'status 130' 'ended with 5' icanon; do
        check "$1: a shell on our terminal says: $line" sh -c 'grep -qxF -- "$1" "$2" || { cat "$2"; exit 1; }' \
            sh "$line" "$tmp/lines"
    done
    # as if it hung
    : > "$tmp/out"
    { wait_for "$1:/# " && printf '\035'; wait_for 'ended with'; } |
        script -qec "'$top/hosts/run' --root '$tmp/empty' --log '$tmp/log' $1; echo ended with \$?" /dev/null > "$tmp/out"
    check "$1: Ctrl-] ends it" grep -q 'ended with 143' "$tmp/out"
    check "$1: no emulator is left" nothing_left
}

# cpu NAME WANTED ARG...: a host that is run with these says each of WANTED's lines.
cpu()
{
    _want=$2
    check "$1 boots" run 0 --timeout 300 --cpu "$1" "$3" -- sh -c '
        cat /sys/devices/system/cpu/cpu0/regs/identification/midr_el1
        dmesg | grep -oE "kvm .*: .*initialized|running at .*MHz|hw perfevents: enabled"
        for f in sve paca; do
            if grep -qw $f /proc/cpuinfo; then echo has $f; else echo no $f; fi
        done' < /dev/null
    set -- "$1"
    while IFS= read -r line; do
        check "$1: $line" sh -c 'grep -qF -- "$1" "$2" || { cat "$2"; exit 1; }' sh "$line" "$tmp/out"
    done <<EOF
$_want
EOF
}

# Kinds of CPUs that real machines have, and the emulator's models have not.
test_cpus()
{
    cpu cortex-a72 '0x00000000410fd083
no sve
hw perfevents: enabled
running at 62.50MHz' "$1"
    cpu cortex-a72,midr=0x410fd082 0x00000000410fd082 "$1"
    cpu cortex-a57,cntfrq=24000000 'running at 24.00MHz' "$1"
    cpu neoverse-v1 '0x00000000411fd402
VHE mode initialized
has sve
has paca' "$1"
    cpu neoverse-v1,sve=off 'no sve
has paca' "$1"
    cpu neoverse-n2,pauth=off,midr=0x410fd490 '0x00000000410fd490
has sve
no paca' "$1"
    cpu cortex-a710 'VHE mode initialized' "$1"
    cpu a64fx 'has sve
no paca' "$1"
    check "a CPU without a PMU boots" run 0 --cpu cortex-a57,pmu=off "$1" -- sh -c '! dmesg | grep "hw perfevents: enabled"' < /dev/null
    check "a CPU without EL2 has no KVM" run 0 --cpu cortex-a57,has_el2=off "$1" -- sh -c 'test ! -e /dev/kvm' < /dev/null
    check "a property that the CPU does not have is an error" run 125 --cpu cortex-a57,sve=off "$1" -- true < /dev/null
    check "which is named" grep -q "Property 'cortex-a57-arm-cpu.sve' not found" "$tmp/err"
}

# test_smp HOST QEMU-ARG...: guests with two CPUs on hosts with two and four
test_smp()
{
    h=$1 root=$2
    shift 2
    [ -d "$build/root-$root" ] || { skip "$h: guests with two CPUs" "root-$root is not there: scripts/build-qemu $root"; return; }
    for n in 2 4; do
        check "$h: a guest with 2 CPUs runs under KVM on $n" sh -c 'out=$1; shift; "$@" > "$out" 2>&1 < /dev/null || { cat "$out"; exit 1; }' \
            sh "$tmp/out" "$top/hosts/run" --smp "$n" --timeout 240 --log "$tmp/log" "$h" -- sh -c 'echo host has $(nproc); exec "$@"' sh "$@" -smp 2
        check "$h: the host has $n" grep -qx "host has $n" "$tmp/out"
        check "$h: the guest has 2" grep "guest: up .*cpus=2 .*accel=kvm" "$tmp/out"
    done
}

# Boards of QEMU for the host, which is a Cortex-A57 with Linux 6.1. Each starts under TCG, up to a
# guest's first instruction. With accel=kvm:tcg that needs a default CPU type, which KVM declines;
# the CPUs of the others are a part of their SoC, and nobody can ask KVM about them.
test_boards()
{
    [ -d "$build/root-arm64" ] || { skip "$1: boards" "root-arm64 is not there: scripts/build-qemu arm64"; return; }
    boards='raspi2b raspi3b raspi4b sabrelite mcimx7d-sabre vexpress-a15 sbsa-ref xlnx-zcu102'
    # shellcheck disable=SC2016,SC2086 # the host's shell; a list
    "$top/hosts/run" --memory 4096 --log "$tmp/log" "$1" -- sh -c '
        for board; do
            memory=1G
            [ "$board" != raspi4b ] || memory=2G
            for accel in tcg kvm:tcg; do
                printf "info status\nquit\n" | timeout 300 qemu-system-aarch64 -M "$board,accel=$accel" -m "$memory" \
                    -S -display none -serial null -monitor stdio 2>&1 | sed "s/^/$board $accel: /"
            done
        done' sh $boards > "$tmp/out" 2>&1 < /dev/null || not_ok "$1: hosts/run" - < "$tmp/out"
    for board in $boards; do
        check "$1: $board starts" sh -c 'grep -q "^$1 tcg: VM status: paused" "$2" || { grep "^$1 " "$2"; exit 1; }' \
            sh "$board" "$tmp/out"
        said="machine '$board': it makes its own CPUs, and does not say that KVM can run them"
        case $board in
        sbsa-ref) said="CPU type 'neoverse-n2': SVE needs a host CPU that has it" ;;
        xlnx-zcu102) said="machine 'xlnx-zcu102': it is Cortex-A53, this host's CPU is Cortex-A57" ;;
        esac
        check "$1: $board with accel=kvm:tcg starts under TCG, with the reason" sh -c '
            grep -q "^$1 kvm:tcg: .*falling back to tcg: kvm cannot run $2" "$3" &&
            grep -q "^$1 kvm:tcg: VM status: paused" "$3" || { grep "^$1 " "$3"; exit 1; }' \
            sh "$board" "$said" "$tmp/out"
    done
}

# test_gic HOST: an emulated Cortex-A53 with a GICv2, which KVM has for guests then
test_gic()
{
    [ -d "$build/root-arm64" ] || { skip "$1: GICv2" "root-arm64 is not there: scripts/build-qemu arm64"; return; }
    # shellcheck disable=SC2016 # the host's shell
    "$top/hosts/run" --gic 2 --cpu cortex-a53 --memory 2048 --log "$tmp/log" "$1" -- sh -c '
        for machine in virt,gic-version=2 virt,gic-version=3 imx8mp-evk "xlnx-zcu102 -smp 1"; do
            printf "info kvm\nquit\n" | timeout 300 qemu-system-aarch64 -M $machine -accel kvm -accel tcg -cpu max \
                -m 512 -S -display none -serial null -monitor stdio 2>&1 | sed "s/^/${machine%% *}: /"
        done
        qemu-system-aarch64 -M virt,gic-version=2 -accel kvm -cpu host -m 512 \
            -nographic -nodefaults -serial stdio -monitor none -no-reboot \
            -kernel /guest/Image -initrd /guest/initrd-arm64 -append "console=ttyAMA0 quiet"' \
        > "$tmp/out" 2>&1 < /dev/null || not_ok "$1: hosts/run --gic 2" - < "$tmp/out"
    check "$1: with GICv2 virt,gic-version=2 is under KVM" grep -q '^virt,gic-version=2: kvm support: enabled' "$tmp/out"
    check "$1: with GICv2 a guest says so" grep -q 'guest: up .*accel=kvm' "$tmp/out"
    check "$1: with GICv2 virt,gic-version=3 is not, and says why" \
        grep -q "^virt,gic-version=3: .*falling back to tcg: .* this host has no GICv3 for guests" "$tmp/out"
    check "$1: with GICv2 imx8mp-evk is not, and says why" \
        grep -q "^imx8mp-evk: .*falling back to tcg: .* this host has no GICv3 for guests" "$tmp/out"
    check "$1: with GICv2 xlnx-zcu102, a Cortex-A53, is under KVM" grep -q '^xlnx-zcu102: kvm support: enabled' "$tmp/out"
}

# test_host HOST COMPILER TARGET: TARGET is KVM's preferred one, on arm64.
test_host()
{
    h=$1
    "$top/hosts/build" "$h"
    "$2" -static -O2 -o "$tmp/probe" "$top/tests/hosts/in-host/probe.c"
    rm -rf "$tmp/folder"
    mkdir -p "$tmp/folder/sub"
    echo one > "$tmp/folder/sub/one"
    chmod 640 "$tmp/folder/sub/one"
    ln -s sub/one "$tmp/folder/link"

    check "$h: a command runs with files and comes back with status 3" \
        run 3 --file "$tmp/probe" --file "$tmp/folder:a/b" --file "$tmp/probe:/usr/bin/moved" "$h" -- sh -c '
            $HOST_FILES/probe
            moved > /dev/null && echo moved runs
            cat $HOST_FILES/a/b/link
            stat -c %a $HOST_FILES/a/b/sub/one
            exit 3' < /dev/null
    for line in "open ok" "api-version 12" "create-vm ok" "create-vcpu ok" ${3:+"preferred-target $3" "vcpu-init ok"} \
        "run Interrupted system call" "moved runs" one 640; do
        check "$h: and printed: $line" grep -qxF "$line" "$tmp/out"
    done
    lines=8
    [ -z "$3" ] || lines=10
    check "$h: and nothing else" test "$(wc -l < "$tmp/out")" = "$lines"
    check "$h: nothing on stderr" test ! -s "$tmp/err"
    check "$h: the console is in the log" grep -q "Linux version" "$tmp/log"

    head -c 300000 /dev/urandom > "$tmp/bytes"
    set -- "two words" "it's \"quoted\"" 'a\b' '$HOME `id` *' '' '-n' 'new
line' 'last '
    { printf '<%s>' "$@"; cat "$tmp/bytes"; } > "$tmp/want"
    check "$h: odd arguments and 300000 bytes of stdin" \
        run 0 "$h" -- sh -c 'printf "<%s>" "$@"; exec cat' sh "$@" < "$tmp/bytes"
    check "$h: come out as they went in" cmp "$tmp/want" "$tmp/out"

    check "$h: a command that is not there has status 127" run 127 "$h" -- no-such-command < /dev/null
    check "$h: which is said on stderr" grep -q "no-such-command: not found" "$tmp/err"

    check "$h: a command that a signal ends has status 128 + 15" \
        run 143 "$h" -- sh -c 'echo to stdout; echo to stderr >&2; sleep 99 & kill -TERM $$' < /dev/null
    check "$h: stdout and stderr are kept apart" \
        test "$(cat "$tmp/out")/$(cat "$tmp/err")" = "to stdout/to stderr"

    check "$h: a stdout that cannot be written is an error" full stdout 1
    check "$h: a stderr that cannot be written is an error" full stderr 2
    check "$h: no emulator is left" nothing_left

    check "$h: --timeout ends it with status 124" run 124 --timeout 6 "$h" -- sleep 999 < /dev/null
    check "$h: the reason and the log are named" grep -q "after 6 s (--timeout).*$tmp/log" "$tmp/err"
    check "$h: on a busy machine the limit waits" busy 12 "$h" -- true
    check "$h: the log is kept" grep -q "Linux version" "$tmp/log"
    check "$h: no emulator is left" nothing_left

    "$top/hosts/run" --root "$tmp/empty" --log "$tmp/log" "$h" -- sh -c 'echo started; sleep 999' \
        > "$tmp/out" 2> "$tmp/err" < /dev/null &
    pid=$!
    for _ in $(seq 300); do
        ! grep -qs started "$tmp/out" || break
        sleep 0.1
    done
    kill -TERM "$pid"
    _got=0
    wait "$pid" || _got=$?
    check "$h: output is there while the command runs" grep -q started "$tmp/out"
    check "$h: TERM ends it with status 128 + 15" test "$_got" = 143
    check "$h: no emulator is left" nothing_left
}

# test_guest HOST ROOT QEMU-ARG...
test_guest()
{
    h=$1 root=$build/root-$2
    shift 2
    [ -d "$root" ] || { skip "$h: a guest runs under KVM" "${root##*/} is not there: scripts/build-qemu"; return; }
    check "$h: a guest boots and powers off under KVM" \
        sh -c 'out=$1; shift; "$@" > "$out" 2>&1 < /dev/null || { cat "$out"; exit 1; }' sh "$tmp/out" \
        "$top/hosts/run" --timeout 120 --log "$tmp/log" "$h" -- "$@"
    check "$h: the guest says so" grep "guest: up .*accel=kvm" "$tmp/out"
}

"$top/hosts/build" arm64 > "$tmp/steps" # which is silent from now on
test_errors
for host; do
    case $host in e500v2*) why=$(left_out ppc) ;; *) why= ;; esac
    [ -z "$why" ] || { skip "$host" "$why"; continue; }
    test_dry_run "$host" 1
    test_shell "$host"
    case $host in
    arm64*)
        test_cpus "$host"
        set -- qemu-system-aarch64 -M virt -accel kvm -cpu host -m 512 \
            -nographic -nodefaults -serial stdio -monitor none -no-reboot \
            -kernel /guest/Image -initrd /guest/initrd-arm64 -append 'console=ttyAMA0 quiet'
        test_smp "$host" arm64 "$@"
        target=5
        case $host in arm64 | arm64-6.1) target=2; test_boards "$host"; test_gic "$host" ;; esac
        test_host "$host" aarch64-linux-gnu-gcc "$target"
        test_guest "$host" arm64 "$@" ;;
    e500v2 | e500v2-smp)
        test_host "$host" powerpc-linux-gnu-gcc ''
        set -- qemu-system-ppc -M ppce500 -accel kvm -cpu e500v2_v30 -m 128 \
            -nographic -nic none -monitor none -serial stdio -no-reboot \
            -kernel /guest/vmlinux -initrd /guest/initrd-ppc -append 'console=ttyS0 quiet'
        [ "$host" = e500v2 ] || test_smp "$host" ppc "$@"
        test_guest "$host" ppc "$@" ;;
    x86_64)
        test_host "$host" x86_64-linux-gnu-gcc ''
        why=$(left_out x86_64)
        [ -z "$why" ] || { skip "$h: a guest runs under KVM" "$why"; continue; }
        test_guest "$host" native qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 512 \
            -nographic -nodefaults -serial stdio -monitor none -no-reboot \
            -kernel /guest/vmlinuz -initrd /guest/initrd-x86_64 -append 'console=ttyS0 quiet' ;;
    *)
        die "HOST '$host': it is one of arm64, arm64-6.12, arm64-7.2, e500v2, e500v2-smp, x86_64" ;;
    esac
done
done_testing
