# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # build, top: common.sh sets them
#
# What the scripts that make, export and check the series share. To be
# sourced after common.sh. build/qemu is a git repository with the tag `base`
# (QEMU as released, one commit), the branch `series` on it, and the tag
# `exported`: the commit of series that patches/ is known to hold. Between base
# and the series there may be newer kernel headers (make tree HEADERS=), which
# are no part of the series: a commit, and what QEMU needs with them; the last
# one has the tag `headers`.
#
# The series has topics. A topic begins with an empty commit "topic: NAME",
# which git rebase keeps in its place, and whose body is the cover letter: the
# title, a blank line, the text, and a line "Based-on: NAME..." if the topic
# needs others. In patches/ that is NAME.cover, and series says which patches
# each has: "# topic NAME", then their names, as quilt reads it.

need_packages git # a tarball of the project needs none
tree=$build/qemu
at_exit rm -rf "$build/series.am.$$" # of apply_patches
# Set while git runs hooks; they would beat -C below.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# qgit DIR ARGS...: git in DIR, free of anyone's own settings: commits and
# patches must come out the same for everybody. (That also drops their
# safe.directory, and a build folder may belong to another user.)
qgit()
{
    local _in
    _in=$1
    shift
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C \
        git -C "$_in" -c safe.directory='*' -c gc.auto=0 -c core.hooksPath=/dev/null "$@"
}

# need_tree: dies unless build/qemu is a tree that qemu-tree made.
need_tree()
{
    [ -e "$tree" ] || die "there is no $tree; make it: make tree"
    # Without a .git of its own git would answer for the project's checkout.
    { [ -e "$tree/.git" ] && qgit "$tree" merge-base --is-ancestor base series 2>/dev/null; } ||
        die "$tree is not what make tree makes (a git repository with branch series on tag base); move it away and run: make tree"
}

# configure REPO KEY VALUE: sets it, unless it is so already.
configure()
{
    [ "$(qgit "$1" config "$2")" = "$3" ] || qgit "$1" config "$2" "$3"
}

# under REPO: what the series stands on there
under()
{
    qgit "$1" rev-parse -q --verify refs/tags/headers || qgit "$1" rev-parse base
}

# patches_id REPO: a name for the present contents of patches/, as far as the
# series there is made from them
patches_id()
{
    local _not
    later "$1" base && _not=none || _not=upstream
    ( cd "$top/patches" 2>/dev/null &&
      find . -type f ! -name base ! -path "*$_not*" ! -path "./headers/*" | LC_ALL=C sort | xargs sha256sum ) | sha256sum | cut -d ' ' -f 1
}

# later REPO COMMIT: whether that is a later QEMU than patches/ is made on
later()
{
    case $(qgit "$1" show "$2:VERSION") in
    10.2.[0-9] | 10.2.[1-4][0-9]) return 1 ;;
    esac
}

# topics: prints their names, in their order
topics() { sed -n 's/^# topic //p' "$top/patches/series" 2>/dev/null; }

# count_patches: prints how many patches/ has
count_patches() { find "$top/patches" -maxdepth 1 -name '*.patch' 2>/dev/null | grep -c . || true; }

# based_on TOPIC: prints the topics that it needs, in their order
based_on()
{
    local _needs _topic
    _needs=" $(sed -n 's/^Based-on: //p' "$top/patches/$1.cover") "
    for _topic in $(topics); do
        case $_needs in *" $_topic "*) echo "$_topic" ;; esac
    done
}

# topic_begin REPO COMMIT NAME: prints a commit on top of COMMIT that begins a
# topic
topic_begin()
{
    local _date
    _date=$(qgit "$1" log -1 --format=%cI base)
    { printf 'topic: %s\n\n' "$3"; cat "$top/patches/$3.cover"; } |
        GIT_AUTHOR_NAME=QEMU GIT_AUTHOR_EMAIL=qemu-devel@nongnu.org GIT_AUTHOR_DATE=$_date \
        GIT_COMMITTER_NAME=QEMU GIT_COMMITTER_EMAIL=qemu-devel@nongnu.org GIT_COMMITTER_DATE=$_date \
        qgit "$1" commit-tree -p "$2" "$2^{tree}"
}

# is_topic REPO COMMIT: whether it begins a topic; sets $topic to its name
is_topic()
{
    topic=$(qgit "$1" log -1 --format=%s "$2")
    case $topic in 'topic: '*) topic=${topic#topic: } ;; *) return 1 ;; esac
    qgit "$1" diff-tree --quiet "$2^" "$2"
}

# record REPO COMMIT: notes that patches/ holds exactly that series.
record()
{
    qgit "$1" tag -f exported "$2" > /dev/null
    configure "$1" series.patches "$(patches_id "$1")"
}

# unfinished: prints what is under way in build/qemu beside the commits of
# series, and the way out of it; nothing when there is nothing.
unfinished()
{
    local _op _on _dirty
    for _op in rebase-merge rebase-apply MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD; do
        [ ! -e "$tree/.git/$_op" ] || { echo "an unfinished rebase, am or merge (.git/$_op); finish or abort it"; return; }
    done
    _on=$(qgit "$tree" symbolic-ref -q --short HEAD) || _on='no branch'
    [ "$_on" = series ] || { echo "$_on checked out instead of series; git -C $tree checkout series"; return; }
    _dirty=$(qgit "$tree" status --porcelain | head -n 3)
    [ -z "$_dirty" ] || echo "uncommitted work ($(echo "$_dirty" | paste -sd , -)); commit, stash or remove it"
}

# am_patch DIR PATCH: commits PATCH in the work tree DIR, as its author,
# whoever runs this. Prints what git says.
am_patch()
{
    local _who
    _who=$(qgit "$1" mailinfo /dev/null /dev/null < "$2" 2>/dev/null)
    GIT_COMMITTER_NAME=$(echo "$_who" | sed -n 's/^Author: //p') \
    GIT_COMMITTER_EMAIL=$(echo "$_who" | sed -n 's/^Email: //p') \
        qgit "$1" am -q --no-3way --no-scissors --whitespace=nowarn --committer-date-is-author-date "$2" 2>&1
}

# adaptations DIR: the names of the patches that QEMU needs with the kernel
# headers in DIR: those of patches/headers/ whose "Needed-with: FILE NAME" is
# true there, and not
# with the headers that the base has: QEMU is made for these
adaptations()
{
    local _patch _file _name
    for _patch in "$top"/patches/headers/*.patch; do
        sed -n 's/^Needed-with: //p' "$_patch" | while read -r _file _name; do
            ! grep -qw "$_name" "$1/$_file" || qgit "$1" show "base:$_file" 2>/dev/null | grep -qw "$_name" ||
                echo "${_patch##*/}"
        done
    done
}

# apply_patches REPO [COMMIT [TOPIC...]]: applies patches/ (of these topics, if
# any is given) to COMMIT (default: what the series stands on there) and sets
# $tip to the last commit, or fails with $fault saying which patch and why. It
# happens in a work tree of its own, into which git writes only the files that
# patches touch, so REPO's work tree stays as it is. The committer is the author, at
# the author's time: no identity is needed and the ids are everyone's.
apply_patches()
{
    local _repo _topics _in _series _out _line _name _patch
    am=$build/series.am.$$ fault='' tip=${2:-$(under "$1")}
    _repo=$1
    shift "$(($# < 2 ? $# : 2))"
    _topics=" $* " _in=yes _series=series
    ! later "$_repo" "$tip" || _series=series.upstream
    rm -rf "$am"
    qgit "$_repo" worktree prune
    _out=$(qgit "$_repo" worktree add -q --no-checkout --detach "$am" "$tip" 2>&1 && qgit "$am" read-tree "$tip" 2>&1) ||
        { fault="cannot make the work tree $am to apply patches/ in: $_out"; return 1; }
    [ -e "$top/patches/$_series" ] || [ "$(count_patches)" -eq 0 ] ||
        fault="there is no patches/$_series, which has the order of the patches"
    while [ -z "$fault" ] && read -r _line; do
        case $_line in
        '# topic '*)
            _name=${_line#\# topic }
            case $_topics in *" $_name "* | '  ') _in=yes ;; *) _in= ; continue ;; esac
            [ -z "${plain:-}" ] || continue
            [ -e "$top/patches/$_name.cover" ] || { fault="patches/$_series has topic $_name, and there is no patches/$_name.cover"; break; }
            qgit "$am" reset -q --soft "$(topic_begin "$am" HEAD "$_name")"
            continue ;;
        '' | '#'*) continue ;;
        esac
        [ -n "$_in" ] || continue
        _patch=$top/patches/$_line
        [ -e "$_patch" ] || { fault="patches/$_series has $_line, and there is no such file in patches/"; break; }
        if ! _out=$(am_patch "$am" "$_patch"); then
            fault="${_patch#"$top"/} does not apply to QEMU $(qgit "$_repo" show base:VERSION): $(
                   echo "$_out" | grep -m 1 '^error: ' || echo "$_out" | head -n 1)"
        fi
    done << EOF
$(cat "$top/patches/$_series" 2>/dev/null)
EOF
    # shellcheck disable=SC2034 # for the caller
    tip=$(qgit "$am" rev-parse HEAD)
    rm -rf "$am"
    qgit "$_repo" worktree prune
    [ -z "$fault" ]
}

# The folders of copies, for those who read: nothing else is in them.
# shellcheck disable=SC2034 # also for the caller
copy_folders='accel target-arm target-ppc tests/qtest tests/unit copies'

# copy_name PATH: sets $copy to the place, in the project, of the copy of QEMU's
# file PATH
copy_name()
{
    case $1 in
    target/arm/*) copy=target-arm/${1#target/arm/} ;;
    target/ppc/*) copy=target-ppc/${1#target/ppc/} ;;
    accel/* | tests/qtest/* | tests/unit/*) copy=$1 ;;
    *) copy=copies/$1 ;;
    esac
}

# How patches are written is spelt out, so that no one's settings matter.
diff_options='--full-index -M --diff-algorithm=myers --unified=3 --src-prefix=a/ --dst-prefix=b/'

# write_copies REPO COMMIT OUT: writes into OUT the files that the series up to
# COMMIT adds, and a .diff for each file that it changes
write_copies()
{
    local _status _path _new _folder _of
    qgit "$1" diff -M --name-status "$(under "$1")" "$2" |
    while IFS='	' read -r _status _path _new; do
        copy_name "${_new:-$_path}"
        mkdir -p "$3/$(dirname "$copy")"
        if [ "$_status" = A ]; then
            qgit "$1" show "$2:$_path" > "$3/$copy"
        else
            # shellcheck disable=SC2086 # a list
            qgit "$1" diff $diff_options "$(under "$1")" "$2" -- "$_path" ${_new:+"$_new"} > "$3/$copy.diff"
        fi
    done
    for _folder in $copy_folders; do
        case $_folder in
        copies) _of="QEMU's other folders" ;;
        target-*) _of="QEMU's target/${_folder#target-}/" ;;
        *) _of="QEMU's $_folder/" ;;
        esac
        [ ! -e "$3/$_folder" ] || cat > "$3/$_folder/README.md" <<EOF
# Generated: what the series does in $_of

\`make export\` writes this folder from \`build/qemu\`, for those who read, and
\`make check-series\` compares. Do not edit it: change \`build/qemu\`.

- \`NAME\` is a file that the series adds.
- \`NAME.diff\` is all that the series changes in a file of QEMU's.
EOF
    done
}

# write_patch REPO COMMIT FOLDER NUMBER: writes the patch, prints its path.
write_patch()
{
    # shellcheck disable=SC2086 # a list
    qgit "$1" format-patch -1 -o "$3" --zero-commit --no-signature \
        --no-numbered --start-number="$4" --subject-prefix=PATCH --suffix=.patch \
        $diff_options --no-base --no-thread --no-cover-letter --no-attach --no-signoff --no-notes \
        --no-from --no-to --no-cc --no-add-header "$2"
}

# variants_to REPO COMMIT OUT: writes into OUT those patches of the series up to
# COMMIT, which stands on a later QEMU, that are not what the ones of patches/
# make there. Dies when the series is another one than that of patches/.
variants_to()
{
    local _n _commit _file _made _line
    _n=0
    mkdir -p "$3/patches/upstream"
    for _commit in $(qgit "$1" rev-list --reverse "$(under "$1")..$2"); do
        ! is_topic "$1" "$_commit" || continue
        _n=$((_n + 1))
        _file=$(write_patch "$1" "$_commit" "$3/patches/upstream" "$_n")
        [ -e "$top/patches/${_file##*/}" ] ||
            die "\"$topic\" is no patch of patches/ by that number and subject; change the series on QEMU 10.2 first"
        _made=$(
            export GIT_INDEX_FILE="$3/index"
            qgit "$1" read-tree "$_commit^"
            qgit "$1" apply --cached "$top/patches/${_file##*/}" 2>/dev/null && qgit "$1" write-tree
        ) || true
        [ "$_made" != "$(qgit "$1" rev-parse "$_commit^{tree}")" ] || rm "$_file"
    done
    rm -f "$3/index"
    [ "$_n" -eq "$(grep -c '^[^#]' "$top/patches/series")" ] ||
        die "patches/series has other patches than build/qemu; change the series on QEMU 10.2 first"
    while read -r _line; do
        [ ! -e "$3/patches/upstream/$_line" ] || _line=upstream/$_line
        echo "$_line"
    done < "$top/patches/series" > "$3/patches/series.upstream"
}

# export_to REPO COMMIT OUT: writes into the new folder OUT what the project
# should hold of the series up to COMMIT: patches/ and the copies.
export_to()
{
    local _under _n _commit _file _line
    mkdir -p "$3/patches"
    _under=$(under "$1")
    [ "$_under" != "$(qgit "$1" rev-parse "$2")" ] || return 0
    echo "# The patches in their order, by topic, as quilt reads it. Written by scripts/export." > "$3/patches/series"
    _n=0
    for _commit in $(qgit "$1" rev-list --reverse "$_under..$2"); do
        if is_topic "$1" "$_commit"; then
            echo "# topic $topic" >> "$3/patches/series"
            qgit "$1" log -1 --format=%b "$_commit" | sed '$ { /^$/d }' > "$3/patches/$topic.cover"
            continue
        fi
        _n=$((_n + 1))
        _file=$(write_patch "$1" "$_commit" "$3/patches" "$_n")
        echo "${_file##*/}" >> "$3/patches/series"
    done
    while read -r _line; do
        [ ! -e "$top/patches/upstream/$_line" ] || _line=upstream/$_line
        echo "$_line"
    done < "$3/patches/series" > "$3/patches/series.upstream"

    {
        echo "# The QEMU release that the series is based on, and the blob id of each of its"
        echo "# files that the series changes. Written by scripts/export."
        echo "version $(qgit "$1" show base:VERSION)"
        { qgit "$1" log --format= --name-only --no-renames "$_under..$2" | sed 's/^/touched /'
          qgit "$1" ls-tree -r base; } |
            awk '$1 == "touched" { t[$2] = 1; next } $4 in t { print $3, $4 }'
    } > "$3/patches/base"
    # Another release in which these files are the same is the same base.
    if grep -v '^version ' "$top/patches/base" 2>/dev/null > "$3/old"; then
        ! grep -v '^version ' "$3/patches/base" | cmp -s - "$3/old" || cp "$top/patches/base" "$3/patches/base"
    fi
    rm -f "$3/old"

    write_copies "$@"
}

# changes OUT: lists what would make the project equal to OUT, one line for
# each file: `write PATH` or `remove PATH`. A copy is only removed if a patch of
# patches/ has the file that it is of: others are not export's to remove.
changes()
{
    local _path _folder
    ( cd "$1" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort ) |
    while read -r _path; do
        cmp -s "$1/$_path" "$top/$_path" || echo "write $_path"
    done
    for _path in "$top"/patches/*.patch "$top"/patches/*.cover "$top/patches/base" "$top"/patches/series*; do
        _path=patches/${_path##*/}
        [ ! -e "$top/$_path" ] || [ -e "$1/$_path" ] || echo "remove $_path"
    done
    {
        sed -n 's,^\(---\|+++\) [ab]/,,p; s,^rename to ,,p' "$top"/patches/*.patch 2>/dev/null | sort -u |
        while read -r _path; do
            copy_name "$_path"
            printf '%s\n' "$copy" "$copy.diff"
        done
        for _folder in $copy_folders; do echo "$_folder/README.md"; done
    } |
    while read -r _path; do
        [ ! -e "$top/$_path" ] || [ -e "$1/$_path" ] || echo "remove $_path"
    done
}

# variant_changes OUT: the same for what variants_to wrote
variant_changes()
{
    local _path
    ( cd "$1" && find patches -type f | LC_ALL=C sort ) |
    while read -r _path; do
        cmp -s "$1/$_path" "$top/$_path" || echo "write $_path"
    done
    for _path in "$top"/patches/upstream/*.patch; do
        _path=patches/upstream/${_path##*/}
        [ ! -e "$top/$_path" ] || [ -e "$1/$_path" ] || echo "remove $_path"
    done
}

# pending REPO COMMIT OUT: writes into the new folder OUT what the project should
# hold of the series up to COMMIT, and lists what would make it so
pending()
{
    if later "$1" base; then
        variants_to "$@"
        variant_changes "$3"
    else
        export_to "$@"
        changes "$3"
    fi
}

# faults REPO COMMIT: lists what makes the series up to COMMIT unfit for review,
# one line each.
faults()
{
    local _under _seen _commit _other _name _body
    _under=$(under "$1") _seen=
    qgit "$1" log --merges --format='%h ("%s") is a merge' "$_under..$2"
    for _commit in $(qgit "$1" rev-list --reverse --no-merges "$_under..$2"); do
        if is_topic "$1" "$_commit"; then
            for _other in $(qgit "$1" log -1 --format=%b "$_commit" | sed -n 's/^Based-on: //p'); do
                case " $_seen " in *" $_other "*) ;; *) echo "topic $topic is based on $_other, which is no topic before it" ;; esac
            done
            _seen="$_seen $topic"
            continue
        fi
        _name=$(qgit "$1" log -1 --format='%h ("%s")' "$_commit")
        [ -n "$_seen" ] || echo "$_name belongs to no topic"
        _body=$(qgit "$1" log -1 --format=%b "$_commit")
        echo "$_body" | grep -qvE '^$|^[A-Z][a-z]+(-[a-z]+)*-by: |^(Cc|Fixes|Link|Resolves): ' ||
            echo "$_name has no message below its subject"
        echo "$_body" | grep -q '^Signed-off-by: .* <.*@.*>$' ||
            echo "$_name has no Signed-off-by"
    done
}

# step_tree: makes $bisect, a work tree of build/qemu that walks through steps
step_tree()
{
    bisect=$build/bisect
    if [ ! -e "$bisect" ]; then
        qgit "$tree" worktree prune
        qgit "$tree" worktree add -q --detach "$bisect" base
    fi
    qgit "$bisect" cat-file -e "$(qgit "$tree" rev-parse series)" 2>/dev/null ||
        die "$bisect is not a work tree of $tree (was that made anew?); remove it: rm -rf $bisect"
}

# step_goals WHICH: sets $goals to what build-qemu is to build of $bisect: the
# programs with the KVM code of that host, and the series' tests that are there
step_goals()
{
    local _test
    case $1 in
    arm64)
        goals=qemu-system-aarch64
        [ ! -e "$bisect/target/arm/kvm-cpu32.c" ] || goals="$goals qemu-system-arm" ;;
    ppc) goals=qemu-system-ppc ;;
    ppc64) goals=qemu-system-ppc64 ;;
    *) goals=all ;;
    esac
    for _test in qtest/accel-cpu-type-test qtest/kvm-arm-target-test unit/test-kvm-arm-models \
                 qtest/kvm-booke-tlb-test unit/test-booke206-tlb; do
        case $1-$_test in
        arm64-*booke* | ppc*-*arm*) continue ;;
        # it is a test of qemu-system-ppc
        ppc64-qtest/kvm-booke-tlb-test) continue ;;
        esac
        [ ! -e "$bisect/tests/$_test.c" ] || goals="$goals tests/$_test"
    done
}
