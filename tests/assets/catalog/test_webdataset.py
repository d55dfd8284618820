"""The source `webdataset`: tars written by the library itself, and tars that nobody should have written."""

import gzip
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import webdataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.catalog.change_detection import compute_change_tokens
from assets.catalog.tar_samples import TarDamage, TarSample, read_samples, split_name
from assets.catalog.webdataset import WebDatasetSource
from heddle.core.stage import StageError
from tests.support import wordpress_site
from tests.support.source_project import NEAR, adds_up, image, parameters, read, refused, rows, run

COLUMNS = "{title: txt, url: json.url, licence: json.meta.licence}"
SOURCE = f"{{name: wds, kind: webdataset, tars: ['*.tar'], columns: {COLUMNS}}}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sample(number: int) -> dict[str, Any]:
    """As img2dataset writes it: image, caption, and what it knows as JSON."""
    key = f"{number // 10_000:05d}{number % 10_000:04d}"
    meta = {"key": key, "caption": f"Chair {number}", "url": f"https://far.test/{number}.jpg", "status": "success"}
    meta |= {"meta": {"licence": "CC0"}, "width": 64, "height": 48, "error_message": None}
    return {"__key__": key, "jpg": image(number), "txt": f"Chair {number}", "json": meta}


def write(path: Path, samples: list[dict[str, Any]]) -> Path:
    with webdataset.TarWriter(str(path), encoder=True) as writer:
        for each in samples:
            writer.write(each)
    return path


def raw(members: list[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def test_what_the_library_writes_comes_back_field_for_field(project: Path) -> None:
    write(project / "00000.tar", [sample(number) for number in range(4)])
    write(project / "00001.tar", [sample(10_000 + number) for number in range(4, 7)])
    metrics = run(project, SOURCE)
    assert (metrics["listings_accepted"], metrics["listings_quarantined"]) == (7, 0)
    found = rows(project, "listings")
    numbers = [0, 1, 2, 3, 10_004, 10_005, 10_006]
    assert [row["id"] for row in found] == [f"wds:{sample(number)['__key__']}" for number in numbers]
    assert {(row["title"], row["url"], row["licence"]) for row in found} == {
        (f"Chair {n}", f"https://far.test/{n}.jpg", "CC0") for n in numbers
    }


def test_samples_are_those_that_the_library_reads(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", [sample(number) for number in range(5)])
    theirs = list(webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False))
    with path.open("rb") as file:
        ours = [each for each in read_samples(file, lambda ending: True, 10**6) if isinstance(each, TarSample)]
    assert [each.key for each in ours] == [each["__key__"] for each in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.members == {ending: other[ending] for ending in ("jpg", "txt", "json")}


@given(name=st.text(st.sampled_from("ab./"), min_size=1, max_size=12))
def test_names_are_split_as_the_library_splits_them(name: str) -> None:
    from webdataset.tariterators import base_plus_ext

    key, ending = base_plus_ext(name)
    if key is not None and ending and not name.rpartition("/")[2].startswith("."):
        assert split_name(name) == (key, ending)


def test_a_packed_tar_is_the_same_tar(project: Path) -> None:
    plain = write(project / "a.tar", [sample(number) for number in range(3)])
    run(project, SOURCE)
    listings = (project / "output/listings.parquet").read_bytes()
    (project / "a.tar.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    run(project, SOURCE.replace("*.tar", "*.tar.gz"))
    assert (project / "output/listings.parquet").read_bytes() == listings


def test_what_cannot_be_used_is_kept_with_its_reason(project: Path) -> None:
    good = image(1)
    members = [
        ("good.jpg", good),
        ("good.txt", b"Chair"),
        ("good.json", b'{"url": "https://far.test", "meta": {"licence": "CC0"}}'),
        ("none.txt", b"no image"),
        ("cut.jpg", image(2)[:200]),
        ("latin.jpg", good),
        ("latin.txt", b"\xff\xfe\xfa"),
        ("broken.jpg", good),
        ("broken.json", b'{"url": '),
        ("twice.jpg", good),
        ("twice.jpg", good),
        ("README", b"not a sample"),
        ("fat.png", bytes(9_000_000)),
        ("wide.jpg", good),
        ("wide.txt", bytes(2_000_000)),
        ("good.jpg", good),
        ("deep.jpg", good),
        ("deep.json", b"[" * 100_000),
    ]
    (project / "a.tar").write_bytes(raw(members))
    metrics = run(project, SOURCE)
    assert sorted(refused(project)) == [
        ("wds:README", "malformed_record"),
        ("wds:broken", "malformed_record"),
        ("wds:cut", "image_truncated"),
        ("wds:deep", "malformed_record"),
        ("wds:fat", "image_too_large"),
        ("wds:good", "malformed_record"),
        ("wds:latin", "malformed_record"),
        ("wds:none", "no_image"),
        ("wds:twice", "malformed_record"),
        ("wds:wide", "malformed_record"),
    ]
    assert adds_up(metrics)
    assert [row["title"] for row in rows(project, "listings")] == ["Chair"]


def test_shard_members_outside_folder_and_links_are_not_read(project: Path) -> None:
    file = io.BytesIO(raw([("../../escaped.jpg", image(1)), ("/absolute.jpg", image(2))]))
    with tarfile.open(fileobj=file, mode="a") as tar:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (project / "inside").mkdir()
    (project / "inside/a.tar").write_bytes(file.getvalue())
    before = {path for path in project.parent.rglob("*") if "output" not in path.parts}
    run(project, "{name: wds, kind: webdataset, tars: [inside/a.tar]}")
    after = {path for path in project.parent.rglob("*") if "output" not in path.parts}
    assert {path.name for path in after - before} <= {"params.yaml", "smoke.yaml", "scales"}
    assert [row["id"] for row in rows(project, "listings")] == ["wds:/absolute"]
    assert refused(project) == [("wds:../../escaped", "malformed_record"), ("wds:link", "malformed_record")]


TAR = raw([(f"{n}.{end}", content) for n in range(4) for end, content in (("jpg", image(n)), ("txt", b"Chair"))])

END = len(TAR.rstrip(b"\0")) // 512 * 512 + 512  # of the last member: what follows is the mark of the end


def brought(tmp_path: Path, content: bytes) -> tuple[list[str], list[dict[str, Any]], int]:
    """Ids of what came, rows of what was refused, and how many records there were, of a tar of these bytes."""
    tar = tmp_path / "a.tar"
    tar.write_bytes(content)
    source = WebDatasetSource(parameters(name="w", kind="webdataset", tars=[str(tar)]))
    collector, result, _ = read(source, tmp_path / "spool")
    return [draft.id for draft, _ in result.listings], result.quarantine, collector.fetched["listings"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, END))
def test_a_cut_tar_brings_what_came_before_the_cut_and_says_so(tmp_path: Path, at: int) -> None:
    taken, quarantine, fetched = brought(tmp_path, TAR[:at])
    assert taken == [f"w:{n}" for n in range(len(taken))]
    whole = [n for n in range(4) if TAR.find(f"{n}.txt".encode()) + 1024 <= at]
    assert set(taken) >= {f"w:{n}" for n in whole[:-1]}  # of the last one nobody knows whether it was whole
    assert len(taken) + len(quarantine) == fetched
    assert sum("the tar is damaged" in row["detail"] for row in quarantine) in (1, 2)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(TAR) // 512 - 1), st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=9
    ),
    packed=st.booleans(),
    cut=st.integers(0, 3),
)
def test_no_change_of_bytes_makes_a_tar_crash_or_lose_a_record(
    tmp_path: Path, changes: list[tuple[int, int, int]], packed: bool, cut: int
) -> None:
    content = bytearray(TAR)
    for block, place, value in changes:
        content[block * 512 + place] = value
    taken, quarantine, fetched = brought(tmp_path, gzip.compress(bytes(content))[cut:] if packed else bytes(content))
    assert len(taken) + len(quarantine) == fetched >= 1
    assert all(row["detail"] for row in quarantine)


@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_much_is_not_read(type_: bytes) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = type_, 300_000_000
    packed = io.BytesIO(gzip.compress(info.tobuf() + bytes(300_000_000), 1))
    found = list(read_samples(packed, lambda ending: True, 1_000))
    assert [type(each) for each in found] == [TarDamage]
    assert "a header declares 300,000," in str(found[0])


def test_members_that_claim_more_than_the_tar_has_are_damage() -> None:
    info = tarfile.TarInfo("a.jpg")
    info.size = 8 << 30
    found = list(read_samples(io.BytesIO(info.tobuf() + bytes(4096)), lambda ending: True, 1_000))
    assert [type(each) for each in found] == [TarDamage]


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ("{title: caption}", ["no column 'caption'; columns: __key__, jpg, json, txt, json.key, json.caption"]),
        ("{title: json.captoin}", ["no column 'json.captoin'", "json.caption"]),
        ("{headline: txt}", ["unknown field headline of listings"]),
    ],
)
def test_a_wrong_mapping_is_answered_with_the_columns_that_exist(project: Path, columns: str, parts: list[str]) -> None:
    write(project / "a.tar", [sample(1)])
    with pytest.raises(StageError) as caught:
        run(project, f"{{name: wds, kind: webdataset, tars: [a.tar], columns: {columns}}}")
    for words in ("source wds", *parts):
        assert words in str(caught.value)


def test_a_tar_that_is_not_there_is_named(project: Path) -> None:
    with pytest.raises(StageError, match=r"source wds: \*\.tar: file not found"):
        run(project, SOURCE)
    (failure,) = compute_change_tokens(project).failures.values()
    assert re.search(r"source wds: .*does not exist", failure)
    write(project / "a.tar", [sample(1)])
    first = compute_change_tokens(project).tokens
    write(project / "b.tar", [sample(2)])
    assert compute_change_tokens(project).tokens != first


def test_tars_on_the_network_are_crawled(tmp_path: Path) -> None:
    site = wordpress_site.FakeSite()
    near = write(tmp_path / "near.tar", [sample(number) for number in (0, 1)])
    far = write(tmp_path / "far.tar", [sample(number) | {"txt": "far"} for number in (2, 3)])
    linked = write(tmp_path / "linked.tar", [{"__key__": "linked", "json": {"url": f"{site.url}/images/7"}}])
    for name, path in (("/far.tar", far), ("/linked.tar", linked)):
        content = path.read_bytes()
        site.answers[name] = lambda times, content=content: (200, {"Content-Type": "application/x-tar"}, content)
    site.answers["/robots.txt"] = lambda times: (200, {}, b"User-agent: *\nDisallow: /secret.tar\n")
    site.answers["/big.tar"] = lambda times: (200, {}, bytes(3_000_000))
    tars = [str(near), *(f"{site.url}/{name}.tar" for name in ("far", "missing", "secret", "big"))]
    options = [*NEAR, "tar_megabytes: 2"]
    source = "\n        ".join(["- name: wds", "kind: webdataset", f"tars: {json.dumps(tars)}", *options])
    second = [f"tars: ['{site.url}/linked.tar']", "columns: {image: json.url}"]
    other = "\n        ".join(["- name: links", "kind: webdataset", *second, *options])
    try:
        done = wordpress_site.run(tmp_path, source, other)
    finally:
        site.close()
    assert done.returncode == 0, done.stderr
    found = wordpress_site.rows(tmp_path, "listings")
    assert [row["id"] for row in found] == ["links:linked", *(f"wds:00000000{number}" for number in range(4))]
    details = {row["origin"].rpartition("/")[2]: row["detail"] for row in wordpress_site.rows(tmp_path, "quarantine")}
    assert details["missing.tar"] == "returned 404 Not Found"
    assert "robots.txt" in details["secret.tar"]
    assert "more than 2,000,000 bytes" in details["big.tar"]
    assert len(details) == 3
    assert "/secret.tar" not in {path for path, _, _ in site.requests}
    assert all("Heddle" in headers["User-Agent"] for _, headers, _ in site.requests)
