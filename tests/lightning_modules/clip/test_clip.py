import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from safetensors import safe_open
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

from assets.clip.train.parameters import ClipParameters
from heddle.core.parameters.section import read_yaml
from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig, TextTower
from lightning_modules.clip.hub import load_clip
from lightning_modules.clip.pairs import encode_texts
from lightning_modules.image.config import CLIP_MEAN, CLIP_STD, ClipVitTower, ImageTower, ResNetTower

ROOT = Path(__file__).parents[3]
TEXT = TextTower(context_length=8, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32, activation="gelu")
RESNET = ResNetTower(kind="resnet", layer_type="basic", embedding_size=8, hidden_sizes=(8, 16), depths=(1, 1))
VIT = ClipVitTower(
    kind="clip_vit", patch_size=8, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32, activation="gelu"
)


def _config(image: ImageTower, text: TextTower = TEXT, **changes: object) -> ClipConfig:
    fields = {
        "projection_dim": 12,
        "image_size": 16,
        "resize_mode": "pad",
        "vocab_size": 40,
        "pad_token": 0,
        "end_token": 2,
    }
    fields |= {"image_mean": CLIP_MEAN, "image_std": CLIP_STD}
    return TypeAdapter(ClipConfig).validate_python({"image": image, "text": text, **fields, **changes})


def test_the_documents_size_has_151_million_parameters() -> None:
    parameters = ClipParameters.model_validate(read_yaml(ROOT / "params.yaml").get("clip", {}) | _seed_section())
    assert parameters.image is not None
    assert parameters.text is not None
    with torch.device("meta"):
        network = Clip(
            _config(
                parameters.image,
                parameters.text,
                projection_dim=parameters.projection_dim,
                image_size=224,
                vocab_size=49_408,
            )
        )
    assert (parameters.projection_dim, parameters.text.num_layers, parameters.text.context_length) == (512, 12, 77)
    assert network.count_parameters() == pytest.approx(151_000_000, abs=1_000_000)


def _seed_section() -> dict:
    section: dict = read_yaml(ROOT / "scales/seed.yaml")["clip"]
    return section


def test_the_documents_residual_tower_is_resnet_50() -> None:
    tower = ResNetTower(
        kind="resnet",
        layer_type="bottleneck",
        embedding_size=64,
        hidden_sizes=(256, 512, 1024, 2048),
        depths=(3, 4, 6, 3),
    )
    with torch.device("meta"):
        image = Clip(_config(tower, image_size=224)).image
    # He et al. 2016: 25,557,032 with the classifier of 2048 x 1000 weights and 1000 biases.
    assert sum(parameter.numel() for parameter in image.parameters()) == 25_557_032 - 2_049_000


@pytest.mark.parametrize(
    "tower",
    [RESNET, VIT],
    ids=["resnet", "clip_vit"],
)
def test_a_saved_network_is_the_same_network(tower: ImageTower, tmp_path: Path) -> None:
    network = Clip(_config(tower)).eval()
    network.save_pretrained(tmp_path / "first")
    again = Clip.from_pretrained(tmp_path / "first")
    again.save_pretrained(tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    pixels = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    tokens = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0], [1, 2, 0, 0]])
    assert torch.equal(again.encode_image(pixels), network.encode_image(pixels))
    assert torch.equal(again.encode_text(tokens), network.encode_text(tokens))
    assert not again.training
    with safe_open(tmp_path / "first/model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_padding_and_what_follows_the_end_change_nothing() -> None:
    network = Clip(_config(RESNET)).eval()
    short = network.encode_text(torch.tensor([[1, 5, 6, 2]]))
    long = network.encode_text(torch.tensor([[1, 5, 6, 2, 0, 0, 9, 2]]))
    torch.testing.assert_close(short, long, atol=1e-6, rtol=0)
    torch.testing.assert_close(short.norm(dim=-1), torch.ones(1))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    Clip(_config(RESNET)).save_pretrained(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(content | {"architecture": "Vision"}))
    with pytest.raises(ValueError, match="found architecture 'Vision', expected 'Clip'"):
        Clip.from_pretrained(tmp_path)


def _checkpoint(folder: Path, legacy_end: bool) -> CLIPModel:
    """A tiny checkpoint as the hub would have it; old ones name token 2 as the end, whatever their tokenizer says."""
    learned = Tokenizer(models.BPE(unk_token="<|end|>"))
    learned.pre_tokenizer = pre_tokenizers.Whitespace()
    learned.train_from_iterator(["a red chair", "a blue jar"], trainers.BpeTrainer(vocab_size=60))
    learned.add_special_tokens(["<|start|>", "<|end|>"])
    start, end = learned.token_to_id("<|start|>"), learned.token_to_id("<|end|>")
    learned.post_processor = processors.TemplateProcessing(
        single="<|start|> $A <|end|>", special_tokens=[("<|start|>", start), ("<|end|>", end)]
    )
    words = PreTrainedTokenizerFast(tokenizer_object=learned, eos_token="<|end|>", pad_token="<|end|>")
    words.save_pretrained(folder)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={
            **tower,
            "vocab_size": end + 1,
            "max_position_embeddings": 10,
            "eos_token_id": 2 if legacy_end else end,
            "bos_token_id": start,
        },
        vision_config={**tower, "image_size": 16, "patch_size": 8},
        projection_dim=12,
    )
    torch.manual_seed(3)
    model = CLIPModel(config).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("legacy_end", [False, True])
def test_a_hub_checkpoint_gives_transformers_own_likenesses(tmp_path: Path, legacy_end: bool) -> None:
    theirs = _checkpoint(tmp_path, legacy_end)
    ours, tokenizer = load_clip(str(tmp_path), "crop")
    assert all(module.training for module in ours.modules())
    tokens = encode_texts(tokenizer, ["a red chair", "jar"])
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16), dtype=np.uint8))
    mean, std = torch.tensor(CLIP_MEAN)[:, None, None], torch.tensor(CLIP_STD)[:, None, None]
    expected = theirs(input_ids=tokens, pixel_values=(pixels / 255 - mean) / std).logits_per_image
    found = ours.scale() * ours.encode_image(pixels) @ ours.encode_text(tokens).T
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert ours.count_parameters() == theirs.num_parameters()


def test_a_missing_checkpoint_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="missing"):
        load_clip(str(tmp_path / "missing"), "crop")
