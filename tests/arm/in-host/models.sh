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
#   REGISTERS    "same" on two CPUs, with and without that property, as under TCG,
#                apart from what /files/kvm-owned lists; where the kernel cannot write
#                them, "same" as with -cpu host; "differs: " and how; or "-"
#   REASON       of a refusal, or what is inconsistent

set -eu

qemu()
{
    timeout 120 qemu-system-aarch64 -M virt,gic-version=3 -nodefaults -display none "$@" < /dev/null
}

# start OPTION...: the guest that prints the registers of two CPUs
start() { qemu "$@" -smp 2 -serial stdio -monitor none -no-reboot -kernel "$HOST_GUESTS/idregs"; }

# reason FILE: why QEMU refused
reason() { sed -n "s/.*kvm cannot run CPU type '[^']*': //p" "$1" | tr ';' ','; }

# differences KVM TCG [OWN]: the registers that differ outside the fields that
# kvm-owned has, and those that it has for the model's own CPU with OWN. Bits are
# characters here: awk's numbers have 53 of them.
differences()
{
    awk -v own="${3-}" '
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
        # CCSIDR_EL1 with FEAT_CCIDX in the form without it
        function short(s) { return substr(zeros, 1, 36) substr(s, 18, 15) substr(s, 52, 10) substr(s, 62) }
        FILENAME ~ /kvm-owned$/ {
            if (own) sub(/^own:/, "")
            if (!/^(#|$)/) owned[$1] = owned[$1] " " $2
            next
        }
        { sub(/\r/, "") }
        !($1 in seen) { seen[$1] = 1; names[++n] = $1 }
        FILENAME == ARGV[2] { kvm[$1] = $2; next }
        { tcg[$1] = $2 }
        END {
            no_aarch32 = tcg["ID_AA64PFR0_EL1"] ~ /1$/      # EL0: these are UNKNOWN
            ccidx = tcg["ID_AA64MMFR2_EL1"] ~ /1.....$/
            for (i = 1; i <= n; i++) {
                name = names[i]
                register = name
                gsub(/^1:|\[.*/, "", register)
                if (no_aarch32 && register ~ /^(ID_[A-Z]+|MVFR)[0-9]_EL1$/) continue
                a = bits(kvm[name])
                b = bits(tcg[name])
                if (ccidx && register == "CCSIDR_EL1") b = short(b)
                m = split(owned[register], fields)
                for (j = 1; j <= m; j++) { a = without(a, fields[j]); b = without(b, fields[j]) }
                if (a != b) {
                    printf "%s%s kvm=%s tcg=%s", sep, name, kvm[name], tcg[name]
                    sep = ", "
                }
            }
        }' /files/kvm-owned "$1" "$2"
}

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
start -accel kvm -cpu host > host.regs 2> words || true
for name; do
    verdict=declined consistent=INCONSISTENT registers=- started=0
    ask "$name$told" words
    with=$asked
    ask "$name" asked
    start -accel kvm -cpu "$name" > kvm.regs 2> started || started=$?
    reason=$(reason asked)
    if [ "$asked" -eq 0 ]; then
        verdict=accepted
        if [ "$started" -eq 0 ] && grep -q '^1:MIDR_EL1 ' kvm.regs; then consistent=consistent; fi
        if [ "$has_told" -eq 0 ] && [ "$with" -ne 0 ]; then consistent=INCONSISTENT; fi
    elif [ "$asked $started" = '1 1' ] && [ -n "$reason" ] && cmp -s asked started; then
        case $with-$reason in
        0-*"${told#,} tells it"*)
            verdict=told
            start -accel kvm -cpu "$name$told" > kvm.regs 2> started || true
            if grep -q '^1:MIDR_EL1 ' kvm.regs; then consistent=consistent; fi ;;
        1-*"${told#,} tells it"* | 0-*) ;;
        *) consistent=consistent ;;
        esac
    fi
    if [ "$consistent" = INCONSISTENT ]; then
        reason="the question ended with status $asked: $(tr '\n;' ' ,' < asked), the start with status $started: $(tr '\n;' ' ,' < started)"
    elif [ "$verdict" != declined ] && [ "$name" != host ] && [ "$name" != max ]; then
        if [ "$has_told" -ne 0 ]; then
            registers=$(cmp kvm.regs host.regs 2>&1 || true)
        else
            start -accel tcg -cpu "$name" > tcg.regs
            own=
            [ "$verdict" = told ] || own=own
            registers=$(differences kvm.regs tcg.regs $own)
            if [ -n "$own" ]; then
                start -accel kvm -cpu "$name$told" > kvm.regs 2> started || true
                registers=$registers$(differences kvm.regs tcg.regs)
            fi
        fi
        registers=${registers:+differs: $registers}
        : "${registers:=same}"
    fi
    printf '%s;%s;%s;%s;%s\n' "$name" "$verdict" "$consistent" "$registers" "$reason"
done
