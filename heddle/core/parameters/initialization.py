"""One check for every model that starts either from a checkpoint or from scratch."""

from collections.abc import Mapping


def check_single_init(pretrained: str | None, scratch: Mapping[str, object]) -> None:
    """Check that exactly one start of a model is given: a checkpoint or a from-scratch config.

    Args:
        pretrained: value of the key ``pretrained``; None if it is not given.
        scratch: keys of the from-scratch config with their values. A start from scratch needs all of them.

    Raises:
        ValueError: both are given, or neither is complete.
    """
    given = [key for key, value in scratch.items() if value is not None]
    if pretrained is not None and given:
        raise ValueError(f"found pretrained and {_joined(given)}; the checkpoint brings its own: remove one of the two")
    if pretrained is None and len(given) < len(scratch):
        raise ValueError(f"give either pretrained or {_joined(list(scratch))}")


def _joined(keys: list[str]) -> str:
    return " and ".join([", ".join(keys[:-1]), keys[-1]]) if len(keys) > 1 else keys[0]
