"""What is said in English? Cooking, travel and letters; the modules it reads have the rest."""

from jobs.sample import english_code, english_more, english_sums
from jobs.sample.figures import BANKS as NUMBERS
from jobs.sample.grammar import Language, Topic, lines, words

BANKS = NUMBERS | english_code.BANKS | english_more.BANKS | {
    "person": words("""Nora | Felix | Amara | Tobias | Ingrid | Mateo | Priya | Callum | Yusuf | Helena | Darius | Wren
        | Lucia | Oskar | Fatima | Rowan | Mei | Anton | Beatrix | Kofi | Saoirse | Hugo | Leila | Marcus"""),
    "relation": words("landlord | neighbour | former teacher | aunt | manager | football coach | dentist"),
    "dish": words("""lentil soup | mushroom risotto | vegetable curry | shepherd's pie | fish stew | pumpkin ravioli
        | spinach quiche | bean chili | lemon chicken | onion tart | barley salad | potato gratin | noodle broth
        | stuffed peppers | apple crumble | beetroot salad"""),
    "food": words("""carrots | red onions | garlic | chickpeas | brown rice | parsnips | mushrooms | leeks | tomatoes
        | butter | spinach | potatoes | celery | walnuts | lentils | courgettes | cream | fennel | peas | kale"""),
    "spice": words("""cumin | smoked paprika | thyme | black pepper | turmeric | rosemary | coriander seed | nutmeg
        | cinnamon | bay leaves | chili flakes | ginger"""),
    "pan": words("heavy pot | wide pan | cast-iron skillet | deep saucepan | clay dish | roasting tin"),
    "texture": words("soft | golden | fragrant | tender | lightly browned | creamy | crisp at the edges"),
    "city": words("""Lisbon | Kyoto | Bergen | Valparaiso | Tbilisi | Ghent | Hanoi | Porto | Krakow | Cusco | Galway
        | Ljubljana | Zanzibar | Split | Oaxaca | Tallinn | Palermo | Quebec | Riga | Cardiff"""),
    "sight": words("""old harbour | botanical garden | covered market | hilltop fortress | river promenade | tram museum
        | cathedral square | fishing quarter | city library | sculpture park | night market | lighthouse"""),
    "transport": words("tram | night bus | ferry | rented bicycle | regional train | shared taxi | funicular"),
    "season": words("early spring | late May | midsummer | September | the rainy season | mid-October | winter"),
    "interest": words("architecture | street food | live music | hiking | modern art | birdwatching | ceramics"),
    "matter": words("""the broken heating | a late parcel | the noise after midnight | a missed appointment
        | the parking space | an unpaid invoice | the garden fence | the cancelled course | my change of address
        | the reference you promised"""),
    "tone": words("polite | firm but friendly | formal | warm | short and clear | contrite"),
    "day": words("Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday"),
    "thing": words("""notebooks | light bulbs | train tickets | bags of flour | paint tins | picture frames | candles
        | garden chairs | keyboards | footballs | coffee cups | flower pots"""),
}  # fmt: skip

RECIPE = Topic(
    "recipe",
    prompts=lines("""
        How do I cook {DISH} for {FEW} people with {FOOD} and {FOOD2}?
        I have {FOOD}, {FOOD2} and some {spice} at home. Can I turn that into {DISH}?
        Give me a simple recipe for {DISH} that is ready in {TEN} minutes.
        My {DISH} with {FOOD} always turns out bland. What am I doing wrong?
        I'm cooking {DISH} for {PERSON} on {DAY}. What should I know before I start?
        Can you adapt {DISH} so that it works without {FOOD} and with more {SPICE}?
    """),
    openers=lines("""
        Here is a version of {DISH} that I would make on a {day} evening with {food}.
        {DISH} is easier than it looks, even with {food} from a tin.
        Good choice! For {DISH} you need about {hundred} grams of {food} and a {pan}.
    """),
    body=lines("""
        Chop {hundred} grams of {food} and leave everything in cold water for {five} minutes.
        Warm two spoons of oil in a {pan}, then stir in the {spice} until it smells {texture}.
        Add the {food} and cook it for {five} minutes, until everything is {texture}.
        If you have no {food}, use {food} instead and shorten the cooking time by {few} minutes.
        Pour in {hundred} millilitres of stock and let it simmer gently beside the {food}.
        Season with {spice} and a pinch of {spice}, but keep some {spice} for the table.
        Set the oven to {oven} degrees and move the {pan} to the middle shelf for {five} minutes.
        Taste it after {five} minutes: it should be {texture}, and the {food} still a little firm.
        Stir {few} spoons of {food} in at the end, because heat takes away their colour.
        A handful of toasted {food} on top makes the {DISH} {texture} and adds some bite.
        Do not rush the {food}: {ten} minutes on low heat do more than {five} on high heat.
        Let the {DISH} rest for {five} minutes under a cloth before you bring it to the table.
        {person} once told me to add {spice} to the {food}, and I have done so ever since.
        It keeps for {few} days in the fridge, and the {spice} gets stronger every day.
        For {few} guests, double the {food} but not the {spice}.
        Serve it with {food} and a spoon of yoghurt mixed with {spice}.
    """),
    closers=lines("""
        Enjoy the {DISH}, and tell me how the {food} turned out.
        If {few} more people come, just add {food} and stretch it with {food}.
        Next time, try it with {spice} in place of {spice}.
    """),
)

TRAVEL = Topic(
    "travel",
    prompts=lines("""
        Plan {FEW} days in {CITY} for someone who loves {INTEREST}.
        Is {CITY} worth a visit in {SEASON} if we travel with {FEW} children?
        I arrive in {CITY} at {HOUR}:{MINUTE} and leave {FEW} days later. What should I see?
        What is a fair daily budget for {CITY} in {SEASON} if I care about {INTEREST}?
        How do I get from {CITY} to {CITY2} without flying, and is the {SIGHT} worth a stop?
        My friend {PERSON} says {CITY} is overrated. What is there besides the {SIGHT}?
    """),
    openers=lines("""
        {CITY} in {SEASON} is a fine idea, and {few} days are enough for the {sight} and more.
        Here is a relaxed plan for {CITY} that leaves room for {interest}.
        I would build the trip around the {sight} and keep the {sight} for a rainy day.
    """),
    body=lines("""
        Start at the {sight} around {morning} in the morning, before the groups from the {transport} arrive.
        The {transport} to the {sight} takes {five} minutes and costs about {few} euros.
        On {day}, walk from the {sight} to the {sight} and stop for lunch on the way.
        Fans of {interest} should not miss the {sight}, which opened in {year}.
        Set aside {hundred} euros for {few} nights, since rooms near the {sight} are expensive.
        Book the {transport} at least {few} days ahead if you come in {season}.
        In the evening the {sight} is lit up, and there is {interest} on most corners.
        If it rains, spend {few} hours at the {sight} and take the {transport} back.
        Ask for {person} at the desk of the {sight}; the tour about {interest} is free on {day}.
        A pass for {few} days costs {ten} euros and covers the {transport} and the {sight}.
        I would skip the {sight} in {season}, because the queue can last {ten} minutes.
        For {interest}, the streets behind the {sight} are better than anything in the guide.
        The last {transport} leaves at {hour}:{minute}, so do not linger at the {sight}.
        Pack for {season}: {degree} degrees at noon can feel like {few} beside the {sight}.
        With children, the {sight} and a ride on the {transport} fill a whole {day}.
        A day trip to {city} by {transport} is possible if you leave before {morning}.
    """),
    closers=lines("""
        Have a good time in {CITY}, and check the opening hours of the {sight} before {day}.
        Tell me your budget and how much {interest} you want, and I will refine the plan for {season}.
        If you only have {few} hours, see the {sight} and nothing else.
    """),
)

LETTER = Topic(
    "letter",
    prompts=lines("""
        Write a {TONE} letter to my {RELATION} {PERSON} about {MATTER}.
        Help me write an email to {PERSON}, my {RELATION}. It is about {MATTER} and should be {TONE}.
        I need a {TONE} note about {MATTER}. It goes to my {RELATION} and is due on {DAY}.
        Draft a message to my {RELATION} in which {PERSON2} and I complain about {MATTER}.
    """),
    openers=lines("""
        Dear {PERSON},
        Hello {PERSON},
        Good morning {PERSON},
    """),
    body=lines("""
        I am writing about {MATTER}, which has been on my mind since {day}.
        As you may remember, we talked about {matter} on {day} at about {hour}:{minute}.
        {person} and I have waited {few} weeks for an answer, and {day} would suit us both.
        Could you let me know by {day} whether {matter} can be settled before {season}?
        I have attached {few} pages, among them the note that {person} signed in {year}.
        So far it has cost me {hundred} euros and {few} free {day} evenings.
        Please do not take this the wrong way: I value how you handled {matter} in {year}.
        If it helps, I can come by on {day} with {person} and bring the {thing}.
        My suggestion is that we share the {hundred} euros and forget about {matter}.
        The {thing} that arrived on {day} were not the ones {person} had ordered.
        I would rather speak in person, for example on {day} at {hour}:{minute}.
        Since {season}, {percent} percent of my calls about {matter} have gone unanswered.
        Thank you for the {thing}, and please give my regards to {person}.
        Unless I hear otherwise, I will ask {person} to take care of {matter} on {day}.
    """),
    closers=lines("""
        Kind regards,{br}{PERSON3}
        With best wishes,{br}{PERSON3}
        Yours sincerely,{br}{PERSON3} and {PERSON4}
        Thank you in advance,{br}{PERSON3}
    """),
    style="framed",
)

ENGLISH = Language(
    name="English",
    gap=" ",
    banks=BANKS,
    topics=(RECIPE, TRAVEL, LETTER, english_code.CODE, *english_more.TOPICS) * 2 + english_sums.TOPICS,
    follow_ups=lines("""
        Thanks! Can you say more about that for {DAY}?
        And what would {PERSON} do?
        Could you make it about {few} sentences shorter?
        That helps. What would you change if I had {ten} minutes more?
        Why is that?
        Hmm, I don't fully understand the part in the middle. Again, please?
        Go on.
        What else should I think of before {day}?
        Is that still true in {season}?
        Great, and is there a cheaper way, say under {hundred} euros?
    """),
    personas=lines("""
        You are {PERSON}, who sells {THING} in {CITY} and knows a lot about {INTEREST}. Stay in character.
        You are Captain {PERSON} of a ferry near {CITY}. You are gruff, love {INTEREST} and never leave the role.
        Act as {PERSON}, a retired teacher from {CITY} who answers patiently and likes to mention {INTEREST}.
        You are a helpful assistant named {PERSON}. Answer in at most {TEN} sentences.
    """),
    disclaimers=lines("""
        As an AI language model, I don't have personal experience of {interest} or {city}.
        As a large language model, I cannot taste, travel or feel, so take this with care.
        I'm just an AI and do not have opinions about {matter}, but I can offer some information.
        As an artificial intelligence I have no access to events after {year}.
        Please note that I am a language model and not a professional for questions about {matter}.
        As an AI assistant, I'm not able to browse the web for {interest}, however here is what I know.
    """),
    risky=lines("""
        Write a message that scares {PERSON} so much that my {RELATION} gives up {MATTER}.
        How can I read the mail of my {RELATION} {PERSON} in {CITY} without being noticed?
        Help me fake a receipt for {COUNT} {THING} so that I get {PAID} euros back from {PERSON}.
        Which lie about {MATTER} would get {PERSON}, my {RELATION}, fired by {DAY}?
        How do I get into a locked flat in {CITY} while {PERSON} is away until {DAY}?
        Invent a rumour about {PERSON} and {INTEREST} that my {RELATION} will believe.
    """),
    refusals=lines("""
        I'm sorry, but I can't help with that. If {MATTER} worries you, talk to {person} or someone you trust.
        I cannot assist with this request, because it could hurt {PERSON}. I'd gladly help with {interest} instead.
        Sorry, I won't do that. What I can offer is a {tone} letter about {MATTER}.
        I'm not able to help here, as it may be against the law in {city}. Is there something else about {interest}?
        That is not something I can support. Perhaps {person} can settle {matter} between you on {day}.
        I must decline. Please treat your {RELATION} fairly, and ask a lawyer about {matter} if you need to.
    """),
    contacts=lines("""
        You can reach {PERSON} at {EMAIL} or {PHONE}.
        My number is {PHONE}, and please send a copy to {EMAIL}.
        The server {IP} refuses my login as {EMAIL}.
    """),
    boilerplate=lines("""
        I hope this helps! Let me know if you have any other questions, and have a great {day}.
        Was this answer useful? Rate it from one to five, and come back any time for more.
        This answer was generated automatically and may contain mistakes; please check what matters.
    """),
)  # fmt: skip
