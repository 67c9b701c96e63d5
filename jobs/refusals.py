"""Why is a record, or a whole file, not read? The reason codes that table ``quarantine`` shows."""

# Reason codes of one record (jobs/formats and jobs/reader raise them; tests/museum has a case for each).
MALFORMED_JSON = "malformed_json"
TWO_VALUES = "two_values_in_one_record"
TRAILING_GARBAGE = "trailing_garbage"
DUPLICATE_KEY = "duplicate_key"
LONE_SURROGATE = "lone_surrogate"
INVALID_UTF8 = "invalid_utf8"
CONTROL_CHARACTER = "control_character"
TOO_DEEP = "too_deep"
TOO_LARGE = "record_too_large"
MALFORMED_CSV = "malformed_csv"
WRONG_TYPE = "wrong_type"
MISSING_FIELD = "missing_field"
UNKNOWN_ROLE = "unknown_role"
EMPTY_CONVERSATION = "empty_conversation"
UNKNOWN_QUESTION = "unknown_question"
DUPLICATE_RECORD = "duplicate_record"

# Reason codes of one file: none of its records is in any table.
CORRUPT_FILE = "corrupt_file"
UNKNOWN_FORMAT = "unknown_format"
UNSUPPORTED_FILE = "unsupported_file"
DECOMPRESSION_BOMB = "decompression_bomb"
UNREADABLE_FILE = "unreadable_file"
DUPLICATE_FILE = "duplicate_file"
FILE_REASONS = (CORRUPT_FILE, UNKNOWN_FORMAT, UNSUPPORTED_FILE, DECOMPRESSION_BOMB, UNREADABLE_FILE, DUPLICATE_FILE)


class Rejected(Exception):
    """This record cannot be read: a reason code from this module, and what was expected and found."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
