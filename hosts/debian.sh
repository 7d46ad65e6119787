# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # sourced by hosts/build
#
# How kernel and busybox of a host are taken from Debian's packages.

make_kernel()
{
    debian_kernel "$suite" "$deb_arch" "cloud-$deb_arch" "$release" "$1"
}

kernel_inputs() { locked_kernel "$suite" "$deb_arch" "cloud-$deb_arch" "$release"; }

make_busybox()
{
    deb=$(get_deb bookworm "$deb_arch" busybox-static)
    dpkg --fsys-tarfile "$deb" | tar -xO ./bin/busybox > "$1/busybox"
}

busybox_inputs() { locked_lines bookworm "$deb_arch" '^busybox-static$'; }

# locked_kernel SUITE ARCH FLAVOUR RELEASE: the lock's lines of that kernel. Newer
# ones have image and modules in packages of their own.
locked_kernel()
{
    locked_lines "$1" "$2" "^linux-(image|binary|modules)-${4%.*}[.]${4#*.}([.+][^-]*)?(-[0-9][^-]*)?-$3\$"
}

# debian_kernel SUITE ARCH FLAVOUR RELEASE DIR: that kernel, and the modules that
# the host needs.
debian_kernel()
{
    debs=$(set -- "${KERNEL_DEBS:-/dev/null}"/linux-*-"$4"[.-]*"-${3}_"*"_$2.deb"
           [ ! -e "$1" ] || printf '%s\n' "$@")
    if [ -z "$debs" ]; then
        packages=$(locked_kernel "$1" "$2" "$3" "$4" | awk '{ print $3 }')
        [ -n "$packages" ] || die "${inputs#"$top"/} has no Linux $4 ($3) of Debian $1 for host $host; set KERNEL_DEBS= to a folder with its packages"
        for package in $packages; do
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
