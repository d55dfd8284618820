"""Gates, champion and challenger, promote, roll back; the tag leads to exactly what made the model."""

import json
import subprocess

import pytest

from dagster_project import registry
from dagster_project.experiment import WorkspaceChangedError, find_experiment, save_experiment
from heddle.core.skipped import write_skipped


def _release(toy, words: str, recall: float) -> None:
    """A released model with these bytes and this metric, as the stages would leave it."""
    for folder in ("release/clip", "encoder_evaluation"):
        toy.write(f"data/{folder}/metrics.json", json.dumps({"text_to_image": {"recall": {"value": recall}}}))
    toy.write("data/release/clip/words.txt", words)


def _commit(toy) -> str:
    """A commit of its own: GTO registers one version of a model for a commit."""
    toy.shell("git", "commit", "-q", "--allow-empty", "-m", "retrained")
    return toy.shell("git", "rev-parse", "HEAD").strip()


def test_the_run_registered_the_commit_of_its_experiment(toy):
    (version,) = registry.versions(toy.root)
    assert (version.tag, version.stages) == ("clip@v1.0.0", ("champion",))
    lock = toy.shell("git", "show", f"{version.tag}:dvc.lock")
    assert lock == (toy.root / "dvc.lock").read_text()
    assert version.metrics["text_to_image.recall"] == 0.75
    assert "run-" in toy.dvc("exp", "list", "--name-only")


def test_the_same_bytes_are_registered_once(toy):
    toy.write("data/release/clip/README.md", "a card that tells of another gate")
    again = registry.register(toy.root, "clip", _commit(toy))
    assert again.version == "v1.0.0"
    assert [version.tag for version in registry.versions(toy.root)] == ["clip@v1.0.0"]


def test_what_an_adapter_stands_upon_is_part_of_its_version(toy):
    (toy.root / "data/release/clip/base").mkdir()
    toy.write("data/release/clip/base/words.txt", "another base")
    again = registry.register(toy.root, "clip", _commit(toy))
    assert again.version == "v1.1.0"


def test_register_with_a_failed_gate_is_refused_with_the_reason(toy):
    _release(toy, "weaker", 0.4)
    refused = registry.register(toy.root, "clip", _commit(toy))
    assert refused.version is None
    assert "encoder_evaluation.text_to_image.recall must be at least 0.5, found 0.4" in refused.reason
    assert len(registry.versions(toy.root)) == 1


def test_of_models_that_were_not_released_the_registry_says_why(toy):
    (toy.root / "data/vision").mkdir()
    write_skipped(toy.root / "data/vision", "No kind of label has two classes.")
    result = toy.materialize("experiment", "registry")
    assert result.success
    (event,) = result.asset_materializations_for_node("registry")
    assert event.metadata["clip"].value.startswith("clip@v1.0.0")
    assert event.metadata["vision"].value == "vision is not registered: No kind of label has two classes."
    assert event.metadata["product"].value == "product is not registered: not released"
    assert [version.tag for version in registry.versions(toy.root)] == ["clip@v1.0.0"]


def test_register_after_a_champion_without_the_metric_makes_a_challenger(toy):
    note = json.dumps({"content": "0", "metrics": {"text_to_image_recall": 0.7}})  # flat names of an older tag
    toy.shell("git", "tag", "-a", "clip@v1.1.0", "-m", note, _commit(toy))
    registry.promote(toy.root, "clip", "v1.1.0")
    _release(toy, "better", 0.9)
    registered = registry.register(toy.root, "clip", _commit(toy))
    assert (registered.version, registered.stage) == ("v1.2.0", "challenger")
    assert registered.reason.startswith("clip@v1.1.0 has no metric text_to_image.recall to compare")


def test_better_model_becomes_champion_and_worse_one_challenger(toy):
    _release(toy, "better", 0.9)
    assert registry.register(toy.root, "clip", _commit(toy)).stage == "champion"
    _release(toy, "worse", 0.6)
    assert registry.register(toy.root, "clip", _commit(toy)).stage == "challenger"
    stages = {version.version: version.stages for version in registry.versions(toy.root)}
    assert stages == {"v1.2.0": ("challenger",), "v1.1.0": ("champion",), "v1.0.0": ()}


def test_promote_and_roll_back(toy):
    _release(toy, "better", 0.9)
    registry.register(toy.root, "clip", _commit(toy))
    _release(toy, "worse", 0.6)
    registry.register(toy.root, "clip", _commit(toy))

    registry.promote(toy.root, "clip", "v1.2.0")
    champions = [version.version for version in registry.versions(toy.root) if "champion" in version.stages]
    assert champions == ["v1.2.0"]
    assert registry.rollback(toy.root, "clip") == "v1.1.0"
    champions = [version.version for version in registry.versions(toy.root) if "champion" in version.stages]
    assert champions == ["v1.1.0"]


def test_unknown_versions_are_answered_with_the_known_ones(toy):
    with pytest.raises(registry.RegistryError, match=r"no version v9\.0\.0 of clip; registered: v1\.0\.0"):
        registry.promote(toy.root, "clip", "v9.0.0")
    with pytest.raises(registry.RegistryError, match=r"no champion before v1\.0\.0"):
        registry.rollback(toy.root, "clip")
    with pytest.raises(registry.RegistryError, match="registered: none"):
        registry.promote(toy.root, "vision", "v1.0.0")


def test_a_machine_without_git_identity_can_register(toy, monkeypatch, tmp_path):
    for role in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{part}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    _release(toy, "better", 0.9)
    toy.dvc("commit", "-f", "-q")
    commit = save_experiment(toy.project, "run-nobody")
    assert registry.register(toy.root, "clip", commit).version == "v1.1.0"
    author = subprocess.run(
        ["git", "log", "-1", "--format=%an", commit], cwd=toy.root, capture_output=True, text=True, check=True
    )
    assert author.stdout.strip() == "Heddle"


def test_an_experiment_is_not_saved_over_unsettled_work(toy):
    toy.write("words/encoder.txt", "edited after the run\n")
    with pytest.raises(WorkspaceChangedError, match="encoder changed since it ran"):
        save_experiment(toy.project, "run-late")
    assert find_experiment(toy.root, "run-late") is None
    assert toy.changed() == {"encoder"}
