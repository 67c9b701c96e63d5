"""Real text made unreadable, in the ways that logs are: so that it can be counted how much of it is found.

Each way takes a text and a random number generator; the same generator state gives the same text.
"""

from collections.abc import Callable
from random import Random


def shuffled(text: str, random: Random) -> str:
    """The same letters in another order; everything else stays."""
    letters = [character for character in text if character.isalpha()]
    random.shuffle(letters)
    left = iter(letters)
    return "".join(next(left) if character.isalpha() else character for character in text)


def mashed(text: str, random: Random) -> str:
    """Words of the same lengths from the middle and upper rows of a keyboard."""
    return "".join(random.choice("asdfghjklqwertyuiop") if character.isalpha() else character for character in text)


def misread(text: str, _: Random) -> str:
    """The bytes read in a charset they are not in, where that cannot be undone."""
    return text.encode().decode("utf-16-le" if text.isascii() else "gb18030", "replace")


def blotted(text: str, random: Random) -> str:
    """A third of the characters lost to U+FFFD."""
    return "".join("\ufffd" if random.random() < 1 / 3 else character for character in text)


def shifted(text: str, _: Random) -> str:
    """Every letter three places on in its alphabet's code points, as a broken font map does."""
    return "".join(
        chr(ord(character) + 3) if character.isalpha() and ord(character) < 0xFFF0 else character for character in text
    )


WAYS: dict[str, Callable[[str, Random], str]] = {
    "shuffled": shuffled,
    "mashed": mashed,
    "misread": misread,
    "blotted": blotted,
    "shifted": shifted,
}
"""All ways by name."""
