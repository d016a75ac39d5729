# Network devices, addresses, and routes of the main table.
: "${line=}" "${interfaces:?}" "${nets?}" "${network:?}"

ask_links() {
    section links
    [ -d /sys/class/net/lo ] || unread 1 'ls /sys/class/net/lo'
    for path in /sys/class/net/*; do
        [ -d "$path" ] || continue
        read_line "$path/mtu"
        # One that has gone meanwhile has none.
        [ -n "$line" ] || { [ ! -d "$path" ] || unread 1 "cat $path/mtu"; continue; }
        mtu=$line
        read_line "$path/flags"
        flags=$line
        read_line "$path/ifalias"
        printf '%s %s %s %s\n' "${path##*/}" "$mtu" "$flags" "$line"
        # A host with several relays has more interfaces of the network.
        case $line/${path##*/} in
        "wgorch:$network/${interfaces%% *}"?*) interfaces="$interfaces ${path##*/}" ;;
        esac
    done
}

# Addresses and routes in one process; their lines are not alike. If the tunnel is there, table local too: the kernel puts
# the tunnel's addresses into it. Section local names the interfaces that it was read for.
ask_addresses() {
    section local
    table_local=
    for interface in $interfaces; do
        [ -d "/sys/class/net/$interface" ] && echo "$interface" && table_local='route show table local type local'
    done
    section addresses
    # A kernel without policy routing has no rules.
    found=$(ask_ip 'rule show') || found=$(ask_ip '') || found=$(ask_busybox_ip $?)
    if [ "${#found}" -gt 400000 ]; then found=$(printf '%s\n' "$found" | near_routes); fi
    printf '%s\n' "$found"
    ask_policy_routes
}

ask_ip() { # FIRST
    ip -o -batch - <<END 2>/dev/null
$1
addr show
route show
$table_local
END
}

# The tables that rules of others ask: at most eight.
ask_policy_routes() {
    section policy-routes
    asked=' local main default '
    while read -r priority rule; do
        case $priority/$rule in [0-9]*:/from\ * | [0-9]*:/not\ *) ;; *) break ;; esac
        name=${rule##* lookup }
        name=${name%% *}
        case $rule in *' iif '*' proto 119') continue ;; *' lookup '[!\[]*) ;; *) continue ;; esac
        case $asked in *" $name "*) continue ;; esac
        asked="$asked$name "
        [ "${#asked}" -lt 120 ] || break
        printf 'table %s\n' "$name"
        ask_table -4 "$name"
    done <<FOUND
$found
FOUND
}

# The routes of a table other than main, which may be as large.
ask_table() { # FAMILY TABLE
    if ! routes=$(ip "$1" route show table "$2" 2>&1); then
        # Newer kernels fail for a table without routes.
        case $routes in *'does not exist'*) ;; *) unread 1 "ip $1 route show table $2" ;; esac
        return
    fi
    if [ "${#routes}" -gt 100000 ]; then routes=$(printf '%s\n' "$routes" | near_routes); fi
    printf '%s\n' "$routes"
}

# The same by busybox's ip, which has no -batch. iproute2's has, and failed.
ask_busybox_ip() { # STATUS
    case $(ip -V 2>/dev/null) in *iproute2*) unread "$1" 'ip -o -batch -' && return ;; esac
    command -v ip >/dev/null 2>&1 || { section poor-ip && return; }
    ip -o addr show || unread $? 'ip -o addr show'
    section routes
    ip route show || unread $? 'ip route show'
    section poor-ip
}

# Of many lines those that are no routes of IPv4, and the routes that overlap a network of nets: a routing table of the
# internet has a million others. Numbers of awk hold an address of IPv4.
near_routes() {
    # One line: what is indented in a quoted text would lose that on its way.
    # shellcheck disable=SC2016 # awk's own variables
    near='function first(prefix, parts, bytes, bits) { split(prefix, parts, "/"); split(parts[1], bytes, "."); width = 1; for (bits = parts[2]; bits != "" && bits < 32; bits++) width *= 2; return ((bytes[1] * 256 + bytes[2]) * 256 + bytes[3]) * 256 + bytes[4] }'
    # shellcheck disable=SC2016
    near="$near"'BEGIN { many = split(nets, list, " "); for (n = 1; n <= many; n++) { low[n] = first(list[n]); high[n] = low[n] + width - 1 } }'
    # shellcheck disable=SC2016
    near="$near"'{ prefix = $1 ~ /^[a-z]+$/ && $1 != "default" ? $2 : $1; if (prefix !~ /^[0-9]+\.[0-9.]+(\/[0-9]+)?$/) { print; next } from = first(prefix); to = from + width - 1; for (n = 1; n <= many; n++) if (from <= high[n] && low[n] <= to) { print; next } }'
    awk -v nets="$nets ${SSH_CONNECTION%% *}" "$near"
}

ask_routes6() {
    section routes6
    [ -d /proc/sys/net/ipv6 ] || return
    ip -6 -batch - <<END 2>/dev/null || ip -6 route show || ! command -v ip >/dev/null 2>&1 || unread $? 'ip -6 route show'
route show
$table_local
END
}
