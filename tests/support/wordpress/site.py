"""Install WordPress in a temporary folder, serve it on 127.0.0.1, and remove everything at the end."""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CODE = Path("/usr/share/wordpress")
OWN = Path(__file__).parent / "php"
PACKAGES = "wordpress php-cli php-mysql php-gd php-xml php-curl php-mbstring mariadb-server"
START_SECONDS = 300.0  # enough on the busiest machine
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # ignores the environment's proxies
PHP = ["php", "-d", "opcache.enable_cli=1", "-d", "upload_max_filesize=32M", "-d", "post_max_size=64M"]
WORKERS = 4  # of PHP; each answers one request at a time


@dataclass(frozen=True)
class Site:
    """A running WordPress.

    Attributes:
        url: without a slash at its end. Pretty links are on, so the REST API is at ``/wp-json/``.
        user: the owner, with every permission.
        password: the owner's application password.
        folder: the files of the site. Images are in ``www/wp-content/uploads``.
    """

    url: str
    user: str
    password: str = field(repr=False)
    folder: Path

    def api(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Call the site's REST API as its owner.

        Args:
            path: after ``/wp-json/wp/v2/``.
            body: bytes are sent unchanged, anything else as JSON.

        Raises:
            urllib.error.HTTPError: the site answered with an error status.
        """
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        url = f"{self.url}/wp-json/wp/v2/{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, content, method=method)
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {credentials}")
        if isinstance(body, bytes):
            request.add_header("Content-Type", "application/octet-stream")
            request.add_header("Content-Disposition", f'attachment; filename="{query["filename"]}"')
        else:
            request.add_header("Content-Type", "application/json")
        with DIRECT.open(request, timeout=START_SECONDS) as answer:
            return json.load(answer)

    def php(self, code: str) -> str:
        """Run PHP code within the site, for what its API cannot do. Returns the output.

        Raises:
            subprocess.CalledProcessError: PHP failed.
        """
        load = f"require {str(self.folder / 'www/wp-load.php')!r};"
        return _php("-r", load + code)


@contextmanager
def wordpress_site() -> Iterator[Site]:
    """A new site without any content. See :func:`require_wordpress` for machines without WordPress."""
    require_wordpress()
    with tempfile.TemporaryDirectory(prefix="wordpress", dir=_quick_folder()) as name, Servers() as servers:
        folder = Path(name)
        _lay_out(folder)
        _start_database(folder, servers)
        url = f"http://127.0.0.1:{_free_port()}"
        password = _php(str(folder / "install.php"), url).splitlines()[-1]
        _start_php(folder, url, servers)
        yield Site(url, "owner", password, folder)


def require_wordpress() -> None:
    """Skip the test if WordPress, PHP or MariaDB is missing. Fail it if ``HEDDLE_NEEDS_WORDPRESS`` is set."""
    if (CODE / "wp-load.php").is_file() and shutil.which("php") and shutil.which("mariadbd", path=_path()):
        return
    reason = f"WordPress is not installed: apt-get install --no-install-recommends {PACKAGES}"
    if os.environ.get("HEDDLE_NEEDS_WORDPRESS"):
        pytest.fail(reason)
    pytest.skip(reason)


class Servers:
    """Processes that end with this block, or when this process ends, even if it is killed.

    They are one process group. Its leader waits on a pipe whose other end only this process holds.
    """

    def __enter__(self) -> "Servers":
        self._leader = subprocess.Popen(["sh", "-c", "read _; kill -KILL 0"], stdin=subprocess.PIPE, process_group=0)
        self._started: list[subprocess.Popen[bytes]] = []
        return self

    def __exit__(self, *exception: object) -> None:
        self._leader.stdin.close()  # type: ignore[union-attr]
        for process in (self._leader, *self._started):
            process.wait()

    def start(self, ready: Callable[[], bool], log: Path, *command: str, **environment: str) -> None:
        """Start a server and wait until it is ready.

        Raises:
            RuntimeError: it ended, or is not ready within :data:`START_SECONDS`. The message ends with its output.
        """
        with log.open("w") as said:
            process = subprocess.Popen(
                command,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                process_group=self._leader.pid,
            )
        self._started.append(process)
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)


def _lay_out(folder: Path) -> None:
    """Copy the package's code, the tests' configuration and their plugin. There are no other plugins.

    The files are copied, because WordPress resolves links to find its root.
    """
    shutil.copytree(CODE, folder / "www", ignore=shutil.ignore_patterns("wp-config.php", "wp-content"))
    for name in ("mu-plugins", "plugins", "themes", "uploads"):
        (folder / "www/wp-content" / name).mkdir(parents=True)
    shutil.copy(OWN / "wp-config.php", folder / "www")
    shutil.copy(OWN / "shop.php", folder / "www/wp-content/mu-plugins")
    for name in ("install.php", "router.php"):
        shutil.copy(OWN / name, folder)


def _start_database(folder: Path, servers: Servers) -> None:
    """Start MariaDB on a socket in the site's folder, without a network port."""
    data, socket_ = folder / "database", folder / "database.socket"
    both = ["--no-defaults", f"--datadir={data}", *(["--user=root"] if os.geteuid() == 0 else [])]
    subprocess.run(
        ["mariadb-install-db", *both, "--skip-test-db", "--auth-root-authentication-method=normal"],
        capture_output=True,
        check=True,
    )
    (data / "wordpress").mkdir()  # a folder is a database
    quick = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=64M")
    listening = ("--skip-networking", f"--socket={socket_}", f"--pid-file={folder / 'database.pid'}")
    servers.start(socket_.exists, folder / "database.log", "mariadbd", *both, *listening, *quick, PATH=_path())


def _start_php(folder: Path, url: str, servers: Servers) -> None:
    serve = ("-S", url.removeprefix("http://"), "-t", str(folder / "www"), str(folder / "router.php"))
    servers.start(lambda: _answers(url), folder / "php.log", *PHP, *serve, PHP_CLI_SERVER_WORKERS=str(WORKERS))


def _answers(url: str) -> bool:
    try:
        with DIRECT.open(f"{url}/wp-json/", timeout=START_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _php(*arguments: str) -> str:
    return subprocess.run([*PHP, *arguments], capture_output=True, text=True, check=True).stdout


def _quick_folder() -> str | None:
    """A folder in memory, if there is room: thousands of small files and a database start three times as fast there."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2e9 else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _path() -> str:
    """PATH with the folder of the system's services."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
