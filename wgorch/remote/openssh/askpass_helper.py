"""Pass a prompt of ssh's on to wgorch, and print the answer; run by ssh as $SSH_ASKPASS."""

import os
import socket
import sys


def main(prompt: str) -> int:
    """Ask by the socket $WGORCH_ASKPASS; status 1 where there is no answer."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(os.environ["WGORCH_ASKPASS"])
        if os.environ.get("SSH_ASKPASS_PROMPT") == "none":
            prompt = f"!{prompt}"
        sock.sendall(prompt.encode()[:4096])
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(4096):
            answer += data
    if not answer.startswith(b"+"):
        return 1
    sys.stdout.write(answer[1:].decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
