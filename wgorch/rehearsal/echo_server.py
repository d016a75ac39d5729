"""An echo by TCP and UDP, on port 7777 or on the TCP ports of its arguments; runs on a machine of a world.

It answers with the address that it sees, `ADDRESS said TEXT`; to `send COUNT` by TCP with so many bytes.
"""

from __future__ import annotations

import socket
import sys
import threading

PORT = 7777


def serve_tcp(port: int) -> None:
    try:
        server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError:
        return  # something listens there already
    while True:
        client, peer = server.accept()
        threading.Thread(target=answer, args=(client, peer[0].removeprefix("::ffff:")), daemon=True).start()


def answer(client: socket.socket, peer: str) -> None:
    with client:
        client.settimeout(20)
        try:
            asked = client.recv(4096)
            if asked.startswith(b"send "):
                client.sendall(b"x" * int(asked.split()[1]))
            else:
                client.sendall(peer.encode() + b" said " + asked)
        except OSError:
            pass


def serve_udp() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", PORT))
    while True:
        asked, peer = server.recvfrom(4096)
        server.sendto(peer[0].encode() + b" said " + asked, peer)


if __name__ == "__main__":
    ports = list(map(int, sys.argv[1:]))
    if not ports:
        threading.Thread(target=serve_udp, daemon=True).start()
    servers = [threading.Thread(target=serve_tcp, args=(port,)) for port in ports or [PORT]]
    for server in servers:
        server.start()
