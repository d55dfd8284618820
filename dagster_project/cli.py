"""``heddle``: a console command over Dagster and DVC. Nothing is possible with it alone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from assets.errors import MendableError

if TYPE_CHECKING:
    from assets.retrieval.retriever import Mode

console = Console()


class Heddle(click.Group):
    """Turns the errors that a person can mend into one readable message and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except MendableError as error:
            Console(stderr=True).print(f"heddle: {error}", markup=False, highlight=False, soft_wrap=True)
            sys.exit(1)


@click.group(cls=Heddle, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="heddle")
def main() -> None:
    """From a catalogue of listings to trained, evaluated, indexed and registered models.

    Run it in the project's root. What it does is done by Dagster and DVC; `dagster dev` and `dvc repro` do the same.
    """


@main.command()
def run() -> None:
    """Bring everything stale up to date: crawl, train, evaluate, index, register.

    Exit code 0: all went well. 1: a stage failed. 2: a model missed a gate and was not registered.
    """
    from dagster_project.run import run as run_main_job

    sys.exit(run_main_job(Path.cwd(), console))


@main.command()
@click.option("--keep", is_flag=True, help="Leave the temporary clone in place.")
def verify(keep: bool) -> None:
    """Reproduce everything in a fresh clone, without the run cache, and compare every output hash with dvc.lock.

    Exit code 0: all equal. 1: an output differs; the table names it.
    """
    from dagster_project.verify import verify as verify_outputs

    sys.exit(verify_outputs(Path.cwd(), console, keep=keep))


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(port: int) -> None:
    """Open Dagster with lineage, schedules and checks; it follows edits of parameters and code."""
    from dagster_project.ui import serve

    sys.exit(serve(Path.cwd(), port, console))


@main.command()
def status() -> None:
    """Say of each stage whether it is up to date, and if not, why."""
    from dagster_project.dvc.project import DvcProject

    project = DvcProject(Path.cwd())
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("stage", "state", "headline", "data version"):
        table.add_column(heading)
    for state in project.states().values():
        headline = state.meta.get("headline", "")
        value = project.metrics(state.name).get(headline)
        number = "" if value is None else f"{headline.replace('_', ' ')} {value:.4g}"
        words = f"[yellow]{'; '.join(state.causes)}[/]" if state.causes else "[green]up to date[/]"
        table.add_row(state.name, words, number, (state.data_version or "")[:12])
    console.print(table)


@main.command()
def drift() -> None:
    """Say how far the listings have moved from those of the version that was registered last.

    Exit code 0: nothing drifted. 2: a field or the words did, by more than section `drift` of the parameters allows.
    """
    from dagster_project.drift import show

    sys.exit(2 if show(Path.cwd(), console) else 0)


@main.command()
@click.argument("query", metavar="TEXT|IMAGE")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many hits.")
@click.option("--words", is_flag=True, help="Match words (BM25) rather than what the pictures show.")
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
    """Find listings by what their pictures show, asked in words or with a picture's file; or guides."""
    if guides and words:
        raise click.UsageError("--words is about listings; guides have --sparse")
    if not guides and (mode or expand or rerank):
        raise click.UsageError("--hybrid, --dense, --sparse, --expand and --rerank go with --guides")
    from assets.retrieval.retriever import Way
    from dagster_project.searching import show, show_guides

    if guides:
        show_guides(query, Way(mode or "rrf", expand, rerank), top, as_json=as_json, console=console)
    else:
        show(query, top, words=words, as_json=as_json, console=console)


@main.command()
@click.argument("question")
@click.option("--top", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many guides to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def ask(question: str, top: int, as_json: bool) -> None:
    """Answer QUESTION from the guides and cite them; where no guide stands out, say so and show the best."""
    from dagster_project.asking import show

    show(question, top, as_json=as_json, console=console)


@main.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--text", help="What is said about it; the product class needs words to be told well.")
@click.option(
    "--top", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many classes of each label."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every class.")
def classify(image: Path, text: str | None, top: int, as_json: bool) -> None:
    """Name what a picture shows: item, material, bin and, best with words, the product class."""
    from dagster_project.classifying import show

    show(image, text, top, as_json=as_json, console=console)


@main.command()
@click.argument("path", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path))
@click.option("--context", metavar="TEXT|FILE", help="Wishes in words; or JSON with site, locale, preferences.")
@click.option(
    "--objects",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON with objects (label, box, attributes) and relations; for FOLDER such by each picture's path.",
)
@click.option("--seed", type=int, help="Draw the words rather than take the likeliest; another seed, another text.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON Lines of FOLDER's pictures; descriptions.jsonl in it if not given.",
)
def describe(path: Path, context: str | None, objects: Path | None, seed: int | None, output: Path | None) -> None:
    """Write title, alt text, tags, SEO texts and body for a picture as JSON, with scores; or for all of a folder.

    A folder's pictures are described into a file, one line each; called again, it goes on where it was stopped.
    """
    if output and not path.is_dir():
        raise click.UsageError("--output is for a folder; of one picture the JSON goes to the standard output")
    from dagster_project.describing import show

    show(path, context, objects, seed, output)


@main.command()
@click.option("--really", is_flag=True, help="Write the drafts; else say what would change.")
def publish(really: bool) -> None:
    """Write content back to the WordPress site that its listings came from, as drafts that a person publishes."""
    from dagster_project.publish_content import show

    show(Path.cwd(), console, really=really)


@main.command()
@click.argument("query", metavar="NODE|TEXT|IMAGE")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many recommendations.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def recommend(query: str, top: int, as_json: bool) -> None:
    """Tell what a node of the graph can become or goes with, asked by its id or text, by other words or a picture."""
    from dagster_project.recommending import show

    show(query, top, as_json=as_json, console=console)


@main.group()
def quarantine() -> None:
    """Records that were refused: see why, let in what you know better of."""


@quarantine.command("show")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", help="Only records that were refused for this.")
def quarantine_show(ids: tuple[str, ...], reason: str | None) -> None:
    """Say how many records were refused for which reason; of an ID or a reason, where each came from."""
    from dagster_project.quarantine import show

    show(Path.cwd(), ids, reason, console)


@quarantine.command("release")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def quarantine_release(ids: tuple[str, ...]) -> None:
    """Let records in at the next run: their ids go to params.yaml, so that everybody's run does the same."""
    from dagster_project.quarantine import release

    release(Path.cwd(), ids, console)


@main.group()
def registry() -> None:
    """Registered models: list them, promote a version, roll back."""


@registry.command("list")
def registry_list() -> None:
    """Every registered version with its stage, commit and metrics."""
    from dagster_project.registry import versions

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("version", "stage", "commit", "metrics"):
        table.add_column(heading)
    rows = versions(Path.cwd())
    for row in rows:
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in list(row.metrics.items())[:3])
        table.add_row(row.tag, ", ".join(row.stages), row.commit[:7], numbers)
    console.print(table if rows else "No model is registered yet: `heddle run` registers those that pass their gates.")


@registry.command()
@click.argument("model")
@click.argument("version")
def promote(model: str, version: str) -> None:
    """Make VERSION (v1.2.0) of MODEL the champion."""
    from dagster_project.registry import promote as promote_version

    promote_version(Path.cwd(), model, version)
    console.print(f"{model}@{version} is champion.")


@registry.command()
@click.argument("model")
def rollback(model: str) -> None:
    """Make the champion before the present one champion again."""
    from dagster_project.registry import rollback as roll_back

    console.print(f"{model}@{roll_back(Path.cwd(), model)} is champion again.")


if __name__ == "__main__":
    main()
