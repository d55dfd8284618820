"""Fetch the images that listings show, politely, in as many processes as there are cores.

One thread here decides about every single request, so that delay, concurrency and budgets of a host are exact however
many processes there are; :mod:`assets.catalog.workers` only do what they are told. Pages were crawled before, so nobody
else asks these hosts for the same sources meanwhile. All sources are fetched side by side; a host that several of them
name is asked as slowly as the strictest of them says.
"""

import os
from collections.abc import Callable, Sequence

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.jobs import Requester, Setup
from assets.catalog.politeness import user_agent
from assets.catalog.scheduler import CACHE, Scheduler
from assets.catalog.workers import Workers

FEW = 300  # images for which no processes are started
MOST_PROCESSES = 8
MOST_AT_ONCE = 128  # requests in all


def fetch_images(
    visits: Sequence[Visit], harvest: Harvest, tell: Callable[[], None], processes: int | None = None
) -> None:
    """Fetch every image that a listing shows by its address, once for each source.

    Args:
        tell: called about once a second.
        processes: how many; None for as many as are worth it.

    Raises:
        StageError: a source's `time_limit` was too short.
    """
    visits = [visit for visit in visits if harvest.wanted(visit.source)]
    if not visits:
        return
    wanted = sum(len(harvest.wanted(visit.source)) for visit in visits)
    processes = processes or (1 if wanted < FEW else min(MOST_PROCESSES, os.cpu_count() or 1))
    at_once = min(MOST_AT_ONCE, sum(2 * visit.manners.concurrency for visit in visits))
    setup = Setup(
        spool=harvest.spool,
        pixels=harvest.pixels,
        size=harvest.size,
        requesters=[_requester(visit) for visit in visits],
    )
    workers = Workers(setup, processes)
    try:
        Scheduler(visits, harvest, workers, at_once).run(tell)
    finally:
        workers.close()


def _requester(visit: Visit) -> Requester:
    manners = visit.manners
    private, folder = manners.private_addresses, (CACHE / visit.source).absolute()
    return Requester(user_agent(manners.contact), manners.timeout, private, folder, visit.credentials)
