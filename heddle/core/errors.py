"""What a person can mend."""


class UserError(Exception):
    """The message says what was wrong and what to do; it is shown without a traceback."""
