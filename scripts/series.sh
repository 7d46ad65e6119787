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

tree=$build/qemu
# Set while git runs hooks; they would beat -C below.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# qgit DIR ARGS...: git in DIR, free of anyone's own settings: commits and
# patches must come out the same for everybody. (That also drops their
# safe.directory, and a build folder may belong to another user.)
qgit()
{
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

# patches_id: a name for the present contents of patches/.
patches_id()
{
    ( cd "$top/patches" 2>/dev/null && sha256sum -- *.patch 2>/dev/null ) | sha256sum | cut -d ' ' -f 1
}

# record REPO COMMIT: notes that patches/ holds exactly that series.
record()
{
    qgit "$1" tag -f exported "$2" > /dev/null
    configure "$1" series.patches "$(patches_id)"
}

# unfinished: prints what is under way in build/qemu beside the commits of
# series, and the way out of it; nothing when there is nothing.
unfinished()
{
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
    _who=$(qgit "$1" mailinfo /dev/null /dev/null < "$2" 2>/dev/null)
    GIT_COMMITTER_NAME=$(echo "$_who" | sed -n 's/^Author: //p') \
    GIT_COMMITTER_EMAIL=$(echo "$_who" | sed -n 's/^Email: //p') \
        qgit "$1" am -q --no-3way --no-scissors --whitespace=nowarn --committer-date-is-author-date "$2" 2>&1
}

# adaptations DIR: the patches that QEMU needs with the kernel headers in DIR:
# those of linux-headers/ whose "Needed-with: FILE NAME" is true there, and not
# with the headers that the base has: QEMU is made for these
adaptations()
{
    for _patch in "$top"/linux-headers/*.patch; do
        sed -n 's/^Needed-with: //p' "$_patch" | while read -r _file _name; do
            ! grep -qw "$_name" "$1/$_file" || qgit "$1" show "base:$_file" 2>/dev/null | grep -qw "$_name" ||
                echo "$_patch"
        done
    done
}

# apply_patches REPO [COMMIT]: applies patches/ to COMMIT (default: what the
# series stands on there) and sets $tip to the last commit, or fails with
# $fault saying which patch and why. It happens in
# a work tree of its own, into which git writes only the files that patches
# touch, so REPO's work tree stays as it is. The committer is the author, at
# the author's time: no identity is needed and the ids are everyone's.
apply_patches()
{
    am=$build/series.am.$$ fault='' tip=${2:-$(under "$1")}
    rm -rf "$am"
    qgit "$1" worktree prune
    _out=$(qgit "$1" worktree add -q --no-checkout --detach "$am" "$tip" 2>&1 && qgit "$am" read-tree "$tip" 2>&1) ||
        { fault="cannot make the work tree $am to apply patches/ in: $_out"; return 1; }
    for _patch in "$top"/patches/*.patch; do
        [ -e "$_patch" ] || break
        if ! _out=$(am_patch "$am" "$_patch"); then
            fault="patches/${_patch##*/} does not apply to QEMU $(qgit "$1" show base:VERSION): $(
                   echo "$_out" | grep -m 1 '^error: ' || echo "$_out" | head -n 1)"
            break
        fi
    done
    # shellcheck disable=SC2034 # for the caller
    tip=$(qgit "$am" rev-parse HEAD)
    rm -rf "$am"
    qgit "$1" worktree prune
    [ -z "$fault" ]
}

# copy_name PATH: sets $copy to the place, in the project, of the copy of a
# file that the series adds to QEMU as PATH; fails if it has none.
copy_name()
{
    case $1 in
    target/arm/*) copy=target-arm/${1#target/arm/} ;;
    target/ppc/*) copy=target-ppc/${1#target/ppc/} ;;
    hw/intc/openpic_kvm*) copy=target-ppc/${1#hw/intc/} ;;
    accel/* | tests/qtest/* | tests/unit/*) copy=$1 ;;
    *) return 1 ;;
    esac
}

# export_to REPO COMMIT OUT: writes into the new folder OUT what the project
# should hold of the series up to COMMIT: patches/ and the copies.
export_to()
{
    mkdir -p "$3/patches"
    _under=$(under "$1")
    [ "$_under" != "$(qgit "$1" rev-parse "$2")" ] || return 0
    # Spelt out, so that the settings of build/qemu do not matter either.
    qgit "$1" format-patch -q -o "$3/patches" --zero-commit --no-signature \
        --no-numbered --start-number=1 --subject-prefix=PATCH --suffix=.patch \
        --full-index -M --diff-algorithm=myers --unified=3 --src-prefix=a/ --dst-prefix=b/ \
        --no-base --no-thread --no-cover-letter --no-attach --no-signoff --no-notes \
        --no-from --no-to --no-cc --no-add-header "$_under..$2"

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

    qgit "$1" diff -M --diff-filter=A --name-only "$_under" "$2" |
    while read -r _path; do
        copy_name "$_path" || continue
        mkdir -p "$3/$(dirname "$copy")"
        qgit "$1" show "$2:$_path" > "$3/$copy"
    done
}

# changes OUT: lists what would make the project equal to OUT, one line for
# each file: `write PATH` or `remove PATH`. A copy is only removed if a patch
# of patches/ adds the file that it is of: others are not export's to remove.
changes()
{
    ( cd "$1" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort ) |
    while read -r _path; do
        cmp -s "$1/$_path" "$top/$_path" || echo "write $_path"
    done
    for _path in "$top"/patches/*.patch "$top/patches/base"; do
        _path=patches/${_path##*/}
        [ ! -e "$top/$_path" ] || [ -e "$1/$_path" ] || echo "remove $_path"
    done
    cat "$top"/patches/*.patch 2>/dev/null |
        awk '/^diff --git / { new = 0 } /^new file mode / { new = 1 }
             new && /^\+\+\+ b\// { print substr($0, 7); new = 0 }' | sort -u |
    while read -r _path; do
        copy_name "$_path" || continue
        [ ! -e "$top/$copy" ] || [ -e "$1/$copy" ] || echo "remove $copy"
    done
}

# faults REPO COMMIT: lists what makes commits of base..COMMIT unfit for
# review, one line each.
faults()
{
    qgit "$1" log --merges --format='%h ("%s") is a merge' base.."$2"
    qgit "$1" rev-list --reverse --no-merges base.."$2" |
    while read -r _commit; do
        _name=$(qgit "$1" log -1 --format='%h ("%s")' "$_commit")
        qgit "$1" log -1 --format=%b "$_commit" > "$build/series.body"
        grep -qvE '^$|^[A-Z][a-z]+(-[a-z]+)*-by: |^(Cc|Fixes|Link|Resolves): ' "$build/series.body" ||
            echo "$_name has no message below its subject"
        grep -q '^Signed-off-by: .* <.*@.*>$' "$build/series.body" ||
            echo "$_name has no Signed-off-by"
    done
    rm -f "$build/series.body"
}
