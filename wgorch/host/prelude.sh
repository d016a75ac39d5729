# What every script of a change begins with.
# Inputs: directory (of the network on this host). The referee also gives guard (the file whose absence stops the script)
# and given4, given6 (the firewall's rules, if it has just asked for them).
: "${directory:?}"
set -u
umask 077
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
cd "$directory" || exit 1
# shellcheck disable=SC2034 # the functions of lib/ use these
guard=${guard-} rules4=${given4-} rules6=${given6-}
unset given4 given6
boot_id=none
# shellcheck disable=SC2034
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot_id </proc/sys/kernel/random/boot_id

# Report the changes that begin here, in one write (each is an SSH packet); stop if the guard file is gone.
report_step() { # NUMBER...
    [ -z "$guard" ] || [ -e "$guard" ] || {
        printf '@stop %s\n' "$1"
        exit 1
    }
    printf '@at %s\n' "$@"
}

# Report the change that failed, and end.
abort() { # NUMBER
    printf '@fail %s\n' "$1"
    exit 1
}

# Replace a file: readers see the old text or the new one, whole.
write_atomic() { # FILE TEXT
    printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"
}

# Put a file on the disk, so that it outlasts a loss of power.
sync_file() { # FILE
    sync "$1" 2>/dev/null || sync
}

# Write standard input to a file, whole and on the disk before it appears.
write_file() {
    path=$1 mode=$2
    [ -d "${path%/*}" ] || (umask 022 && mkdir -p "${path%/*}")
    cat >"$path.$$" && chmod "$mode" "$path.$$" && sync_file "$path.$$" && mv -f "$path.$$" "$path"
}
