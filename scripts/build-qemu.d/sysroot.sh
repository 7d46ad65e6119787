# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
#
# What QEMU needs beside Debian packages of this machine: meson, data files,
# and the libraries of the hosts that it is cross-built for. To be sourced by
# build-qemu, whose variables it uses. Each of these folders is whole when its
# file .from is there, which says what it was made of; otherwise, and when that
# has changed, it is made anew.

# unpack_debs FOLDER DEB...: FOLDER gets the contents of these, nothing else.
unpack_debs()
{
    _into=$1
    shift
    [ "$(cat "$_into/.from" 2>/dev/null)" != "$*" ] || return 0
    rm -rf "$_into" "$_into.part"
    mkdir -p "$_into.part"
    for _deb; do
        dpkg-deb -x "$_deb" "$_into.part" ||
            die "cannot unpack $_deb; remove it and run again"
    done
    # absolute links lead out of the folder: make them relative
    find "$_into.part" -type l -lname '/*' | while read -r _link; do
        ln -sfnr "$_into.part$(readlink "$_link")" "$_link"
    done
    echo "$*" > "$_into.part/.from"
    mv "$_into.part" "$_into"
}

# fetch_debs SUITE ARCH PACKAGE...: prints their paths, a line for each.
fetch_debs()
{
    _suite1=$1 _arch1=$2
    shift 2
    for _package; do
        fetch_deb "$_suite1" "$_arch1" "$_package" || return 1
    done
}

version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true; }

# QEMU wants meson 1.5 and pycotap; Debian 12 has them in backports.
get_meson()
{
    if dpkg --compare-versions "$(version meson)" lt 1.5 ||
       dpkg --compare-versions "$(version python3-pycotap)" lt 1.1; then
        _debs=$(fetch_debs bookworm-backports amd64 meson python3-pycotap)
        # shellcheck disable=SC2086 # a list
        unpack_debs "$build/meson" $_debs
        export PYTHONPATH="$build/meson/usr/lib/python3/dist-packages"
    fi
}

# get_firmware: for put_firmware
get_firmware()
{
    _debs=$(fetch_debs bookworm amd64 ipxe-qemu qemu-system-data seabios u-boot-qemu)
    # shellcheck disable=SC2086 # a list
    unpack_debs "$build/firmware" $_debs
}

# put_firmware FOLDER: the data files that machines want when they start. The
# option ROM is that of virtio-net-pci, which virt and ppce500 have by default.
put_firmware()
{
    _data=usr/lib/ipxe/qemu/efi-virtio.rom
    case $targets in *aarch64-*) _data="$_data usr/share/seabios/vgabios-bochs-display.bin" ;; esac # sbsa-ref
    case $targets in *ppc-*) _data="$_data usr/lib/u-boot/qemu-ppce500/uboot.elf" ;; esac
    case $targets in *ppc64-*) _data="$_data usr/share/qemu/slof.bin" ;; esac
    case $targets in *x86_64-*)
        for _name in bios.bin bios-256k.bin bios-microvm.bin; do
            _data="$_data usr/share/seabios/$_name"
        done
        for _name in kvmvapic.bin linuxboot_dma.bin; do
            _data="$_data usr/share/qemu/$_name"
        done ;;
    esac
    mkdir -p "$1"
    for _file in $_data; do
        case $_file in */uboot.elf) _name=u-boot.e500 ;; *) _name=${_file##*/} ;; esac
        cmp -s "$build/firmware/$_file" "$1/$_name" ||
            install -m 644 "$build/firmware/$_file" "$1/$_name"
    done
}

# arm64: Debian's own libraries. They are unpacked rather than installed,
# because installing -dev packages of another architecture removes this one's.
sysroot_arm64()
{
    _debs=$(fetch_debs bookworm arm64 libglib2.0-0 libglib2.0-dev \
        libpcre2-8-0 libpcre2-dev zlib1g zlib1g-dev libfdt1 libfdt-dev libpixman-1-0 libpixman-1-dev strace)
    # shellcheck disable=SC2086 # a list
    unpack_debs "$1" $_debs
}

# powerpc: Debian has the compiler and libc, and no other library any more.
# These are built from Debian's sources, static, so that a host needs none.
sysroot_powerpc()
{
    _recipe="$machine $(cksum < "$parts/ppc-libraries.sh") $(
        locked_lines bookworm source '^(zlib|pcre2|libffi|glib2.0)$' | cksum)"
    [ "$(cat "$1/.from" 2>/dev/null)" != "$_recipe" ] || return 0
    _sources=$(
        fetch_source bookworm zlib '*.orig.tar.*'
        fetch_source bookworm pcre2 '*.orig.tar.*'
        fetch_source bookworm libffi '*.orig.tar.*'
        fetch_source bookworm glib2.0 '*.orig.tar.*'
        # libfdt: the kernel's copy; this source is fetched for the host anyway
        fetch_deb bookworm amd64 linux-source-6.1)
    rm -rf "$1"
    mkdir -p "$1/src"
    # shellcheck disable=SC2086 # a list
    long "libraries for $machine: zlib, pcre2, libfdt, libffi, glib" "$build/logs/sysroot-$which.log" \
        sh -eux "$parts/ppc-libraries.sh" "$machine" "$1" "$jobs" $_sources 8>&- || exit 1
    rm -rf "$1/src"
    echo "$_recipe" > "$1/.from"
}
