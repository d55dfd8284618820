"""Section `report`: how much the page shows."""

from pydantic import Field

from heddle.core.parameters.section import Section


class ReportParameters(Section):
    """How many of each thing the page shows; its size grows with the images (some 4 kB each)."""

    images: int = Field(ge=0, le=200, description="on the contact sheet")
    examples: int = Field(ge=0, le=200, description="of refused records and of duplicates")
    label_values: int = Field(ge=1, le=100, description="most frequent values shown of each label")
    queries: int = Field(ge=0, le=50, description="retrieval examples each way")
