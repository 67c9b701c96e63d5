"""How a persona is addressed, and what it is told to be: names and system messages under the user's control."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from unicodedata import normalize

from udfs import passages
from udfs.repair import Options, Repair

NEVER = r"[^\x00-\x{10FFFF}]"
"""A screen that no text passes."""
_GREETINGS = (
    "hey|hi|hello|hiya|heya|yo|howdy|greetings|dear|welcome|welcome back|good (?:morning|afternoon|evening|night|day)"
    "|morning|evening|goodnight|bye|goodbye|farewell|see you|thanks|thank you|thanks a lot|thank you so much"
    "|thanks so much|sorry|please|ok|okay|yes|no|sure|well|oh|ah|wow|so|now|alright|right"
    "|hola|gracias|buenos días|buenas noches|adiós|hallo|guten (?:morgen|tag|abend)|danke|tschüss|bonjour|salut|bonsoir"
    "|merci|coucou|ciao|buongiorno|grazie|olá|oi|obrigad[oa]|bom dia|привет|здравствуй|здравствуйте|спасибо|пока"
)
_ADDRESSED = (
    "i|i'm|i've|i'll|i'd|you|you're|you've|your|we|we're|we've|we'll|let's|let|it|it's|that|that's|this|these|there"
    "|there's|they|what|what's|how|how's|why|when|where|can|could|would|will|shall|should|do|does|did|don't|are|is|am"
    "|have|has|was|were|may|might|must|please|tell|help|give|show|explain|thank|thanks|sorry|yes|no|not|if|as|my|in"
    "|for|to|maybe|perhaps|just|listen|look|wait|stop|come|think|imagine|remember|write|make|keep|try|never|always"
    "|sometimes|lately|today|recently|good|great|hello|hi|hey|since|because|but|so|well|okay|ok"
)
"""First words of a clause after "Samantha, " that speak to her; after any other word she may be the subject."""
_NAMING = (
    "named|called|name|names|is|was|are|am|i'm|sister|brother|friend|wife|husband|girlfriend|boyfriend|daughter|son"
    "|mother|father|mom|dad|aunt|cousin|niece|assistant|companion|ai|character|protagonist|persona|colleague|boss"
    "|neighbor|neighbour|teacher|partner|doctor|by|from|with|of|to|for|and|or"
)


def persona_names(options: Options) -> Repair:
    """The edit for these names: where the new name is empty, the name goes where somebody is called by it ("Hey
    Samantha, " -> "Hey, ", ", Samantha." -> "."), else every mention gets the new name.

    Code stays. A name that is a subject, an object, or one of a list stays.
    """
    if not options.names:
        return Repair(NEVER, lambda text: text)
    _check(options.names)
    removed = tuple(old for old, new in options.names if not new)
    edits = [_renaming(old, new) for old, new in options.names if new] + [_removing(removed)] * bool(removed)
    suspects = "(?i)" + "|".join(_literal(old) for old, _ in options.names)
    return Repair(suspects, lambda text: passages.edit_prose(text, lambda piece: _apply(edits, piece)))


def _apply(edits: Iterable[Callable[[str], str]], text: str) -> str:
    before = None
    while before != text:  # a name that is gone may uncover another one
        before = text
        for edit in edits:
            text = edit(text)
    return text


def _check(names: Iterable[tuple[str, str]]) -> None:
    """A name that is renamed to one that is renamed would never come to an end."""
    for old, _ in names:
        for _, new in names:
            if re.search(rf"(?<!\w){_literal(old)}(?!\w)", new, re.IGNORECASE):
                raise ValueError(f"the new name {new!r} contains {old!r}, which is renamed itself")


def _literal(name: str) -> str:
    """A pattern for the name as it is, in RE2 and in Python."""
    return re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", name)


@cache
def _renaming(old: str, new: str) -> Callable[[str], str]:
    pattern = re.compile(rf"(?<!\w){_literal(old)}(?!\w)", re.IGNORECASE)
    return lambda text: pattern.sub(lambda _: new, text)


_GREETED = re.compile(rf"(?<!\w)(?:{_GREETINGS})(,? )\Z", re.IGNORECASE)
_BEGINNING = re.compile(r"(?:\A|\n|(?<!Dr)(?<!Mr)(?<!Ms)(?<!Mrs)(?<!Prof)(?<!St)[.!?…:*\"'] )\Z")
_ADDRESS = re.compile(rf", (?=(?:{_ADDRESSED})(?!\w))", re.IGNORECASE)
_BEHIND_WORD = re.compile(r"(?<![\w'’])(\w[\w'’]*)(, )\Z")
_STOP = re.compile(r"\s*+(?:[.!?…\n]|\Z)|,")
_PAUSE = re.compile(r"\s*+(?:[,.!?…:;)~\-—–\n]|\Z)")
_GOES_ON = re.compile(r",(?! (?:i|i'm|you|we|it|that|but|so|what|how|can|could|do|please)\b)", re.IGNORECASE)
_CAPITALS = frozenset(("I", "You", "It", "That", "OK", "Yes", "No", "Well", "So"))
_NEAR = 60
"""Characters in front of a name that are looked at."""


@cache
def _removing(names: tuple[str, ...]) -> Callable[[str], str]:
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(_literal, names))})(?!\w)", re.IGNORECASE)

    def remove(text: str) -> str:
        pieces, position = [], 0
        for found in pattern.finditer(text):
            start, end = _call(text, *found.span())
            if start < end and start >= position:
                is_begun = start == found.start()  # what follows begins the sentence now
                pieces += [text[position:start], text[end].upper() if is_begun else ""]
                position = end + is_begun
        return "".join([*pieces, text[position:]])

    return remove


def _call(text: str, start: int, end: int) -> tuple[int, int]:
    """What goes if the name at ``start:end`` calls somebody: it and its comma; an empty range if it does not."""
    near = max(0, start - _NEAR)
    if (greeted := _GREETED.search(text, near, start)) and _PAUSE.match(text, end):
        return greeted.start(1), end
    if (address := _ADDRESS.match(text, end)) and _BEGINNING.search(text, max(0, start - 2), start):
        return start, address.end()
    behind = _BEHIND_WORD.search(text, near, start)
    if behind and _STOP.match(text, end) and not _may_be_meant(behind[1], text, end):
        return behind.start(2), end
    return start, start


def _may_be_meant(word: str, text: str, end: int) -> bool:
    """Whether a name after this word and a comma may be told, listed or explained rather than called."""
    is_listed = word[0].isupper() and word not in _CAPITALS
    return is_listed or bool(re.fullmatch(_NAMING, word, re.IGNORECASE)) or bool(_GOES_ON.match(text, end))


def system_prompt(options: Options) -> Repair:
    """The edit of system messages: ``set`` and ``replace`` give every one the text (``set`` also where there was none,
    which the caller adds as an empty message), ``normalise`` those that say the same as ``text`` or one of ``like``.

    Two texts say the same if at least four fifths of their words are the same, whatever their order, case, punctuation
    and the words that only hold a sentence together; and if no negation, number or name is only in one of them.
    """
    asked = options.system
    if asked.mode == "keep":
        return Repair(NEVER, lambda text: text)
    if asked.mode == "normalise":
        models = [_words(model) for model in (asked.text, *asked.like)]
        return Repair(r"\S", lambda text: asked.text if any(_is_same(_words(text), one) for one in models) else text)
    return Repair("", lambda _: asked.text)


_GLUE = frozenset(
    re.findall(
        r"\S+", "a an the is are be to of and in on for with that this you you're your as will it its who please"
    )
)
_TURNING = re.compile(
    r"not?|never|without|only|cannot|don't|nicht|kein\w*|nie|pas|jamais|sans|nunca|sin|не|никогда|без|[不没無勿別别]"
    r"|\w*\d\w*|[A-Z]\w*"
)
"""Words by which a text says something else: negations, numbers, names."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’]\w+)?")


_SENTENCE_START = re.compile(r"(?:\A|[.!?:\n\"'(-])\s*\Z")


def _is_same(words: frozenset[str], others: frozenset[str]) -> bool:
    differing = words ^ others
    is_near = bool(words) and 5 * len(differing) <= len(words | others)
    return is_near and not any(_TURNING.fullmatch(word) for word in differing)


def _words(text: str) -> frozenset[str]:
    """The words that say what the text says, in lower case but for names (capitals within a sentence)."""
    text = normalize("NFKC", text).replace("’", "'")
    found = []
    for word in _WORD.finditer(text):
        is_first = _SENTENCE_START.search(text, max(0, word.start() - 4), word.start())
        found.append(word[0].casefold() if is_first or word[0].isupper() else word[0])
    words = frozenset(word if word[:1].isupper() else word.casefold() for word in found)
    return words - _GLUE or words
