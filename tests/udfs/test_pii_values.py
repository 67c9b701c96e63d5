import pyarrow as pa
import pyarrow.compute as pc
import pytest

from udfs import pii


def _found(kind, text):
    return [text[one.start : one.end] for one in pii.find(text, (kind,))]


EMAILS = [
    ("mail Ana.Reyes+x@mail.example.co.uk.", ["Ana.Reyes+x@mail.example.co.uk"]),
    (
        "jürgen@müller.de, иван@почта.рф; a@xn--mller-kva.de",
        ["jürgen@müller.de", "иван@почта.рф", "a@xn--mller-kva.de"],
    ),
    ("[a@example.org](mailto:a@example.org)", ["a@example.org", "a@example.org"]),
    ("@ana icon@2x.png git@github.com:a/b.git root@localhost react@18.2.0 a@@b.org a..b@c.org", []),
    ("ssh ana@db.example.org, ssh -i id.pem -p 22 ana@db.example.org", []),
    ("No ssh, please: mail ana@db.example.org. _bo@example.org_", ["ana@db.example.org", "_bo@example.org"]),
    ("ftp://ana:password@ftp.example.org/x", []),
]
PHONES = [
    (
        "+44 20 7946 0018, +86 138 1234 5678; (+1) 202-555-0143",
        ["+44 20 7946 0018", "+86 138 1234 5678", "(+1) 202-555-0143"],
    ),
    ("Ebony, (202) 555-0143, 202-555-0143 or 1-800-273-8255", ["(202) 555-0143", "202-555-0143", "1-800-273-8255"]),
    ("(888-426-4435)", ["888-426-4435"]),
    ("06 12 34 56 78 et 06.12.34.56.78", ["06 12 34 56 78", "06.12.34.56.78"]),
    ("手机13812345678，010-65253670", ["13812345678", "010-65253670"]),
    ("电话是（010）84659299。", ["（010）84659299"]),
    ("Call 020 7946 0018", ["020 7946 0018"]),
    ("मुझे 98201 23456 पर फ़ोन कीजिए", ["98201 23456"]),
    ("tel:+442079460018, Phone:+91 98765 43210", ["+442079460018", "+91 98765 43210"]),
    ("**202-555-0143**, *+12025550143*, 2*2025550143", ["202-555-0143", "+12025550143"]),
    ("phone:2025550143, {phone=2025550143}", ["2025550143", "2025550143"]),
    ("NAME_1 202-555-0143, room 12 +44 20 7946 0018", ["202-555-0143", "+44 20 7946 0018"]),
    ("（+86）138 1234 5678", ["+86）138 1234 5678"]),
    ("202-555-0143x12 202-555-0143xyz", ["202-555-0143"]),
    ("call 212.736.5000 or 1.212.736.5000, (212) 736.5000.", ["212.736.5000", "1.212.736.5000", "(212) 736.5000"]),
    ("Ebony 212.736.5000; 212 736 5000", ["212.736.5000", "212 736 5000"]),
    ("v212.736.5000, version 212.736.5000, 112.736.5000 212.136.5000 212.736.500 3.212.736.5000 212.736.5000.1", []),
    ("212-736.5000 740 730 1470 12 €212.736.5000 212.736.50001", []),
    ("+1 212\n736 5000, (212)\n736-5000, 212-736-\n5000", ["+1 212\n736 5000", "(212)\n736-5000", "212-736-\n5000"]),
    ("212-736\r\n5000, 212\n 736-5000, 06 12 34\n56 78", ["212-736\r\n5000", "212\n 736-5000", "06 12 34\n56 78"]),
    ("Call 212 736\n5000", ["212 736\n5000"]),
    ("+1 202-555-0143\n12 apples, 202-555-0143 12 pears", ["+1 202-555-0143", "202-555-0143"]),
    ("pp. 303-309\n2012, 740 730\n1470, 212\n736\n5000, +1 202\n\n555 0143", []),
    ("01 02 03 04 05 06 07 08", []),
    ("PHONE_1, order 2025550143", []),
    ("id=202-555-0143 12:202-555-0143", []),
    ('"text": "91480041", 453\\text{ g} = 2367968,00', []),
    ("room 020 7946 0018", []),
    ("2022-02-25 (1861-1865) 99034068 256626720691 0.0000001 10.1038/380283 282(34):26181-26186", []),
    ("+1 123 456 7890, x+12025550143, 622x + 3751 - 3751", []),
]
IPS = [
    ("ping 203.0.113.9, http://81.2.69.142:80/x", ["203.0.113.9", "81.2.69.142"]),
    (
        "The server 81.2.69.142 and 2001:db8::8:800 and 2a02:8070:e2::1.",
        ["81.2.69.142", "2001:db8::8:800", "2a02:8070:e2::1"],
    ),
    ("IP:81.2.69.142 ip:2a02:8070:e2::1 ::ffff:81.2.69.142", ["81.2.69.142", "2a02:8070:e2::1", "81.2.69.142"]),
    ("127.0.0.1 192.168.1.1 10.0.0.1 255.255.255.0 0.0.0.0 8.8.8.8 224.0.0.1 fe80::1 ::1", []),
    ("v4.15.203.7, version 41.20.3.7, 1.2.3.4, 300.1.2.3, 41.20.31.7.2, 91.2.4472.124, Chrome/91.0.72.12", []),
    ("41.20.0.0/16 12:30:45 00:1A:2B:3C:4D:5E std::dead::beef 2001:xyz::1", []),
]
LOGINS = [
    ("postgres://ana:Zx81pq@db.example.org/x", ["ana:Zx81pq"]),
    ("db://ana:Zx8@1pq@db.example.org, http://bo:Zx9q@example.org?to=a@b.org", ["ana:Zx8@1pq", "bo:Zx9q"]),
    ("https://:tok3n99@[2001:db8::1]/", [":tok3n99"]),
    ("db://user:password@host mysql://root:${DB}@h a://u:<pass>@h https://example.org:8080/a@b", []),
]
CARDS = [
    (
        "4111 1111 1111 1111, 5500-0000-0000-0004, 378282246310005",
        ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    ),
    ("bo,4111111111111111,123 card=5500000000000004 12/25", ["4111111111111111", "5500000000000004"]),
    ("4111 1111 1111 1111 1225, 4111 1111 1111 1111 123", ["4111 1111 1111 1111", "4111 1111 1111 1111"]),
    ("0001 4111 1111 1111 1111, 3782 822463 10005 1234", ["4111 1111 1111 1111", "3782 822463 10005"]),
    ("4111 1111\n1111 1111, 4111-1111-1111-\n1111", ["4111 1111\n1111 1111", "4111-1111-1111-\n1111"]),
    ("4111 1111 1111\r\n1111\n12/25, 3782 822463\n10005", ["4111 1111 1111\r\n1111", "3782 822463\n10005"]),
    ("4111\n1111\n1111\n1111, 4111 1111-\n1111 1111, 1234 1234\n4111 1111\n1111 1111\n1234 1234", []),
    ("1234 4111 1111 1111 1111 1225, 4111 1111 1111 1111 1234 1234 1235", []),
    ("4111 1111 1111 1112, 4111-1111 11111111, 0.4111111111111111, 41111111111111111111", []),
]
IBANS = [
    (
        "DE89 3704 0044 0532 0130 00 Thanks, GB82WEST12345698765432.",
        ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    ),
    ("DE88 3704 0044 0532 0130 00, DE8937040044053201300, DE893704004405320130000, ZZ89370400440532013000", []),
]
IDS = [
    (
        "123-45-6789 12345678Z X1234567L 11010519491231002X",
        ["123-45-6789", "12345678Z", "X1234567L", "11010519491231002X"],
    ),
    ("529.982.247-25", ["529.982.247-25"]),
    ("666-45-6789 000-45-6789 123-00-6789 12345678A 110105194912310021 529.982.247-26 111.111.111-11", []),
    ("110105194913310021", []),
]
TOKEN = "1aZq81LmXt0BcD4eFgH7iJkL9mNoP2qR"
KEYS = [
    (f"sk-{TOKEN} and sk-proj-{TOKEN}", [f"sk-{TOKEN}", f"sk-proj-{TOKEN}"]),
    (f"ghp_{TOKEN}abcd, AKIAIOSFODNN7EXAMPLE", [f"ghp_{TOKEN}abcd", "AKIAIOSFODNN7EXAMPLE"]),
    (f"xoxb-{TOKEN} AIza{TOKEN}abc hf_{TOKEN}", [f"xoxb-{TOKEN}", f"AIza{TOKEN}abc", f"hf_{TOKEN}"]),
    (f"api_key => '{TOKEN}', apiKey := \"{TOKEN}\", my token: {TOKEN}. Thanks", [TOKEN, TOKEN, TOKEN]),
    (f"api_key = '{TOKEN}', Authorization: Bearer {TOKEN}", [TOKEN, TOKEN]),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.SflKxwRJSMeKKF2QT4",
        ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.SflKxwRJSMeKKF2QT4"],
    ),
    ("api_key=YOUR_API_KEY_GOES_HERE sk-xxxxxxxxxxxxxxxxxxxxxxxx sk-estimator-html-documentation-link", []),
    (f"commit {TOKEN}, token = tokenizer.encode(text), api_key=os.environ['OPENAI_API_KEY_2024']", []),
    ("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", []),
]


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        (kind, *case)
        for kind, cases in {
            "email": EMAILS, "phone": PHONES, "ip": IPS, "login": LOGINS, "card": CARDS, "iban": IBANS, "key": KEYS,
            "national_id": IDS,
        }.items()
        for case in cases
    ],
)  # fmt: skip
def test_values_of_a_kind_are_found_and_what_looks_like_them_is_not(kind, text, values):
    assert _found(kind, text) == values


@pytest.mark.parametrize("end", ["", "-----END RSA PRIVATE KEY-----"])
def test_a_private_key_is_found_whole_even_where_its_end_is_cut_off(end):
    key = f"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA{'x9Zt' * 100}==\n{end}"
    assert _found("key", f"here: {key}")[0].strip() == key.strip()


def test_every_value_is_suspected_by_the_screen_of_its_kind():
    tables = {"email": EMAILS, "phone": PHONES, "ip": IPS, "login": LOGINS, "card": CARDS, "iban": IBANS, "key": KEYS}
    for kind in pii.KINDS:
        texts = [text for text, values in tables.get(kind.name, IDS) if values]
        assert pc.all(pc.match_substring_regex(pa.array(texts), kind.suspects)).as_py(), kind.name


def test_one_number_written_in_two_ways_is_one_value():
    ways = "+1 202-555-0143, (202) 555-0143, 1-202-555-0143"
    assert len({one.value for one in pii.find(ways, ("phone",))}) == 1
