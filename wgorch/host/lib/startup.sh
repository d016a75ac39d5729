# Start-up systems, and other managers of the host's network.

# Find the directory that runit supervises: reply_services.
find_services() {
    for reply_services in /var/service /etc/service /service; do
        [ -d "$reply_services" ] && return 0
    done
    return 1
}

# Let runit supervise a service.
enable_runit() { # SERVICE
    find_services && ln -sfn "/etc/sv/$1" "$reply_services/$1"
}

# Remove a service from runit; its supervisor ends before its files go.
disable_runit() { # SERVICE
    find_services && rm -f "$reply_services/$1"
    [ -d "/etc/sv/$1" ] || return 0
    sv force-shutdown "/etc/sv/$1" >/dev/null 2>&1
    rm -rf "/etc/sv/$1"
}

# Let a network manager read its drop-in; systemd-networkd reads it at its next start and is not disturbed.
reload_network_manager() {
    path=$1
    case $path in
    */NetworkManager/*) ! command -v nmcli >/dev/null 2>&1 || nmcli general reload conf >/dev/null 2>&1 || : ;;
    */networkd.conf.d/*) rmdir "${path%/*}" 2>/dev/null || : ;; # if it was there only for wgorch's drop-in
    esac
}
