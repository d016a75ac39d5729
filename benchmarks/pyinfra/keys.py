"""First of two passes, as pyinfra decides all commands of a pass before it runs any: keys, and their fetching."""

from pyinfra import host
from pyinfra.operations import files, server

server.shell(
    commands=[
        "umask 077; mkdir -p /etc/wireguard; test -s /etc/wireguard/key || wg genkey > /etc/wireguard/key; wg pubkey < /etc/wireguard/key > /etc/wireguard/public"
    ]
)
files.get(src="/etc/wireguard/public", dest=f"keys/{host.name}", create_local_dir=True)
