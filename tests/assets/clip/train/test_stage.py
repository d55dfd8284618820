import csv
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

from assets.clip.train.stage import clip
from assets.tokenizer.stage import tokenizer
from heddle.core.parameters.section import ParameterError
from heddle.core.parameters.shared import Split
from heddle.core.schemas import TABLES, read_rows, write_table
from heddle.core.skipped import skip_reason
from heddle.core.splits import split_of
from heddle.core.stage import StageError, read_json
from lightning_modules.clip.clip import Clip
from lightning_modules.tokenization.vocabulary import END, PAD, START
from tests.support.small_project import contents, run


@pytest.fixture
def project(trained_project: Path, tmp_path: Path) -> Path:
    """A copy to play with."""
    return Path(shutil.copytree(trained_project, tmp_path / "project"))


def _change(project: Path, old: str, new: str) -> None:
    scale = project / "scales/smoke.yaml"
    assert old in scale.read_text()
    scale.write_text(scale.read_text().replace(old, new))


def test_the_folder_is_a_whole_model(trained_project: Path) -> None:
    folder = trained_project / "data/clip"
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "history.csv",
        "metrics.json",
    }
    config = Clip.from_pretrained(folder).config
    assert (config.image_size, config.resize_mode, config.projection_dim) == (16, "pad", 8)
    with (folder / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2"]
    columns = {"train_loss", "validation_loss", "learning_rate", "temperature", "validation_recall_at_10"}
    assert columns <= set(history[0])
    numbers = read_json(folder / "metrics.json")
    rows = read_rows(trained_project / "data/validated/listings.parquet")
    wordless = numbers["train_listings_without_text"]
    assert wordless <= sum(not (row["title"] or row["alt_text"]) for row in rows)
    shards = read_json(trained_project / "data/shards/metrics.json")
    assert numbers["train_listings"] + wordless == shards["train_listings"]


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    run(clip, project, "again")
    assert contents(project / "data/again") == contents(project / "data/clip")


def test_another_seed_gives_another_model(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("seed: 7", "seed: 8"))
    run(clip, project, "again")
    first, second = contents(project / "data/clip"), contents(project / "data/again")
    assert first["model.safetensors"] != second["model.safetensors"]
    assert first["config.json"] == second["config.json"]


def test_streaming_trains_on_as_many_listings(project: Path) -> None:
    _change(project, "cache: true", "cache: false")
    numbers = run(clip, project, "again")
    assert numbers["train_listings"] == read_json(project / "data/clip/metrics.json")["train_listings"]


def test_too_few_listings_for_a_batch_make_no_model_and_no_error(project: Path) -> None:
    _change(project, "batch_size: 4", "batch_size: 400")
    assert run(clip, project, "again") == {"train_listings": 0}
    assert {path.name for path in (project / "data/again").iterdir()} == {"skipped.json", "metrics.json"}
    reason = skip_reason(project / "data/again") or ""
    assert "fewer than one batch of 400; add listings or lower clip.batch_size" in reason


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  projection_dim: 8\n", "", "give either pretrained or image, text and projection_dim"),
        (
            "  projection_dim: 8\n",
            "  projection_dim: 8\n  pretrained: a/b\n",
            "found pretrained and image, text and projection_dim",
        ),
        ("alt_text: 3", "alt_text: 0", "must be above 0"),
        ("kind: resnet", "kind: mlp", "clip.image"),
        ("max_epochs: 2", "epochs: 2", "clip.trainer"),
    ],
)
def test_mistaken_parameters_are_named(project: Path, old: str, new: str, message: str) -> None:
    _change(project, old, new)
    with pytest.raises(ParameterError, match=message):
        run(clip, project, "again")


def _write_checkpoint(folder: Path, project: Path, size: int) -> None:
    learned = Tokenizer.from_file(str(project / "data/clip/tokenizer.json"))
    words = PreTrainedTokenizerFast(tokenizer_object=learned, bos_token=START, eos_token=END, pad_token=PAD)
    words.save_pretrained(folder)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**tower, "vocab_size": learned.get_vocab_size(), "max_position_embeddings": 10}
    text["eos_token_id"] = words.eos_token_id
    vision = {**tower, "image_size": size, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)


def _start_from(project: Path, checkpoint: Path) -> None:
    scale = project / "scales/smoke.yaml"
    own = ("  image:", "  text:", "  projection_dim:")
    lines = [line for line in scale.read_text().splitlines() if not line.startswith(own)]
    scale.write_text("\n".join(lines).replace("clip:", f"clip:\n  pretrained: {checkpoint}") + "\n")


def test_training_can_start_from_a_checkpoint(project: Path, tmp_path: Path) -> None:
    _write_checkpoint(tmp_path / "checkpoint", project, size=16)
    _start_from(project, tmp_path / "checkpoint")
    run(clip, project, "again")
    network = Clip.from_pretrained(project / "data/again")
    assert network.config.image.kind == "clip_vit"
    assert network.config.text.context_length == 10
    assert Tokenizer.from_file(str(project / "data/again/tokenizer.json")).encode("chair").ids[0] == 1


def test_a_checkpoint_for_other_images_says_which_size_it_needs(project: Path, tmp_path: Path) -> None:
    _write_checkpoint(tmp_path / "checkpoint", project, size=32)
    _start_from(project, tmp_path / "checkpoint")
    with pytest.raises(StageError, match=r"set shards\.image_size to 32"):
        run(clip, project, "again")


def test_the_tokenizer_never_sees_held_out_words(project: Path) -> None:
    path = project / "data/validated/listings.parquet"
    before = contents(project / "data/tokenizer")["tokenizer.json"]
    rows = read_rows(path)
    for row in rows:
        if split_of(row["id"], Split(validation=0.2, test=0.4)) != "train":
            row["title"] = row["description"] = "zzyzx zzyzx zzyzx"
    write_table(path, rows, TABLES["listings"])
    run(tokenizer, project, "again")
    assert contents(project / "data/again")["tokenizer.json"] == before
