"""A real WordPress for tests: Debian's package, PHP's built-in server and a MariaDB for each site."""

from tests.support.wordpress.site import Site, require_wordpress, wordpress_site

__all__ = ["Site", "require_wordpress", "wordpress_site"]
