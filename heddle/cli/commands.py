"""The console command ``heddle``, a thin layer over Dagster and DVC."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from heddle.core.errors import translate
from heddle.core.program import prepare_process
from heddle.core.terminal import PipeConsole

if TYPE_CHECKING:
    from heddle.inference.search import ListingMode
    from heddle.retrieval.config import Mode

console = PipeConsole()

COMMANDS = "heddle.commands"
"""Entry-point group of commands from other packages, such as those that use Dagster."""
EXIT_CODES = "Exit code 0: success. 1: an error. 2: an invalid option or argument."
"""Last line of the help of each command."""


class Heddle(click.Group):
    """The commands of this package and of the entry-point group. User errors print one message and exit with code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted({*super().list_commands(ctx), *entry_points(group=COMMANDS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of this package, or one loaded from its entry point."""
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in entry_points(group=COMMANDS).names:
            found = entry_points(group=COMMANDS)[cmd_name].load()
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Run the command and print the errors that a user can fix."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            user_error = translate(error)
            if user_error is None:
                raise
            PipeConsole(stderr=True).print_message(f"heddle: {user_error}")
            sys.exit(1)


@click.group(cls=Heddle, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(package_name="heddle")
def main() -> None:
    """Train, evaluate, index and register models from a catalogue of listings.

    Run the command in the project root. It uses Dagster and DVC; `dagster dev` and `dvc repro` work too.
    """
    prepare_process()


GUIDE_MODES: "dict[str, Mode]" = {"hybrid": "rrf", "dense": "dense", "bm25": "bm25"}
"""Value of ``--mode`` -> mode of the retriever."""


def top_k_option(default: int, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option ``-k/--top-k`` of every command that prints a ranked list."""
    return click.option(
        "-k", "--top-k", default=default, show_default=True, type=click.IntRange(1, 1000), help=help_text
    )


@main.command(epilog=EXIT_CODES)
@click.argument("query", metavar="QUERY")
@click.option(
    "--in",
    "collection",
    default="listings",
    show_default=True,
    type=click.Choice(["listings", "guides"]),
    help="What to search.",
)
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "dense", "bm25"]),
    help="dense: vector similarity (image-text for listings). bm25: keyword search. hybrid: both, fused by reciprocal "
    "rank (guides only). Default: dense for listings, hybrid for guides.",
)
@click.option("--expand", is_flag=True, help="Expand the query with words of the first guides found (guides only).")
@click.option("--rerank", is_flag=True, help="Rerank the first guides with the reranker (guides only).")
@top_k_option(10, "Maximum number of hits.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def search(
    query: str, collection: str, mode: str | None, expand: bool, rerank: bool, top_k: int, as_json: bool
) -> None:
    """Search the listings or the guides.

    QUERY is a text or, for listings in mode dense, the path of an image.
    """
    if collection == "listings":
        _check_listings_options(mode, expand, rerank)
    from heddle.cli.search import print_guides, print_listings
    from heddle.retrieval.config import RetrievalConfig

    if collection == "guides":
        config = RetrievalConfig(GUIDE_MODES[mode or "hybrid"], expand, rerank)
        print_guides(query, top_k, config, as_json=as_json, console=console)
    else:
        listing_mode: ListingMode = "bm25" if mode == "bm25" else "dense"
        print_listings(query, top_k, listing_mode, as_json=as_json, console=console)


def _check_listings_options(mode: str | None, expand: bool, rerank: bool) -> None:
    invalid = {"--mode hybrid": mode == "hybrid", "--expand": expand, "--rerank": rerank}
    for option, given in invalid.items():
        if given:
            raise click.UsageError(f"{option} requires `--in guides`; listings have --mode dense and --mode bm25")


@main.command(epilog=EXIT_CODES)
@click.argument("question")
@top_k_option(5, "Maximum number of guides to print.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def ask(question: str, top_k: int, as_json: bool) -> None:
    """Answer QUESTION from the guides and cite them.

    Without a confident answer, print the closest guides.
    """
    from heddle.cli.ask import print_answer

    print_answer(question, top_k, as_json=as_json, console=console)


@main.command(epilog=EXIT_CODES)
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--text", help="Text about the image, for a better prediction of the product class.")
@top_k_option(5, "Maximum number of classes of each label.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every class.")
def classify(image: Path, text: str | None, top_k: int, as_json: bool) -> None:
    """Predict item, material, bin and product class of an image."""
    from heddle.cli.classify import print_classification

    print_classification(image, text, top_k, as_json=as_json, console=console)


@main.command(epilog=f"{EXIT_CODES} 130: interrupted by Ctrl+C.")
@click.argument("path", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--context", metavar="TEXT|FILE", help="Wishes as words, or a JSON file with site, locale and preferences."
)
@click.option(
    "--objects",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON file with objects (label, box, attributes) and relations; for FOLDER, an object of these by image path.",
)
@click.option("--seed", type=int, help="Sample with this random seed instead of greedy decoding.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON Lines file for FOLDER's images. Default: descriptions.jsonl in FOLDER.",
)
def describe(path: Path, context: str | None, objects: Path | None, seed: int | None, output: Path | None) -> None:
    """Write and score title, alt text, tags, SEO texts and body for one image or for all images of a folder.

    For one image, print JSON. For a folder, write one line of JSON for each image; the same command continues after an
    interruption. An image that cannot be read gets a line with its error.
    """
    if output and not path.is_dir():
        raise click.UsageError("--output requires a FOLDER; the JSON of one IMAGE is printed to the standard output")
    from heddle.cli.describe import print_descriptions

    print_descriptions(path, context, objects, seed, output)


@main.command(epilog=EXIT_CODES)
@click.argument("query", metavar="NODE|TEXT|IMAGE")
@top_k_option(10, "Maximum number of recommendations.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def recommend(query: str, top_k: int, as_json: bool) -> None:
    """Recommend nodes of the graph, such as products for an item.

    Query with the id or the text of a node, with another text, which is matched to the most similar node, or with an
    image file.
    """
    from heddle.cli.recommend import print_recommendations

    print_recommendations(query, top_k, as_json=as_json, console=console)


@main.command("new-model", epilog=EXIT_CODES)
@click.argument("name")
def new_model(name: str) -> None:
    """Add the model family NAME: write its files and enter it into dvc.yaml, assets/families.py and params.yaml.

    The new family is a working classifier of listing titles. Replace its parts one by one.
    """
    from heddle.scaffold.new_model import new_model as write_scaffold

    write_scaffold(name, Path.cwd(), console)


@main.group(epilog=EXIT_CODES)
def quarantine() -> None:
    """Inspect quarantined records and release them."""


@quarantine.command("show", epilog=EXIT_CODES)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", help="Show only records with this reason.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line: a reason or a record.")
def quarantine_show(ids: tuple[str, ...], reason: str | None, as_json: bool) -> None:
    """Count quarantined records by reason. With IDs or --reason, show these records."""
    from heddle.cli.quarantine import show_quarantine

    show_quarantine(Path.cwd(), ids, reason, as_json=as_json, console=console)


@quarantine.command("release", epilog=EXIT_CODES)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def quarantine_release(ids: tuple[str, ...]) -> None:
    """Accept records at the next run. Their ids are added to params.yaml, so that every run accepts them."""
    from heddle.cli.quarantine import release_records

    release_records(Path.cwd(), ids, console)


@main.command(epilog=EXIT_CODES)
@click.option("--check", is_flag=True, help="Only print the outdated files; exit code 1 if there is one.")
def libraries(check: bool) -> None:
    """Write the versions of the imported libraries into `libraries.txt` in each folder of code.

    A stage depends on the files in its folders, so it is stale after an upgrade of a library that it imports.
    `make install` calls this command; commit the files that it changes.
    """
    from heddle.cli.libraries import update_libraries

    if update_libraries(Path.cwd(), console, check=check) and check:
        sys.exit(1)
