# The host's key: who may read wgorch's files, and public halves. A change leaves them alone until it is confirmed.
: "${directory:?}" "${key_source?}"

ask_keys() {
    section keys
    # Files may go meanwhile; but where there is a directory, something is shown.
    if [ -e "${directory%/*}" ]; then
        listing=$(ls -lnd "${directory%/*}" "$directory" "$directory"/* 2>/dev/null)
        [ -n "$listing" ] || [ ! -e "${directory%/*}" ] || unread 1 "ls -lnd ${directory%/*}"
        printf '%s\n' "$listing"
    fi
    if [ -d "$directory" ]; then
        [ -s "$directory/private_key" ] && echo 'has private_key'
        ask_own_keys
    fi
    if [ -n "$key_source" ] && command -v wg >/dev/null 2>&1; then
        printf 'offered %s\n' "$(sh -c "$key_source" 2>/dev/null </dev/null | wg pubkey 2>/dev/null)"
    fi
}

# True if wg makes a public key of a good private one: then what failed was the key.
can_derive_keys() {
    printf '%s\n' AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAUE= | wg pubkey >/dev/null 2>&1
}

# The key in use, and those beside it; a confirmed one that is not in its place yet is the one in use.
ask_own_keys() {
    key=$directory/private_key
    can_read "$directory/boot" && while IFS= read -r line; do
        case $line in
        '#: key '*) [ -s "$key.${line#'#: key '}" ] && key=$key.${line#'#: key '} && printf 'unsettled yes\n' ;;
        '#'*) ;;
        *) break ;;
        esac
    done <"$directory/boot"
    for file in "$directory"/private_key.?*; do
        [ -s "$file" ] && [ "$file" != "$key" ] && printf 'next_key %s\n' "${file#"$directory"/private_key.}"
    done
    if [ -s "$key" ] && command -v wg >/dev/null 2>&1; then
        public=$(wg pubkey <"$key" 2>/dev/null) || can_derive_keys || unread 1 'wg pubkey'
        printf 'public_key %s\n' "$public"
    fi
}
