"""Section `schedules`: times of the ingest and retrain schedules."""

from pydantic import Field

from heddle.core.parameters.section import Section

CRON = r"^\S+ \S+ \S+ \S+ \S+$"


class Schedules(Section):
    """Cron lines of five fields: minute, hour, day of month, month, day of week."""

    ingest: str = Field(pattern=CRON, description="crawl the sources again; downstream stages run if the data changed")
    retrain: str = Field(pattern=CRON, description="run all stale assets")
    timezone: str = Field(description="IANA time zone, for example Europe/Berlin")
    source_poll_seconds: int = Field(ge=10, description="interval between two polls of the sources, seconds")
