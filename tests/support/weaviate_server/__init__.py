"""A stand-in for a Weaviate server: its REST and gRPC interfaces over real connections on 127.0.0.1, kept in memory.

Covered, as weaviate-client 4.23 speaks with servers from 1.32 on:

- REST: ``/v1/meta``, ``/v1/.well-known/{live,ready,openid-configuration}``, ``/v1/nodes``, ``/v1/schema`` (list, get,
  create, delete, shards), ``/v1/aliases`` (list, get, create, update, delete), with Weaviate's status codes.
- gRPC: the health check, ``BatchObjects`` (properties checked against the schema, named vectors as float32 bytes),
  ``Search`` (near vector with a target, BM25, hybrid with both fusions; filters, limit, properties, metadata),
  ``Aggregate`` (the number of objects). Collections are also found by their aliases.
- API keys (401 and UNAUTHENTICATED).

Rankings are exact, and computed by the formulas of Weaviate's sources and documentation. Not covered: vectorizers,
references, tenants, replication, generative search, reranking, ``BatchStream``, ``BatchDelete``, GraphQL, automatic
schemas (an unknown property is an error).

What can go wrong is put in by a test: :attr:`WeaviateServer.before` runs something before an operation (wait, kill,
stop), :attr:`WeaviateServer.refuse` turns objects away, :attr:`WeaviateServer.queues` holds indexing back.
"""

from tests.support.weaviate_server.server import WeaviateServer

__all__ = ["WeaviateServer"]
