"""Decide about every single request for an image, in one thread, so that what a host is spared is exact."""

import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from protego import Protego

from assets.catalog.addresses import AddressRefusedError, check_url, spelled
from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.hosts import Lanes, Task
from assets.catalog.image_cache import ImageCache, key
from assets.catalog.images import ImageInfo, Refused
from assets.catalog.jobs import Answer, Job
from assets.catalog.politeness import crawl_delay, host_of, wait_before_retry
from assets.catalog.workers import Workers
from heddle.core.stage import StageError

CACHE = Path(".heddle/image_cache")
MOST_REDIRECTS = 20
TELL = 1.0  # seconds


@dataclass
class _Source:
    """What is known of one source meanwhile.

    Attributes:
        ends: when it must be done.
        used: addresses whose kept answers are still good for something.
        left: tasks whose end is still to come.
        waiting: for a host's robots.txt.
    """

    number: int
    visit: Visit
    cache: ImageCache
    ends: float
    used: set[bytes] = field(default_factory=set)
    left: int = 0
    waiting: dict[str, list[Task]] = field(default_factory=dict)


class Scheduler:
    """Fetches the images that listings show.

    Args:
        visits: of the sources, in the order of the workers' requesters.
        at_once: requests in all.
    """

    def __init__(self, visits: Sequence[Visit], harvest: Harvest, workers: Workers, at_once: int) -> None:
        self._sources = {
            visit.source: _Source(
                number,
                visit,
                ImageCache(CACHE / visit.source),
                monotonic() + visit.manners.time_limit - visit.met.seconds,
            )
            for number, visit in enumerate(visits)
        }
        self._workers = workers
        self._at_once = at_once
        self._proxies = urllib.request.getproxies()
        self._lanes = Lanes()
        self._sent: dict[int, Task] = {}
        self._number = 0
        for visit in visits:
            for url, shown in harvest.wanted(visit.source).items():
                self._sources[visit.source].left += 1
                self._add(Task(visit, url, url, shown))

    def run(self, tell: Callable[[], None]) -> None:
        """Fetch all there is, and forget what is not shown any more.

        Args:
            tell: called about once a second.

        Raises:
            StageError: a source's `time_limit` was too short.
        """
        told = monotonic()
        while self._is_left():
            now = monotonic()
            if now >= told + TELL:
                told = now
                tell()
                self._check_time(now)
            while len(self._sent) < self._at_once and (task := self._lanes.next(now)):
                self._begin(task, now)
            if self._is_left():
                self._receive(min(TELL, max(0.0, self._lanes.until_next(now))))
        for source in self._sources.values():
            source.cache.remove_all_but(source.used)

    def _is_left(self) -> bool:
        return any(source.left for source in self._sources.values())

    def _receive(self, timeout: float) -> None:
        """Take all the answers that there are; wait for the first of them."""
        for answer in self._workers.answers(timeout):
            self._came(answer)

    def _check_time(self, now: float) -> None:
        for name, source in self._sources.items():
            if source.left and now >= source.ends:
                limit = source.visit.manners.time_limit
                raise StageError(f"source {name}: not done after {limit:.0f} s; raise its `time_limit`")

    def _add(self, task: Task) -> None:
        """Line a task up, unless its address shows that it may not be asked."""
        try:
            task.url = spelled(task.url)
            check_url(task.url, task.visit.manners.private_addresses)
        except AddressRefusedError as error:
            led = f"{task.asked} leads to " if task.hops else ""
            self._end(task, Refused("address_refused", f"{led}{error}"))
        else:
            self._lanes.add(task)

    def _begin(self, task: Task, now: float) -> None:
        """Send a task's request, if everything allows it."""
        source, host, met = self._sources[task.visit.source], host_of(task.url), task.visit.met
        if task.shown:
            if host not in met.robots and host not in met.unreachable:
                self._wait_for_robots(task, source, host)
                return
            if why := met.forbidden(task.url):
                self._end(task, Refused("image_missing", f"{task.asked}: {why}"))
                return
            source.used.add(key(task.url))
            look = task.shown.stamp is not None and not task.looked
            task.looked = True
            if look and task.url in source.cache:
                self._send(task, kept=True)
                return
        if why := met.spent(host, task.visit.manners):
            self._end(task, Refused("host_budget", f"{task.asked}: {why}"))
            return
        met.requests[host] += 1
        self._lanes.sent(task, now)
        self._send(task)

    def _wait_for_robots(self, task: Task, source: _Source, host: str) -> None:
        if host not in source.waiting:
            robots = f"{urlsplit(task.url).scheme}://{host}/robots.txt"
            source.left += 1
            self._lanes.add(Task(task.visit, robots, robots, None), first=True)
        source.waiting.setdefault(host, []).append(task)

    def _send(self, task: Task, kept: bool = False) -> None:
        self._number += 1
        self._sent[self._number] = task
        source = self._sources[task.visit.source].number
        stamp = task.shown.stamp if task.shown else None
        proxy = self._proxy(task)
        self._workers.add(Job(self._number, source, task.url, task.asked, stamp, kept, not task.shown, proxy))

    def _proxy(self, task: Task) -> str | None:
        """Through which a request goes: the source's, or the environment's."""
        if task.visit.proxy or not self._proxies:
            return task.visit.proxy
        parts = urlsplit(task.url)
        bypassed = urllib.request.proxy_bypass(parts.hostname or "")
        return None if bypassed else self._proxies.get(parts.scheme)

    def _came(self, answer: Answer) -> None:
        task = self._sent.pop(answer.number)
        if answer.kept:
            if answer.found:
                self._end(task, answer.found)
            else:
                self._lanes.add(task, first=True)
            return
        self._lanes.came(task)
        task.visit.met.bytes[host_of(task.url)] += answer.bytes
        manners = task.visit.manners
        if answer.leads_to is not None and task.hops < MOST_REDIRECTS:
            task.url, task.looked, task.hops = answer.leads_to, False, task.hops + 1
            self._add(task)
        elif answer.leads_to is not None:
            self._end(task, Refused("image_missing", f"{task.asked}: more than {MOST_REDIRECTS} redirects"))
        elif answer.passing and task.tries < manners.retries:
            task.tries += 1
            wait = wait_before_retry(task.tries, manners.back_off, answer.retry_after)
            self._lanes.add_later(task, monotonic() + wait)
        elif answer.robots and answer.robots[0] // 100 in (2, 4):
            status, content = answer.robots
            self._rules_came(task, Protego.parse(content.decode("utf-8-sig", "ignore") if status < 300 else ""))
        elif answer.robots:
            self._no_rules(task, f"answered {answer.robots[0]}")
        elif answer.found:
            self._end(task, answer.found)

    def _rules_came(self, task: Task, robots: Protego) -> None:
        """A host's robots.txt was read: those that waited for it may go on."""
        task.visit.met.robots[host_of(task.asked)] = robots
        self._sources[task.visit.source].left -= 1
        for waiting in reversed(self._sources[task.visit.source].waiting.pop(host_of(task.asked))):
            self._lanes.slow_down(waiting, crawl_delay(robots))
            self._lanes.add(waiting, first=True)

    def _no_rules(self, task: Task, what: str) -> None:
        """A host's robots.txt cannot be had, so that nothing of it may be fetched."""
        task.visit.met.cannot_be_had(task.asked, what)
        self._rules_came(task, Protego.parse(""))

    def _end(self, task: Task, found: ImageInfo | Refused) -> None:
        """Nothing more is to be done for a task."""
        if task.shown:
            task.shown.find(found)
            self._sources[task.visit.source].left -= 1
        elif isinstance(found, Refused):
            self._no_robots(task, found)

    def _no_robots(self, task: Task, why: Refused) -> None:
        """A robots.txt was not fetched: what is refused for its host is refused for those that wait."""
        if why.reason == "host_budget" or (why.reason == "address_refused" and not task.hops):
            self._sources[task.visit.source].left -= 1
            for waiting in self._sources[task.visit.source].waiting.pop(host_of(task.asked)):
                detail = why.detail.removeprefix(f"{task.asked}: ")
                self._end(waiting, Refused(why.reason, f"{waiting.asked}: {detail}"))
        else:
            detail = why.detail.removeprefix(f"{task.asked}: ")
            self._no_rules(task, f"cannot be reached ({detail})")
