"""Drift of the listings since the last registered version: an asset check, and `heddle drift`."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

NO_DRIFT_AUROC = 0.5
CHECK = "drift"
STAGE = "validated"
LISTINGS = "data/validated/listings.parquet"
HEADINGS = ("field", "compared by", "stability index", "chance level", "missing before", "missing now")


class DriftError(UserError):
    """There are no listings to compare with. The message gives the reason and the fix."""


@dataclass(frozen=True)
class DriftComparison:
    """Current listings compared with those of a registered version.

    Attributes:
        against: git tag of the registered version.
        listings: number of listings before and now.
        fields: drift of each field, largest first.
        embedding_auroc: AUROC of a classifier that separates new from earlier text embeddings; 0.5 is chance.
        bounds: section `drift`; larger values count as drift.
        identical: whether the files are equal, so that nothing was measured.
    """

    against: str
    listings: tuple[int, int]
    fields: list["Drift"]
    embedding_auroc: float
    bounds: DriftParameters
    identical: bool = False

    @property
    def drifted(self) -> list[str]:
        """Names of the fields above their bound, and "embedding" if the text embeddings are."""
        fields = [each.field for each in self.fields if each.exceeds(self.bounds.stability_index)]
        if self.embedding_auroc > self.bounds.embedding_auroc:
            fields.append("embedding")
        return fields


def compare(root: Path) -> DriftComparison:
    """Compare ``data/validated`` with that of the last registered version. Files of equal hash are not read.

    Raises:
        DriftError: no model is registered, or its data is not in the cache.
    """
    registered = versions(root)
    if not registered:
        raise DriftError("no model is registered yet, so there are no earlier listings; run `heddle run`")
    newest = max(registered, key=lambda version: version.created)
    if not (root / LISTINGS).is_file():
        raise DriftError(f"{LISTINGS} does not exist; run `heddle run`")
    bounds = load("drift", DriftParameters, root)
    try:
        files = DVCFileSystem(str(root), rev=newest.tag)
        if files.info(LISTINGS).get("md5") == _md5(root / LISTINGS):
            count = pq.read_metadata(root / LISTINGS).num_rows
            return DriftComparison(newest.tag, (count, count), [], NO_DRIFT_AUROC, bounds, identical=True)
        with files.open(LISTINGS, "rb") as file:
            earlier = pq.read_table(file).to_pylist()
    except (OSError, DvcException, DataIndexDirError) as error:
        remedy = f"run `dvc fetch --rev {newest.tag} validated`"
        raise DriftError(f"cannot read {LISTINGS} of {newest.tag} ({error}); {remedy}") from error
    now = pq.read_table(root / LISTINGS).to_pylist()
    if not earlier or not now:
        raise DriftError(f"{LISTINGS}: {len(earlier)} listings at {newest.tag}, {len(now)} now; both need at least 1")
    return _measure(root, newest.tag, earlier, now, bounds)


def _md5(path: Path) -> str:
    """The hash by which DVC identifies a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _measure(root: Path, tag: str, earlier: list["Row"], now: list["Row"], bounds: DriftParameters) -> DriftComparison:
    from heddle.monitoring.drift import measure_drift, select_by_hash  # importing scipy takes seconds

    samples = (select_by_hash(rows, bounds.embedding_sample_size) for rows in (earlier, now))
    auroc = _embedding_auroc(root, *samples)
    return DriftComparison(tag, (len(earlier), len(now)), measure_drift(earlier, now), auroc, bounds)


def _embedding_auroc(root: Path, earlier: list["Row"], now: list["Row"]) -> float:
    from heddle.encoders.text_encoder import load_sentence_encoder  # importing torch takes seconds
    from heddle.monitoring.drift import domain_classifier_auroc, listing_words

    encoder = load_sentence_encoder(
        load("index", IndexParameters, root).encoder, load("compute", Compute, root).threads
    )
    before, after = (encoder.documents([listing_words(row) for row in rows]) for rows in (earlier, now))
    return domain_classifier_auroc(before, [row["id"] for row in earlier], after, [row["id"] for row in now])


def drift_check_spec() -> dg.AssetCheckSpec:
    """Spec of the drift check on `validated`."""
    return dg.AssetCheckSpec(
        CHECK, asset=STAGE, description="Listings did not drift since the last registered version."
    )


def run_drift_check(root: Path) -> dg.AssetCheckResult:
    """Run the drift check. Drift is only a warning, because retraining may be the right response."""
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
        description=f"drifted since {found.against}: {', '.join(drifted) or 'nothing'}",
        metadata={
            "embedding_auroc": found.embedding_auroc,
            **{f"stability_index_{each.field}": each.index for each in found.fields},
            "fields": dg.MetadataValue.md(_markdown(found)),
        },
    )


def print_drift(found: DriftComparison, console: Console) -> None:
    """Print the comparison."""
    earlier, now = found.listings
    if found.identical:
        console.print(f"No drift: the {now:,} listings are identical to those at {found.against}.")
        return
    table = Table(
        box=None, pad_edge=False, header_style="dim", title=f"{now:,} listings, {earlier:,} at {found.against}"
    )
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("field", "compared by") else "right")
    for each in found.fields:
        style = "yellow" if each.exceeds(found.bounds.stability_index) else None
        table.add_row(*_cells(each), style=style)
    console.print(table)
    colour = "yellow" if found.embedding_auroc > found.bounds.embedding_auroc else "default"
    console.print(f"Text embeddings: AUROC of new against earlier listings [{colour}]{found.embedding_auroc:.3f}[/]")


def drift_record(found: DriftComparison) -> dict[str, Any]:
    """The comparison for JSON."""
    record = asdict(found) | {"bounds": found.bounds.model_dump(), "drifted": found.drifted}
    record["listings"] = dict(zip(("earlier", "now"), found.listings, strict=True))
    return record


def _cells(drift: "Drift") -> tuple[str, ...]:
    shares = (f"{share:.1%}" for share in drift.missing)
    return drift.field, drift.measured, f"{drift.index:.4f}", f"{drift.chance:.4f}", *shares


def _markdown(found: DriftComparison) -> str:
    head = f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|\n"
    return head + "".join(f"| {' | '.join(_cells(each))} |\n" for each in found.fields)
