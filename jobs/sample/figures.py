"""Which numbers do the texts share? Banks of round numbers for every language, and sums that come out right."""

from random import Random

from jobs.sample.grammar import Banks

BANKS: Banks = {
    "br": ("\n",),
    "few": tuple(map(str, range(2, 10))),
    "morning": tuple(map(str, range(6, 11))),
    "five": tuple(map(str, range(5, 65, 5))),
    "ten": tuple(map(str, range(20, 100, 10))),
    "hundred": tuple(map(str, range(150, 950, 50))),
    "year": tuple(map(str, range(1955, 2024))),
    "hour": tuple(map(str, range(13, 22))),
    "minute": ("05", "10", "15", "20", "25", "35", "40", "45", "50", "55"),
    "degree": ("15", "20", "25", "30", "35"),
    "oven": tuple(map(str, range(160, 250, 10))),
    "percent": tuple(map(str, range(15, 90, 5))),
}
"""Multiples of five and ten keep one plural form in Russian and Arabic."""

_COUNTS = tuple(n for n in range(5, 100) if n < 21 or n % 10 in (0, 5, 6, 7, 8, 9))
"""Numbers that Russian follows with the genitive plural."""


def sums(rng: Random) -> dict[str, str]:
    """Slots of one word problem (COUNT things at PRICE, TOTAL, PAID, CHANGE) and one sum (A, B, SUM, DIFF)."""
    count, price = _COUNTS[rng.randrange(len(_COUNTS))], 5 * rng.randrange(3, 800)
    total = count * price
    paid = (total // 50 + rng.randrange(1, 9)) * 50
    a, b = rng.randrange(2000, 100_000), rng.randrange(100, 2000)
    numbers = {"COUNT": count, "PRICE": price, "TOTAL": total, "PAID": paid, "CHANGE": paid - total}
    numbers |= {"A": a, "B": b, "SUM": a + b, "DIFF": a - b}
    return {name: str(number) for name, number in numbers.items()}
