#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/upstream/build.sh [--base]
#
# Builds QEMU for this machine with all qtests of the project's targets, the
# series' own and its unit tests among them; with --base QEMU without the series.
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/upstream/common.sh
. "$top/tests/upstream/common.sh"

"$top/scripts/qemu-tree" "${1:---keep-work}"
"$top/scripts/build-qemu" "$@" native
obj=$build/obj-${1:+base-}native
goals=$(for arch in $archs; do qtests "$obj" "$arch"; done | sort -u | sed 's,^,tests/qtest/,')
[ $# -gt 0 ] || goals="$goals tests/unit/test-kvm-arm-models tests/unit/test-booke206-tlb"
# shellcheck disable=SC2086 # a list
"$top/scripts/build-qemu" "$@" native $goals
