"""A real WordPress for tests: Debian's package under PHP's built-in server, its data in a MariaDB of its own."""

from tests.support.wordpress.site import Site, require_wordpress, wordpress_site

__all__ = ["Site", "require_wordpress", "wordpress_site"]
