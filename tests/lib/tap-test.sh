#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/lib/tap-test.sh
#
# tests/lib/tap.sh prints TAP that perl's own harness (prove) takes, and what
# went wrong is a failure there: a test, a death, a lost count, no test.
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
need_packages perl
make_tmp

# harness RESULT PATTERN: prove says RESULT (PASS or FAIL) of the script on
# stdin, and PATTERN
harness()
{
    { echo 'set -eu'; echo ". '$top/tests/lib/tap.sh'"; cat; } > "$tmp/script"
    rc=0
    prove -v -e sh "$tmp/script" > "$tmp/out" 2>&1 || rc=$?
    cat "$tmp/out"
    grep -q "^Result: $1\$" "$tmp/out" && grep -q "$2" "$tmp/out" || return 1
    case $1-$rc in PASS-0 | FAIL-[1-9]*) ;; *) return 1 ;; esac
}

check 'tests that pass' harness PASS '^ok 2 - two$' << 'END'
ok one
check two true
done_testing
END
check 'names with directives and new lines in them' harness PASS '^ok 1 - a \\# TODO b$' << 'END'
ok 'a # TODO
b'
done_testing
END
check 'a skipped test, and why' harness PASS '^ok 1 - one # SKIP no root$' << 'END'
skip one 'no root'
done_testing
END
check 'a sum for people' harness FAIL '^# 1 passed, 1 failed, 1 skipped$' << 'END'
ok one
not_ok two
skip three 'no root'
done_testing
END
check 'a failed test and its text' harness FAIL '^# it is wrong$' << 'END'
not_ok one 'it is wrong'
done_testing
END
check 'a failed test and the text of a file' harness FAIL '^# it is wrong$' << 'END'
echo 'it is wrong' > "$0.text"
not_ok one - < "$0.text"
done_testing
END
check 'a command that fails, and what it printed' harness FAIL '^# ls: cannot access ./none.' << 'END'
check one ls /none
done_testing
END
check 'a function that fails before its last command' harness FAIL '^# status 1 of: fails' << 'END'
fails() { false; true; }
check one fails
done_testing
END
check 'a script that dies' harness FAIL 'No plan found' << 'END'
ok one
false
done_testing
END
check 'a script that exits early, and with 0' harness FAIL 'No plan found' << 'END'
ok one
exit 0
END
check 'a test in a pipe, where it is not counted' harness FAIL 'Bad plan' << 'END'
ok one
echo | not_ok two -
done_testing
END
check 'no tests' harness FAIL 'error: no test was run' << 'END'
done_testing
END
done_testing
