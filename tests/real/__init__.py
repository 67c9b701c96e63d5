"""On real chat data, where WINNOW_REAL_DATA names it."""
