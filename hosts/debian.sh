# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # sourced by hosts/build
#
# How kernel and busybox of a host are taken from Debian's packages.

make_kernel()
{
    debian_kernel "$suite" "$deb_arch" "linux-image-cloud-$deb_arch" "$release" "$1"
}

make_busybox()
{
    dpkg --fsys-tarfile "$(get_deb bookworm "$deb_arch" busybox-static)" |
        tar -xO ./bin/busybox > "$1/busybox"
}

# debian_kernel SUITE ARCH METAPACKAGE RELEASE DIR: the kernel that the
# metapackage stands for, and the modules that the host needs. Newer packages
# have image and modules in packages that linux-image-* depends on.
debian_kernel()
{
    debs=$(set -- "${KERNEL_DEBS:-/dev/null}"/linux-*-"$4"[.-]*"${3#linux-image}_"*"_$2.deb"
           [ ! -e "$1" ] || printf '%s\n' "$@")
    if [ -z "$debs" ]; then
        image=$(depends "$1" "$2" "$3" "^linux-image-$4[.-]")
        # Where the metapackage has moved on, the suite may have that one yet.
        [ -n "$image" ] || image=$(apt_private "$1" "$2" apt-cache pkgnames "linux-image-$4." |
            grep -- "-${3#linux-image-}\$" | sort -V | tail -n 1)
        [ -n "$image" ] || die "Debian $1 has no Linux $4 ($3, $2) for host $host; set KERNEL_DEBS= to a folder with its packages"
        for package in "$image" $(depends "$1" "$2" "$image" '^linux-(binary|modules)-[0-9]'); do
            debs="$debs $(fetch_deb "$1" "$2" "$package")"
        done
    fi
    mkdir -p "$5/x" "$5/modules"
    for deb in $debs; do
        dpkg -x "$deb" "$5/x"
    done
    find "$5/x" -name 'vmlinuz*' -type f -exec mv {} "$5/kernel" \;
    [ -e "$5/kernel" ] || die "no vmlinuz in $debs"
    for module in $modules; do
        add_module "$5" "$module"
    done
    printf '%s\n' "$debs" > "$5/made-of"
    rm -r "$5/x"
}

# depends SUITE ARCH PACKAGE PATTERN: those of PACKAGE's dependencies that
# match PATTERN.
depends()
{
    apt_private "$1" "$2" apt-cache show "$3" | sed -n '/^$/q; s/^Depends: //p' |
        tr ',' '\n' | sed 's/^ *//; s/ .*//' | grep -E "$4" || true
}

# add_module DIR NAME: lists that module, and before it those that it needs.
# One that is not in the packages is built into the kernel.
add_module()
(
    file=$(find "$1/x" -name "$(printf '%s' "$2" | tr _- '??').ko*")
    [ -n "$file" ] || exit 0
    ! grep -qsxF "$2.ko" "$1/modules/list" || exit 0
    case $file in
    *.xz) xz -dc "$file" > "$1/modules/$2.ko" ;;
    *) cp "$file" "$1/modules/$2.ko" ;;
    esac
    for need in $(tr '\0' '\n' < "$1/modules/$2.ko" | sed -n 's/^depends=//p' | tr , ' '); do
        add_module "$1" "$need"
    done
    echo "$2.ko" >> "$1/modules/list"
)
