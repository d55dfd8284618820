"""``heddle ask``: print the reply of :mod:`heddle.inference.ask` as text or as JSON."""

import dataclasses
import json

from rich.console import Console

from heddle.cli.search import confidence_text, guides_table
from heddle.core.terminal import untrusted
from heddle.inference.ask import ask


def print_answer(question: str, top_k: int, *, as_json: bool, console: Console) -> None:
    """Print the answer and the cited guides; without a confident answer, print the closest guides."""
    reply = ask(question, top_k)
    confidence = confidence_text(reply.confidence, reply.band)
    if as_json:
        print(json.dumps(dataclasses.asdict(reply), ensure_ascii=False))
    elif reply.answer is not None:
        console.print(reply.answer, markup=False, highlight=False)
        if reply.safety:
            console.print("\nSafety, from the cited guides:", style="bold")
        for note in reply.safety:
            console.print(untrusted(f"- {note.text}"))
        console.print(f"\nSources (confidence: {confidence}):", style="dim")
        console.print(guides_table([guide for guide in reply.guides if guide.id in reply.cited]))
    elif reply.guides:
        console.print("No confident answer. Closest guides:")
        console.print(guides_table(reply.guides))
        console.print(f"\nConfidence in the first guide: {confidence}.", style="dim")
    else:
        console.print("No answer: no guide was found.")
