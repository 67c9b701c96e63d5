"""Every way a command can fail, with its exit code: 2 usage or config, 3 input, 4 a gate, 5 a damaged lake, 1 other."""


class WinnowError(Exception):
    """Something a user can act on. The message is one line: what was expected, what was found, what to do."""

    exit_code = 1


class UsageError(WinnowError):
    """A wrong command line, setting, name or place."""

    exit_code = 2


class InputUnreadable(WinnowError):
    """The input is missing, empty, or (with ``--strict``) partly unreadable."""

    exit_code = 3


class GateFailed(WinnowError):
    """A quality gate of the recipe does not hold; nothing was published."""

    exit_code = 4


class LakeDamaged(WinnowError):
    """The lake's tables cannot be read or contradict each other."""

    exit_code = 5
