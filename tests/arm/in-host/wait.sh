# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Waiting, for scripts that run in an arm64 host.

# until_true COMMAND...: waits for that; fails when it does not come. Tries are counted and
# not seconds: on a busy machine they take longer, as all here does
until_true()
{
    _tries=0
    until "$@"; do
        _tries=$((_tries + 1))
        [ "$_tries" -lt 600 ] || return 1
        sleep 0.05
    done
}
