"""One small shop for all tests, and the same one over a real socket."""

from collections.abc import Iterator

import httpx
import pytest

from demo_shop import Shop
from demo_shop.server import serve


@pytest.fixture(scope="session")
def shop() -> Shop:
    return Shop(seed=7, listings=96, guides=24)


@pytest.fixture(scope="session")
def port(shop: Shop) -> Iterator[int]:
    with serve(shop) as number:
        yield number


@pytest.fixture
def client(port: int) -> Iterator[httpx.Client]:
    """Asks the shop by its own name, with the socket as the proxy, as the crawler does."""
    with httpx.Client(proxy=f"http://127.0.0.1:{port}", base_url="http://demo-shop.example", trust_env=False) as asking:
        yield asking
