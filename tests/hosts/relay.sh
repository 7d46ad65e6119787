#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: tests/hosts/relay.sh
#
# hosts/relay.c passes on what comes from a host, whole or with an error that is
# told. A shell stands for the emulator. That hosts/run makes the right status
# of it is in tests/hosts/runner.sh.
set -eu

case ${1:-} in
-h | --help) sed -n '/^# Usage/,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
need_packages gcc libc6-dev perl
make_tmp
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$tmp/relay" "$top/hosts/relay.c"

# A host that writes to its stdout (o) or stderr (e), ends the command with 3,
# and is there until nobody wants it.
cat > "$tmp/host" <<'END'
for stream; do
    printf "$stream\0\0\0\005text\n" >&3
done
printf 's\0\0\0\0013' >&3
cat <&3 > /dev/null
END
# And one that writes 400 KiB.
cat > "$tmp/much" <<'END'
printf 'o\0\006\100\0' >&3
head -c 409600 /dev/zero >&3
printf 's\0\0\0\0010' >&3
cat <&3 > /dev/null
END

# relay RESULT OUT ERR HOST ARG...: with that host, and these as stdout and stderr
relay()
{
    _want=$1 _out=$2 _err=$3 _host=$4
    shift 4
    "$tmp/relay" "$tmp/result" 60 sh "$tmp/$_host" "$@" > "$_out" 2> "$_err" 3> "$tmp/log" < /dev/null
    cat "$tmp/log" "$tmp/result"
    [ "$(cat "$tmp/result")" = "$_want" ]
}

out=$tmp/out err=$tmp/err
check 'output and status' relay 'status 3' "$out" "$err" host o e o
check 'stdout has its part' test "$(cat "$out")" = "$(printf 'text\ntext')"
check 'stderr has its part' test "$(cat "$err")" = text
check 'a stdout on a full disk' relay 'unwritable stdout No space left on device' /dev/full "$err" host o
check 'a stdout on a full disk, the last of much' relay 'unwritable stdout No space left on device' /dev/full "$err" much
check 'a stderr on a full disk' relay 'unwritable stderr No space left on device' "$out" /dev/full host e
check 'a full disk that nothing is written to' relay 'status 3' "$out" /dev/full host o

# Whoever reads is gone.
mkfifo "$tmp/fifo"
gone()
{
    : < "$tmp/fifo" &
    relay 'signal 13' "$tmp/fifo" "$err" host o o
}
check 'a stdout that nobody reads' gone

# A pipe that another program has set so that it says "later" when it is full.
later()
{
    perl -MFcntl -e 'fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV' \
        "$tmp/relay" "$tmp/result" 60 sh "$tmp/much" 3> "$tmp/log" < /dev/null | { sleep 1; wc -c; } > "$out"
    cat "$tmp/result" "$out"
    [ "$(cat "$tmp/result")" = 'status 0' ]
    [ "$(cat "$out")" -eq 409600 ]
}
check 'a stdout that takes no more at the moment' later
done_testing
