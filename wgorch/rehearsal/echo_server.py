"""An echo by TCP and UDP on port 7777; runs on a machine of a world.

It answers with the address that it sees, `ADDRESS said TEXT`; to `send COUNT` by TCP with so many bytes.
"""

from __future__ import annotations

import socket
import threading

PLACE = ("0.0.0.0", 7777)


def serve_tcp() -> None:
    server = socket.create_server(PLACE)
    while True:
        client, peer = server.accept()
        threading.Thread(target=answer, args=(client, peer[0]), daemon=True).start()


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
    server.bind(PLACE)
    while True:
        asked, peer = server.recvfrom(4096)
        server.sendto(peer[0].encode() + b" said " + asked, peer)


if __name__ == "__main__":
    threading.Thread(target=serve_udp, daemon=True).start()
    serve_tcp()
