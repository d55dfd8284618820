"""Section `published_index`: the store that services search."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from heddle.sources.parameters import EnvironmentVariable


class LanceDb(Section):
    """LanceDB, embedded: files in ``data/published_index``, no server."""

    kind: Literal["lancedb"]


class Weaviate(Section):
    """A Weaviate server or cluster, 1.32 or later (the first with aliases)."""

    kind: Literal["weaviate"]
    host: str = Field(
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])$",
        description="host name or IP address without scheme and port: weaviate.example",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="port of the REST interface")
    grpc_port: int = Field(default=50051, ge=1, le=65535, description="port of the gRPC interface")
    secure: bool = Field(default=False, description="whether both ports use TLS")
    api_key_env: EnvironmentVariable | None = Field(
        default=None,
        description="name of the environment variable that contains the API key, if the server requires one",
    )
    prefix: str = Field(
        default="Heddle",
        pattern=r"^[A-Z][A-Za-z0-9]{0,63}$",
        description="prefix of the names of all collections on the server; use a different one for each project",
    )
    batch_size: int = Field(default=200, ge=1, le=10_000, description="rows in one request")
    connect_timeout: float = Field(default=5, gt=0, description="time limit of connecting, seconds")
    query_timeout: float = Field(default=30, gt=0, description="time limit of one search, seconds")
    write_timeout: float = Field(default=90, gt=0, description="time limit of one batch of rows, seconds")
    indexing_timeout: float = Field(
        default=600, gt=0, description="time limit of indexing, for a server that indexes asynchronously, seconds"
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port == self.grpc_port:
            raise ValueError("port and grpc_port must differ: REST and gRPC are two interfaces")
        return self


class PublishedIndexParameters(Section):
    """The store to which ``data/index`` is published."""

    store: Annotated[LanceDb | Weaviate, Field(discriminator="kind")]
