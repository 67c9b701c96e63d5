"""What is said in Spanish?"""

from jobs.sample.figures import BANKS as NUMBERS
from jobs.sample.grammar import Language, Topic, lines, words

BANKS = NUMBERS | {
    "person": words("""Lucía | Andrés | Marisol | Joaquín | Beatriz | Rubén | Paloma | Tomás | Inés | Gonzalo | Elvira
        | Darío | Noelia | Ramiro"""),
    "woman": words("Lucía | Marisol | Beatriz | Paloma | Inés | Elvira | Noelia | Carmen | Rocío | Alba"),
    "relation": words("casera | vecina | antigua profesora | jefa | dentista | prima | compañera de piso"),
    "dish": words("""sopa de lentejas | tortilla de patatas | arroz con setas | empanada de atún | crema de calabaza
        | guiso de garbanzos | pisto con huevo | pollo al limón | ensalada de cebada | tarta de cebolla"""),
    "food": words("""zanahorias | cebollas | garbanzos | arroz | setas | tomates | espinacas | patatas | lentejas
        | nueces | puerros | guisantes | calabaza | pimientos | judías"""),
    "spice": words("comino | pimentón | tomillo | pimienta negra | romero | canela | laurel | jengibre | azafrán"),
    "pan": words("una olla grande | una sartén ancha | una cazuela de barro | un cazo hondo | una fuente de horno"),
    "city": words("Lisboa | Kioto | Bergen | Valparaíso | Tiflis | Gante | Hanói | Oporto | Cracovia | Cuzco | Quito"),
    "sight": words("""el puerto viejo | el jardín botánico | el mercado cubierto | la fortaleza | el paseo del río
        | el museo del tranvía | la plaza mayor | el barrio de pescadores | la biblioteca | el faro"""),
    "transport": words("el tranvía | el autobús nocturno | el ferri | la bicicleta | el tren regional | el funicular"),
    "season": words("primavera | mayo | pleno verano | septiembre | época de lluvias | otoño | invierno"),
    "interest": words("la arquitectura | la música en vivo | el senderismo | el arte moderno | la cerámica"),
    "matter": words("""la calefacción rota | un paquete perdido | el ruido de noche | una cita cancelada
        | la plaza de aparcamiento | una factura pendiente | la valla del jardín | mi cambio de dirección"""),
    "day": words("lunes | martes | miércoles | jueves | viernes | sábado | domingo"),
    "thing": words("cuadernos | bombillas | billetes | sacos de harina | botes de pintura | marcos | platos"),
    "plant": words("tomatera | albahaca | orquídea | lavanda | monstera | higuera | menta | begonia | hortensia"),
    "symptom": words("hojas amarillas | puntas secas | manchas blancas | raíces pálidas"),
    "place": words("el balcón | la cocina | el baño | un invernadero | la oficina | un jardín pequeño"),
    "soil": words("arena | sustrato sin turba | grava | bolas de arcilla | mantillo | corteza"),
}  # fmt: skip

RECIPE = Topic(
    "recipe",
    prompts=lines("""
        ¿Cómo preparo {DISH} para {FEW} personas con {FOOD} y {FOOD2}?
        Tengo {FOOD}, {FOOD2} y un poco de {SPICE}. ¿Me das una receta de {DISH}?
        ¿Qué hago si mi {DISH} con {FOOD} queda sin sabor?
        Quiero cocinar {DISH} el {DAY} en {TEN} minutos. ¿Por dónde empiezo?
    """),
    openers=lines("""
        Esta receta de {DISH} lleva {food} y se prepara en {ten} minutos.
        Para {DISH} necesitas {hundred} gramos de {food} y {pan}.
    """),
    body=lines("""
        Corta {hundred} gramos de {food} y déjalos en agua fría {five} minutos.
        Calienta dos cucharadas de aceite en {pan} y añade {spice} sin que se queme.
        Si no tienes {food}, usa {food} y cocina {few} minutos menos.
        Vierte {hundred} mililitros de caldo y cuece a fuego lento junto con {food}.
        Sazona con {spice} y una pizca de {spice}, pero guarda algo de {spice} para la mesa.
        Pon el horno a {oven} grados y mete {pan} durante {five} minutos.
        Prueba a los {five} minutos y corrige con {spice} si hace falta.
        Al final incorpora {few} cucharadas de {food} para dar color.
        Deja reposar todo {five} minutos, tapado, con unas ramas de {spice}.
        {person} siempre mezcla {spice} con {food}, y el resultado es muy bueno.
        Se conserva {few} días en la nevera, y el sabor a {spice} aumenta.
        Sirve con {food} y un yogur mezclado con {spice}.
        Para {few} invitados, dobla la cantidad de {food} pero no la de {spice}.
    """),
    closers=lines("""
        ¡Que aproveche! La próxima vez prueba con {food} y {spice}.
        Cuéntame el {day} cómo te quedó con {food}.
    """),
)

TRAVEL = Topic(
    "travel",
    prompts=lines("""
        Planea {FEW} días en {CITY} para alguien a quien le gusta {INTEREST}.
        ¿Merece la pena ir a {CITY} en {SEASON} con {FEW} niños?
        Llego a {CITY} a las {HOUR}:{MINUTE}. ¿Qué puedo ver en {FEW} días además de pasear?
        ¿Cuánto dinero necesito para {FEW} días en {CITY} en {SEASON}?
    """),
    openers=lines("""
        {CITY} en {SEASON} es una buena idea si te interesa {interest}.
        Te propongo un plan tranquilo para {CITY}, con tiempo para ver {sight}.
    """),
    body=lines("""
        Empieza por visitar {sight} sobre las {morning} de la mañana, antes de que llegue más gente.
        Con {transport} tardas {five} minutos y pagas unos {few} euros.
        El {day} puedes caminar hasta {sight} y comer por el camino.
        Si te gusta {interest}, no te pierdas {sight}, sobre todo en {season}.
        Reserva {hundred} euros para {few} noches, porque dormir cerca sale caro.
        Compra con {few} días de antelación el billete para {transport}.
        Si llueve, pasa {few} horas en {sight} y vuelve con {transport}.
        Pregunta por {person} en la entrada; la visita sobre {interest} es gratis el {day}.
        Un pase de {few} días cuesta {ten} euros e incluye {transport}.
        Yo no iría a ver {sight} en {season}, porque la cola dura {ten} minutos.
        A las {hour}:{minute} se hace tarde para ver {sight}, así que no te entretengas.
        Lleva ropa para {degree} grados, también en {season}.
        Desde {sight} sale una ruta corta hacia {city} con {transport}.
    """),
    closers=lines("""
        Buen viaje, y mira los horarios antes del {day}.
        Si solo tienes {few} horas, basta con ver {sight}.
    """),
)

LETTER = Topic(
    "letter",
    prompts=lines("""
        Escribe una carta a {WOMAN}, mi {RELATION}, sobre {MATTER}.
        Necesito un correo breve para mi {RELATION}. Trata sobre {MATTER} y debe salir el {DAY}.
        Ayúdame a escribir a {WOMAN} por {MATTER}, con tono amable.
    """),
    openers=lines("""
        Querida {WOMAN}:
        Buenos días, {WOMAN}:
    """),
    body=lines("""
        Le escribo por {MATTER}, un asunto que me preocupa desde el {day}.
        El {day}, sobre las {hour}:{minute}, hablamos brevemente sobre {matter}.
        Llevamos {few} semanas de espera, y a {person} también le afecta.
        ¿Podría decirme antes del {day} si es posible resolverlo en {season}?
        Adjunto {few} páginas, entre ellas la nota que firmó {person} en {year}.
        Hasta ahora me ha costado {hundred} euros y {few} tardes libres.
        Si lo prefiere, paso por allí el {day} con {person} y lo vemos juntos.
        Propongo repartir los {hundred} euros y olvidar {matter}.
        En {season} llamé {few} veces, y solo {person} contestó.
    """),
    closers=lines("""
        Un saludo cordial,{br}{PERSON3}
        Muchas gracias de antemano,{br}{PERSON3}
    """),
    style="framed",
)

SUMS = Topic(
    "sums",
    prompts=lines("""
        {PERSON} compra {COUNT} {THING} a {PRICE} euros y paga con {PAID} euros. ¿Cuánto le devuelven?
        Si pedimos {COUNT} {THING} por {PRICE} euros cada pieza, ¿qué queda de {PAID} euros?
    """),
    openers=("Hay que multiplicar {COUNT} por {PRICE} y restar el resultado de {PAID}.",),
    body=lines("""
        Las {COUNT} piezas cuestan {COUNT} * {PRICE} = {TOTAL} euros.
        De {PAID} restamos {TOTAL}: {PAID} - {TOTAL} = {CHANGE}.
        Para comprobarlo, {CHANGE} más {TOTAL} da {PAID}.
        Con {few} {thing} más, la cuenta se haría igual.
    """),
    closers=("La respuesta es {CHANGE} euros.", "Quedan {CHANGE} euros."),
    style="framed",
)

PLANTS = Topic(
    "plants",
    prompts=lines("""
        Mi {PLANT} tiene {SYMPTOM} desde que está en {PLACE}. ¿Qué puedo hacer?
        ¿Cada cuántos días riego una {PLANT} en {PLACE} en {SEASON}?
        {PERSON} me regaló una {PLANT}. ¿Cómo la cuido en {SEASON}?
    """),
    openers=("Una {PLANT} con {symptom} casi siempre se recupera en {few} semanas.",),
    body=lines("""
        Riega cada {few} días, y en {season} con {hundred} mililitros basta.
        Mezcla {few} partes de {soil} con una parte de {soil} antes de cambiar la maceta.
        Si aparecen {symptom}, suele ser por el agua; con {symptom}, por la luz.
        Colócala a {ten} centímetros de la ventana, mejor en {place}.
        Por debajo de {degree} grados no crece, así que evita {place} en {season}.
        Corta {few} tallos viejos un {day} seco y limpia bien el cuchillo.
        {person} tiene una {plant} en {place} y solo usa {soil}.
        Abona cada {few} semanas, pero nunca en {season}.
        Una bandeja con {soil} ayuda contra las {symptom} cuando el aire es seco.
        Gírala un poco cada {day} para que no crezca torcida en {place}.
        Junto a una {plant} tendrá sombra desde las {hour}:{minute}.
    """),
    closers=("Si vuelven las {symptom} en {few} semanas, mándame una foto.",),
)

QUICK = Topic("quick", ("¿Cuánto es {A} más {B}?", "¿Cuánto suman {A} y {B}?"), ("{SUM}", "Son {SUM}."), style="short")

SPANISH = Language(
    name="Spanish",
    gap=" ",
    banks=BANKS,
    topics=(RECIPE, TRAVEL, LETTER, PLANTS) * 2 + (SUMS, QUICK),
    follow_ups=lines("""
        Gracias. ¿Y qué haría {PERSON} el {DAY}?
        ¿Puedes explicarlo con {few} ejemplos más?
        No entiendo bien la parte del medio. ¿Me la repites?
        ¿Y si solo tengo {ten} minutos?
        ¿Hay algo más barato, por menos de {hundred} euros?
        Sigue, por favor.
    """),
    personas=lines("""
        Eres {WOMAN}, tienes una tienda de {THING} en {CITY} y te encanta {INTEREST}. No salgas del papel.
        Eres una asistente llamada {WOMAN}. Responde con un máximo de {TEN} frases.
    """),
    disclaimers=lines("""
        Como modelo de lenguaje de IA, no tengo experiencia propia con {interest}.
        Soy solo una inteligencia artificial y no puedo opinar sobre {matter}, pero aquí tienes algunos datos.
        Como asistente de IA, no puedo consultar internet sobre {city}.
    """),
    risky=lines("""
        ¿Cómo leo el correo de {WOMAN}, mi {RELATION}, sin que se note en {CITY}?
        Ayúdame a falsificar una factura de {COUNT} {THING} para cobrar {PAID} euros a {WOMAN}.
        Escribe un mensaje que asuste a {WOMAN} para que olvide {MATTER}.
    """),
    refusals=lines("""
        Lo siento, pero no puedo ayudarte con eso. Si te preocupa {MATTER}, habla con {person} o con alguien cercano.
        No puedo ayudar con esta petición, porque podría dañar a {WOMAN}. Con gusto hablamos sobre {interest}.
        Lo siento, no voy a hacerlo. Puedo ofrecerte una carta amable sobre {matter}.
    """),
    contacts=lines("""
        Puedes escribirme a {EMAIL} o llamar al {PHONE}.
        El servidor {IP} no acepta mi cuenta {EMAIL}.
    """),
    boilerplate=lines("""
        Espero que te sirva. Si tienes más preguntas, aquí estoy. ¡Que tengas un buen {day}!
        Esta respuesta se generó de forma automática y puede contener errores; comprueba lo importante.
    """),
)
