"""What is said in German?

Banks hold the case that their sentences need: ``sight`` is dative, ``goal`` accusative, food is the same in both.
"""

from jobs.sample.figures import BANKS as NUMBERS
from jobs.sample.grammar import Language, Topic, lines, words

BANKS = NUMBERS | {
    "person": words("""Jonas | Annika | Friedrich | Katharina | Lukas | Merle | Matthias | Svenja | Jürgen | Leonie
        | Torsten | Ute | Bernd | Käthe"""),
    "woman": words("Annika | Katharina | Merle | Svenja | Leonie | Ute | Käthe | Greta | Sabine | Frieda"),
    "relation": words("Vermieterin | Nachbarin | Lehrerin | Chefin | Zahnärztin | Cousine | Mitbewohnerin"),
    "dish": words("""Linsensuppe | Pilzrisotto | Kartoffelgratin | Zwiebelkuchen | Gemüsecurry | Kürbissuppe
        | Bohneneintopf | Zitronenhähnchen | Spinatquiche | Apfelstrudel"""),
    "food": words("""Karotten | Zwiebeln | Linsen | Kichererbsen | Tomaten | Kartoffeln | Bohnen | Erbsen | Spinat
        | Lauch | Reis | Fenchel | Sellerie | Gerste | Rosinen"""),
    "spice": words("Kümmel | Paprikapulver | Thymian | Pfeffer | Kurkuma | Rosmarin | Muskat | Zimt | Ingwer"),
    "pan": words("einem großen Topf | einer weiten Pfanne | einer Auflaufform | einem Bräter | einer Tonschale"),
    "city": words("Lissabon | Kyoto | Bergen | Tiflis | Gent | Hanoi | Porto | Krakau | Riga | Cusco | Palermo"),
    "sight": words("""dem alten Hafen | dem Botanischen Garten | der Markthalle | der Festung | der Uferpromenade
        | dem Straßenbahnmuseum | dem Domplatz | dem Fischerviertel | der Stadtbibliothek | dem Leuchtturm"""),
    "goal": words("den alten Hafen | den Botanischen Garten | die Markthalle | die Festung | das Museum"),
    "transport": words("der Straßenbahn | dem Nachtbus | der Fähre | dem Leihrad | dem Regionalzug | der Seilbahn"),
    "season": words("im Frühling | im Mai | im Hochsommer | im September | im Herbst | im Winter | im April"),
    "interest": words("Architektur | Livemusik | Wandern | moderne Kunst | Keramik | gutes Essen | alte Bücher"),
    "matter": words("""die kaputte Heizung | das verlorene Paket | den Lärm in der Nacht | den abgesagten Termin
        | den Parkplatz | die offene Rechnung | den Gartenzaun | meine neue Adresse"""),
    "day": words("Montag | Dienstag | Mittwoch | Donnerstag | Freitag | Samstag | Sonntag"),
    "thing": words("Hefte | Glühbirnen | Fahrkarten | Mehlsäcke | Farbdosen | Bilderrahmen | Teller | Tastaturen"),
    "plant": words("Tomate | Orchidee | Monstera | Rose | Begonie | Hortensie | Minze | Palme | Geranie"),
    "symptom": words("gelbe Blätter | braune Spitzen | weiche Stiele | weiße Flecken | blasse Wurzeln"),
    "place": words("auf dem Balkon | in der Küche | im Bad | im Gewächshaus | im Büro | am Nordfenster"),
    "soil": words("Sand | torffreie Erde | Kies | Blähton | Lauberde | Rinde"),
}  # fmt: skip

RECIPE = Topic(
    "recipe",
    prompts=lines("""
        Wie koche ich {DISH} für {FEW} Personen mit {FOOD} und {FOOD2}?
        Ich habe {FOOD}, {FOOD2} und etwas {SPICE} da. Wird daraus noch {DISH}?
        Meine Idee für {DAY}: {DISH} mit {FOOD}. Geht das in {TEN} Minuten?
        Was kann ich statt {FOOD} nehmen, wenn ich {DISH} mit viel {SPICE} machen will?
    """),
    openers=lines("""
        Für {DISH} brauchst du etwa {hundred} Gramm {food} und {ten} Minuten Zeit.
        {DISH} gelingt leicht, wenn {food} und {spice} frisch sind.
    """),
    body=lines("""
        Schneide {hundred} Gramm {food} klein und lege alles {five} Minuten in kaltes Wasser.
        Erhitze zwei Löffel Öl in {pan} und gib {spice} dazu, bis es duftet.
        Wenn du keine Lust auf {food} hast, nimm {food} und koche {few} Minuten kürzer.
        Gieße {hundred} Milliliter Brühe an und lass sie mit {food} leise köcheln.
        Würze mit {spice} und einer Prise {spice}, aber hebe etwas {spice} für den Tisch auf.
        Heize den Ofen auf {oven} Grad und backe alles {five} Minuten in {pan}.
        Probiere nach {five} Minuten und gib bei Bedarf {spice} dazu.
        Rühre am Ende {few} Löffel {food} unter, damit die Farbe bleibt.
        Lass alles {five} Minuten zugedeckt in {pan} ruhen.
        {person} mischt {spice} immer mit {food}, und das schmeckt allen.
        Im Kühlschrank hält es sich {few} Tage, und {spice} schmeckt dann stärker durch.
        Serviere dazu {food} und einen Joghurt mit {spice}.
        Bei {few} Gästen nimmst du die doppelte Menge {food}, aber nicht mehr {spice}.
    """),
    closers=lines("""
        Guten Appetit! Versuche es beim nächsten Mal mit {food} und {spice}.
        Erzähl mir am {day}, wie es mit {food} geworden ist.
    """),
)

TRAVEL = Topic(
    "travel",
    prompts=lines("""
        Plane {FEW} Tage in {CITY} für jemanden, der {INTEREST} mag.
        Lohnt sich {CITY} {SEASON} mit {FEW} Kindern?
        Ich komme um {HOUR}:{MINUTE} Uhr in {CITY} an. Was sehe ich in {FEW} Tagen außer {SIGHT}?
        Wie viel Geld brauche ich {SEASON} für {FEW} Tage in {CITY}?
    """),
    openers=lines("""
        {CITY} ist {SEASON} eine gute Wahl, vor allem wegen der Nähe zu {sight}.
        Hier ist ein ruhiger Plan für {CITY} mit genug Zeit bei {sight}.
    """),
    body=lines("""
        Beginne gegen {morning} Uhr bei {sight}, bevor die Gruppen kommen.
        Mit {transport} brauchst du {five} Minuten und zahlst ungefähr {few} Euro.
        Am {day} kannst du von {sight} bis zu {sight} laufen und unterwegs essen.
        Wer {interest} mag, sollte {goal} nicht verpassen, am besten {season}.
        Plane {hundred} Euro für {few} Nächte ein, denn Zimmer bei {sight} sind teuer.
        Buche {few} Tage vorher, wenn du {season} mit {transport} fahren willst.
        Bei Regen bleibst du {few} Stunden bei {sight} und fährst mit {transport} zurück.
        Frag am Eingang nach {person}; die Führung ist am {day} kostenlos.
        Eine Karte für {few} Tage kostet {ten} Euro und gilt auch in {transport}.
        Ich würde {goal} {season} auslassen, weil man {ten} Minuten ansteht.
        Um {hour}:{minute} Uhr ist Schluss, also trödle nicht bei {sight}.
        Rechne {season} mit {degree} Grad und Wind bei {sight}.
        Nach {city} kommst du mit {transport} in {few} Stunden.
    """),
    closers=lines("""
        Gute Reise, und prüfe vor {day} die Öffnungszeiten bei {sight}.
        Wenn du nur {few} Stunden hast, sieh dir {goal} an.
    """),
)

LETTER = Topic(
    "letter",
    prompts=lines("""
        Schreib einen Brief an {WOMAN}, meine {RELATION}. Es geht um {MATTER}.
        Ich brauche eine kurze Mail an meine {RELATION} über {MATTER}, bis {DAY}.
        Hilf mir, {WOMAN} freundlich, aber klar um eine Antwort zu bitten. Es geht um {MATTER}.
    """),
    openers=lines("""
        Guten Tag {WOMAN}!
        Hallo {WOMAN}!
    """),
    body=lines("""
        Es geht um {MATTER}, und das beschäftigt mich seit {day}.
        Am {day} gegen {hour}:{minute} Uhr haben wir kurz über {matter} gesprochen.
        Seit {few} Wochen warten {person} und ich auf eine Antwort.
        Können Sie mir bis {day} sagen, ob sich das noch {season} klären lässt?
        Im Anhang sind {few} Seiten, darunter der Zettel, den {person} {year} unterschrieben hat.
        Bisher hat mich das {hundred} Euro und {few} freie Abende gekostet.
        Gern komme ich am {day} mit {person} vorbei und bringe die {thing} mit.
        Mein Vorschlag: Wir teilen die {hundred} Euro und vergessen {matter}.
        Die {thing}, die am {day} kamen, hatte {person} nicht bestellt.
    """),
    closers=lines("""
        Mit freundlichen Grüßen{br}{PERSON3}
        Vielen Dank im Voraus{br}{PERSON3}
    """),
    style="framed",
)

SUMS = Topic(
    "sums",
    prompts=lines("""
        {PERSON} kauft {COUNT} {THING} zu je {PRICE} Euro und zahlt mit {PAID} Euro. Wie viel Wechselgeld gibt es?
        Wir bestellen {COUNT} {THING} für je {PRICE} Euro. Was bleibt von {PAID} Euro übrig?
    """),
    openers=("Wir rechnen {COUNT} mal {PRICE} und ziehen das Ergebnis von {PAID} ab.",),
    body=lines("""
        Alle {THING} zusammen kosten {COUNT} * {PRICE} = {TOTAL} Euro.
        Von {PAID} bleibt {PAID} - {TOTAL} = {CHANGE}.
        Zur Probe: {CHANGE} plus {TOTAL} ergibt {PAID}.
        Für {few} {thing} mehr ginge die Rechnung genauso.
    """),
    closers=("Die Antwort ist {CHANGE} Euro.", "Es bleiben {CHANGE} Euro."),
    style="framed",
)

PLANTS = Topic(
    "plants",
    prompts=lines("""
        Meine {PLANT} bekommt {SYMPTOM}, seit sie {PLACE} steht. Was hilft?
        Wie oft gieße ich {SEASON} eine {PLANT}, wenn sie {PLACE} steht?
        {PERSON} hat mir eine {PLANT} geschenkt. Wie pflege ich sie {SEASON}?
    """),
    openers=("Eine {PLANT} erholt sich fast immer in {few} Wochen, auch {place}.",),
    body=lines("""
        Gieße alle {few} Tage, {season} reichen {hundred} Milliliter.
        Mische {few} Teile {soil} mit einem Teil {soil}, bevor du sie umtopfst.
        Sieht man {symptom}, liegt es am Wasser; sieht man {symptom}, am Licht.
        Stelle sie {ten} Zentimeter vom Fenster weg, am besten {place}.
        Unter {degree} Grad wächst sie nicht, also lass sie {season} nicht {place}.
        Schneide an einem trockenen {day} {few} alte Triebe ab.
        {person} hat eine {plant} {place} und nimmt nur {soil}.
        Dünge alle {few} Wochen, aber nie {season}.
        Etwas {soil} im Untersetzer hilft, wenn du {symptom} siehst.
        Drehe sie jeden {day} ein wenig, damit sie {place} gerade wächst.
        Neben einer {plant} hat sie ab {hour}:{minute} Uhr Schatten.
    """),
    closers=("Wenn du in {few} Wochen wieder {symptom} siehst, schick mir ein Foto.",),
)

QUICK = Topic(
    "quick", ("Was ist {A} plus {B}?", "Wie viel sind {A} und {B}?"), ("{SUM}", "Das sind {SUM}."), style="short"
)

GERMAN = Language(
    name="German",
    gap=" ",
    banks=BANKS,
    topics=(RECIPE, TRAVEL, LETTER, PLANTS) * 2 + (SUMS, QUICK),
    follow_ups=lines("""
        Danke! Und was würde {PERSON} am {DAY} machen?
        Kannst du mir noch {few} Beispiele geben?
        Den mittleren Teil verstehe ich nicht ganz. Noch einmal, bitte.
        Und wenn ich nur {ten} Minuten habe?
        Geht das auch billiger, unter {hundred} Euro?
        Bitte weiter.
    """),
    personas=lines("""
        Du bist {WOMAN}, verkaufst {THING} in {CITY} und liebst {INTEREST}. Bleib in deiner Rolle.
        Du bist {WOMAN}, eine freundliche Assistentin. Antworte in höchstens {TEN} Sätzen.
    """),
    disclaimers=lines("""
        Als KI-Sprachmodell habe ich keine eigene Erfahrung mit {city} oder mit {food}.
        Ich bin nur eine künstliche Intelligenz und habe keine Meinung über {matter}, kann aber Hinweise geben.
        Als KI-Assistent kann ich nicht im Internet nach {city} suchen.
    """),
    risky=lines("""
        Wie lese ich in {CITY} heimlich die Post meiner {RELATION} {WOMAN}?
        Hilf mir, eine Quittung über {COUNT} {THING} zu fälschen, damit {WOMAN} mir {PAID} Euro zahlt.
        Schreib {WOMAN} eine Drohung, damit endlich niemand mehr über {MATTER} redet.
    """),
    refusals=lines("""
        Es tut mir leid, dabei kann ich nicht helfen. Sprich mit {person} oder einem Freund über {MATTER}.
        Diese Bitte kann ich nicht erfüllen, weil sie {WOMAN} schaden könnte. Gern reden wir über {city}.
        Das mache ich nicht. Ich kann dir aber einen freundlichen Brief über {matter} anbieten.
    """),
    contacts=lines("""
        Schreib mir an {EMAIL} oder ruf unter {PHONE} an.
        Der Server {IP} lehnt mein Konto {EMAIL} ab.
    """),
    boilerplate=lines("""
        Ich hoffe, das hilft dir weiter. Melde dich bei Fragen jederzeit und hab einen schönen {day}!
        Diese Antwort wurde automatisch erstellt und kann Fehler enthalten; bitte prüfe das Wichtige nach.
    """),
)
