#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# faults.sh MARK...: runs in an e500v2 host; a line "ok" or "not ok" for each
# case of /files/faults, which explains them, that has one of these marks
#
# shellcheck disable=SC2016 # $nip is the monitor's

set -eu
# shellcheck source=tests/booke/in-host/qemu.sh
. "${0%/*}/qemu.sh"
patience=10
kernel=$HOST_GUESTS/thrash-ppc
fault='' used=/tmp/used now=/tmp/now    # while $now is there, KVM fails
disk="-drive if=none,id=snapshots,format=qcow2,file=/tmp/snapshots.qcow2"
cd /tmp

# guest NAME OPTION...: the small one, with a KVM that can fail
guest()
{
    _guest=$1
    shift
    WRAP="env LD_PRELOAD=/files/kvm-fault.so KVM_FAULT_USED=$used KVM_FAULT_IF=$now"
    KVM_FAULT=$fault start "$_guest" -kernel "$kernel" -initrd "$HOST_GUESTS/thrash-ppc" "$@"
}

# fails / works: what KVM does from now on
fails() { touch "$now"; }
works() { rm -f "$now"; }

# fails_in COMMAND...: A gets that when KVM fails, and its error is printed. QEMU makes $now
# itself: while a program starts for that, the guest would run into the fault
fails_in() { ask A chardev-add id=now "backend={'type': 'file', 'data': {'out': '$now'}}" -- "$@"; }

# starts: how many times a guest said that it had started
starts() { grep -c '^thrash: up' "$serial" || true; }

# until_true SECONDS COMMAND...
until_true()
{
    _end=$(($(uptime | cut -d . -f 1) + $1))
    shift
    until "$@"; do
        [ "$(uptime | cut -d . -f 1)" -le "$_end" ] || return 1
        sleep 0.05
    done
}

# what until_true waits for
grew() { [ "$(wc -c < "$serial")" -ge "$1" ]; }
started() { [ "$(starts)" -ge "$1" ]; }
no_longer() { gone "$1" || [ "$(state "$1")" != "$2" ]; }
complained() { gone "$1" || [ -s "/tmp/$1.err" ] || started "$2"; }

# lives NAME: whether its guest runs, and is what it should be
lives()
{
    until_true 5 grew $(($(wc -c < "$serial") + 3)) ||
        { echo "the guest is dead (NIP $(hmp "$1" 'print /x $nip'), QEMU says it is $(state "$1"))"; return 1; }
    ! grep 'another exception' "$serial" || return 1
}

# error_lines NAME: the errors on its standard error, without who wanted it: two may
# fail for one reason. Warnings are none, nor hints, nor what QEMU's callers say behind
# the reason, nor registers.
error_lines()
{
    grep -E -e '^(qemu-system-ppc|error|KVM|kvm)\b' "/tmp/$1.err" | grep -vE -e ': warning: ' \
        -e ': (Failed to load [^ ]*|error while loading state .*|load of migration failed: .*)$' \
        -e ': (failed to initialize kvm: .*|falling back to tcg.*|kvm_init_vcpu: kvm_arch_init_vcpu failed .*|pre-save failed: .*)$' \
        -e ': (KVM_CREATE_VCPU IOCTL failed for .*|vCPU [0-9]+: its registers are not known)$' \
        -e ': KVM cannot log .*: KVM_SET_USER_MEMORY_REGION failed; ' |
        sed -E 's/^qemu-system-ppc: ((Failed to synchronize CPU state|Restoring resisters after (reset|init)): )?//; s/ [0-9]+ entries/ entries/' |
        sort | uniq -c | awk '$1 > 3 { $2 = $1 " times: " $2; print } { print }' || true
}

# one_error NAME REGEX: what is wrong with how it told its error, which was $told, or on
# standard error
one_error()
{
    _n=$(error_lines "$1" | wc -l)
    _most=1
    # a guest that runs may run into this itself, before it is reset
    case $phase-$fault in reset-KVM_RUN*) _most=2 ;; esac
    if [ "$_n" -gt "$_most" ]; then
        echo "$_n errors instead of $_most"
    elif [ "$_n" -eq 0 ] && [ -z "$told" ]; then
        echo "no error was told"
    fi
    printf '%s\n' "$(said "$1") $told" | grep -qE -e "$2" || echo "the error does not match $2"
}

# judged NAME OUTCOME REGEX: what is wrong with how it took what failed, and
# with its guest from then on. $was is what its guest has to be now when nothing was refused:
# started so many times.
judged()
{
    works
    for _rule in $fault; do
        grep -qxF -e "$_rule" "$used" || echo "$_rule was never used"
    done
    if gone "$1"; then
        ended "$1"
        _got=exits
        [ "$ended" = 1 ] || echo "it ended with status $ended"
    elif ! _got=$(state "$1"); then
        echo "hangs: QEMU's monitor does not answer"
        return
    elif [ "$_got" = internal-error ]; then
        _got=stopped
    elif [ -n "$told" ]; then
        _got=refused
    elif [ -n "$(error_lines "$1")" ]; then
        case $phase in reset*) _got=refused ;; *) _got=told ;; esac
    else
        _got=runs
    fi
    [ "$_got" = "$2" ] || echo "it $_got (${told:-without a word})"
    case $_got in
    runs) [ "$(error_lines "$1" | wc -l)" -eq 0 ] || echo 'it reports an error' ;;
    *) one_error "$1" "$3" ;;
    esac
    case $_got in
    stopped)
        _starts=$(starts)
        qmp "$1" system_reset && qmp "$1" cont || echo "a reset, now that KVM works: $reply"
        until_true 5 started $((_starts + 1)) || echo 'does not start again when it is reset, now that KVM works'
        lives "$1" ;;
    refused | told | runs)
        "again_$phase" "$1" "$_got" || true
        lives "$1" ;;
    esac
}

# What is done while KVM fails, in each phase; $told is the error that it ends with

do_run() { fails; until_true 5 no_longer A running || true; }
again_run() { :; }

do_reset()
{
    wanted=$(($(starts) + 1))
    told=$(fails_in system_reset)
    until_true 5 complained A "$wanted" || true
    sleep 0.2
}
# A reset that is refused, and a guest that runs on, must not be what it was before.
again_reset()
{
    [ "$(state "$1")" = running ] || qmp "$1" cont || echo "cont: $reply"
    until_true 5 started "$wanted" || echo 'it was not reset, and runs'
}

do_reset_stopped()
{
    wanted=$(($(starts) + 1))
    qmp A stop
    fails
    qmp A system_reset || told=$reply
    until_true 1 complained A "$wanted" || true
}
again_reset_stopped() { again_reset "$@"; }

# migrated NAME: whether a migration is over
migrated()
{
    gone "$1" && return 0
    qmp "$1" query-migrate.status || return 0
    case $reply in completed | failed) ;; *) return 1 ;; esac
}

do_save()
{
    fails
    qmp A migrate uri=file:/tmp/saved || { told=$reply; return 0; }
    until_true 10 migrated A || { told='the migration never ends'; return 0; }
    [ "$reply" != failed ] || told="migration failed: $(ask A query-migrate.error-desc)"
}
# The source goes on, and what it is said to have saved does, too.
again_save()
{
    [ "$(state "$1")" = running ] || qmp "$1" cont || echo "cont: $reply"
    lives "$1" || return 0
    [ "$2" != refused ] || return 0
    quit A
    fault='' guest B -incoming file:/tmp/saved || echo "what it saved: $reply $(said B)"
    lives B
    quit B
    fault='' guest "$1"
}

do_savevm() { fails; told=$(hmp A 'savevm two'); }
again_savevm() { [ "$(state "$1")" = running ] || qmp "$1" cont || echo "cont: $reply"; }

do_loadvm()
{
    # a guest that runs would run into this before loadvm stops it
    case $fault in KVM_RUN*) qmp A stop ;; esac
    fails
    told=$(hmp A 'loadvm one')
    sleep 0.2
}
again_loadvm()
{
    if [ "$2" = refused ]; then
        [ "$(state "$1")" != running ] || echo 'it runs, although loadvm failed'
        _said=$(hmp "$1" 'loadvm one')
        [ -z "$_said" ] || echo "loadvm, now that KVM works: $_said"
    fi
    [ "$(state "$1")" = running ] || qmp "$1" cont || echo "cont: $reply"
}

do_restore()
{
    fails
    qmp A migrate-incoming uri=file:/tmp/state || told=$reply
    until_true 10 no_longer A inmigrate || told='it does not end loading'
}
again_restore() { [ "$(state "$1")" = running ] || qmp "$1" cont || echo "cont: $reply"; }

# case_start OPTIONS OUTCOME REGEX: what is wrong with a QEMU whose KVM fails from
# its start
case_start()
{
    fails
    _status=0
    # shellcheck disable=SC2086 # options
    env LD_PRELOAD=/files/kvm-fault.so KVM_FAULT="$fault" KVM_FAULT_USED=$used timeout -s KILL 20 \
        qemu-system-ppc -M ppce500 $1 -m 128 -nodefaults -display none -serial stdio -monitor none -no-reboot \
        -kernel "$HOST_GUESTS/bare-ppc" < /dev/null > A.out.start 2> A.err || _status=$?
    for _rule in $fault; do
        grep -qxF -e "$_rule" "$used" || echo "$_rule was never used"
    done
    _exit=0 _accel=kvm _fallbacks=0 _errors=0 _warnings=0
    case $2 in
    runs) ;;
    warned) _warnings=1 ;;
    tcg) _accel=none _fallbacks=1 ;;
    refused) _exit=1 _accel='' _errors=1 ;;
    told) _errors=1 ;;
    *) echo "unknown outcome $2" ;;
    esac
    if [ "$_status" -eq 137 ]; then echo 'hangs'; elif [ "$_status" -ne "$_exit" ]; then echo "exit status $_status instead of $_exit"; fi
    _got=$(sed -n 's/^bare: up .*accel=\([a-z]*\).*/\1/p' A.out.start)
    [ "$_got" = "$_accel" ] || echo "a guest ran with '$_got' instead of '$_accel'"
    [ "$(grep -c ': falling back to tcg' A.err)" -eq "$_fallbacks" ] || echo "not $_fallbacks lines about a fallback"
    [ "$2" = tcg ] || [ "$(error_lines A | wc -l)" -eq "$_errors" ] || echo "not $_errors errors"
    [ "$(grep -c ': warning: ' A.err)" -eq "$_warnings" ] || [ "$2" != warned ] || echo "not $_warnings warnings"
    { said A; echo; } | grep -qE -e "$3" || echo "standard error does not match $3"
}

# case_running OPTIONS OUTCOME REGEX: the other phases: what is wrong
case_running()
{
    told='' wanted=0
    : > "$serial"
    # shellcheck disable=SC2086 # options
    set -- "$2" "$3" $1
    _outcome=$1 _regex=$2
    shift 2
    case $phase in
    restore) set -- "$@" -incoming defer ;;
    savevm | loadvm)
        cp snapshots.one snapshots.qcow2
        # shellcheck disable=SC2086 # options
        set -- "$@" $disk ;;
    esac
    guest A "$@" || { echo "it does not start: $reply"; return; }
    [ "$phase" = restore ] || until_true 5 grew 20 || { echo 'the guest does not start'; return; }
    "do_$phase"
    judged A "$_outcome" "$_regex"
    [ "$phase" = save ] || quit A
}

# What restore and loadvm begin with
: > "$serial"
cp /files/snapshots.qcow2 snapshots.qcow2
# shellcheck disable=SC2086 # options
{ guest A $disk && until_true 5 grew 20 && hmp A 'savevm one' && qmp A migrate uri=file:/tmp/state &&
    until_true 10 migrated A; } > said || { failed 'a guest to save' "$reply $(cat said) $(said A)"; exit 0; }
quit A
mv snapshots.qcow2 snapshots.one

while IFS=\; read -r mark phase fault options outcome regex; do
    case " $* " in *" $mark "*) ;; *) continue ;; esac
    : > "$used"
    works
    if [ "$phase" = start ]; then
        case_start "$options" "$outcome" "$regex" > problems 2>&1 || true
    else
        case_running "$options" "$outcome" "$regex" > problems 2>&1 || true
    fi < /dev/null
    name="$phase: $fault${options:+: $options}: $outcome"
    if [ -s problems ]; then
        failed "$name" "$(cat problems)"
        grep -E '^[a-zK-][a-zV-]' A.err | head -n 5 | cut -c 1-300 | sed 's/^/#   stderr: /'
    else
        passed "$name"
    fi
    quit A
    quit B
done <<END
$(grep -v -e '^#' -e '^$' /files/faults)
END
