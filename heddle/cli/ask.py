"""``heddle ask``: print the reply of :mod:`heddle.inference.ask` as text or as JSON."""

import dataclasses

from heddle.cli.search import confidence_text, guides_table
from heddle.core.terminal import PipeConsole, json_text, untrusted, untrusted_lines
from heddle.inference.ask import ask


def print_answer(question: str, top_k: int, *, as_json: bool, console: PipeConsole) -> None:
    """Print the answer and the cited guides; without a confident answer, print the closest guides."""
    reply = ask(question, top_k)
    confidence = confidence_text(reply.confidence, reply.band)
    if as_json:
        print(json_text(dataclasses.asdict(reply)))
    elif reply.answer is not None:
        console.print(untrusted_lines(reply.answer))
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
