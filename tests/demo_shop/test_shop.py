"""The same bytes everywhere, faults of each kind, growth that changes nothing."""

import hashlib
import io
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from demo_shop import Shop, vocabulary
from demo_shop.faults import BLOCK, LISTING_FAULTS, listing_faults
from demo_shop.images import GPS

FINGERPRINT = """
import hashlib
from demo_shop import Shop
shop = Shop(7, 60, 24)
digest = hashlib.sha256()
for number in range(0, 60, 2):
    listing = shop.listing(number)
    digest.update(listing.image.content)
    words = listing.words
    digest.update(repr((listing.facts, listing.image.scene, words.title, words.description, words.body)).encode())
    digest.update(repr((words.alt_text, words.caption, words.tags, words.seo_title, sorted(words.stated))).encode())
for rows in (shop.queries, shop.qrels, shop.conversations, shop.preferences, shop.graph.nodes, shop.graph.edges):
    digest.update(repr(rows).encode())
digest.update(repr([shop.guide_row(guide) for guide in shop.guides] + [shop.faults]).encode())
print(digest.hexdigest())
"""


def test_two_processes_give_the_same_bytes() -> None:
    prints = [
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    ]
    assert prints[0] == prints[1]
    assert len(prints[0].strip()) == 64


def test_another_seed_gives_another_shop(shop: Shop) -> None:
    other = Shop(8, 96, 24)
    same = sum(shop.image(number) == other.image(number) for number in range(10))
    assert same == 0


def test_a_larger_shop_has_the_listings_of_a_smaller_one(shop: Shop) -> None:
    larger = Shop(7, 1200, 60)
    for number in range(0, 96, 5):
        assert larger.listing(number) == shop.listing(number)
    assert [fault for fault in larger.faults if fault in shop.faults] == shop.faults
    assert larger.queries[:24] == shop.queries


@pytest.mark.parametrize("listings", [48, 96, 2400])
def test_every_kind_of_fault_is_planted(listings: int) -> None:
    faults = list(listing_faults(7, listings).values())
    assert {fault.kind for fault in faults} == set(LISTING_FAULTS)
    assert len({fault.id for fault in faults}) == len(faults)
    assert len(faults) <= max(14, listings // 40)


@given(seed=st.integers(0, 10**9), blocks=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_duplicates_repeat_an_earlier_clean_listing(seed: int, blocks: int) -> None:
    faults = listing_faults(seed, blocks * BLOCK)
    faulty = {fault.id for fault in faults.values()}
    copies = [fault for fault in faults.values() if fault.outcome == "duplicate"]
    assert len(copies) == 2 * blocks
    for fault in copies:
        assert fault.original is not None
        assert int(fault.original) < int(fault.id)
        assert fault.original not in faulty


def test_tables_other_than_listings_have_faults_too(shop: Shop) -> None:
    assert {fault.table for fault in shop.faults} == {"listings", "guides", "edges"}
    nodes = {node["id"] for node in shop.graph.nodes}
    for fault in shop.faults:
        if fault.table == "edges":
            source, target = fault.id.split(" becomes ") if " becomes " in fault.id else fault.id.split(" made_of ")
            assert not {source, target} <= nodes


def test_exact_duplicate_has_the_same_bytes_and_near_duplicate_the_same_scene(shop: Shop) -> None:
    copies = {fault.reason: fault for fault in shop.faults if fault.outcome == "duplicate"}
    for reason, fault in copies.items():
        copy, original = (shop.listing(int(name) - 100_001) for name in (fault.id, fault.original or ""))
        assert (copy.image.content == original.image.content) == (reason == "exact")
        assert copy.image.scene == original.image.scene
        assert copy.words == original.words


def test_distinct_listings_have_distinct_images(shop: Shop) -> None:
    digests = [hashlib.sha256(shop.image(number)).hexdigest() for number in range(shop.size)]
    copies = sum(fault.reason == "exact" for fault in shop.faults)
    assert len(set(digests)) == shop.size - copies


def test_every_item_and_format_occurs_and_some_exif_holds_coordinates(shop: Shop) -> None:
    listings = [shop.listing(number) for number in range(shop.size)]
    assert {listing.facts.item for listing in listings} == set(vocabulary.ITEMS)
    assert {listing.image.format for listing in listings} == {"JPEG", "PNG", "WEBP"}
    exif = [Image.open(io.BytesIO(listing.image.content)).getexif() for listing in listings]
    assert 0 < sum(GPS in tags for tags in exif) < sum(0x010F in tags for tags in exif) < shop.size


def test_ids_are_unique_and_a_number_beyond_the_shop_is_refused(shop: Shop) -> None:
    ids = [shop.listing(number).id for number in range(shop.size)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    with pytest.raises(IndexError):
        shop.listing(96)


def test_labels_are_in_the_vocabulary() -> None:
    large = Shop(7, 2400, 24)
    facts = [large.facts(number) for number in range(2400)]
    assert {fact.material for fact in facts} == set(vocabulary.MATERIALS)
    assert {fact.product_class for fact in facts} == set(vocabulary.PRODUCT_CLASSES)
    assert len(vocabulary.PRODUCT_CLASSES) == 27
    assert {fact.bin for fact in facts} == set(vocabulary.BINS)
    assert all(3 <= len(materials) <= 6 for materials in vocabulary.MATERIALS_OF.values())
