# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced after common.sh, by scripts that use these
#
# QEMU's own qtests: which there are, and how QEMU runs them.

archs='arm aarch64 ppc x86_64'

# meson_test OBJ ARG...: QEMU's test runner, with the meson that build-qemu got
meson_test()
{
    _obj=$1
    shift
    PYTHONPATH=$build/meson/usr/lib/python3/dist-packages \
        "$_obj/pyvenv/bin/meson" test -C "$_obj" "$@"
}

# qtests OBJ ARCH: the names of those that QEMU's build has for ARCH
qtests() { meson_test "$1" --list 2> /dev/null | sed -n "s|.*/ qtest-$2/||p"; }
