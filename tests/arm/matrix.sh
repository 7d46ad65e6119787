#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which CPU types KVM runs on which arm64 host. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

usage()
{
    cat <<EOF
Usage: tests/arm/matrix.sh [--tap] [--short]

Asks on each emulated arm64 host, 10 CPUs with 3 kernels each, whether KVM runs
each CPU type that virt takes, starts a guest with it, and prints a table: "yes",
"told" if it takes kvm-target-impl-cpus=host, "no", or "!" where

  - the answer is not what tests/arm/cases/matrix has,
  - the guest did not end as the answer said, or
  - has other identification registers, on the first or the second vCPU, than
    under TCG, apart from what tests/arm/cases/kvm-owned lists; with kernels that
    cannot write them, than with -cpu host.

Exit status 1 if there is a "!", or a cell of that file was not asked about.

  --tap    a line "ok" or "not ok" for each answer instead
  --short  on two hosts: Linux 7.2 on cortex-a57 and on neoverse-n1

Logs: build/logs/arm-matrix/.
EOF
}

hosts()
{
    for cpu in cortex-a53 cortex-a57 cortex-a72 cortex-a76 neoverse-n1 neoverse-v1 neoverse-n2 cortex-a710 \
               a64fx max,pauth-impdef=on; do
        for kernel in 6.1 6.12 7.2; do
            case $short,$cpu-$kernel in
            ,* | yes,cortex-a57-7.2 | yes,neoverse-n1-7.2) echo "$kernel $cpu" ;;
            esac
        done
    done
}

names() { sed -n 's/^\([a-z][^ ]*\) .*/\1/p' "$top/tests/arm/cases/matrix"; }

tap='' short=''
while [ $# -gt 0 ]; do
    case $1 in
    --tap) tap=yes ;;
    --short) short=yes ;;
    --host) break ;;
    --help | -h) usage; exit 0 ;;
    *) die "unknown option '$1'; see tests/arm/matrix.sh --help" ;;
    esac
    shift
done
logs=$build/logs/arm-matrix
if [ $# -gt 0 ]; then
    # --host KERNEL CPU: that one's answers
    log=$logs/$2-$3
    # shellcheck disable=SC2046 # a list
    "$top/hosts/run" --cpu "$3" --log "$log.console" --file "$top/tests/arm/in-host/models.sh" \
        --file "$top/tests/arm/cases/kvm-owned" "arm64-$2" -- sh /files/models.sh $(names) \
        < /dev/null > "$log.answers" 2> "$log.log" ||
        echo "more;-;INCONSISTENT;-;the host ended with status $?: $(tail -n 1 "$log.log" | tr ';' ,)" >> "$log.answers"
    exit 0
fi

if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
"$top/scripts/qemu-tree" --keep-work >&3
"$top/scripts/build-qemu" arm64 >&3
"$top/hosts/build" arm64-6.1 arm64-6.12 arm64-7.2 >&3
rm -rf "$logs"
mkdir -p "$logs"
say "asking $(hosts | wc -l) hosts, $jobs at a time (logs: ${logs#"$top"/}/)" >&3
hosts | xargs -P "$jobs" -L 1 sh "$0" --host
hosts | while read -r kernel cpu; do
    sed "s/^/$kernel;${cpu%%,*};/" "$logs/$kernel-$cpu.answers"
done > "$logs/answers"

# "KERNEL;CPU;NAME;y" for each cell that is wanted
hosts | while read -r kernel cpu; do
    sed -n "/^[a-z]/s/^/$kernel ${cpu%%,*} /p" "$top/tests/arm/cases/matrix"
done | awk '
    BEGIN {
        n = split("cortex-a53 cortex-a57 cortex-a72 cortex-a76 neoverse-n1 neoverse-v1 neoverse-n2 cortex-a710 a64fx max", cpus, " ")
        split("6.1 6.12 7.2", kernels, " ")
    }
    {
        for (i = 1; i <= n; i++) if (cpus[i] == $2) for (k = 1; k <= 3; k++) if (kernels[k] == $1)
            print $1 ";" $2 ";" $3 ";" substr($(3 + i), k, 1)
    }' > "$logs/wanted"

awk -F \; -v tap="$tap" '
    FILENAME == ARGV[1] { wanted[$1, $2, $3] = $4 == "y" ? "accepted" : $4 == "t" ? "told" : "declined"; cells++; next }
    {
        differs = $6 ~ /^differs/
        other = wanted[$1, $2, $3] != $4
        delete wanted[$1, $2, $3]
        unexpected += other
        bad = $5 != "consistent" || differs || other
        accepted += $4 == "accepted"
        told += $4 == "told"
        declined += $4 == "declined"
        inconsistent += $5 != "consistent"
        different += differs
        asked++
        why = other && $5 == "consistent" ? "tests/arm/cases/matrix has another answer; " $7 : \
              $7 ? $7 : differs ? "other registers than under TCG" substr($6, 8) : ""
    }
    tap {
        print (bad ? "not ok" : "ok") " - Linux " $1 " on " $2 ": " $3 " " $4 (bad ? ": " why : "")
        next
    }
    !(($2, $1) in seen) { seen[$2, $1]; cpu[++columns] = $2; kernel[columns] = $1; of[$2]++ }
    !($3 in seen) { seen[$3]; name[++rows] = $3 }
    { cell[$3, $2, $1] = bad ? "!" : $4 == "accepted" ? "yes" : $4 == "told" ? "told" : "no" }
    why && !(($3, why) in where) { reason[++reasons] = $3 SUBSEP why }
    why { where[$3, why] = where[$3, why] " " $2 "/" $1; times[$3, why]++ }
    END {
        if (!tap) {
            # the last column of a CPU is as wide as its name needs
            for (i = 1; i <= columns; i++) {
                width[i] = 5
                if (cpu[i] != cpu[i + 1]) {
                    rest = length(cpu[i]) + 3 - 5 * (of[cpu[i]] - 1)
                    width[i] = rest > 7 ? rest : 7
                }
            }
            printf "\n%-14s", "host"
            for (i = 1; i <= columns; i++) {
                group += width[i]
                if (cpu[i] != cpu[i + 1]) { printf "%-*s", group, cpu[i]; group = 0 }
            }
            printf "\n%-14s", "with Linux"
            for (i = 1; i <= columns; i++) printf "%-*s", width[i], kernel[i]
            print ""
            for (j = 1; j <= rows; j++) {
                printf "%-14s", name[j]
                for (i = 1; i <= columns; i++) printf "%-*s", width[i], cell[name[j], cpu[i], kernel[i]]
                print ""
            }
            print ""
            for (k = 1; k <= reasons; k++) {
                split(reason[k], r, SUBSEP)
                print r[1] ": " r[2] " (" (times[reason[k]] == columns ? "all" : substr(where[reason[k]], 2)) ")"
            }
            printf "\n%d cells: %d accepted, %d if the guest is told, %d declined, %d inconsistent, %d with other registers than under TCG, %d not as expected\n", \
                   asked, accepted, told, declined, inconsistent, different, unexpected
        } else {
            print "1.." cells
        }
        for (key in wanted) {
            missing++
            split(key, c, SUBSEP)
            print (tap ? "not ok - " : "") "Linux " c[1] " on " c[2] ": " c[3] " was not asked about"
        }
        exit inconsistent + different + unexpected + missing > 0 || !accepted
    }' "$logs/wanted" "$logs/answers" || die "not every answer is right, or no host runs any; logs: $logs/"
