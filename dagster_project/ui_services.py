"""The processes of ``heddle ui``: code server, daemon and web server, as in ``dagster dev``, which has no guard."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import grpc

from dagster_project.webserver import TOKEN_VARIABLE
from heddle.core.errors import UserError
from heddle.core.processes import die_with_parent

LOCATION = "heddle"
MODULE = "dagster_project.definitions"
STOP_SECONDS = 60
WORKSPACE = """load_from:
  - grpc_server: {{location_name: {location}, host: localhost, socket: {socket}}}
"""


class UiError(UserError):
    """A process of the UI ended. The message gives its name and exit code."""


class UiServices:
    """The running processes. The code server's socket is in a private temporary folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = Path(tempfile.mkdtemp(prefix="heddle-ui-"))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, port: int, allowed_hosts: Sequence[str]) -> None:
        """Start all processes: the code server first, as the others connect to it.

        Raises:
            UiError: the code server ended.
        """
        socket, workspace = self._folder / "code.sock", self._folder / "workspace.yaml"
        workspace.write_text(WORKSPACE.format(location=LOCATION, socket=socket))
        self._start(
            "code server", "dagster", "code-server", "start", "--socket", str(socket), "--log-level", "warning",
            "--location-name", LOCATION, "--module-name", MODULE, "--working-directory", str(self._root),
        )  # fmt: skip
        self._wait_for_code_server(socket)
        self._start("daemon", "dagster._daemon", "run", "--workspace", str(workspace))
        hosts = [f"--allow-host={host}" for host in allowed_hosts]
        self._start(
            "web server", "dagster_project.webserver", "--port", str(port), "--workspace", str(workspace), *hosts,
            secrets=True,
        )  # fmt: skip

    def check(self) -> None:
        """Check that all processes run.

        Raises:
            UiError: one of them ended.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise UiError(f"the {name} of the UI ended with code {process.returncode}; see its messages above")

    def stop(self) -> None:
        """Interrupt the processes, last started first, and wait for them."""
        for process in reversed(self._processes.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, name: str, module: str, *arguments: str, secrets: bool = False) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        environment = {**os.environ, "PATH": path}
        if not secrets:
            environment.pop(TOKEN_VARIABLE, None)  # only the web server needs it; runs inherit the rest
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self._root,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches `heddle ui` alone, which ends the processes in order
            preexec_fn=die_with_parent,
        )

    def _wait_for_code_server(self, socket: Path) -> None:
        with grpc.insecure_channel(f"unix:{socket}") as channel:
            ready = grpc.channel_ready_future(channel)
            while not ready.done():
                self.check()
                time.sleep(0.1)
