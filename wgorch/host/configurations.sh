# The files of other programs that make an interface: "file PATH", then each line behind a bar. Keys are hidden where no
# line calls them public, and they name no section.
: "${interface:?}"

# The files that name the interface, in the order in which they are read.
named() {
    [ ! -f "/etc/wireguard/$interface.conf" ] || printf '%s\n' "/etc/wireguard/$interface.conf"
    grep -l -s -E "(^|[^A-Za-z0-9_.-])$interface([^A-Za-z0-9_.-]|\$)" \
        /etc/systemd/network/*.netdev /etc/systemd/network/*.network /run/systemd/network/*.netdev /etc/netplan/*.yaml \
        /etc/NetworkManager/system-connections/* /etc/network/interfaces /etc/network/interfaces.d/*
}

key='[A-Za-z0-9+/]\{42\}[A-Za-z0-9+/=]\{2\}'
named | while IFS= read -r file; do
    printf 'file %s\n' "$file"
    sed -e "/[Pp]ubl/!{/^\[wireguard-peer/!s|$key|HIDDEN|g;}" -e ':again' -e "s|\(.*$key.*\)$key|\1HIDDEN|" -e t'again' \
        -e 's/^/|/' -e 600q "$file"
done
