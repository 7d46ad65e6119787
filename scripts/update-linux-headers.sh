#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Brings a QEMU tree's copies of Linux's headers up to a kernel. See usage().
# What is taken, and what is made of it, is what QEMU 10.2's own
# scripts/update-linux-headers.sh takes and makes: docs/headers.md.

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
    cat <<EOF
Usage: scripts/update-linux-headers.sh [OPTION...] KERNEL [QEMU]

Updates linux-headers/ and include/standard-headers/ of the QEMU tree QEMU
(default: build/qemu) to those of KERNEL, as QEMU's own script would. All is
prepared aside and moved in place at the end: an update that fails, or is
interrupted, leaves the tree as it was.

KERNEL is one of
  a folder       a kernel source tree, or installed headers of all
                 architectures: what Debian's linux-libc-dev holds, unpacked,
                 or DIR/ARCH/include for each ARCH, as these make them:
                 make ARCH=ARCH INSTALL_HDR_PATH=DIR/ARCH headers_install
  a .deb file    Debian's linux-libc-dev package, 13 (trixie) or later
  a release      the same of that Debian release, downloaded once: bookworm,
                 trixie, trixie-backports, sid, ...
  a version      the same of that kernel, such as 7.2, from whichever release
                 has it; newest for the newest of all

Nothing is downloaded for the first two.

  --commit      commits the update in QEMU, a git repository; nothing else is
                in the commit, which your git identity signs off
  --patch FILE  writes that commit to FILE as a mail for git am; without
                --commit, QEMU stays as it is
  --check       changes nothing. Says which names of the KVM ABI would appear,
                change or vanish, and compiles linux-headers/ of this project
                with the update: exits with 1 when a name that the series
                needs would vanish or change
  --dry-run     changes nothing. Says which files would
  --partial     takes what an older kernel has, instead of refusing it: headers
                that it lacks go, architectures that it lacks stay as they are

Examples:
  scripts/update-linux-headers.sh --check newest
  scripts/update-linux-headers.sh --commit 7.2 ~/qemu
  scripts/update-linux-headers.sh --patch headers.patch ~/linux ~/qemu
EOF
}

# The architectures of QEMU with KVM: their names in Linux, in Debian, and for
# compilers, which Debian 12 and older sort headers by.
known='arm64 arm64 aarch64-linux-gnu
loongarch loong64 loongarch64-linux-gnu
mips mips64el mips64el-linux-gnuabi64
powerpc ppc64el powerpc64le-linux-gnu
riscv riscv64 riscv64-linux-gnu
s390 s390x s390x-linux-gnu
x86 amd64 x86_64-linux-gnu'
# Where a version is looked for; sid has what forky has, or newer.
releases='bookworm bookworm-backports trixie trixie-backports sid'
# The two folders, and those in them that are QEMU's word rather than Linux's.
dirs='linux-headers include/standard-headers'
own='linux-headers/linux/kvm_para.h linux-headers/linux/virtio_config.h linux-headers/linux/virtio_ring.h
linux-headers/linux/vhost_types.h linux-headers/asm-x86/kvm_para.h
include/standard-headers/linux/types.h include/standard-headers/linux/if_ether.h'

# What is taken as it is, beside the kvm.h, unistd.h, bitsperlong.h and mman.h
# of each architecture. A ? stands behind what newer kernels have no more: 7.2
# has no 31-bit system calls for s390.
taken()
{
    case $1 in
    arm64) echo sve_context.h unistd_64.h ;;
    loongarch) echo kvm_para.h unistd_64.h ;;
    mips) echo sgidefs.h unistd_n32.h unistd_n64.h unistd_o32.h ;;
    powerpc) echo unistd_32.h unistd_64.h ;;
    riscv) echo ptrace.h unistd_32.h unistd_64.h ;;
    s390) echo 'unistd_32.h?' unistd_64.h ;;
    x86) echo unistd_32.h unistd_64.h unistd_x32.h ;;
    linux) echo bits.h const.h iommufd.h kvm.h memfd.h mman.h mshv.h nvme_ioctl.h psci.h psp-sev.h \
               stddef.h userfaultfd.h vduse.h vfio.h vfio_ccw.h vfio_zdev.h vhost.h ;;
    generic) echo bitsperlong.h hugetlb_encode.h mman-common.h mman.h unistd.h ;;
    esac
}

# What is made independent of Linux's types, so that it compiles on any host.
# linux/ethtool.h of 7.2 includes typelimits.h; 6.12 has neither.
portable()
{
    case $1 in
    s390) echo virtio-ccw.h ;;
    x86) echo bootparam.h kvm_para.h setup_data.h ;;
    linux) echo const.h ethtool.h fuse.h input-event-codes.h input.h kernel.h kvm_para.h pci_regs.h \
               qemu_fw_cfg.h sysinfo.h 'typelimits.h?' udmabuf.h vhost_types.h vmclock-abi.h
           # all that there are; or, for one that has them to unpack, the pattern
           ( cd "$in/linux" 2>/dev/null || :; echo *virtio*.h ) ;;
    esac
}

# --- the kernel: $in gets linux/, asm-generic/, drm/, misc/ and asm-ARCH/

# lay INCLUDE: links to what does not depend on the architecture
lay()
{
    for _part in linux asm-generic drm misc; do ln -sfn "$1/$_part" "$in/$_part"; done
}

from_source()
{
    kernel=$(cd "$1" && pwd)
    origin="the source tree ${kernel##*/}"
    ! _id=$(git -C "$kernel" describe --always --dirty 2>/dev/null) || [ ! -e "$kernel/.git" ] || origin="$origin ($_id)"
    for _dir in "$kernel"/arch/*; do
        [ -e "$_dir/include/uapi/asm/kvm.h" ] || [ -e "$_dir/include/asm/kvm.h" ] || continue
        _arch=${_dir##*/} _log=$work/make.log
        # Not headers_install, which wants rsync and is no more than a copy.
        tend timeout 0 env -u MAKEFLAGS -u MAKELEVEL \
            make -j "$jobs" -C "$kernel" O="$work/make" ARCH="$_arch" headers > "$_log" 2>&1 < /dev/null ||
            die "the headers of $kernel for $_arch cannot be made: $(grep -m 1 '\*\*\*\|[Ee]rror' "$_log" || tail -n 1 "$_log")"
        # The next architecture shares all but this.
        cp -R "$work/make/usr/include/asm" "$in/asm-$_arch"
    done
    lay "$work/make/usr/include"
    texts=$kernel
}

# from_installed DIR: DIR is what was unpacked, or made by headers_install
from_installed()
{
    _root=$(cd "$1" && pwd)
    origin=${origin:-"the installed headers ${_root##*/}"}
    [ ! -e "$_root/usr/include/linux" ] || _root=$_root/usr
    [ ! -e "$_root/include/linux/kvm.h" ] || lay "$_root/include"
    echo "$known" > "$work/known"
    while read -r _arch _ _triplet; do
        # One folder for each architecture; all have the same linux/. Other
        # folders, such as those of cross compilers in /usr, may be of any kernel.
        if [ -e "$_root/$_arch/include/asm/kvm.h" ]; then
            lay "$_root/$_arch/include"
            ln -sfn "$_root/$_arch/include/asm" "$in/asm-$_arch"
        fi
        [ ! -e "$_root/include/$_triplet/asm/kvm.h" ] || ln -sfn "$_root/include/$_triplet/asm" "$in/asm-$_arch"
    done < "$work/known"
    for _dir in "$_root"/lib/linux/uapi/*; do
        [ ! -e "$_dir/asm/kvm.h" ] || ln -sfn "$_dir/asm" "$in/asm-${_dir##*/}"
    done
}

# unpack DEB: adds what is taken of DEB's files to $work/deb
unpack()
{
    # Names are all that tar is told, so some are in no package of one kind.
    set -f
    # shellcheck disable=SC2046 # lists
    for _part in $(echo "$known" | cut -d ' ' -f 1) linux generic; do
        printf '%s\n' version.h pvpanic.h drm_fourcc.h '*virtio*.h' kvm.h unistd.h bitsperlong.h mman.h \
            $(taken "$_part") $(portable "$_part")
    done | sed 's,?$,,; s,^,*/,' | sort -u > "$work/wanted"
    set +f
    mkdir -p "$work/deb"
    { LC_ALL=C dpkg-deb --fsys-tarfile "$1" |
      LC_ALL=C tar -C "$work/deb" -x --no-same-owner --wildcards -T "$work/wanted"; } 2>&1 |
        grep -v -e ': Not found in archive' -e 'Exiting with failure status' > "$work/dpkg.log" || return 0
    die "$1 is not a package that can be unpacked ($(head -n 1 "$work/dpkg.log")); get it anew"
}

from_package()
{
    command -v dpkg-deb > /dev/null || die "there is no dpkg-deb to unpack $1; install dpkg, or give a folder"
    _what=$(dpkg-deb -f "$1" Package Version Architecture 2> "$work/dpkg.log" | sed 's/^.*: //' | tr '\n' ' ')
    # shellcheck disable=SC2086 # three words
    set -- "$1" $_what
    [ $# -eq 4 ] ||
        die "$1 is not a package that dpkg-deb can read ($(head -n 1 "$work/dpkg.log")); get it anew"
    [ "$2" = linux-libc-dev ] || die "$1 is the package $2, and linux-libc-dev is wanted"
    [ "$4" = all ] ||
        die "$1 has the headers of one architecture ($4); give that of Debian 13 or later, or the release's name, or a folder in which the packages of all are unpacked"
    origin="Debian's linux-libc-dev $3"
    unpack "$1"
    from_installed "$work/deb"
}

# from_debian NAME: the package of that release, or with that kernel
from_debian()
{
    case $1 in
    newest | [0-9]*) ;;
    *) releases=$1 ;;
    esac
    # One that the mirror does not have is passed over, as long as there are others.
    for _release in $releases; do
        ( apt_private "$_release" amd64 apt-cache show linux-libc-dev ) > "$work/show" 2>> "$work/apt.log" || continue
        awk -v release="$_release" '/^Version: / { v = $2 } /^Architecture: / { a = $2 }
            /^Filename: / { print v, release, a }' "$work/show"
    done > "$work/versions"
    [ -s "$work/versions" ] ||
        die "$1: $(sed -n 's/.*: error: //p' "$work/apt.log" | tail -n 1); or give a folder or a .deb file"
    case $1 in
    [0-9]*) awk -v want="$1" 'index($1, want "-") == 1 || index($1, want ".") == 1' "$work/versions" ;;
    *) cat "$work/versions" ;;
    esac | sort -V | tail -n 1 > "$work/version"
    read -r _version _release _arch < "$work/version" ||
        die "no linux-libc-dev of Linux $1 in Debian $(echo "$releases" | sed 's/ /, /g'); they have $(
            sed 's/-.*//' "$work/versions" | sort -Vu | paste -sd ' ' -)"
    origin="Debian's linux-libc-dev $_version"
    _archs=$_arch
    if [ "$_arch" != all ]; then
        _archs=$(echo "$known" | cut -d ' ' -f 2)
        origin="$origin of each architecture"
    fi
    for _arch in $_archs; do
        _deb=$build/dl/linux-libc-dev/linux-libc-dev_${_version}_$_arch.deb
        if [ ! -e "$_deb" ]; then
            mkdir -p "${_deb%/*}" "$work/dl"
            _apt=$_arch
            [ "$_apt" != all ] || _apt=amd64
            # Debian 12 has not all of the architectures.
            ( cd "$work/dl" && apt_private "$_release" "$_apt" apt-get -q download "linux-libc-dev=$_version" ) \
                > "$work/apt.log" 2>&1 ||
                { [ "$_arch" != all ] && continue
                  die "cannot download linux-libc-dev $_version from Debian $_release ($(grep -m 1 '^E: ' "$work/apt.log" || tail -n 1 "$work/apt.log")); if the lists are old: rm -rf $build/apt/$_release-$_apt"; }
            mv "$work/dl"/*.deb "$_deb"
        fi
        unpack "$_deb"
    done
    from_installed "$work/deb"
}

# --- the update: $new gets linux-headers/ and include/standard-headers/

# take DIR FILE... TO: copies headers of $in/DIR into $new/TO, and notes in
# $missing those that the kernel should have and has not. $taken lists them.
take()
{
    _from=$1
    shift
    for _to; do :; done
    mkdir -p "$new/$_to"
    _list=
    for _header; do
        [ "$_header" != "$_to" ] || break
        _name=${_header%\?}
        if [ -e "$in/$_from/$_name" ]; then
            _list="$_list $in/$_from/$_name" taken="$taken $_to/$_name"
        elif [ "$_header" = "$_name" ]; then
            missing="$missing $_from/$_name"
        fi
    done
    # shellcheck disable=SC2086 # a list
    [ -z "$_list" ] || cp $_list "$new/$_to/"
}

# includes: lists what portable headers must not include: all but what the
# standard headers have, the lines that make_portable removes, and the C
# library. QEMU's script has a list of words for this.
includes()
{
    ( cd "$new" && grep -HE '^[[:space:]]*#[[:space:]]*include' -- "$@" ) |
    sed -E 's/:[^<"]*([<"][^>"]*[>"]).*/ \1/' | while read -r _file _what; do
        case $_what in
        '<sys/'* | '<stdint.h>' | '<limits.h>' | '<linux/ioctl.h>' | '"drm.h"') continue ;;
        '<linux/'*) _path=linux/${_what#<linux/} ;;
        '<asm/kvm_para.h>' | '<asm/setup_data.h>') _path=asm-x86/${_what#<asm/} ;;
        '"input-event-codes.h"') _path=linux/input-event-codes.h ;;
        *) _path=none ;;
        esac
        [ -e "$new/include/standard-headers/${_path%>}" ] ||
            echo "${_file#include/standard-headers/} includes $_what"
    done
}

# make_portable FILE...: what QEMU's cp_portable does, byte for byte
make_portable()
{
    cat > "$work/portable.sed" <<'EOF'
s/__aligned_u64/__u64 __attribute__((aligned(8)))/g
s/(__)?u([0-9]+)/uint\2_t/g
s/__s([0-9]+)/int\1_t/g
s/__(le|be)([0-9]+)/uint\2_t/g
s,"(input-event-codes\.h)","standard-headers/linux/\1",
s,<linux/([^>]*)>,"standard-headers/linux/\1",
s/__bitwise//
s/__counted_by\(\w*\)//
s/__attribute__\(\(packed\)\)/QEMU_PACKED/
s/__inline__/inline/
s/__BITS_PER_LONG/HOST_LONG_BITS/
\,"drm.h"|(sys|linux)/ioctl.h,d
s/SW_MAX/SW_MAX_/
s/atomic_t/int/
s/__kernel_long_t/long/
s/__kernel_ulong_t/unsigned long/
s/struct ethhdr/struct eth_header/
/#define _LINUX_ETHTOOL_H/a \
\
#include "net/eth.h"
EOF
    ( cd "$new/include/standard-headers"
      for _dir in asm-*; do
          for _file in "$_dir"/*.h; do
              case " $taken " in *" include/standard-headers/$_file "*) ;; *) continue ;; esac
              sed -i "s,<asm/\([^>]*\)>,\"standard-headers/$_dir/\1\"," "$_file"
          done
      done
      cd "$new"
      sed -i '/<asm\/[^>]*>/d' include/standard-headers/linux/*.h include/standard-headers/misc/*.h include/standard-headers/drm/*.h
      sed -i -E -f "$work/portable.sed" "$@" )
}

prepare()
{
    taken='' missing=''
    mkdir -p "$new/include"
    cp -R -p "$qemu/linux-headers" "$new/"
    cp -R -p "$qemu/include/standard-headers" "$new/include/"
    std=include/standard-headers

    for _dir in "$in"/asm-*; do
        arch=${_dir##*/asm-}
        [ "$arch" != generic ] || continue
        rm -rf "$new/linux-headers/asm-$arch" "$new/$std/asm-$arch"
        _common=
        for _header in kvm.h unistd.h bitsperlong.h mman.h; do
            if [ -e "$in/asm-$arch/$_header" ] || [ ! -e "$in/asm-generic/$_header" ]; then
                _common="$_common $_header"
            else
                # Linux's own sources include these as <asm/...> too
                mkdir -p "$new/linux-headers/asm-$arch"
                echo "#include <asm-generic/$_header>" > "$new/linux-headers/asm-$arch/$_header"
            fi
        done
        # shellcheck disable=SC2046,SC2086 # lists
        take "asm-$arch" $_common $(taken "$arch") "linux-headers/asm-$arch"
        # shellcheck disable=SC2046
        [ -z "$(portable "$arch")" ] || take "asm-$arch" $(portable "$arch") "$std/asm-$arch"
    done
    rm -rf "$new/linux-headers/linux" "$new/linux-headers/asm-generic" "$new/$std/linux"
    # shellcheck disable=SC2046 # lists
    take linux $(taken linux) linux-headers/linux
    # shellcheck disable=SC2046
    take asm-generic $(taken generic) linux-headers/asm-generic
    # shellcheck disable=SC2046
    take linux $(portable linux) $std/linux
    take misc pvpanic.h $std/misc
    take drm drm_fourcc.h $std/drm
    for _file in $own; do
        [ ! -e "$qemu/$_file" ] || cp -p "$qemu/$_file" "$new/$_file"
    done
    # Packages do not have the licences' texts; those in the tree stay.
    if [ -n "$texts" ]; then
        for _file in COPYING LICENSES/preferred/GPL-2.0 LICENSES/preferred/BSD-2-Clause \
            LICENSES/preferred/BSD-3-Clause LICENSES/exceptions/Linux-syscall-note; do
            mkdir -p "$(dirname "$new/linux-headers/$_file")"
            cp "$texts/$_file" "$new/linux-headers/$_file" 2>/dev/null || missing="$missing $_file"
        done
    fi

    lacks=
    for _dir in "$qemu"/linux-headers/asm-*; do
        arch=${_dir##*/asm-}
        [ ! -e "$_dir/kvm.h" ] || [ -e "$in/asm-$arch" ] || lacks="$lacks $arch"
    done
    case "$(cd "$in" && echo asm-*) " in
    'asm-generic ') die "$origin (Linux $version) has no asm/kvm.h of a known architecture; see scripts/update-linux-headers.sh --help for what KERNEL may be" ;;
    esac
    if [ -z "$partial" ]; then
        [ -z "$lacks" ] ||
            die "$origin (Linux $version) has no asm/kvm.h for:$lacks, which QEMU has; give a kernel with all, or --partial to leave the others' headers as they are"
        [ -z "$missing" ] ||
            die "$origin (Linux $version) has no$missing, which QEMU takes; give a newer kernel, or --partial to do without"
    fi
    # The macros are all that is wanted of it.
    _file=$new/$std/asm-x86/bootparam.h
    [ ! -e "$in/asm-x86/bootparam.h" ] || sed -i -E '/__ASSEMBL(Y|ER)__/,//d' "$_file"
    # shellcheck disable=SC2046,SC2086 # a list
    set -- $(printf '%s\n' $taken | grep '^include/')
    _bad=$(includes "$@" | paste -sd , - | sed 's/,/, /g')
    [ -z "$_bad" ] ||
        die "$origin (Linux $version): $_bad, which QEMU's standard headers may not; teach scripts/update-linux-headers.sh what to do about it, or give another kernel"
    make_portable "$@"
}

# changes: a line for each file that differs: A (added), M or D (deleted)
changes()
{
    for _dir in $dirs; do
        ( cd "$new" && diff -rqN "$qemu/$_dir" "$_dir" ) | sed 's/^Files .* and \(.*\) differ$/\1/' |
        while read -r _file; do
            if [ ! -e "$qemu/$_file" ]; then echo "A $_file"
            elif [ ! -e "$new/$_file" ]; then echo "D $_file"
            else echo "M $_file"; fi
        done
    done
}

# --- the ABI

# names TREE: FILE NAME, a tab, and the text of each macro, enumerator and
# struct of the KVM ABI
names()
{
    ( cd "$1/linux-headers" && awk '
        function add(name, text)
        {
            gsub(/[ \t]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text)
            if (text != "") value[FILENAME " " name] = value[FILENAME " " name] text
        }
        # a value is the last one that is given, and how many behind that
        function enumerators(text,   n, i, part, base, more)
        {
            n = split(text, part, ",")
            for (i = 1; i <= n; i++) {
                if (part[i] !~ /[A-Za-z]/) continue
                gsub(/[ \t]+/, " ", part[i])
                if (match(part[i], /=/)) { base = substr(part[i], RSTART + 1); more = 0 }
                match(part[i], /[A-Za-z0-9_]+/)
                add(substr(part[i], RSTART, RLENGTH), base (base == "" ? more : more ? " + " more : ""))
                more++
            }
        }
        { line = line $0
          if (sub(/\\$/, "", line)) next
          while ((start = index(line, "/*"))) {
              end = index(substr(line, start), "*/")
              if (!end) { line = line " "; next }
              line = substr(line, 1, start - 1) " " substr(line, start + end + 1)
          } }
        line ~ /^[ \t]*#[ \t]*define[ \t]/ {
            sub(/^[ \t]*#[ \t]*define[ \t]+/, "", line)
            match(line, /^[A-Za-z0-9_]+/)
            add(substr(line, 1, RLENGTH), substr(line, RLENGTH + 1))
        }
        line !~ /^[ \t]*#/ {
            if (depth == 0 && line ~ /^(enum|struct|union)[^;(]*\{/) {
                split(line, word, " "); kind = word[1]; name = word[2]; text = ""
            }
            body = line
            depth += gsub(/\{/, "{", body) - gsub(/\}/, "}", body)
            if (kind) text = text " " line
            if (kind && depth == 0) {
                sub(/^[^{]*\{/, "", text); sub(/\}[^}]*$/, "", text)
                if (kind == "enum") enumerators(text); else add(kind " " name, text)
                kind = ""
            }
        }
        { line = "" }
        END { for (key in value) print key "\t" value[key] }' linux/kvm.h linux/psci.h asm-*/kvm.h ) | LC_ALL=C sort
}

check()
{
    names "$qemu" > "$work/old"
    names "$new" > "$work/new"
    LC_ALL=C awk -F '\t' 'NR == FNR { old[$1] = $2; next }
        !($1 in old) { print "appears:  " $1; next }
        { if (old[$1] != $2) print "changes:  " $1 (length(old[$1] $2) < 80 ? ": " old[$1] " -> " $2 : "")
          delete old[$1] }
        END { for (name in old) print "vanishes: " name }' "$work/old" "$work/new" | LC_ALL=C sort
    say "what the series needs of Linux $version ($origin)"
    "$top/kernel-abi/check" "$new"
}

# --- the commit

# commit: sets $commit to one of the update alone, on QEMU's HEAD. It is made
# in an index of its own: nothing of the repository changes but its objects.
commit()
{
    {
        echo "linux-headers: Update to Linux $version"
        echo
        echo "Taken from $origin by scripts/update-linux-headers.sh of the series." | fmt -w 72
        for _what in 'A New' 'D Gone' ; do
            _files=$(grep "^${_what% *} " "$work/changes" | cut -c 3- || true)
            [ -z "$_files" ] || { echo; echo "${_what#* }:"; echo "$_files" | sed 's/^/    /'; }
        done
        [ -z "$lacks" ] || { echo; echo "Left as they were, for this kernel has no KVM for them:$lacks." | fmt -w 72; }
        echo
        echo "Signed-off-by: $(git -C "$qemu" var GIT_COMMITTER_IDENT | sed 's/>.*/>/')"
    } > "$work/message"
    commit=$(
        GIT_DIR=$(git -C "$qemu" rev-parse --absolute-git-dir)
        export GIT_DIR GIT_WORK_TREE="$new" GIT_INDEX_FILE="$work/index"
        cd "$new"
        git read-tree HEAD
        # shellcheck disable=SC2086 # two words
        git add -A -f -- $dirs
        git commit-tree -p HEAD -F "$work/message" "$(git write-tree)"
    )
}

# ready_to_commit: dies unless QEMU is a repository that such a commit can be made in
ready_to_commit()
{
    _root=$(git -C "$qemu" rev-parse --show-toplevel 2>&1) || case $_root in
    *ownership*) die "$qemu belongs to another user, and git refuses to work there; allow it: git config --global --add safe.directory $qemu" ;;
    esac
    [ "$_root" = "$qemu" ] || die "$qemu is no git repository of its own, which --commit and --patch need"
    git -C "$qemu" rev-parse -q --verify HEAD > /dev/null || die "$qemu has no commit that the update could follow"
    # shellcheck disable=SC2086 # two words
    _dirty=$(git -C "$qemu" status --porcelain -- $dirs; git -C "$qemu" diff --cached --name-status)
    [ -z "$_dirty" ] ||
        die "$qemu has uncommitted work ($(echo "$_dirty" | head -n 3 | paste -sd , -)), which does not belong into a commit of headers; commit or stash it"
    _ident=$(git -C "$qemu" var GIT_COMMITTER_IDENT 2>&1) ||
        die "git knows nobody who could sign off ($(echo "$_ident" | tail -n 1)); set user.name and user.email"
}

# --- moving in place

# undo: QEMU as it was before place(), or nothing when that was finished. Also
# for the next run after one that was killed.
undo()
{
    for _dir in $dirs; do
        [ ! -e "$stage/old/$_dir" ] || { rm -rf "${qemu:?}/$_dir"; mv "$stage/old/$_dir" "$qemu/$_dir"; }
    done
    rm -rf "$stage"
}

place()
{
    mkdir -p "$stage/old/include"
    cp -R -p "$new" "$stage/new"
    trap '' HUP INT TERM # for the blink of an eye
    for _dir in $dirs; do
        mv "$qemu/$_dir" "$stage/old/$_dir"
        mv "$stage/new/$_dir" "$qemu/$_dir"
    done
    if [ -n "$commit" ]; then
        git -C "$qemu" update-ref -m "update-linux-headers.sh: Linux $version" HEAD "$commit" "$commit^"
        # shellcheck disable=SC2086 # two words
        git -C "$qemu" reset -q -- $dirs ||
            { git -C "$qemu" update-ref HEAD "$commit^" "$commit"
              die "git cannot write the index of $qemu; see above"; }
    fi
    mv "$stage/old" "$stage/done"
    rm -rf "$stage"
}

# --- arguments

mode='' do_commit='' mail='' partial=''
while :; do
    case ${1-} in
    -h | --help) usage; exit 0 ;;
    --check | --dry-run)
        [ -z "$mode" ] || die "$mode and $1 exclude each other"
        mode=$1 ;;
    --commit) do_commit=yes ;;
    --patch)
        mail=${2-}
        [ -n "$mail" ] || die "--patch needs a FILE"
        shift ;;
    --partial) partial=yes ;;
    -*) die "unknown option $1; see scripts/update-linux-headers.sh --help" ;;
    *) break ;;
    esac
    shift
done
[ $# -eq 1 ] || [ $# -eq 2 ] || die "wanted: KERNEL [QEMU]; see scripts/update-linux-headers.sh --help"
[ -z "$mode" ] || [ -z "$do_commit$mail" ] || die "$mode changes nothing, and so excludes --commit and --patch"
# Set while git runs hooks; they would beat -C.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

qemu=${2:-$build/qemu}
[ ! -d "$qemu" ] || qemu=$(cd "$qemu" && pwd -P)
# On the tree's own file system, so that moving in place is renaming.
stage=$qemu/.update-linux-headers
if [ -d "$qemu" ]; then
    exec 9< "$qemu"
    flock -n 9 || die "another update of $qemu is under way"
    [ ! -e "$stage" ] || { say "an update of $qemu was killed; undoing it"; undo; }
fi
for dir in linux-headers/linux include/standard-headers/linux; do
    [ -d "$qemu/$dir" ] || die "$qemu is no QEMU tree: it has no $dir; name one, or make build/qemu: make tree"
done
if [ -n "$mail" ]; then
    { [ -d "$(dirname "$mail")" ] && [ -w "$(dirname "$mail")" ] && [ ! -d "$mail" ]; } ||
        die "cannot write $mail; name a file in a folder that you can write to"
fi
if [ -z "$mode" ] && [ -z "$mail" ] || [ -n "$do_commit" ]; then
    for dir in "$qemu" $dirs include; do
        case $dir in /*) ;; *) dir=$qemu/$dir ;; esac
        [ -w "$dir" ] || die "cannot write to $dir; give a tree of your own, or see what would change with --dry-run"
    done
fi
[ -z "$do_commit$mail" ] || ready_to_commit

# Neither Linux's make nor our lists take a path with blanks in it.
case ${TMPDIR-} in *[[:space:]:]*) need_space 0; export TMPDIR="$build" ;; esac
make_tmp
work=$tmp
at_exit undo
in=$work/in new=$work/tree origin='' texts='' commit=''
mkdir "$in"

if [ -d "$1" ]; then
    if [ -e "$1/Makefile" ] && [ -d "$1/arch" ] && [ -d "$1/include/uapi/linux" ]; then
        from_source "$1"
    else
        from_installed "$1"
        [ -e "$in/linux" ] ||
            die "$1 is no kernel: neither a source tree (Makefile, arch/, include/uapi/) nor installed headers (include/linux/kvm.h)"
    fi
elif [ -e "$1" ]; then
    from_package "$1"
else
    case $1 in
    */* | *.deb) die "$1 does not exist; name a kernel's folder, a linux-libc-dev package, a Debian release or a version" ;;
    *[!a-z0-9.-]* | '') die "'$1' is neither a file, nor the name of a Debian release, nor a kernel's version" ;;
    *) from_debian "$1" ;;
    esac
fi
[ -e "$in/linux/version.h" ] || die "$1 has no linux/version.h, so it is no complete set of a kernel's headers"
version=$(awk '$2 == "LINUX_VERSION_CODE" { printf "%d.%d.%d", $3 / 65536, $3 / 256 % 256, $3 % 256 }' "$in/linux/version.h")

prepare
changes > "$work/changes"
case $mode in
--check) check; exit ;;
--dry-run) cat "$work/changes" ;;
esac
say "Linux $version, from $origin: $(grep -c '^M' "$work/changes") headers change, $(
    grep -c '^A' "$work/changes") are new, $(grep -c '^D' "$work/changes") go"
[ -z "$lacks" ] || say "left as they are, because it has no KVM for them:$lacks"
[ -z "$missing" ] || say "it has no$missing"
[ "$mode" != --dry-run ] && [ -s "$work/changes" ] || exit 0
if [ -n "$do_commit$mail" ]; then
    commit
    [ -z "$mail" ] || git -C "$qemu" format-patch -1 --stdout --no-signature "$commit" > "$work/mail"
fi
if [ -z "$mail" ] || [ -n "$do_commit" ]; then place; fi
if [ -n "$mail" ]; then
    cat "$work/mail" > "$mail"
    say "the commit is in $mail"
fi
[ -z "$do_commit" ] || say "committed: $(git -C "$qemu" log -1 --format='%h ("%s")')"
