"""How do people ask for code in English, and how is it answered? One task a case, names drawn anew."""

from jobs.sample.grammar import Banks, Topic, lines, words

BANKS: Banks = {
    "func": words("""collect | group_rows | find_first | merge_notes | pick_longest | tally | trim_all | by_length
        | running_total | drop_empty | split_even | latest"""),
    "arg": words("rows | names | orders | readings | pages | tickets | lines | scores | cities | visits | bills"),
    "item": words("row | name | value | part | record | line | piece | field | cell | token | pair | node"),
    "result": words("found | kept | answer | output | seen | counts | best | total | picked | summary | chosen"),
    "error": words("KeyError | TypeError | ValueError | NameError | RecursionError | UnicodeDecodeError"),
    "library": words("a unit test | a small script | a type checker | a debugger | a profiler | a linter"),
}  # fmt: skip

_LOOP = "def {FUNC}({ARG}):\n    {RESULT} = []\n    for {ITEM} in {ARG}:\n        if {ITEM} not in {RESULT}:\n"
_COUNT = "def {FUNC}({ARG}):\n    {RESULT} = {}\n    for {ITEM} in {ARG}:\n"
_FILTER = "[{ITEM} for {ITEM} in {ARG} if {ITEM}.strip()]"

CODE = Topic(
    "code",
    prompts=lines("""
        Write a Python function {FUNC} that {TASK}.
        In Python I get a {ERROR} when {FUNC} {TASK}. How should it be written?
        My list is called {ARG}. I need a function {FUNC} which {TASK}, without extra libraries.
        Can you review my idea? The function {FUNC} {TASK}, and it is called {HUNDRED} times a second.
    """),
    openers=lines("""
        Here is a small version:{br}{br}```python{br}{CODE}{br}```
        This function {TASK}:{br}{br}```python{br}{CODE}{br}```
    """),
    body=lines("""
        Call it with `{FUNC}({ARG})` and it needs well under {ten} milliseconds for {hundred} entries.
        The name `{RESULT}` says what the loop over `{ARG}` has gathered after each `{ITEM}`.
        If `{ARG}` is empty, nothing is raised, so no {error} can come from here.
        A {error} usually means that a {item} in `{arg}` is missing or has another type.
        For more than {hundred} thousand entries I would measure it with {library} first.
        Add {library} before you rename `{arg}`; it catches a {error} early.
        In a hurry, a comprehension over `{ARG}` does the same in {few} lines.
        Should two entries be equal, the first {item} wins; swap them if `{arg}` must win.
        I left out logging, because `{FUNC}` runs about {hundred} times in your loop over `{arg}`.
        With {library}, {person} would find a wrong {item} in {few} minutes.
        Do not reuse the name `{arg}` for the {item}, or you will shadow it and chase a {error}.
        Version 3.{few} of Python and later accept a type hint for `{arg}` as well.
    """),
    closers=lines("""
        Tell me if your `{ARG}` look different from that.
        If you see a {error} again, send me the line and one {item}.
        Test it with {few} entries before you trust it with {hundred}.
    """),
    style="framed",
    cases=(
        {
            "TASK": "removes repeated entries but keeps their order",
            "CODE": _LOOP + "            {RESULT}.append({ITEM})\n    return {RESULT}",
        },
        {
            "TASK": "counts how often every entry occurs",
            "CODE": _COUNT + "        {RESULT}[{ITEM}] = {RESULT}.get({ITEM}, 0) + 1\n    return {RESULT}",
        },
        {
            "TASK": "groups the entries by their length",
            "CODE": _COUNT + "        {RESULT}.setdefault(len({ITEM}), []).append({ITEM})\n    return {RESULT}",
        },
        {
            "TASK": "adds up the entries above a limit",
            "CODE": "def {FUNC}({ARG}):\n    return sum({ITEM} for {ITEM} in {ARG} if {ITEM} > {HUNDRED})",
        },
        {
            "TASK": "returns the longest entry",
            "CODE": "def {FUNC}({ARG}):\n    {RESULT} = sorted({ARG}, key=len)\n    return {RESULT}[-1]",
        },
        {
            "TASK": "reads a file and skips its empty lines",
            "CODE": "def {FUNC}(path):\n    with open(path) as {ARG}:\n        return " + _FILTER,
        },
    ),
)
