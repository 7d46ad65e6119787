#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/headers/script.sh [PART...]
#
# scripts/update-linux-headers.sh gives, byte for byte, what QEMU's own script
# gives, ten times faster; says what an update does to the ABI; commits; and
# refuses bad input in one line, with the QEMU tree as it was. The parts are
#
#   same  against QEMU's script, with the sources of Debian's kernels and with
#         their packages; prints both times
#   abi   kernel-abi/ holds for those kernels, and fails when one differs
#   git   --commit, --patch
#   tree  make tree HEADERS=
#   bad   bad input
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=scripts/series.sh
. "$top/scripts/series.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
need_tree
need_packages bison flex gcc libc6-dev make procps rsync xz-utils # most for QEMU's script
[ $# -gt 0 ] || set -- same abi git tree bad

update=$top/scripts/update-linux-headers.sh
make_tmp
mounted=
unmount() { [ -z "$mounted" ] || umount "$mounted"; }
at_exit unmount
q=$tmp/qemu

# fresh DIR: the base's headers, in DIR
fresh()
{
    rm -rf "$1"
    mkdir -p "$1"
    qgit "$tree" archive base linux-headers include/standard-headers | tar -C "$1" -xf -
}

# repository DIR: the same, as a git repository
repository()
{
    fresh "$1"
    git -C "$1" init -q
    git -C "$1" config user.name 'Ann Tester'
    git -C "$1" config user.email ann@example.org
    echo code > "$1/kvm.c"
    git -C "$1" add -A
    git -C "$1" commit -qm base
}

# state: all that a script must not touch when it refuses
state()
{
    find "$q" -mindepth 1 -name .git -prune -o -printf '%p %y %T@ %s\n' | sort
    git -C "$q" for-each-ref 2>/dev/null || true
    git -C "$q" diff --cached --name-status 2>/dev/null || true
    find "$tmp/t" -mindepth 1 # TMPDIR
}

# untouched NAME STATUS PATTERN COMMAND...: COMMAND exits with STATUS and says
# PATTERN; nothing of $q is touched, and nothing is left in TMPDIR.
untouched()
{
    _name=$1 _want=$2 _pattern=$3 _rc=0
    shift 3
    mkdir -p "$tmp/t"
    state > "$tmp/before"
    TMPDIR=$tmp/t "$@" > "$tmp/stdout" 2> "$tmp/stderr" || _rc=$?
    state > "$tmp/after"
    if [ "$_rc" -ne "$_want" ] || ! { echo; cat "$tmp/stdout" "$tmp/stderr"; } | grep -qE "$_pattern"; then
        not_ok "$_name" "wanted status $_want and: $_pattern; got $_rc and:" "$(cat "$tmp/stdout" "$tmp/stderr")"
    elif ! cmp -s "$tmp/before" "$tmp/after"; then
        not_ok "$_name" "something was touched:" "$(diff "$tmp/before" "$tmp/after" | head)"
    else
        return 0
    fi
    return 1
}

idle()
{
    _idle=$1 _pattern=$2
    shift 2
    ! untouched "$_idle" 0 "$_pattern" "$@" || ok "$_idle"
}

# refuses NAME PATTERN COMMAND...: COMMAND says why in one line, with status 1.
refuses()
{
    _refused=$1 _pattern=$2
    shift 2
    untouched "$_refused" 1 ": error: .*$_pattern" "$@" || return 0
    if [ "$(wc -l < "$tmp/stderr")" -eq 1 ]; then ok "$_refused"; else
        not_ok "$_refused" 'wanted one line; got:' "$(cat "$tmp/stderr")"; fi
}

# works NAME PATTERN COMMAND...: COMMAND exits with 0 and says PATTERN.
works()
{
    _name=$1 _pattern=$2
    shift 2
    if "$@" > "$tmp/stdout" 2>&1 && { echo; cat "$tmp/stdout"; } | grep -qE "$_pattern"; then ok "$_name"; else
        not_ok "$_name" "wanted status 0 and: $_pattern; got:" "$(cat "$tmp/stdout")"; fi
}

# get_source SUITE VERSION: sets $source to Debian's kernel source, without what
# has no headers in it, and $version to its version
get_source()
{
    source=$tmp/linux-source-$2
    [ -e "$source" ] || dpkg-deb --fsys-tarfile "$(fetch_deb "$1" amd64 "linux-source-$2")" |
        tar -xO --wildcards '*.tar.xz' | tar -C "$tmp" -xJ --exclude='*/drivers/*' --exclude='*/sound/*' --exclude='*/fs/*' \
            --exclude='*/boot/dts/*' --exclude='*/Documentation/*/*' --exclude='*/selftests/*' --exclude='*/net/*.c'
    version=$(make -s -C "$source" kernelversion)
}

# now: milliseconds
now() { echo $(($(date +%s%N) / 1000000)); }

# reference KERNEL: $tmp/ref gets what QEMU's own script makes of that source,
# and $took its milliseconds. It stops at the first header that a kernel does
# not have; here it is told to go on (sh +e), which leaves that one empty or
# out. Its __ASSEMBLER__ is __ASSEMBLY__, as in QEMU's older script, where the
# kernel has that.
reference()
{
    qgit "$tree" show base:scripts/update-linux-headers.sh > "$tmp/upstream.sh"
    ! grep -q __ASSEMBLY__ "$1/arch/x86/include/uapi/asm/bootparam.h" || sed -i 's/__ASSEMBLER__/__ASSEMBLY__/g' "$tmp/upstream.sh"
    fresh "$tmp/ref"
    took=$(now)
    sh +e "$tmp/upstream.sh" "$1" "$tmp/ref" > "$tmp/upstream.log" 2>&1 || { tail "$tmp/upstream.log"; return 1; }
    took=$(($(now) - took))
    find "$tmp/ref" -type f -empty -printf '%P\n' | sort > "$tmp/empty"
    find "$tmp/ref" -empty -delete # also the folders that git would not see
}

# same NAME DIFFERENCES: $q is $tmp/ref but for these files
same()
{
    _differ=$( cd "$tmp" && diff -rq ref qemu | sed 's,^Files ref/\(.*\) and .*,\1,; s,^Only in [^/]*/\(.*\): ,\1/,' | sort | paste -sd ' ' -)
    _files=$(find "$tmp/ref" -type f | wc -l)
    if [ "$_differ" = "$2" ] && [ "$_files" -gt 120 ]; then ok "$1: $_files files${2:+, all but these: $2}"; else
        not_ok "$1" "of $_files files differ: $_differ" "not: $2"; fi
}

# texts: those of the licences are not in packages, and not compared with them
texts() { cp -R "$tmp/ref/linux-headers/COPYING" "$tmp/ref/linux-headers/LICENSES" "$q/linux-headers/"; }

# missing NAME FILES: those were not in the kernel
missing()
{
    _empty=$(paste -sd ' ' "$tmp/empty")
    if [ "$_empty" = "$2" ]; then ok "$1: $2"; else not_ok "$1" "left empty: $_empty" "not: $2"; fi
}

test_same()
{
    std=include/standard-headers
    get_source bookworm 6.1
    reference "$source" || { not_ok "QEMU's script on Linux 6.1"; return; }
    missing "$version: what it lacks, QEMU's script leaves empty, and this one out" \
        "$std/asm-x86/setup_data.h $std/linux/vmclock-abi.h"
    fresh "$q"
    "$update" --partial "$source" "$q" > "$tmp/stdout"
    same "$version from source is what QEMU's script gives" ''
    # The package is that of the same kernel; 12 has no port to RISC-V, and
    # leaves drm/ to libdrm-dev.
    fresh "$q"
    if "$update" --partial "${version%%-*}" "$q" > "$tmp/stdout" 2>&1; then
        texts
        same "$version from Debian's packages" "$std/drm/drm_fourcc.h$(
            printf ' linux-headers/asm-riscv/%s' kvm.h ptrace.h unistd.h unistd_32.h unistd_64.h)"
    else
        skip "$version from Debian's packages" "Debian 12 has other headers than kernel source by now: $(tail -n 1 "$tmp/stdout")"
    fi

    get_source trixie 6.12
    reference "$source" || { not_ok "QEMU's script on Linux 6.12"; return; }
    upstream=$took
    missing "$version: what it lacks, QEMU's script leaves empty, and this one out" $std/linux/vmclock-abi.h
    fresh "$q"
    "$update" --partial "$source" "$q" > "$tmp/stdout"
    same "$version from source is what QEMU's script gives" ''
    deb=$tmp/same.deb
    best=
    "$update" --dry-run --partial "${version%%-*}" "$q" > /dev/null # which gets it
    cp "$(ls "$build/dl/linux-libc-dev/linux-libc-dev_${version%%-*}"-*_all.deb)" "$deb"
    for _ in 1 2 3; do
        fresh "$q"
        took=$(now)
        "$update" --partial "$deb" "$q" > "$tmp/stdout"
        took=$(($(now) - took))
        [ -n "$best" ] && [ "$best" -lt "$took" ] || best=$took
    done
    texts
    same "$version from the package is what QEMU's script gives" ''
    figures="$best ms from the package, $upstream ms with QEMU's script on a source tree"
    if [ "$best" -lt 20000 ] && [ $((best * 10)) -le "$upstream" ]; then
        ok "at least 10 times faster: $((upstream / best)) times, $figures"
    else
        not_ok 'at least 10 times faster, and in 20 s' "$figures"
    fi

    # other forms of the same
    mkdir "$tmp/unpacked" "$tmp/each"
    dpkg-deb -x "$deb" "$tmp/unpacked"
    for dir in "$tmp"/unpacked/usr/lib/linux/uapi/*; do
        mkdir -p "$tmp/each/${dir##*/}/include"
        cp -R "$dir/asm" "$tmp/unpacked/usr/include/linux" "$tmp/unpacked/usr/include/asm-generic" \
            "$tmp/unpacked/usr/include/drm" "$tmp/unpacked/usr/include/misc" "$tmp/each/${dir##*/}/include/"
    done
    for dir in unpacked unpacked/usr each; do
        fresh "$q"
        "$update" --partial "$tmp/$dir" "$q" > "$tmp/stdout"
        texts
        same "$version from installed headers ($dir)" ''
    done
    works 'the same again changes nothing' ': 0 headers change, 0 are new, 0 go' "$update" --partial "$deb" "$q"
}

# abi NAME KERNEL: it is fit for the series
abi()
{
    fresh "$q"
    works "$1 has what the series needs" '^ok - powerpc: [1-9][0-9]* facts hold' "$update" --check --partial "$2" "$q"
    grep ' has no ' "$tmp/stdout" | sed "s/^/# $1: /" || true
}

# spoilt NAME FILE SED PATTERN: with SED done to FILE, --check says PATTERN and exits with 1
spoilt()
{
    cp -R "$tmp/kernel" "$tmp/spoilt"
    sed -i -E "$3" "$tmp/spoilt/$2"
    if cmp -s "$tmp/kernel/$2" "$tmp/spoilt/$2"; then
        not_ok "$1" 'nothing was spoilt'
    elif untouched "$1" 1 "$4" "$update" --check "$tmp/spoilt" "$q"; then
        ok "$1"
    fi
    rm -rf "$tmp/spoilt"
}

test_abi()
{
    fresh "$q"
    works 'the base has what the series needs' '^ok - powerpc: [1-9][0-9]* facts hold' "$top/kernel-abi/check" "$q"
    abi 'Debian 12' bookworm
    abi 'Debian 13' trixie
    abi 'the newest packaged kernel' newest
    installed
    fresh "$q"
    kvm=usr/include/linux/kvm.h
    idle '--check lists what appears' '^appears:  linux/kvm.h KVM_CAP_[A-Z0-9_]*$' "$update" --check "$tmp/kernel" "$q"
    spoilt 'a capability that vanishes' $kvm '/KVM_CAP_SW_TLB /d' "^not ok - powerpc: there is no KVM_CAP_SW_TLB"
    spoilt 'and --check lists it' $kvm '/KVM_CAP_SW_TLB /d' "^vanishes: linux/kvm.h KVM_CAP_SW_TLB"
    spoilt 'a capability that changes' $kvm 's/(WRITABLE_IMP_ID_REGS) 239/\1 240/' '^not ok - arm64: KVM_CAP_ARM_WRITABLE_IMP_ID_REGS is not 239'
    spoilt 'and --check lists it' $kvm 's/(KVM_CAP_ONE_REG) 70/\1 71/' '^changes:  linux/kvm.h KVM_CAP_ONE_REG: 70 -> 71'
    spoilt 'an ioctl that changes' $kvm 's/(KVM_ARM_VCPU_INIT.*)0xae/\10xad/' '^not ok - arm64: KVM_ARM_VCPU_INIT is not ioctl 0xae'
    spoilt 'a struct that changes' $kvm 's/__u32 num_dirty;/__u64 num_dirty;/' '^not ok - powerpc: struct kvm_dirty_tlb has num_dirty not at'
    spoilt 'a struct that grows' usr/lib/linux/uapi/arm64/asm/kvm.h 's/features\[7\]/features[8]/' '^not ok - arm64: struct kvm_vcpu_init is not of 32 bytes'
    spoilt 'a vCPU target that changes' usr/lib/linux/uapi/arm64/asm/kvm.h 's/(TARGET_CORTEX_A57\s+)2/\17/' '^not ok - arm64: KVM_ARM_TARGET_CORTEX_A57 is not 2'
    spoilt 'a header that does not compile' $kvm '1i #error broken' '^not ok - arm64: #error broken'
}

# installed: $tmp/kernel gets the newest packaged headers
installed()
{
    [ ! -e "$tmp/kernel" ] || return 0
    "$update" --dry-run newest "$tree" > "$tmp/stdout"
    newest=$(sed -n 's/^== Linux .* linux-libc-dev \([^ ]*\): .*/\1/p' "$tmp/stdout")
    package=$build/dl/linux-libc-dev/linux-libc-dev_${newest}_all.deb
    mkdir "$tmp/kernel"
    dpkg-deb -x "$package" "$tmp/kernel"
    rm -rf "$tmp/kernel/usr/share"
}

test_git()
{
    installed
    repository "$q"
    idle '--dry-run' '^M linux-headers/linux/kvm.h' "$update" --dry-run "$package" "$q"
    before=$(git -C "$q" rev-parse HEAD)
    untouched '--patch leaves the tree alone' 0 "the commit is in $tmp/mail" "$update" --patch "$tmp/mail" "$package" "$q" &&
        ok '--patch leaves the tree alone'
    works '--commit' 'committed: .*linux-headers: Update to Linux [1-9]' "$update" --commit "$package" "$q"
    files=$(git -C "$q" diff --name-only HEAD~ HEAD | sed 's,^\(linux-headers\|include/standard-headers\)/.*,\1,' | sort -u | paste -sd ' ' -)
    if [ "$files" = 'include/standard-headers linux-headers' ] && [ "$(git -C "$q" rev-parse HEAD~)" = "$before" ] &&
        [ -z "$(git -C "$q" status --porcelain)" ]; then
        ok 'one commit, of nothing but headers, and a clean tree'
    else
        not_ok 'one commit, of nothing but headers, and a clean tree' "$files" "$(git -C "$q" status --porcelain)"
    fi
    git -C "$q" log -1 --format=%B > "$tmp/message"
    if grep -q "^linux-headers: Update to Linux ${newest%%-*}$" "$tmp/message" && grep -qF "linux-libc-dev $newest" "$tmp/message" &&
        grep -q '^Signed-off-by: Ann Tester <ann@example.org>$' "$tmp/message" && ! grep -q '.\{76\}' "$tmp/message"; then
        ok "its message has the kernel's version, its origin, and a sign-off"
    else
        not_ok "its message has the kernel's version, its origin, and a sign-off" "$(cat "$tmp/message")"
    fi
    idle '--commit again' ': 0 headers change, 0 are new, 0 go' "$update" --commit "$package" "$q"
    git -C "$q" checkout -q -b mailed "$before"
    works 'git am takes the patch' '' git -C "$q" am -q --whitespace=nowarn "$tmp/mail"
    if [ -z "$(git -C "$q" diff HEAD '@{-1}')" ]; then ok 'and gives the same'; else not_ok 'and gives the same'; fi
}

# A project of its own, with a QEMU of a few files.
test_tree()
{
    installed
    p=$tmp/project
    src=$tmp/src
    fresh "$src"
    mkdir -p "$p" "$src/accel" "$src/scripts" "$src/target/arm" "$src/target/ppc" "$src/tests"
    echo 10.2.2 > "$src/VERSION"
    for file in MAINTAINERS configure meson.build scripts/checkpatch.pl target/arm/kvm.c; do echo "$file" > "$src/$file"; done
    # shellcheck disable=SC2046 # a list
    qgit "$tree" archive base $(sed -n 's,^--- a/,,p' "$top"/patches/headers/*.patch) | tar -C "$src" -xf -
    cp -R "$top/scripts" "$top/kernel-abi" "$p/"
    mkdir "$p/patches"
    cp -R "$top/patches/headers" "$p/patches/"
    git init -q "$p"
    git -C "$p" config user.name 'Ann Tester'
    git -C "$p" config user.email ann@example.org
    _build=$build
    export BUILD="$tmp/build" QEMU_SRC="$src"
    mkdir "$BUILD"
    q=$BUILD/qemu
    works 'HEADERS= makes a tree' 'QEMU 10.2.2 with 0 patches' env HEADERS="$package" "$p/scripts/qemu-tree"
    echo change >> "$q/target/arm/kvm.c"
    git -C "$q" commit -q --allow-empty -m 'topic: arm' -m 'Arm, in one'
    git -C "$q" commit -qam 'target/arm: one' -m Why. -m 'Signed-off-by: Ann Tester <ann@example.org>'
    subjects 'the headers, and what QEMU needs with them, are commits under the series' \
        'target/arm: one,topic: arm,hw/net/virtio-net: [^,]*,linux-headers: Update to Linux [0-9.]*,QEMU 10.2.2'
    refuses 'HEADERS= with work that is not exported' 'has commits in branch series that are not in patches/' \
        env HEADERS=base "$p/scripts/qemu-tree"
    works 'export leaves the headers out' '^== 1 patches in patches/, 7 files changed' "$p/scripts/export"
    id=$(git -C "$q" rev-parse headers)
    idle 'without HEADERS= it stays' 'applied already' "$p/scripts/qemu-tree"
    idle 'with the same it does, too' 'applied already' env HEADERS="$package" "$p/scripts/qemu-tree"
    refuses 'HEADERS= that is no kernel' 'does not exist; name' env HEADERS="$tmp/none" "$p/scripts/qemu-tree"
    works 'HEADERS=base takes them away' 'applied anew' env HEADERS=base "$p/scripts/qemu-tree"
    subjects 'from under the series' 'target/arm: one,topic: arm,QEMU 10.2.2'
    idle 'and patches/ is as it was' '' "$p/scripts/export" --check
    works 'HEADERS= puts them there again' 'applied anew' env HEADERS="$package" "$p/scripts/qemu-tree"
    if [ "$(git -C "$q" rev-parse headers)" = "$id" ]; then ok 'as the same commits'; else not_ok 'as the same commits'; fi
    unset BUILD QEMU_SRC
    build=$_build q=$tmp/qemu
}

# subjects NAME PATTERN: those are the commits of branch series
subjects()
{
    _is=$(git -C "$q" log --format=%s series | paste -sd , -)
    if echo "$_is" | grep -qx "$2"; then ok "$1"; else not_ok "$1" "$_is"; fi
}

# sums: what $q holds, whenever it was written
sums()
{
    find "$q" -name .git -prune -o -type f -exec sha256sum {} + | sort
    git -C "$q" for-each-ref
    ls -A "$q"
}

# fails NAME PATTERN COMMAND...: COMMAND fails, saying so, when it has begun to
# move in place, and $q has what it had
fails()
{
    _name=$1 _pattern=$2 _rc=0
    shift 2
    sums > "$tmp/before"
    "$@" > "$tmp/stdout" 2>&1 || _rc=$?
    sums > "$tmp/after"
    if [ "$_rc" -ne 1 ] || ! grep -q "$_pattern" "$tmp/stdout" || ! cmp -s "$tmp/before" "$tmp/after"; then
        not_ok "$_name" "status $_rc" "$(cat "$tmp/stdout")" "$(diff "$tmp/before" "$tmp/after" | head)"
    else
        ok "$_name"
    fi
}

test_bad()
{
    installed
    repository "$q"
    refuses 'no KERNEL' 'wanted: KERNEL' "$update"
    refuses 'an unknown option' 'unknown option --bogus; see' "$update" --bogus "$package" "$q"
    refuses '--check and --commit' '--check changes nothing, and so excludes' "$update" --check --commit "$package" "$q"
    refuses 'no QEMU tree' "$tmp/kernel is no QEMU tree: it has no linux-headers" "$update" "$package" "$tmp/kernel"
    refuses 'a file that does not exist' 'none.deb does not exist' "$update" "$tmp/none.deb" "$q"
    refuses 'a folder that is no kernel' "$top/docs is no kernel: neither a source tree" "$update" "$top/docs" "$q"
    refuses 'a version that no release has' 'no linux-libc-dev of Linux 1.0 in Debian .*; they have [1-9]' "$update" 1.0 "$q"
    printf 'Acquire::%s "http://127.0.0.1:9";\n' http::Proxy https::Proxy > "$tmp/apt.conf"
    echo 'Acquire::Retries "0";' >> "$tmp/apt.conf"
    refuses 'no network' 'cannot download the package lists of Debian .*; or give a folder' \
        env BUILD="$tmp/elsewhere" APT_CONFIG="$tmp/apt.conf" "$update" newest "$q"

    # a kernel without one of the architectures
    cp -R "$tmp/kernel" "$tmp/less"
    rm -r "$tmp/less/usr/lib/linux/uapi/loongarch" "$tmp/less/usr/include/loongarch64-linux-gnu"
    refuses 'a kernel without an architecture' 'has no asm/kvm.h for: loongarch, which QEMU has; give' "$update" "$tmp/less" "$q"
    cp -RL "$tmp/kernel/usr/lib/linux/uapi/arm64" "$tmp/one"
    mkdir "$tmp/one/include"
    cp -R "$tmp/kernel/usr/include/linux" "$tmp/one/include/"
    mv "$tmp/one/asm" "$tmp/one/include/"
    refuses 'installed headers of one architecture' 'has no asm/kvm.h of a known architecture; see' "$update" "$tmp/one" "$q"
    # the headers of this machine, with those of a cross compiler beside them
    "$update" --dry-run --partial "$tmp/less" "$q" > "$tmp/without"
    mkdir -p "$tmp/less/usr/aarch64-linux-gnu/include"
    cp -R "$tmp/less/usr/include/linux" "$tmp/kernel/usr/lib/linux/uapi/arm64/asm" "$tmp/less/usr/aarch64-linux-gnu/include/"
    echo '/* of another kernel */' >> "$tmp/less/usr/aarch64-linux-gnu/include/linux/kvm.h"
    # shellcheck disable=SC2016 # its own arguments
    works "a cross compiler's headers do not matter" '' \
        sh -c '"$1" --dry-run --partial "$2/usr" "$3" && "$1" --partial "$2/usr" "$3"' sh "$update" "$tmp/less" "$q"
    if [ ! -e "$q/linux-headers/asm-aarch64-linux-gnu" ] && ! grep -q 'of another kernel' "$q/linux-headers/linux/kvm.h" &&
        grep '^[AMD] ' "$tmp/without" > "$tmp/want" && grep '^[AMD] ' "$tmp/stdout" | cmp -s "$tmp/want" -; then
        ok 'and nothing of them is taken'
    else
        not_ok 'and nothing of them is taken' "$(ls "$q/linux-headers")" "$(diff "$tmp/without" "$tmp/stdout")"
    fi
    git -C "$q" checkout -q .
    git -C "$q" clean -qfd
    rm -r "$tmp/less/usr/aarch64-linux-gnu"
    rm -r "$tmp/less/usr/lib/linux/uapi" "$tmp"/less/usr/include/*-linux-*
    refuses 'headers of no architecture' 'has no asm/kvm.h of a known architecture; see' "$update" --partial "$tmp/less" "$q"
    rm "$tmp/less/usr/include/linux/version.h"
    refuses 'headers without a version' "$tmp/less has no linux/version.h" "$update" "$tmp/less" "$q"
    refuses 'a kernel that is too old' 'Linux 6\.1\..* has no .*give' "$update" bookworm "$q"
    works 'which --partial takes' 'left as they are, .*: loongarch riscv' "$update" --dry-run --partial bookworm "$q"

    # packages
    head -c 1000000 "$package" > "$tmp/truncated.deb"
    refuses 'a truncated package' 'truncated.deb is not a package that can be unpacked .*; get it anew' "$update" "$tmp/truncated.deb" "$q"
    head -c 100 "$package" > "$tmp/truncated.deb"
    refuses 'one truncated in its head' 'truncated.deb is not a package .*; get it anew' "$update" "$tmp/truncated.deb" "$q"
    refuses 'no package' 'COPYING is not a package .*; get it anew' "$update" "$q/linux-headers/COPYING" "$q"
    for one in "$build"/dl/linux-libc-dev/*_arm64.deb; do :; done
    refuses 'a package of one architecture' "has the headers of one architecture \(arm64\); give" "$update" "$one" "$q"
    other=$(fetch_deb bookworm amd64 linux-source-6.1)
    refuses 'another package' 'is the package linux-source-6.1, and linux-libc-dev is wanted' "$update" "$other" "$q"

    # headers
    cp -R "$tmp/kernel" "$tmp/odd"
    sed -i '/include <linux.types.h>/a #include <linux/if_bonding.h>' "$tmp/odd/usr/include/linux/virtio_net.h"
    refuses 'a forbidden #include' 'linux/virtio_net.h includes <linux/if_bonding.h>, which QEMU' "$update" "$tmp/odd" "$q"
    sed -i 's/linux.if_bonding/asm\/byteorder/' "$tmp/odd/usr/include/linux/virtio_net.h"
    refuses 'a forbidden #include of asm/' 'linux/virtio_net.h includes <asm/byteorder.h>, which QEMU' "$update" "$tmp/odd" "$q"

    # the QEMU tree
    echo dirt >> "$q/linux-headers/linux/kvm.h"
    refuses '--commit with changed headers' "$q has uncommitted work \( M linux-headers/linux/kvm.h\)" "$update" --commit "$package" "$q"
    git -C "$q" checkout -q .
    touch "$q/linux-headers/new"
    refuses '--commit with new headers' "uncommitted work \(\?\? linux-headers/new\)" "$update" --commit "$package" "$q"
    refuses '--patch with new headers' 'uncommitted work' "$update" --patch "$tmp/mail" "$package" "$q"
    rm "$q/linux-headers/new"
    echo more >> "$q/kvm.c"
    git -C "$q" add kvm.c
    refuses '--commit with something staged' "uncommitted work \(M.*kvm.c\)" "$update" --commit "$package" "$q"
    git -C "$q" reset -q --hard
    refuses '--commit without an identity' 'git knows nobody who could sign off .*; set user.name' \
        env HOME="$tmp" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=user.email GIT_CONFIG_VALUE_0= \
        GIT_CONFIG_KEY_1=user.name GIT_CONFIG_VALUE_1= "$update" --commit "$package" "$q"
    refuses '--patch into a folder that is not there' "cannot write $tmp/none/mail; name" "$update" --patch "$tmp/none/mail" "$package" "$q"
    : > "$q/.git/index.lock"
    fails '--commit while git is at work' 'git cannot write the index' "$update" --commit "$package" "$q"
    rm "$q/.git/index.lock"
    mv "$q/.git" "$tmp/git"
    refuses '--commit without a repository' "$q is no git repository of its own" "$update" --commit "$package" "$q"
    mv "$tmp/git" "$q/.git"

    if [ "$(id -u)" -ne 0 ]; then
        chmod a-w "$q/include"
        refuses 'no write permission' "cannot write to $q/include; give" "$update" "$package" "$q"
        chmod u+w "$q/include"
    elif mount --bind "$q" "$q" 2>/dev/null && mounted=$q && mount -o remount,bind,ro "$q"; then
        refuses 'no write permission' "cannot write to $q; give" "$update" "$package" "$q"
    else
        skip 'no write permission' 'cannot mount a folder read-only here'
    fi
    [ -z "$mounted" ] || { umount "$mounted"; mounted=; }

    # interrupted while headers are made; they take seconds, and this one
    get_source bookworm 6.1
    mkdir "$tmp/with a blank"
    for kernel in "$source" "$package" "$tmp/kernel"; do
        works "TMPDIR with a blank, ${kernel##*/}" ': [1-9][0-9]* headers change' \
            env TMPDIR="$tmp/with a blank" "$update" --dry-run --partial "$kernel" "$q"
    done
    if untouched 'interrupted while it prepares' 143 '' sh -c '
        "$@" & sleep 1.5; kill -TERM $!; wait $!' sh "$update" --partial "$source" "$q"; then
        if pgrep -f "$source" > /dev/null; then not_ok 'interrupted while it prepares' 'make goes on'
        else ok 'interrupted while it prepares'; fi
    fi
    # interrupted while it moves in place: an mv that does it after N renames
    mkdir "$tmp/bin"
    cat > "$tmp/bin/mv" <<'EOF'
#!/bin/sh
n=$(($(cat "$COUNT") + 1))
echo $n > "$COUNT"
if [ $n -eq "$AT" ] && [ "$HOW" = KILL ]; then
    exec 9<&- # the lock goes with the one that is killed
    kill -KILL $PPID
fi
[ $n -ne "$AT" ] || { echo "mv: no" >&2; exit 1; }
exec /bin/mv "$@"
EOF
    chmod +x "$tmp/bin/mv"
    export COUNT="$tmp/count"
    for n in 1 2 3 4; do
        echo 0 > "$COUNT"
        fails "failed at rename $n" 'mv: no' env AT=$n HOW=FAIL PATH="$tmp/bin:$PATH" "$update" --commit "$package" "$q"
        echo 0 > "$COUNT"
        sums > "$tmp/before"
        AT=$n HOW=KILL PATH=$tmp/bin:$PATH "$update" "$package" "$q" > "$tmp/stdout" 2>&1 || true
        if [ -e "$q/.update-linux-headers" ]; then
            "$update" --dry-run "$package" "$q" > "$tmp/stdout" 2>&1 || true
            sums > "$tmp/after"
            if cmp -s "$tmp/before" "$tmp/after"; then ok "killed at rename $n, and run again"; else
                not_ok "killed at rename $n, and run again" "$(diff "$tmp/before" "$tmp/after" | head)" "$(cat "$tmp/stdout")"; fi
        else
            not_ok "killed at rename $n, and run again" 'it was not killed'
        fi
    done
}

for part; do
    case $part in
    same | abi | git | tree | bad) "test_$part" ;;
    *) die "unknown part '$part'; see tests/headers/script.sh --help" ;;
    esac
done
done_testing
