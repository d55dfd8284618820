"""Run :class:`assets.catalog.fetcher.Fetcher` in a thread of this process, or in several processes.

Images are decoded in the worker that fetches them; only their descriptions are sent back. Worker processes are forked
from a server process that has imported all modules, because a process with Twisted's threads must not be forked.
Requests and results are sent in lists, because sending costs more per message than per element.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue

from assets.catalog.fetch_messages import FetchRequest, FetchResult, FetchSettings
from assets.catalog.fetcher import Fetcher
from heddle.core.processes import die_with_parent

WorkerMessage = tuple[int, list[FetchResult] | str]
"""Number of a worker, and its results or the traceback of its failure."""


class Workers:
    """One worker thread or several worker processes. Each request goes to the worker with the fewest requests.

    Args:
        processes: number of worker processes; 1 starts a thread instead.
    """

    def __init__(self, settings: FetchSettings, processes: int) -> None:
        self._messages: SimpleQueue[WorkerMessage] = SimpleQueue()
        self._workers = [_Worker(settings, number, self._messages.put, processes > 1) for number in range(processes)]
        self._active = [0] * processes
        self._unsent: list[list[FetchRequest]] = [[] for _ in range(processes)]

    def add(self, request: FetchRequest) -> None:
        """Assign a request to a worker. It is sent by the next call of :meth:`results`."""
        number = self._active.index(min(self._active))
        self._active[number] += 1
        self._unsent[number].append(request)

    def results(self, timeout: float) -> list[FetchResult]:
        """Send all requests and return all available results; empty if none arrives within `timeout` seconds.

        Raises:
            RuntimeError: a worker failed; the message contains its traceback.
        """
        for worker, requests in zip(self._workers, self._unsent, strict=True):
            if requests:
                worker.send(requests)
                requests.clear()
        results: list[FetchResult] = []
        with suppress(Empty):
            results += self._next_results(timeout)
            while True:
                results += self._next_results(0)
        return results

    def _next_results(self, timeout: float) -> list[FetchResult]:
        number, message = self._messages.get(timeout=timeout)
        if isinstance(message, str):
            raise RuntimeError(f"an image worker failed:\n{message}")
        self._active[number] -= len(message)
        return message

    def close(self) -> None:
        """Stop all workers."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """Connection to a worker process, or to a worker thread of this process."""

    def __init__(
        self, settings: FetchSettings, number: int, put: Callable[[WorkerMessage], None], process: bool
    ) -> None:
        self._number, self._put, self._closed = number, put, False
        self._process: multiprocessing.process.BaseProcess | None = None
        if process:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([__name__])
            self._pipe, pipe = context.Pipe()
            self._process = context.Process(target=_run_process, args=(pipe, settings), daemon=True)
            self._process.start()
            pipe.close()
        else:
            self._pipe, pipe = multiprocessing.Pipe()
            threading.Thread(target=_run, args=(pipe, settings), name="fetch", daemon=True).start()
        threading.Thread(target=self._receive, name="receive", daemon=True).start()

    def send(self, requests: Sequence[FetchRequest]) -> None:
        """Send requests to the worker."""
        with suppress(BrokenPipeError):  # the receiving thread reports why the worker ended
            self._pipe.send(list(requests))

    def close(self) -> None:
        """Stop the worker, even if requests are in progress."""
        self._closed = True
        if self._process:
            self._process.kill()
            self._process.join()
        else:
            with suppress(BrokenPipeError):
                self._pipe.send(None)

    def _receive(self) -> None:
        """Receive results at once, so that no worker waits for the scheduler."""
        try:
            while True:
                self._put((self._number, self._pipe.recv()))
        except (EOFError, OSError):
            if not self._closed:
                self._put((self._number, "the process ended before its work was done, possibly for lack of memory"))


def _run_process(pipe: Connection, settings: FetchSettings) -> None:
    """Run in a process, which ends when the other end of the pipe is closed."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stage stops its workers
    _run(pipe, settings)
    os._exit(0)


def _run(pipe: Connection, settings: FetchSettings) -> None:
    with pipe:
        asyncio.run(_WorkerLoop(pipe).serve(settings))


class _WorkerLoop:
    """Receives requests and sends results, in an event loop."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._results: list[FetchResult] = []
        self._tasks: set[asyncio.Task[FetchResult]] = set()

    async def serve(self, settings: FetchSettings) -> None:
        """Execute requests until the other end closes the pipe or sends None."""
        self._loop, self._closed = asyncio.get_running_loop(), asyncio.Event()
        self._fetcher = Fetcher(settings)
        self._loop.add_reader(self._pipe.fileno(), self._receive)
        await self._closed.wait()
        self._loop.remove_reader(self._pipe.fileno())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._fetcher.close()

    def _receive(self) -> None:
        try:
            requests = self._pipe.recv()
        except (EOFError, OSError):
            requests = None
        if requests is None:
            self._closed.set()
            return
        for request in requests:
            task = self._loop.create_task(self._fetcher.execute(request))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[FetchResult]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        if error := task.exception():
            self._send("".join(traceback.format_exception(error)))
            return
        if not self._results:
            self._loop.call_soon(self._send_results)  # together with all results until then
        self._results.append(task.result())

    def _send_results(self) -> None:
        results, self._results = self._results, []
        self._send(results)

    def _send(self, message: list[FetchResult] | str) -> None:
        with suppress(BrokenPipeError):  # the stage has ended
            self._pipe.send(message)
