"""Runs a server that listens on every interface in a network of its own, and leads a unix socket to it.

A program to be started by ``unshare --net``: it knows nothing of the tests. It says "ready" once the server listens, and
ends with the server when its standard input ends, as it does when whoever started it is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import subprocess
import sys
import threading
import time

_PATIENCE = 30.0  # seconds
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def main() -> int:
    path, port, *command = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
    address = ("127.0.0.1", int(port))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as server:
        try:
            return _serve(path, address, server)
        finally:
            server.kill()


def _serve(path: str, address: tuple[str, int], server: subprocess.Popen[bytes]) -> int:
    if not _listens(address, server):
        return 1
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        threading.Thread(target=_let_in, args=(door, address), daemon=True).start()
        print("ready", flush=True)
        sys.stdin.read()
    return 0


def _listens(address: tuple[str, int], server: subprocess.Popen[bytes]) -> bool:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return True
        time.sleep(0.01)
    return False


def _let_in(door: socket.socket, address: tuple[str, int]) -> None:
    while True:
        guest, _ = door.accept()
        try:
            host = socket.create_connection(address, timeout=_PATIENCE)
        except OSError:  # the server has ended
            guest.close()
            continue
        for pair in ((guest, host), (host, guest)):
            threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main())
