"""A small generated second-hand shop, the default source. Equal seeds give equal bytes on every machine.

Interface::

    from demo_shop import Shop
    from demo_shop.server import serve

    shop = Shop(seed=20260701, listings=2400, guides=300)
    shop.size, shop.guide_count
    listing = shop.listing(7)    # .id "100008" (WordPress id), .facts, .words, .image (.content, .format, .scene)
    shop.image(7)              # bytes of the original file (before HTTP-level faults)
    shop.guides, shop.queries, shop.qrels, shop.conversations, shop.preferences, shop.graph.nodes, shop.graph.edges
    shop.faults                  # list[Fault(id, table, kind, outcome, reason, original)]
    shop.upper_bounds            # dict[str, float]: upper bounds of the metrics
    with serve(shop) as port: ...  # separate process on 127.0.0.1, ends with its parent

All addresses in responses start with ``http://demo-shop.example``, whatever the port. The server accepts absolute-form
request targets: use ``http://127.0.0.1:<port>`` as the HTTP proxy for ``http://demo-shop.example``.

Ids: a listing's and a guide's id is its WordPress id as text ("100001" .., "900001" ..); ``qrels.guide`` contains
guide ids without the name of a source. Faults refer to records in the same way; an edge is "source relation target".

Paths: ``/wp-json/wp/v2/{posts,media,categories,tags,guides}`` (paged, at most 100), and
``/wp-json/demo-shop/v1/{queries,qrels,conversations,preferences,nodes,edges}`` (paged, at most 1000), ``/robots.txt``,
``/sitemap.xml``, ``/shop/<slug>/``, ``/guides/<slug>/``, ``/``.

Fault outcomes and reasons: ``quarantine`` (image_missing, image_truncated, image_type, image_too_large, no_image,
malformed_record, title_present, boxes_inside_image, relations_point_at_objects, text_present,
edges_join_known_nodes), ``duplicate`` (exact, near; ``original`` is the id of the listing kept), ``accepted``
(sanitised, retried, redirected). An image that is too large has more than 10 MB (10.8).
"""

from demo_shop.faults import Fault
from demo_shop.shop import Shop

__all__ = ["Fault", "Shop"]
