"""Who works off the jobs of :mod:`assets.catalog.fetch`: a thread here, or several processes if there is much to do.

Images are decoded where they are fetched; only what is known of them comes back. Processes are forked from a server
that has imported what they need, as a process with Twisted's threads must not be forked. Jobs and answers cross in
lists, since a message costs more than what it says.
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

from assets.catalog.fetch import Fetcher
from assets.catalog.jobs import Answer, Job, Setup
from heddle.core.processes import die_with_parent

Result = tuple[int, list[Answer] | str]
"""A worker's number, and its answers, or what broke it."""


class Workers:
    """One worker or several; jobs go to the one that has the fewest.

    Args:
        processes: none of their own if it is 1.
    """

    def __init__(self, setup: Setup, processes: int) -> None:
        self._results: SimpleQueue[Result] = SimpleQueue()
        self._workers = [_Worker(setup, number, self._results.put, processes > 1) for number in range(processes)]
        self._busy = [0] * processes
        self._jobs: list[list[Job]] = [[] for _ in range(processes)]

    def add(self, job: Job) -> None:
        """Give a job to a worker, which hears of it when answers are asked for."""
        number = self._busy.index(min(self._busy))
        self._busy[number] += 1
        self._jobs[number].append(job)

    def answers(self, timeout: float) -> list[Answer]:
        """All answers that there are; none if the first does not come in time.

        Raises:
            RuntimeError: a worker broke; the message says where.
        """
        for worker, jobs in zip(self._workers, self._jobs, strict=True):
            if jobs:
                worker.send(jobs)
                jobs.clear()
        answers: list[Answer] = []
        with suppress(Empty):
            answers += self._result(timeout)
            while True:
                answers += self._result(0)
        return answers

    def _result(self, timeout: float) -> list[Answer]:
        number, told = self._results.get(timeout=timeout)
        if isinstance(told, str):
            raise RuntimeError(f"fetching images broke:\n{told}")
        self._busy[number] -= len(told)
        return told

    def close(self) -> None:
        """End all of them."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """The other end of the pipe of a process, or of a thread of this one, that works jobs off."""

    def __init__(self, setup: Setup, number: int, put: Callable[[Result], None], as_process: bool) -> None:
        self._number, self._put, self._closed = number, put, False
        self._process: multiprocessing.process.BaseProcess | None = None
        if as_process:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([__name__])
            self._pipe, pipe = context.Pipe()
            self._process = context.Process(target=_work, args=(pipe, setup), daemon=True)
            self._process.start()
            pipe.close()
        else:
            self._pipe, pipe = multiprocessing.Pipe()
            threading.Thread(target=_run, args=(pipe, setup), name="fetch", daemon=True).start()
        threading.Thread(target=self._receive, name="receive", daemon=True).start()

    def send(self, jobs: Sequence[Job]) -> None:
        """Begin jobs."""
        with suppress(BrokenPipeError):  # why it ended is told by the other thread
            self._pipe.send(list(jobs))

    def close(self) -> None:
        """End, whatever is under way."""
        self._closed = True
        if self._process:
            self._process.kill()
            self._process.join()
        else:
            with suppress(BrokenPipeError):
                self._pipe.send(None)

    def _receive(self) -> None:
        """Take what comes as soon as it comes, so that no worker waits for the one that decides."""
        try:
            while True:
                self._put((self._number, self._pipe.recv()))
        except (EOFError, OSError):
            if not self._closed:
                self._put((self._number, "a process ended before its work was done; was its memory enough?"))


def _work(pipe: Connection, setup: Setup) -> None:
    """A process: it ends as soon as the other end of its pipe is gone."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stage ends it
    _run(pipe, setup)
    os._exit(0)


def _run(pipe: Connection, setup: Setup) -> None:
    with pipe:
        asyncio.run(_Desk(pipe).serve(setup))


class _Desk:
    """Where jobs come in and answers go out, in an event loop."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._answers: list[Answer] = []
        self._under_way: set[asyncio.Task[Answer]] = set()

    async def serve(self, setup: Setup) -> None:
        """Work jobs off until the other end has no more or is gone."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._fetcher = Fetcher(setup)
        self._loop.add_reader(self._pipe.fileno(), self._take)
        await self._over.wait()
        self._loop.remove_reader(self._pipe.fileno())
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._fetcher.close()

    def _take(self) -> None:
        try:
            jobs = self._pipe.recv()
        except (EOFError, OSError):
            jobs = None
        if jobs is None:
            self._over.set()
            return
        for job in jobs:
            task = self._loop.create_task(self._fetcher.answer(job))
            self._under_way.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Answer]) -> None:
        self._under_way.discard(task)
        if task.cancelled():
            return
        if error := task.exception():
            self._tell("".join(traceback.format_exception(error)))
            return
        if not self._answers:
            self._loop.call_soon(self._answer)  # with all that end until then
        self._answers.append(task.result())

    def _answer(self) -> None:
        answers, self._answers = self._answers, []
        self._tell(answers)

    def _tell(self, told: list[Answer] | str) -> None:
        with suppress(BrokenPipeError):  # nobody waits for it any more
            self._pipe.send(told)
