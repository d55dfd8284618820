"""Section `describe`: when the content for an image counts as certain."""

from pydantic import Field

from heddle.core.parameters.section import Section


class DescribeParameters(Section):
    """The content that the writer writes for users' images."""

    min_certainty: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="content with a smaller certainty is marked `certain: false` and is never written to a site",
    )
