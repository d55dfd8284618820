"""Section `schedules`: when Heddle works by itself."""

from pydantic import Field

from heddle.core.parameters.section import Section

CRON = r"^\S+ \S+ \S+ \S+ \S+$"


class Schedules(Section):
    """Cron lines of five fields: minute, hour, day of month, month, day of week."""

    ingest: str = Field(pattern=CRON, description="crawl the sources anew; what follows depends on what came")
    retrain: str = Field(pattern=CRON, description="bring everything stale up to date")
    timezone: str = Field(description="IANA name: Europe/Berlin")
    source_poll_seconds: int = Field(ge=10, description="between two looks for news of a source, seconds")
