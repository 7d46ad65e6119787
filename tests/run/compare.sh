#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The accelerator choice before and after the series, as a table in Markdown
# (docs/results.md has it as text): tests/run/cases/choice with both QEMUs.

set -eu
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"

case ${1-} in
'') ;;
*) echo "Usage: tests/run/compare.sh: runs tests/run/cases/choice with QEMU as it is and with the series"; [ "$1" = --help ]; exit ;;
esac

"$top/tests/run/table.sh" --base choice >&2
"$top/tests/run/table.sh" choice >&2

# cell FILE: what one run came to
cell()
{
    IFS=\; read -r _ _ _ result < "$1"
    case $result in
    '- '*) printf '%s' "${result#- }" ;;
    *) printf '%s: %s' "${result%% *}" "${result#* }" ;;
    esac | sed 's/ up in [0-9.]* s/ up/; s/|/\\|/g'
}

echo '| host | command | before | after |'
echo '| --- | --- | --- | --- |'
for after in $(find "$build/logs/choice" -name '*.result' | sort -V); do
    IFS=\; read -r _ host command _ < "$after"
    printf '| %s | `%s` | %s | %s |\n' "$host" "$command" \
        "$(cell "$build/logs/choice-base/${after##*/}")" "$(cell "$after")"
done
