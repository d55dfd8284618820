"""Run the stage `catalog` over a site, each time in a new process."""

from pathlib import Path

from tests.support.wordpress.site import Site
from tests.support.wordpress_site import run

PASSWORD = "SITE_PASSWORD"
SEO = "fields: {seo_title: meta.seo_title, seo_description: meta.seo_description}"
AS_OWNER = ("username: owner", f"application_password_env: {PASSWORD}")


def source(site: Site, *settings: str) -> str:
    """The YAML of a source `shop`, with further lines of parameters."""
    near = ("private_addresses: true",)  # the site is on this machine
    lines = (f"url: {site.url}", "contact: owner@shop.test", "delay: 0", "per_page: 100", "back_off: 0.01")
    return "\n      ".join(["- name: shop", "  kind: wordpress", *(f"  {line}" for line in (*lines, *near, *settings))])


def crawl(folder: Path, site: Site, *settings: str, **environment: str) -> None:
    """Run the stage in ``folder``, with the caches of earlier runs there."""
    folder.mkdir(exist_ok=True)
    done = run(folder, source(site, *settings), **{PASSWORD: site.password} | environment)
    assert done.returncode == 0, done.stderr
