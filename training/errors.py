"""Every way a training command can fail, with its exit code; the same codes as ``winnow`` has elsewhere, and 75."""

STOPPED = 75
"""Exit code: stopped by a signal after a whole checkpoint; the same command goes on (EX_TEMPFAIL of sysexits.h)."""


class TrainingError(Exception):
    """Something a user can act on: what was expected, what was found, what to do, in one line. Exit code 1."""

    exit_code = 1


class RunRefused(TrainingError):
    """The command, its settings, its data or its model cannot be used as they are. Nothing was started."""

    exit_code = 2
