# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # sourced after common.sh, by scripts that use these
#
# What the tests on the emulated e500v2 host share.

tap='' base='' short='' build_it=yes

# booke_options ARG...: --tap, --base, --short, --no-build
booke_options()
{
    for _arg; do
        case $_arg in
        --tap) tap=yes ;;
        --base) base=--base ;;
        --short) short=yes ;;
        --no-build) build_it= ;;
        --help | -h) usage; exit 0 ;;
        *) die "unknown option '$_arg'; see tests/booke/${0##*/} --help" ;;
        esac
    done
}

# booke_begin NAME: builds what is missing; $logs is NAME's folder, and
# descriptor 3 takes what is not a test's line
booke_begin()
{
    if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
    if [ -n "$build_it" ]; then
        # shellcheck disable=SC2086 # an option or none
        "$top/scripts/qemu-tree" ${base:---keep-work} >&3
        # shellcheck disable=SC2086 # an option or none
        "$top/scripts/build-qemu" $base ppc >&3
    fi
    "$top/hosts/build" e500v2 >&3
    logs=$build/logs/$1${base:+-base}
    rm -rf "$logs"
    mkdir -p "$logs"
    say "running on e500v2 (logs: ${logs#"$top"/}/)" >&3
}

# in_host NAME SECONDS [OPTION...] -- SCRIPT [ARG...]: runs that script of in-host/ in a
# host; its lines are printed and kept in NAME.log
in_host()
{
    _log=$1 _seconds=$2 _options=
    shift 2
    while [ "$1" != -- ]; do
        _options="$_options $1"
        shift
    done
    _script=$2
    shift 2
    {
        # shellcheck disable=SC2086 # options, and an option or none
        "$top/hosts/run" $base --timeout "$_seconds" --memory 1024 --log "$logs/$_log.console" \
            --file "$top/tests/booke/in-host/qemu.sh" --file "$top/tests/booke/in-host/$_script" $_options \
            e500v2 -- sh "/files/$_script" "$@" < /dev/null 2>&1 ||
            echo "not ok - $_log: hosts/run ended with status $?"
    } | tee "$logs/$_log.log"
}

# booke_end N: the plan, that there are N tests, and the sum; fails when one
# failed or was not run, unless it was about what there is without the series
booke_end()
{
    _passed=$(cat "$logs"/*.log | grep -c '^ok') || true
    _failed=$(cat "$logs"/*.log | grep -c '^not ok') || true
    echo "1..$1"
    echo "$_passed passed, $_failed failed" >&3
    [ -z "$base" ] || exit 0
    [ "$_passed" -eq "$1" ] && [ "$_failed" -eq 0 ]
}
