"""Write Data Docs: Great Expectations' sections in our own page.

Great Expectations' own pages contain the time of the run and random element ids, and load styles, fonts and scripts
from six servers. These pages contain the same tables, depend only on the data (equal results give equal bytes), and
work offline.
"""

import html
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.render import RenderedSectionContent
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaSectionView

from heddle.core.terminal import visible

Results = Mapping[str, ExpectationSuiteValidationResult]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; color: #222 }
nav a { margin-right: .8rem } h1 { font-size: 1.5rem } h5, h6 { font-size: 1rem; margin: 1.2rem 0 .3rem }
table { border-collapse: collapse; width: 100% } td, th { border-bottom: 1px solid #ddd; padding: .3rem .5rem;
text-align: left; vertical-align: top; overflow-wrap: anywhere } th { overflow-wrap: normal }
thead[hidden] { display: none }
.badge { background: #eee; border-radius: .3rem; padding: 0 .3rem }
i.text-success::after { content: "\\2714"; color: #087f23 }
i.text-danger::after, i.fa-times::after { content: "\\2718"; color: #b00020 } i { font-style: normal }
a[data-toggle=collapse], .collapse { display: none } /* code to query the rows in pandas; the quarantine has them */
"""


class _SectionView(DefaultJinjaSectionView):
    """Numbers elements instead of using random ids."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        super().__init__()

    def generate_html_element_uuid(self, prefix: str | None = None) -> str:
        return f"{prefix or ''}{next(self._numbers)}"


def write_docs(folder: Path, results: Results, expectations: Sequence[Mapping[str, Any]]) -> None:
    """Write `<suite>.html` for each suite and `index.html`.

    Args:
        expectations: content of `expectations.json`: for each expectation its name, its bound and its counts by source.
    """
    folder.mkdir()
    for suite, result in results.items():
        (folder / f"{suite}.html").write_text(_page(suite, results, _sections(result)))
    (folder / "index.html").write_text(_page("Data Docs", results, [_summary(results), _by_source(expectations)]))


def _sections(result: ExpectationSuiteValidationResult) -> Iterable[str]:
    """Render Great Expectations' sections as HTML: an overview, then one for each column."""
    result.meta = {"great_expectations_version": result.meta["great_expectations_version"]}  # without load times
    for each in result.results:
        each.result = _escape(each.result)
    document = ValidationResultsPageRenderer().render(result)
    overview, *columns = document.sections
    view = _SectionView()
    # The first block links to a page that we do not write, and the last describes the run; the second has statistics.
    yield _section(view, RenderedSectionContent(content_blocks=overview.content_blocks[1:2]), 1)
    for number, section in enumerate(columns, 2):
        yield _section(view, section, number)


def _escape(value: Any) -> Any:
    """Escape the ids and other values of failing rows, which Great Expectations writes into the page as they are."""
    if isinstance(value, str):
        return html.escape(visible(value))
    if isinstance(value, Mapping):
        return {key: _escape(inner) for key, inner in value.items()}
    return [_escape(inner) for inner in value] if isinstance(value, list | tuple) else value


def _section(view: _SectionView, section: RenderedSectionContent, number: int) -> str:
    rendered: str = view.render({"section": section.to_json_dict(), "section_loop": {"index": number}})
    return "\n".join(line.strip() for line in rendered.splitlines() if line.strip())


def _summary(results: Results) -> str:
    rows = [
        f"<tr><td>{_mark(result)}<td><a href='{suite}.html'>{suite}</a>"
        f"<td>{result.statistics['successful_expectations']} of {result.statistics['evaluated_expectations']}"
        for suite, result in results.items()
    ]
    return f"<table><tr><th>Status<th>Suite<th>Passed expectations{''.join(rows)}</table>"


def _by_source(expectations: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"<tr><td>{html.escape(source)}<td>{each['suite']}: {each['name']}"
        f"<td>{rate['failed']:,} of {rate['evaluated']:,} ({rate['failed'] / rate['evaluated']:.1%})"
        f"<td>{each['bound']:.1%}"
        for each in expectations
        for source, rate in each["sources"].items()
    ]
    head = "<h6>Failing rows by source</h6>"
    if not rows:
        return f"{head}<p>None."
    return f"{head}<table><tr><th>Source<th>Expectation<th>Failing rows<th>Allowed{''.join(sorted(rows))}</table>"


def _mark(result: ExpectationSuiteValidationResult) -> str:
    return f"<i class='text-{'success' if result.success else 'danger'}'></i>"


def _page(title: str, suites: Iterable[str], body: Iterable[str]) -> str:
    links = "".join(f"<a href='{name}.html'>{name}</a>" for name in ("index", *suites))
    return (
        f"<!DOCTYPE html>\n<html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<style>{_STYLE}</style>\n<nav>{links}</nav>\n<h1>{html.escape(title)}</h1>\n" + "\n".join(body) + "\n"
    )
