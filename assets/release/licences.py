"""Normalise the licences that sources state to SPDX identifiers (https://spdx.org/licenses/).

The catalogue keeps the words of the source, which are evidence. Cards and lineage count licences, so they need one name
for one licence. A longer table of names changes cards only, and no table of the catalogue.
"""

import re

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

LONGEST = 200
"""Characters of the longest text that can be an SPDX expression."""
URL = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/([\d.]+)/?(?:deed.*|legalcode.*)?"
)
SHORT_NAME = re.compile(
    r"(?:cc|creative commons)[ -](by(?:[ -](?:nc|nd|sa))*)[ -]v?(\d\.\d)(?: international| unported)?"
)
LICENCE_PAGE = re.compile(r"(?:spdx\.org|opensource\.org)/licenses?/([a-z0-9.+-]+?)(?:\.html|/)?")
NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "apache.org/licenses/license-2.0.html": "Apache-2.0",
    "apache.org/licenses/license-2.0.txt": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "cc0": "CC0-1.0",
    "cc0 1.0": "CC0-1.0",
    "mit license": "MIT",
    "the mit license": "MIT",
}
PUBLIC_DOMAIN = {"zero": "CC0", "mark": "CC-PDM"}
HUB_LICENCES = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc
cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0
cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl
osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 gemma
unknown openrail++ h-research intel-research apple-ascl apple-amlr deepfloyd-if-license llama4
"""
"""Values of `license` that the Hub accepts, apart from `other`: https://huggingface.co/docs/hub/repositories-licenses."""


def normalize_licence(stated: str) -> str:
    """Return the SPDX expression of a licence that a source states as an expression, a name or a URL.

    Other texts are returned without the spaces around them.
    """
    name = URL.sub("", stated.strip()).lower()
    found = NAMES.get(name.rstrip("/"), stated.strip())
    if match := CREATIVE_COMMONS.fullmatch(name):
        found = f"{PUBLIC_DOMAIN.get(match[1], f'CC-{match[1]}')}-{match[2]}"
    elif match := SHORT_NAME.fullmatch(name):
        found = f"CC-{match[1].replace(' ', '-')}-{match[2]}"
    elif match := LICENCE_PAGE.fullmatch(name):
        found = match[1]
    if len(found) > LONGEST:
        return stated.strip()
    try:
        return canonicalize_license_expression(found)
    except InvalidLicenseExpression:
        return stated.strip()


def hub_licence(stated: str) -> dict[str, str]:
    """Return the entries of a Hugging Face model card for a licence: `license`, and `license_name` if it is `other`."""
    licence = normalize_licence(stated)
    if licence.lower() in HUB_LICENCES.split():
        return {"license": licence.lower()}
    return {"license": "other", "license_name": licence}
