"""How far the listings have drifted from those of the last registered model: an asset check, and `heddle drift`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pyarrow.parquet as pq
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc_data.index import DataIndexDirError
from rich.console import Console
from rich.table import Table

from dagster_project.registry import versions
from heddle.core.errors import UserError
from heddle.core.parameters.section import load
from heddle.core.parameters.shared import Compute
from heddle.encoders.parameters import IndexParameters
from heddle.monitoring.parameters import DriftParameters

if TYPE_CHECKING:
    from heddle.monitoring.drift import Drift, Row

CHECK = "drift"
STAGE = "validated"
LISTINGS = "data/validated/listings.parquet"
HEADINGS = ("field", "compared by", "stability index", "by chance below", "missing then", "now")


class DriftError(UserError):
    """There is nothing to compare with; the message says why and what to do."""


@dataclass(frozen=True)
class Comparison:
    """The present listings beside those of a registered version.

    Attributes:
        against: the version's tag.
        listings: earlier and now.
        fields: the one that moved most first.
        embedding_auc: how well what the listings say tells new ones from earlier ones; 0.5 is not at all.
        bounds: past which it is drift.
    """

    against: str
    listings: tuple[int, int]
    fields: list["Drift"]
    embedding_auc: float
    bounds: DriftParameters

    @property
    def drifted(self) -> list[str]:
        """What moved too far."""
        fields = [each.field for each in self.fields if each.exceeds(self.bounds.stability_index)]
        return [*fields, *(["embedding"] if self.embedding_auc > self.bounds.embedding_auc else [])]


def compare(root: Path) -> Comparison:
    """Compare ``data/validated`` with that of the version that was registered last.

    Raises:
        DriftError: no model is registered, or its data are not in the cache.
    """
    from heddle.monitoring.drift import drifts, sample  # scipy takes seconds that not every process should pay

    registered = versions(root)
    if not registered:
        raise DriftError("no model is registered yet, so there are no earlier listings to compare with")
    newest = max(registered, key=lambda version: version.created)
    if not (root / LISTINGS).is_file():
        raise DriftError(f"{LISTINGS} is not there; `heddle run` makes it")
    earlier, now = _earlier(root, newest.tag), pq.read_table(root / LISTINGS).to_pylist()
    if not earlier or not now:
        raise DriftError(f"{len(earlier)} listings at {newest.tag}, {len(now)} now: there is nothing to compare")
    bounds = load("drift", DriftParameters, root)
    auc = _embedding_auc(root, sample(earlier, bounds.embedded), sample(now, bounds.embedded))
    return Comparison(newest.tag, (len(earlier), len(now)), drifts(earlier, now), auc, bounds)


def _earlier(root: Path, tag: str) -> list["Row"]:
    try:
        with DVCFileSystem(str(root), rev=tag).open(LISTINGS, "rb") as file:
            return list(pq.read_table(file).to_pylist())
    except (OSError, DvcException, DataIndexDirError) as error:
        raise DriftError(
            f"{LISTINGS} of {tag} cannot be read ({error}); `dvc fetch --rev {tag} validated` brings it from the remote"
        ) from error


def _embedding_auc(root: Path, earlier: list["Row"], now: list["Row"]) -> float:
    from heddle.encoders.text_encoder import load_sentence_encoder  # so does torch
    from heddle.monitoring.drift import tell_apart, words_of

    encoder = load_sentence_encoder(
        load("index", IndexParameters, root).encoder, load("compute", Compute, root).threads
    )
    before, after = (encoder.documents([words_of(row) for row in rows]) for rows in (earlier, now))
    return tell_apart(before, [row["id"] for row in earlier], after, [row["id"] for row in now])


def drift_spec() -> dg.AssetCheckSpec:
    """The check on `validated`."""
    return dg.AssetCheckSpec(
        CHECK, asset=STAGE, description="The listings are alike those of the model that was registered last."
    )


def drift_result(root: Path) -> dg.AssetCheckResult:
    """A warning where a field or the words moved; it stops nothing, as a retraining may be the very answer to it."""
    try:
        found = compare(root)
    except DriftError as error:
        return dg.AssetCheckResult(passed=True, check_name=CHECK, asset_key=STAGE, description=f"not compared: {error}")
    drifted = found.drifted
    return dg.AssetCheckResult(
        passed=not drifted,
        severity=dg.AssetCheckSeverity.WARN,
        check_name=CHECK,
        asset_key=STAGE,
        description=f"since {found.against}: {', '.join(drifted) or 'nothing'} drifted",
        metadata={
            "embedding_auc": found.embedding_auc,
            **{f"stability_index_{each.field}": each.index for each in found.fields},
            "fields": dg.MetadataValue.md(_markdown(found)),
        },
    )


def show(root: Path, console: Console) -> int:
    """Print the comparison; returns how many things drifted.

    Raises:
        DriftError: there is nothing to compare with.
    """
    found = compare(root)
    earlier, now = found.listings
    table = Table(
        box=None, pad_edge=False, header_style="dim", title=f"{now:,} listings, {earlier:,} at {found.against}"
    )
    for heading in ("field", "compared by", "stability index", "by chance below", "missing then", "now"):
        table.add_column(heading, justify="left" if heading in ("field", "compared by") else "right")
    for each in found.fields:
        style = "yellow" if each.exceeds(found.bounds.stability_index) else None
        table.add_row(*_cells(each), style=style)
    console.print(table)
    told = "yellow" if found.embedding_auc > found.bounds.embedding_auc else "default"
    console.print(
        f"What they say: a linear classifier tells new from old with AUC [{told}]{found.embedding_auc:.3f}[/]"
    )
    return len(found.drifted)


def _cells(drift: "Drift") -> tuple[str, ...]:
    shares = (f"{share:.1%}" for share in drift.missing)
    return drift.field, drift.measured, f"{drift.index:.4f}", f"{drift.chance:.4f}", *shares


def _markdown(found: Comparison) -> str:
    head = (
        "| field | compared by | stability index | by chance below | missing then | now |\n|---|---|---|---|---|---|\n"
    )
    return head + "".join(f"| {' | '.join(_cells(each))} |\n" for each in found.fields)
