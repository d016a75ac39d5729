# The host's name servers, in /etc/resolv.conf; what was there before is kept as resolv.before.

# Replace /etc/resolv.conf by standard input; write into it where it is a mount.
write_resolv_conf() {
    cat >/etc/resolv.conf.wgorch && chmod 644 /etc/resolv.conf.wgorch || return 1
    mv -f /etc/resolv.conf.wgorch /etc/resolv.conf 2>/dev/null ||
        { cat /etc/resolv.conf.wgorch >/etc/resolv.conf && rm -f /etc/resolv.conf.wgorch; }
}

# True if /etc/resolv.conf begins with wgorch's mark.
has_own_dns() { # MARK
    first=
    [ ! -r /etc/resolv.conf ] || read -r first </etc/resolv.conf || :
    [ "$first" = "# $1" ]
}

# Set the name servers; search domains and options stay.
set_dns() { # MARK SERVER...
    mark=$1
    shift
    if ! has_own_dns "$mark"; then
        rm -f resolv.before
        [ ! -e /etc/resolv.conf ] && [ ! -L /etc/resolv.conf ] || cp -pP /etc/resolv.conf resolv.before || return 1
    fi
    {
        printf '# %s\n' "$mark"
        for server; do printf 'nameserver %s\n' "$server"; done
        [ ! -r resolv.before ] || while IFS= read -r line || [ -n "$line" ]; do
            case $line in search* | domain* | options*) printf '%s\n' "$line" ;; esac
        done <resolv.before
    } | write_resolv_conf
}

# Restore the name servers, if they are still wgorch's.
restore_dns() { # MARK
    has_own_dns "$1" || return 0
    if [ -e resolv.before ] || [ -L resolv.before ]; then
        mv -f resolv.before /etc/resolv.conf 2>/dev/null || cat resolv.before >/etc/resolv.conf
    else
        rm -f /etc/resolv.conf
    fi
}
