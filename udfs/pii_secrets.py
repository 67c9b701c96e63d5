r"""Which strings open a door: keys, tokens, private keys, and logins inside URLs.

Each finder gives values first to last, in linear time: every pattern begins where a word begins, and its repetitions
are bounded or possessive.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator

from udfs.pii_values import Value

_PREFIXED = (
    "sk-[A-Za-z0-9_-]{20,200}",  # OpenAI, Anthropic, OpenRouter ...
    "(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,200}",  # Stripe
    "gh[opusr]_[A-Za-z0-9]{36,255}",  # GitHub
    "github_pat_[A-Za-z0-9_]{22,255}",
    "glpat-[A-Za-z0-9_-]{20,64}",  # GitLab
    "(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    "xox[abeprs]-[A-Za-z0-9-]{10,255}",  # Slack
    "AIza[A-Za-z0-9_-]{35}",  # Google
    "ya29\\.[A-Za-z0-9_-]{20,512}",
    "hf_[A-Za-z0-9]{30,64}",  # Hugging Face
    "npm_[A-Za-z0-9]{36}",
    "pypi-Ag[A-Za-z0-9_-]{50,512}",
    "SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{16,64}",  # SendGrid
    "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",  # Telegram
    "eyJ[A-Za-z0-9_-]{8,2000}\\.eyJ[A-Za-z0-9_-]{8,8000}\\.[A-Za-z0-9_-]{10,2000}",  # JSON Web Token, RFC 7519
)
_NAMES = (
    "(?:api|access|secret|private|auth|client|account|subscription|consumer|app|encryption)[_ -]?(?:key|token|secret)"
    "(?:[_ -]?id)?|apikey|auth[_ -]?token|bearer|token|secret"
)
KEY_SUSPECTS = (
    "sk-[A-Za-z0-9]|[srp]k_(?:live|test)_|gh[opusr]_|github_pat_|glpat-|A[KS]IA[A-Z0-9]{8}|xox[abeprs]-|AIza|ya29\\."
    "|hf_[A-Za-z0-9]{8}|npm_[A-Za-z0-9]{8}|pypi-Ag|SG\\.|:AA|eyJ|PRIVATE KEY-----"
    "|(?i:key|token|secret|bearer)(?i:[_ -]?id)?[\"'`]?[ \t]*(?::=?|=>?| )[ \t]*(?i:bearer )?[\"'`]?[A-Za-z0-9+/_-]{16}"
)
_KEY = re.compile(
    f"(?<![A-Za-z0-9_-])(?P<key>{'|'.join(_PREFIXED)})(?![A-Za-z0-9])"
    "|(?P<pem>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?P<body>(?:[^-]|-(?!----)){0,20000}+)"
    "(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?)"
    f"|(?i:{_NAMES})[\"'`]?[ \t]*(?::=?|=>?|(?<=bearer)|(?<=Bearer))[ \t]*(?i:bearer )?[\"'`]?"
    "(?P<told>[A-Za-z0-9+/_-]{16,512}+={0,2})(?![A-Za-z0-9(\\[]|\\.\\w)"
)
_PEM_BODY = re.compile("[A-Za-z0-9+/]{40}")
_MIN_BITS = 3.0
"""Entropy per character of a told key: a random hex string of 32 has about 3.7, words joined by _ have less variety
in digits, which are asked for besides."""


def keys(text: str) -> Iterator[Value]:
    """Keys known by their prefix, private keys in PEM, and random strings after ``api_key=`` and the like."""
    for found in _KEY.finditer(text):
        if found["key"] and not _is_placeholder(found["key"]):
            yield Value(found.start(), found.end(), found["key"])
        elif found["told"] and _is_random(found["told"]):
            yield Value(found.start("told"), found.end("told"), found["told"])
        elif found["pem"] and _PEM_BODY.search(found["body"]):
            yield Value(found.start(), found.end(), found["pem"])


def _is_placeholder(key: str) -> bool:
    """``sk-xxxxxxxx``, ``AKIAIOSFODNN7EXAMPLE`` is a documented example and counts; letters of one kind only do not."""
    return len(set(key[4:].lower())) < 8 or not any(character.isdigit() for character in key)


def _is_random(told: str) -> bool:
    digits = sum(character.isdigit() for character in told)
    letters = sum(character.isalpha() for character in told)
    return digits >= 3 and letters >= 3 and entropy(told) >= _MIN_BITS and not _is_placeholder(told)


def entropy(text: str) -> float:
    """Bits per character of a text, by its own frequencies (Shannon 1948); 0 of an empty one."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


LOGIN_SUSPECTS = "://[^\\s/@\"'<>]*:[^\\s/@\"'<>]+@"
_LOGIN = re.compile(
    "(?<=://)(?P<user>[^\\s/@:\"'<>`]{0,128}):(?P<secret>[^\\s/@\"'<>`]{1,256}"
    "(?:@[^\\s/@:\"'<>`,;?&=|]{1,64}(?=@)){0,4})@(?=[\\w\\[])"
)
_NO_SECRET = re.compile(
    "(?i)[$%{*(\\[]|(?:your|my|db|the|some)?[_-]?(?:user(?:name)?)?[_-]?(?:pass(?:word|wd|phrase)?|pwd|pw|secret|token)"
    "[_-]?(?:here)?[0-9]{0,3}$|x+$|[.]+$|port$|[0-9]{2,5}$"
)


def logins(text: str) -> Iterator[Value]:
    """The ``user:password`` of URLs, not placeholders such as ``user:password`` or ``$USER:$PASS``."""
    for found in _LOGIN.finditer(text):
        if not _NO_SECRET.match(found["secret"]):
            yield Value(found.start(), found.end() - 1, found[0])
