# Rules of iptables and nft.
: "${network:?}" "${scope:?}" "${managed_nft:?}" "${directory:?}"

# nft's tables of others, without counters, which move, and without elements of sets, which may be a country's addresses.
ask_foreign_nft() {
    tables='' error=none
    command -v nft >/dev/null 2>&1 && ! tables=$(nft list tables 2>&1) && error=$tables tables=''
    case $error in *'rotocol not supported'* | *'unction not implemented'*) section poor-nft ;; esac
    section foreign-nft
    [ "$error" = none ] || has_no_nft "$error" || unread 1 'nft list tables'
    while read -r _ family name; do
        case $family/$name in
        "inet/wgorch-$network") managed_nft=yes && continue ;;
        / | */wgorch-* | inet/firewalld) continue ;;
        ip/filter | ip/nat | ip/mangle | ip/raw | ip/security | ip6/filter | ip6/nat | ip6/mangle | ip6/raw | ip6/security)
            command -v iptables-save >/dev/null 2>&1 && continue
            ;;
        esac
        # Older versions lack -t.
        nft -s -t list table "$family" "$name" 2>/dev/null || nft -s list table "$family" "$name" 2>/dev/null ||
            unread $? "nft list table $family $name"
    done <<END
$tables
END
}

# True where the kernel has no nftables, so that nft has no rules; or root no right to ask, which is refused as that.
has_no_nft() { # ERROR
    case $1 in *'rotocol not supported'* | *'unction not implemented'*) return 0 ;; esac
    while read -r field rights _; do
        [ "$field" != CapEff: ] || [ $((0x$rights >> 12 & 1)) = 1 ] || return 0
    done </proc/self/status
    return 1
}

ask_rules() {
    section rules
    rules=
    command -v iptables-save >/dev/null 2>&1 && rules=$(list_rules iptables-save)
    if [ "${#rules}" -gt 400000 ]; then rules=$(printf '%s\n' "$rules" | near_rules); fi
    printf '%s\n' "$rules"
    case $rules in *'*'* | *'is incompatible, use '* | *'failed iptables-save '*) ;; *) doubt_silence ;; esac
    case $rules in *'is incompatible, use '*) section unreadable-ip && list_natively ip "$rules" ;; esac
    case $scope$rules in
    all*ufw-user-forward*)
        section ufw
        can_read /etc/default/ufw && while IFS= read -r line; do
            case $line in MANAGE_BUILTINS=*[Yy][Ee][Ss]*) echo flushes ;; esac
        done </etc/default/ufw
        ;;
    esac
}

# What a tool lists, and behind that what it says: it warns of rules of the other kind, in the midst of a long listing.
list_rules() { # TOOL
    {
        said=$("$1" 2>&1 >&3) || said="$said
failed $1 $?"
        [ -z "$said" ] || printf '%s\n' "$said"
    } 3>&1
}

# iptables-save showed no table: it failed, if nft has one of its.
doubt_silence() {
    command -v iptables-save >/dev/null 2>&1 && command -v nft >/dev/null 2>&1 || return
    # An all-round reading has just asked nft.
    case ${tables-$(nft list tables 2>/dev/null)} in
    *'table ip filter'* | *'table ip nat'* | *'table ip mangle'*) ;;
    *) return ;;
    esac
    case $(iptables -V 2>/dev/null) in *nf_tables*) unread 0 iptables-save ;; esac
}

# Of many lines those that are no rules, the rules of built-in chains, and those that name wgorch's or Docker's chain for users.
near_rules() {
    echo '# left out'
    grep -E '^[^-]|^-A [A-Z]+ |wgorch-|DOCKER-USER|ufw-user-forward'
}

ask_rules6() {
    section rules6
    rules=
    command -v ip6tables-save >/dev/null 2>&1 && rules=$(list_rules ip6tables-save)
    printf '%s\n' "$rules"
    case $rules in *'is incompatible, use '*) section unreadable-ip6 && list_natively ip6 "$rules" ;; esac
}

# What nft says of the tables that iptables-save cannot show, since they hold rules that only nft can make.
list_natively() { # FAMILY RULES
    for name in filter nat mangle raw security; do
        case $2 in *"\`$name'"*) nft -s -t list table "$1" "$name" 2>&1 ;; esac
    done
}

# True where the own table is listed as it was when it was loaded; or by another version of nft, which may use other words.
was_loaded() {
    version=$(printf '%s\n' "$loaded" | head -n 1)
    [ "$loaded" = "$version
$own" ] || [ "$version" != "$(nft --version)" ]
}

# The network's own table.
ask_nft() {
    section nft
    [ "$managed_nft" = no ] && return
    if own=$(nft -s list table inet "wgorch-$network" 2>/dev/null); then
        printf '%s\n' "$own"
        # Only where it differs from what was loaded.
        [ ! -s "$directory/nft.loaded" ] || ! loaded=$(cat "$directory/nft.loaded") || was_loaded || {
            section nft-loaded
            printf '%s\n' "$loaded"
        }
        return
    fi
    # It may be absent.
    found=$(nft list tables 2>&1) || has_no_nft "$found" || unread 1 'nft list tables'
    case $found in *"table inet wgorch-$network"*) unread 1 "nft list table inet wgorch-$network" ;; esac
}
