# What the probe's lines call. What cannot be read equals no other output, and leaves its name in the file `unreadable`.
: "${probed_network:?}"

# Run a command that prints something of the network.
show() { # COMMAND...
    "$@" 2>/dev/null || fail_probe "$*"
}

# The same where the kernel has IPv6.
show6() { # COMMAND...
    [ ! -d /proc/sys/net/ipv6 ] || show "$@"
}

# Print a file with one line, which may be absent.
show_file() { # PATH
    [ -e "$1" ] || return 0
    line=
    read -r line <"$1"
    if [ -n "$line" ]; then printf '%s\n' "$line"; else fail_probe "$1"; fi
}

# Say that something could not be read, as no other moment does.
fail_probe() { # WHAT
    printf '%s\n' "$1" >unreadable
    read -r now _ </proc/uptime
    printf 'unreadable %s %s\n' "$now" "$1"
}

# Print the lines that name a managed chain, and the names of tables where they can be deleted: those of nft, by nft.
managed_rules() { # RULES
    tables=no
    case $1 in *-nft-save* | *'(nf_tables)'*) ! command -v nft >/dev/null 2>&1 || tables=yes ;; esac
    set -f
    IFS='
'
    for line in $1; do
        case $line in
        '*'*) [ "$tables" = no ] || printf '%s\n' "$line" ;;
        'unreadable '* | *"wgorch-$probed_network-"*) printf '%s\n' "$line" ;;
        esac
    done
    unset IFS
    set +f
}
