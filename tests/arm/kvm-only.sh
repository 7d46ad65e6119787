#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Is QEMU without TCG the same under KVM as with it? See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

usage()
{
    cat <<USAGE
Usage: tests/arm/kvm-only.sh

Starts QEMU for arm64 hosts, and the same built without TCG, on an emulated Neoverse-N1
with Linux 7.2. Compares the AArch64 CPU types that they have, what each says of every
one of them, and the registers of guests that run. Prints TAP.

Logs: build/logs/arm-kvm-only/.
USAGE
}

case $#-${1-} in
0-) ;;
1---help | 1--h) usage; exit 0 ;;
*) die "unknown argument '$1'; see tests/arm/kvm-only.sh --help" ;;
esac
logs=$build/logs/arm-kvm-only
mkdir -p "$logs"
make_tmp
"$top/scripts/build-qemu" arm64 >&2
"$top/scripts/build-qemu" arm64-kvm-only >&2
"$top/hosts/build" arm64-7.2 >&2
log=$logs/answers
"$top/hosts/run" --cpu neoverse-n1 --log "$log.console" --file "$top/tests/arm/in-host/kvm-only.sh" \
    --file "$build/root-arm64-kvm-only:kvm-only" arm64-7.2 -- sh /files/kvm-only.sh < /dev/null > "$log" 2> "$log.err" ||
    echo "the host ended with status $?: $(tail -n 1 "$log.err")" > "$tmp/ended"

# answers BUILD WHAT: without what only a build with TCG can advise
answers() { awk -F ';' -v from="$1;$2;" 'index($0, from) == 1 { print substr($0, length(from) + 1) }' "$log" | grep -v "^Add '-accel tcg'" || :; }

# the_same WHAT: both say something, and the same
the_same()
{
    answers full "$1" > "$tmp/full"
    answers kvm-only "$1" > "$tmp/kvm-only"
    [ -s "$tmp/full" ] || { echo 'there is no answer'; return 1; }
    diff "$tmp/full" "$tmp/kvm-only"
}

# says WHAT TEXT: a line of what the build without TCG says is TEXT, or begins with it
says()
{
    answers kvm-only "$1" > "$tmp/said"
    awk -v text="$2" 'index($0, text) == 1 { found = 1 } END { exit !found }' "$tmp/said" || { cat "$tmp/said"; return 1; }
}

virt_has()
{
    { answers kvm-only help; echo max; } > "$tmp/help"
    answers full virt > "$tmp/virt"
    grep -qx neoverse-n1 "$tmp/virt" || { echo 'it is not known what virt takes'; return 1; }
    ! grep -vxF -f "$tmp/help" "$tmp/virt"
}

no_tcg() { [ "$(answers kvm-only accel)" = kvm ] || { answers kvm-only accel; return 1; }; }

if [ -e "$tmp/ended" ]; then not_ok 'the host comes to its end' - < "$tmp/ended"; else ok 'the host comes to its end'; fi
check 'the build without TCG has KVM alone' no_tcg
check 'it has all AArch64 CPU types that virt takes' virt_has
check '-cpu help: the AArch64 CPU types of a build with TCG' the_same help
check 'query-cpu-definitions: the same of each' the_same types
# shellcheck disable=SC2046 # a list
for cpu in $(answers full virt) cortex-a78ae; do
    check "-cpu $cpu: the same words, registers and status" the_same "-cpu $cpu"
    check "-cpu $cpu,kvm-target-impl-cpus=host: the same" the_same "-cpu $cpu,kvm-target-impl-cpus=host"
done
check '-cpu neoverse-n1: its guest runs' says '-cpu neoverse-n1' 'MIDR_EL1 00000000414fd0c1'
check '-cpu neoverse-n1: and ends' says '-cpu neoverse-n1' 'status 0'
check '-cpu cortex-a76,kvm-target-impl-cpus=host: its guest runs as one' \
    says '-cpu cortex-a76,kvm-target-impl-cpus=host' 'MIDR_EL1 00000000414fd0b1'
check '-cpu cortex-a57: an error that says why' says '-cpu cortex-a57' \
    "qemu-system-aarch64: kvm cannot run CPU type 'cortex-a57': it is Cortex-A57, and this host's Neoverse-N1 cannot be shown as one: "
check '-cpu cortex-a57: and what helps' says '-cpu cortex-a57' "Use '-cpu host' to run the host's own CPU."
done_testing
