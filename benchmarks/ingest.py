"""Images a second and memory, from addresses to training tars: ``python benchmarks/ingest.py --img2dataset BIN``.

Images are served on the loopback interface, over HTTP/1.1. Heddle's stages `catalog`, `validated` and `shards` bring,
examine and re-encode them; img2dataset (its console command, in an environment of its own) brings and re-encodes them.
Both use so many requests at once, write JPEGs of one size and quality into WebDataset tars, and keep the same images.
That much is the work of `catalog` and `shards`, which also keep the originals, decode each to its end and look for
duplicates. `validated`, which checks every row with Great Expectations, has no counterpart: with it stands beside
without it. Memory is the highest sum of the proportional set sizes of all processes.
"""

import argparse
import asyncio
import csv
import multiprocessing
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
SIDES = (320, 240)  # of a served image, pixels
SIZE, QUALITY = 128, 90  # of what is written
AT_ONCE = 32  # requests
POLL = 0.25  # seconds between two looks at the memory


@dataclass(frozen=True)
class Measured:
    """What one tool needed for so many images, with checks and without; ``parts`` are seconds and MB by stage."""

    tool: str
    images: int
    written: int
    seconds: float
    megabytes: float
    with_checks: float | None = None
    parts: str = ""


def main() -> None:
    """Measure each size with both tools in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--img2dataset", metavar="BIN", help="its command; Heddle alone is measured without it")
    arguments = parser.parse_args()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw(folder / "served", max(arguments.images))
        port = served(folder / "served")
        for count in arguments.images:
            urls = [f"http://127.0.0.1:{port}/{number}.jpg" for number in range(count)]
            found.append(heddle(folder / f"heddle-{count}", urls))
            print(found[-1], flush=True)
            if arguments.img2dataset:
                found.append(img2dataset(arguments.img2dataset, folder / f"img2dataset-{count}", urls))
                print(found[-1], flush=True)
    show(found)


def draw(folder: Path, count: int) -> None:
    """Write ``count`` images that no two of which look alike."""
    folder.mkdir()
    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 256, (9, 12, 3), np.uint8)
        Image.fromarray(coarse).resize(SIDES, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=85)


def served(folder: Path) -> int:
    """Serve the folder from a process of its own that ends with this one. Returns the port."""
    here, there = multiprocessing.Pipe()
    multiprocessing.Process(target=_serve, args=(folder, there), daemon=True).start()
    return int(here.recv())


def _serve(folder: Path, told: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()) not in (b"\r\n", b""):
                    pass
                file = folder / line.split()[1].decode().lstrip("/")
                body = file.read_bytes() if file.is_file() else b""
                head = "200 OK\r\nContent-Type: image/jpeg" if body else "404 Not Found"
                writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def heddle(folder: Path, urls: Sequence[str]) -> Measured:
    """The three stages, each as the process that DVC would start."""
    (folder / "scales").mkdir(parents=True)
    shutil.copy(ROOT / "dvc.yaml", folder)
    with (folder / "listings.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "image", "title"), *((n, url, "An image") for n, url in enumerate(urls))])
    source = {"name": "shop", "kind": "table", "path": "listings.csv", "contact": "me@shop.test", "delay": 0}
    source |= {"columns": {"id": "id", "image": "image", "title": "title"}}
    source |= {"concurrency": AT_ONCE, "private_addresses": True, "retries": 0}
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["scale"], params["catalog"]["sources"] = "smoke", [source]
    params["shards"] |= {"resize_mode": "pad", "quality": QUALITY}
    yaml.dump(params, folder / "params.yaml")
    scale = yaml.load(ROOT / "scales/smoke.yaml")
    scale["shards"] |= {"image_size": SIZE, "listings_per_shard": 1_000}
    yaml.dump(scale, folder / "scales/smoke.yaml")
    parts = {
        stage: watched([sys.executable, "-m", f"assets.{stage}"], folder)
        for stage in ("catalog", "validated", "shards")
    }
    told = ", ".join(f"{stage} {seconds:.1f} s {megabytes:.0f} MB" for stage, (seconds, megabytes) in parts.items())
    total, peak = sum(seconds for seconds, _ in parts.values()), max(megabytes for _, megabytes in parts.values())
    written = _written(folder / "data/shards")
    return Measured("heddle", len(urls), written, total - parts["validated"][0], peak, total, told)


def img2dataset(command: str, folder: Path, urls: Sequence[str]) -> Measured:
    """The same images, with as many threads as Heddle has requests."""
    folder.mkdir()
    (folder / "urls.txt").write_text("\n".join(urls))
    options = {
        "url_list": "urls.txt",
        "input_format": "txt",
        "output_folder": "out",
        "output_format": "webdataset",
        "processes_count": os.cpu_count(),
        "thread_count": AT_ONCE // (os.cpu_count() or 1),
        "number_sample_per_shard": 1_000,
        "image_size": SIZE,
        "resize_mode": "border",
        "encode_quality": QUALITY,
        "compute_hash": "sha256",
        "retries": 0,
        "enable_wandb": False,
    }
    seconds, megabytes = watched([command, *(f"--{name}={value}" for name, value in options.items())], folder)
    return Measured("img2dataset", len(urls), _written(folder / "out"), seconds, megabytes)


def watched(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run a command to its end: seconds, and the highest memory of it and all below it, 10^6 bytes."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_ALBUMENTATIONS_UPDATE": "1"}
    begun = time.monotonic()
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        peak, done = [0.0], threading.Event()
        watch = threading.Thread(target=_watch, args=(psutil.Process(process.pid), peak, done.is_set))
        watch.start()
        status = process.wait()
        seconds = time.monotonic() - begun
        done.set()
        watch.join()
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}:\n{(folder / 'log.txt').read_text()[-3000:]}")
    return seconds, peak[0]


def _watch(process: psutil.Process, peak: list[float], done: Callable[[], bool]) -> None:
    while not done():
        total = 0.0
        try:
            for each in (process, *process.children(recursive=True)):
                total += each.memory_full_info().pss / 1e6
        except psutil.Error:  # one of them has just ended
            continue
        peak[0] = max(peak[0], total)
        time.sleep(POLL)


def _written(folder: Path) -> int:
    """How many images lie in the folder's tars."""
    count = 0
    for path in folder.rglob("*.tar"):
        with tarfile.open(path) as tar:
            count += sum(name.endswith(".jpg") for name in tar.getnames())
    return count


def show(found: Sequence[Measured]) -> None:
    """A table, a line for each tool and size."""
    table = Table("images", "tool", "written", "s", "images/s", "with checks", "peak MB", "by stage")
    for each in found:
        rates = [f"{each.images / seconds:.0f}" if seconds else "" for seconds in (each.seconds, each.with_checks)]
        numbers = (f"{each.seconds:.1f}", *rates, f"{each.megabytes:.0f}")
        table.add_row(f"{each.images:,}", each.tool, f"{each.written:,}", *numbers, each.parts)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
