#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/scripts/interrupts.sh [PART...]
#
# Whenever a script is interrupted, by INT, TERM or HUP, sent to it alone or to
# its process group: it ends by that signal; no process and no temporary folder
# is left; and what it had made half is not taken for whole: run again, it makes
# what it makes when nobody interrupts it. The parts are
#
#   tree      scripts/qemu-tree, with a QEMU of a few files
#   qemu      scripts/build-qemu, with a QEMU that is configured and compiled
#             in seconds
#   host      hosts/build, of the x86_64 host
#   run       hosts/run, with that host
#   packages  what installs packages, with an apt-get that does nothing; it is
#             the one that finishes what it has begun
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
[ $# -gt 0 ] || set -- tree qemu host run packages

need_packages git
make_tmp
mark=interrupts-$$ downloads=$build
mkdir "$tmp/t"

# Each script of the test has a mark in its environment, and so has all that
# it runs. A process that has ended has no environment.
marked()
{
    grep -lzx "INTERRUPTS=$mark" /proc/[0-9]*/environ 2> /dev/null | sed 's,/proc/\(.*\)/environ,\1,'
}

# shellcheck disable=SC2046 # a list
kill_marked() { kill -KILL $(marked) 2> /dev/null; }
at_exit kill_marked

# launch COMMAND...: in a process group of its own, with signals as a user's
# shell has them, and not as in the background of a script
launch()
{
    INTERRUPTS=$mark TMPDIR="$tmp/t" env --default-signal=HUP,INT,TERM \
        setsid "$@" > "$tmp/out" 2>&1 < /dev/null &
    pid=$!
}

# now: milliseconds
now() { echo $(($(date +%s%N) / 1000000)); }

# until_gone: waits until nothing marked runs, 10 s at most
until_gone()
{
    for _ in $(seq 100); do
        [ -n "$(marked)" ] || return 0
        sleep 0.1
    done
    echo 'these are left:'
    for _pid in $(marked); do tr '\0' ' ' < "/proc/$_pid/cmdline"; echo; done
    kill_marked
    return 1
}

# interrupts NAME COUNT FRESH RESULT COMMAND...: COMMAND, interrupted at COUNT
# moments. FRESH has it begin anew; RESULT lists what it makes.
interrupts()
{
    _name=$1 _count=$2 _fresh=$3 _result=$4
    shift 4
    $_fresh
    _t0=$(now)
    launch "$@"
    wait "$pid" || { not_ok "$_name works" - < "$tmp/out"; return; }
    _took=$(($(now) - _t0))
    $_result > "$tmp/want"
    for _moment in $(seq "$_count"); do
        case $((_moment % 6)) in
        0) _signal=HUP _group='' ;;
        1) _signal=INT _group=- ;;
        2) _signal=TERM _group='' ;;
        3) _signal=HUP _group=- ;;
        4) _signal=INT _group='' ;;
        5) _signal=TERM _group=- ;;
        esac
        check "$_name, $_signal to $(whom "$_group"), at $_moment/$((_count + 1))" \
            interrupted "$((_took * _moment / (_count + 1)))" "$@"
    done
}

whom() { if [ -n "$1" ]; then echo 'its group'; else echo 'it alone'; fi; }

# interrupted MS COMMAND...: COMMAND, interrupted after MS milliseconds, ends and
# leaves things as it should
interrupted()
{
    _ms=$1
    shift
    while :; do
        $_fresh
        launch "$@"
        sleep "$((_ms / 1000)).$(printf %03d "$((_ms % 1000))")"
        ended_by "$_signal" "$_group" || return
        # One that was faster than the first has to be met earlier.
        if [ "$_status" -ne 0 ] || [ "$_ms" -eq 0 ]; then break; fi
        _ms=$((_ms / 2))
    done
    nothing_in_tmp
    launch "$@"
    wait "$pid" || { echo 'run again, it fails:'; cat "$tmp/out"; return 1; }
    $_result > "$tmp/got"
    diff "$tmp/want" "$tmp/got" || { echo 'run again, it makes something else'; return 1; }
}

# ended_by SIGNAL GROUP: sends it, and sees how the script ends; sets $_status
ended_by()
{
    kill -s "$1" -- "$2$pid" 2> /dev/null || :
    _status=0
    wait "$pid" || _status=$?
    case $1-$_status in
    *-0 | HUP-129 | INT-130 | TERM-143) ;;
    *) echo "its status is $_status"; cat "$tmp/out"; return 1 ;;
    esac
    until_gone
}

nothing_in_tmp()
{
    _left=$(find "$tmp/t" -mindepth 1; find "$BUILD" -path "$BUILD/qemu/*" -prune -o \
        \( -name '*.new' -o -name 'series.am.*' \) -print)
    [ -z "$_left" ] || { echo 'these are left:'; echo "$_left"; rm -rf "$tmp/t"; mkdir "$tmp/t"; return 1; }
}

# build NAME: $BUILD is a new one, with the downloads of the real one
build()
{
    export BUILD="$downloads/interrupts.$$/$1"
    mkdir -p "$BUILD"
    ln -s "$downloads/dl" "$downloads/apt" "$BUILD/"
}
# Beside the downloads: it is big.
at_exit rm -rf "$build/interrupts.$$"

# empty FOLDER...: removes these from $BUILD
empty() { for _folder; do rm -rf "${BUILD:?}/$_folder"; done; }

# sizes FOLDER...: the files in these folders of $BUILD. An archive has times
# in it, and so another checksum each time.
sizes()
{
    ( cd "$BUILD" && find "$@" \( -name .lock\* -o -name .ninja\* \) -prune -o -type f -printf '%p %s\n' | LC_ALL=C sort )
}

test_tree()
{
    build tree
    # a project with one patch, for a QEMU of a few files
    mkdir -p "$tmp/project/tests" "$tmp/src/scripts" "$tmp/src/accel" "$tmp/src/target/arm" "$tmp/src/target/ppc" "$tmp/src/tests"
    cp -R "$top/scripts" "$tmp/project/"
    for _file in MAINTAINERS configure meson.build scripts/checkpatch.pl accel/accel.c; do seq 1000 > "$tmp/src/$_file"; done
    echo 10.2.2 > "$tmp/src/VERSION"
    export QEMU_SRC="$tmp/src"
    "$tmp/project/scripts/qemu-tree" > "$tmp/out"
    git -C "$BUILD/qemu" config user.name 'Ann Tester'
    git -C "$BUILD/qemu" config user.email ann@example.org
    git -C "$BUILD/qemu" commit -q --allow-empty -m 'topic: arm' -m 'Arm'
    seq 1000 2000 > "$BUILD/qemu/accel/accel.c"
    git -C "$BUILD/qemu" commit -qam 'accel: one' -m 'Why.' -m 'Signed-off-by: Ann Tester <ann@example.org>'
    "$tmp/project/scripts/export" > "$tmp/out"
    interrupts qemu-tree 12 'empty qemu' tree_result "$tmp/project/scripts/qemu-tree"
    unset QEMU_SRC
}

tree_result()
{
    git -C "$BUILD/qemu" rev-parse base series exported
    git -C "$BUILD/qemu" status --porcelain
    git -C "$BUILD/qemu" fsck --no-dangling --no-progress 2>&1
}

test_qemu()
{
    build qemu
    export QEMU_TREE="$tmp/qemu"
    mkdir -p "$QEMU_TREE/configs"
    echo 10.2.2 > "$QEMU_TREE/VERSION"
    : > "$QEMU_TREE/meson.build"
    # Both write half of what they make, and take their time for the rest.
    cat > "$QEMU_TREE/configure" <<'END'
#!/bin/sh
set -e
exec > build.ninja
echo "rule cc"
echo "  command = echo half > \$out && sleep 1 && echo 'int main(void) { return 0; }' | gcc -x c -o \$out.o - && cp \$out.o \$out"
echo "build qemu-system-arm: cc"
sleep 1
for program in qemu-system-aarch64 qemu-system-ppc qemu-system-x86_64 qmp; do echo "build $program: cc"; done
END
    chmod +x "$QEMU_TREE/configure"
    JOBS=2 interrupts build-qemu 10 'empty obj-native obj-native.d root-native' \
        'sizes obj-native/ root-native' "$top/scripts/build-qemu" native
    unset QEMU_TREE
}

test_host()
{
    build host
    interrupts hosts/build 6 'empty hosts guest-x86_64' 'sizes hosts guest-x86_64' "$top/hosts/build" x86_64
}

test_run()
{
    build run
    mkdir "$tmp/root"
    "$top/hosts/build" x86_64
    interrupts hosts/run 6 : run_result "$top/hosts/run" --root "$tmp/root" --log "$tmp/log" \
        x86_64 -- sh -c 'sleep 1; echo done'
}

run_result() { cat "$tmp/out"; }

# What stands for apt-get says when it begins and ends.
test_packages()
{
    build packages
    mkdir "$tmp/bin"
    echo '#!/bin/sh' | tee "$tmp/bin/dpkg-query" "$tmp/bin/apt-get" > "$tmp/bin/sudo"
    echo 'exec "$@"' >> "$tmp/bin/sudo"
    echo "echo begins >> $tmp/apt.log; sleep 2; echo ends >> $tmp/apt.log" >> "$tmp/bin/apt-get"
    chmod +x "$tmp"/bin/*
    for _signal in HUP INT TERM; do
        for _group in - ''; do
            check "what installs packages, $_signal to $(whom "$_group")" packages
        done
    done
}

packages()
{
    rm -f "$tmp/apt.log"
    launch env PATH="$tmp/bin:$PATH" "$top/scripts/check-series"
    until [ -s "$tmp/apt.log" ]; do sleep 0.1; done
    ended_by "$_signal" "$_group"
    [ "$_status" -ne 0 ] || { echo 'it was not interrupted'; return 1; }
    [ "$(cat "$tmp/apt.log")" = "$(printf 'begins\nends\nbegins\nends')" ] ||
        { echo 'apt-get was not left to end, or more came after it:'; cat "$tmp/apt.log"; return 1; }
}

for part; do
    case $part in
    tree | qemu | host | run | packages) "test_$part" ;;
    *) die "unknown part '$part'; see tests/scripts/interrupts.sh --help" ;;
    esac
done
done_testing
