"""What else is said in English? Plants, explanations, stories, comparisons, learning plans, translations."""

from jobs.sample.grammar import Banks, Topic, lines, words

BANKS: Banks = {
    "plant": words("""tomato | basil | monstera | peace lily | lavender | rose | blueberry | jade plant | fern
        | lemon tree | hydrangea | cactus | mint | fig tree | bonsai | begonia"""),
    "symptom": words("yellow leaves | brown tips | soft stems | white spots | curled leaves | pale roots"),
    "place": words("courtyard | kitchen window | north-facing room | greenhouse | bathroom | small garden | hallway"),
    "soil": words("sandy soil | peat-free compost | coarse gravel | clay pebbles | leaf mould | cactus mix | bark"),
    "subject": words("""inflation | photosynthesis | a fuse box | the tide | compound interest | vaccination
        | a black hole | public-key encryption | a heat pump | supply and demand | plate tectonics | sourdough
        | a glacier | a search engine | noise cancelling | a rainbow"""),
    "audience": words("a ten-year-old | my grandmother | a new colleague | a curious student | a busy manager"),
    "image": words("""a crowded bridge | a leaking bucket | two people on a seesaw | a library without shelves
        | a queue at the bakery | a locked letter box | a pot with a loose lid | a row of dominoes
        | a rolling snowball"""),
    "effect": words("pressure | demand | heat | speed | trust | distance | cost | light | delay | friction | energy"),
    "field": words("engineers | economists | doctors | farmers | sailors | teachers | bakers | geologists | pilots"),
    "hero": words("""lighthouse keeper | clockmaker | young ferryman | retired detective | baker's apprentice
        | cartographer | night nurse | beekeeper | stage magician | bicycle courier"""),
    "object": words("""brass key | torn map | silver whistle | blue umbrella | cracked mirror | music box | wooden bird
        | sealed envelope | copper coin | stopped watch"""),
    "mood": words("quiet | restless | cheerful | nervous | hopeful | weary | suspicious | proud"),
    "weather": words("fog | snow | a warm wind | heavy rain | thin sunlight | hail | a thunderstorm"),
    "gadget": words("laptop | folding bike | vacuum cleaner | camera | coffee machine | tent | mattress | phone"),
    "feature": words("battery | weight | price | warranty | noise level | repair service | size | display | finish"),
    "skill": words("the cello | Portuguese | sketching | chess | touch typing | swimming | knitting | statistics"),
    "drill": words("slow scales | flash cards | short recordings | mock tests | weekly games | warm-ups"),
    "goal": words("a small concert | an exam | a trip to {city} | a friendly match | a conversation with {person}"),
}  # fmt: skip

PLANTS = Topic(
    "plants",
    prompts=lines("""
        My {PLANT} has {SYMPTOM} since I moved it to the {PLACE}. What can I do?
        How often should I water a {PLANT} in a {PLACE} during {SEASON}?
        Can a {PLANT} and a {PLANT2} share a pot on my {PLACE}?
        {PERSON} gave me a {PLANT}. I kill every plant in my {PLACE}. Any tips for {SEASON}?
    """),
    openers=lines("""
        A {PLANT} with {symptom} is rarely lost, so do not throw it away before {day}.
        In a {PLACE}, a {PLANT} mostly needs light, {soil} and {few} quiet weeks.
    """),
    body=lines("""
        Water it every {few} days, and less in {season}, when {hundred} millilitres are plenty.
        Mix {few} parts of {soil} with one part of {soil} before you repot it.
        With {symptom} the cause is mostly the water; with {symptom} it is mostly the light.
        Keep it {ten} centimetres from the glass, or {symptom} will appear by {season}.
        Below {degree} degrees growth stops, so bring it in from the {place} before {season}.
        A neighbour of mine, {person}, grows a {plant} in a {place} with nothing but {soil}.
        Cut off {few} of the oldest shoots on a dry {day} and clean the knife.
        Lift the pot: if it weighs less than {hundred} grams, a drink of water is overdue.
        Turn it by {ten} degrees every {day}, so that it does not lean towards the {place}.
        Feed it once every {few} weeks, but never a freshly potted {plant}.
        If there are {few} or more small flies, let the top of the {soil} dry out.
        A tray with {soil} under the pot helps against {symptom} when the air is dry.
        Next to a {plant} it gets shade from {hour}:{minute} on, which is just right.
        Check the roots: {symptom} and a sour smell mean fresh {soil} at once.
    """),
    closers=lines("""
        Give it until {season} and judge it then.
        Send me a photo if the {symptom} are back after {few} weeks.
        And if it dies, a {plant} is happy in a {place} too.
    """),
)

EXPLAIN = Topic(
    "explain",
    prompts=lines("""
        Explain {SUBJECT} to {AUDIENCE} in about {HUNDRED} words.
        How is {SUBJECT} connected to {SUBJECT2}? I read that in {CITY} on {DAY}.
        I need {FEW} good examples of {SUBJECT} for a talk to {FIELD}.
        Why do {FIELD} care about {SUBJECT}? Please compare it to {IMAGE}.
    """),
    openers=lines("""
        Picture {image}: that is roughly how {SUBJECT} behaves when {effect} goes up.
        {SUBJECT} sounds harder than it is; {few} ideas are enough.
    """),
    body=lines("""
        Imagine {image}, and then imagine it with {percent} percent more {effect}.
        When {effect} rises, {effect} falls a little later, often after {few} days.
        {field} noticed this around {year}, while they were looking into {effect}.
        The part that surprises {audience} is that {effect} is not used up along the way.
        In numbers: about {percent} percent of the {effect} is lost, and {few} percent comes back.
        It helps to compare it with {subject}, where {effect} plays the same part.
        For {field} it matters because {effect} decides whether {few} out of ten attempts succeed.
        A common mistake is to confuse {effect} with {effect}, as in the picture of {image}.
        You can try it at home with {few} cups, {five} minutes and {image} in mind.
        Not everything is known: {field} still argue about the role of {effect}.
        Without {effect}, {subject} would not work either, as {person} showed in {year}.
        Remember one thing for {day}: more {effect} means less {effect}, up to a limit.
        In {city}, a museum shows it with {image} and {ten} little lamps.
        Think of {person} pushing a swing: a little {effect} at the right time goes far.
    """),
    closers=lines("""
        In one sentence: {SUBJECT} is {image}, only slower.
        If you want the details, ask {field} about {effect} first.
        I can go on with {subject} if this was clear.
    """),
)

STORY = Topic(
    "story",
    prompts=lines("""
        Write a short story about a {HERO} in {CITY} who finds a {OBJECT}.
        Let's play: you are a {MOOD} {HERO} and I have just stolen your {OBJECT}. Begin!
        Tell me a bedtime story with a {HERO}, a {OBJECT} and {WEATHER}.
        Continue: "On {DAY} the {HERO} came home, and the {OBJECT} was gone."
    """),
    openers=lines("""
        There was {weather} over {CITY} when the {HERO} found the {OBJECT}.
        "{few} more steps," whispered the {HERO}, {mood} as ever.
    """),
    body=lines("""
        The {object} lay on the table, and nobody in the {sight} dared to touch it.
        "Is that your {object}?" asked {person}, who had come in from {weather}.
        For {few} days there was {weather}, and the {hero} grew {mood}.
        At {hour}:{minute} the {transport} stopped for no reason beside the {sight}.
        {person} had owned a {object} once, in {year}, and lost it to a {hero}.
        "Give me {few} minutes," said the {hero}, "and I will show you the {sight}."
        Nobody was as {mood} as {person} when {weather} came up from the harbour.
        Behind the {sight} they counted {ten} steps and found a second {object}.
        The {hero} laughed, {mood} and loud, and put the {object} under a coat.
        A letter from {city} said only this: bring the {object}, come on {day}.
        They drank {few} cups of tea while {weather} rattled at the windows of the {sight}.
        It was {person} who first saw that the {object} had a number on it: {hundred}.
        On {day} the {hero} took the {transport} to {city} and never looked back.
        Years later, a {mood} {hero} told it differently, with {weather} and a {object}.
    """),
    closers=lines("""
        And the {OBJECT}? It still lies in the {sight}, waiting for {weather}.
        "Good night," said {person}, and the {HERO} was {mood} at last.
    """),
)

COMPARE = Topic(
    "compare",
    prompts=lines("""
        Which {GADGET} should I buy for {HUNDRED} euros if the {FEATURE} matters most?
        Pros and cons: a used {GADGET} from {YEAR} or a new {GADGET2}?
        {PERSON} wants a {GADGET} for {INTEREST}. What should we look at besides the {FEATURE}?
        Compare two kinds of {GADGET} by {FEATURE} and {FEATURE2}, please.
    """),
    openers=lines("""
        With a {GADGET} the {feature} decides more than the {feature}.
        There is no best {GADGET}, only a best one for {interest} and {hundred} euros.
    """),
    body=lines("""
        **{feature}**: under {hundred} euros you rarely get more than {few} good years.
        A used {gadget} from {year} can be fine if the {feature} has been checked.
        Shops in {city} take a {gadget} back within {ten} days, no matter the {feature}.
        For {interest}, the {feature} is worth {hundred} euros more.
        In a test in {year}, {percent} percent of the buyers complained about the {feature}.
        Try it on a {day}, when the shop is empty and {person} can lend you a {gadget}.
        The cheap one loses {percent} percent of its value by {season}, the dear one {few}.
        If the {feature} is poor, not even the {feature} will make you happy with it.
        **{feature}**: anything above {hundred} grams gets annoying after {few} hours.
        People who like {interest} often regret that they saved on the {feature}.
        Ask for the {feature} in writing, above all with a {gadget} from {city}.
        Spare parts cost {ten} to {hundred} euros, and the {feature} is the first to go.
        My order would be {feature}, then {feature}, and the {feature} last.
    """),
    closers=lines("""
        For {HUNDRED} euros I would take the one with the better {feature}.
        If in doubt, wait until {season}; a {GADGET} is {percent} percent cheaper then.
    """),
)

LEARN = Topic(
    "learn",
    prompts=lines("""
        Make me a plan to learn {SKILL} in {FEW} weeks with {FIVE} minutes a day.
        I started {SKILL} in {YEAR} and gave up. How do I begin again before {SEASON}?
        Is it too late to learn {SKILL} at {TEN}? My goal is {GOAL}.
        Which are better for {SKILL}: {DRILL} or {DRILL2}?
    """),
    openers=lines("""
        With {FIVE} minutes of {drill} a day you will get further than you think.
        For {SKILL}, {drill} come first and {goal} comes later.
    """),
    body=lines("""
        Week {few}: {five} minutes of {drill}, then {drill} until you make no more than {few} mistakes.
        On {day} do only {drill}, and reward yourself with {interest}.
        {person} learned it at {ten} with {drill} and a cheap teacher from {city}.
        After {few} weeks, set yourself {goal} and tell {person} about it.
        If {drill} bore you, switch to {drill} for {few} days.
        Write down every {day} what went well; {ten} words are enough.
        Most people stop in {season}, after about {hundred} hours, so plan a break there.
        A group in {city} meets on {day} at {hour}:{minute} for {drill}.
        Spend no more than {hundred} euros before {goal} is within reach.
        Record yourself, wait {few} days, and listen with {interest} in the background.
        About {percent} percent of the progress comes from {drill}, the rest from sleep.
        For {goal} you need {drill}; for fun, {drill} will do.
        Count the days, not the hours: {few} good days beat one long {day}.
    """),
    closers=lines("""
        By {season} you should be ready for {goal}.
        Tell me on {day} how the {drill} went.
    """),
)

TOPICS = (PLANTS, EXPLAIN, STORY, COMPARE, LEARN)
