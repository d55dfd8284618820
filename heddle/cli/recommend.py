"""``heddle recommend``: print the results of :mod:`heddle.inference.recommend` as a table or as JSON."""

import dataclasses

from rich.table import Table
from rich.text import Text

from heddle.core.terminal import PipeConsole, json_text, untrusted
from heddle.inference.recommend import QueryNode, recommend


def print_recommendations(query: str, top: int, *, as_json: bool, console: PipeConsole) -> None:
    """Print the query nodes and their recommendations, best first; as JSON one object."""
    found = recommend(query, top)
    if as_json:
        print(json_text(dataclasses.asdict(found)))
        return
    names = " and ".join(_describe_node(node) for node in found.query_nodes)
    console.print_line(f"For {names}:")
    if not found.hits:
        console.print("No new recommendations: this node is already linked to every candidate.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("probability", justify="right", no_wrap=True)
    for heading in ("type", "recommended", "relation", "shared neighbours"):
        table.add_column(heading)
    for hit in found.hits:
        probability = "-" if hit.probability is None else f"{hit.probability:.2f}"
        relations = Text("\n").join(untrusted(str(edge)) for edge in hit.edges)
        shared = untrusted(", ".join(hit.shared))
        table.add_row(probability, untrusted(hit.type), untrusted(hit.text), relations, shared)
    console.print(table)
    if found.hits[0].probability is None:
        console.print("No probabilities: run `dvc repro recommender_evaluation`, which calibrates them.", style="dim")


def _describe_node(node: QueryNode) -> str:
    similarity = "" if node.similarity is None else f" (closest match, similarity {node.similarity:.2f})"
    return f"{node.type} {node.text}{similarity}"
