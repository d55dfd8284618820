"""Section `schedules`: times of the ingest and retrain schedules."""

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section


class Schedules(Section):
    """Cron lines of five fields: minute, hour, day of month, month, day of week."""

    enabled: bool = Field(
        default=False,
        description="run the schedules and poll the sources while the Dagster daemon runs, unless stopped in the UI; "
        "false: only those that were started in the UI",
    )
    ingest: str = Field(description="crawl the sources again; downstream stages run if the data changed")
    retrain: str = Field(description="run all stale assets")
    timezone: str = Field(description="IANA time zone, for example Europe/Berlin")
    source_poll_seconds: int = Field(ge=10, description="interval between two polls of the sources, seconds")

    @field_validator("ingest", "retrain")
    @classmethod
    def _is_cron_line(cls, line: str) -> str:
        from dagster_project.dagster_internals import is_valid_cron_string  # slow: all of Dagster

        if len(line.split()) != 5 or not is_valid_cron_string(line):
            raise ValueError(
                "allowed: a cron line of five fields (minute, hour, day of month, month, day of week), "
                'for example "0 2 * * *" for every day at 02:00'
            )
        return line

    @field_validator("timezone")
    @classmethod
    def _is_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):  # a folder, an invalid path, an unknown zone
            raise ValueError("allowed: an IANA time zone, for example UTC or Europe/Berlin") from None
        return name
