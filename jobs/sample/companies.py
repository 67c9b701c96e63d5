"""One prompt, a new company every time: the template family that chat logs are full of. All companies are invented."""

from random import Random

from jobs.sample.english import ENGLISH
from jobs.sample.figures import sums
from jobs.sample.grammar import Draw, fill, lines, words

PROMPT = "Write an introduction of {WORDS} words about {COMPANY}, a company in the {TRADE} industry"
BANKS = ENGLISH.banks | {
    "company": ("{name}{tail} {kind}",),
    "name": words("Nor | Tarn | Vel | Bryn | Ost | Kel | Mar | Fen | Lund | Hal | Quor | Esk | Dor | Wick | Sund"),
    "tail": words("vale | beck | mere | hoven | stad | moor | ridge | holt | garth | by | wyn | dale"),
    "kind": words("Chemicals | Logistics | Instruments | Foods | Textiles | Energy | Coatings | Optics | Packaging"),
    "trade": words("chemical | shipping | medical | food | textile | energy | paint | optical | packaging"),
    "words": words("200 | 250 | 500 | 1500-2000"),
    "product": words("""sealants | pumps | lenses | yarns | cold boxes | glues | sensors | valves | filters | crates
        | lacquers | syrups"""),
    "virtue": words("reliability | short delivery times | careful testing | fair prices | low waste"),
}  # fmt: skip
SENTENCES = lines("""
    {COMPANY} was founded in {year} in {city} and makes {product} and {product}.
    About {hundred} people work there, most of them on {product} for the {TRADE} industry.
    Customers in {city} and {city} value its {virtue} and the {product} that come with it.
    The plant near {city} turns out {hundred} tonnes of {product} a month.
    In {year}, {person} took over and moved the company from {product} to {product}.
    Its {product} are tested at {hundred} degrees for {few} hours before they leave {city}.
    With {virtue} and {virtue}, it has grown by {percent} percent since {year}.
    Every order of {product} is followed from {city} to the customer within {few} days.
    Water from the {product} line is used {few} times, which saves {percent} percent.
    A small team in {city} works on {product} that need {percent} percent less energy.
    Partners describe {COMPANY} as a place of {virtue}, where {person} answers the telephone.
    The next step is a warehouse for {product} in {city}, planned for {season}.
""")


def introduction(rng: Random) -> list[tuple[str, str]]:
    """The family's prompt with one company, and an introduction of it."""
    draw = Draw(BANKS, sums(rng), rng)
    prompt = fill(PROMPT, draw)
    sentences = rng.sample(SENTENCES, 5 + int(rng.random() * 6))
    return [("user", prompt), ("assistant", " ".join(fill(sentence, draw) for sentence in sentences))]
