"""Licences of sources as SPDX identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.release.licences import NAMES, hub_licence, normalize_licence


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("CC0-1.0", "CC0-1.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nc-sa/2.0", "CC-BY-NC-SA-2.0"),
        ("https://www.creativecommons.org/licenses/by-sa/4.0/deed.de", "CC-BY-SA-4.0"),
        ("https://creativecommons.org/licenses/by-nd/4.0/legalcode", "CC-BY-ND-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("Creative Commons BY 4.0 International", "CC-BY-4.0"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("https://spdx.org/licenses/GPL-3.0-only.html", "GPL-3.0-only"),
        ("https://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("https://creativecommons.org/licenses/by/9.9/", "https://creativecommons.org/licenses/by/9.9/"),
        ("https://creativecommons.org/licenses/by/3.0/ge/", "https://creativecommons.org/licenses/by/3.0/ge/"),
        ("All rights reserved", "All rights reserved"),
        ("", ""),
        ("(" * 90 + "MIT", "(" * 90 + "MIT"),
        ("</td><script>alert(1)</script>", "</td><script>alert(1)</script>"),
    ],
)
def test_normalize_licence_returns_spdx_or_the_words(stated: str, expected: str) -> None:
    assert normalize_licence(stated) == expected


@given(st.text() | st.text("()AND ORWITHMIT0123.-+cby/:"))
def test_normalize_licence_is_idempotent(stated: str) -> None:
    once = normalize_licence(stated)
    assert normalize_licence(once) == once


def test_every_name_is_lower_case_and_an_spdx_identifier() -> None:
    for name, identifier in NAMES.items():
        assert name == name.lower()
        assert normalize_licence(identifier) == identifier


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("CC BY-SA 4.0", {"license": "cc-by-sa-4.0"}),
        ("Gemma", {"license": "gemma"}),
        ("our own: ask", {"license": "other", "license_name": "our own: ask"}),
        ("mit or apache-2.0", {"license": "other", "license_name": "MIT OR Apache-2.0"}),
    ],
)
def test_hub_licence_is_an_identifier_or_other_with_a_name(stated: str, expected: dict[str, str]) -> None:
    assert hub_licence(stated) == expected
