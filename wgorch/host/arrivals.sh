# What arrives at one host by UDP or TCP, whether or not anything answers there: counted behind all filters, and before what
# the host sends into its LANs leaves it. Between two runs a table of nft stands; it goes by itself if there is no second one.
# rules: the table's text, to begin; empty to end.
: "${table:?}" "${rules?}" "${seconds:?}" "${nonce:?}"

# Load the table, and see to its end.
begin() {
    command -v nft >/dev/null 2>&1 && command -v setsid >/dev/null 2>&1 || return
    printf '%s\n' "$rules" | nft -f - 2>/dev/null || return
    # shellcheck disable=SC2016 # the inner sh expands it
    setsid sh -c 'left=$1; while [ "$left" -gt 0 ] && nft list table inet "$2"; do sleep 2; left=$((left - 2)); done; nft delete table inet "$2"' \
        sh "$seconds" "$table" </dev/null >/dev/null 2>&1 &
    echo watching
}

# Print what was counted, and remove the table.
finish() {
    nft list table inet "$table" 2>/dev/null
    nft delete table inet "$table" 2>/dev/null
}

printf '\n%s counted\n' "$nonce"
if [ -n "$rules" ]; then begin; else finish; fi
printf '\n%s end\n' "$nonce"
