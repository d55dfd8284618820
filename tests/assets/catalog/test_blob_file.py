"""Images' bytes on disk: what is put is what is read, whoever else writes into the folder."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.blob_file import AppendOnlyBlobFile
from heddle.images.originals import Original


@given(contents=st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=300)), max_size=20))
def test_what_was_put_is_read_from_where_it_lies(tmp_path_factory: object, contents: list[tuple[int, bytes]]) -> None:
    folder = tmp_path_factory.mktemp("spool")  # type: ignore[attr-defined]
    spools = [AppendOnlyBlobFile(folder) for _ in range(3)]
    kept = [(spools[number].put(content), content) for number, content in contents]
    assert all(original.read() == content for original, content in kept)
    assert len(list(folder.iterdir())) == 3


def test_a_whole_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"bytes")
    assert Original.whole(tmp_path / "image").read() == b"bytes"
