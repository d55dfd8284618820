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
        description="name or address, without scheme and port: weaviate.example",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="of the REST interface")
    grpc_port: int = Field(default=50051, ge=1, le=65535, description="of the gRPC interface")
    secure: bool = Field(default=False, description="whether both ports speak TLS")
    api_key_env: EnvironmentVariable | None = Field(
        default=None, description="environment variable that holds the API key, for a server that asks for one"
    )
    prefix: str = Field(
        default="Heddle",
        pattern=r"^[A-Z][A-Za-z0-9]{0,63}$",
        description="begins the name of everything that is put into the server; another one for each project",
    )
    batch_size: int = Field(default=200, ge=1, le=10_000, description="rows sent at a time")
    connect_timeout: float = Field(default=5, gt=0, description="until the server can be reached, seconds")
    query_timeout: float = Field(default=30, gt=0, description="of one search, seconds")
    write_timeout: float = Field(default=90, gt=0, description="of one batch of rows, seconds")
    indexing_timeout: float = Field(
        default=600, gt=0, description="for a server that indexes vectors after it took them, seconds"
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port == self.grpc_port:
            raise ValueError("port and grpc_port must differ: REST and gRPC are two interfaces")
        return self


class PublishedIndexParameters(Section):
    """Where ``data/index`` is published to."""

    store: Annotated[LanceDb | Weaviate, Field(discriminator="kind")]
