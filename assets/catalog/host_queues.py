"""Queue image requests by host, so that each host gets the strictest limits of the sources that use it."""

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from assets.catalog.crawl_job import CrawlJob
from assets.catalog.listing_drafts import ImageReference


@dataclass(slots=True, eq=False)
class FetchTask:
    """An image, or a robots.txt, to fetch.

    Attributes:
        original_url: URL in the listing.
        url: URL to fetch now, after redirects.
        image_reference: the image; None for a robots.txt.
        cache_checked: whether the image cache was checked for this URL.
        redirects: number of redirects followed.
        retries: number of retries.
    """

    crawl_job: CrawlJob
    original_url: str
    url: str
    image_reference: ImageReference | None
    cache_checked: bool = False
    redirects: int = 0
    retries: int = 0


@dataclass(slots=True, eq=False)
class HostQueue:
    """Tasks of one host. All its ports share `delay` and `concurrency`.

    Attributes:
        delay: between two requests, seconds.
        concurrency: most concurrent requests.
        active: requests in progress.
        free_at: earliest time of the next request.
        scheduled: whether the queue is in the list of ready queues or waits for `free_at`.
    """

    delay: float
    concurrency: int
    tasks: deque[FetchTask] = field(default_factory=deque)
    active: int = 0
    free_at: float = 0.0
    scheduled: bool = False


class HostQueues:
    """The queues of all hosts, and tasks that wait for a point in time."""

    def __init__(self) -> None:
        self._queues: dict[str, HostQueue] = {}
        self._ready: deque[HostQueue] = deque()
        self._later: list[tuple[float, int, HostQueue | FetchTask]] = []
        self._numbers = itertools.count()  # breaks ties in the heap, as queues have no order

    def add(self, task: FetchTask, first: bool = False) -> None:
        """Append a task to the queue of its host, or put it first."""
        queue = self._queue_of(task)
        if first:
            queue.tasks.appendleft(task)
        else:
            queue.tasks.append(task)
        self._schedule(queue)

    def add_later(self, task: FetchTask, time: float) -> None:
        """Put a task first in the queue of its host at a given time."""
        heapq.heappush(self._later, (time, next(self._numbers), task))

    def next(self, now: float) -> FetchTask | None:
        """Take the next task whose host accepts a request now; None if there is none. Hosts take turns."""
        self._move_due(now)
        while self._ready:
            queue = self._ready.popleft()
            queue.scheduled = False
            if not queue.tasks or queue.active >= queue.concurrency:
                continue
            if queue.free_at > now:
                queue.scheduled = True
                heapq.heappush(self._later, (queue.free_at, next(self._numbers), queue))
                continue
            task = queue.tasks.popleft()
            self._schedule(queue)
            return task
        return None

    def start(self, task: FetchTask, now: float) -> None:
        """Record that a task's request was sent."""
        queue = self._queue_of(task)
        queue.active += 1
        queue.free_at = now + queue.delay

    def finish(self, task: FetchTask) -> None:
        """Record that a task's request has ended."""
        queue = self._queue_of(task)
        queue.active -= 1
        self._schedule(queue)

    def slow_down(self, task: FetchTask, delay: float) -> None:
        """Raise the delay of a task's host to at least `delay` seconds."""
        queue = self._queue_of(task)
        queue.delay = max(queue.delay, delay)

    def seconds_until_next(self, now: float) -> float:
        """Seconds until the next waiting task or queue is due; infinity if none waits."""
        return self._later[0][0] - now if self._later else float("inf")

    def _queue_of(self, task: FetchTask) -> HostQueue:
        """Return the queue of a task's host, with limits no looser than those of the task's source."""
        host = urlsplit(task.url).hostname or ""
        politeness = task.crawl_job.politeness
        queue = self._queues.setdefault(host, HostQueue(politeness.delay, politeness.concurrency))
        queue.delay = max(queue.delay, politeness.delay)
        queue.concurrency = min(queue.concurrency, politeness.concurrency)
        return queue

    def _move_due(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, due = heapq.heappop(self._later)
            if isinstance(due, FetchTask):
                self.add(due, first=True)
            else:
                due.scheduled = False
                self._schedule(due)

    def _schedule(self, queue: HostQueue) -> None:
        if queue.tasks and not queue.scheduled:
            queue.scheduled = True
            self._ready.append(queue)
