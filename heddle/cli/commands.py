"""``heddle``: a console command over Dagster and DVC. Nothing is possible with it alone."""

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from heddle.core.errors import UserError
from heddle.core.program import prepare_process

if TYPE_CHECKING:
    from heddle.retrieval.retriever import Mode

console = Console()


COMMANDS = "heddle.commands"
"""Entry-point group of the commands that other packages bring: those that drive Dagster."""


class Heddle(click.Group):
    """The commands of this package and of the entry-point group; user errors become one message and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands by name."""
        return sorted({*super().list_commands(ctx), *entry_points(group=COMMANDS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of this package, or one that is loaded from its entry point."""
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in entry_points(group=COMMANDS).names:
            found = entry_points(group=COMMANDS)[cmd_name].load()
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            Console(stderr=True).print(f"heddle: {error}", markup=False, highlight=False, soft_wrap=True)
            sys.exit(1)


@click.group(cls=Heddle, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="heddle")
def main() -> None:
    """From a catalogue of listings to trained, evaluated, indexed and registered models.

    Run it in the project's root. What it does is done by Dagster and DVC; `dagster dev` and `dvc repro` do the same.
    """
    prepare_process()


@main.command()
@click.argument("query", metavar="TEXT|IMAGE")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many hits.")
@click.option("--words", is_flag=True, help="Match words (BM25) rather than what the images show.")
@click.option("--guides", is_flag=True, help="Find guides that answer TEXT rather than listings.")
@click.option("--hybrid", "mode", flag_value="rrf", help="Guides by meaning and by words, ranks fused; the default.")
@click.option("--dense", "mode", flag_value="dense", help="Guides by meaning alone.")
@click.option("--sparse", "mode", flag_value="sparse", help="Guides by words alone (BM25).")
@click.option("--expand", is_flag=True, help="Expand the question by what the first guides say.")
@click.option("--rerank", is_flag=True, help="Let the reranker read the first guides.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def search(
    query: str, top: int, words: bool, guides: bool, mode: "Mode | None", expand: bool, rerank: bool, as_json: bool
) -> None:
    """Find listings by what their images show, asked in words or with an image's file; or guides."""
    if guides and words:
        raise click.UsageError("--words is about listings; guides have --sparse")
    if not guides and (mode or expand or rerank):
        raise click.UsageError("--hybrid, --dense, --sparse, --expand and --rerank go with --guides")
    from heddle.cli.search import show, show_guides
    from heddle.retrieval.retriever import RetrievalConfig

    if guides:
        show_guides(query, RetrievalConfig(mode or "rrf", expand, rerank), top, as_json=as_json, console=console)
    else:
        show(query, top, words=words, as_json=as_json, console=console)


@main.command()
@click.argument("question")
@click.option("--top", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many guides to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def ask(question: str, top: int, as_json: bool) -> None:
    """Answer QUESTION from the guides and cite them; where no guide stands out, say so and show the best."""
    from heddle.cli.ask import show

    show(question, top, as_json=as_json, console=console)


@main.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--text", help="What is said about it; the product class needs words to be told well.")
@click.option(
    "--top", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many classes of each label."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every class.")
def classify(image: Path, text: str | None, top: int, as_json: bool) -> None:
    """Name what an image shows: item, material, bin and, best with words, the product class."""
    from heddle.cli.classify import show

    show(image, text, top, as_json=as_json, console=console)


@main.command()
@click.argument("path", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path))
@click.option("--context", metavar="TEXT|FILE", help="Wishes in words; or JSON with site, locale, preferences.")
@click.option(
    "--objects",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON with objects (label, box, attributes) and relations; for FOLDER such by each image's path.",
)
@click.option("--seed", type=int, help="Draw the words rather than take the likeliest; another seed, another text.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON Lines of FOLDER's images; descriptions.jsonl in it if not given.",
)
def describe(path: Path, context: str | None, objects: Path | None, seed: int | None, output: Path | None) -> None:
    """Write title, alt text, tags, SEO texts and body for an image as JSON, with scores; or for all of a folder.

    A folder's images are described into a file, one line each; called again, it goes on where it was stopped.
    """
    if output and not path.is_dir():
        raise click.UsageError("--output is for a folder; of one image the JSON goes to the standard output")
    from heddle.cli.describe import show

    show(path, context, objects, seed, output)


@main.command()
@click.argument("query", metavar="NODE|TEXT|IMAGE")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many recommendations.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def recommend(query: str, top: int, as_json: bool) -> None:
    """Tell what a node of the graph can become or goes with, asked by its id or text, by other words or an image."""
    from heddle.cli.recommend import show

    show(query, top, as_json=as_json, console=console)


@main.group()
def quarantine() -> None:
    """Inspect quarantined records and release them."""


@quarantine.command("show")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", help="Show only records with this reason.")
def quarantine_show(ids: tuple[str, ...], reason: str | None) -> None:
    """Count quarantined records by reason. With IDs or --reason, show these records."""
    from heddle.cli.quarantine import show_quarantine

    show_quarantine(Path.cwd(), ids, reason, console)


@quarantine.command("release")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def quarantine_release(ids: tuple[str, ...]) -> None:
    """Accept records at the next run. Their ids are added to params.yaml, so that every run accepts them."""
    from heddle.cli.quarantine import release_records

    release_records(Path.cwd(), ids, console)
