"""A text that was copied out of a web page, as plain text and Markdown; talk about HTML, and code, as they are."""

import html
import re
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

from udfs import passages

_NAMES = (
    "amp|lt|gt|quot|apos|nbsp|ensp|emsp|thinsp|hellip|[mn]dash|[lrsb][sd]?quo|laquo|raquo|bull|middot|euro|pound|trade"
    "|[aeiounyAEIOUNY](?:acute|grave|circ|uml|tilde)|[acACsS](?:cedil|ring|caron)|[oO]slash|szlig|(?:ae|AE|oe|OE)lig"
)
"""Of the named entities those that no program would have as a variable after ``&`` (as ``&sum;``, ``&image;``)."""
ENTITY = rf"&(?:{_NAMES}|#[0-9]{{1,7}}|#[xX][0-9a-fA-F]{{1,6}});"
"""Read alike by RE2 and by Python."""
_LAYERS = "(?:(?:amp|#0{0,5}38|#[xX]0{0,4}26);)*"
"""What is left of ampersands that were escaped again and again, in front of the last one's name."""
_ENTITY = re.compile(ENTITY.replace("&", f"&{_LAYERS}", 1))
_ABOUT_MARKUP = re.compile(
    r"</?[a-zA-Z][^<>]*>|\b(?:x?html?5?|xml|svg|jsx|php|css|javascript|xss|entit(?:y|ies|és?|ät|äten|dad|dades)"
    r"|(?:un)?escap(?:e|ed|es|ing)|encod(?:e|ed|ing)|saniti[sz]\w*)\b"
    r"|엔티티|이스케이프|実体参照|エスケープ|エンティティ|实体|實體|转义|轉義|сущност|экранир",
    re.IGNORECASE,
)

_BLOCKS = "p|div|h[1-6]|ul|ol|pre|table|blockquote"
_TAGS = (
    f"{_BLOCKS}|br|hr|li|strong|em|b|i|u|s|del|sub|sup|small|a|span|code|thead|tbody|tr|td|th|img"
    "|button|svg|path|polyline|line|rect|g|math|section"
)
HTML_SUSPECTS = rf"(?i)\A\s*<(?:{_BLOCKS})[\s>]"
_BEGINNING = re.compile(rf"<(?:{_BLOCKS})[\s>]", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p[\s>]", re.IGNORECASE)
_PIECE = re.compile(rf"[^<]+|<(?P<close>/?)(?P<tag>(?i:{_TAGS}))(?P<rest>(?:\s[^<>]*)?)>")
_VOID = ("br", "hr", "img")
_DRAWING = ("svg", "path", "polyline", "line", "rect", "g")
_SOURCE = re.compile(r"\s(?:style|id|on\w+|name|type|width|border|bgcolor)\s*=|\{\{|\$\{", re.IGNORECASE)
"""Attributes of a page's source rather than of a rendered chat, and template slots."""
_WRITTEN = re.compile(r"\n[ \t]+\Z|\n[ \t]*\n")
"""Indentation of a tag, or an empty line: a page that a person or a model wrote as source."""
_DEPTH = 60
"""Deeper pages stay as they are: the converter recurses."""
_NUMBER = re.compile("[0-9]{1,9}")
"""What the converter can read as one: not superscripts, nor digits without end."""
_NO_CHARACTER = re.compile("&#[0-9a-fA-FxX]{9,}")
_LANGUAGE = re.compile(r"language-([\w+#.-]+)")


def unescape_html(text: str) -> str:
    """The text with HTML's character references as characters, outside code.

    Nothing happens to a text that has a tag or speaks of markup: there ``&lt;`` may be what is meant.
    """
    while not _ABOUT_MARKUP.search(passages.prose(text)):
        plain = passages.edit_prose(text, lambda piece: _ENTITY.sub(_character, piece))
        if plain == text:  # each round shortens the text
            break
        text = plain
    return text


def _character(found: re.Match[str]) -> str:
    """What a reference stands for; a blank for one that does not break lines."""
    name = found[0][found[0].rfind(";", 0, -1) + 1 :].lstrip("&")
    return " " if name == "nbsp;" else html.unescape(f"&{name}")


def html_to_markdown(text: str) -> str:
    """The text as Markdown if all of it is a piece of a rendered page, as scraped chats are; else as it is.

    It is one if it begins with a block's tag, has a paragraph, closes what it opens, has no ``<`` but those of tags
    that rendered Markdown has, and neither attributes nor spacing of a page's source. By markdownify
    (https://github.com/matthewwithanm/python-markdownify); a code block's header tells its language.
    """
    while _is_page(text):  # each round has fewer layers of escapes
        soup = BeautifulSoup(text, "html.parser")
        for junk in soup.find_all(["button", "svg"]):
            junk.decompose()
        for block in soup.find_all("pre"):
            _reduce_to_code(block)
        for listed in soup.find_all("ol"):
            _number(listed)
        for cell in soup.find_all(colspan=lambda span: span is not None and not _NUMBER.fullmatch(span)):
            del cell["colspan"]
        plain = _CONVERTER.convert_soup(soup).strip()
        if plain == text:
            break
        text = re.sub("\n{3,}", "\n\n", plain) if "```" not in plain else plain
    return text


def _is_page(text: str) -> bool:
    text = text.strip()
    if not (_BEGINNING.match(text) and text.endswith(">") and _PARAGRAPH.search(text)) or _NO_CHARACTER.search(text):
        return False
    open_tags: list[str] = []
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if not piece or not _fits(piece, open_tags):
            return False
        position = piece.end()
    return not open_tags


def _fits(piece: re.Match[str], open_tags: list[str]) -> bool:
    """Whether a rendered page may go on like this; keeps the stack of open tags."""
    tag = (piece["tag"] or "").lower()
    if not tag:
        return "pre" in open_tags or not _WRITTEN.search(piece[0])
    if _SOURCE.search(piece["rest"]) and tag not in _DRAWING:
        return False
    if piece["close"]:
        return bool(open_tags) and open_tags.pop() == tag
    if tag not in _VOID and not piece["rest"].endswith("/"):
        open_tags.append(tag)
    return len(open_tags) <= _DEPTH


def _reduce_to_code(block: Tag) -> None:
    """A ``pre`` with its code alone; the language from the code's class or from the header above the code."""
    code = block.find("code")
    if not isinstance(code, Tag):
        return
    named = _LANGUAGE.search(" ".join(code.get_attribute_list("class", [])))  # type: ignore[arg-type]
    text = code.get_text()
    header = "" if named or not text else block.get_text().partition(text)[0].replace("Copy code", "").strip()
    block.clear()
    block.append(text)
    block["data-language"] = named[1] if named else header if re.fullmatch(r"[\w+#.-]{1,20}", header) else ""


def _number(listed: Tag) -> None:
    """Each item of a numbered list with its number, which :class:`_Converter` writes."""
    start = str(listed.get("start", ""))
    first = int(start) if _NUMBER.fullmatch(start) else 1
    for number, item in enumerate(listed.find_all("li", recursive=False), first):
        item["data-number"] = str(number)


class _Converter(MarkdownConverter):
    """Items of numbered lists in linear time: the library counts those before each one again."""

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        number = el.get("data-number")
        if number is None or not text.strip():
            return str(super().convert_li(el, text, parent_tags))  # type: ignore[misc]
        bullet = f"{number}. "
        lines = [" " * len(bullet) + line if line else "" for line in text.strip().split("\n")]
        return "\n".join([bullet + lines[0][len(bullet) :], *lines[1:]]) + "\n"


def _language(block: Any) -> str:
    return str(block.get("data-language", ""))


_CONVERTER = _Converter(
    heading_style="ATX",
    bullets="-",
    escape_asterisks=False,
    escape_underscores=False,
    escape_misc=False,
    code_language_callback=_language,
)
