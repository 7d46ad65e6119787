# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# TAP, for tests in shell. To be sourced after `set -eu`. On stdout:
#
#   ok NAME                  one passed test
#   not_ok NAME [TEXT...]    one failed test; each TEXT below it, as "# " lines
#                            (-: what is on stdin)
#   skip NAME REASON         one skipped test; REASON says what is missing
#   check NAME COMMAND...    ok if COMMAND exits with 0, else not ok with its
#                            output. COMMAND, which may be a function, runs in
#                            a subshell that ends at the first failing command
#   done_testing             the plan, and a count for people; at the end of the
#                            script. Exits with 1 when a test failed, or none ran
#
# A script that ends before done_testing has no plan, which is a failure to any
# TAP harness, and so is a test that a subshell or a pipe counted.

tap_passed=0 tap_failed=0 tap_skipped=0

# tap_line RESULT NAME [DIRECTIVE]: a # in a name would begin a directive.
tap_line()
{
    printf '%s %s - %s%s\n' "$1" "$((tap_passed + tap_failed + tap_skipped))" \
        "$(printf %s "$2" | tr '\n' ' ' | sed 's/#/\\#/g')" "${3-}"
}

ok()
{
    tap_passed=$((tap_passed + 1))
    tap_line ok "$1"
}

not_ok()
{
    tap_failed=$((tap_failed + 1))
    tap_line 'not ok' "$1"
    shift
    for tap_text; do
        if [ "$tap_text" = - ]; then cat; else printf '%s\n' "$tap_text"; fi | sed 's/^/# /'
    done
}

skip()
{
    tap_skipped=$((tap_skipped + 1))
    tap_line ok "$1" " # SKIP $(printf %s "$2" | tr '\n' ' ')"
}

check()
{
    tap_name=$1
    shift
    # Not in a condition, where -e would have no effect.
    set +e
    tap_output=$(set -e; "$@" 2>&1)
    tap_status=$?
    set -e
    if [ "$tap_status" -eq 0 ]; then ok "$tap_name"; else
        not_ok "$tap_name" "status $tap_status of: $*" ${tap_output:+"$tap_output"}; fi
}

done_testing()
{
    # A plan of no tests would be one that was skipped.
    [ $((tap_passed + tap_failed + tap_skipped)) -gt 0 ] ||
        { echo "${0##*/}: error: no test was run" >&2; exit 1; }
    echo "1..$((tap_passed + tap_failed + tap_skipped))"
    echo "# $tap_passed passed, $tap_failed failed, $tap_skipped skipped"
    [ "$tap_failed" -eq 0 ] || exit 1
}
