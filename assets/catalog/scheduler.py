"""Schedule every image request in one thread, so that the limits of each host are exact."""

import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from protego import Protego

from assets.catalog.addresses import BlockedAddressError, check_url, normalize_url
from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.fetch_messages import FetchRequest, FetchResult
from assets.catalog.host_queues import FetchTask, HostQueues
from assets.catalog.image_cache import ImageCache, hash_url
from assets.catalog.images import ImageInfo, ImageRejection
from assets.catalog.politeness import compute_retry_wait, get_host, read_crawl_delay
from assets.catalog.workers import Workers
from heddle.core.stage import StageError

CACHE = Path(".heddle/image_cache")
MAX_REDIRECTS = 20
PROGRESS_INTERVAL = 1.0  # seconds


@dataclass
class _SourceState:
    """Progress of one source.

    Attributes:
        number: index of the source in the workers' settings.
        deadline: time at which the source must be finished.
        used: hashes of the URLs whose cache entries are kept.
        unfinished: number of tasks that have no result yet.
        waiting_for_robots: tasks that wait for the robots.txt of a host, by host.
    """

    number: int
    crawl_job: CrawlJob
    cache: ImageCache
    deadline: float
    used: set[bytes] = field(default_factory=set)
    unfinished: int = 0
    waiting_for_robots: dict[str, list[FetchTask]] = field(default_factory=dict)


class Scheduler:
    """Fetches the images that listings show.

    Args:
        crawl_jobs: the sources, in the order of the workers' settings.
        max_requests: most concurrent requests to all hosts together.
    """

    def __init__(
        self, crawl_jobs: Sequence[CrawlJob], collector: Collector, workers: Workers, max_requests: int
    ) -> None:
        self._sources = {
            crawl_job.source: _SourceState(
                number,
                crawl_job,
                ImageCache(CACHE / crawl_job.source),
                monotonic() + crawl_job.politeness.time_limit - crawl_job.hosts.seconds,
            )
            for number, crawl_job in enumerate(crawl_jobs)
        }
        self._workers = workers
        self._max_requests = max_requests
        self._proxies = urllib.request.getproxies()
        self._queues = HostQueues()
        self._sent: dict[int, FetchTask] = {}
        self._number = 0
        for crawl_job in crawl_jobs:
            for url, reference in collector.pending_images(crawl_job.source).items():
                self._sources[crawl_job.source].unfinished += 1
                self._enqueue(FetchTask(crawl_job, url, url, reference))

    def run(self, report_progress: Callable[[], None]) -> None:
        """Fetch all images, then delete the cache entries of images that no listing shows any more.

        Args:
            report_progress: called about once a second.

        Raises:
            StageError: a source's `time_limit` was too short.
        """
        reported = monotonic()
        while self._has_unfinished():
            now = monotonic()
            if now >= reported + PROGRESS_INTERVAL:
                reported = now
                report_progress()
                self._check_deadlines(now)
            while len(self._sent) < self._max_requests:
                task = self._queues.next(now)
                if task is None:
                    break
                self._start(task, now)
            if self._has_unfinished():
                self._receive(min(PROGRESS_INTERVAL, max(0.0, self._queues.seconds_until_next(now))))
        for source in self._sources.values():
            source.cache.remove_all_but(source.used)

    def _has_unfinished(self) -> bool:
        return any(source.unfinished for source in self._sources.values())

    def _receive(self, timeout: float) -> None:
        """Handle all available results; wait for the first one."""
        for result in self._workers.results(timeout):
            self._handle(result)

    def _check_deadlines(self, now: float) -> None:
        for name, source in self._sources.items():
            if source.unfinished and now >= source.deadline:
                limit = source.crawl_job.politeness.time_limit
                raise StageError(f"source {name}: not finished after {limit:.0f} s; raise its `time_limit`")

    def _enqueue(self, task: FetchTask) -> None:
        """Queue a task, unless its URL is blocked."""
        try:
            task.url = normalize_url(task.url)
            check_url(task.url, task.crawl_job.politeness.private_addresses)
        except BlockedAddressError as error:
            redirected = f"{task.original_url} redirects to " if task.redirects else ""
            self._end(task, ImageRejection("address_blocked", f"{redirected}{error}"))
        else:
            self._queues.add(task)

    def _start(self, task: FetchTask, now: float) -> None:
        """Send a task's request, unless robots.txt, the cache or a budget decides otherwise."""
        source, host, hosts = self._sources[task.crawl_job.source], get_host(task.url), task.crawl_job.hosts
        if task.image_reference:
            if host not in hosts.robots and host not in hosts.unreachable:
                self._wait_for_robots(task, source, host)
                return
            if why := hosts.explain_forbidden(task.url):
                self._end(task, ImageRejection("image_missing", f"{task.original_url}: {why}"))
                return
            source.used.add(hash_url(task.url))
            check_cache = task.image_reference.stamp is not None and not task.cache_checked
            task.cache_checked = True
            if check_cache and task.url in source.cache:
                self._send(task, cache_only=True)
                return
        if why := hosts.explain_spent_budget(host, task.crawl_job.politeness):
            self._end(task, ImageRejection("host_budget", f"{task.original_url}: {why}"))
            return
        hosts.requests[host] += 1
        self._queues.start(task, now)
        self._send(task)

    def _wait_for_robots(self, task: FetchTask, source: _SourceState, host: str) -> None:
        if host not in source.waiting_for_robots:
            robots = f"{urlsplit(task.url).scheme}://{host}/robots.txt"
            source.unfinished += 1
            self._queues.add(FetchTask(task.crawl_job, robots, robots, None), first=True)
        source.waiting_for_robots.setdefault(host, []).append(task)

    def _send(self, task: FetchTask, cache_only: bool = False) -> None:
        self._number += 1
        self._sent[self._number] = task
        request = FetchRequest(
            number=self._number,
            source=self._sources[task.crawl_job.source].number,
            url=task.url,
            original_url=task.original_url,
            stamp=task.image_reference.stamp if task.image_reference else None,
            cache_only=cache_only,
            is_robots=task.image_reference is None,
            proxy=self._find_proxy(task),
        )
        self._workers.add(request)

    def _find_proxy(self, task: FetchTask) -> str | None:
        """Return the proxy of a request: the source's, or the environment's."""
        if task.crawl_job.proxy or not self._proxies:
            return task.crawl_job.proxy
        parts = urlsplit(task.url)
        bypassed = urllib.request.proxy_bypass(parts.hostname or "")
        return None if bypassed else self._proxies.get(parts.scheme)

    def _handle(self, result: FetchResult) -> None:
        task = self._sent.pop(result.number)
        if result.cache_only:
            if result.image:
                self._end(task, result.image)
            else:
                self._queues.add(task, first=True)
            return
        self._queues.finish(task)
        task.crawl_job.hosts.bytes[get_host(task.url)] += result.received_bytes
        if result.redirect_url is not None:
            self._redirect(task, result.redirect_url)
        elif result.retryable and task.retries < task.crawl_job.politeness.retries:
            task.retries += 1
            wait = compute_retry_wait(task.retries, task.crawl_job.politeness.back_off, result.retry_after)
            self._queues.add_later(task, monotonic() + wait)
        elif result.robots:
            self._handle_robots(task, *result.robots)
        elif result.image:
            self._end(task, result.image)

    def _redirect(self, task: FetchTask, url: str) -> None:
        if task.redirects >= MAX_REDIRECTS:
            detail = f"{task.original_url}: more than {MAX_REDIRECTS} redirects"
            self._end(task, ImageRejection("image_missing", detail))
            return
        task.url, task.cache_checked, task.redirects = url, False, task.redirects + 1
        self._enqueue(task)

    def _handle_robots(self, task: FetchTask, status: int, content: bytes) -> None:
        """Apply a robots.txt: 4xx allows everything, other failures forbid everything (RFC 9309, 2.3.1)."""
        if status // 100 == 2:
            self._apply_robots(task, Protego.parse(content.decode("utf-8-sig", "ignore")))
        elif status // 100 == 4:
            self._apply_robots(task, Protego.parse(""))
        else:
            self._forbid_host(task, f"returned {status}")

    def _apply_robots(self, task: FetchTask, robots: Protego) -> None:
        """Store the rules of a host and queue the tasks that waited for them."""
        task.crawl_job.hosts.robots[get_host(task.original_url)] = robots
        source = self._sources[task.crawl_job.source]
        source.unfinished -= 1
        for waiting in reversed(source.waiting_for_robots.pop(get_host(task.original_url))):
            self._queues.slow_down(waiting, read_crawl_delay(robots))
            self._queues.add(waiting, first=True)

    def _forbid_host(self, task: FetchTask, failure: str) -> None:
        """Forbid all URLs of a host whose robots.txt is unavailable."""
        task.crawl_job.hosts.mark_unreachable(task.original_url, failure)
        self._apply_robots(task, Protego.parse(""))

    def _end(self, task: FetchTask, result: ImageInfo | ImageRejection) -> None:
        """Store the final result of a task."""
        if task.image_reference:
            task.image_reference.set_result(result)
            self._sources[task.crawl_job.source].unfinished -= 1
        elif isinstance(result, ImageRejection):
            self._handle_missing_robots(task, result)

    def _handle_missing_robots(self, task: FetchTask, rejection: ImageRejection) -> None:
        """Reject the tasks that waited for a robots.txt with the same reason if it concerns the whole host."""
        detail = rejection.detail.removeprefix(f"{task.original_url}: ")
        blocked = rejection.reason == "address_blocked" and not task.redirects
        if rejection.reason == "host_budget" or blocked:
            source = self._sources[task.crawl_job.source]
            source.unfinished -= 1
            for waiting in source.waiting_for_robots.pop(get_host(task.original_url)):
                self._end(waiting, ImageRejection(rejection.reason, f"{waiting.original_url}: {detail}"))
        else:
            self._forbid_host(task, f"cannot be reached ({detail})")
