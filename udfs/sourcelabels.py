"""What a source itself calls a conversation's language, as an ISO 639 code to compare with ours."""

from collections.abc import Iterable

UNDETERMINED = "und"

NAMES = {
    "afrikaans": "af", "albanian": "sq", "amharic": "am", "arabic": "ar", "armenian": "hy", "azerbaijani": "az",
    "basque": "eu", "belarusian": "be", "bengali": "bn", "bosnian": "bs", "bulgarian": "bg", "burmese": "my",
    "catalan": "ca", "chinese": "zh", "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en",
    "esperanto": "eo", "estonian": "et", "finnish": "fi", "french": "fr", "galician": "gl", "ganda": "lg",
    "georgian": "ka", "german": "de", "greek": "el", "gujarati": "gu", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "icelandic": "is", "indonesian": "id", "irish": "ga", "italian": "it", "japanese": "ja",
    "kannada": "kn", "kazakh": "kk", "khmer": "km", "korean": "ko", "lao": "lo", "latin": "la", "latvian": "lv",
    "lithuanian": "lt", "macedonian": "mk", "malay": "ms", "malayalam": "ml", "maori": "mi", "marathi": "mr",
    "mongolian": "mn", "norwegian": "no", "norwegian bokmal": "no", "norwegian nynorsk": "no", "bokmal": "no",
    "nynorsk": "no", "odia": "or", "oriya": "or", "persian": "fa", "farsi": "fa", "polish": "pl",
    "portuguese": "pt", "punjabi": "pa",
    "romanian": "ro", "russian": "ru", "serbian": "sr", "shona": "sn", "sinhala": "si", "slovak": "sk",
    "slovenian": "sl", "slovene": "sl", "somali": "so", "sotho": "st", "spanish": "es", "swahili": "sw",
    "swedish": "sv", "tagalog": "tl", "tamil": "ta", "telugu": "te", "thai": "th", "tibetan": "bo", "tsonga": "ts",
    "tswana": "tn", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi", "welsh": "cy",
    "xhosa": "xh", "yoruba": "yo", "zulu": "zu",
}  # fmt: skip
"""English names, as LMSYS-Chat-1M and WildChat write them, in lower case."""

CODES = frozenset(NAMES.values())
_OTHER_CODES = {"nb": "no", "nn": "no", "iw": "he", "fil": "tl", "in": "id"}


def code(label: str | None) -> str:
    """The code a label stands for (``English``, ``en`` or ``en-US``: ``en``); ``und`` for none or an unknown one."""
    name = (label or "").strip().lower()
    short = name.replace("_", "-").split("-")[0]
    short = _OTHER_CODES.get(short, short)
    return NAMES.get(name) or (short if short in CODES else UNDETERMINED)


def compare(pairs: Iterable[tuple[str | None, str, int]]) -> dict[str, int]:
    """Of so many conversations with a source's label and a language of ours: ``source_language`` have both,
    ``source_language_differs`` of them different ones."""
    both = differs = 0
    for label, ours, count in pairs:
        theirs = code(label)
        if UNDETERMINED not in (theirs, ours):
            both += count
            differs += count * (theirs != ours)
    return {"source_language": both, "source_language_differs": differs}
