"""Classify images of every kind, and check the errors of missing files and models."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heddle.images.image_file import read_image
from heddle.inference.classify import ClassifyError, classify
from lightning_modules.product.classifier import ProductClassifier
from lightning_modules.vision.classifier import VisionClassifier
from tests.support.small_classifiers import NO_PRODUCT, NO_VISION
from tests.support.small_project import write_project

TEXT = "oak chair number 7"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("classify") / "project") / "data"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Neither model could be trained."""
    return write_project(tmp_path_factory.mktemp("classify") / "bare", bare=True) / "data"


@pytest.fixture(scope="module")
def image(data: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(data / "query.png")
    return data / "query.png"


def test_classify_sorts_probabilities_of_both_models(data: Path, image: Path) -> None:
    found = classify(image, TEXT, data)
    assert found.missing == ()
    assert found.skipped == {}
    square = read_image(image, 16, "pad")
    vision = VisionClassifier.from_pretrained(data / "vision", threads=1)
    assert list(found.labels["vision"]) == ["item", "material"]
    for head, probabilities in vision.probabilities([square]).items():
        labels = found.labels["vision"][head]
        assert list(labels.values()) == sorted(labels.values(), reverse=True)
        assert [labels[name] for name in vision.config.heads[head]] == pytest.approx(
            probabilities[0].tolist(), abs=1e-6
        )
    product = ProductClassifier.from_pretrained(data / "product", threads=1)
    (expected,) = product.probabilities([(square, {"title": TEXT})])
    classes = found.labels["product"]["product_class"]
    assert [classes[name] for name in product.config.classes] == pytest.approx(expected.tolist(), abs=1e-6)
    assert sum(classes.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_classify_without_text_reports_missing_words(data: Path, image: Path, text: str | None) -> None:
    found = classify(image, text, data)
    assert found.missing == ("text",)
    product = ProductClassifier.from_pretrained(data / "product", threads=1)
    (expected,) = product.probabilities([(read_image(image, 16, "pad"), {"title": TEXT})], without=["text"])
    classes = found.labels["product"]["product_class"]
    assert [classes[name] for name in product.config.classes] == pytest.approx(expected.tolist(), abs=1e-6)


def _gif() -> bytes:
    frames = [Image.new("P", (20, 20), shade) for shade in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _file(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


RAMP = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
IMAGES: dict[str, Callable[[], bytes]] = {
    "greyscale": lambda: _file(Image.new("L", (20, 30), 90), "PNG"),
    "CMYK": lambda: _file(Image.new("CMYK", (20, 30), (10, 200, 0, 30)), "JPEG"),
    "palette": lambda: _file(Image.new("RGB", (20, 30), (9, 200, 3)).quantize(4), "PNG"),
    "16-bit": lambda: _file(Image.fromarray(RAMP), "PNG"),
    "transparent": lambda: _file(Image.new("RGBA", (20, 30), (9, 200, 3, 90)), "PNG"),
    "animated": _gif,
    "1x1": lambda: _file(Image.new("RGB", (1, 1), (9, 200, 3)), "PNG"),
    "long and thin": lambda: _file(Image.new("RGB", (900, 2), (9, 200, 3)), "JPEG"),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_classify_accepts_every_kind_of_image(data: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "image"
    path.write_bytes(IMAGES[kind]())
    found = classify(path, TEXT, data)
    for heads in found.labels.values():
        for probabilities in heads.values():
            assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_read_image_scales_16_bit_and_takes_first_frame(tmp_path: Path) -> None:
    (tmp_path / "ramp.png").write_bytes(IMAGES["16-bit"]())
    square = read_image(tmp_path / "ramp.png", 32, "crop")
    np.testing.assert_allclose(square[..., 0], RAMP / 257, atol=1)
    (tmp_path / "frames.gif").write_bytes(_gif())
    with Image.open(tmp_path / "frames.gif") as frames:
        first = np.asarray(frames.convert("RGB"))
    np.testing.assert_array_equal(read_image(tmp_path / "frames.gif", 20, "crop"), first)


def test_classify_unreadable_file_raises(data: Path, image: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(image.read_bytes()[:-900])
    with pytest.raises(ClassifyError, match=r"broken\.png: not an image that can be read"):
        classify(tmp_path / "broken.png", data=data)
    (tmp_path / "notes.jpg").write_text("no image at all")
    with pytest.raises(ClassifyError, match=r"notes\.jpg: not an image that can be read: unknown image format"):
        classify(tmp_path / "notes.jpg", data=data)
    with pytest.raises(ClassifyError, match=r"absent\.jpg: no such file"):
        classify(tmp_path / "absent.jpg", data=data)
    with pytest.raises(ClassifyError, match="a folder, not an image"):
        classify(tmp_path, data=data)


def test_classify_before_training_names_the_remedy(data: Path, image: Path, tmp_path: Path) -> None:
    with pytest.raises(ClassifyError, match=r"vision lacks config\.json, model\.safetensors: run `heddle run`"):
        classify(image, data=tmp_path)
    shutil.copytree(data / "vision", tmp_path / "vision")
    with pytest.raises(ClassifyError, match=r"product lacks config\.json, model\.safetensors: run `heddle run`"):
        classify(image, data=tmp_path)


def test_classify_reports_skipped_models(data: Path, bare: Path, image: Path) -> None:
    found = classify(image, data=bare)
    assert found.labels == {}
    assert found.skipped == {"vision": NO_VISION, "product": NO_PRODUCT}
    half = bare.parent / "half"
    shutil.copytree(data / "vision", half / "vision")
    shutil.copytree(bare / "product", half / "product")
    found = classify(image, data=half)
    assert list(found.labels) == ["vision"]
    assert found.skipped == {"product": NO_PRODUCT}
