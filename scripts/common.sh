# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What every script of the project shares: where things are, how it speaks, how
# it ends, and how it gets packages. To be sourced after `set -eu`, with $0 still
# the script's own path; sets $top (the checkout) and $build (all that is made).

# One line for each step; a script that says nothing has nothing to do.
say() { printf '%s\n' "== $*"; }

# die WHAT...: one error line that names the thing, the reason and the remedy.
die() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Git is not asked: there may be none (a tarball), another one around us, or one
# that belongs to another user.
top=$(cd "$(dirname "$0")" && pwd -P)
until [ -e "$top/scripts/common.sh" ]; do
    [ -n "$top" ] || die "$0 is not in a checkout of the project: no folder above it has scripts/common.sh; run it where it belongs"
    top=${top%/*}
done
build=${BUILD:-$top/build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
case $build in
*[[:space:]:]*)
    die "the build folder is '$build', and QEMU's configure takes no path with a blank or a colon in it; set BUILD= to a folder without" ;;
esac
export BUILD="$build" # scripts that this one calls may be elsewhere
# shellcheck disable=SC2034 # used by the scripts that source this
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}

# --- how it ends

# A script that HUP, INT or TERM ends, whether sent to it alone or to its whole
# process group, ends like one that fails: what it tends is ended first, then
# what at_exit() was told is done. Then it ends by that signal, so that its
# caller knows. Programs that it runs otherwise are waited for.
caught='' starting='' tended='' exit_commands='' raise=yes
trap on_exit EXIT
heed_signals()
{
    trap 'on_signal HUP 129' HUP
    trap 'on_signal INT 130' INT
    trap 'on_signal TERM 143' TERM
}
heed_signals

on_signal()
{
    caught="$1 $2"
    [ -z "$starting" ] || return 0
    trap '' HUP INT TERM
    for _process in $tended; do
        # Again and again: a shell that was forked this moment can lose one.
        while kill "$_process"; do sleep 0.5; done &
        wait "$_process" || :
        wait "$!" || :
    done 2> /dev/null
    exit "$2"
}

on_exit()
{
    trap '' HUP INT TERM
    set +e
    eval "$exit_commands"
    if [ -n "$raise" ] && [ -n "$caught" ]; then
        trap - "${caught% *}"
        kill -s "${caught% *}" $$
    fi
}

# at_exit COMMAND...: has COMMAND done when this shell ends, the last one first.
at_exit()
{
    _words=
    for _word; do
        _words="$_words '$(printf %s "$_word" | sed "s/'/'\\\\''/g")'"
    done
    exit_commands="$_words
$exit_commands"
}

# make_tmp: sets $tmp to a new folder that goes when the script ends.
tmp=
remove_tmp() { rm -rf "$tmp"; }
make_tmp()
{
    at_exit remove_tmp
    # A mktemp that is interrupted may have made it, and not said so.
    tmp=$(trap '' HUP INT TERM; exec mktemp -d "${TMPDIR:-/tmp}/${0##*/}.XXXXXX")
}

# start COMMAND...: runs COMMAND, a program or a function, in the background
# with our stdin, and tends it: what ends us ends that first. A function has a
# shell of its own, with an at_exit() of its own. Sets $started to the process.
start()
{
    heed_signals # a subshell has none
    starting=yes
    case $(command -v "$1") in
    */*) { "$@" <&4 4<&- & } 4<&0 ;;
    *) { { begin_subshell; "$@"; } <&4 4<&- & } 4<&0 ;;
    esac
    started=$! tended="$tended $!" starting=
    # shellcheck disable=SC2086 # two words
    [ -z "$caught" ] || on_signal $caught
}
{ : <&0; } 2> /dev/null || exec < /dev/null # for there to be one

begin_subshell()
{
    caught='' starting='' tended='' exit_commands='' raise=''
    trap on_exit EXIT
    heed_signals
}

# reap PROCESS: waits for what start() started, and returns its status. Its number can
# be another program's from now on.
reap()
{
    _rc=0 _others=
    wait "$1" || _rc=$?
    for _process in $tended; do
        [ "$_process" = "$1" ] || _others="$_others $_process"
    done
    tended=$_others
    return "$_rc"
}

# tend COMMAND...: starts it, and waits for it.
tend()
{
    start "$@"
    reap "$started"
}

# long LABEL LOG COMMAND...: runs a long command with its output in LOG, a
# line when it starts, elapsed time every 30 s with the log's last line, and
# on failure the log's end. Returns the command's status. A program is in a
# process group, which timeout makes and ends.
long()
{
    _label=$1 _log=$2
    shift 2
    case $(command -v "$1") in */*) set -- timeout 0 "$@" ;; esac
    mkdir -p "$(dirname "$_log")"
    say "$_label (log: ${_log#"$top"/})"
    start "$@" > "$_log" 2>&1 < /dev/null
    _pid=$started
    start timeout 0 sh -c "$ticker" sh "$_label" "$_log" "$_pid" "$(date +%s)" < /dev/null
    _long=0
    reap "$_pid" || _long=$?
    kill "$started" || true
    reap "$started" || true
    if [ "$_long" -ne 0 ]; then
        tail -n 25 "$_log" >&2
        printf '%s: error: %s failed with status %s; whole log: %s\n' \
            "${0##*/}" "$_label" "$_long" "$_log" >&2
    fi
    return "$_long"
}
# It ends with the command, too, as the first kill can be lost.
# shellcheck disable=SC2016 # its own words
ticker='
    exec 2> /dev/null # a shell says that what it waited for was terminated
    trap "exit 0" TERM
    n=0
    while sleep 5 && kill -0 "$3" 2> /dev/null; do
        n=$((n + 1))
        [ "$((n % 6))" -ne 0 ] || printf "   %s: %s s: %s\n" "$1" "$(($(date +%s) - $4))" \
            "$(tail -n 1 "$2" | tr "\r" "\n" | tail -n 1 | cut -c 1-100)"
    done'

# need_space MIB: dies unless the build folder's file system has MIB free.
need_space()
{
    mkdir -p "$build" 2>/dev/null || die "cannot write to $build; set BUILD= to a folder that you can write to"
    _free=$(df -Pm "$build" | awk 'NR == 2 { print $4 }')
    [ "$_free" -ge "$1" ] ||
        die "$build has $_free MiB free and this step needs $1 MiB; free some or set BUILD= to another file system"
}

# need_packages PACKAGE...: installs those Debian packages that are missing.
need_packages()
{
    _missing=''
    # The compiler and the C library of the machine itself have other names.
    _own_cc=gcc-$(uname -m | tr _ -)-linux-gnu _own_libc=libc6-dev-$(dpkg --print-architecture)-cross
    for _p; do
        case $_p in "$_own_cc") _p=gcc ;; "$_own_libc") _p=libc6-dev ;; esac
        case $(dpkg-query -W -f '${Status}' "$_p" 2>/dev/null) in
        *' installed') ;;
        *) _missing="$_missing $_p" ;;
        esac
    done
    # shellcheck disable=SC2086 # a list
    [ -z "$_missing" ] || install_packages $_missing
}

# install_packages [PACKAGE...]: has apt fetch its lists, and install these.
install_packages()
{
    if [ "$(id -u)" -eq 0 ]; then _sudo=; else _sudo=sudo; fi
    [ -z "$_sudo" ] || command -v sudo > /dev/null ||
        die "packages are missing and there is no sudo; as root: apt-get update && apt-get install $*"
    long "installing packages" "$build/logs/packages.log" apt_install "$@" ||
        die "cannot install ${*:-packages}: $(apt_error "$build/logs/packages.log")"
}

# A signal waits: packages that are half there would be left to the user.
apt_install()
{
    trap '' HUP INT TERM
    export DEBIAN_FRONTEND=noninteractive
    exec 9> "$build/packages.lock" # apt-get update does not wait for another one
    flock 9
    $_sudo apt-get update &&
        $_sudo apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

# left_out WHICH: prints why this machine cannot build for such hosts (arm64, ppc,
# ppc64, x86_64), and nothing where it can. Debian has the compilers for x86-64,
# always; for other machines it lacks some.
left_out()
{
    [ "$(uname -m)" != x86_64 ] || return 0
    case $1 in
    arm64) return 0 ;;
    x86_64) echo 'QEMU for x86-64 hosts is built on x86-64 only'; return 0 ;;
    ppc) _cc=powerpc-linux-gnu-gcc ;;
    ppc64) _cc=powerpc64-linux-gnu-gcc ;;
    esac
    command -v "$_cc" > /dev/null && return 0
    # Where apt has no lists, Debian seems to have nothing.
    [ -n "$(apt-cache madison gcc)" ] || install_packages >&2
    [ -n "$(apt-cache show "gcc-${_cc%-gcc}" 2> /dev/null)" ] ||
        echo "there is no $_cc here, and Debian has none for $(dpkg --print-architecture)"
}

# buildable WHICH...: prints those that are not left out, and on stderr why others are.
buildable()
{
    for _which; do
        _why=$(left_out "$_which")
        if [ -z "$_why" ]; then echo "$_which"; else say "$_which is left out: $_why" >&2; fi
    done
}

# must_build WHICH WHAT: where that is left out says so, and ends with status 77.
must_build()
{
    _why=$(left_out "$1")
    [ -n "$_why" ] || return 0
    printf '%s: %s is left out: %s; use an x86-64 machine for it\n' "${0##*/}" "$2" "$_why" >&2
    exit 77
}

# --- what is fetched

# All that is fetched stands in the lock, but for what the user names (HEADERS=),
# and for what need_packages() installs, which is the machine's own.
inputs=${INPUTS_LOCK:-$top/scripts/inputs.lock}

# locked SUITE ARCH PACKAGE: sets $_version and $_sha256 to what the lock has for
# it. A source package is of architecture "source", and its SHA-256 that of its
# .dsc, which has those of its files.
locked()
{
    _line=$(awk -v suite="$1" -v arch="$2" -v package="$3" \
        '$1 == suite && $2 == arch && $3 == package { print $4, $5 }' "$inputs")
    [ -n "$_line" ] ||
        die "$inputs has no $3 ($2) of Debian $1; add it: scripts/refresh-inputs $1 $2 $3"
    _version=${_line% *} _sha256=${_line#* }
}

# locked_lines SUITE ARCH PATTERN: prints the lock's lines of those packages.
locked_lines()
{
    awk -v suite="$1" -v arch="$2" -v pattern="$3" '$1 == suite && $2 == arch && $3 ~ pattern' "$inputs"
}

# inputs_moved: prints what was taken in another version than the lock has, a
# line for each. A test that needs the exact one of PACKAGE is to be skipped
# when such a line begins with "PACKAGE ".
inputs_moved() { cat "$build"/dl/*/*.moved 2> /dev/null || true; }

# apt_private SUITE ARCH TOOL ARGS...: runs apt-get or apt-cache (TOOL) on a
# state of the project's own with one suite and one architecture in it, so
# that the machine's configuration is neither used up nor changed. The mirror is
# DEBIAN_MIRROR=, or the one that the machine's own configuration has for Debian.
apt_private()
{
    _suite=$1 _arch=$2 _tool=$3
    shift 3
    _state=$build/apt/$_suite-$_arch
    # apt-get update does not wait for another one.
    mkdir -p "$build/apt"
    exec 8> "$_state.lock"
    flock 8
    if [ ! -e "$_state/ready" ] ||
       { [ -n "${DEBIAN_MIRROR-}" ] && ! grep -qsF "] $DEBIAN_MIRROR $_suite " "$_state/sources.list"; }; then
        _uri=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
               awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')}
        [ -n "$_uri" ] || die "this machine's apt knows no Debian mirror; run apt-get update, or name one: DEBIAN_MIRROR="
        mkdir -p "$_state/lists/partial" "$_state/cache/archives/partial"
        for _type in deb deb-src; do
            echo "$_type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $_uri $_suite main"
        done > "$_state/sources.list"
        # Without Error-Mode apt-get calls a network that is down a success.
        apt_private_call apt-get -q -o APT::Update::Error-Mode=any update > "$_state/update.log" 2>&1 ||
            { _why=$(apt_error "$_state/update.log")
              rm -rf "$_state"
              die "cannot download the package lists of Debian $_suite ($_arch): $_why"; }
        touch "$_state/ready"
    fi
    exec 8>&-
    apt_private_call "$_tool" "$@"
}

# apt_error LOG: prints why apt failed, and what helps where that is known.
apt_error()
{
    _error=$(sed -n 's/^E: //p' "$1" | head -n 1)
    case $_error in
    *' is expired '* | *' is not valid yet '*)
        _error="$_error The mirror is too old, or this machine's clock is wrong (it is $(date -u '+%F %R') UTC): set the clock, or name another mirror: DEBIAN_MIRROR=; one that stands still on purpose wants Acquire::Check-Valid-Until \"false\"; in /etc/apt/apt.conf.d" ;;
    esac
    printf '%s\n' "${_error:-no network, or a mirror without that suite}"
}

apt_private_call()
{
    _call=$1
    shift
    "$_call" -o Dir::Etc::sourcelist="$_state/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State::Lists="$_state/lists" \
        -o Dir::Cache="$_state/cache" -o Dir::State::status=/dev/null \
        -o APT::Architecture="$_arch" -o APT::Architectures="$_arch" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# with_lists SUITE ARCH COMMAND...: runs a command that downloads with
# apt_private. The lists are fetched once, and an archive moves on: when the
# command fails and they are not of this minute, it gets new ones and a second
# chance.
with_lists()
{
    _ready=$build/apt/$1-$2/ready
    shift 2
    "$@" && return
    [ -n "$(find "$_ready" -mmin +1 2>/dev/null)" ] || return
    rm -f "$_ready"
    "$@"
}

# newest SUITE ARCH PACKAGE: prints name, version and SHA-256 of what the suite's
# lists have for it. A kernel has its version in its name: another one of the
# same release (X.Y) and flavour stands for it.
newest()
{
    case $3 in
    linux-image-[0-9]* | linux-binary-[0-9]* | linux-modules-[0-9]*)
        _pattern=$(printf '%s\n' "$3" |
            sed -E 's/^(linux-[a-z]+-[0-9]+)\.([0-9]+)[^-]*(-[0-9][^-]*)?-(.*)$/^\1\\.\2([.+][^-]*)?(-[0-9][^-]*)?-\4$/')
        _names=$(apt_private "$1" "$2" apt-cache pkgnames "${3%%.*}." | grep -E "$_pattern" | sort -rV) ;;
    *) _names=$3 ;;
    esac
    for _name in $_names; do
        # Names that are only mentioned have no version.
        _found=$(apt_private "$1" "$2" apt-cache show --no-all-versions "$_name" 2> /dev/null |
            awk '/^Version: / { v = $2 } /^SHA256: / { print v, $2; exit }')
        [ -z "$_found" ] || { printf '%s %s\n' "$_name" "$_found"; return 0; }
    done
}

# newest_source SUITE PACKAGE: prints name, version and the .dsc's SHA-256.
newest_source()
{
    apt_private "$1" amd64 apt-cache showsrc --only-source "$2" 2> /dev/null |
        awk -v name="$2" '/^Version: / { v = $2 } /^Checksums-Sha256:/ { sums = 1; next } /^[^ ]/ { sums = 0 }
            sums && $3 ~ /\.dsc$/ { print v, name, $1 }' |
        sort -V | tail -n 1 | awk '{ print $2, $1, $3 }'
}

# has_sha256 FILE REMEDY: dies unless that is its SHA-256 in the lock.
has_sha256()
{
    _sum=$(sha256sum < "$1")
    [ "${_sum%% *}" = "$_sha256" ] ||
        die "${1##*/} has the SHA-256 ${_sum%% *}, and ${inputs#"$top"/} says $_sha256; $2"
}

# moved_on SUITE ARCH PACKAGE NEWNAME NEWVERSION: says that this one is taken.
moved_on()
{
    printf '%s: note: Debian %s has no more %s %s (%s), as %s has it: %s %s is taken; scripts/refresh-inputs moves the lock\n' \
        "${0##*/}" "$1" "$3" "$_version" "$2" "${inputs#"$top"/}" "$4" "$5" >&2
}

# fetch_deb SUITE ARCH PACKAGE: prints the path of that .deb, downloaded once: the
# one that the lock has or, when the archive has moved on, the newest.
fetch_deb()
{
    locked "$@"
    _dir=$build/dl/$1-$2
    mkdir -p "$_dir"
    for _deb in "$_dir/$3_$(printf %s "$_version" | sed 's/:/%3a/g')_"*.deb; do
        [ -e "$_deb" ] || continue
        has_sha256 "$_deb" "remove it (rm $_deb) and run again"
        printf '%s\n' "$_deb"
        return 0
    done
    # The line is: name and version of the lock, and the file that stands for it.
    if read -r _ _was _deb 2> /dev/null < "$_dir/$3.moved" && [ "$_was" = "$_version" ] && [ -e "$_dir/$_deb" ]; then
        printf '%s\n' "$_dir/$_deb"
        return 0
    fi
    rm -f "$_dir/$3.moved"
    if with_lists "$1" "$2" download_deb "$1" "$2" "$3" "$_version"; then
        ( has_sha256 "$_got" "the mirror has another file under that name, or the lock is wrong (scripts/refresh-inputs)" ) ||
            { rm -r "$_part"; exit 1; }
    else
        [ -e "$build/apt/$1-$2/ready" ] || exit 1 # apt_private has said why
        # shellcheck disable=SC2046 # three words
        set -- "$1" "$2" "$3" $(newest "$1" "$2" "$3")
        [ $# -eq 6 ] || die "Debian $1 has no $3 ($2) any more, nor another of its release; ${inputs#"$top"/} wants one that it has"
        if [ "$4 $5" = "$3 $_version" ] || ! download_deb "$1" "$2" "$4" "$5"; then
            die "cannot download $4 $5 ($2) from Debian $1: $(apt_error "$_dir/$4.log")"
        fi
        moved_on "$@"
        printf '%s %s %s\n' "$3" "$_version" "${_got##*/}" > "$_dir/$3.moved"
    fi
    mv "$_got" "$_dir/"
    rmdir "$_part"
    printf '%s\n' "$_dir/${_got##*/}"
}

# download_deb SUITE ARCH PACKAGE VERSION: gets it into a folder $_part, as $_got.
download_deb()
{
    _part=$_dir/.part.$3
    ( apt_private "$1" "$2" apt-cache stats > "$_dir/$3.log" && # says why there are no lists
      rm -rf "$_part" && mkdir "$_part" && cd "$_part" &&
      apt_private "$1" "$2" apt-get -q download "$3=$4" > "$_dir/$3.log" 2>&1 ) || return 1
    for _got in "$_part"/*.deb; do :; done
}

# fetch_source SUITE PACKAGE PATTERN [exact]: prints the path of the one file of that
# source package whose name matches PATTERN, downloaded once, as fetch_deb does.
# With "exact" no other version will do.
fetch_source()
{
    locked "$1" source "$2"
    _dir=$build/dl/$1-src/$2=$_version
    if [ ! -e "$_dir/ready" ] &&
       ! with_lists "$1" amd64 download_source "$1" "$2=$_version"; then
        [ -e "$build/apt/$1-amd64/ready" ] || exit 1 # apt_private has said why
        _now=$(newest_source "$1" "$2" | cut -d ' ' -f 2)
        case $_now in
        '' | "$_version") die "cannot download the source of $2, $_version, from Debian $1: $(apt_error "$_dir.log")" ;;
        esac
        [ -z "${4-}" ] || die "Debian $1 has the source of $2, version $_version, no more (it has $_now)"
        download_source "$1" "$2=$_now" ||
            die "cannot download the source of $2, $_now, from Debian $1: $(apt_error "$_dir.log")"
        moved_on "$1" source "$2" "$2" "$_now"
        printf '%s %s %s\n' "$2" "$_version" "$_now" > "$_dir.moved"
    fi
    has_source_sums "$1" "$2"
    touch "$_dir/ready"
    for _file in "$_dir"/$3; do
        [ -e "$_file" ] || die "the source package $2 of Debian $1 has no file that matches $3"
        printf '%s\n' "$_file"
        return 0
    done
}

download_source()
{
    rm -rf "$_dir" "$_dir.moved"
    mkdir -p "$_dir"
    ( apt_private "$1" amd64 apt-cache stats > "$_dir.log" && # says why there are no lists
      cd "$_dir" && apt_private "$1" amd64 apt-get -q source --download-only --only-source "$2" > "$_dir.log" 2>&1 )
}

# has_source_sums SUITE PACKAGE: its .dsc is the lock's, and its files are the .dsc's.
has_source_sums()
{
    for _dsc in "$_dir"/*.dsc; do
        [ -e "$_dir.moved" ] || has_sha256 "$_dsc" "remove it (rm -r $_dir) and run again"
        sed -n '/^Checksums-Sha256:/,/^[^ ]/s/^ \([0-9a-f]*\) [0-9]* /\1  /p' "$_dsc" > "$_dir/.sums"
        ( cd "$_dir" && sha256sum -c --quiet --strict .sums ) > "$_dir.log" 2>&1 ||
            die "the source of $2 is not what its .dsc says ($(head -n 1 "$_dir.log")); remove it (rm -r $_dir) and run again"
    done
}
