# The host's key: who may read wgorch's files, and public halves. A change leaves them alone until it is confirmed.
: "${directory:?}" "${key_source?}"

ask_keys() {
    section keys
    ls -lnd "${directory%/*}" "$directory" "$directory"/* 2>/dev/null
    if [ -d "$directory" ]; then
        [ -s "$directory/private_key" ] && echo 'has private_key'
        ask_own_keys
    fi
    if [ -n "$key_source" ] && command -v wg >/dev/null 2>&1; then
        printf 'offered %s\n' "$(sh -c "$key_source" 2>/dev/null </dev/null | wg pubkey 2>/dev/null)"
    fi
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
        printf 'public_key %s\n' "$(wg pubkey <"$key" 2>/dev/null)"
    fi
}
