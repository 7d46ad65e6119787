#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# models.sh NAME...: runs in an arm64 host; what KVM makes of these CPU types. A
# line for each, and for each that virt takes and is not among them, with
# semicolons between:
#
#   NAME
#   VERDICT      accepted or declined, before the machine is built; told: it is declined,
#                and accepted with kvm-target-impl-cpus=host
#   consistent   the start ended as the verdict said: a guest that ran, or the
#                same refusal, which names that property if, and only if, it helps; and
#                with it no less is accepted, where the kernel has it; else INCONSISTENT
#   REGISTERS    "same" as under TCG, apart from what /files/kvm-owned lists;
#                "differs: " and how; "own: " and how, which is right for the
#                host's own CPU, of which KVM shows what there is; or "-"
#   REASON       of a refusal, or what is inconsistent

set -eu

qemu()
{
    timeout 120 qemu-system-aarch64 -M virt,gic-version=3 -nodefaults -display none "$@" < /dev/null
}

# start OPTION...: the guest that prints its registers
start() { qemu "$@" -serial stdio -monitor none -no-reboot -kernel "$HOST_GUESTS/idregs"; }

# reason FILE: why QEMU refused
reason() { sed -n "s/.*kvm cannot run CPU type '[^']*': //p" "$1" | tr ';' ','; }

# differences KVM TCG: the registers that differ outside the fields that
# kvm-owned has. Bits are characters here: awk's numbers have 53 of them.
differences()
{
    awk '
        function bits(hex,  i, s) {
            for (i = 1; i <= 16; i++) s = s four[substr(hex, i, 1)]
            return s
        }
        function without(s, field,  b) {
            split(field, b, ":")
            return substr(s, 1, 63 - b[1]) substr(zeros, 1, b[1] - b[2] + 1) substr(s, 65 - b[2])
        }
        BEGIN {
            for (i = 0; i < 16; i++) {
                four[substr("0123456789abcdef", i + 1, 1)] = int(i / 8) int(i / 4) % 2 int(i / 2) % 2 i % 2
                zeros = zeros "0000"
            }
        }
        FILENAME ~ /kvm-owned$/ {
            if (!/^(#|$)/) owned[$1] = owned[$1] " " $2
            next
        }
        { sub(/\r/, "") }
        !($1 in seen) { seen[$1] = 1; names[++n] = $1 }
        FILENAME == ARGV[2] { kvm[$1] = $2; next }
        { tcg[$1] = $2 }
        END {
            for (i = 1; i <= n; i++) {
                name = names[i]
                a = bits(kvm[name])
                b = bits(tcg[name])
                m = split(owned[substr(name, 1, index(name "[", "[") - 1)], fields)
                for (j = 1; j <= m; j++) { a = without(a, fields[j]); b = without(b, fields[j]) }
                if (a != b) {
                    printf "%s%s kvm=%s tcg=%s", sep, name, kvm[name], tcg[name]
                    sep = ", "
                }
            }
        }' /files/kvm-owned "$1" "$2"
}

# id MIDR: implementer and part
id() { printf '%s' "$1" | sed 's/.*\(..\)..\(...\).$/\1\2/'; }

host=$(cat /sys/devices/system/cpu/cpu0/regs/identification/midr_el1)
cd /tmp
# One that virt cannot take has QEMU say which ones it takes.
qemu -accel tcg -cpu cortex-m3 2>&1 | sed -n 's/^The valid models are: //p' | tr -d , | tr ' ' '\n' > virt
[ -s virt ] || { echo "models.sh: error: -M virt -cpu cortex-m3 does not list the models that virt takes" >&2; exit 1; }
while read -r name; do
    case " $* " in
    *" $name "*) ;;
    *) echo "$name;-;INCONSISTENT;-;virt takes it, and nobody asked about it" ;;
    esac
done < virt

# ask NAME FILE: QEMU's status, and its words in FILE
ask()
{
    asked=0
    qemu -accel kvm -cpu "$1" -dump-vmstate /dev/null 2> "$2" || asked=$?
}

told=,kvm-target-impl-cpus=host
ask "host$told" words
has_told=$asked
for name; do
    verdict=declined consistent=INCONSISTENT registers=- started=0
    ask "$name$told" words
    with=$asked
    ask "$name" asked
    start -accel kvm -cpu "$name" > kvm.regs 2> started || started=$?
    reason=$(reason asked)
    if [ "$asked" -eq 0 ]; then
        verdict=accepted
        if [ "$started" -eq 0 ] && grep -q '^MIDR_EL1 ' kvm.regs; then consistent=consistent; fi
        if [ "$has_told" -eq 0 ] && [ "$with" -ne 0 ]; then consistent=INCONSISTENT; fi
    elif [ "$asked $started" = '1 1' ] && [ -n "$reason" ] && cmp -s asked started; then
        case $with-$reason in
        0-*"${told#,} tells it"*)
            verdict=told
            start -accel kvm -cpu "$name$told" > kvm.regs 2> started || true
            if grep -q '^MIDR_EL1 ' kvm.regs; then consistent=consistent; fi ;;
        1-*"${told#,} tells it"* | 0-*) ;;
        *) consistent=consistent ;;
        esac
    fi
    if [ "$consistent" = INCONSISTENT ]; then
        reason="the question ended with status $asked: $(tr '\n;' ' ,' < asked), the start with status $started: $(tr '\n;' ' ,' < started)"
    elif [ "$verdict" != declined ] && [ "$name" != host ] && [ "$name" != max ]; then
        start -accel tcg -cpu "$name" > tcg.regs
        registers=$(differences kvm.regs tcg.regs)
        if [ "$(id "$(sed -n 's/\r//; s/^MIDR_EL1 //p' tcg.regs)")" = "$(id "$host")" ]; then
            registers="own: $registers"
        elif [ -z "$registers" ]; then
            registers=same
        else
            registers="differs: $registers"
        fi
    fi
    printf '%s;%s;%s;%s;%s\n' "$name" "$verdict" "$consistent" "$registers" "$reason"
done
