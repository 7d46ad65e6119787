#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is fetched is what scripts/inputs.lock has; when the archive has moved
# on, each way that this can end is said in one line. The archive is a copy of
# a part of Debian's, with its signature, in a folder.

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
case ${1-} in
'') ;;
*) echo "Usage: tests/hosts/inputs.sh: tests scripts/inputs.lock and what fetches by it"
   [ "$1" = --help ]; exit ;;
esac
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

make_tmp
kernel=$(locked_lines bookworm arm64 '^linux-image-6[.]1[.].*-cloud-arm64$' | cut -d ' ' -f 3)
kernel_deb=$(fetch_deb bookworm arm64 "$kernel")
small_deb=$(fetch_deb bookworm arm64 zlib1g)
source=$(dirname "$(fetch_source bookworm zlib '*.dsc')")

# The part of the archive: the lists as they are unpacked, and three packages.
mirror=$tmp/mirror
lists=$build/apt/bookworm-arm64/lists
apt_private bookworm arm64 apt-cache stats > "$tmp/stats"
mkdir -p "$mirror/dists/bookworm/main/binary-arm64" "$mirror/dists/bookworm/main/binary-amd64" "$mirror/dists/bookworm/main/source"
cp "$lists"/*_dists_bookworm_InRelease "$mirror/dists/bookworm/InRelease"
/usr/lib/apt/apt-helper cat-file "$lists"/*_binary-arm64_Packages* > "$mirror/dists/bookworm/main/binary-arm64/Packages"
/usr/lib/apt/apt-helper cat-file "$lists"/*_source_Sources* > "$mirror/dists/bookworm/main/source/Sources"
apt_private bookworm amd64 apt-cache stats > "$tmp/stats"
apt_private sid amd64 apt-cache stats > "$tmp/stats"
/usr/lib/apt/apt-helper cat-file "$build"/apt/bookworm-amd64/lists/*_binary-amd64_Packages* > "$mirror/dists/bookworm/main/binary-amd64/Packages"
# in_pool FILE PATH: puts it where the lists have it.
in_pool() { mkdir -p "$mirror/$(dirname "$2")" && cp "$1" "$mirror/$2"; }
for deb in "$kernel_deb" "$small_deb"; do
    in_pool "$deb" "$(apt_private bookworm arm64 apt-cache show "$(dpkg-deb -f "$deb" Package)" | sed -n 's/^Filename: //p')"
done
for file in "$source"/zlib*; do
    in_pool "$file" "$(apt_private bookworm arm64 apt-cache showsrc zlib | sed -n 's/^Directory: //p')/${file##*/}"
done

# From here on there is no other archive, and no other lock.
real_inputs=$inputs real_build=$build
inputs=$tmp/lock build=$tmp/build
export INPUTS_LOCK="$inputs" BUILD="$build" DEBIAN_MIRROR="copy:$mirror"

# lock PACKAGE VERSION SHA256 [ARCH]: makes a lock with that line alone; a - is
# what the real one has.
lock()
{
    awk -v package="$1" -v version="$2" -v sum="$3" -v arch="${4-arm64}" '
        $2 == arch && $3 == package { if (version != "-") $4 = version; if (sum != "-") $5 = sum; print }' "$real_inputs" > "$inputs"
    [ -s "$inputs" ] || echo "bookworm ${4-arm64} $1 $2 $3" > "$inputs"
}

# gives FILE STDERR COMMAND...: it prints a path that ends in FILE, whose content
# is FILE's, and on stderr a line that matches STDERR, or nothing.
gives()
{
    _file=$1 _pattern=$2
    shift 2
    ( "$@" ) > "$tmp/out" 2> "$tmp/err" || { cat "$tmp/err"; return 1; }
    cat "$tmp/out" "$tmp/err"
    cmp "$_file" "$(cat "$tmp/out")" && says "$_pattern"
}

# refuses STDERR COMMAND...: it fails with that one line and leaves no package.
refuses()
{
    _pattern=$1
    shift
    if ( "$@" ) > "$tmp/out" 2> "$tmp/err"; then return 1; fi
    cat "$tmp/err"
    says "$_pattern" && [ -z "$(find "$build/dl" -name '*.deb' -o -name '*.tar.*' 2> /dev/null)" ]
}

says()
{
    if [ -z "$1" ]; then [ ! -s "$tmp/err" ]; else
        [ "$(wc -l < "$tmp/err")" -eq 1 ] && grep -qE -- "$1" "$tmp/err"; fi
}

without_mirror() { mv "$mirror" "$mirror.away"; _rc=0; "$@" || _rc=$?; mv "$mirror.away" "$mirror"; return "$_rc"; }
small() { fetch_deb bookworm arm64 zlib1g; }

lock zlib1g - -
check 'a package that the lock has' gives "$small_deb" '' small
check 'again, without an archive' without_mirror gives "$small_deb" '' small
echo >> "$build/dl/bookworm-arm64/${small_deb##*/}"
if ( small ) > "$tmp/out" 2> "$tmp/err"; then not_ok 'a file that was damaged is refused'; else
    check 'a file that was damaged is refused' says "has the SHA-256 .*, and .*lock says .*; remove it \(rm .*zlib1g.*deb\) and run again"; fi
rm -r "$build/dl"

lock zlib1g - "$(printf %064d 0)"
check 'a wrong SHA-256' refuses 'has the SHA-256 [0-9a-f]{64}, and .*lock says 0{64}; the mirror has another file' small
: > "$inputs"
check 'a package that the lock does not have' refuses 'has no zlib1g \(arm64\) of Debian bookworm; add it: scripts/refresh-inputs bookworm arm64 zlib1g' small
lock no-such-package 1 0
check 'a package that the archive does not have' refuses 'bookworm has no no-such-package \(arm64\) any more' fetch_deb bookworm arm64 no-such-package

lock zlib1g 1:0.9 -
moved='note: Debian bookworm has no more zlib1g 1:0\.9 \(arm64\), as .* zlib1g 1:1\.[^ ]* is taken; scripts/refresh-inputs'
check 'a version that the archive has no more' gives "$small_deb" "$moved" small
check 'again, without an archive or a word' without_mirror gives "$small_deb" '' small
inputs_moved > "$tmp/moved"
check 'which is on the list for tests that need the exact one' grep -qx "zlib1g 1:0\.9 zlib1g_.*_arm64\.deb" "$tmp/moved"
lock zlib1g - -
check 'the lock moves after it' gives "$small_deb" '' small
rm -r "$build/dl"

other=$(printf '%s\n' "$kernel" | sed 's/6\.1\.0-[0-9]*/6.1.0-1/')
lock "$other" 6.1.1-1 0
check 'a kernel that the archive has no more: another of its release' gives "$kernel_deb" \
    "no more $other 6\.1\.1-1 \(arm64\), .*: $kernel [^ ]* is taken" fetch_deb bookworm arm64 "$other"
rm -r "$build/dl"
gone=$(printf '%s\n' "$kernel" | sed 's/6\.1\.0-[0-9]*/6.0.0-1/')
lock "$gone" 6.0.1-1 0
check 'and none of another' refuses "bookworm has no $gone \(arm64\) any more, nor another of its release" fetch_deb bookworm arm64 "$gone"

from() { fetch_source bookworm zlib '*.orig.tar.*' "${1-}"; }
tarball=$(find "$source" -name '*.orig.tar.*')
lock zlib - - source
check 'a source that the lock has' gives "$tarball" '' from exact
rm -r "$build/dl"
lock zlib - "$(printf %064d 0)" source
if ( from "" ) > "$tmp/out" 2> "$tmp/err"; then not_ok 'a source with a wrong SHA-256'; else
    check 'a source with a wrong SHA-256' says 'zlib.*\.dsc has the SHA-256 .*, and .*lock says 0{64}; remove it'; fi
rm -r "$build/dl"
lock zlib 1:0.9 - source
check 'a source that the archive has no more' gives "$tarball" 'no more zlib 1:0\.9 \(source\), .*: zlib 1:1\.[^ ]* is taken' from
check 'again, without a word' without_mirror gives "$tarball" '' from
rm -r "$build/dl"
check 'one that is to be exact' refuses 'the source of zlib, version 1:0\.9, no more \(it has 1:1\.' from exact

# QEMU's, which has to be; the lists are those that are there.
mkdir -p "$build/apt"
cp -R "$real_build/apt/sid-amd64" "$build/apt/"
touch "$build/apt/sid-amd64/ready"
sed 's/^\(sid source qemu\) [^ ]*/\1 1:10.2.0+ds-1/' "$real_inputs" > "$inputs"
qemu_tree() { env -u DEBIAN_MIRROR -u QEMU_SRC "$top/scripts/qemu-tree" --only-base "$tmp/qemu" > "$tmp/steps"; }
check "QEMU's source that the archive has no more" refuses \
    'sid has the source of qemu, version 1:10\.2\.0\+ds-1, no more .*; set QEMU_SRC= to' qemu_tree

# The lists
lock zlib1g - -
mkdir "$tmp/none"
old()
{
    rm -rf "$build/apt"
    # not as the machine is configured, which may not look
    echo 'Dir::Etc::Parts "/dev/null"; Acquire::Max-ValidTime "1";' > "$tmp/apt.conf"
    export APT_CONFIG="$tmp/apt.conf"
    small
}
check 'an archive that is too old' refuses \
    'cannot download the package lists of Debian bookworm \(arm64\): .* is expired .*: set the clock, or name another mirror: DEBIAN_MIRROR=' old
none() { export DEBIAN_MIRROR="copy:$tmp/none"; small; }
check 'an archive without that suite' refuses 'cannot download the package lists of Debian bookworm \(arm64\): .*none' none

# scripts/refresh-inputs
refresh="$top/scripts/refresh-inputs"
{ echo '# words'; echo; grep -E '^bookworm (arm64|source) (zlib1g|zlib|linux-image-.*) ' "$real_inputs"; } > "$tmp/want"
sed -E "s/^(bookworm [^ ]* [^ ]*) .*/\1 0 0/; s/$kernel/$other/" "$tmp/want" > "$inputs"
check 'refresh-inputs moves the lock' "$refresh"
check 'to what the archive has, and nothing else' cmp "$tmp/want" "$inputs"
"$refresh" > "$tmp/out" 2>&1
check 'and says so when there is nothing to do' grep -qx '== .*lock is up to date' "$tmp/out"
check 'it adds a package' "$refresh" bookworm arm64 strace
check 'with its version' grep -qE '^bookworm arm64 strace [0-9.]+-[^ ]+ [0-9a-f]{64}$' "$inputs"
cp "$inputs" "$tmp/want"
again() { "$refresh" bookworm arm64 strace; }
check 'but not twice' refuses 'has strace \(arm64\) of Debian bookworm already' again
unknown() { "$refresh" bookworm arm64 no-such-package; }
check 'nor one that is not there' refuses 'bookworm has no no-such-package \(arm64\)' unknown
check 'which leaves the lock as it was' cmp "$tmp/want" "$inputs"
check 'and nothing beside it' test ! -e "$inputs.new"
done_testing
