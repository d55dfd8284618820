"""A site that misbehaves gets a clear error or another try, and whatever it says, the password is not repeated."""

import contextlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.publishing.site import SiteError, WordPressClient
from heddle.sources.parameters import WordPress

PASSWORD = "sesame 51a9"
BASIC = b64encode(f"me:{PASSWORD}".encode()).decode()
POST = {"id": 1, "status": "draft", "modified": "2026-01-01T00:00:00", "meta": []}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Lets the site give these answers, the last one for ever; returns the methods and paths that were asked for."""

    def answers(*given: httpx.Response | Exception) -> list[str]:
        log: list[str] = []

        def handle(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            answer = given[min(len(log), len(given) - 1)]
            log.append(f"{request.method} {request.url.path}")
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
        return log

    return answers


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WordPressClient]:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    with WordPressClient(source()) as opened:
        yield opened


def source(**settings: Any) -> WordPress:
    account = {"username": "me", "application_password_env": "SHOP_PASSWORD"}
    manners = {"contact": "me@shop.test", "delay": 0, "back_off": 0, "retries": 2}
    url = "https://shop.example:8443/blog/"
    return WordPress.model_validate({"kind": "wordpress", "name": "shop", "url": url} | account | manners | settings)


def test_what_passes_is_tried_again(site: WordPressClient, asked: Any) -> None:
    log = asked(httpx.Response(503), httpx.ConnectError("refused"), httpx.Response(200, json=[POST]))
    assert [post.id for post in site.posts()] == [1]
    assert log == ["GET /blog/wp-json/wp/v2/posts"] * 3


def test_what_stays_is_told_after_all_tries(site: WordPressClient, asked: Any) -> None:
    log = asked(httpx.Response(429, headers={"Retry-After": "0"}))
    with pytest.raises(SiteError, match=r"^https://shop.example:8443/blog/wp-json/wp/v2/posts returned 429 Too Many"):
        list(site.posts())
    assert len(log) == 3


def test_a_site_that_asks_for_an_hour_is_left_in_peace(site: WordPressClient, asked: Any) -> None:
    log = asked(httpx.Response(503, headers={"Retry-After": "3600"}))
    with pytest.raises(SiteError, match="503"):
        list(site.posts())
    assert len(log) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.Response(401, json={"message": "Sorry"}), "401 Unauthorized, Sorry. Check username and the application"),
        (httpx.Response(403, html="<html>"), "403 Forbidden. The account lacks the permission"),
        (httpx.Response(404, html="<html>"), "404 Not Found. Check url and posts of the source"),
        (
            httpx.Response(301, headers={"Location": "https://www.shop.example/"}),
            "Set url to the target of the redirect: https://www",
        ),
        (httpx.Response(200, html="<html>"), "no JSON: check that url is a WordPress site"),
        (httpx.Response(200, json=[{"id": "x"}]), "not a response of WordPress's REST API: 0.id"),
        (httpx.Response(200, json={"posts": 1}), "not a response of WordPress's REST API"),
    ],
)
def test_errors_name_the_site_the_answer_and_the_remedy(
    site: WordPressClient, asked: Any, answer: Any, message: str
) -> None:
    log = asked(answer)
    with pytest.raises(SiteError, match=r"^https://shop.example:8443/blog/wp-json/wp/v2/") as error:
        list(site.posts())
    assert message in str(error.value)
    assert len(log) == 1


@pytest.mark.parametrize("secret", [PASSWORD, "sesame%2051a9", BASIC])
def test_a_site_that_repeats_the_password_is_not_quoted(site: WordPressClient, asked: Any, secret: str) -> None:
    for answer in (
        httpx.Response(400, json={"message": f"{secret} may not"}),
        httpx.Response(302, headers={"Location": f"https://shop.example/?{secret}"}),
        httpx.ConnectError(f"no route for {secret}"),
        httpx.Response(200, json=[POST | {"status": [secret]}]),
    ):
        asked(answer)
        with pytest.raises(SiteError) as error:
            list(site.posts())
        assert secret not in str(error.value)
        assert error.value.__cause__ is None


def test_without_the_variable_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    with pytest.raises(SiteError, match="source shop: set the environment variable SHOP_PASSWORD"):
        WordPressClient(source())


def test_it_ends_in_time(site: WordPressClient, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(httpx.Response(200, json=[POST] * 100))  # a page that is always followed by another
    late = WordPressClient(source(time_limit=0.05))
    with pytest.raises(SiteError, match="not finished within time_limit"):
        list(late.posts())


def test_an_endless_answer_is_cut(site: WordPressClient, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heddle.publishing.site.MAX_RESPONSE_BYTES", 1000)
    asked(httpx.Response(200, content=iter([b"x" * 600] * 9)))
    with pytest.raises(SiteError, match="more than the allowed 1,000 bytes"):
        list(site.posts())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(100, 599), st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"[null]", b'[{"id":1}]', b"[[]]"])
)
def test_whatever_is_answered_it_is_read_or_told(
    site: WordPressClient, asked: Any, status: int, content: bytes
) -> None:
    asked(httpx.Response(status, content=content))
    for ask in (lambda: list(site.posts()), site.properties, lambda: site.find("shop:1")):
        with contextlib.suppress(SiteError):
            assert ask() in ([], None)
