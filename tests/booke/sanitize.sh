#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests of the BookE TLBs with sanitizers. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/booke/sanitize.sh

Builds qemu-system-ppc, tests/unit/test-booke206-tlb and
tests/qtest/kvm-booke-tlb-test for this machine with AddressSanitizer and
UndefinedBehaviorSanitizer, and runs the two tests with that QEMU. Prints TAP.
Whatever a sanitizer finds, in a test or in QEMU, is "not ok".

Logs: build/logs/booke-sanitize/.
EOF
}

case ${1-} in
'') ;;
--help | -h) usage; exit 0 ;;
*) die "unknown option '$1'; see tests/booke/sanitize.sh --help" ;;
esac

logs=$build/logs/booke-sanitize
rm -rf "$logs"
mkdir -p "$logs"
unit=tests/unit/test-booke206-tlb
qtest=tests/qtest/kvm-booke-tlb-test
"$top/scripts/build-qemu" sanitize qemu-system-ppc "$unit" "$qtest"
obj=${OBJ:-$build/obj-sanitize}

# What QEMU does not free when it exits is no finding. A finding ends the
# program at once, with a status that no error of QEMU's has, and a report in
# a file, as stderr is what the tests compare.
export ASAN_OPTIONS="detect_leaks=0:exitcode=99:log_path=$logs/asan"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99:log_path=$logs/ubsan"
failed=0 tests=0
for test in "$unit" "$qtest"; do
    log=$logs/${test##*/}.log
    rc=0
    QTEST_QEMU_BINARY=$obj/qemu-system-ppc "$obj/$test" --tap -k > "$log" 2>&1 < /dev/null || rc=$?
    grep -E '^(not )?ok' "$log" || true
    # with a plan of its own, and one test more: how it ended
    tests=$((tests + 1 + $(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log")))
    if [ "$rc" -ne 0 ]; then
        echo "not ok - ${test##*/} ended with status $rc; log: $log"
        failed=1
    else
        echo "ok - ${test##*/} ended well"
    fi
done
# There is more in reports than findings: what ASan cannot do with coroutines.
for report in "$logs"/*san.*; do
    grep -qsE 'ERROR: |runtime error: ' "$report" || continue
    echo "not ok - $(grep -m 1 -E 'ERROR: |runtime error: ' "$report"): $report"
    failed=1
done
[ "$failed" -ne 0 ] || echo 'ok - no sanitizer found anything'
echo "1..$((tests + 1))"
exit "$failed"
