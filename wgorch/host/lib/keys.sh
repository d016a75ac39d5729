# The host's private key. A new one lies beside the one in use, under its public half as its name (its tag), until the
# change that takes it up is confirmed: the old one can be had back until then.

# Print the tag of a private key: its public half, without slashes.
tag_of() { # FILE
    wg pubkey <"$1" | tr / _
}

# Create the private key; atomic (noclobber): never overwrites an existing key.
generate_key() { # FILE
    [ -s "$1" ] && return 0
    # An empty one is what a loss of power left of an unconfirmed change: the referee syncs the key before it confirms.
    for file in "$1" "$1".*; do [ ! -e "$file" ] || rm -f "$file"; done
    key=$(wg genkey) && [ -n "$key" ] || return 1
    set -C
    # shellcheck disable=SC2094 # what this created and could not fill is removed
    { printf '%s\n' "$key" || { rm -f "$1"; false; }; } 2>/dev/null >"$1" || [ -s "$1" ]
    status=$?
    set +C
    return "$status"
}

# Create a new key beside the one in use.
stage_key() {
    file=$1
    drop_staged_keys "$file"
    wg genkey >"$file.$$" && [ -s "$file.$$" ] && sync_file "$file.$$" || return 1
    tag=$(tag_of "$file.$$") && [ -n "$tag" ] && mv -f "$file.$$" "$file.$tag"
}

# Take the key that a command prints: as the host's first, or beside the one in use.
import_key() { # FILE COMMAND...
    file=$1
    shift
    "$@" </dev/null >"$file.$$" && [ -s "$file.$$" ] || {
        rm -f "$file.$$"
        echo "$* printed no key"
        return 1
    }
    sync_file "$file.$$"
    tag=$(tag_of "$file.$$")
    if [ -z "$tag" ]; then
        rm -f "$file.$$"
        echo "the output of $* is not a private key"
        return 1
    fi
    if [ -s "$file" ]; then
        drop_staged_keys "$file"
        mv -f "$file.$$" "$file.$tag"
    else
        mv -f "$file.$$" "$file"
    fi
}

# Remove the keys beside the one in use, but for a confirmed one that only waits to be put in its place.
drop_staged_keys() { # FILE
    confirmed=
    # shellcheck disable=SC2094 # $1 is a key, never boot
    [ ! -r boot ] || while IFS= read -r line; do
        case $line in
        '#: key '*) confirmed=$1.${line#'#: key '} ;;
        '#'*) ;;
        *) break ;;
        esac
    done <boot
    for staged in "$1".?*; do
        case $staged in "$confirmed" | "$1.$$") ;; *) rm -f "$staged" ;; esac
    done
}

# Give the interface the key of that tag, if it is still beside the one in use; else the one in use.
set_key() { # INTERFACE TAG WORD...
    interface=$1 key=private_key
    [ -s "private_key.$2" ] && key=private_key.$2
    shift 2
    wg set "$interface" private-key "$key" "$@"
}

# Keep a preshared key of the interface in the file that is named by its digest. Other files of keys stay.
keep_preshared() { # FILE INTERFACE
    [ -s "$1" ] && return 0
    shown=$(wg show "$2" preshared-keys) || return 1
    while read -r _ secret; do
        case $(printf '%s\n' "$secret" | sha256sum) in "${1##*.}"*) ;; *) continue ;; esac
        printf '%s\n' "$secret" >"preshared.$$" && sync_file "preshared.$$" && mv -f "preshared.$$" "$1"
        return
    done <<SHOWN
$shown
SHOWN
    echo "no peer of $2 has the preshared key of $1 any more"
    return 1
}
