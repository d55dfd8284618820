"""Fetch the images of listings politely, in up to one process per core.

One thread of this process schedules every request (:mod:`assets.catalog.scheduler`), so that delay, concurrency and
budgets of a host hold for all worker processes together. Pages are crawled before, so no other part of the stage sends
requests to these hosts at the same time. All sources are fetched concurrently; a host that several sources name gets
the strictest of their limits.
"""

import os
from collections.abc import Callable, Sequence

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.fetch_messages import FetchSettings, SourceSettings
from assets.catalog.politeness import format_user_agent
from assets.catalog.scheduler import CACHE, Scheduler
from assets.catalog.workers import Workers

MIN_IMAGES_FOR_PROCESSES = 300  # starting processes does not pay for fewer images
MAX_PROCESSES = 8
MAX_REQUESTS = 128  # concurrent requests to all hosts together


def fetch_images(
    crawl_jobs: Sequence[CrawlJob],
    collector: Collector,
    report_progress: Callable[[], None],
    processes: int | None = None,
) -> None:
    """Fetch every image that a listing shows by URL, once for each source.

    Args:
        report_progress: called about once a second.
        processes: number of worker processes; None chooses it from the number of images and cores.

    Raises:
        StageError: a source's `time_limit` was too short.
    """
    crawl_jobs = [crawl_job for crawl_job in crawl_jobs if collector.pending_images(crawl_job.source)]
    if not crawl_jobs:
        return
    if processes is None:
        images = sum(len(collector.pending_images(crawl_job.source)) for crawl_job in crawl_jobs)
        processes = 1 if images < MIN_IMAGES_FOR_PROCESSES else min(MAX_PROCESSES, os.cpu_count() or 1)
    max_requests = min(MAX_REQUESTS, sum(2 * crawl_job.politeness.concurrency for crawl_job in crawl_jobs))
    settings = FetchSettings(
        blob_folder=collector.blob_folder,
        max_pixels=collector.max_pixels,
        max_bytes=collector.max_bytes,
        sources=[_source_settings(crawl_job) for crawl_job in crawl_jobs],
    )
    workers = Workers(settings, processes)
    try:
        Scheduler(crawl_jobs, collector, workers, max_requests).run(report_progress)
    finally:
        workers.close()


def _source_settings(crawl_job: CrawlJob) -> SourceSettings:
    politeness = crawl_job.politeness
    return SourceSettings(
        user_agent=format_user_agent(politeness.contact),
        timeout=politeness.timeout,
        private_addresses=politeness.private_addresses,
        cache=(CACHE / crawl_job.source).absolute(),
        credentials=crawl_job.credentials,
    )
