#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hosts/run does what it says: a command runs in an emulated host with its
# arguments, input and files, and comes back with its output and status; the
# host has a KVM that works; whatever goes wrong is said, and nothing is left.

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

passed=0 failed=0 skipped=0
need_packages procps
make_tmp
mkdir "$tmp/empty"

ok() { passed=$((passed + 1)); echo "ok - $*"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $*"; }
skip() { skipped=$((skipped + 1)); echo "ok - $1 # SKIP $2"; }

# check NAME COMMAND...: passes when COMMAND does.
check()
{
    _name=$1
    shift
    if "$@" > "$tmp/check" 2>&1; then ok "$_name"; else not_ok "$_name"; sed 's/^/#   /' "$tmp/check"; fi
}

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
    check "no command is an error" fails "no command" arm64
    check "no host is an error" fails "no host" -- true
    check "an unknown host is an error that lists them" fails "unknown host 'arm65'; there are arm64" arm65 -- true
    check "a command without -- is an error" fails "write --" --root "$tmp/empty" arm64 true
    check "an unknown option is an error" fails "--bogus" --bogus arm64 -- true
    check "--timeout 0 is an error" fails "--timeout '0'" --timeout 0 --root "$tmp/empty" arm64 -- true
    check "--timeout soon is an error" fails "--timeout 'soon'" --timeout=soon --root "$tmp/empty" arm64 -- true
    check "--smp 2 on e500v2 is an error" fails "--smp '2'" --smp 2 --root "$tmp/empty" e500v2 -- true
    check "--cpu without a value is an error" fails "--cpu: its value is missing" arm64 --cpu
    check "an unknown CPU is an error that lists them" fails "cortex-a57" --root "$tmp/empty" --cpu cortex-a1 arm64 -- true
    check "a missing --root is an error" fails "$tmp/none" --root "$tmp/none" arm64 -- true
    check "a missing --file is an error" fails "$tmp/none" --root "$tmp/empty" --file "$tmp/none" arm64 -- true
    # shellcheck disable=SC2016
    check "no QEMU is an error that says how to make it" \
        env BUILD="$tmp/none" sh -c '"$0" arm64 -- true 2>&1 | grep -F "scripts/build-qemu arm64"' "$top/hosts/run"
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

    # shellcheck disable=SC2016 # the host's shell
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
    # shellcheck disable=SC2016 # as it is
    set -- "two words" "it's \"quoted\"" 'a\b' '$HOME `id` *' '' '-n' 'new
line' 'last '
    { printf '<%s>' "$@"; cat "$tmp/bytes"; } > "$tmp/want"
    # shellcheck disable=SC2016
    check "$h: odd arguments and 300000 bytes of stdin" \
        run 0 "$h" -- sh -c 'printf "<%s>" "$@"; exec cat' sh "$@" < "$tmp/bytes"
    check "$h: come out as they went in" cmp "$tmp/want" "$tmp/out"

    check "$h: a command that is not there has status 127" run 127 "$h" -- no-such-command < /dev/null
    check "$h: which is said on stderr" grep -q "no-such-command: not found" "$tmp/err"

    # shellcheck disable=SC2016
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
    # shellcheck disable=SC2016
    check "$h: a guest boots and powers off under KVM" \
        sh -c 'out=$1; shift; "$@" > "$out" 2>&1 < /dev/null || { cat "$out"; exit 1; }' sh "$tmp/out" \
        "$top/hosts/run" --timeout 120 --log "$tmp/log" "$h" -- "$@"
    check "$h: the guest says so" grep "guest: up .*accel=kvm" "$tmp/out"
}

test_errors
for host; do
    case $host in
    arm64*)
        target=5
        case $host in arm64 | arm64-6.1) target=2 ;; esac
        test_host "$host" aarch64-linux-gnu-gcc "$target"
        test_guest "$host" arm64 qemu-system-aarch64 -M virt -accel kvm -cpu host -m 512 \
            -nographic -nodefaults -serial stdio -monitor none -no-reboot \
            -kernel /guest/Image -initrd /guest/initrd-arm64 -append 'console=ttyAMA0 quiet' ;;
    e500v2)
        test_host "$host" powerpc-linux-gnu-gcc ''
        test_guest "$host" ppc qemu-system-ppc -M ppce500 -accel kvm -cpu e500v2_v30 -m 128 \
            -nographic -nic none -monitor none -serial stdio -no-reboot \
            -kernel /guest/vmlinux -initrd /guest/initrd-ppc -append 'console=ttyS0 quiet' ;;
    x86_64)
        test_host "$host" gcc ''
        test_guest "$host" native qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 512 \
            -nographic -nodefaults -serial stdio -monitor none -no-reboot \
            -kernel /guest/vmlinuz -initrd /guest/initrd-x86_64 -append 'console=ttyS0 quiet' ;;
    *)
        die "HOST '$host': it is one of arm64, arm64-6.12, arm64-7.2, e500v2, x86_64" ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
