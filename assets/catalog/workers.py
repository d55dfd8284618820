"""Who works off the jobs of :mod:`assets.catalog.fetch`: threads here, or of several processes if there is much to do.

Pictures are decoded where they are fetched; only what is known of them comes back. Processes are forked from a server
that has imported what they need, as a process with Twisted's threads must not be forked.
"""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Protocol

from assets.catalog.fetch import Fetcher
from assets.catalog.jobs import Answer, Job, Setup
from assets.processes import die_with_parent

Result = tuple[int, Answer | str]
"""A worker's number, and its answer, or what broke it."""


class Worker(Protocol):
    """Works off jobs, several at once, and puts the results where it was told to."""

    def send(self, job: Job) -> None:
        """Begin a job."""

    def close(self) -> None:
        """End, whatever is under way."""


class Workers:
    """One worker or several; jobs go to the one that has the fewest.

    Args:
        processes: none of their own if it is 1.
    """

    def __init__(self, setup: Setup, processes: int) -> None:
        self.results: SimpleQueue[Result] = SimpleQueue()
        kind = Here if processes == 1 else There
        self._workers: list[Worker] = [kind(setup, number, self.results.put) for number in range(processes)]
        self._busy = [0] * processes

    def send(self, job: Job) -> None:
        """Give a job to a worker."""
        number = self._busy.index(min(self._busy))
        self._busy[number] += 1
        self._workers[number].send(job)

    def result(self, timeout: float) -> Answer:
        """The next answer.

        Raises:
            queue.Empty: there is none in time.
            RuntimeError: a worker broke; the message says where.
        """
        number, answer = self.results.get(timeout=timeout)
        if isinstance(answer, str):
            raise RuntimeError(f"fetching pictures broke:\n{answer}")
        self._busy[number] -= 1
        return answer

    def close(self) -> None:
        """End all of them."""
        for worker in self._workers:
            worker.close()


class Here:
    """Threads of this process."""

    def __init__(self, setup: Setup, number: int, put: Callable[[Result], None]) -> None:
        self._fetcher = Fetcher(setup)
        self._threads = ThreadPoolExecutor(setup.at_once, thread_name_prefix="fetch")
        self._number = number
        self._put = put

    def send(self, job: Job) -> None:
        """Begin a job."""
        self._threads.submit(self._fetcher.answer, job).add_done_callback(self._done)

    def close(self) -> None:
        """End, whatever is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._fetcher.close()

    def _done(self, future: Future[Answer]) -> None:
        if not future.cancelled():
            error = future.exception()
            told = "".join(traceback.format_exception(error)) if error else future.result()
            self._put((self._number, told))


class There:
    """Threads of a process of their own, at the other end of a pipe."""

    def __init__(self, setup: Setup, number: int, put: Callable[[Result], None]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._pipe, pipe = context.Pipe()
        self._process = context.Process(target=_work, args=(pipe, setup, number), daemon=True)
        self._process.start()
        pipe.close()
        self._closed = False
        self._number = number
        self._put = put
        threading.Thread(target=self._receive, daemon=True).start()

    def send(self, job: Job) -> None:
        """Begin a job."""
        self._pipe.send(job)

    def close(self) -> None:
        """End, whatever is under way."""
        self._closed = True
        self._process.kill()
        self._process.join()

    def _receive(self) -> None:
        try:
            while True:
                self._put(self._pipe.recv())
        except (EOFError, OSError):
            if not self._closed:
                self._put((self._number, "a process ended before its work was done; was its memory enough?"))


def _work(pipe: Connection, setup: Setup, number: int) -> None:
    """A process: it ends as soon as the other end of its pipe is gone."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stage ends it
    lock = threading.Lock()

    def put(result: Result) -> None:
        with lock:
            pipe.send(result)

    worker = Here(setup, number, put)
    try:
        while True:
            worker.send(pipe.recv())
    except EOFError:
        os._exit(0)
