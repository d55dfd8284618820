"""Errors in the parameters name file, key, what was found and what is allowed."""

from pathlib import Path

import pytest

from assets.clip.train.parameters import ClipParameters
from heddle.core.parameters.section import ParameterError, load, read_yaml
from heddle.core.parameters.shared import Split, read_seed
from heddle.publishing.parameters import PublishedContentParameters
from heddle.sources.parameters import CatalogParameters
from heddle.stores.parameters import PublishedIndexParameters


@pytest.fixture
def project(tmp_path):
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/small.yaml").write_text("clip: {}\n")

    def write(params: str, scale: str = "clip: {}\n"):
        (tmp_path / "params.yaml").write_text(f"scale: small\n{params}\n")
        (tmp_path / "scales/small.yaml").write_text(scale)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("section", "name", "params", "parts"),
    [
        (
            Split,
            "split",
            "split: {validation: 0.1, test: 0.1, tset: 1}",
            ["split.tset: unknown key; allowed: test, val"],
        ),
        (
            PublishedContentParameters,
            "published_content",
            "published_content: {posts: all}",
            ["published_content.source: missing"],
        ),
        (
            Split,
            "split",
            "split: {validation: 0.6, test: 0.6}",
            ["split: validation + test must leave a share for training"],
        ),
        (Split, "split", "split: much", ["split: found 'much', expected a mapping"]),
        (
            CatalogParameters,
            "catalog",
            "catalog: {sources: [{name: a, kind: table, path: a.csv, columns: {id: id}, colums: 1}]}",
            ["catalog.sources.0.table.colums: unknown key; allowed:", "columns", "path"],
        ),
        (
            CatalogParameters,
            "catalog",
            "catalog: {sources: [{name: a, kind: ftp}]}",
            ["'ftp'", "'wordpress', 'demo', 'table'"],
        ),
        (
            PublishedIndexParameters,
            "published_index",
            "published_index: {store: {kind: qdrant}}",
            ["published_index.store: ", "'qdrant'", "'lancedb', 'weaviate'"],
        ),
        (
            PublishedIndexParameters,
            "published_index",
            "published_index: {store: {kind: weaviate, host: 'http://shop.example:8080'}}",
            ["published_index.store.weaviate.host: found 'http://shop.example:8080'"],
        ),
        (
            PublishedIndexParameters,
            "published_index",
            "published_index: {store: {kind: weaviate, host: '[::1]', port: 9, grpc_port: 9}}",
            ["port and grpc_port must differ"],
        ),
        (
            PublishedIndexParameters,
            "published_index",
            "published_index: {store: {kind: weaviate, host: shop.example, api_key: x}}",
            ["published_index.store.weaviate.api_key: unknown key; allowed: api_key_env, batch_size"],
        ),
    ],
)
def test_load_wrong_value_names_file_key_and_allowed(project, section, name, params, parts):
    root = project(params)
    with pytest.raises(ParameterError) as caught:
        load(name, section, root)
    for part in [str(root), *parts]:
        assert part in str(caught.value)


def test_password_in_a_url_is_refused_and_not_quoted(project):
    url = "http://me:hush@a.test"
    root = project(f"catalog: {{sources: [{{name: a, kind: sitemap, url: '{url}', contact: a@b.test}}]}}")
    with pytest.raises(ParameterError, match=r"catalog\.sources\.0\.sitemap\.url: contains a user") as caught:
        load("catalog", CatalogParameters, root)
    assert "hush" not in str(caught.value)


def test_load_unknown_nested_key_lists_keys_of_its_block(project):
    root = project("", "clip: {trainer: {max_epoch: 3}}\n")
    with pytest.raises(ParameterError, match=r"clip\.trainer\.max_epoch: unknown key; allowed: .*max_epochs") as caught:
        load("clip", ClipParameters, root)
    line = next(line for line in str(caught.value).splitlines() if "max_epoch:" in line)
    assert "learning_rate" not in line


def test_load_key_in_both_files_is_refused(project):
    root = project("split: {validation: 0.1, test: 0.1}", "split: {test: 0.2}\n")
    with pytest.raises(ParameterError, match=r"split\.test: also in .*params\.yaml; keep one"):
        load("split", Split, root)


def test_load_reads_exponents_as_yaml_1_2_numbers(project):
    assert load("split", Split, project("split: {validation: 1e-1, test: 2e-1}")).validation == 0.1


@pytest.mark.parametrize("seed", ["-1", "many", "true", "1.5"])
def test_read_seed_wrong_value_is_refused(project, seed):
    with pytest.raises(ParameterError, match="seed: found"):
        read_seed(project(f"seed: {seed}"))


def test_read_yaml_returns_fresh_mapping_of_current_file(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("split: {test: 0.1}")
    read_yaml(file)["split"]["test"] = 0.5
    assert read_yaml(file) == {"split": {"test": 0.1}}
    file.write_text("split: {test: 0.2}")
    assert read_yaml(file) == {"split": {"test": 0.2}}


@pytest.mark.parametrize(
    "line",
    [
        "split: 2024-02-31",
        f"split: {'9' * 5000}",
        "split: !!int many",
        "split: !!float many",
        "split: !!bool maybe",
        f"split: {'[' * 3000}{']' * 3000}",
    ],
    ids=lambda line: line[:20],
)
def test_yaml_that_its_library_cannot_construct_is_an_error_with_the_file(project, line: str) -> None:
    root = project(line)
    with pytest.raises(ParameterError, match=r"params\.yaml: not valid YAML: ."):
        load("split", Split, root)


def test_scale_with_a_name_that_no_file_can_have_is_an_error(project) -> None:
    root = project("split: {}")
    (root / "params.yaml").write_text(f"scale: {'a' * 5000}\n")
    with pytest.raises(ParameterError, match="scale may be one of: small"):
        load("split", Split, root)


def test_wrong_value_of_a_billion_elements_is_shown_in_a_few(project) -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 5)]
    for params in ("split: *a4", "split: {validation: *a4}"):
        with pytest.raises(ParameterError, match="split") as caught:
            load("split", Split, project("\n".join([*lines, params])))
        assert len(str(caught.value)) < 5_000


def test_seed_with_more_digits_than_python_converts_is_an_error(project) -> None:
    with pytest.raises(ParameterError, match="seed: found a number with too many digits, expected an integer"):
        read_seed(project(f"seed: 0x{'f' * 9000}"))


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("scale: small\nsplit:\n  test: 0.1\n  test: 0.2\n", 'line 4: duplicate key "test"'),
        ("scale: small\nsplit: {test: 0.1}\nsplit:\n  test: 0.2\n", 'line 3: duplicate key "split"'),
        ("scale: small\nsplit: [1\nseed: 2\n", "line 3: not valid YAML (expected ',' or ']', but got ':')"),
        ("scale: small\n<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> b\n", "line 2: unresolved merge conflict"),
        ("seed: \udcff", "unacceptable character #x00ff: invalid start byte"),
    ],
)
def test_read_yaml_names_mistake_on_one_line(tmp_path: Path, written: str, mistake: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes(written.encode(errors="surrogateescape"))
    with pytest.raises(ParameterError) as caught:
        read_yaml(file)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{file}: {mistake}")
    assert line.endswith("; fix the file")
