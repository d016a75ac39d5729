# The record of the network's members, and the revisions before it.
: "${directory:?}"

# Keep the record that is about to be replaced: 30 revisions, or what fits in 256 KB, but 3 at least. A change does not fail
# for its history's sake.
keep_revision() { # FILE
    [ -s "$1" ] && read -r number _ <"$1" || return 0
    case $number in '' | *[!0-9]* | ????????*) return 0 ;; esac
    revisions=$directory/revisions
    [ -d "$revisions" ] || mkdir -m 700 "$revisions" || return 0
    kept=$revisions/$(printf '%07d' "${number#"${number%%[!0]*}"}")
    if command -v gzip >/dev/null 2>&1; then
        gzip -c "$1" >"$kept.gz" || rm -f "$kept.gz"
    else
        cat "$1" >"$kept" || rm -f "$kept"
    fi 2>/dev/null
    # Names of seven figures: the oldest comes first.
    set -- "$revisions"/*
    while [ $# -gt 3 ]; do
        if [ $# -le 30 ]; then
            size=$(du -sk "$revisions" 2>/dev/null) && [ "${size%%[!0-9]*}" -gt 256 ] || break
        fi
        rm -f "$1"
        shift
    done
    return 0
}
