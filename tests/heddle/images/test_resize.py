import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from heddle.images.resize import Fit, ImageDecodeError, decode, encode_jpeg, fit

RED, BLUE = (200, 30, 30), (30, 30, 200)


def _file(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _two_halves() -> Image.Image:
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    return image


def _close(found: tuple[int, ...] | float | None, expected: tuple[int, ...]) -> bool:
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 6 for a, b in zip(found, expected, strict=True))


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: rotate a quarter clockwise to see it upright
    image = decode(_file(_two_halves(), "JPEG", exif=exif, quality=95))
    assert image.size == (20, 40)
    assert _close(image.getpixel((10, 4)), RED)
    assert _close(image.getpixel((10, 36)), BLUE)


@pytest.mark.parametrize("size", [(1600, 800), (800, 1600), (1599, 799), (320, 240), (1000, 10), (90, 90)])
@pytest.mark.parametrize("how", ["crop", "pad"])
def test_the_reduced_decoding_of_a_jpeg_still_fills_the_square(size: tuple[int, int], how: Fit) -> None:
    content = _file(Image.new("RGB", size, RED), "JPEG")
    reduced = decode(content, 100, how)
    filling = {"crop": min, "pad": max}[how]
    assert min(100, filling(size)) <= filling(reduced.size)
    assert filling(reduced.size) < 200 + 8 or filling(size) / filling(reduced.size) >= 8  # libjpeg goes no further
    assert _close(reduced.getpixel((5, 0)), RED)
    assert decode(content).size == size


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "1", "RGBA", "LA", "YCbCr"])
def test_every_mode_becomes_rgb_of_the_same_look(mode: str) -> None:
    white = Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    image = decode(_file(white, kind))
    assert image.mode == "RGB"
    assert _close(image.getpixel((3, 3)), (255, 255, 255))


def test_cmyk_jpegs_keep_their_colour() -> None:
    image = decode(_file(Image.new("RGB", (16, 16), RED).convert("CMYK"), "JPEG", quality=95))
    assert _close(image.getpixel((8, 8)), RED)


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert decode(_file(clear)).getpixel((2, 2)) == (255, 255, 255)
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, *RED])
    palette.paste(0, (0, 0, 4, 8))
    image = decode(_file(palette, transparency=0))
    assert image.getpixel((1, 1)) == (255, 255, 255)
    assert image.getpixel((6, 6)) == RED


def test_16_bit_greys_are_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    image = np.asarray(decode(_file(Image.fromarray(values))))
    assert np.array_equal(image[..., 0].ravel(), np.arange(256))


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    content = _file(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content).getpixel((4, 4)) == RED


@pytest.mark.parametrize("content", [b"", b"<html>", _file(_two_halves(), "JPEG")[:-100], _file(_two_halves())[:60]])
def test_what_is_no_whole_image_is_refused(content: bytes) -> None:
    with pytest.raises(ImageDecodeError):
        decode(content)


def test_crop_keeps_the_middle_and_pad_keeps_everything() -> None:
    wide = _two_halves()
    wide.paste((0, 255, 0), (0, 0, 5, 20))
    cropped, padded = fit(wide, 20, "crop"), fit(wide, 20, "pad")
    assert cropped.size == padded.size == (20, 20)
    colours = {pixel for _, pixel in cropped.getcolors(400) or []}
    assert (0, 255, 0) not in colours
    assert _close(padded.getpixel((0, 10)), (0, 255, 0))
    assert padded.getpixel((10, 1)) == (255, 255, 255)


def test_equal_images_give_equal_bytes_without_metadata() -> None:
    tagged = _two_halves()
    tagged.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tagged.info["comment"] = b"secret"
    assert encode_jpeg(tagged, 90) == encode_jpeg(_two_halves(), 90)
