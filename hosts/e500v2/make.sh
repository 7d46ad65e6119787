# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # sourced by hosts/build
#
# How kernel and busybox of the e500v2 host are made from Debian's sources.

make_kernel()
{
    need_space 2500
    deb=$(get_deb bookworm amd64 linux-source-6.1)
    config=$1/wanted
    cp "$top/hosts/e500v2/config" "$config"
    # KVM has as many vCPUs as its kernel can have CPUs
    case $host in *-smp) printf 'CONFIG_SMP=y\nCONFIG_NR_CPUS=4\n' >> "$config" ;; esac
    say "unpacking ${deb##*/}"
    mkdir "$1/src"
    dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards '*/linux-source-6.1.tar.xz' |
        tar -xJ -C "$1/src" --strip-components=1
    for patch in "$top"/hosts/e500v2/patches/*.patch; do
        patch -s -p1 -d "$1/src" < "$patch" ||
            die "$patch does not apply to ${deb##*/}: refresh it against that source"
    done
    make_linux "$1" -s allnoconfig KCONFIG_ALLCONFIG="$config"
    grep '^CONFIG' "$config" | while read -r line; do
        grep -qxF "$line" "$1/src/.config" ||
            die "$config: '$line' is not in what it makes: add what that option depends on"
    done
    long "building the $host host's kernel (about 4 minutes)" "$build/logs/hosts/$host-kernel.log" \
        make_linux "$1" -j "$jobs" vmlinux
    mv "$1/src/vmlinux" "$1/kernel"
    mv "$1/src/.config" "$1/config"
    printf '%s\n' "$deb" > "$1/made-of"
    rm -r "$1/src" "$config"
}

kernel_inputs() { locked_lines bookworm amd64 '^linux-source-6[.]1$'; }

make_linux()
{
    _src=$1/src
    shift
    tend timeout 0 make -C "$_src" ARCH=powerpc CROSS_COMPILE=powerpc-linux-gnu- "$@"
}

# The same programs as in Debian's busybox-static, which the other hosts have.
make_busybox()
{
    dsc=$(fetch_source bookworm busybox '*.dsc')
    dpkg-source --no-check -x "$dsc" "$1/src" > "$1/unpack.log" 2>&1 ||
        die "cannot unpack $dsc: see $1/unpack.log"
    sed 's/^\(CONFIG_CROSS_COMPILER_PREFIX\)=.*/\1="powerpc-linux-gnu-"/' \
        "$1/src/debian/config/os/linux" "$1/src/debian/config/pkg/static" > "$1/src/.config"
    # shellcheck disable=SC2016 # that shell's
    long "building busybox for powerpc (about 1 minute)" "$build/logs/hosts/e500v2-busybox.log" \
        sh -c 'yes "" | make -C "$1" silentoldconfig && make -C "$1" -j "$2" busybox' sh "$1/src" "$jobs"
    mv "$1/src/busybox" "$1/busybox"
    rm -r "$1/src"
}

busybox_inputs() { locked_lines bookworm source '^busybox$'; }
