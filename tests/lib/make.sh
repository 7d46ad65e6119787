#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/lib/make.sh COMMAND [ARG...]
#
# Makes what tests need, as a test of its own: one that passes when COMMAND
# does, and is skipped when that says with status 77 that this machine cannot.
set -eu
echo 1..1
status=0
"$@" || status=$?
name=$*
if [ "$status" -eq 0 ]; then
    echo "ok 1 - $name"
elif [ "$status" -eq 77 ]; then
    echo "ok 1 - $name # SKIP this machine cannot build it"
    exit
else
    echo "not ok 1 - $name: status $status"
fi
exit "$status"
