"""``heddle ask``: the reply of :mod:`heddle.inference.ask` with the guides it came from, in words or as JSON."""

import dataclasses
import json

from rich.console import Console

from heddle.cli.search import guides_table
from heddle.inference.ask import ask


def show(question: str, top: int, *, as_json: bool, console: Console) -> None:
    """Ask and print: the answer and the guides that it came from; or that there is none, and the best guides."""
    reply = ask(question, top)
    if as_json:
        print(json.dumps(dataclasses.asdict(reply), ensure_ascii=False))
        return
    sure = f"{reply.band} ({reply.confidence:.2f})"
    if reply.text is not None:
        console.print(reply.text, markup=False, highlight=False)
        cited = [guide for guide in reply.guides if guide.id in reply.cited]
        console.print(f"\nFrom {'this guide' if len(cited) == 1 else 'these guides'}, confidence {sure}:", style="dim")
        console.print(guides_table(cited))
    elif reply.guides:
        console.print("I do not know: no guide stands out. The best that there are:")
        console.print(guides_table(reply.guides))
        console.print(f"\nConfidence in the first: {sure}.", style="dim")
    else:
        console.print("I do not know: no guide says anything about it.")
