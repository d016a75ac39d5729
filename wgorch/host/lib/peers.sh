# Peers of the WireGuard interface.

# Set a peer's endpoint by its name. At a start the name may not resolve yet; `watch` sets it then.
set_named_endpoint() {
    interface=$1 key=$2 endpoint=$3
    if [ -z "${starting-}" ]; then
        wg set "$interface" peer "$key" endpoint "$endpoint"
    else
        WG_ENDPOINT_RESOLUTION_RETRIES=2 wg set "$interface" peer "$key" endpoint "$endpoint" || echo "cannot resolve $endpoint yet"
    fi
}
