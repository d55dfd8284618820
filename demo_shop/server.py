"""Serve the shop on loopback from a separate process, which ends when its parent ends for any reason."""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from demo_shop.application import Application
from demo_shop.shop import Shop

STARTUP_SECONDS = 30.0
WATCH_SECONDS = 1.0


@contextmanager
def serve(shop: Shop) -> Iterator[int]:
    """Serve ``shop`` on a free port of 127.0.0.1 in a separate process; yield the port.

    The process ends with the block, and also when this process dies from any signal: it holds the reading end of a
    pipe whose writing end only this process has. (The kernel's parent-death signal reports the end of the
    parent *thread*, which may come long before the end of the process.)

    Raises:
        RuntimeError: the server did not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings = json.dumps({"seed": shop.seed, "listings": shop.size, "guides": shop.guide_count})
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "demo_shop.server", str(listening.fileno()), str(os.getpid()), settings],
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            env={**os.environ, "PYTHONPATH": path},
        )
    try:
        _await(process, port)
        yield port
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait for the first answer. Requests to loopback ignore the proxies of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + STARTUP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(f"http://127.0.0.1:{port}/robots.txt", timeout=STARTUP_SECONDS):
                return
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the demo shop's server did not start (exit status {process.poll()})")


def run(shop: Shop, listening: socket.socket) -> None:
    """Serve on a bound socket until stopped."""
    settings = uvicorn.Config(
        Application(shop).asgi, interface="asgi3", log_level="warning", access_log=False, lifespan="off"
    )
    uvicorn.Server(settings).run(sockets=[listening])


def _end_with_parent(parent: int) -> None:
    """End this process when the parent's end of the pipe is closed or the parent process changes."""
    while os.getppid() == parent:
        if select.select([0], [], [], WATCH_SECONDS)[0] and not os.read(0, 1):
            break
    os._exit(0)


def _main() -> None:
    descriptor, parent, settings = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    run(Shop(**settings), socket.socket(fileno=descriptor))


if __name__ == "__main__":
    _main()
