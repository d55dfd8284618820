"""The WordPress that the other tests crawl is a real one, and leaves nothing behind."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.support.wordpress import Site, require_wordpress, wordpress_site

pytestmark = pytest.mark.xdist_group("wordpress_site")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site():
    with wordpress_site() as running:
        yield running


def test_its_api_is_at_pretty_links_and_it_has_no_content(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/wp-json/wp/v2/posts") as answer:
        assert answer.headers["X-WP-Total"] == "0"
        assert json.load(answer) == []


def test_the_application_password_opens_it_and_no_other(site: Site) -> None:
    assert site.api("GET", "users/me")["slug"] == site.user
    stranger = Site(site.url, site.user, "wrong", site.folder)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        stranger.api("GET", "users/me")


def test_what_is_written_is_there(site: Site) -> None:
    made = site.api("POST", "posts", {"title": "A chair", "status": "draft", "meta": {"price": 3.5, "item": "chair"}})
    assert (made["status"], made["meta"]["price"], made["meta"]["item"]) == ("draft", 3.5, "chair")
    assert site.php(f"echo get_post({made['id']})->post_title;") == "A chair"


def test_it_ends_with_the_process_that_started_it_however_that_ends() -> None:
    require_wordpress()  # here, as a skip in the child process would be lost
    program = (
        "from tests.support.wordpress import wordpress_site\n"
        "with wordpress_site() as site: print(site.folder, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    folder = process.stdout.readline().strip()  # type: ignore[union-attr]
    servers = [each for each in psutil.process_iter(["cmdline"]) if folder in " ".join(each.info["cmdline"] or ())]
    assert {each.name() for each in servers} >= {"mariadbd", "php"}
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(servers, timeout=20)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]
    shutil.rmtree(folder)
