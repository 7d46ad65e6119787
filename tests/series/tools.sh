#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/series/tools.sh
#
# Tests scripts/qemu-tree, export, check-series and mail in a project of its own in
# a temporary folder, with a QEMU of a few small files: what they make, that
# they do nothing when there is nothing to do, and that on bad input they say
# why on one line, exit with 1 and leave everything as it was.
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
unset QEMU_SRC
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
make_tmp
mounted=
unmount() { [ -z "$mounted" ] || umount "$mounted"; }
at_exit unmount

# state: all that a script must not touch when it refuses.
state()
{
    # A status is read, and refreshes the index.
    find "$project" "$BUILD" \( -path '*/.git/index' -o -path '*/.git/objects' -o -path "$BUILD/logs" \
        -o -path "$BUILD/dl" -o -path "$BUILD/apt" -o -name qemu.lock \) -prune -o -type f -printf '%p %T@ %s\n' | sort
    git -C "$q" for-each-ref 2>/dev/null || true
}

# refuses NAME PATTERN COMMAND...: COMMAND exits with 1, its one line of
# stderr matches PATTERN, and nothing is touched.
refuses()
{
    _name=$1 _pattern=$2
    shift 2
    state > "$tmp/before"
    _rc=0
    "$@" > "$tmp/stdout" 2> "$tmp/stderr" || _rc=$?
    state > "$tmp/after"
    if [ "$_rc" -ne 1 ]; then
        not_ok "$_name" "status $_rc, not 1" "$(cat "$tmp/stdout" "$tmp/stderr")"
    elif [ "$(wc -l < "$tmp/stderr")" -ne 1 ] || ! grep -qE ": error: .*$_pattern" "$tmp/stderr"; then
        not_ok "$_name" "wanted one line like: error: $_pattern; got:" "$(cat "$tmp/stderr")"
    elif ! cmp -s "$tmp/before" "$tmp/after"; then
        not_ok "$_name" "something was touched:" "$(diff "$tmp/before" "$tmp/after")"
    else
        ok "$_name"
    fi
}

# works NAME PATTERN COMMAND...: COMMAND exits with 0 and says PATTERN.
works()
{
    _name=$1 _pattern=$2
    shift 2
    if "$@" > "$tmp/stdout" 2>&1 && grep -qE "$_pattern" "$tmp/stdout"; then
        ok "$_name"
    else
        not_ok "$_name" "wanted status 0 and: $_pattern; got:" "$(cat "$tmp/stdout")"
    fi
}

# idle NAME PATTERN COMMAND...: works, and touches nothing.
idle()
{
    state > "$tmp/before"
    works "$@"
    state > "$tmp/after"
    cmp -s "$tmp/before" "$tmp/after" || not_ok "$1: touches nothing" "$(diff "$tmp/before" "$tmp/after")"
}

# finds NAME CHECK PATTERN: check-series fails at CHECK, saying PATTERN.
finds()
{
    if "$project/scripts/check-series" > "$tmp/stdout" 2>&1; then
        not_ok "$1" "check-series passed" "$(cat "$tmp/stdout")"
    elif grep -A 5 "^not ok [0-9]* - .*$2" "$tmp/stdout" | grep -q "^# .*$3" && tail -n 1 "$tmp/stdout" | grep -q ' [1-9][0-9]* failed, '; then
        ok "$1"
    else
        not_ok "$1" "wanted: not ok - $2, and: $3; got:" "$(cat "$tmp/stdout")"
    fi
}

# A project, and a QEMU that is one as far as the scripts can see.
project=$tmp/project
export BUILD="$tmp/build"
q=$BUILD/qemu
mkdir -p "$project" "$BUILD"
mkdir -p "$project/tests"
cp -R "$top/scripts" "$project/"
cp -R "$top/tests/lib" "$project/tests/"
git init -q "$project"
git -C "$project" config user.name 'Ann Tester'
git -C "$project" config user.email ann@example.org
tree=$project/scripts/qemu-tree exp=$project/scripts/export check=$project/scripts/check-series

src=$tmp/src
mkdir -p "$src/scripts" "$src/target/arm" "$src/target/ppc" "$src/accel" "$src/tests"
echo 10.2.2 > "$src/VERSION"
echo '*.o' > "$src/.gitignore"
for file in MAINTAINERS configure meson.build target/arm/kvm.c target/ppc/kvm.c accel/accel.c tests/meson.build ignored.o; do
    seq 1 40 | sed "s,^,$file ," > "$src/$file"
done
cat > "$src/scripts/checkpatch.pl" <<'END'
@ARGV = grep { !/^--/ } @ARGV;
my $bad = grep { /^\+.*BAD/ } <>;
print "WARNING: BAD\n" if $bad;
print "total: 0 errors, $bad warnings, 1 lines checked\n";
END

# commit SUBJECT BODY...: all that is in build/qemu.
commit()
{
    git -C "$q" add -A
    git -C "$q" commit -q -m "$1" -m "$(shift; printf '%s\n' "$@")"
}
sob='Signed-off-by: Ann Tester <ann@example.org>'

# topic NAME BODY...: begins one, whose cover letter BODY is.
topic()
{
    _topic=$1
    shift
    git -C "$q" commit -q --allow-empty -m "topic: $_topic" -m "$(printf '%s\n' "$@")"
}

# --- getting the base

refuses 'QEMU_SRC does not exist' "$tmp/nothing does not exist; name" env QEMU_SRC="$tmp/nothing" "$tree"
refuses 'QEMU_SRC is no QEMU tree' "$project/scripts is not a whole QEMU tree: .* has no VERSION; set QEMU_SRC=" env QEMU_SRC="$project/scripts" "$tree"
refuses 'QEMU_SRC is a checkout of nothing' "QEMU_SRC=$project is .* HEAD git cannot read .*; mend" env QEMU_SRC="$project" "$tree"
for version in 9.2.4 10.0.13 10.1.50 2.12.0; do
    cp -R "$src" "$tmp/wrong"
    echo $version > "$tmp/wrong/VERSION"
    refuses "the base is $version" "$tmp/wrong is QEMU $version, and the series needs 10\.2 or later; set QEMU_SRC=" env QEMU_SRC="$tmp/wrong" "$tree"
    rm -rf "$tmp/wrong"
done
cp -R "$src" "$tmp/wrong"
rm -r "$tmp/wrong/tests"
refuses 'the base is without tests' "$tmp/wrong is not a whole QEMU tree: it has no tests; set QEMU_SRC=" env QEMU_SRC="$tmp/wrong" "$tree"
rm -rf "$tmp/wrong"
echo no > "$tmp/no.tar.xz"
refuses 'QEMU_SRC is no tarball' 'no.tar.xz is not a tarball .*; get it anew' env QEMU_SRC="$tmp/no.tar.xz" "$tree"

cat > "$tmp/apt.conf" <<'END'
Acquire::http::Proxy "http://127.0.0.1:9";
Acquire::https::Proxy "http://127.0.0.1:9";
Acquire::Retries "0";
END
if ! command -v apt-get > /dev/null; then
    skip 'no network' 'there is no apt-get'
elif APT_CONFIG=$tmp/apt.conf apt-config dump | grep -E '^Acquire::https?::Proxy "' | grep -qv ':9"'; then
    skip 'no network' "this machine's apt has a proxy that a test cannot take away"
else
    refuses 'no network' 'cannot download .*; set QEMU_SRC=' env APT_CONFIG="$tmp/apt.conf" QEMU_SRC= "$tree"
fi

mkdir "$tmp/small"
if [ "$(id -u)" -ne 0 ]; then
    skip 'no space' 'needs root, to mount a small file system'
elif ! mount -t tmpfs -o size=8m tmpfs "$tmp/small" 2>/dev/null; then
    skip 'no space' 'cannot mount a small file system here'
else
    mounted=$tmp/small
    refuses 'no space' "$tmp/small has [0-9]* MiB free and .* 1500 MiB; free some or set BUILD=" \
        env BUILD="$tmp/small" QEMU_SRC="$src" "$tree"
    refuses 'no space leaves nothing' 'there is no' env BUILD="$tmp/small" "$exp"
fi

mkdir "$q"
refuses 'build/qemu is something else' "$q is not what make tree makes .*; move it away" "$tree"
rmdir "$q"

cp -R "$src" "$tmp/clone"
git -C "$tmp/clone" init -q
git -C "$tmp/clone" add -A
git -C "$tmp/clone" -c user.name=x -c user.email=x commit -qm x
echo dirty >> "$tmp/clone/configure"
refuses 'QEMU_SRC is a dirty checkout' "$tmp/clone has uncommitted work \( M configure\).*; commit or stash" env QEMU_SRC="$tmp/clone" "$tree"
git -C "$tmp/clone" checkout -q configure
works 'the base from a checkout' 'build/qemu: QEMU 10.2.2 with 0 patches' env QEMU_SRC="$tmp/clone" "$tree"
refuses 'QEMU_SRC is not what the tree was made from' "made from $tmp/clone at .* names $src; leave QEMU_SRC= out, or remove" env QEMU_SRC="$src" "$tree"
if [ -e "$q/ignored.o" ]; then not_ok 'a checkout gives what its HEAD has'; else ok 'a checkout gives what its HEAD has'; fi
rm -rf "$q"

mkdir "$src/build"
touch "$src/build/product"
for version in 10.2.50 11.0.0; do
    cp -R "$src" "$tmp/later"
    echo $version > "$tmp/later/VERSION"
    works "the base is $version" "build/qemu: QEMU $version with 0 patches" env QEMU_SRC="$tmp/later" "$tree"
    rm -rf "$q" "$tmp/later"
done
tar -C "$tmp" -cJf "$tmp/qemu.tar.xz" --exclude=build src
works 'the base from a tarball' 'QEMU 10.2.2 with 0 patches' env QEMU_SRC="$tmp/qemu.tar.xz" "$tree"
id=$(git -C "$q" rev-parse base)
rm -rf "$q"
works 'the base from a folder, without any git identity' 'QEMU 10.2.2 with 0 patches' \
    env HOME="$tmp" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 QEMU_SRC="$src" "$tree"
if [ "$(git -C "$q" rev-parse base series exported | sort -u)" = "$id" ] && [ -e "$q/ignored.o" ]; then
    ok 'the same base is the same commit, with files that git would ignore'
else
    not_ok 'the same base is the same commit, with files that git would ignore'
fi
idle 'tree again' 'applied already' env QEMU_SRC="$src" "$tree"
idle 'export of no patches' '0 patches in patches/, 0 files' "$exp"
works 'check-series of no patches' '^# [1-9] passed, 0 failed, [1-9] skipped' "$check"

# --- working on the series

sed -i '20s/$/ changed/' "$q/target/arm/kvm.c"
mkdir "$q/accel/kvm"
echo 'int one_reg;' > "$q/accel/kvm/one-reg.c"
echo 'int target;' > "$q/target/arm/kvm-target.c"
echo text > "$q/README"
refuses 'tree: uncommitted work' "$q has uncommitted work \( M target/arm/kvm.c,.*; commit, stash or remove" "$tree"
refuses 'export: uncommitted work' "$q has uncommitted work \( M target/arm/kvm.c,.*; commit, stash or remove" "$exp"
idle 'tree --keep-work' 'used as it is; it has uncommitted work' "$tree" --keep-work
commit 'target/arm: one' 'Why.' '' "$sob"
refuses 'tree: unexported work' "$q has commits .* not in patches/; write them there \(make export\) or drop them" "$tree"
sed -i '5s/$/ changed/' "$q/target/ppc/kvm.c"
mkdir -p "$q/tests/qtest" "$q/target/ppc/sub"
echo 'int test;' > "$q/tests/qtest/t-test.c"
echo 'int booke;' > "$q/target/ppc/sub/booke.c"
git -C "$q" mv accel/accel.c accel/moved.c
commit 'target/ppc: two — 二' "$sob"
refuses 'export: no topic' '"target/arm: one"\) belongs to no topic .*; give each .* a topic' "$exp"
# as a user puts it there
cat > "$tmp/editor" <<END
sed -i -e '1i exec git commit -q --allow-empty -m "topic: arm" -m "Arm, in one" -m "What it is for."' \
    -e '1a exec git commit -q --allow-empty -m "topic: ppc" -m "PowerPC, in one" -m "Based-on: arm"' "\$1"
END
works 'topics put in by git rebase' '' env GIT_SEQUENCE_EDITOR="sh $tmp/editor" git -C "$q" rebase -q -i base
if [ "$(git -C "$q" log --reverse --format=%s base..series)" = "$(printf '%s\n' 'topic: arm' 'target/arm: one' 'topic: ppc' 'target/ppc: two — 二')" ]; then
    ok 'which are commits before their patches'
else
    not_ok 'which are commits before their patches' "$(git -C "$q" log --reverse --format=%s base..series)"
fi
refuses 'export: no message' '"target/ppc: two — 二"\) has no message .*; give each' "$exp"
git -C "$q" commit -q --amend -m 'target/ppc: two — 二' -m 'Why.'
refuses 'export: no sign-off' '"target/ppc: two — 二"\) has no Signed-off-by .*; give each' "$exp"
git -C "$q" commit -q --amend -m 'target/ppc: two — 二' -m 'Why.' -m "$sob"
git -C "$q" checkout -q -b mine
refuses 'export: another branch' "$q has mine checked out instead of series; git -C" "$exp"
git -C "$q" checkout -q series
GIT_SEQUENCE_EDITOR='sed -i 1s/pick/edit/' git -C "$q" rebase -q -i base 2>/dev/null
refuses 'export: unfinished rebase' "$q has an unfinished rebase, .*; finish or abort" "$exp"
refuses 'tree: unfinished rebase' "$q has an unfinished rebase, .*; finish or abort" "$tree"
git -C "$q" rebase --abort

works 'export' '2 patches in patches/, 20 files' "$exp"
files=$(cd "$project" && find patches target-arm target-ppc accel tests/qtest tests/unit copies -type f | sort | tr '\n' ' ')
wanted='accel/README.md accel/kvm/one-reg.c accel/moved.c.diff copies/README copies/README.md patches/0001-target-arm-one.patch patches/0002-target-ppc-two.patch patches/arm.cover patches/base patches/ppc.cover patches/series patches/series.upstream target-arm/README.md target-arm/kvm-target.c target-arm/kvm.c.diff target-ppc/README.md target-ppc/kvm.c.diff target-ppc/sub/booke.c tests/qtest/README.md tests/qtest/t-test.c '
if [ "$files" = "$wanted" ]; then ok 'export writes patches, covers, series, base, copies of added files and diffs of changed ones'; else
    not_ok 'export writes patches, covers, series, base, copies of added files and diffs of changed ones' "$files"; fi
if [ "$(grep -v '^# The patches' "$project/patches/series")" = "$(printf '%s\n' '# topic arm' 0001-target-arm-one.patch '# topic ppc' 0002-target-ppc-two.patch)" ] &&
   [ "$(cat "$project/patches/arm.cover")" = "$(printf 'Arm, in one\n\nWhat it is for.')" ]; then
    ok 'patches/series has the topics and their patches, in their order'
else
    not_ok 'patches/series has the topics and their patches, in their order' "$(cat "$project/patches/series" "$project/patches/arm.cover")"
fi
rm -rf "$tmp/made"
cp -R "$src" "$tmp/made"
if cat "$project"/target-*/kvm.c.diff "$project/accel/moved.c.diff" | git -C "$tmp/made" apply &&
   diff "$tmp/made/target/ppc/kvm.c" "$q/target/ppc/kvm.c" && [ -e "$tmp/made/accel/moved.c" ]; then
    ok 'the diffs make of the base what the series makes of it'
else
    not_ok 'the diffs make of the base what the series makes of it' "$(cat "$project"/target-*/kvm.c.diff)"
fi
named=$(awk '/^[^#]/ { print $2 }' "$project/patches/base" | tr '\n' ' ')
if [ "$named" = '10.2.2 accel/accel.c target/arm/kvm.c target/ppc/kvm.c ' ]; then
    ok 'patches/base names the files that the series changes'
else
    not_ok 'patches/base names the files that the series changes' "$(cat "$project/patches/base")"
fi
# What git am -3 looks for in a clone of upstream.
if grep -qE "^index $(git -C "$q" rev-parse base:target/arm/kvm.c)\.\.[0-9a-f]{40} " "$project/patches/0001-target-arm-one.patch"; then
    ok 'patches have whole blob ids'
else
    not_ok 'patches have whole blob ids' "$(grep '^index' "$project/patches/0001-target-arm-one.patch")"
fi
idle 'export again' '2 patches in patches/, 0 files' "$exp"
idle 'tree after export' 'applied already' "$tree"
idle 'check-series' '^# 10 passed, 0 failed, 0 skipped' "$check"

git -C "$project" add -A
git -C "$project" commit -qm 'series'
mv "$q" "$tmp/kept"
works 'tree with patches' 'QEMU 10.2.2 with 2 patches' env QEMU_SRC="$src" "$tree"
commits=$(git -C "$q" rev-parse series)
if [ "$(git -C "$q" rev-parse 'series^{tree}')" = "$(git -C "$tmp/kept" rev-parse 'series^{tree}')" ]; then
    ok 'applying gives back what was exported'
else
    not_ok 'applying gives back what was exported'
fi
idle 'export after tree' '2 patches in patches/, 0 files' "$exp"
rm -rf "$q"
sleep 1.1 # were a commit's time now, its id would change
env QEMU_SRC="$src" "$tree" > /dev/null
if [ "$(git -C "$q" rev-parse series)" = "$commits" ]; then ok 'applying gives the same commits each time'; else
    not_ok 'applying gives the same commits each time'; fi
works 'tree --base' 'build/qemu-base: QEMU 10.2.2 without' "$tree" --base
idle 'tree --base again' 'there already' "$tree" --base
if [ -e "$q-base/configure" ] && [ ! -e "$q-base/README" ]; then ok 'build/qemu-base is the base'; else
    not_ok 'build/qemu-base is the base'; fi
mv "$q" "$q.away"
idle 'check-series without build/qemu' '^# 9 passed, 0 failed, 1 skipped' env QEMU_SRC="$src" "$check"
mv "$q.away" "$q"

# --- patches/ changes under the tree

p2=$project/patches/0002-target-ppc-two.patch
mv "$p2" "$tmp/p2"
refuses 'a patch that series names is not there' 'patches/series has 0002-target-ppc-two.patch, and there is no such file in patches/; restore it' "$tree"
finds 'check-series: a patch that series names is not there' 'patches/series names all' 'series names 0002-target-ppc-two.patch, which is not there'
cp "$tmp/p2" "$p2"
mv "$project/patches/ppc.cover" "$tmp/ppc.cover"
refuses 'a topic without a cover letter' 'patches/series has topic ppc, and there is no patches/ppc.cover; restore it' "$tree"
finds 'check-series: a topic without a cover letter' 'patches/series names all' 'series names ppc.cover, which is not there'
cp "$tmp/ppc.cover" "$project/patches/"
mv "$project/patches/series" "$tmp/series"
refuses 'patches without an order' 'there is no patches/series, which has the order of the patches; restore it' "$tree"
finds 'check-series: patches without an order' 'patches apply to the base' 'there is no patches/series'
sed '/^0002/d' "$tmp/series" > "$project/patches/series"
finds 'check-series: a patch that series does not name' 'patches/series names all' '0002-target-ppc-two.patch is not in series'
sed '/^# topic ppc/d' "$tmp/series" > "$project/patches/series"
finds 'check-series: a cover letter that series does not name' 'patches/series names all' 'ppc.cover is not in series'
sed '/^# topic arm/d' "$tmp/series" > "$project/patches/series"
finds 'check-series: a patch without a topic' 'every patch has a topic' '.*"target/arm: one.* belongs to no topic'
cp "$tmp/series" "$project/patches/series"
echo 'Based-on: arm tcg' >> "$project/patches/ppc.cover"
finds 'check-series: based on no topic' 'every patch has a topic' 'topic ppc is based on tcg, which is no topic before it'
cp "$tmp/ppc.cover" "$project/patches/"
echo 'Based-on: ppc' >> "$project/patches/arm.cover"
finds 'check-series: based on a later topic' 'every patch has a topic' 'topic arm is based on ppc, which is no topic before it'
git -C "$project" checkout -q patches
mkdir "$project/patches/upstream"
touch "$project/patches/upstream/0003-no.patch"
finds 'check-series: a variant of no patch' 'patches/series names all' 'upstream/0003-no.patch is a variant of no patch'
rm -r "$project/patches/upstream"

mv "$p2" "$tmp/p2"
mv "$project/patches/ppc.cover" "$tmp/"
sed '/ ppc$/d; /^0002/d' "$tmp/series" > "$project/patches/series"
find "$q" -path "$q/.git" -prune -o -type f -printf '%p %T@\n' | sort > "$tmp/before"
sleep 0.1
works 'tree without the last patch' 'applied anew, 5 files changed' "$tree"
find "$q" -path "$q/.git" -prune -o -type f -printf '%p %T@\n' | sort > "$tmp/after"
changed=$(diff "$tmp/before" "$tmp/after" | sed -n "s,^[<>] $q/\([^ ]*\) .*,\1,p" | sort -u | tr '\n' ' ')
if [ "$changed" = 'accel/accel.c accel/moved.c target/ppc/kvm.c target/ppc/sub/booke.c tests/qtest/t-test.c ' ]; then
    ok 'applying anew writes only what the patches change'
else
    not_ok 'applying anew writes only what the patches change' "$changed"
fi
git -C "$project" checkout -q patches
refuses 'export over patches that changed' 'patches/ is not what .* last exported to .*; take it up \(make tree\), or' "$exp"
finds 'check-series: patches/ ahead of build/qemu' 'build/qemu has nothing to export' 'remove patches/0002'
works 'tree with the last patch again' 'applied anew, 5 files changed' "$tree"

p1=$project/patches/0001-target-arm-one.patch
cp "$p1" "$tmp/p1"
sed -i 's/^ target\/arm\/kvm.c 18$/& no more/' "$p1"
refuses 'a patch that does not apply' 'patches/0001-target-arm-one.patch does not apply to QEMU 10.2.2: error: .*target/arm/kvm.c.*; restore it' "$tree"
mv "$q" "$q.away"
refuses 'a patch that does not apply, no tree yet' 'patches/0001-.* does not apply .*target/arm/kvm.c' env QEMU_SRC="$src" "$tree"
cp -R "$src" "$tmp/later"
echo 11.0.0 > "$tmp/later/VERSION"
refuses 'a patch that does not apply to a later QEMU' \
    'patches/0001-.* does not apply to QEMU 11.0.0: .*; the series is made on QEMU 10.2.2: leave QEMU_SRC= out' env QEMU_SRC="$tmp/later" "$tree"
git -C "$project" checkout -q patches
sed -i '18s/$/ new/' "$tmp/later/target/arm/kvm.c"
refuses 'a patch that conflicts with a later QEMU' \
    'patches/0001-.* does not apply to QEMU 11.0.0: .*target/arm/kvm.c.*; the series is made on' env QEMU_SRC="$tmp/later" "$tree"
mkdir "$project/patches/upstream"
sed -e 's/^ target\/arm\/kvm.c 18$/& new/' -e "s/^index [0-9a-f]*/index $(git hash-object "$tmp/later/target/arm/kvm.c")/" "$tmp/p1" > "$project/patches/upstream/${p1##*/}"
sed "s,^${p1##*/},upstream/&," "$project/patches/series" > "$project/patches/series.upstream"
works 'but not its variant for that' 'build/qemu: QEMU 11.0.0 with 2 patches' env QEMU_SRC="$tmp/later" "$tree"
if sed -n 18p "$q/target/arm/kvm.c" | grep -q new && sed -n 20p "$q/target/arm/kvm.c" | grep -q changed; then
    ok 'which is applied instead'
else
    not_ok 'which is applied instead' "$(sed -n 15,21p "$q/target/arm/kvm.c")"
fi
rm -rf "$q" "$tmp/later"
mv "$q.away" "$q"
works 'variants for later QEMUs do not matter to this one' '^# 10 passed' "$check"
rm -r "$project/patches/upstream"
sed -i 's/^ target\/arm\/kvm.c 18$/& no more/' "$p1"
finds 'check-series: a patch that does not apply' 'patches apply to the base' 'patches/0001.*target/arm/kvm.c'
sed 's/^@@ -17,7 +17,7 @@/@@ -15,7 +15,7 @@/' "$tmp/p1" > "$p1"
finds 'check-series: a patch with an offset' 'patches apply exactly' 'patches/0001.*offset'
sed '/^Signed-off-by/d' "$tmp/p1" > "$p1"
finds 'check-series: no sign-off' 'message and a sign-off' '.*"target/arm: one.* has no Signed-off-by'
sed 's/^Why\.$//' "$tmp/p1" > "$p1"
finds 'check-series: no message' 'message and a sign-off' '.*"target/arm: one.* has no message'
sed 's/^+int one_reg;/+int BAD_reg;/' "$tmp/p1" > "$p1"
finds 'check-series: checkpatch.pl has a warning' 'checkpatch.pl' 'WARNING: BAD'
works 'export --force' 'write patches/0001' "$exp" --force
cp "$project/patches/base" "$tmp/base"
sed -i 's/^[0-9a-f]*\( target.arm.kvm.c\)/0123\1/' "$project/patches/base"
finds 'check-series: another base' 'patches/base names' 'target/arm/kvm.c: patches/base says 0123, QEMU 10.2.2 has'
sed 's/^version.*/version 10.2.1/' "$tmp/base" > "$project/patches/base"
works 'check-series: another version with the same files' '^# 10 passed' "$check"
cp "$tmp/base" "$project/patches/base"

echo edited >> "$project/target-arm/kvm-target.c"
finds 'check-series: a copy edited by hand' 'copies' 'target-arm/kvm-target.c is not what the patches give; change it in build/qemu'
works 'export mends it' 'write target-arm/kvm-target.c' "$exp"
echo edited >> "$project/target-arm/kvm.c.diff"
finds 'check-series: a diff edited by hand' 'copies' 'target-arm/kvm.c.diff is not what the patches give'
works 'export mends it too' 'write target-arm/kvm.c.diff' "$exp"
touch "$project/target-ppc/stray.c"
finds 'check-series: a file that is no copy' 'copies' 'target-ppc/stray.c is no copy .*; remove it'
idle 'which export does not own' '0 files changed' "$exp"
rm "$project/target-ppc/stray.c"
idle 'check-series again' '^# 10 passed, 0 failed, 0 skipped' "$check"

# --- topics that others need

echo more >> "$q/README"
topic doc 'Words' '' 'Why.'
commit 'README: more' 'Why.' '' "$sob"
works 'export of a topic more' '3 patches in patches/, 5 files' "$exp"
finds 'check-series: a topic that does not apply without another' 'each of 3 topics applies' \
    'topic doc, on what its cover letter names: patches/0003-README-more.patch does not apply .*README'
git -C "$q" reset -q --hard series~1
git -C "$q" commit -q --amend --allow-empty -m 'topic: doc' -m 'Words' -m 'Based-on: arm'
echo more >> "$q/README"
commit 'README: more' 'Why.' '' "$sob"
works 'export of what it is based on' '3 patches in patches/, [12] files' "$exp"
idle 'check-series of what it is based on' '^# 10 passed, 0 failed, 0 skipped' "$check"
mails=$project/scripts/mail
refuses 'mail: no such topic' "patches/series has no topic 'none'; give one of: arm ppc doc" "$mails" none
refuses 'mail: no topic' 'no TOPIC; give one of: arm ppc doc' "$mails"
works 'mail' 'build/mail/doc: 1 patches and a cover letter' "$mails" doc -v2
if grep -q '^Subject: \[PATCH v2 0/1\] Words' "$BUILD"/mail/doc/*cover-letter.patch &&
   grep -q '^  Arm, in one' "$BUILD"/mail/doc/*cover-letter.patch &&
   ! grep -q Based-on "$BUILD"/mail/doc/*cover-letter.patch; then
    ok 'mail: the cover letter names what it is based on by title'
else
    not_ok 'mail: the cover letter names what it is based on by title' "$(cat "$BUILD"/mail/doc/*cover-letter.patch)"
fi
echo less >> "$q/README"
commit 'README: less' 'Why.' '' "$sob"
refuses 'mail: unexported work' 'build/qemu has work that is not in patches/' "$mails" doc
git -C "$q" reset -q --hard exported~2
works 'export without it' '2 patches in patches/, 5 files' "$exp"

# --- a commit goes away, and all that was made from it

git -C "$q" reset -q --hard series~2
works 'export of fewer commits' '1 patches in patches/, 11 files' "$exp"
files=$(cd "$project" && find patches target-arm target-ppc accel tests/qtest tests/unit copies 2>/dev/null | sort | tr '\n' ' ')
if [ "$files" = 'accel accel/README.md accel/kvm accel/kvm/one-reg.c copies copies/README copies/README.md patches patches/0001-target-arm-one.patch patches/arm.cover patches/base patches/series patches/series.upstream target-arm target-arm/README.md target-arm/kvm-target.c target-arm/kvm.c.diff ' ]; then
    ok 'export removes patches and copies that are no more'
else
    not_ok 'export removes patches and copies that are no more' "$files"
fi
echo more >> "$q/README"
commit 'more' 'Why.' '' "$sob"
cp "$tmp/p2" "$p2"
refuses 'tree: patches changed and unexported work' "$q has commits .* not in patches/" "$tree"
works 'tree --keep-work' 'used as it is; it has commits' "$tree" --keep-work

done_testing
