"""Ask the echo server and print its answer; runs on a machine of a world: echo_client.py tcp|udp ADDRESS PORT TEXT.

For the text `send COUNT` it prints `all` once so many bytes have come.
"""

from __future__ import annotations

import socket
import sys


def main(kind: str, address: str, port: str, text: str) -> None:
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    client.settimeout(5)
    client.connect((address, int(port)))
    client.sendall(text.encode())
    if not text.startswith("send "):
        sys.stdout.write(client.recv(4096).decode() + "\n")
        return
    left = int(text.split()[1])
    while left > 0:
        data = client.recv(65536)
        if not data:
            sys.exit("ended early")
        left -= len(data)
    sys.stdout.write("all\n")


if __name__ == "__main__":
    main(*sys.argv[1:5])
