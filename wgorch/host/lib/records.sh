# The file `recorded`: what was there before wgorch changed what can carry no mark.
# Lines are "KIND NAME [VALUE...]" after the first, "boot ID": a record of another boot is void. What another network on the
# host still needs stays when this one goes, and the record with it: the last one restores what was there before the first.
: "${boot_id:?}" "${directory:?}"

# True if `recorded` is of this boot.
has_records() {
    record_boot=
    [ ! -r recorded ] || read -r record_boot <recorded
    [ "$record_boot" = "boot $boot_id" ]
}

# Print the records of this boot, but for some; names may have slashes.
records_without() { # /KIND NAME/KIND NAME/
    printf 'boot %s\n' "$boot_id"
    has_records || return 0
    while read -r kind name rest; do
        case $1 in *"/$kind $name/"*) continue ;; esac
        [ "$kind" = boot ] || printf '%s %s%s\n' "$kind" "$name" "${rest:+ $rest}"
    done <recorded
}

# Look up a record: reply_before is its value (`yes` if it has none), or empty if there is no record.
read_record() { # KIND NAME
    reply_before=
    has_records || return 0
    while read -r record_kind record_name record_value _; do
        if [ "$record_kind $record_name" = "$1 $2" ]; then
            reply_before=${record_value:-yes}
            return 0
        fi
    done <recorded
    return 0
}

# Add a record unless there is one of that kind and name.
add_record() { # LINE
    if ! has_records; then
        printf '%s\n' "boot $boot_id" "$1" >recorded
        return
    fi
    read_record "${1%% *}" "${1#* }"
    [ -n "$reply_before" ] || printf '%s\n' "$1" >>recorded
}

# Remove a record.
drop_record() { # KIND NAME
    write_atomic recorded "$(records_without "/$1 $2/")"
}

# Record sysctls, and whether all interfaces forwarded when the first was recorded (all4).
record_sysctls() { # PATH BEFORE SET...
    lines='' replaced=''
    while [ $# -ge 3 ]; do
        lines="$lines
sysctl $1 $2 $3" replaced="$replaced/sysctl $1"
        shift 3
    done
    read -r all4 </proc/sys/net/ipv4/conf/all/forwarding || :
    if ! has_records; then
        printf '%s\n' "boot $boot_id" "all4 $all4$lines" >recorded
        return
    fi
    while read -r kind value; do [ "$kind" != all4 ] || all4=$value; done <recorded
    write_atomic recorded "$(records_without "$replaced/all4 $all4/")
all4 $all4$lines"
}

# True if another network on this host sets a sysctl to a value at its start.
is_needed() { # PATH VALUE
    for script in "${directory%/*}"/*/boot; do
        [ "$script" != "$directory/boot" ] || continue
        case $(grep -s '^set_value ' "$script") in *" $1 $2 "*) return 0 ;; esac
    done
    return 1
}
