"""Serve the demo shop for a person: ``python -m demo_shop --listings 96 --port 8000``."""

import argparse
import socket

from demo_shop.server import run
from demo_shop.shop import Shop


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m demo_shop", description="Serve the demo shop on loopback.")
    parser.add_argument("--seed", type=int, default=20260701, help="of everything (default: %(default)s)")
    parser.add_argument("--listings", type=int, default=96, help="things for sale (default: %(default)s)")
    parser.add_argument("--guides", type=int, default=24, help="guides (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0: any free one (default: %(default)s)")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", options.port)) as listening:
        print(f"The demo shop is open: http://127.0.0.1:{listening.getsockname()[1]}/ (Ctrl+C to close)", flush=True)
        run(Shop(options.seed, options.listings, options.guides), listening)


if __name__ == "__main__":
    main()
