r"""How a text is repaired: each edit is a function ``str -> str``, true to one name, and a screen.

Every edit is idempotent, takes any ``str`` whatsoever and linear time. A screen (``*_SUSPECTS``, RE2) finds every text
that the edit would change and few others: where it does not match, the edit returns its input. Patterns hold the
characters themselves, not escapes, because RE2 and Python write escapes differently.
"""

import re

import ftfy

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


STRAIGHTEN_QUOTES_SUSPECTS = r"[‘’‚‛“”„‟]|\\u201[89cdCD]"
_QUOTES = str.maketrans("‘’‚‛“”„‟", "''''\"\"\"\"")
_WRITTEN_QUOTES = re.compile(r"\\u201([89]|[cdCD])")


def straighten_quotes(text: str) -> str:
    r"""The text with typographic quotes as ``'`` and ``"``, also where they are written as ``\u2019``; « » stay."""
    text = text.translate(_QUOTES)
    return _WRITTEN_QUOTES.sub(lambda found: "'" if found[1] in "89" else '"', text) if "\\u201" in text else text


_BLANK = " \t\u00a0\u3000"
COLLAPSE_NEWLINES_SUSPECTS = f"\n[{_BLANK}]*\n[{_BLANK}]*\n"
_NEWLINES = re.compile(f"\n(?:[{_BLANK}]*+\n){{2,}}")
_FENCED = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
"""A code block, to its end or the text's; the only group, so that every second piece of a split is code."""


def collapse_newlines(text: str) -> str:
    """The text with at most one empty line in a row, but for code blocks, which stay as they are."""
    return _outside_code(text, _NEWLINES, "\n\n")


_SPACE = "\t-\r\x1c-\x20\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
TRIM_WHITESPACE_SUSPECTS = f"^[{_SPACE}]|[{_SPACE}]$|[{_BLANK}]\n"
_LINE_ENDS = re.compile(f"(?<![{_BLANK}])[{_BLANK}]++\n")


def trim_whitespace(text: str) -> str:
    """The text without whitespace at its start and end, nor blanks at line ends outside code blocks.

    A Markdown hard break (two spaces at a line's end) becomes a plain newline.
    """
    return _outside_code(text.strip(), _LINE_ENDS, "\n")


def _outside_code(text: str, pattern: re.Pattern[str], replacement: str) -> str:
    if "```" not in text:
        return pattern.sub(replacement, text)
    pieces = _FENCED.split(text)
    pieces[::2] = [pattern.sub(replacement, piece) for piece in pieces[::2]]
    return "".join(pieces)
