"""Whose turn it is: requests by the host they go to, each host asked no faster than its strictest visitor allows."""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from assets.catalog.crawl_job import Visit
from assets.catalog.drafts import Shown


@dataclass(slots=True, eq=False)
class Task:
    """An image, or a robots.txt, that is to be fetched.

    Attributes:
        visit: for which source.
        asked: the address at first, `url` that which it led to.
        shown: the image; None for a robots.txt.
        looked: whether a kept one was looked for at this address.
        hops: how many redirects were followed, `tries` how often it was tried again.
    """

    visit: Visit
    asked: str
    url: str
    shown: Shown | None
    looked: bool = False
    hops: int = 0
    tries: int = 0


@dataclass(slots=True, eq=False)
class Lane:
    """Requests to one host, whatever its ports: they share `delay` and `concurrency`."""

    delay: float
    concurrency: int
    tasks: deque[Task] = field(default_factory=deque)
    active: int = 0
    free_at: float = 0.0
    listed: bool = False


class Lanes:
    """All lanes, and what is to be done later."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._later: list[tuple[float, int, Lane | Task]] = []
        self._numbers = itertools.count()  # so that a heap never compares lanes

    def of(self, task: Task) -> Lane:
        """The lane of the host that a task goes to, no faster than its source allows."""
        host = urlsplit(task.url).hostname or ""
        manners = task.visit.manners
        lane = self._lanes.setdefault(host, Lane(manners.delay, manners.concurrency))
        lane.delay = max(lane.delay, manners.delay)
        lane.concurrency = min(lane.concurrency, manners.concurrency)
        return lane

    def add(self, task: Task, first: bool = False) -> None:
        """Line a task up."""
        lane = self.of(task)
        (lane.tasks.appendleft if first else lane.tasks.append)(task)
        self._list(lane)

    def add_later(self, task: Task, at: float) -> None:
        """Line a task up when its time has come."""
        heapq.heappush(self._later, (at, next(self._numbers), task))

    def next(self, now: float) -> Task | None:
        """The next task whose host may be asked now, hosts taking turns; None if there is none."""
        while self._later and self._later[0][0] <= now:
            _, _, late = heapq.heappop(self._later)
            if isinstance(late, Task):
                self.add(late, first=True)
            else:
                late.listed = False
                self._list(late)
        while self._ready:
            lane = self._ready.popleft()
            lane.listed = False
            if not lane.tasks or lane.active >= lane.concurrency:
                continue
            if lane.free_at > now:
                lane.listed = True
                heapq.heappush(self._later, (lane.free_at, next(self._numbers), lane))
                continue
            task = lane.tasks.popleft()
            self._list(lane)
            return task
        return None

    def sent(self, task: Task, now: float) -> None:
        """A task's request is under way."""
        lane = self.of(task)
        lane.active += 1
        lane.free_at = now + lane.delay

    def came(self, task: Task) -> None:
        """A task's request is over."""
        lane = self.of(task)
        lane.active -= 1
        self._list(lane)

    def slow_down(self, task: Task, delay: float) -> None:
        """Ask a task's host no faster than so."""
        lane = self.of(task)
        lane.delay = max(lane.delay, delay)

    def until_next(self, now: float) -> float:
        """Seconds until something that is to be done later is due."""
        return self._later[0][0] - now if self._later else float("inf")

    def _list(self, lane: Lane) -> None:
        if lane.tasks and not lane.listed:
            lane.listed = True
            self._ready.append(lane)
