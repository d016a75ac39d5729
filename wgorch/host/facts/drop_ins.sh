# Files that keep other managers of the network from touching the tunnel.
: "${network:?}"

ask_drop_ins() {
    section drop-ins
    for file in "/etc/NetworkManager/conf.d/wgorch-$network.conf" "/etc/systemd/network/05-wgorch-$network.network" \
        "/etc/systemd/networkd.conf.d/wgorch-$network.conf"; do
        print_file "$file"
    done
}
