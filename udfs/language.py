"""Which language is a message in: an ISO 639 code and how sure, or ``und``.

Prose is judged, nothing else (:mod:`udfs.prose`). A script that one language owns answers by itself. Latin, Cyrillic,
Arabic and Devanagari go by their spelling (:mod:`udfs.spelling`); where there is little of it, CLD2
(https://github.com/CLD2Owners/cld2) has a vote, and languages that chats are often in are preferred.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pycld2

from udfs import prose, scripts, spelling

UNDETERMINED = "und"

OWNERS = {
    "Greek": "el", "Armenian": "hy", "Hebrew": "he", "Bengali": "bn", "Gurmukhi": "pa", "Gujarati": "gu",
    "Oriya": "or", "Tamil": "ta", "Telugu": "te", "Kannada": "kn", "Malayalam": "ml", "Sinhala": "si",
    "Tibetan": "bo", "Georgian": "ka", "Hangul": "ko", "Ethiopic": "am", "Mongolian": "mn", "Thai": "th",
    "Lao": "lo", "Myanmar": "my", "Khmer": "km", "Han": "zh", "Kana": "ja",
}  # fmt: skip
"""The language that a script stands for. Han counts for Japanese where kana are among it."""

PHRASES = {
    "en": "hi|hello|hey|thanks|thank you|yes|yes please|please|sure|why|what|how|who are you|continue|go on"
    "|good morning|hi there|how are you|next|more|again|good|great|nice|bye",
    "es": "hola|gracias|sí|buenos días|buenas|adiós|por favor|continúa|sigue|qué|por qué|quién eres|vale",
    "fr": "bonjour|salut|merci|oui|bonsoir|continue stp|pourquoi|quoi|ça va|qui es tu|d'accord|s'il te plaît",
    "de": "hallo|danke|nein|bitte|guten tag|guten morgen|weiter|warum|wer bist du|mach weiter|ja bitte",
    "pt": "olá|oi|obrigado|obrigada|sim|não|bom dia|boa tarde|continue por favor|quem é você|tudo bem|por quê",
    "it": "ciao|grazie|sì|buongiorno|perché|chi sei|prego|come stai|va bene",
    "nl": "hoi|dank je|bedankt|waarom|wie ben je|ga door|goedemorgen|ja graag",
    "pl": "cześć|dzięki|dziękuję|dlaczego|kim jesteś|dalej|dzień dobry",
    "id": "halo|terima kasih|lanjutkan|kenapa|siapa kamu|selamat pagi|apa kabar",
    "tr": "merhaba|selam|teşekkürler|evet|hayır|devam et|neden|sen kimsin",
    "sv": "hej|tack|varför|fortsätt|vem är du|god morgon",
    "cs": "ahoj|díky|děkuji|proč|pokračuj|kdo jsi|dobrý den",
    "hu": "szia|köszönöm|igen|miért|folytasd|ki vagy te",
    "ro": "salut ce faci|mulțumesc|de ce|cine ești|bună ziua",
    "vi": "xin chào|cảm ơn|vâng|không|tại sao|tiếp tục|bạn là ai",
    "ru": "привет|спасибо|да|нет|почему|продолжай|кто ты|здравствуйте|ещё",
    "uk": "привіт|дякую|ні|чому|хто ти|продовжуй",
    "fa": "سلام|ممنون|چرا|بله|ادامه بده|تو کی هستی",
    "ar": "مرحبا|شكرا|نعم|لماذا|من أنت|أكمل|السلام عليكم",
    UNDETERMINED: "ok|okay|no|a|b|c|x|haha|hahaha|lol|hmm|hm|ツ|asd|asdf|test|bot|chatgpt|gpt|python|java",
}
"""Whole messages too short for statistics and too frequent to miss; those under ``und`` belong to no language."""

COMMON = frozenset(
    ("en", "zh", "ar", "cs", "de", "el", "es", "fa", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nl", "pl", "pt",
     "ro", "ru", "sv", "tr", "uk", "vi")
)  # fmt: skip
"""Chat logs are mostly in these: what little text could be one of them or another language is taken for them."""

ENOUGH = 2000
"""Characters of prose that are looked at, from the start: more do not change the answer, and a book would be slow."""

LITTLE = 60
"""Letters below which CLD2 and the commonness of languages have a say beside the spelling, the more the fewer."""
VOTE = 3.0
"""What CLD2's reliable answer adds to the log-likelihood of a language, in a text of 30 letters or fewer."""
BONUS = 3.0
"""What being among :data:`COMMON` adds, in a text of 30 letters or fewer."""

_CODES = {"iw": "he", "jw": "jv", "nb": "no", "nn": "no", "un": UNDETERMINED, "xxx": UNDETERMINED, "zh-Hant": "zh"}
_WEIGHTS = np.array([0.0, 1.0, *(1.0 + (name == "Hangul") for name in scripts.SPACED), *[2.5] * len(scripts.UNSPACED)])
"""Latin letters' worth of one letter of each script: a Chinese character says as much as two or three letters."""
_LATIN_LETTERS = re.compile("[A-Za-z]+")
_NO_WORD = re.compile(r"\W+")


class Verdict(NamedTuple):
    """Languages (string array of ISO 639 codes, ``und`` for none) and confidences in 0..1 (float64), one per text.

    ``guesses``: the codes, and where these are ``und`` what is at least half as sure as was asked.
    """

    codes: pa.Array
    confidences: np.ndarray
    guesses: pa.Array


def detect(texts: pa.Array, min_confidence: float) -> Verdict:
    """The language of each text. A guess less sure than ``min_confidence`` is ``und`` and keeps its confidence.

    A confidence is the likelihood of the language among those that the script is shared by.
    """
    running = pc.utf8_slice_codeunits(prose.keep(texts), 0, ENOUGH)
    script, confidences, letters = _dominant_scripts(running)
    codes = np.array([OWNERS.get(name, UNDETERMINED) for name in scripts.NAMES], dtype=object)[script]
    phrases = _phrases_of(running)
    known = phrases != ""
    codes[known], confidences[known] = phrases[known], np.where(phrases[known] == UNDETERMINED, 0.0, 1.0)
    open_rows = np.flatnonzero((codes == UNDETERMINED) & ~known & (letters > 0))
    is_latin = script[open_rows] == scripts.index("Latin")
    codes[open_rows], confidences[open_rows] = _guess(running.take(pa.array(open_rows)), is_latin, letters[open_rows])
    lengths = np.asarray(pc.utf8_length(pc.fill_null(texts, "")), dtype=np.int64)
    confidences[(codes == "en") & ~known & (letters < 0.25 * np.minimum(lengths, ENOUGH))] *= 0.5  # what code leaves
    sure, likely = (np.where(confidences < bar, UNDETERMINED, codes) for bar in (min_confidence, min_confidence / 2))
    return Verdict(pa.array(sure, pa.string()), confidences, pa.array(likely, pa.string()))


def of_conversations(verdict: Verdict, lengths: np.ndarray, is_user: np.ndarray, offsets: np.ndarray) -> pa.Array:
    """The language most characters of the user are in; of all messages, where the user's have no language.

    Where no message has one, guesses count: two unsure messages that agree are surer than one. All arguments but
    ``offsets`` are per message, ``lengths`` in characters (0: does not count); conversation ``i`` is messages
    ``offsets[i]:offsets[i+1]``. ``und`` is left where nothing was guessed.
    """
    winners = _most(verdict.codes, lengths * is_user, offsets)
    for codes in (verdict.codes, verdict.guesses):
        winners = np.where(winners == UNDETERMINED, _most(codes, lengths, offsets), winners)
    return pa.array(winners, pa.string())


def _most(codes: pa.Array, lengths: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The code of most characters of each conversation; of equals the one that sorts first. ``und`` does not count."""
    names, numbers = np.unique(np.array(codes.to_pylist(), dtype=str), return_inverse=True)
    votes = np.flatnonzero((lengths > 0) & (names[numbers] != UNDETERMINED))
    winners = np.full(len(offsets) - 1, UNDETERMINED, dtype=object)
    if len(votes):
        owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        pairs, slots = np.unique(owner[votes] * len(names) + numbers[votes], return_inverse=True)
        conversation, code = np.divmod(pairs, len(names))
        order = np.lexsort((code, -np.bincount(slots, weights=lengths[votes]), conversation))
        first = np.unique(conversation[order], return_index=True)[1]
        winners[conversation[order][first]] = names[code[order][first]]
    return winners


def _dominant_scripts(texts: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per text: the script (a column of ``scripts.NAMES``) most of it is in, the share of that script, the letters.

    Long texts of nearly one byte a character are Latin without counting; for them letters is the characters.
    """
    characters = np.asarray(pc.utf8_length(texts), dtype=np.int64)
    script = np.full(len(texts), scripts.index("Latin"))
    share, letters = np.ones(len(texts)), characters.copy()
    counted = np.flatnonzero((characters < 200) | (np.asarray(pc.binary_length(texts)) > 1.15 * characters))
    counts = scripts.count(texts.take(pa.array(counted)))
    weights = counts * _WEIGHTS
    han, kana = scripts.index("Han"), scripts.index("Kana")
    total, ja = weights.sum(axis=1), counts[:, kana] * 10 > counts[:, han] + counts[:, kana]
    weights[:, han] += weights[:, kana]
    weights[:, kana] = 0.0
    best = weights.argmax(axis=1)
    share[counted] = weights.max(axis=1, initial=0.0) / np.maximum(total, 1.0)
    script[counted] = np.where((best == han) & ja, kana, best)
    letters[counted] = counts[:, 1:].sum(axis=1)
    return script, share, letters


def _phrases_of(texts: pa.Array) -> np.ndarray:
    """The code :data:`PHRASES` has for a whole text, whatever its case and punctuation; ``""`` where it has none."""
    short = np.flatnonzero(np.asarray(pc.utf8_length(texts)) <= 40)
    bare = pc.utf8_lower(pc.replace_substring_regex(texts.take(pa.array(short)), r"[^\pL\pM']+", " "))
    phrases = np.full(len(texts), "", dtype=object)
    phrases[short] = [_phrases().get(text, "") for text in pc.utf8_trim_whitespace(bare).to_pylist()]
    return phrases


@cache
def _phrases() -> dict[str, str]:
    return {phrase: code for code, phrases in PHRASES.items() for phrase in phrases.split("|")}


def _guess(texts: pa.Array, is_latin: np.ndarray, letters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and confidences by spelling, and by CLD2 and commonness where there is little text to spell."""
    codes = np.array(spelling.model().codes, dtype=object)
    found = spelling.probabilities(texts, is_latin)
    is_blank = found.sum(axis=1) == 0
    scores = np.log(np.maximum(found, 1e-9))
    scores += BONUS * np.isin(codes, list(COMMON)) * np.minimum(1, LITTLE / 2 / np.maximum(letters, 1))[:, None]
    column = {code: place for place, code in enumerate(codes)}
    little = np.flatnonzero(letters < LITTLE)
    for row, text in zip(little, texts.take(pa.array(little)).to_pylist(), strict=True):
        vote, is_reliable = _ask_cld2(text if is_latin[row] else _LATIN_LETTERS.sub(" ", text))
        if vote in column:
            weight = min(1.0, 2 * (LITTLE - letters[row]) / LITTLE) * (1.0 if is_reliable else 0.5)
            scores[row, column[vote]] += VOTE * weight
    likelihoods = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    likelihoods /= likelihoods.sum(axis=1, keepdims=True)
    confidences = np.where(is_blank, 0.0, likelihoods.max(axis=1, initial=0.0))
    return np.where(is_blank, UNDETERMINED, codes[likelihoods.argmax(axis=1)]), confidences


def _ask_cld2(text: str) -> tuple[str, bool]:
    """The code of CLD2's first language, and whether CLD2 calls it reliable."""
    try:
        is_reliable, _, details = pycld2.detect(text, isPlainText=True, bestEffort=True)
    except pycld2.error:  # a character that CLD2 takes for broken UTF-8
        try:
            is_reliable, _, details = pycld2.detect(_NO_WORD.sub(" ", text), isPlainText=True, bestEffort=True)
        except pycld2.error:
            return UNDETERMINED, False
    code = details[0][1]
    return _CODES.get(code, code), is_reliable
