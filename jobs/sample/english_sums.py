"""Which sums are done in English? Word problems, and questions with an answer of one word."""

from jobs.sample.grammar import Topic, lines

SUMS = Topic(
    "sums",
    prompts=lines("""
        {PERSON} buys {COUNT} {THING} at {PRICE} euros each and pays with {PAID} euros. How much change is due?
        A school in {CITY} orders {COUNT} {THING} for {PRICE} euros apiece. What is left of {PAID} euros?
        If one of the {THING} costs {PRICE} cents, what do {COUNT} cost, and what remains of {PAID} cents?
        Please check my sums: {COUNT} {THING}, {PRICE} euros each, paid with {PAID}. Is {CHANGE} right?
    """),
    openers=lines("""
        Let us work out the price of the {THING}, step by step.
        We need two steps: multiply {COUNT} by {PRICE}, then subtract from {PAID}.
    """),
    body=lines("""
        One of the {THING} costs {PRICE}, so {COUNT} of them cost {COUNT} * {PRICE} = {TOTAL}.
        The price of all {THING} together is therefore {TOTAL}.
        From {PAID} we take away {TOTAL}, and {PAID} - {TOTAL} = {CHANGE} remains.
        To check the result, add {CHANGE} to {TOTAL}: the sum is {PAID}, as it should be.
        A quick estimate helps: {TOTAL} is a little less than {PAID}, so {CHANGE} is plausible.
        Think of {COUNT} boxes with {PRICE} in each: counted in one row that makes {TOTAL}.
        If {person} had bought {few} {thing} instead, the sum would look much the same.
        You can also subtract {PRICE} from {PAID} exactly {COUNT} times and arrive at {CHANGE}.
    """),
    closers=lines("""
        The answer is {CHANGE}.
        So {CHANGE} is left over from {PAID}.
        **{CHANGE}** is what remains after the {COUNT} {THING} are paid.
    """),
    style="framed",
)  # fmt: skip

QUICK = Topic(
    "quick",
    prompts=("{ASK}",),
    body=("{REPLY}",),
    style="short",
    cases=(
        {"ASK": "What is {A} plus {B}?", "REPLY": "{SUM}."},
        {"ASK": "{A} + {B} = ?", "REPLY": "{SUM}"},
        {"ASK": "What is {A} minus {B}?", "REPLY": "It is {DIFF}."},
        {"ASK": "Subtract {B} from {A}.", "REPLY": "{DIFF}"},
        {"ASK": "Is {A} more than {B}?", "REPLY": "Yes."},
        {"ASK": "Is {B} smaller than {A}?", "REPLY": "Yes, by {DIFF}."},
    ),
)

TOPICS = (SUMS, QUICK)
