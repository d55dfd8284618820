"""The WordPress of the other tests is a real one, and is removed at the end."""

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


def test_new_site_is_empty_and_has_pretty_links(site: Site) -> None:
    with urllib.request.urlopen(f"{site.url}/wp-json/wp/v2/posts") as answer:
        assert answer.headers["X-WP-Total"] == "0"
        assert json.load(answer) == []


def test_only_the_application_password_is_accepted(site: Site) -> None:
    assert site.api("GET", "users/me")["slug"] == site.user
    stranger = Site(site.url, site.user, "wrong", site.folder)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        stranger.api("GET", "users/me")


def test_written_post_can_be_read(site: Site) -> None:
    made = site.api("POST", "posts", {"title": "A chair", "status": "draft", "meta": {"price": 3.5, "item": "chair"}})
    assert (made["status"], made["meta"]["price"], made["meta"]["item"]) == ("draft", 3.5, "chair")
    assert site.php(f"echo get_post({made['id']})->post_title;") == "A chair"


def test_servers_end_when_their_process_is_killed() -> None:
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
