r"""How a text is repaired: each edit is a function ``str -> str``, true to one name, and a screen.

Every edit is idempotent, takes any ``str`` whatsoever and linear time. A screen (``*_SUSPECTS``, RE2) finds every text
that the edit would change and few others: where it does not match, the edit returns its input. Patterns hold the
characters themselves, not escapes, because RE2 and Python write escapes differently.
"""

import re

import ftfy

from udfs import passages
from udfs.repair import Options, Repair

CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u202a-\u202e\u2066-\u2069"
"""C0 and C1 controls but tab and newlines, the byte order mark, and bidi overrides, which hide what a text says."""

_CP1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_CP1251 = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџЎўЈ¤Ґ¦§Ё©Є«¬®Ї°±Ііґµ¶·ё№є»јЅѕї"
MOJIBAKE = (
    f"[\u00c2-\u00f4][\u0080-\u00bf{_CP1252}\ufffd]"  # UTF-8 read as Latin-1 or Windows-1252
    "|[ÂÃ] "
    "|[ĂĹ][\u0080-\u00bf€‚„…†‡‰‹•–—™›˘ˇłŁľĽ˝żźŹśŚťŤžŽşŞšŠąĄ]"  # Windows-1250, ISO 8859-2
    f"|(?:[РС][{_CP1251}]){{2}}"  # Windows-1251
    "|‚Ä|√[¢©®°±´¨™≠∂ß∫ªºæø¿¡Å§¶¥†£•]|¬[†°©®´ª£•]"  # Mac Roman
    "|ΓÇ|├[®│ñ╝í║»á¿┤⌐¬½¼¡«]"  # code page 437
)
"""UTF-8 read in another charset, seen by a lead byte and a trail byte; read alike by RE2 and by Python."""
FIX_UNICODE_SUSPECTS = f"[{CONTROLS}\r]|{MOJIBAKE}"

_FTFY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)
"""ftfy mends encodings and leaves everything else that its defaults would touch."""
_MOJIBAKE_OR_C1 = re.compile(f"[\u0080-\u009f]|{MOJIBAKE}")
_SURROGATES = re.compile("[\ud800-\udfff]")
_TERMINAL = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c]")
_CONTROLS = re.compile(f"[{CONTROLS}]")


def fix_unicode(text: str) -> str:
    r"""The text with mojibake mended and invisible controls gone.

    Mends UTF-8 that was read in another charset (by ftfy, Speer 2019, https://ftfy.readthedocs.io) and Windows-1252
    quotes in the C1 range; turns ``\r\n``, ``\r``, form feeds and vertical tabs into ``\n``; drops :data:`CONTROLS` and
    terminal colour codes; joins surrogate pairs and replaces lone ones by U+FFFD. Joiners, direction marks, HTML
    entities, ligatures and full-width forms stay.
    """
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    while True:
        fixed = ftfy.fix_text(text, _FTFY) if _MOJIBAKE_OR_C1.search(text) else text
        fixed = _CONTROLS.sub("", _BREAKS.sub("\n", _TERMINAL.sub("", fixed)))
        if fixed == text:  # each round shortens the text or leaves fewer C1 controls, so this is reached
            return fixed
        text = fixed


STRAIGHTEN_QUOTES_SUSPECTS = r"[‘’‚‛“”„‟]|\\u201[89a-fA-F]"
_QUOTES = str.maketrans("‘’‚‛“”„‟", "''''\"\"\"\"")
_WRITTEN_QUOTES = re.compile(r"\\u201([89a-fA-F])")
_HAN_LINE = re.compile("[\u3001-\u30ff\u3400-\u9fff\uff01-\uff60]")
_LETTER = re.compile("[A-Za-z]")


def straighten_quotes(text: str) -> str:
    r"""The text with typographic quotes as ``'`` and ``"``, also where they are written as ``\u2019``.

    Code stays, so do « », and the quotes of lines that are in Chinese or Japanese, where straight ones would be wrong.
    """
    return passages.edit_prose(text, _straighten)


def _straighten(text: str) -> str:
    if "\\u201" in text:
        text = _WRITTEN_QUOTES.sub(lambda found: "'" if found[1] in "89aAbB" else '"', text)
    if not _HAN_LINE.search(text):
        return text.translate(_QUOTES)
    lines = text.split("\n")
    return "\n".join(line if _is_han(line) else line.translate(_QUOTES) for line in lines)


def _is_han(line: str) -> bool:
    """Whether a line has more Chinese and Japanese characters than a quarter of its Latin letters: a word has about
    four of these where it has one of those."""
    return 4 * len(_HAN_LINE.findall(line)) > len(_LETTER.findall(line))


AND_OR_SUSPECTS = r"(?i)\band ?[/\\] ?or\b"
_AND_OR = re.compile(r"(?<![\w/\\.])(and) ?[/\\] ?or(?![\w/\\])", re.IGNORECASE)


def and_or(text: str) -> str:
    """The text with "and" for "and/or" and "and\\or", outside code and paths."""
    return passages.edit_prose(text, lambda piece: _AND_OR.sub(r"\1", piece))


_BLANK = " \t\u00a0\u3000"


def collapse_newlines(options: Options) -> Repair:
    """The edit that leaves at most ``options.newlines`` line ends in a row (2: one empty line), outside code blocks."""
    most = options.newlines
    pattern = re.compile(f"\n(?:[{_BLANK}]*+\n){{{most},}}")
    suspects = "\n" + f"[{_BLANK}]*\n" * most
    return Repair(suspects, lambda text: passages.edit_lines(text, lambda piece: pattern.sub("\n" * most, piece)))


TRIM_WHITESPACE_SUSPECTS = f"^[{passages.SPACE}]|[{passages.SPACE}]$|[{_BLANK}]\n"
_LINE_ENDS = re.compile(f"(?<![{_BLANK}])[{_BLANK}]++\n")


def trim_whitespace(text: str) -> str:
    """The text without whitespace at its start and end, nor blanks at line ends outside code blocks.

    A Markdown hard break (two spaces at a line's end) becomes a plain newline.
    """
    return passages.edit_lines(text.strip(), lambda piece: _LINE_ENDS.sub("\n", piece))
