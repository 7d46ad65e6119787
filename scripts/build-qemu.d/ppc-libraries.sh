#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ppc-libraries.sh MACHINE PREFIX JOBS ZLIB PCRE2 LIBFFI GLIB LINUX: builds static
# libraries for MACHINE (powerpc, powerpc64) from these source archives into
# PREFIX. Run by build-qemu.

set -eux
machine=$1 prefix=$2 jobs=$3 zlib=$4 pcre2=$5 libffi=$6 glib=$7 linux=$8
host=$machine-linux-gnu
cpu=ppc${machine#powerpc}
export CC="ccache $host-gcc" CFLAGS=-O2

unpack() { mkdir -p "$prefix/src/$1" && tar -C "$prefix/src/$1" --strip-components=1 -xf "$2"; }

unpack zlib "$zlib"
cd "$prefix/src/zlib"
CHOST=$host ./configure --static --prefix="$prefix"
make -j "$jobs" libz.a
make install

unpack pcre2 "$pcre2"
cd "$prefix/src/pcre2"
./configure --host="$host" --prefix="$prefix" --disable-shared --disable-dependency-tracking
make -j "$jobs" install-libLTLIBRARIES install-nodist_includeHEADERS install-pkgconfigDATA

mkdir -p "$prefix/src/fdt"
cd "$prefix/src/fdt"
dpkg-deb --fsys-tarfile "$linux" | tar -xO ./usr/src/linux-source-6.1.tar.xz |
    tar -xJ --strip-components=4 linux-source-6.1/scripts/dtc/libfdt
$CC $CFLAGS -I. -c fdt*.c
"$host-ar" rcs "$prefix/lib/libfdt.a" fdt*.o
cp fdt.h libfdt.h libfdt_env.h "$prefix/include/"

# For QEMU's interpreter of TCG's operations, which calls helpers with it
unpack libffi "$libffi"
cd "$prefix/src/libffi"
./configure --host="$host" --prefix="$prefix" --libdir="$prefix/lib" --disable-shared \
    --disable-dependency-tracking --disable-multi-os-directory --disable-docs
make -j "$jobs" install

# Of glib, QEMU uses libglib alone.
cat > "$prefix/src/cross" <<EOF
[binaries]
c = ['ccache', '$host-gcc']
ar = '$host-ar'
strip = '$host-strip'
pkg-config = 'pkg-config'
exe_wrapper = ['qemu-$cpu-static', '-L', '/usr/$host']
[properties]
pkg_config_libdir = '$prefix/lib/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = '$cpu'
cpu = '$cpu'
endian = 'big'
EOF
unpack glib "$glib"
cd "$prefix/src/glib"
unset CC CFLAGS
/usr/bin/python3 -m mesonbuild.mesonmain setup build --cross-file "$prefix/src/cross" \
    --prefix "$prefix" --libdir lib --buildtype release -Ddefault_library=static \
    -Dtests=false -Dlibmount=disabled -Dselinux=disabled -Dxattr=false -Dnls=disabled \
    -Dglib_debug=disabled -Dlibelf=disabled
ninja -C build -j "$jobs" glib/libglib-2.0.a
cp build/glib/libglib-2.0.a "$prefix/lib/"
cp build/meson-private/glib-2.0.pc "$prefix/lib/pkgconfig/"
mkdir -p "$prefix/include/glib-2.0/glib" "$prefix/lib/glib-2.0/include"
cp glib/glib.h glib/glib-unix.h gmodule/gmodule.h "$prefix/include/glib-2.0/"
cp -r glib/*.h glib/deprecated "$prefix/include/glib-2.0/glib/"
cp build/glib/glibconfig.h "$prefix/lib/glib-2.0/include/"
