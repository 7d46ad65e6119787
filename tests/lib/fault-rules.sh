# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # sourced after common.sh
#
# Holds a library that reads rules for faults to tests/lib/cases/fault-rules. To be
# sourced after common.sh.

# fault_rules ARCH: its lines, without ARCH
fault_rules() { sed -n "s/^\([a-z0-9 ]* \)\{0,1\}$1\( [^;]*\)\{0,1\};//p" "$top/tests/lib/cases/fault-rules"; }

# fault_rule DIR LIBRARY VARIABLE RULE WHAT COMMAND...: COMMAND is tests/lib/fault-calls.c
# with that LIBRARY, which says its name in an error, and reads rules from VARIABLE.
# Whether RULE does WHAT; prints what is wrong. DIR/plain is what COMMAND prints without one
fault_rule()
{
    local dir="$1" library="$2" variable="$3" rule="$4" what="$5" status=0 changed
    shift 5
    rm -f "$dir/used"
    # shellcheck disable=SC2163 # variables with their values
    ( export "$variable=$rule" "${variable}_USED=$dir/used"; "$@" ) > "$dir/out" 2> "$dir/err" || status=$?
    {
        case $what in
        !*)
            [ "$status" -eq 2 ] || echo "status $status instead of 2"
            [ ! -s "$dir/out" ] || echo "it goes on: $(head -n 1 "$dir/out")"
            [ "$(wc -l < "$dir/err")" -eq 1 ] && grep -qxe "$library: $variable: .*${what#!}.*; docs/testing.md has the rules: .*" "$dir/err" ||
                echo "the error is: $(cat "$dir/err")" ;;
        *)
            [ "$status" -eq 0 ] && [ ! -s "$dir/err" ] || echo "status $status: $(cat "$dir/err")"
            changed=$(diff "$dir/plain" "$dir/out" | sed -n 's/^> //p' | paste -sd, | sed 's/,/, /g')
            [ "$changed" = "$what" ] || echo "it does '$changed'"
            if [ -z "$what" ]; then
                [ ! -s "$dir/used" ] || echo "it says that it was used"
            else
                grep -qxF -e "${rule%% *}" "$dir/used" || echo "it does not say that it was used"
            fi ;;
        esac
    } > "$dir/wrong"
    cat "$dir/wrong"
    [ ! -s "$dir/wrong" ]
}
