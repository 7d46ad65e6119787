#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# phases.sh KERNEL MARK...: runs in an arm64 host; a line "ok" or "not ok" for each case
# of /files/phases, which explains them, that is for KERNEL and has one of these marks

set -eu
# shellcheck source=tests/arm/in-host/wait.sh
. "${0%/*}/wait.sh"
cd /tmp
serial=/tmp/serial      # what the guest prints, one behind the other
now=/tmp/now            # while it is there, KVM fails
pid='' fault='' reply=''

# what until_true waits for
gone() { ! kill -0 "$pid" 2> /dev/null; }
starts() { grep -c '^keeps: up' "$serial" || true; }
started() { [ "$(starts)" -ge "$1" ]; }
dots() { tr -cd . < "$serial" | wc -c; }
ticked() { [ "$(dots)" -ge "$1" ]; }
loaded() { gone || [ "$(state)" != inmigrate ]; }
used() { [ -s used ]; }
prelaunch() { [ "$(state)" = prelaunch ]; }
# The socket's file is there before it listens.
listens() { gone || ask query-status; }
complained() { gone || [ -n "$(error_lines)" ] || started "$1"; }
migrated()
{
    ! ask query-migrate.status && return 0
    case $reply in completed | failed) return 0 ;; *) return 1 ;; esac
}

# fails / works: what KVM does from now on
fails() { touch "$now"; }
works() { rm -f "$now"; }

# ask COMMAND...: QEMU's monitor; its answer, or why there is none, is in $reply
ask() { reply=$(qmp -t 120 /tmp/qmp "$@" 2>&1); }

# state: QEMU's word for it: running, paused, inmigrate
state() { ask query-status.status && printf '%s\n' "$reply"; }

# start OPTION...: QEMU with the guest, and with a KVM that can fail
start()
{
    rm -f /tmp/qmp
    case " $* " in *' -accel '*) ;; *) set -- -accel kvm "$@" ;; esac
    env LD_PRELOAD=/files/kvm-fault.so KVM_FAULT="$fault" KVM_FAULT_USED=used KVM_FAULT_IF=$now \
        qemu-system-aarch64 -M virt,gic-version=3 -m 64 -nodefaults -display none \
        -chardev "file,id=serial,path=$serial,append=on" -serial chardev:serial \
        -qmp unix:/tmp/qmp,server=on,wait=off -kernel /files/keeps "$@" < /dev/null > err 2>&1 &
    pid=$!
    until_true listens && ! gone
}

# ended: waits for QEMU's end; its status is in $ended, which is "hang" when it had to be killed
ended()
{
    ended=
    until_true gone || { kill -9 "$pid"; ended=hang; }
    _status=0
    wait "$pid" 2> /dev/null || _status=$?
    : "${ended:=$_status}"
    pid=
}

quit()
{
    [ -n "$pid" ] || return 0
    ask quit || kill -9 "$pid" 2> /dev/null || true
    ended
}

# lives: whether the guest runs, and is what it should be
lives()
{
    until_true ticked $(($(dots) + 3)) || { echo "the guest is dead (QEMU says it is $(state))"; return 1; }
    ! grep 'keeps: lost' "$serial" || return 1
}

# error_lines: the errors on standard error, without what follows from another one: what
# QEMU's callers say, and in a restore that failed the registers that are put all the same
error_lines()
{
    grep -E -e '^(qemu-system-aarch64|error|KVM|kvm|vCPU)\b' err | grep -vE -e ': warning: ' \
        -e ': (Failed to load [^ ]*|error while loading state .*|load of migration failed: .*|pre-save failed: .*)$' \
        -e ': the (GIC|ITS) cannot be saved: (the pending|its) tables are not in guest RAM$' \
        -e ': failed to save SaveStateEntry ' -e ': KVM cannot log .*: KVM_SET_USER_MEMORY_REGION failed; ' \
        -e ': vCPU [0-9]+: its registers are not known$' | sort -u > errors || true
    for _follows in 'Failed to (get|put) registers' 'Could not set register'; do
        ! grep -vE -e "$_follows" errors > rest || mv rest errors
    done
    cat errors
}

# one_error REGEX: what is wrong with how it told its error, $told or on standard error
one_error()
{
    _n=$(error_lines | wc -l)
    if [ "$_n" -gt 1 ]; then
        echo "$_n errors instead of 1"
    elif [ "$_n" -eq 0 ] && [ -z "$told" ]; then
        echo "no error was told"
    fi
    printf '%s %s\n' "$(tr '\n' ' ' < err)" "$told" | grep -qE -e "$1" || echo "the error does not match $1"
}

# judged OUTCOME REGEX: what is wrong with how it took what failed, and with its guest
# from then on
judged()
{
    works
    for _rule in $fault; do
        grep -qxF -e "$_rule" used || echo "$_rule was never used"
    done
    if ! ask query-status.status; then
        # It has ended, or is about to.
        until_true gone || { echo "hangs: $reply"; return; }
        ended
        _got=exits
        [ "$ended" = 1 ] || echo "it ended with status $ended"
    elif [ "$reply" = internal-error ]; then
        _got=stopped
    elif [ -n "$told" ]; then
        _got=refused
    elif [ -n "$(error_lines)" ]; then
        case $phase in reset*) _got=refused ;; *) _got=told ;; esac
    else
        _got=runs
    fi
    [ "$_got" = "$1" ] || echo "it $_got (${told:-without a word})"
    case $_got in
    runs) [ -z "$(error_lines)" ] || echo 'it reports an error' ;;
    *) one_error "$2" ;;
    esac
    case $_got in
    stopped)
        _starts=$(starts)
        ask system_reset && ask cont || echo "a reset, now that KVM works: $reply"
        until_true started $((_starts + 1)) || echo 'does not start again when it is reset, now that KVM works'
        lives || true ;;
    refused | told | runs)
        [ "$(state)" = running ] || ask cont || echo "cont: $reply"
        case $phase in
        reset* | look) until_true started "$wanted" || echo 'it was not reset, and runs' ;;
        esac
        lives || true
        case $phase-$_got in
        save*-refused) ;;
        save*)
            # what it is said to have saved goes on as well
            quit
            # shellcheck disable=SC2086 # options
            fault='' start $options -incoming file:/tmp/saved && until_true loaded ||
                echo "what it saved: $reply $(cat err)"
            [ "$(state)" = running ] || ask cont || echo "cont: $reply"
            lives || true ;;
        esac ;;
    esac
}

# What is done while KVM fails, in each phase; $told is the error that it ends with

# It is stopped first: the real KVM completes an exit for MMIO in the next KVM_RUN, and
# one that fails here does not come to it.
do_run()
{
    ask stop
    fails
    ask cont || told=$reply
    until_true used || true
    sleep 0.5
}

do_reset()
{
    wanted=$(($(starts) + 1))
    fails
    ask system_reset || told=$reply
    until_true complained "$wanted" || true
    sleep 0.2
}

do_reset_stopped()
{
    wanted=$(($(starts) + 1))
    ask stop
    fails
    ask system_reset || told=$reply
    until_true complained "$wanted" || true
    sleep 0.2
}

# Into the state that is also a new QEMU's
do_look()
{
    ask stop
    wanted=$(($(starts) + 1))
    ask system_reset
    until_true prelaunch || echo "after a reset it is $reply"
    fails
    ask human-monitor-command 'command-line=info registers' || told=$reply
    works
}

do_save_stopped()
{
    ask stop
    do_save
}

do_save()
{
    fails
    ask migrate uri=file:/tmp/saved || { told=$reply; return 0; }
    until_true migrated || { told='the migration never ends'; return 0; }
    [ "$reply" != failed ] || { ask query-migrate.error-desc || true; told="migration failed: $reply"; }
}

do_restore()
{
    fails
    ask migrate-incoming uri=file:/tmp/state || told=$reply
    until_true loaded || told='it does not end loading'
}

# one_case OPTIONS OUTCOME REGEX: what is wrong
one_case()
{
    told='' wanted=0
    : > "$serial"
    : > used
    case $phase in restore) _incoming='-incoming defer' ;; *) _incoming='' ;; esac
    # shellcheck disable=SC2086 # options
    start $1 $_incoming || { echo "it does not start: $reply $(cat err)"; return; }
    [ "$phase" = restore ] || until_true ticked 3 || { echo 'the guest does not start'; return; }
    "do_$phase"
    judged "$2" "$3"
}

# What a restore begins with, for each list of options
saved()
{
    : > "$serial"
    rm -f /tmp/state
    # shellcheck disable=SC2086 # options
    fault='' start $1 && until_true ticked 3 && ask migrate uri=file:/tmp/state && until_true migrated &&
        [ "$reply" = completed ] && _saved=0 || _saved=1
    quit
    return "$_saved"
}

kernel=$1
shift
works
state_of=none
while IFS=\; read -r mark kernels phase fault options outcome regex; do
    case " $* " in *" $mark "*) ;; *) continue ;; esac
    case " $kernels " in *" $kernel "*) ;; *) continue ;; esac
    if [ "$phase" = restore ] && [ "$state_of" != "$options" ]; then
        saved "$options" || echo "a guest to restore: $reply"
        state_of=$options
    fi > begin 2>&1
    { cat begin; one_case "$options" "$outcome" "$regex"; } > problems 2>&1 || true
    : > begin
    name="Linux $kernel: $phase: $fault: $options: $outcome"
    if [ -s problems ]; then
        echo "not ok - $name"
        sed 's/^/#   /' problems
        grep -E '^[a-zA-Z-]{4}' err | head -n 10 | cut -c 1-300 | sed 's/^/#   stderr: /'
    else
        echo "ok - $name"
    fi
    quit
done <<END
$(grep -v -e '^#' -e '^$' /files/phases)
END
