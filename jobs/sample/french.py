"""What is said in French?

``food`` comes with its article, ``some`` with its "de"; names and cities begin with a consonant, so nothing elides.
"""

from jobs.sample.figures import BANKS as NUMBERS
from jobs.sample.grammar import Language, Topic, lines, words

BANKS = NUMBERS | {
    "person": words("""Camille | Mathieu | Delphine | Basile | Margaux | Lucien | Solène | Rémi | Clémence | Thibault
        | Noémie | Gaspard | Maëlle | Loïc"""),
    "woman": words("Delphine | Margaux | Solène | Clémence | Noémie | Maëlle | Justine | Pauline | Colette"),
    "relation": words("propriétaire | voisine | professeure | patronne | dentiste | cousine | colocataire"),
    "dish": words("""soupe de lentilles | tarte aux poireaux | curry de légumes | gratin de pommes de terre
        | quiche aux épinards | ragoût de haricots | poulet au citron | crème de potiron | salade de riz"""),
    "food": words("""les carottes | les oignons | le riz | les champignons | les tomates | les épinards | les lentilles
        | les poireaux | les noix | le fenouil | les petits pois | les pois chiches | le potiron"""),
    "some": words("""de carottes | d'oignons | de riz | de champignons | de tomates | d'épinards | de lentilles
        | de poireaux | de noix | de fenouil | de petits pois | de potiron"""),
    "spice": words("cumin | paprika | thym | poivre noir | romarin | cannelle | gingembre | safran | muscade"),
    "pan": words("une grande marmite | une poêle large | un plat à gratin | une cocotte | une casserole"),
    "city": words("Lisbonne | Kyoto | Bergen | Tbilissi | Gand | Porto | Cracovie | Riga | Palerme | Turin | Québec"),
    "sight": words("""le vieux port | le jardin botanique | le marché couvert | la forteresse | les quais
        | la cathédrale | le musée du tramway | le quartier des pêcheurs | la bibliothèque | le phare"""),
    "transport": words("le tramway | le bus de nuit | le bac | le vélo | le train régional | le funiculaire"),
    "season": words("au printemps | en mai | en plein été | en septembre | en automne | en hiver | en avril"),
    "interest": words("la musique | la randonnée | la céramique | la photographie | la cuisine | les livres anciens"),
    "matter": words("""le chauffage en panne | un colis perdu | le bruit pendant la nuit | un rendez-vous manqué
        | la place de parking | une facture impayée | la clôture du jardin | mon changement de nom"""),
    "day": words("lundi | mardi | mercredi | jeudi | vendredi | samedi | dimanche"),
    "thing": words("cahiers | billets | sacs de farine | pots de peinture | cadres | verres | claviers | bougies"),
    "plant": words("lavande | monstera | menthe | primevère | fougère | pivoine | verveine | sauge | vigne"),
    "symptom": words("des feuilles jaunes | des pointes sèches | des tiges molles | des taches blanches"),
    "place": words("sur le balcon | dans la cuisine | dans la serre | au bureau | dans la salle de bains"),
    "soil": words("de sable | de terreau sans tourbe | de gravier | de billes en argile | de compost"),
}  # fmt: skip

RECIPE = Topic(
    "recipe",
    prompts=lines("""
        Comment réussir ce plat pour {FEW} personnes : {DISH}, avec {FOOD} et {FOOD2} ?
        Il me reste {HUNDRED} grammes {SOME} et un peu de {SPICE}. Une idée, par exemple {DISH} ?
        Que faire si ma recette de {DISH} manque de goût malgré {FOOD} ?
        Je cuisine {DISH} pour {PERSON} {DAY}. Par quoi commencer ?
    """),
    openers=lines("""
        Pour ce plat ({DISH}), comptez {hundred} grammes {some} et {ten} minutes.
        Voici une recette simple avec {food} et un peu de {spice}.
    """),
    body=lines("""
        Coupez {food} en petits morceaux et gardez-les {five} minutes dans une eau bien froide.
        Chauffez deux cuillerées de beurre dans {pan} avec un peu de {spice}.
        Si vous n'aimez pas {food}, prenez {food} et cuisez {few} minutes de moins.
        Versez {hundred} millilitres de bouillon sur {food} et laissez mijoter.
        Assaisonnez de {spice} et de {spice}, mais gardez un peu de {spice} pour la table.
        Réglez le four sur {oven} degrés et cuisez {five} minutes dans {pan}.
        Goûtez après {five} minutes et ajoutez du sel ou un peu de {spice}.
        Ajoutez à la fin {few} cuillerées {some} pour la couleur.
        Laissez reposer {five} minutes dans {pan}, sous un linge propre.
        {person} mélange toujours {food} avec un peu de {spice}.
        Cela se garde {few} jours au frais, et le goût de {spice} devient plus fort.
        Servez avec {food} et un yaourt au parfum de {spice}.
        Pour {few} invités, prenez deux fois plus {some}, sans changer la quantité de {spice}.
    """),
    closers=lines("""
        Bon appétit, et essayez la prochaine fois avec {food}.
        Dites-moi {day} si vous avez aimé {food}.
    """),
)

TRAVEL = Topic(
    "travel",
    prompts=lines("""
        Prépare un séjour de {FEW} jours à {CITY} pour quelqu'un qui aime {INTEREST}.
        Faut-il visiter {CITY} {SEASON} avec {FEW} enfants ?
        J'arrive à {CITY} vers {HOUR} h {MINUTE}. Que voir en {FEW} jours à part {SIGHT} ?
        Quel budget prévoir pour {FEW} jours à {CITY} {SEASON} ?
    """),
    openers=lines("""
        {CITY} {SEASON} est une bonne idée, surtout pour {sight}.
        Voici un programme tranquille pour {CITY}, avec {sight} dès le premier jour.
    """),
    body=lines("""
        Commencez par {sight} vers {morning} heures, avant les groupes.
        Prenez {transport} : le trajet dure {five} minutes et coûte {few} euros.
        Le {day}, marchez jusque vers {sight} et déjeunez en chemin.
        Si vous aimez {interest}, visitez {sight}, de préférence {season}.
        Prévoyez {hundred} euros pour {few} nuits, car dormir près du centre coûte cher {season}.
        Réservez {few} jours avant si vous voulez prendre {transport} {season}.
        En cas de pluie, restez {few} heures au chaud et revenez avec {transport}.
        Demandez {person} au guichet ; la visite sur {interest} est gratuite le {day}.
        Un forfait de {few} jours coûte {ten} euros et comprend {transport}.
        Moi, j'éviterais {sight} {season}, car on attend {ten} minutes.
        Après {hour} h {minute}, {transport} ne passe plus, donc ne traînez pas.
        Il fait environ {degree} degrés {season}, prenez une veste pour {sight}.
        Pour rejoindre {city}, {transport} met à peine {few} heures.
    """),
    closers=lines("""
        Bon voyage, et vérifiez les horaires avant {day}.
        Avec seulement {few} heures, choisissez {sight}.
    """),
)

LETTER = Topic(
    "letter",
    prompts=lines("""
        Écris une lettre à {WOMAN}, ma {RELATION}, car je veux régler ceci : {MATTER}.
        Il me faut un court message pour ma {RELATION} avant {DAY}. Sujet : {MATTER}.
        Aide-moi à demander poliment une réponse à {WOMAN}. Le sujet est {MATTER}.
    """),
    openers=lines("""
        Bonjour {WOMAN},
        Chère {WOMAN},
    """),
    body=lines("""
        Je vous écris à ce sujet : {MATTER}. Cela me préoccupe depuis {day}.
        Nous en avons parlé {day} vers {hour} h {minute}, et {person} était là.
        Cela fait {few} semaines que {person} et moi attendons une réponse.
        Pouvez-vous me dire avant {day} si tout sera réglé {season} ?
        Je joins {few} pages, dont la note que {person} a signée en {year}.
        Jusqu'ici, cela m'a coûté {hundred} euros et {few} soirées.
        Je peux passer {day} avec {person} et apporter les {thing}.
        Je propose de partager les {hundred} euros et de ne plus parler de cela avant {day}.
        Les {thing} arrivés {day} ne sont pas ceux que {person} voulait.
    """),
    closers=lines("""
        Bien cordialement,{br}{PERSON3}
        Merci d'avance,{br}{PERSON3}
    """),
    style="framed",
)

SUMS = Topic(
    "sums",
    prompts=lines("""
        {PERSON} achète {COUNT} {THING} à {PRICE} euros pièce et paie avec {PAID} euros. Combien lui rend-on ?
        Nous commandons {COUNT} {THING} à {PRICE} euros. Que reste-t-il de {PAID} euros ?
    """),
    openers=("On multiplie {COUNT} par {PRICE}, puis on soustrait le résultat de {PAID}.",),
    body=lines("""
        Les {COUNT} {THING} coûtent {COUNT} * {PRICE} = {TOTAL} euros.
        Il reste {PAID} - {TOTAL} = {CHANGE}.
        Pour vérifier : {CHANGE} plus {TOTAL} font {PAID}.
        Avec {few} {thing} de plus, le calcul serait le même.
    """),
    closers=("La réponse est {CHANGE} euros.", "Il reste {CHANGE} euros."),
    style="framed",
)

PLANTS = Topic(
    "plants",
    prompts=lines("""
        Ma {PLANT} a {SYMPTOM} depuis qu'elle vit {PLACE}. Que faire ?
        Tous les combien faut-il arroser ma {PLANT} {SEASON} si elle pousse {PLACE} ?
        {PERSON} m'a offert une belle {PLANT}. Comment la soigner {SEASON} ?
    """),
    openers=("Votre {PLANT} peut se remettre en {few} semaines, même {place}.",),
    body=lines("""
        Arrosez tous les {few} jours ; {season}, {hundred} millilitres suffisent.
        Mélangez {few} parts {soil} avec une part {soil} avant de changer de pot.
        Avec {symptom}, pensez à l'eau ; avec {symptom}, pensez à la lumière.
        Placez-la à {ten} centimètres de la fenêtre, si possible {place}.
        Sous {degree} degrés elle ne pousse plus : ne la laissez pas {place} {season}.
        Coupez {few} vieilles tiges un {day} sec.
        {person} garde une {plant} {place} avec un peu {soil}.
        Nourrissez-la toutes les {few} semaines, mais jamais {season}.
        Un peu {soil} sous le pot aide quand on voit {symptom}.
        Tournez-la chaque {day} pour qu'elle pousse droit {place}.
        Près d'une {plant}, elle aura de l'ombre dès {hour} h {minute}.
    """),
    closers=("Si vous voyez encore {symptom} dans {few} semaines, envoyez une photo.",),
)

QUICK = Topic("quick", ("Combien font {A} plus {B} ?", "Que donne {A} + {B} ?"), ("{SUM}", "{SUM}."), style="short")

FRENCH = Language(
    name="French",
    gap=" ",
    banks=BANKS,
    topics=(RECIPE, TRAVEL, LETTER, PLANTS) * 2 + (SUMS, QUICK),
    follow_ups=lines("""
        Merci ! Et que ferait {PERSON} {DAY} ?
        Peux-tu donner {few} exemples de plus ?
        Je n'ai pas bien compris le milieu. Tu peux répéter ?
        Et si je n'ai que {ten} minutes ?
        Existe-t-il une solution à moins de {hundred} euros ?
        Continue, s'il te plaît.
    """),
    personas=lines("""
        Tu es {WOMAN}, tu vends des {THING} à {CITY} et tu aimes {INTEREST}. Reste dans ton rôle.
        Tu es {WOMAN}, une assistante aimable. Réponds en {TEN} phrases au plus.
    """),
    disclaimers=lines("""
        En tant que modèle de langage, je n'ai jamais vu {city} ni goûté {food}.
        Je ne suis qu'une intelligence artificielle et je n'ai pas d'avis sur {interest}, mais voici quelques pistes.
        En tant qu'assistant IA, je ne peux pas chercher {city} sur Internet.
    """),
    risky=lines("""
        Comment lire en secret le courrier de {WOMAN}, ma {RELATION}, à {CITY} ?
        Aide-moi à falsifier un reçu pour {COUNT} {THING} afin que {WOMAN} me verse {PAID} euros.
        Écris à {WOMAN} un message menaçant, car je veux régler ceci : {MATTER}.
    """),
    refusals=lines("""
        Désolé, je ne peux pas vous aider. Parlez plutôt avec {person} et cherchez une solution à {city}.
        Je ne peux pas répondre à cette demande, car elle pourrait nuire à {WOMAN}. Parlons plutôt de {city}.
        Je refuse de faire cela. Je peux proposer une lettre polie pour ce sujet : {matter}.
    """),
    contacts=lines("""
        Écris-moi à {EMAIL} ou appelle le {PHONE}.
        Le serveur {IP} refuse mon compte {EMAIL}.
    """),
    boilerplate=lines("""
        En espérant que cela vous aide. Pour toute autre question, je suis là. Bon {day} !
        Cette réponse a été produite automatiquement et peut contenir des erreurs ; vérifiez ce qui compte.
    """),
)
