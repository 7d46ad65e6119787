#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/lib/check-test.sh
#
# tests/check loses no test: parts that lie or die in every way that we know
# of, run by it.
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
need_packages perl procps python3

make_tmp
export CHECK_PARTS="$tmp/parts" CHECK_SKIPS="$tmp/skips" CHECK_LOGS="$tmp/logs" BUILD="$tmp/build"
mkdir -p "$BUILD/dl/suite"

cat > "$tmp/skips" <<EOF
skips;always;# SKIP no such thing;it has none
stale;always;# SKIP no such thing;it had none
moved;moved;# SKIP another version;only where it is one
no-build;always;# SKIP no compiler;it has none
depends;$(uname -m)?;# SKIP no such thing;it may have none
elsewhere;pdp11?;# SKIP no such machine;another one may be
EOF
: > "$tmp/parts"

# part NAME [STAGE [NEEDS [SILENCE]]]: a part whose script is on stdin
part()
{
    cat > "$tmp/$1.sh"
    echo "$1;all;${2:-shared};${3-};${4:-60};sh $tmp/$1.sh;a part" >> "$tmp/parts"
}
part good-build build <<'EOF'
echo 1..1; echo ok 1 - it builds
EOF
part bad-build build <<'EOF'
echo 1..1; echo not ok 1 - it does not build; exit 1
EOF
part later-build build bad-build <<'EOF'
echo 1..1; echo ok 1 - never run
EOF
part needs-later shared 'later-build?' <<'EOF'
echo 1..1; echo ok 1 - never run
EOF
part good shared good-build <<'EOF'
echo 1..2; echo ok 1 - one; echo ok 2 - two
EOF
part needs-bad shared bad-build <<'EOF'
echo 1..1; echo ok 1 - never run
EOF
part no-build build <<'EOF'
echo 1..1; echo 'ok 1 - it is built # SKIP no compiler'
EOF
part needs-none shared no-build <<'EOF'
echo 1..1; echo ok 1 - never run
EOF
part does-without shared 'good-build no-build?' <<'EOF'
echo 1..1; echo ok 1 - one
EOF
part needs-bad-too shared 'bad-build?' <<'EOF'
echo 1..1; echo ok 1 - never run
EOF
part depends <<'EOF'
echo 1..1; echo ok 1 - one
EOF
part elsewhere <<'EOF'
echo 1..1; echo 'ok 1 - one # SKIP no such machine'
EOF
part skips <<'EOF'
echo 1..2; echo ok 1 - one; echo 'ok 2 - two # SKIP no such thing'
EOF
part stale <<'EOF'
echo 1..1; echo ok 1 - one
EOF
part moved <<'EOF'
echo 1..1; echo 'ok 1 - one # SKIP another version'
EOF
part unlisted <<'EOF'
echo 1..1; echo 'ok 1 - one # SKIP nobody knows'
EOF
part bails <<'EOF'
echo 1..2; echo ok 1 - one; echo 'Bail out! an assertion failed'; exit 134
EOF
part no-plan <<'EOF'
echo ok 1 - one
EOF
part short <<'EOF'
echo 1..3; echo ok 1 - one
EOF
part long <<'EOF'
echo 1..1; echo ok 1 - one; echo ok 2 - two
EOF
part dies <<'EOF'
echo 1..1; echo ok 1 - one; exit 3
EOF
part killed <<'EOF'
echo 1..1; echo ok 1 - one; kill -KILL $$
EOF
part nothing < /dev/null
part no-command <<'EOF'
exec /no/such/command
EOF
part fails alone <<'EOF'
echo 1..2; echo 'not ok 1 - it fails'; echo '# because of this'; echo ok 2 - two
EOF
part silent alone '' 2 <<'EOF'
echo 1..1; sleep 61 & sleep 60; echo ok 1 - one
EOF

# runs ARG...: tests/check; its output is in $tmp/out, its status in $status
runs()
{
    status=0
    "$top/tests/check" "$@" > "$tmp/out" 2>&1 < /dev/null || status=$?
}

# said PATTERN: the run ended with 1, and a line matches
said() { cat "$tmp/out"; [ "$status" -eq 1 ] && grep -qE -e "$1" "$tmp/out"; }
passed() { cat "$tmp/out"; [ "$status" -eq 0 ] && grep -qxE -e "$1" "$tmp/out"; }

runs good
check 'a part that passes, and the build that it needs' passed '3 passed, 0 failed, 0 skipped'
runs skips
check 'a skip that is listed' passed '1 passed, 0 failed, 1 skipped'
runs needs-none does-without
check 'what needs a build that is skipped is skipped, or does without it' passed '2 passed, 0 failed, 2 skipped'
runs depends
check 'a skip that depends on the machine' passed '1 passed, 0 failed, 0 skipped'
runs needs-bad-too
check 'nothing does without a build that failed' said '^0 passed, 1 failed, 1 skipped'
runs needs-bad
check 'a build that fails is one failure' said '^0 passed, 1 failed, 1 skipped'
check 'what needs it is not run' test ! -e "$tmp/logs/needs-bad.log"
runs needs-later
check 'nor what could do without a build that was skipped for it' said '^0 passed, 1 failed, 2 skipped'
while read -r part pattern; do
    runs "$part"
    check "$part" said "^$part: not ok - $pattern"
done <<'EOF'
stale tests/skips says that it skips what matches
moved tests/skips has no line for: ok 1 - one
elsewhere tests/skips has no line for: ok 1 - one # SKIP no such machine
unlisted tests/skips has no line for: ok 1 - one # SKIP nobody knows
bails Bail out! an assertion failed
no-plan it printed no plan
short it planned 3 tests and ran 1
long it planned 1 tests and ran 2
dies it ended with status 3
killed it ended with status 137
nothing it printed no plan
no-command it printed no plan
silent silent: ended by its limit: it printed nothing for [0-9]+ s .load:
EOF
check 'what was silent leaves no process' sh -c "! pgrep -f 'sleep 6[01]$'"
runs fails
check 'a failed test is told' said '^fails: not ok 1 - it fails'
check 'with its log' said "^fails: .*\(log: .*/logs/fails.log\)"
check 'and its diagnostics' said '^ +# because of this'
runs --junit "$tmp/junit.xml" all
check 'all of them: the rest goes on, and the sum is right' said '^15 passed, 16 failed, 10 skipped'
check 'each failure is told again at the end' sh -c "test \$(tail -n 17 '$tmp/out' | grep -c 'not ok') = 16"
check 'JUnit: all parts, and well formed' sh -c "test \$(grep -c '<testsuite ' '$tmp/junit.xml') = 26 && python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' '$tmp/junit.xml'"
echo 'package 1 package_2.deb' > "$BUILD/dl/suite/package.moved"
runs moved
check 'a skip for a package that has moved' passed '0 passed, 0 failed, 1 skipped'
runs no-such-part
check 'an unknown part is an error' said "error: there is no part and no suite 'no-such-part'"
runs --jobs 0 good
check '--jobs 0 is an error' said "error: --jobs '0': give a whole number from 1 up"
runs --junit "$tmp/no/such" good
check 'a --junit that cannot be written is an error' said "error: --junit .*: cannot be written"
runs --list
check '--list' passed 'good +all +a part'

# Ctrl-C, to the runner alone
"$top/tests/check" silent > "$tmp/out" 2>&1 < /dev/null &
pid=$!
until [ -e "$tmp/logs/silent.log" ] && pgrep -f 'sleep 61$' > /dev/null; do sleep 0.1; done
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
sleep 0.5
check 'TERM ends it' test "$status" -eq 130
check 'and leaves no process' sh -c "! pgrep -f 'sleep 6[01]$'"
done_testing
