"""Which numbers are accounts or people: payment cards, IBANs, national ids, each by its own check digits.

Each finder gives values first to last, in linear time.
"""

import re
from collections.abc import Iterator
from datetime import date

from udfs.pii_values import Value, without_overlaps

_GAP = "[ \r\n-]{0,3}"
CARD_SUSPECTS = (
    f"[2-6][0-9]{{3}}{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}{_GAP}[0-9]|3[0-9]{{3}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{4}}"
)
_CARD = re.compile(
    r"(?<![\w./#+-])(?=(?P<card>(?P<short>[2-6]\d{3}(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}(?P=gap)\d{4})(?P=gap)\d{3}"
    r"|[2-6]\d{3}(?P<four>[ -]?)\d{4}(?P=four)\d{4}(?P=four)\d(?:\d{3})?"
    r"|3\d{3}(?P<wide>[ -]?)\d{6}(?P=wide)\d{4,5})(?![\w/-]|\.\d))",
    re.ASCII,
)
_CARD_ON_TWO_LINES = re.compile(
    r"(?<![\w./#+-])(?<!\d{4}[ \n])(?:[2-6]\d{3}(?:[ -]|-?\r?\n)\d{4}(?:[ -]|-?\r?\n)\d{4}(?:[ -]|-?\r?\n)\d{4}"
    r"|3\d{3}(?:[ -]|-?\r?\n)\d{6}(?:[ -]|-?\r?\n)\d{4,5})(?![\w/-]|\.\d|[ \n]\d{4}(?!\d))",
    re.ASCII,
)
_BEFORE = re.compile(r"(?<!\d)\d{4} $", re.ASCII)
_BEHIND = re.compile(r" \d{3,4}(?!\d)(?P<table>(?: \d{4}(?!\d)){2})?", re.ASCII)
_BRANDS = re.compile(
    "4.{15}$"  # Visa; of its 13 digits none is left, and they would be a tenth of all sums that long
    "|(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720).*(?<=^.{16})$"  # Mastercard
    "|220[0-4].{12}$"  # Mir
    "|3[47].{13}$"  # American Express
    "|3(?:0[0-5]|[689]).*(?<=^.{14})$"  # Diners Club
    "|(?:6011|64[4-9]|65)(?:.{10,15})$"  # Discover
    "|35(?:2[89]|[3-8]).*(?<=^.{16})$"  # JCB
    "|62.{14,17}$"  # UnionPay
)


def cards(text: str) -> Iterator[Value]:
    """Numbers of a card brand's prefix and length with the Luhn check digit (ISO/IEC 7812), not of one digit only; in
    groups also over one line's end. Of a row of groups of four the first or the last are one, if it is no table."""
    return without_overlaps(*_on_one_line(text), *(_on_two_lines(text) if "\n" in text else ()))


def _on_one_line(text: str) -> Iterator[Value]:
    for found in _CARD.finditer(text):
        for written in (found["card"], found["short"] or "" if found["gap"] else ""):
            end = found.start() + len(written)
            if _is_card(written) and not _is_in_a_row(text, found.start(), end):
                yield Value(found.start(), end, _digits(written))
                break


def _on_two_lines(text: str) -> Iterator[Value]:
    for found in _CARD_ON_TWO_LINES.finditer(text):
        is_of_one_hand = found[0].count("\n") == 1 and not {" ", "-"} <= set(found[0])
        if is_of_one_hand and _is_card(found[0]):
            yield Value(found.start(), found.end(), _digits(found[0]))


def _is_card(written: str) -> bool:
    digits = _digits(written)
    return digits.isdecimal() and len(set(digits)) > 1 and bool(_BRANDS.match(digits)) and is_luhn(digits)


def _digits(written: str) -> str:
    return re.sub("[ \r\n-]", "", written)


def _is_in_a_row(text: str, start: int, end: int) -> bool:
    """Do groups stand on both sides, or three behind that are no card? So they do in tables and IBANs, of which a tenth
    of all windows have the check digit of a card."""
    if not (behind := _BEHIND.match(text, end)):
        return False
    is_table = behind["table"] and not _is_card(text[end + 1 : end + 20])
    return bool(is_table or _BEFORE.search(text, max(0, start - 6), start))


def is_luhn(digits: str) -> bool:
    """Is the last digit the check digit of the others (Luhn 1960)?"""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL FK",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK MN",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS",
    23: "AE GI IL IQ TL OM SO",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV SD",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
IBAN_LENGTHS = {code: length for length, codes in _COUNTRIES.items() for code in codes.split()}
"""Length by country, as in the IBAN registry of SWIFT."""
IBAN_SUSPECTS = "[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4} ?[A-Z0-9]{3}"
_IBAN = re.compile("(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}+")


def ibans(text: str) -> Iterator[Value]:
    """Account numbers of the country's length whose check digits hold (ISO 13616, mod 97)."""
    for found in _IBAN.finditer(text):
        length = IBAN_LENGTHS.get(found[0][:2], 0)
        end = found.start() + _end_of(found[0], length)
        joined = text[found.start() : end].replace(" ", "")
        if len(joined) == length and not text[end : end + 1].isalnum() and is_mod_97(joined):
            yield Value(found.start(), end, joined)


def is_mod_97(iban: str) -> bool:
    """Do the check digits of an IBAN (no spaces, upper case) hold?"""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


def _end_of(text: str, length: int) -> int:
    """Where the first ``length`` characters that are not spaces end."""
    seen = 0
    for position, character in enumerate(text):
        seen += character != " "
        if seen == length:
            return position + 1
    return len(text)


NATIONAL_ID_SUSPECTS = (
    "[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{8}-?[A-Z]|[XYZ]-?[0-9]{7}-?[A-Z]|[0-9]{17}[0-9Xx]"
    "|[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-[0-9]{2}"
)
_NATIONAL_ID = re.compile(
    r"(?<![A-Za-z0-9.,/_-])(?:(?P<us>\d{3}-\d{2}-\d{4})|(?P<es>(?:\d|[XYZ]-?)\d{7}-?[A-Z])|(?P<cn>[1-8]\d{16}[0-9Xx])"
    r"|(?P<br>\d{3}\.\d{3}\.\d{3}-\d{2}))(?![A-Za-z0-9_/-]|[.,]\d)",
    re.ASCII,
)


def national_ids(text: str) -> Iterator[Value]:
    """US social security numbers (by their gaps alone: they have no check digit), Spanish DNI and NIE, Chinese
    resident ids and Brazilian CPF (by their check digits)."""
    for found in _NATIONAL_ID.finditer(text):
        value = re.sub("[-.]", "", found[0]).upper()
        if _CHECKS[str(found.lastgroup)](value):
            yield Value(found.start(), found.end(), value)


def _is_ssn(value: str) -> bool:
    return value[:3] not in ("000", "666") and value[0] != "9" and value[3:5] != "00" and value[5:] != "0000"


def _is_dni(value: str) -> bool:
    number = int(value[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == value[-1]


def _is_resident_id(value: str) -> bool:
    """GB 11643-1999: a region, a birthday, a serial number, a check digit (ISO 7064, mod 11-2)."""
    try:
        born = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(value[:17]))
    return born.year >= 1900 and "10X98765432"[total % 11] == value[-1]


def _is_cpf(value: str) -> bool:
    def digit(count: int) -> int:
        return sum(int(one) * (count + 1 - place) for place, one in enumerate(value[:count])) * 10 % 11 % 10

    return len(set(value)) > 1 and digit(9) == int(value[9]) and digit(10) == int(value[10])


_CHECKS = {"us": _is_ssn, "es": _is_dni, "cn": _is_resident_id, "br": _is_cpf}
