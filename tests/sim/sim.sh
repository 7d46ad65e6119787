#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All tests on the simulated /dev/kvm. See usage().

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
# shellcheck source=tests/sim/env.sh
. "$top/tests/sim/env.sh"
# shellcheck source=tests/lib/fault-rules.sh
. "$top/tests/lib/fault-rules.sh"

usage()
{
    cat <<EOF
Usage: tests/sim/sim.sh [--tap] [--only QTEST] [PART...]

Builds what is missing and runs these parts, or all:

  contract   each rule of the simulation's contract has a case that breaks it
  tools      faults, log and scripts of the simulation do what they say
  starts     QEMU on every profile: tests/sim/cases/starts
  base       QEMU without the series breaks the contract on e500v2: a dirty bitmap
             that is too short, and state that a reset leaves; with the series not
  shown      a model on a host of another one has that one's identification
  moves      a guest goes on on the same host, and on one with another CPU it does not
  saves      a guest is not saved while it uses registers that KVM does not show
  writes     what a guest writes while it is migrated arrives, or the migration fails
  refusals   KVM refuses a slot or a look: QEMU ends as it should, or not at all
  qtests     the project's qtests
  calibrate  the simulation answers as two emulated hosts do
  faults     each call to KVM fails in turn: tests/sim/faults.sh

  --tap  TAP: a line for each test, diagnostics, and the plan at the end
  --only QTEST  of the qtests the one of that name in this script's table

SIM_READY=1 builds no QEMU and takes the overlays that are there; SIM_ROOT_arm64=,
SIM_ROOT_powerpc= and SIM_ROOT_powerpc64= name other ones. SIM_PPC64=1 builds the last
as well, for e5500 and e6500; where it is not there, its tests are skipped.

Exit status 1 if a test fails. docs/testing.md has more. Logs: build/logs/sim/.
EOF
}

# verdict STATUS NAME FILE: a line, and the file's when it is not ok
verdict()
{
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        head -n 20 "$3" | sed 's/^/#   /'
    fi
}

# expect NAME PATTERN...: whether each is a line of $out
expect()
{
    [ -z "$skip" ] || { echo "ok - $1$skip"; return; }
    _name=$1 _rc=0
    shift
    for _pattern; do
        grep -qx -e "$_pattern" "$out" || { echo "no line $_pattern" >> "$out"; _rc=1; }
    done
    verdict "$_rc" "$_name" "$out"
}

part_contract()
{
    # what left_by_mmio() of test-contract.c wants
    printf '%s\n' 'mmio read 0x9000000 4' 'expect pc 0x1234' > "$logs/script"
    for profile in cortex-a57-6.1 max-7.2 e500v2-6.1 e500mc-6.1; do
        skip=$(sim_skip "$(sim_arch "$profile")")
        [ -z "$skip" ] || { echo "ok - $profile: its rules$skip"; continue; }
        for script in '' "$logs/script"; do
            ( [ -z "$script" ] || export KVM_SIM_SCRIPT="$script"
              sim_run "$profile" test-contract ) 2>&1 || [ "$?" -eq 1 ] || echo 'not ok - test-contract ended early'
        done | sed "s/ - / - $profile: /"
    done | tee "$logs/broken"
    [ -z "$SIM_NO_POWERPC" ] || { echo "ok - each rule is broken by a case # SKIP $SIM_NO_POWERPC"; return; }
    sim_run e500v2-6.1 test-contract rules > "$logs/rules"
    while read -r rule; do
        grep -v '# SKIP' "$logs/broken" | grep -q "^ok - [^ ]* $rule: " || echo "no case breaks $rule"
    done < "$logs/rules" > "$out"
    [ -s "$logs/rules" ] && [ ! -s "$out" ] && rc=0 || rc=1
    verdict "$rc" "each of $(wc -l < "$logs/rules") rules is broken by a case" "$out"
}

# calls PROFILE VARIABLE=VALUE...: the fixed list of calls; sets $skip where it cannot be made
calls()
{
    _p=$1 skip=$(sim_skip "$(sim_arch "$1")")
    shift
    [ -z "$skip" ] || return 0
    # shellcheck disable=SC2163 # variables with their values
    ( export "$@"; sim_run "$_p" test-contract calls ) > "$out" 2>&1 || echo "status $?" >> "$out"
}

part_tools()
{
    a=cortex-a57-7.2 p=e500v2-6.1
    calls $a KVM_SIM_FAULT=
    expect 'no fault' 'vm 1: ok' 'vm 2: ok' 'init: ok' 'list: ok' 'target: 5' 'pc 1: ok' 'midr: ok' 'registers: [2-9][0-9][0-9]'
    calls $a KVM_SIM_FAULT=open=EACCES
    expect 'a fault of open' 'open: EACCES'
    calls $a KVM_SIM_FAULT=KVM_CREATE_VM@2=ENOMEM
    expect 'the second call fails' 'vm 1: ok' 'vm 2: ENOMEM'
    calls $a 'KVM_SIM_FAULT=KVM_GET_ONE_REG@2+=EIO'
    expect 'the second and later ones fail' 'pc 1: ok' 'pc 2: EIO' 'pc 3: EIO' 'midr: EIO'
    calls $a KVM_SIM_FAULT=KVM_GET_ONE_REG/0x6030000000100040@3=EPERM
    expect 'a register fails' 'pc 2: ok' 'pc 3: EPERM' 'midr: ok'
    calls $a KVM_SIM_FAULT=KVM_GET_ONE_REG/0x6030000000100040@3=0x1234
    expect 'a register has another value' 'pc: 0x1234'
    calls $a KVM_SIM_FAULT=KVM_GET_ONE_REG/S3_0_C0_C0_0=gone
    expect 'a register is not there' 'midr: ENOENT' 'list: ok'
    calls $a KVM_SIM_FAULT=KVM_ARM_PREFERRED_TARGET=2
    expect 'a call fills in another value' 'target: 2'
    calls $a KVM_SIM_FAULT=KVM_CHECK_EXTENSION/10=7
    expect 'a capability has another value' 'slots: 7'
    calls $a 'KVM_SIM_FAULT=KVM_CREATE_VM@1=EPERM KVM_CREATE_VCPU=ENOMEM'
    expect 'two faults' 'vm 1: EPERM' 'vm 2: ok' 'vcpu: ENOMEM'
    calls $p KVM_SIM_FAULT=KVM_GET_REGS@2=EIO
    expect 'a fault on PowerPC' 'regs 1: ok' 'regs 2: EIO' 'tlb: ok'
    rm -f "$logs/used"
    calls $a KVM_SIM_FAULT=KVM_CREATE_VM@2=ENOMEM "KVM_SIM_FAULT_USED=$logs/used"
    cp "$logs/used" "$out"
    expect 'which faults happened' KVM_CREATE_VM@2=ENOMEM

    rm -f "$logs/calls"
    calls $a "KVM_SIM_LOG=$logs/calls"
    cp "$logs/calls" "$out"
    expect 'the log' 'open /dev/kvm -> ok' 'KVM_CREATE_VM kvm vm1 -> ok [0-9]*' 'close vm1' \
        'KVM_GET_ONE_REG vm2.vcpu0 0x6030000000100040 0x0 -> ok '

    printf '%s\n' 'mmio write 0x9000000 4 0x41' 'mmio read 0x9000004 2' 'event 2' > "$logs/script"
    calls $a "KVM_SIM_SCRIPT=$logs/script"
    expect 'a script of exits' 'run 1: ok, exit 6, write 0x9000000 4' 'run 2: ok, exit 6, read 0x9000004 2' \
        'run 3: ok, exit 24'
    printf '%s\n' 'tlbwe 3 0x80000100 0x3000 0x3f' 'expect-tlb 3 0x80000100 0x3000 0x3f' 'set tcr 0x42' \
        'expect tcr 0x42' 'exit 7' > "$logs/script"
    calls $p "KVM_SIM_SCRIPT=$logs/script"
    expect "a guest's TLB entry" 'run 1: ok, exit 7' 'entry 3: 0x80000100'
    printf '%s\n' 'expect tcr 0x43' > "$logs/script"
    calls $p "KVM_SIM_SCRIPT=$logs/script"
    expect 'a value that is not as expected' 'kvm-sim: contract expected-state broken: .*' 'status 86'
    printf '%s\n' 'set pc 0x1000' 'expect pc 0x1000' 'event 1' > "$logs/script"
    calls $a "KVM_SIM_SCRIPT=$logs/script"
    expect "a guest's register" 'run 1: ok, exit 24'
    for profile in $a $p; do
        printf '%s\n' 'set pc 0x1234' "state $logs/state" 'exit 7' > "$logs/script"
        calls "$profile" "KVM_SIM_SCRIPT=$logs/script"
        [ -n "$skip" ] || cat "$logs/state" >> "$out"
        case $profile in
        "$a") expect "$profile: the state" 'run 1: ok, exit 7' 'vcpu0:0x6030000000100040 0*1234' 'vcpu0:mp_state 0' ;;
        "$p") expect "$profile: the state" 'run 1: ok, exit 7' 'vcpu0:pc 0x1234' 'vcpu0:tlb 512/4,16/16' ;;
        esac
    done
    mkdir -p "$logs/rule"
    for profile in $a $p; do
        sim_run "$profile" fault-calls > "$logs/rule/plain"
        fault_rules "$(sim_arch "$profile")" > "$logs/rules"
        while IFS=\; read -r rule what; do
            fault_rule "$logs/rule" kvm-sim KVM_SIM_FAULT "$rule" "$what" sim_run "$profile" fault-calls > "$out" < /dev/null && rc=0 || rc=1
            verdict "$rc" "$profile: the fault '$rule': ${what:-nothing}" "$out"
        done < "$logs/rules"
    done
    bad_settings
}

# bad NAME PATTERN VARIABLE=VALUE: the library says that, with a remedy, and ends
bad()
{
    calls cortex-a57-7.2 "$3"
    expect "$1 is an error" "kvm-sim: $2; .*" 'status 2'
}

# What KVM_SIM_* can have that is no good; "_" is a space in these lists
bad_settings()
{
    bad 'a contract that is none' "KVM_SIM_CONTRACT is 'lgo'" KVM_SIM_CONTRACT=lgo
    bad 'a log that cannot be written' "KVM_SIM_LOG: $logs/no/log: No such .*" "KVM_SIM_LOG=$logs/no/log"
    bad 'a CPU that is not there' "KVM_SIM_CPUS: '1' is no CALL@N=CPU and no list of CPUs .*" KVM_SIM_CPUS=1
    bad 'a script that is not there' "KVM_SIM_SCRIPT: $logs/no: No such .*" "KVM_SIM_SCRIPT=$logs/no"
    while read -r step why; do
        printf '# a comment\n%s\n' "$step" | tr _ ' ' > "$logs/script"
        bad "the step $step" "$logs/script:2: $why" "KVM_SIM_SCRIPT=$logs/script"
    done <<EOF
dance no such step
mmio_read_0x9000000 too few words or too many
event_1_2 too few words or too many
vcpu_one a number is wanted
event_off a number is wanted
set_sp_1 no such register, entry or value
EOF
    printf '%s\n' "state $logs/no/state" > "$logs/script"
    bad 'a state that cannot be written' "KVM_SIM_SCRIPT: $logs/no/state.new: No such .*" "KVM_SIM_SCRIPT=$logs/script"
    profile_file=$logs/no
    bad 'a profile that is not there' "profile $logs/no: No such .*" KVM_SIM_FAULT=
    profile_file=$sim_profiles/e500v2-6.1
    bad "another architecture's profile" 'profile .* is for powerpc, and this program for arm64' KVM_SIM_FAULT=
    profile_file=$logs/profile
    while read -r line why; do
        printf 'arch arm64\n%s\n' "$line" | tr _ ' ' > "$logs/profile"
        bad "the profile's line $line" "$logs/profile:2: $why" KVM_SIM_FAULT=
    done <<EOF
no_such_line no such word
cap_1 a word is missing
cap_1_x a number is wanted
cap_99999_1 the number is too large
masks_1 too many words
reg_1_0_ro_EWHAT an errno's name is wanted
include_profile this includes itself
EOF
    profile_file=
}

# one_start N: line N of tests/sim/cases/starts
one_start()
{
    IFS=\; read -r profile options outcome regex <<EOF
$(grep -v '^#' "$top/tests/sim/cases/starts" | sed -n "$1p")
EOF
    out=$logs/start-$1
    words=${profile#"${profile%% *}"} profile=${profile%% *} fault='' cpus=''
    for word in $words; do
        case $word in
        cpus:*) cpus="$cpus ${word#cpus:}" ;;
        *) fault="$fault $word" ;;
        esac
    done
    # shellcheck disable=SC2086 # a list
    sim_program "$profile" $options
    name="$profile$words: $options: $outcome"
    skip=$(sim_skip "$arch")
    [ -z "$skip" ] || { echo "ok - $name$skip"; return; }
    case $arch in powerpc*) options="${options#ppc64 } -nic none -kernel $sim_build/kernel-ppc" ;; esac
    status=0
    # shellcheck disable=SC2086 # a list
    KVM_SIM_PROFILE=$profile KVM_SIM_FAULT="$fault" KVM_SIM_CPUS="$cpus" sim_start 60 "$sim_build/bin-$arch/$program" $options > "$out" 2>&1
    enabled=no
    if sim_await sim_qmp query-kvm.enabled > "$out.enabled" 2>&1; then
        ! grep -qx true "$out.enabled" || enabled=yes
        sim_qmp quit
    fi
    reap "$started" || status=$?
    sed -i '/: warning: /d' "$out"
    case $outcome in
    kvm) want='0 yes 0' ;;
    tcg) want='0 no 1' ;;
    refused) want='1 no 0' ;;
    esac
    got="$status $enabled $(grep -c 'falling back to tcg' "$out")" || true
    rc=1
    case $regex in
    '') ;;
    !*) ! grep -qE -e "${regex#!}" "$out" || got='what it should not say' ;;
    *) grep -qE -e "$regex" "$out" || got="no '$regex'" ;;
    esac
    if [ "$got" = "$want" ]; then rc=0; fi
    if [ "$outcome" = kvm ]; then
        rc=1
        if [ "$got" = "$want" ] && [ ! -s "$out" ]; then rc=0; fi
    fi
    verdict "$rc" "$name" "$out"
}

part_starts()
{
    n=$(grep -vc '^#' "$top/tests/sim/cases/starts")
    seq "$n" | xargs -P "$jobs" -I N sh "$0" --start N
    echo "1..$n"
}

# reset_run ROOT CONTRACT: QEMU on e500v2-6.1, whose guest changes state and is reset, and
# then resets itself by a write to the machine's RSTCR; the log is in $logs/reset
reset_run()
{
    rm -f "$logs/reset" "$logs/1" "$logs/2" "$logs/3"
    printf '%s\n' 'set tcr 0x04000000' 'set ivpr 0xc0000000' 'set ivor4 0x4440' \
        'tlbwe 3 0x80000100 0x00003000 0x3f' 'tlbwe 515 0x80000500 0x10000000 0x3f' "touch $logs/1" \
        "until $logs/2" 'expect tcr 0' 'expect ivpr 0' 'expect-tlb 3 0 0 0' 'expect-tlb 515 0 0 0' \
        'set tcr 0x04000000' 'mmio write 0xfe00e00b0 4 2' 'expect tcr 0' "touch $logs/3" > "$logs/script"
    SIM_ROOT_powerpc=$1 SIM_CONTRACT=$2 KVM_SIM_PROFILE=e500v2-6.1 KVM_SIM_LOG=$logs/reset \
        KVM_SIM_SCRIPT=$logs/script sim_start 60 "$sim_build/bin-powerpc/qemu-system-ppc" -M ppce500 \
        -accel kvm -cpu e500v2_v30 -nic none -kernel "$sim_build/kernel-ppc" > "$out" 2>&1
    # QEMU can be gone at any moment
    {
        sim_await [ -e "$logs/1" ]
        sim_qmp stop
        sim_qmp system_reset
        : > "$logs/2"
        sim_qmp cont
        sim_await [ -e "$logs/3" ]
        sim_qmp quit
    } > "$logs/said" 2>&1 || true
    status=0
    reap "$started" || status=$?
}

part_base()
{
    skip=$(sim_skip powerpc)
    [ -z "$skip" ] || { echo "ok - without the series QEMU breaks the contract on e500v2$skip"; return; }
    reset_run "$build/root-base-ppc" ''
    [ "$status" -eq 86 ] && grep -q 'contract dirty-bitmap broken: 528 entries need 72 bytes, and the bitmap has 66' "$out" && rc=0 || rc=1
    verdict "$rc" 'without the series QEMU gives KVM_DIRTY_TLB a bitmap that is too short' "$out"
    reset_run "$build/root-base-ppc" log
    grep 'contract ' "$logs/reset" > "$out" || true
    grep -q 'contract expected-state broken: ivpr of .* is 0xc0000000 and was to be 0x0' "$out" && rc=0 || rc=1
    verdict "$rc" 'without the series a reset leaves the special registers as the guest had them' "$out"
    grep -q 'contract expected-state broken: TLB entry 515 is MAS1 0x80000500' "$out" && rc=0 || rc=1
    verdict "$rc" 'without the series a reset leaves the TLBs as the guest had them' "$out"
    reset_run "${SIM_ROOT_powerpc:-$(sim_root powerpc)}" ''
    [ "$status" -eq 0 ] && [ -e "$logs/3" ] && ! grep -q 'contract ' "$logs/reset" && rc=0 || rc=1
    verdict "$rc" 'with the series neither' "$out"
    # 6 is KVM_EXIT_MMIO, 10 KVM_EXIT_INTR
    grep -A 1 '^KVM_RUN .* exit 6 ' "$logs/reset" > "$out" || true
    tail -n 1 "$out" | grep -q '^KVM_RUN .* exit 10 -> EINTR' && rc=0 || rc=1
    verdict "$rc" "the guest's store that resets it is completed first" "$out"
}

part_shown()
{
    # TCG's cortex-a53: MIDR_EL1, CLIDR_EL1, and CCSIDR_EL1 of the first level's data and
    # instruction caches and of the second level, without bits 31:28, which KVM has zero
    printf '%s\n' 'expect S3_0_C0_C0_0 0x410fd034' 'expect S3_1_C0_C0_1 0x0a200023' \
        'expect 0x6020000000110000 0x000fe01a' 'expect 0x6020000000110001 0x003fe002' \
        'expect 0x6020000000110002 0x007fe07a' 'event 1' > "$logs/script"
    KVM_SIM_PROFILE=cortex-a57-7.2 KVM_SIM_SCRIPT=$logs/script timeout -s KILL 120 \
        "$sim_build/bin-arm64/qemu-system-aarch64" -M virt -accel kvm -cpu cortex-a53,kvm-lose-errata-workarounds=on \
        -display none -nodefaults > "$out" 2>&1 && rc=0 || rc=1
    verdict "$rc" 'a Cortex-A53 on a Cortex-A57 has its number and its caches' "$out"
    # MIDR_EL1 and REVIDR_EL1 of the CPUs that QEMU may run on, and not of the boot CPU
    printf '%s\n' 'expect S3_0_C0_C0_0 0x411fd073' 'expect S3_0_C0_C0_6 0x12' 'event 1' > "$logs/script"
    KVM_SIM_PROFILE=cortex-a57+a57-7.2 KVM_SIM_CPUS=4-5 KVM_SIM_SCRIPT=$logs/script timeout -s KILL 120 \
        "$sim_build/bin-arm64/qemu-system-aarch64" -M virt -accel kvm -cpu cortex-a57 -display none \
        -nodefaults > "$out" 2>&1 && rc=0 || rc=1
    verdict "$rc" 'a model has the revision of the CPUs that it runs on' "$out"

    # Linux's Documentation/virt/kvm/arm/hypercalls.rst: X0 to X3 of DISCOVER_IMPL_VER, and
    # of DISCOVER_IMPL_CPUS with the number of a CPU in X1
    x=0x603000000010000
    set -- 0x410fd080:5:7 0x411fd070
    {
        echo "hypercall 0xc6000040"
        printf '%s\n' "expect ${x}0 0" "expect ${x}2 0x10000" "expect ${x}4 $#" "expect ${x}6 0"
        printf '%s\n' "set ${x}2 0" "hypercall 0xc6000041" "expect ${x}0 0" "expect ${x}2 0x410fd080" "expect ${x}4 5" "expect ${x}6 7"
        printf '%s\n' "set ${x}2 1" "hypercall 0xc6000041" "expect ${x}0 0" "expect ${x}2 0x411fd070" "expect ${x}4 0" "expect ${x}6 0"
        printf '%s\n' "set ${x}2 $#" "hypercall 0xc6000041" "expect ${x}0 0xfffffffffffffffd"
        printf '%s\n' 'hypercall 0xc6000042' "expect ${x}0 0xffffffffffffffff" 'event 1'
    } > "$logs/script"
    KVM_SIM_PROFILE=cortex-a57-7.2 KVM_SIM_SCRIPT=$logs/script timeout -s KILL 120 \
        "$sim_build/bin-arm64/qemu-system-aarch64" -M virt -accel kvm -cpu "host,kvm-target-impl-cpus=$1-$2" -display none \
        -nodefaults > "$out" 2>&1 && rc=0 || rc=1
    verdict "$rc" 'a guest that asks is told on which CPUs it may run' "$out"

    printf '%s\n' 'expect 0x6030000000140000 0x10000' 'event 1' > "$logs/script"
    KVM_SIM_PROFILE=cortex-a57-7.2 KVM_SIM_SCRIPT=$logs/script timeout -s KILL 120 \
        "$sim_build/bin-arm64/qemu-system-aarch64" -M virt -accel kvm -cpu host,kvm-psci-version=1.0 -display none \
        -nodefaults > "$out" 2>&1 && rc=0 || rc=1
    verdict "$rc" 'a guest has the PSCI version that was asked for' "$out"
}

# told NAME REGEX CPU PROFILE[ CPUS] CPU: a guest of the first type on a Cortex-A57 goes on with
# the second one on PROFILE, or not, and REGEX is said
told()
{
    rm -f "$logs/1" "$logs/stream"
    printf '%s\n' 'scribble 1' "touch $logs/1" > "$logs/script"
    set -- "$@" "$sim_build/bin-arm64/qemu-system-aarch64" -M virt,gic-version=3 -accel kvm -m 16 -cpu
    name=$1 regex=$2 from=$3 profile=$4 to=$5
    shift 5
    KVM_SIM_PROFILE=cortex-a57-7.2 KVM_SIM_SCRIPT=$logs/script sim_start 120 "$@" "$from" > "$out" 2>&1
    { sim_await [ -e "$logs/1" ] && sim_save "$logs/stream" && sim_qmp quit; } > "$logs/said" 2>&1 || true
    reap "$started" || true
    echo 'event 1' > "$logs/script"     # it switches off when it goes on
    status=0
    cpus=
    case $profile in *' '*) cpus=${profile#* } ;; esac
    KVM_SIM_PROFILE=${profile% *} KVM_SIM_CPUS=$cpus KVM_SIM_SCRIPT=$logs/script sim_start 120 "$@" "$to" -incoming "file:$logs/stream" >> "$out" 2>&1
    reap "$started" || status=$?
    rc=1
    if [ -z "$regex" ]; then
        [ "$status" -ne 0 ] || rc=0
    elif [ "$status" -eq 1 ] && grep -q "$regex" "$out"; then
        rc=0
    fi
    echo "status $status" >> "$out"
    verdict "$rc" "$name" "$out"
}

part_moves()
{
    set -- "$sim_build/bin-arm64/qemu-system-aarch64" -M virt -accel kvm -cpu host -m 16
    rm -f "$logs/1" "$logs/stream"
    printf '%s\n' 'scribble 1' "touch $logs/1" > "$logs/script"
    KVM_SIM_PROFILE=cortex-a72-6.1 KVM_SIM_SCRIPT=$logs/script sim_start 120 "$@" > "$out" 2>&1
    { sim_await [ -e "$logs/1" ] && sim_save "$logs/stream" && sim_qmp quit; } > "$logs/said" 2>&1 || true
    reap "$started" || true
    echo 'event 1' > "$logs/script"     # it switches off when it goes on
    for profile in cortex-a72-6.1 cortex-a57-6.1; do
        status=0
        KVM_SIM_PROFILE=$profile KVM_SIM_SCRIPT=$logs/script sim_start 120 "$@" \
            -incoming "file:$logs/stream" > "$out" 2>&1
        reap "$started" || status=$?
        rc=1
        case $profile in
        cortex-a72-*) name='a guest goes on on the host that it comes from'
            [ "$status" -ne 0 ] || rc=0 ;;
        *) name="a guest does not go on on another CPU, and the register is named"
            [ "$status" -ne 1 ] || ! grep -q 'cannot have the CPU of the incoming state: .*is 0x410fd083 there and 0x411fd070 here' "$out" || rc=0 ;;
        esac
        verdict "$rc" "$name" "$out"
    done

    # what there is of the stream ends in the RAM
    head -c 16384 "$logs/stream" > "$logs/short"
    status=0 rc=1
    KVM_SIM_PROFILE=cortex-a57-6.1 KVM_SIM_SCRIPT=$logs/script sim_start 120 "$@" \
        -incoming "file:$logs/short" > "$out" 2>&1
    reap "$started" || status=$?
    [ "$status" -ne 1 ] || ! grep -q 'cannot have the CPU of the incoming state: .*is 0x410fd083 there and 0x411fd070 here' "$out" || rc=0
    verdict "$rc" 'and is refused before its RAM' "$out"

    # a Cortex-A53 on a Cortex-A57, and then on a Cortex-A72 or on a Cortex-A57
    both=cortex-a53,kvm-target-impl-cpus=0x411fd070-0x410fd083 own=cortex-a53,kvm-target-impl-cpus=host
    lose=cortex-a53,kvm-lose-errata-workarounds=on
    told 'a guest that was told of both goes on on the other one' '' $both cortex-a72-7.2 $both
    told 'and where only the other one would be told of' '' $both cortex-a72-7.2 $own
    told 'one that was told of the one does not' 'kvm-target-impl-cpus: this host.s CPU, Cortex-A72 (0x410fd083:0x0), is not on the list' \
        $own cortex-a72-7.2 $both
    told 'one that was told does not where none is told' 'the guest was told on which CPUs it may run: start this QEMU with' \
        $both cortex-a57-7.2 $lose
    told 'one that was not told does not where one is' 'the guest cannot ask on which CPUs it may run: start this QEMU without' \
        $lose cortex-a57-7.2 $own
    told 'one that was not told goes on where none is' '' $lose cortex-a72-7.2 $lose
    revisions=cortex-a57,kvm-target-impl-cpus=0x411fd070-0x411fd073:0x12
    told 'one on its own CPU does not go on on another revision' 'MIDR_EL1 (0x603000000013c000) is 0x411fd070 there and 0x411fd073 here' \
        cortex-a57 'cortex-a57+a57-7.2 4-5' cortex-a57
    told 'and does if it was told of both' '' $revisions 'cortex-a57+a57-7.2 4-5' $revisions
}

# save_run: QEMU on $profile with $options, whose guest has $msr in its MSR when it is to be saved
save_run()
{
    # both write: QEMU, without >>, over what it did not
    rm -f "$logs/1" "$logs/stream" "$out"
    printf '%s\n' "set msr $msr" "touch $logs/1" > "$logs/script"
    # shellcheck disable=SC2086 # a list
    KVM_SIM_PROFILE=$profile KVM_SIM_SCRIPT=$logs/script sim_start 60 "$sim_build/bin-$arch/$program" $options \
        -nic none -kernel "$sim_build/kernel-ppc" >> "$out" 2>&1
    { sim_await [ -e "$logs/1" ] && sim_qmp stop && sim_save "$logs/stream" && sim_qmp quit; } >> "$out" 2>&1 || true
    reap "$started" || echo "exit $?" >> "$out"
}

part_saves()
{
    while IFS=\; read -r profile options msr unit; do
        # shellcheck disable=SC2086 # a list
        sim_program "$profile" $options
        name="$profile: a guest with MSR $msr is ${unit:+not }saved${unit:+, it uses the $unit}"
        skip=$(sim_skip "$arch")
        [ -z "$skip" ] || { echo "ok - $name$skip"; continue; }
        options=${options#ppc64 }
        save_run
        if [ -n "$unit" ]; then
            grep -q "The guest uses the $unit, " "$out" && grep -q '^Status:[[:space:]]*failed' "$out" && rc=0 || rc=1
        else
            grep -q '^Status:[[:space:]]*completed' "$out" && rc=0 || rc=1
        fi
        verdict "$rc" "$name" "$out"
    done <<EOF
e500v2-6.1;-M ppce500 -accel kvm -cpu e500v2_v30;0x02000000;SPE
e500v2-6.1;-M ppce500 -accel kvm -cpu e500v2_v30;0x2000;
e500mc-6.1;-M ppce500 -accel kvm -cpu e500mc;0x2000;floating-point unit
e500mc-6.1;-M ppce500 -accel kvm -cpu e500mc;0x02000000;
e6500-6.1;ppc64 -M ppce500 -accel kvm -cpu e6500;0x2000;floating-point unit
e6500-6.1;ppc64 -M ppce500 -accel kvm -cpu e6500;0x02000000;AltiVec unit
EOF
}

# What order() waits for: some pages have gone; the migration is over; it has come
# shellcheck disable=SC2317 # called by sim_await
begun() { settled || [ "$(sim_qmp query-migrate.ram | sed 's/.*"normal": \([0-9]*\).*/\1/')" -gt 50 ]; }
# shellcheck disable=SC2317
settled() { status=$(sim_qmp query-migrate.status) && { [ "$status" = completed ] || [ "$status" = failed ]; }; }
# shellcheck disable=SC2317
loaded() { _state=$(sim_qmp query-status.status) && [ "$_state" != inmigrate ]; }

# order PROFILE FAULT STEP...: a guest writes 1 at 1 MiB of its RAM, and is migrated, so
# slowly that nobody asks KVM for its log until the last STEP is done: begins, when that page
# has gone, and some of those behind it, which are not zero; writes, when it has written 2; or a command of the monitor. FAULT holds
# from the first STEP on. The end is in $status, and in $arrived what another QEMU has there
order()
{
    profile=$1 fault=$2
    shift 2
    sim_program "$profile"
    case $arch in
    arm64) options='-M virt -accel kvm -cpu host' at=0x40100000 ;;
    *) options="-M ppce500 -accel kvm -cpu e500v2_v30 -nic none -kernel $sim_build/kernel-ppc" at=0x100000 ;;
    esac
    options="$options -m 64 -object memory-backend-file,id=ram,size=64M,share=off,mem-path=$logs/ram -machine memory-backend=ram"
    rm -f "$logs/fails" "$logs/stream" "$logs/1" "$logs/2" "$logs/3" "$out"
    printf '%s\n' "write $at 1" "touch $logs/1" "until $logs/2" "$exit" "write $at 2" "touch $logs/3" > "$logs/script"
    # shellcheck disable=SC2086 # a list
    KVM_SIM_PROFILE=$profile KVM_SIM_SCRIPT=$logs/script KVM_SIM_FAULT="$fault" KVM_SIM_FAULT_IF=$logs/fails \
        sim_start 120 "$sim_build/bin-$arch/$program" $options >> "$out" 2>&1
    status='' arrived=''
    {
        sim_await [ -e "$logs/1" ]
        : > "$logs/fails"
        for step; do
            case $step in
            begins)
                sim_qmp migrate-set-parameters max-bandwidth=100000 -- migrate "uri=file:$logs/stream"
                sim_await begun ;;
            writes)
                : > "$logs/2"
                # by a look, it comes out of KVM_RUN if it runs
                sim_qmp cont -- human-monitor-command 'command-line=info registers' > "$logs/looked"
                sim_await [ -e "$logs/3" ] ;;
            *) sim_qmp "$step" ;;
            esac
        done
        ! settled || echo "too early: $status"
        sim_qmp migrate-set-parameters max-bandwidth=0
        sim_await settled
        [ "$status" = completed ] || sim_qmp query-migrate.error-desc -- query-status.status
        sim_qmp quit
    } >> "$out" 2>&1 || true
    reap "$started" || echo "exit $?" >> "$out"
    [ "$status" = completed ] || return 0
    # shellcheck disable=SC2086 # a list
    KVM_SIM_PROFILE=$profile sim_start 120 "$sim_build/bin-$arch/$program" $options \
        -incoming "file:$logs/stream" >> "$out" 2>&1
    {
        sim_await loaded
        arrived=$(sim_qmp human-monitor-command "command-line=xp/1xw $at")
        sim_qmp quit
    } >> "$out" 2>&1 || true
    reap "$started" || echo "exit $?" >> "$out"
}

# arrives NAME
arrives()
{
    rc=1
    case $status-$arrived in completed-*' 0x00000002') grep -q '^too early' "$out" || rc=0 ;; esac
    echo "$status, $arrived" >> "$out"
    verdict "$rc" "$profile: $1" "$out"
}

# fails NAME ADDRESS STATE: the migration has, as the slot there has no log, and the guest
# is as it was
fails()
{
    rc=1
    if [ "$status" = failed ] && grep -qx "$3" "$out" &&
        grep -q "^KVM cannot log what the guest writes at $2: $slot failed; try again.*: Cannot allocate memory" "$out"; then
        rc=0
    fi
    echo "$status" >> "$out"
    verdict "$rc" "$profile: $1" "$out"
}

part_writes()
{
    slot=KVM_SET_USER_MEMORY_REGION exit='# goes on'
    # from 16 MiB to 32 MiB no page is zero
    dd if=/dev/urandom of="$logs/ram" bs=1M count=16 seek=16 iflag=fullblock status=none
    truncate -s 64M "$logs/ram"
    for profile in cortex-a57-6.1 e500v2-6.1; do
        skip=$(sim_skip "$(sim_arch "$profile")")
        [ -z "$skip" ] || { echo "ok - $profile: what is written arrives$skip"; continue; }
        order "$profile" '' begins writes
        arrives 'what is written while it is migrated arrives'
        order "$profile" '' stop begins writes stop
        arrives 'what is written after a cont, and before a stop, arrives'
        order "$profile" '' begins stop writes stop cont stop
        arrives 'what is written between two stops arrives'
    done
    order cortex-a57-6.1 $slot=ENOMEM begins writes
    fails 'no log, a guest that runs: the migration fails' 0x0 running
    order cortex-a57-6.1 $slot=ENOMEM stop begins writes stop
    fails 'no log, a guest that was stopped and is not any more: the migration fails' 0x0 paused
    order cortex-a57-6.1 $slot=ENOMEM stop begins stop
    case $status-$arrived in completed-*' 0x00000001') rc=0 ;; *) rc=1 ;; esac
    verdict "$rc" "$profile: no log, a guest that is stopped: it is migrated" "$out"
    # writes to the second flash of virt: it leaves its slot, the fifth call after the logs of
    # four, and comes back into one, which is refused with its log and not without
    exit="mmio write 0x4000000 4 0x90
mmio write 0x4000000 4 0xff"
    order cortex-a57-6.1 $slot@6=ENOMEM begins writes
    fails 'no log of a slot that comes: the migration fails' 0x4000000 running
}

# ends NAME FAULT STATUS: QEMU, whose KVM has that FAULT, ends so, after it named the call
ends()
{
    status=0
    KVM_SIM_PROFILE=cortex-a57-6.1 KVM_SIM_FAULT=$2 prlimit --core=0 timeout -s KILL 60 "$sim_build/bin-arm64/qemu-system-aarch64" \
        -M virt -accel kvm -cpu host -m 16 -display none -nodefaults -S > "$out" 2>&1 || status=$?
    [ "$status" = "$3" ] && grep -q "${2%%[@=]*} " "$out" && rc=0 || rc=1
    echo "status $status" >> "$out"
    verdict "$rc" "$1" "$out"
}

part_refusals()
{
    slot=KVM_SET_USER_MEMORY_REGION
    ends 'a slot that no kernel can have is a bug of QEMU: it aborts' $slot@2=EINVAL 134
    ends 'so is one that overlaps' $slot@1=EEXIST 134
    ends 'a slot for which there is no memory is none' $slot@2=ENOMEM 1

    # what has not begun is looked at, and then begins
    rm -f "$logs/1" "$logs/fails" "$out"
    echo "touch $logs/1" > "$logs/script"
    KVM_SIM_PROFILE=cortex-a57-6.1 KVM_SIM_SCRIPT=$logs/script KVM_SIM_FAULT=KVM_GET_MP_STATE=EIO KVM_SIM_FAULT_IF=$logs/fails \
        sim_start 60 "$sim_build/bin-arm64/qemu-system-aarch64" -M virt -accel kvm -cpu host -m 16 -S >> "$out" 2>&1
    sim_await sim_qmp query-status > "$logs/looked" 2>&1 || true
    : > "$logs/fails"
    sim_qmp human-monitor-command 'command-line=info registers' > "$logs/looked" 2>&1 || true
    rm "$logs/fails"
    { sim_qmp query-status.status -- cont && sim_await [ -e "$logs/1" ] && sim_qmp quit; } >> "$out" 2>&1 || true
    status=0
    reap "$started" || status=$?
    [ "$status" -eq 0 ] && [ -e "$logs/1" ] && grep -qx prelaunch "$out" && grep -q 'Failed to get registers: Input/output error' "$out" && rc=0 || rc=1
    verdict "$rc" 'a look that fails ends no QEMU, and its guest starts' "$out"

    # a reset that KVM refuses at first is put as one, before the guest goes on: a guest that
    # ran would keep its timers
    skip=$(sim_skip powerpc)
    [ -z "$skip" ] || { echo "ok - a reset that was refused is put before the guest goes on$skip"; return; }
    rm -f "$logs/1" "$logs/2" "$logs/3" "$logs/fails" "$out"
    printf '%s\n' "state $logs/started" 'scribble 1' "state $logs/used" "touch $logs/1" "until $logs/2" \
        "state $logs/again" "touch $logs/3" > "$logs/script"
    KVM_SIM_PROFILE=e500v2-6.1 KVM_SIM_SCRIPT=$logs/script KVM_SIM_FAULT=KVM_SET_SREGS=EIO KVM_SIM_FAULT_IF=$logs/fails \
        sim_start 60 "$sim_build/bin-powerpc/qemu-system-ppc" -M ppce500 -accel kvm -cpu e500v2_v30 -m 64 -nic none \
        -kernel "$sim_build/kernel-ppc" >> "$out" 2>&1
    # shellcheck disable=SC2094 # QEMU writes there, too
    {
        sim_await [ -e "$logs/1" ]
        sim_qmp stop
        : > "$logs/fails"
        sim_qmp system_reset
        sim_await grep -q 'KVM_SET_SREGS' "$out"
        rm "$logs/fails"
        : > "$logs/2"
        sim_qmp cont
        sim_await [ -e "$logs/3" ]
        sim_qmp quit
    } >> "$out" 2>&1 || true
    reap "$started" || echo "exit $?" >> "$out"
    for when in started used again; do grep -E '^vcpu0:(mcsr|tsr|dec) ' "$logs/$when" > "$logs/$when.regs" || true; done
    rc=1
    if [ -s "$logs/started.regs" ] && cmp -s "$logs/started.regs" "$logs/again.regs" &&
        ! cmp -s "$logs/used.regs" "$logs/again.regs"; then
        rc=0
    fi
    verdict "$rc" 'a reset that was refused is put before the guest goes on' "$out"
}

# one_qtest NAME PROFILE ARCH TEST QEMU [OPTION...]
one_qtest()
{
    name=$1 profile=$2 arch=$3 test=$4 qemu=$5
    shift 5
    case $arch in
    arm64) root=${SIM_ROOT_arm64:-$(sim_root arm64)} ;;
    powerpc) root=${SIM_ROOT_powerpc:-$(sim_root powerpc)} ;;
    powerpc64) root=${SIM_ROOT_powerpc64:-$(sim_root powerpc64)} ;;
    esac
    skip=$(sim_skip "$arch")
    if [ -n "$skip" ]; then
        echo "ok - $name$skip"
        return
    elif [ ! -e "$root/bin/$test" ]; then
        echo "ok - $name # SKIP the series has no $test"
        return
    fi
    { KVM_SIM_PROFILE=$profile QTEST_QEMU_BINARY=$sim_build/bin-$arch/$qemu \
        "$sim_build/bin-$arch/$test" --tap -k "$@" 2>&1 || echo "exit $?"; } > "$logs/$name.log"
    # what was left out here is not skipped; a path that is none leaves all out
    grep -qE '^(not )?ok |^exit ' "$logs/$name.log" || echo "not ok - $name: ran no test"
    grep -E '^(not )?ok ' "$logs/$name.log" | grep -v '# SKIP by request' | sed "s|^\(\(not \)\{0,1\}ok\) [0-9]*|\1 - $name:|"
    ! grep -q '^exit ' "$logs/$name.log" || grep -q '^not ok ' "$logs/$name.log" ||
        { echo "not ok - $name: $(grep '^exit ' "$logs/$name.log")$(sed -n 's/^Bail out! ERROR:[^:]*:[0-9]*:\([a-z_]*\):.*/ in \1/p' "$logs/$name.log")"; tail -n 15 "$logs/$name.log" | sed 's/^/#   /'; }
}

# name;profile;architecture;test;program;options. What a guest does is not simulated;
# midr asks TCG, and is native's; where a host has SVE more properties are KVM's. The
# longest come first.
qtests='arm64-target;cortex-a57-6.1;arm64;kvm-arm-target-test;qemu-system-aarch64;-s /aarch64/kvm-arm-target/midr
arm64-target-7.2;cortex-a72-7.2;arm64;kvm-arm-target-test;qemu-system-aarch64;-s /aarch64/kvm-arm-target/guest-sees -s /aarch64/kvm-arm-target/impl-cpus -s /aarch64/kvm-arm-target/midr -s /aarch64/kvm-arm-target/properties
arm64-target-sve;max-7.2;arm64;kvm-arm-target-test;qemu-system-aarch64;-m slow -p /aarch64/kvm-arm-target/properties -p /aarch64/kvm-arm-target/every-property
e500v2-tlb;e500v2-6.1;powerpc;kvm-booke-tlb-test;qemu-system-ppc;-p /ppc/kvm-booke-tlb/kvm/bad-sizes -p /ppc/kvm-booke-tlb/kvm/truncated
e500v2;e500v2-6.1;powerpc;accel-cpu-type-test;qemu-system-ppc;
e6500;e6500-6.1;powerpc64;accel-cpu-type-test;qemu-system-ppc64;
arm64;cortex-a57-6.1;arm64;accel-cpu-type-test;qemu-system-aarch64;
arm;max-6.12;arm64;kvm-arm-target-test;qemu-system-arm;
arm-n1;neoverse-n1-6.12;arm64;kvm-arm-target-test;qemu-system-arm;'

part_qtests()
{
    echo "$qtests" | grep -n "^${SIM_ONLY:-[^;]*};" | cut -d : -f 1 |
        xargs -P "$jobs" -I N sh "$0" --qtest N
}

parts='contract tools starts base shown moves saves writes refusals qtests calibrate faults'
tap='' start='' qtest='' one=''
while :; do
    case ${1-} in
    --tap) tap=yes; shift ;;
    --only)
        [ $# -gt 1 ] || die "--only needs the name of a qtest; see tests/sim/sim.sh --help"
        echo "$qtests" | grep -q "^$2;" || die "no qtest '$2' in the table of tests/sim/sim.sh"
        export SIM_ONLY="$2"
        shift 2 ;;
    --start | --qtest | --part)
        [ $# -gt 1 ] || die "$1 is this script's own, and needs the number of a line, or a part"
        case $1 in --start) start=$2 ;; --qtest) qtest=$2 ;; --part) one=$2 ;; esac
        shift 2 ;;
    --help | -h) usage; exit 0 ;;
    -*) die "unknown option '$1'; see tests/sim/sim.sh --help" ;;
    *) break ;;
    esac
done
logs=$build/logs/sim
out=$logs/out
make_tmp
if [ -n "$start" ]; then one_start "$start"; exit; fi
if [ -n "$qtest" ]; then
    IFS=\; read -r a b c d e f <<EOF
$(echo "$qtests" | sed -n "${qtest}p")
EOF
    # shellcheck disable=SC2086 # a list
    one_qtest "$a" "$b" "$c" "$d" "$e" $f
    exit
fi
case $one in
'') ;;
contract) part_contract; exit ;;
tools) part_tools; exit ;;
starts) part_starts; exit ;;
base) part_base; exit ;;
shown) part_shown; exit ;;
moves) part_moves; exit ;;
saves) part_saves; exit ;;
writes) part_writes; exit ;;
refusals) part_refusals; exit ;;
qtests) part_qtests; exit ;;
calibrate) "$top/tests/sim/calibrate.sh" --tap cortex-a57-6.1 e500v2-6.1; exit ;;
faults) SIM_READY=1 "$top/tests/sim/faults.sh" --tap; exit ;;
*) die "unknown part '$one'; see tests/sim/sim.sh --help" ;;
esac
# shellcheck disable=SC2086 # a list
[ $# -gt 0 ] || set -- $parts
for part; do
    case " $parts " in
    *" $part "*) ;;
    *) die "unknown part '$part'; see tests/sim/sim.sh --help" ;;
    esac
done
if [ -n "$tap" ]; then exec 3> /dev/null; else exec 3>&1; fi
sim_qemu >&3
case " $* " in *' base '*)
    if [ -n "$SIM_NO_POWERPC" ]; then :
    elif [ -z "${SIM_READY-}" ]; then
        { "$top/scripts/qemu-tree" --base && "$top/scripts/build-qemu" --base ppc; } >&3
    elif [ ! -x "$build/root-base-ppc/bin/qemu-system-ppc" ]; then
        die "SIM_READY is set and $build/root-base-ppc is not there; without SIM_READY it is built"
    fi ;;
esac
sim_make >&3
rm -rf "$logs"
mkdir -p "$logs"
failed=0
for part; do
    t0=$(date +%s)
    say "$part" >&3
    # a part is a process of its own: where one dies, it is that part that failed
    if [ -n "$tap" ]; then
        tap "$part" "$logs/$part" sh "$0" --part "$part" || failed=1
    else
        tap "$part" "$logs/$part" sh "$0" --part "$part" > "$logs/shown" || failed=1
        awk '/^(not )?ok / { bad = /^not/ } bad || !/^ok /' "$logs/shown"
    fi
    echo "   $(grep -c '^ok' "$logs/$part") ok, $(grep -c '^not ok' "$logs/$part") not, in $(($(date +%s) - t0)) s" >&3
done
n=0
for part; do n=$((n + $(grep -cE '^(not )?ok ' "$logs/$part"))); done
[ -z "$tap" ] || echo "1..$n"
exit "$failed"
