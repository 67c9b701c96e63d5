"""Made-up values of every kind, valid and nearly so, inside sentences; the same at every run.

Telephone numbers are written from forms by hand (``#`` is any digit), not by the library that checks them.
"""

import string
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from udfs.pii_numbers import IBAN_LENGTHS, is_luhn, is_mod_97


class Case(NamedTuple):
    """A text, the kind it is made for with its group, and the value in it ("" where there is none)."""

    group: str
    kind: str
    text: str
    value: str


def _forms(written: str) -> list[str]:
    return written.split("|")


PLAIN = ("Ebony Moore, {}, Boston", "| Ann | {} | ok |", "It says {} there.", "上面写着{}。", "Dice {} y nada más.")
HINTED = (
    "You can reach me by phone at {}.",
    "Call {} after six.",
    "Llámame al {} mañana.",
    "我的电话是{}。",
    "Мой номер телефона {}.",
    "Meine Telefonnummer: {}",
    "Mon numéro est le {}, merci.",
    "मुझे {} पर फ़ोन कीजिए",
)
PHONES_PLUS = _forms(
    "+1 (415) 5##-####|+1-212-55#-####|+44 20 7### ####|+44 77## ######|+49 30 9######|+49 151 2#######"
    "|+33 6 1# ## ## ##|+34 61# ### ###|+39 333 #######|+55 11 9####-####|+91 98### #####|+86 138 #### ####"
    "|+86 10 6### ####|+81 90-####-####|+82 10-4###-####|+7 916 ###-##-##|+52 55 5### ####|+61 41# ### ###"
    "|+31 6 2#######|+48 51# ### ###|+90 532 ### ## ##|+380 67 ### ## ##|+46 70 ### ## ##|+41 79 ### ## ##"
    "|+20 10 1### ####|+234 803 ### ####|+27 82 ### ####|+62 812-###-####|+84 91 ### ## ##|+54 9 11 5###-####"
    "|+351 91# ### ###|+30 69# ### ####|+972 54-###-####|+971 50 ### ####|+65 9### ####|+852 9### ####"
)
PHONES_NATIONAL = _forms(
    "(415) 5##-####|212-55#-####|020 7### ####|077## ######|030 9######|0151 2#######|06 1# ## ## ##|61# ### ###"
    "|333 #######|(11) 9####-####|98### #####|138########|010-6#######|090-####-####|010-4###-####"
    "|8 (916) ###-##-##|55 5### ####|041# ### ###|06-2#######|0532 ### ## ##|067 ### ## ##|079 ### ## ##"
    "|080# ### ####|082 ### ####|312.55#.####"
)
NO_PHONE = _forms(
    "2023-0#-1#|0#/1#/2023|19##-20##|978-3-16-14841#-0|10.1038/38#283|16330494##|-73.93#242|1,5##,###"
    "|order 48#-####|room 12#-####|v 2.#.###.####|12#4 5678 90|4.#### ± 0.####|x + 123#567|2## 3## 4##|555 55#"
    "|ISSN 15#2-204X|12:3#:45.####|1#.5%, 2#.5%, 3#.5%|##### #####|3.14159265##|+1 123 4## ####|+999 12# ####"
    "|212-736.5###|212.736.5##|v212.736.5###|version 212.736.5###|112.736.5###|pp. 303-309\n2012|212 736 5000 1###"
)
NO_EMAIL = _forms(
    "@ana_reyes|icon@2x.png|git@github.com:ana/x.git|root@localhost|react@18.2.0|ana@@example.org"
    "|ssh ana@db.example.org|@app.route('/x')|ana@example|a .@example.org|ftp://ana:password@ftp.example.org/x"
    "|user@192.0.2.7x|lodash@^4.17|npm i @types/node"
)
NO_IP = _forms(
    "127.0.0.1|192.168.1.#|10.0.#.1|172.16.0.#|255.255.255.0|0.0.0.0|8.8.8.8|v4.15.203.7|version 41.20.3.7|1.2.3.#"
    "|300.1.2.#|91.0.4472.12#|Chrome/91.0.72.12#|10.4.0.0/16|41.20.0.0/16|12:30:4#|00:1A:2B:3C:4D:5#|std::dead::beef"
    "|fe80::1|::1|41.20.31.7.2|NetFramework 40.12.200.3#|section 41.2.2.#"
)
NO_KEY = _forms(
    'api_key="YOUR_API_KEY"|api_key = os.environ["OPENAI_API_KEY"]|sk-xxxxxxxxxxxxxxxxxxxxxxxx'
    "|sk-estimator-html-documentation-link|token = tokenizer.encode(text)|secret: my_secret_value_is_hidden"
    "|access_token=abc123|AKIA...|Bearer <token>|token: aaaaaaaaaaaaaaaaaaaaaaaa1111|ghp_yourtokenhere"
    "|-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----|primary_key=customer_address_id_2023_01"
    "|commit 3f2c8a91b7d04e65f1a2b3c4d5e6f708192a3b4c|the token representation_of_the_sentence"
)
NO_LOGIN = _forms(
    "postgres://user:password@localhost/db|mysql://root:${DB_PASS}@db/x|https://example.org:8080/a@b"
    "|mongodb://<user>:<pass>@host/x|amqp://user:pass@host|http://ana@example.org/x|ftp://username:password@host/x"
)


def cases(seed: int = 7, rounds: int = 4) -> Iterator[Case]:
    """All cases, ``rounds`` of each form and sentence."""
    rng = Random(seed)
    for _ in range(rounds):
        yield from _phones(rng)
        for kind, group, values in _others(rng):
            for value in values:
                yield Case(group, kind, rng.choice(PLAIN).format(_framed(kind, value)), value)
        for kind, forms in (("email", NO_EMAIL), ("ip", NO_IP), ("key", NO_KEY), ("login", NO_LOGIN)):
            for form in forms:
                yield Case(f"no {kind}", kind, rng.choice(PLAIN).format(_digits(form, rng)), "")


def _phones(rng: Random) -> Iterator[Case]:
    for group, forms, sentences in (
        ("phone with +", PHONES_PLUS, PLAIN + HINTED),
        ("phone after a hint", PHONES_NATIONAL, HINTED),
        ("phone without", PHONES_NATIONAL, PLAIN),
    ):
        for form in forms:
            value = _digits(form, rng)
            yield Case(group, "phone", rng.choice(sentences).format(value), value)
    for form in NO_PHONE:
        yield Case("no phone", "phone", rng.choice(PLAIN).format(_digits(form, rng)), "")


def _others(rng: Random) -> Iterator[tuple[str, str, list[str]]]:
    yield "email", "email", [_email(rng) for _ in range(25)]
    yield "ip", "ip v4", [f"{rng.choice((41, 81, 145, 203))}." + _join(rng, 3) for _ in range(15)]
    yield (
        "ip",
        "ip v6",
        [f"2001:{rng.randrange(0x400, 0x4000):x}:{rng.randrange(65536):x}::{rng.randrange(65536):x}" for _ in range(9)],
    )
    yield (
        "login",
        "login",
        [f"ana:{_random(rng, 9)}", f"svc_{_random(rng, 3)}:P{_random(rng, 7)}!", f":{_random(rng, 12)}"],
    )
    yield "key", "key with a prefix", [prefix + _random(rng, size) for prefix, size in _KEYS]
    yield "key", "key after a name", [_random(rng, 32) for _ in range(6)]
    yield "card", "card", list(_cards(rng))
    yield "card", "no card", []
    yield "iban", "iban", [_iban(rng, code) for code in sorted(IBAN_LENGTHS)]
    yield "national_id", "national id", [_ssn(rng), _dni(rng), _resident(rng), _cpf(rng)]


_KEYS = (("sk-", 48), ("sk-proj-", 60), ("ghp_", 36), ("hf_", 34), ("AIza", 35), ("sk_live_", 24), ("glpat-", 20))
_TOLD = ("api_key='{}'", "API Key: {}", "Authorization: Bearer {}", '"client_secret": "{}"', "ACCESS_TOKEN={}")


def near_misses(seed: int = 8) -> Iterator[Case]:
    """Cards, IBANs and national ids with one digit changed, so that no check holds."""
    rng = Random(seed)
    for value in _cards(rng):
        yield Case("no card", "card", rng.choice(PLAIN).format(_spoil(value)), "")
    for code in sorted(IBAN_LENGTHS):
        yield Case("no iban", "iban", rng.choice(PLAIN).format(_spoil(_iban(rng, code))), "")
    for make in (_dni, _resident, _cpf):
        for _ in range(20):
            yield Case("no national id", "national_id", rng.choice(PLAIN).format(_spoil(make(rng))), "")


def _framed(kind: str, value: str) -> str:
    if kind == "login":
        return f"postgres://{value}@db.example.org:5432/x"
    is_told = kind == "key" and not any(value.startswith(prefix) for prefix, _ in _KEYS)
    return _TOLD[len(value + value[0]) * ord(value[0]) % len(_TOLD)].format(value) if is_told else value


def _digits(form: str, rng: Random) -> str:
    return "".join(str(rng.randrange(10)) if character == "#" else character for character in form)


def _join(rng: Random, count: int) -> str:
    return ".".join(str(rng.randrange(33, 255)) for _ in range(count))


def _random(rng: Random, size: int) -> str:
    return "1a" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(size - 3)) + "9"


def _email(rng: Random) -> str:
    name = rng.choice(
        ("ana.reyes", "t_holm", "marek77", "li-wen", "j.o'kafor", "dina+x", "jürgen", "иван", "o", "A.B.C")
    )
    host = rng.choice(
        ("example.org", "mail.example.co.uk", "müller.de", "почта.рф", "x-y.io", "uni-jena.de", "EXAMPLE.COM")
    )
    return f"{name}@{host}"


def _cards(rng: Random) -> Iterator[str]:
    for prefix, size in (("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("3528", 16)):
        for _ in range(3):
            body = prefix + "".join(str(rng.randrange(10)) for _ in range(size - len(prefix) - 1))
            number = next(body + str(last) for last in range(10) if is_luhn(body + str(last)))
            cuts = (4, 10) if size == 15 else (4, 8, 12)
            gap = rng.choice(("", " ", "-"))
            yield gap.join(number[a:b] for a, b in zip((0, *cuts), (*cuts, size), strict=True))


def _iban(rng: Random, code: str) -> str:
    body = "".join(str(rng.randrange(10)) for _ in range(IBAN_LENGTHS[code] - 4))
    value = next(f"{code}{check:02d}{body}" for check in range(2, 99) if is_mod_97(f"{code}{check:02d}{body}"))
    return value if rng.random() < 0.5 else " ".join(value[at : at + 4] for at in range(0, len(value), 4))


def _spoil(value: str) -> str:
    at = max(place for place, character in enumerate(value[:-1]) if character.isdigit())
    return value[:at] + str((int(value[at]) + 1) % 10) + value[at + 1 :]


def _ssn(rng: Random) -> str:
    return f"{rng.randrange(100, 600)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"


def _dni(rng: Random) -> str:
    number = rng.randrange(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _resident(rng: Random) -> str:
    body = f"{rng.randrange(110000, 659000)}19{rng.randrange(50, 99)}0{rng.randrange(1, 9)}{rng.randrange(10, 28)}"
    body += f"{rng.randrange(100, 999)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


def _cpf(rng: Random) -> str:
    digits = [rng.randrange(10) for _ in range(9)]
    for size in (10, 11):
        total = sum(digit * weight for digit, weight in zip(digits, range(size, 1, -1), strict=True))
        digits.append(0 if total % 11 < 2 else 11 - total % 11)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"
