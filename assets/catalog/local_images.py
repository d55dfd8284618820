"""Local images that records name. A record must not make the stage read other files of this machine."""

from collections.abc import Sequence
from pathlib import Path

from assets.catalog.images import ImageRejectedError

UNRESOLVABLE = (ValueError, OSError, RuntimeError)
"""Errors of `Path.resolve` for a name with a null character, a name that is too long, and circular links."""


class ImageFolders:
    """The folders in which the images of one source must be.

    Args:
        folders: relative names are looked up in the first one.
        outside: allow every file that this user can read.
    """

    def __init__(self, folders: Sequence[Path], outside: bool = False) -> None:
        self._folders = folders
        self._outside = outside

    def locate(self, name: str) -> Path:
        """Return the path of a record's image. Links are resolved on both sides, so a linked folder can be a source.

        Raises:
            ImageRejectedError: the name is no path (`image_missing`), or the file is outside (`image_outside`). The
                message does not show whether a file outside exists.
        """
        path = self._folders[0] / name
        try:
            target = path.resolve()
            is_inside = any(target.is_relative_to(folder.resolve()) for folder in self._folders)
        except UNRESOLVABLE as error:
            raise ImageRejectedError("image_missing", f"{name[:200]!r} is no path of a file") from error
        if not is_inside and not self._outside:
            raise ImageRejectedError("image_outside", f"{name[:200]!r} is outside of the source's folder")
        return path
