# The questions in their order. scope: all; or what a change of wgorch can have changed; or wgorch's own files, which
# another run may have changed.
: "${scope:?}" "${ipv6:?}" "${exits:?}"

# shellcheck disable=SC2034 # for end_hanging
read -r reader _ </proc/self/stat
end_hanging </dev/null >/dev/null 2>&1 &
watchdog=$!
read_headers
ask_moment
if [ "$scope" = all ]; then
    ask_host
    ask_tools
    ask_udp
    ask_managers
    ask_foreign_nft
    ask_next_start
fi
if [ "$scope" != own ]; then
    ask_links
    ask_addresses
    ask_wireguard
    ask_rules
    ask_nft
    ask_firewalld
    ask_sysctls
    ask_drop_ins
    ask_dns
    [ "$ipv6" = no ] || {
        ask_routes6
        ask_rules6
        ask_sysctls6
    }
    [ "$exits" = no ] || ask_exits
    ask_more # programs.py defines it: what the other files of this folder ask
fi
[ "$scope" = changed ] || ask_keys
ask_files
ask_digests
ask_enabled
if [ "$scope" = all ]; then
    # What path_mtu.sh found comes in by file descriptor 3.
    section paths
    while IFS= read -r line; do printf '%s\n' "$line"; done <&3
fi
section end
kill "$watchdog" 2>/dev/null
