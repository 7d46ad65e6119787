#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/scripts/places.sh
#
# The scripts work wherever the project and its builds are: a tarball, inside
# another git repository, in a path with blanks, in another user's checkout,
# with a relative BUILD=. Where they cannot, they say so in one line, before
# anything is fetched or made. What is built is a QEMU of a few files.
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
need_packages gcc git libc6-dev util-linux
downloads=$build
unset BUILD QEMU_TREE OBJ ROOT HEADERS
make_tmp
chmod 711 "$tmp"

# Whoever runs this may have git's safe.directory set, or no identity.
export HOME="$tmp/home" GIT_CONFIG_NOSYSTEM=1
mkdir "$HOME"
unset XDG_CONFIG_HOME GIT_CONFIG_GLOBAL
git config --global user.name 'Ann Tester'
git config --global user.email ann@example.org

export QEMU_SRC="$tmp/src"
mkdir -p "$QEMU_SRC/scripts" "$QEMU_SRC/accel" "$QEMU_SRC/target/arm" "$QEMU_SRC/target/ppc" "$QEMU_SRC/tests" "$QEMU_SRC/configs"
echo 10.2.2 > "$QEMU_SRC/VERSION"
for file in MAINTAINERS meson.build accel/accel.c configs/none target/arm/kvm.c target/ppc/kvm.c tests/meson.build; do
    seq 40 > "$QEMU_SRC/$file"
done
printf '%s\n' 'print "total: 0 errors, 0 warnings, 1 lines checked\n";' > "$QEMU_SRC/scripts/checkpatch.pl"
# As QEMU's own, it takes no blanks in its path.
cat > "$QEMU_SRC/configure" <<'END'
#!/bin/sh
case $PWD$0 in *[[:space:]:]*) echo "ERROR: main directory cannot contain spaces nor colons" >&2; exit 1 ;; esac
{
    echo "rule cc"
    echo "  command = echo 'int main(void) { return 0; }' | gcc -x c -o \$out -"
    for program in qemu-system-aarch64 qemu-system-arm qemu-system-ppc qemu-system-x86_64 qmp; do echo "build $program: cc"; done
} > build.ninja
END
chmod +x "$QEMU_SRC/configure"

# project DIR: DIR gets a copy of the project, as a tarball would be unpacked;
# with one patch in place of the series
project()
{
    mkdir -p "$1"
    tar -C "$top" --exclude=./.git --exclude=./build --exclude=./patches -cf - . | tar -C "$1" -xf -
    rm -rf "$1/accel" "$1/target-arm" "$1/target-ppc" "$1/tests/qtest" "$1/tests/unit" "$1/copies"
    [ ! -e "$tmp/patches" ] || cp -R "$tmp/patches" "$tmp/target-arm" "$1/"
}

# downloaded DIR: the build folder DIR has what was downloaded
downloaded()
{
    mkdir -p "$1"
    ln -s "$downloads/dl" "$downloads/apt" "$1/"
}

# all_of PROJECT BUILD: each kind of script works there, and what it makes is in
# the folder BUILD
all_of()
{
    "$1/scripts/qemu-tree"
    "$1/scripts/check-series"
    "$1/scripts/build-qemu" native
    [ -x "$2/root-native/bin/qemu-system-arm" ]
    # a change, written back
    echo more >> "$2/qemu/target/arm/kvm.c"
    git -C "$2/qemu" -c safe.directory='*' commit -qam 'target/arm: two' -m Why. -m 'Signed-off-by: Ann Tester <ann@example.org>'
    "$1/scripts/export"
    [ -e "$1/patches/0002-target-arm-two.patch" ]
    "$1/scripts/qemu-tree" --base
    "$1/scripts/clean"
    [ ! -e "$2/qemu" ] && [ ! -e "$2/root-native" ] && [ -e "$2/dl" ]
}

# refuses PATTERN COMMAND...: COMMAND fails with one line like PATTERN
refuses()
{
    _pattern=$1 _rc=0
    shift
    "$@" > "$tmp/out" 2>&1 < /dev/null || _rc=$?
    cat "$tmp/out"
    [ "$_rc" -eq 1 ] && [ "$(wc -l < "$tmp/out")" -eq 1 ] && grep -qE ": error: .*$_pattern" "$tmp/out"
}

# The patch, made by the scripts themselves.
project "$tmp/first"
downloaded "$tmp/first/build"
"$tmp/first/scripts/qemu-tree" > "$tmp/out"
git -C "$tmp/first/build/qemu" commit -q --allow-empty -m 'topic: arm' -m 'Arm'
echo changed >> "$tmp/first/build/qemu/target/arm/kvm.c"
git -C "$tmp/first/build/qemu" commit -qam 'target/arm: one' -m Why. -m 'Signed-off-by: Ann Tester <ann@example.org>'
"$tmp/first/scripts/export" > "$tmp/out"
cp -R "$tmp/first/patches" "$tmp/first/target-arm" "$tmp/"

project "$tmp/tarball"
downloaded "$tmp/tarball/build"
check 'a tarball' all_of "$tmp/tarball" "$tmp/tarball/build"

mkdir "$tmp/outer"
git -C "$tmp/outer" init -q
project "$tmp/outer/project"
downloaded "$tmp/outer/project/build"
check 'inside another git repository' all_of "$tmp/outer/project" "$tmp/outer/project/build"
check 'which is left as it was' test "$(git -C "$tmp/outer" for-each-ref; ls "$tmp/outer")" = project

project "$tmp/relative"
downloaded "$tmp/here"
relative() { cd "$tmp" && BUILD=here all_of relative here; }
check 'a relative BUILD=, and a relative path' relative
below() { cd "$tmp/relative/scripts" && BUILD=../../here all_of .. ../../here; }
git -C "$tmp/relative" init -q
rm -f "$tmp/relative/patches/0002"*
cp -R "$tmp/patches" "$tmp/target-arm" "$tmp/relative/"
check 'the same from another folder' below

project "$tmp/with a  blank"
downloaded "$tmp/builds"
blank() { BUILD=$tmp/builds all_of "$tmp/with a  blank" "$tmp/builds"; }
check 'a path with blanks' blank
host()
{
    BUILD=$tmp/builds "$tmp/with a  blank/hosts/build" x86_64
    [ -e "$tmp/builds/hosts/base-x86_64/.key" ]
}
check 'a path with blanks: a host' host
before=$(find "$tmp/with a  blank" | wc -l)
for script in scripts/qemu-tree scripts/build-qemu scripts/check-series scripts/clean hosts/build tests/run/table.sh; do
    check "a path with blanks, and no BUILD=: $script" \
        refuses "the build folder is '$tmp/with a  blank/build', and QEMU's .* takes no path with a blank .*; set BUILD=" \
        "$tmp/with a  blank/$script"
done
check 'and nothing was made' test "$(find "$tmp/with a  blank" | wc -l)" -eq "$before"
colon() { refuses "the build folder is '$tmp/a:b', .*; set BUILD=" env BUILD="$tmp/a:b" "$tmp/tarball/scripts/qemu-tree"; }
check 'a BUILD= with a colon' colon
obj() { refuses "OBJ= or ROOT= is '$tmp/a b'" env OBJ="$tmp/a b" QEMU_TREE="$QEMU_SRC" "$tmp/tarball/scripts/build-qemu" native; }
check 'an OBJ= with a blank' obj
check 'no BUILD= that holds the checkout is cleaned' \
    refuses "BUILD=$tmp has $tmp/tarball in it" env BUILD="$tmp" "$tmp/tarball/scripts/clean"
check 'nor one that holds the home folder' refuses "BUILD=$tmp has $HOME in it" env BUILD="$tmp" "$top/scripts/clean"

if [ "$(id -u)" -ne 0 ]; then
    skip "another user's checkout" 'needs root, to give it to another user'
else
    project "$tmp/other"
    downloaded "$tmp/other/build"
    git -C "$tmp/other" init -q
    chown -R -h nobody "$tmp/other"
    check "another user's checkout" all_of "$tmp/other" "$tmp/other/build"
    chown -R -h root "$tmp/other"
    rm -r "$tmp/other/build"
    check "another user's checkout, which cannot be written" refuses "cannot write to $tmp/other/build; set BUILD=" \
        setpriv --reuid=nobody --clear-groups "$tmp/other/scripts/qemu-tree"
    git -C "$QEMU_SRC" init -q
    git -C "$QEMU_SRC" add -A
    git -C "$QEMU_SRC" commit -qm QEMU
    chown -R nobody "$QEMU_SRC"
    check "another user's QEMU_SRC=" refuses 'git cannot read .*ownership.*safe.directory' \
        env BUILD="$tmp/empty" "$tmp/tarball/scripts/qemu-tree"
fi
done_testing
