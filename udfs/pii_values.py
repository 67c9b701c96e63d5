"""Where somebody can be reached: e-mail addresses, telephone numbers, IP addresses.

Each finder gives values first to last, in linear time: every pattern begins where a word begins, and its repetitions
are bounded.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import phonenumbers


class Value(NamedTuple):
    """Characters ``start:end`` of a text, and what two ways to write one value have in common."""

    start: int
    end: int
    value: str


EMAIL_SUSPECTS = "[^\\s@]@[^\\s@.]+\\.[^\\s@]"
_LETTERS = "A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
_EMAIL = re.compile(
    f"(?<![{_LETTERS}0-9._%+@-])(?P<name>[{_LETTERS}0-9_%+-][{_LETTERS}0-9._%+-]{{0,63}})"
    f"@(?P<host>(?:[{_LETTERS}0-9](?:[{_LETTERS}0-9-]{{0,61}}[{_LETTERS}0-9])?\\.){{1,8}})"
    f"(?P<top>xn--[A-Za-z0-9-]{{2,59}}|[{_LETTERS}]{{2,24}})(?![{_LETTERS}0-9@]|_\\w|-[A-Za-z0-9])"
)
_IN_URL_OR_SHELL = re.compile(r"://[^\s/]*$|\b(?:ssh|scp|sftp|rsync)\b(?:[^\n,;.?!]|[.,?!]\S)*$")
_NO_TOP = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "html", "json", "local", "localdomain"))


def emails(text: str) -> Iterator[Value]:
    """Addresses ``name@host.top``, in Latin, Greek or Cyrillic letters; not a user in a URL or after ``ssh``, nor
    ``git@host`` or ``icon@2x.png``."""
    for found in _EMAIL.finditer(text):
        name, before = found["name"], text[max(0, found.start() - 80) : found.start()]
        if name == "git" or name.endswith(".") or ".." in name or found["top"].lower() in _NO_TOP:
            continue
        if not _IN_URL_OR_SHELL.search(before):
            yield Value(found.start(), found.end(), found[0].lower())


IP_SUSPECTS = "[0-9]\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]|[23][0-9A-Fa-f]{3}:[0-9A-Fa-f]*:[0-9A-Fa-f:]"
_IP = re.compile(
    r"(?<![\w.-])(?<!\w/)(?:(?P<four>(?:[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3})(?![\w-]|\.\w|/\d)"
    r"|(?:(?<!:)|(?<=[G-Zg-z]:))(?P<six>[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\w))",
    re.ASCII,
)
_VERSION = re.compile(
    r"(?i)(?<![a-z0-9_])(?:v|ver|versi\w+|build|release|firmware|chapter|section|kernel|driver|版本)\W{0,3}$"
)
_NOBODY = frozenset(
    ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220", "1.2.3.4")
)
"""Public name servers, and the address that stands for any."""
_EXAMPLES = [ipaddress.ip_network(each) for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
_EXAMPLES_6 = ipaddress.ip_network("2001:db8::/32")


def ips(text: str) -> Iterator[Value]:
    """Addresses that are one machine's in the internet, and those reserved for examples (RFC 5737, 3849).

    Not private, loopback and other special ones, netmasks, public name servers, networks (10.1.0.0/16), nor
    version or section numbers.
    """
    for found in _IP.finditer(text):
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            continue
        if _is_somebodys(address) and not (found["four"] and _is_version(text, found)):
            yield Value(found.start(), found.end(), str(address))


def _is_somebodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        return address.is_global or address in _EXAMPLES_6
    is_host = address.is_global and not address.is_multicast and str(address) not in _NOBODY
    return is_host or any(address in network for network in _EXAMPLES)


def _is_version(text: str, found: re.Match[str]) -> bool:
    """After a word for it, or all four numbers small, as in 1.2.3.4 or 3.10.0.1."""
    is_told = _VERSION.search(text, max(0, found.start() - 12), found.start())
    return bool(is_told) or all(int(number) < 32 for number in found[0].split("."))


PHONE_SUSPECTS = "[0-9](?:[ ()（）.\r\n\u00a0\u2011\u2013/-]{0,4}[0-9]){6}"
_GAP = "[ ()（）.\u00a0\u2011\u2013/-]{0,3}"
_BEFORE = (
    "(?:(?<![\\w+])\\(?\\+|(?<![\\w./#$€£@%&+-])(?<!(?<!\\*)\\*)(?:(?<!\\d[ (])|(?<=_\\d[ (])|(?<=_\\d\\d[ (]))[(（]?)"
)
"""With + behind anything but a word; else not within a longer number, unless that is a pseudonym's."""
_AFTER = "(?!(?!x[0-9]{1,6}\\b)[\\w@%€$°]|[.-]\\d)"
_PHONE = re.compile(f"{_BEFORE}[0-9](?:{_GAP}[0-9]){{6,16}}{_AFTER}", re.ASCII)
_PHONE_ON_TWO_LINES = re.compile(
    f"{_BEFORE}[0-9](?:{_GAP}[0-9]){{0,14}}[)）]?[ .-]?\r?\n ?[(（]?[0-9](?:{_GAP}[0-9]){{1,14}}{_AFTER}", re.ASCII
)
_TOLD = re.compile(
    r"(?i)(?:\bphone(?!_\d)|\bmobile|\bcell|\btel\b|\btele\w+|\bcall\b|\bwhatsapp|\bsms\b"
    r"|\btext (?:me|us|him|her|them)\b|\bfax\b|\bhotline|\bring\b"
    r"|\bcontact|\breach|\bhandy|\banruf|\bruf\b|\brufe|\btelefon|\btel[eé]fono|\bll[aá]m|\bcelular|\bm[oó]vil|\bappel"
    r"|\bnum[eé]ro|\bn[uú]mero|\bnummer\b|\bligue|\bchiam|\bтел|\bзвон|\bномер|电话|電話|手机|手機|热线|號碼|号码"
    r"|전화|هاتف|اتصل|फ़ोन|फोन)[^\n]{0,24}$"
)
_TOLD_AFTER = re.compile(r"(?i)[^\n\d]{0,16}(?:\bphone(?!_\d)|\btele\w+|\bmobile|फ़ोन|फोन|कॉल|전화|に電話)")
_NANP = re.compile(
    r"(?:1[- .])?(?:\([2-9]\d\d\)[-. ]?[2-9]\d\d[-. ]|[2-9]\d\d(?P<gap>[-.])[2-9]\d\d(?P=gap))\d{4}$", re.ASCII
)
"""Three, three and four digits, of which the first two groups never begin with 0 or 1: no version, address or decimal
looks so. Bare groups have one sign between them: 212-736.5000 is a range."""
_NANP_SPACED = re.compile(r"[2-9]\d\d [2-9]\d\d \d{4}$", re.ASCII)
"""Only where no other number stands beside it, as in rows of a table."""
_NANP_ON_TWO_LINES = re.compile(r"(?:1[- .])?[2-9]\d\d(?:-[2-9]\d\d (?!1[5-9]|20)| [2-9]\d\d-)\d{4}$", re.ASCII)
"""A line's end stands for one hyphen, but not between pages and a year, as in 303-309, 2012."""
_NANP_TOLD = re.compile(r"(?:1[- .]?)?[2-9]\d\d[-. ]?[2-9]\d\d[-. ]?\d{4}$", re.ASCII)
_FRENCH = re.compile(r"0[1-79](?P<gap>[ .])\d\d(?:(?P=gap)\d\d){3}$", re.ASCII)
_CHINESE = re.compile(r"(?:1[3-9]\d(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}|0(?:10|2\d|[3-9]\d\d)-\d{7,8})$", re.ASCII)
_FORMS = ((_NANP, "US"), (_FRENCH, "FR"), (_CHINESE, "CN"), (_NANP_SPACED, "US"))
_FORMS_ON_TWO_LINES = (*_FORMS[:-1], (_NANP_ON_TWO_LINES, "US"))
_REGIONS = ("US", "GB", "CN", "DE", "FR", "ES", "IT", "IN", "BR", "RU", "JP", "KR", "MX", "AU", "NL", "PL", "TR", "UA")
"""Where a number without + may be from, tried in this order."""


def phones(text: str) -> Iterator[Value]:
    """Valid telephone numbers (libphonenumber's plans): with + anywhere; without it in the North American, French and
    Chinese forms, and in any other beside a word such as "phone" or "call". A number may go on behind one line's end;
    without + and in other forms only North American ones do, beside such a word."""
    return without_overlaps(*_numbers(_PHONE, text), *(_numbers(_PHONE_ON_TWO_LINES, text) if "\n" in text else ()))


def without_overlaps(*values: Value) -> Iterator[Value]:
    """The values first to last, without those that begin inside another; of two that begin together, the shorter."""
    end = 0
    for value in sorted(values):
        if value.start >= end:
            yield value
            end = value.end


def _numbers(pattern: re.Pattern[str], text: str) -> Iterator[Value]:
    for found in pattern.finditer(text):
        written = found[0] if ")" in found[0] or "）" in found[0] else found[0].lstrip("(（")
        start = found.end() - len(written)
        forms = _FORMS_ON_TWO_LINES if "\n" in written else _FORMS
        number = _in_a_form(written, text, start, forms) or _told(written, text, start)
        if not number and (shorter := written.rpartition(" ")[0].rstrip()):  # 12 in 202-555-0143 12 is another number
            written, number = shorter, _in_a_form(shorter, text, start, _FORMS[:1])
        if number:
            yield Value(start, start + len(written), number)


def _in_a_form(written: str, text: str, start: int, forms: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """What is written there in the text as a number in E.164 form, or "" if it has no + and none of the forms."""
    joined = _on_one_line(written)
    if joined.startswith(("+", "(+")):
        return _parse(joined, (None,))
    is_key = text[start - 1 : start] in (":", "=")  # as in 12:30 or id=7, where only a word for it tells
    if is_key or ("." in written and _VERSION.search(text, max(0, start - 12), start)):
        return ""
    return next((_parse(joined, (region,)) for form, region in forms if form.match(joined)), "")


def _told(written: str, text: str, start: int) -> str:
    """The number that a word beside it tells to be one, or ""."""
    if not (_TOLD.search(text, max(0, start - 48), start) or _TOLD_AFTER.match(text, start + len(written))):
        return ""
    joined = _on_one_line(written)
    if joined == written:
        return _parse(written, _REGIONS)
    return _parse(joined, ("US",)) if _NANP_TOLD.match(joined) else ""


def _on_one_line(written: str) -> str:
    """Two lines as one: 212-736- and 5000 are 212-736-5000, others get a blank between them."""
    first, end, second = written.partition("\n")
    first = first.rstrip()
    return first + ("" if first.endswith(("-", ".")) else " ") + second.lstrip() if end else written


@lru_cache(4096)
def _parse(written: str, regions: tuple[str | None, ...]) -> str:
    for region in regions:
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return ""
