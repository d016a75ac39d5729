# The WireGuard interface.

# Create the interface: the kernel's WireGuard, or wireguard-go where the kernel has none.
make_interface() {
    interface=$1
    [ -d "/sys/class/net/$interface" ] && wg show "$interface" public-key >/dev/null 2>&1 && return 0
    ip link add dev "$interface" type wireguard 2>/dev/null && return 0
    command -v wireguard-go >/dev/null 2>&1 || {
        echo "the kernel has no WireGuard, and there is no wireguard-go"
        return 1
    }
    # The daemon that stays has neither stdout nor stderr, as long as LOG_LEVEL is not set.
    output=$(unset LOG_LEVEL && setsid wireguard-go "$interface" 2>&1 </dev/null >/dev/null) || {
        printf '%s\n' "$output"
        return 1
    }
    tries=0
    until [ -S "/var/run/wireguard/$interface.sock" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        sleep 0.02 2>/dev/null || sleep 1
    done
}

# Remove the mark of an interface; `ip -batch` would lose the empty word.
clear_alias() { # INTERFACE
    ip link set dev "$1" alias ''
}

# Delete the interface, and wireguard-go's directory if nothing else is in it.
end_interface() { # INTERFACE
    ip link delete dev "$1" 2>/dev/null
    # wireguard-go on a busy host takes seconds to end. By the clock, since not every sleep takes tenths.
    read -r uptime _ </proc/uptime
    latest=$((${uptime%%.*} + 10))
    while [ -e "/var/run/wireguard/$1.sock" ] && [ "${uptime%%.*}" -lt "$latest" ]; do
        sleep 0.1 2>/dev/null || sleep 1
        read -r uptime _ </proc/uptime
    done
    # One whose interface went while it started, or that was killed, leaves its socket.
    [ -d "/sys/class/net/$1" ] || [ ! -S "/var/run/wireguard/$1.sock" ] || rm -f "/var/run/wireguard/$1.sock"
    rmdir /var/run/wireguard 2>/dev/null
    [ ! -d "/sys/class/net/$1" ]
}
