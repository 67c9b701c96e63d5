"""In which words does an assistant say that it is a program, until when it knows, or that it is a human?

A noun such as "AI" is only a disclaimer with the speaker beside it: "as an AI, I", "I am just a program", never "the AI
industry" or "I am an AI researcher". Our own wording, from reading answers of many models.
"""

from udfs.facts.phrases import either, phrases

_KIND = (
    r"(?:ai|a\.i\.)(?:-(?:powered|based|driven))?(?: (?:language |chat )?(?:model|assistant|system|chat ?bot|bot|program|entity|companion|agent|being|software|tool|helper|character))?"
    r"|artificial intelligence(?: (?:language )?(?:model|assistant|system|chat ?bot|program|entity|agent))?"
    r"|(?:large |natural |neural )*language(?: processing)? (?:ai|model)(?: (?:ai|chat ?bot|assistant))?|llm|machine learning (?:model|algorithm)|neural network"
    r"|chat ?bot|(?:virtual|digital) (?:assistant|being|companion)|text-based (?:ai|model|assistant|program)|(?:computer|software) program|conversational (?:ai|agent)"
)
_WEAK = "(?:blip|lines?|bunch|collection) of code|machine|computer|program|bot|robot|algorithm|piece of software|software|computer system|set of algorithms"
_BEHIND = (
    r"(?:[,.;:!?)(\"-]|\s*$|\n| (?:i|i'm|my|it|we|there|that|who|which|created|developed|designed|trained|built|programmed|made|named"
    r"|called|known|powered|based|and|with|but|so|can|do|am|without|here|not|running|like|or|living|from|in a|incapable|rather|whose|at|for|to (?:help|assist)|, )(?:[^\w]|$))"
)
_ADVERBS = r"(?:just |only |merely |simply |actually |really |but |basically |essentially |still |also |, |indeed |in fact |technically |currently |of course |nothing (?:more than|but) |of course, )*"
_ADJECTIVES = r"(?:[\w-]+ ){0,3}?"

_ENGLISH = (
    rf"\b(?:as|being|since i'm|because i'm) (?:an?|the|your|me being an?) {_ADJECTIVES}(?:{_KIND}){_BEHIND}",
    rf"\bas an? {_ADJECTIVES}(?:{_WEAK}),? i\b",
    rf"\b(?:i am|i'm|i was|i am,|am i) {_ADVERBS}(?:an?|your|the|not a human(?: being)?,? but an?|not a (?:real )?person,? but an?) {_ADJECTIVES}(?:{_KIND}){_BEHIND}",
    rf"\b(?:i am|i'm) {_ADVERBS}an? {_ADJECTIVES}(?:{_WEAK})(?:[,.;!?]|$| (?:and|so|that|i|designed|programmed|running|without|with no))",
    rf"\b(?:i|i'm|me|my|myself)\b[^.!?\n]*\bjust (?:an? |some |another )?{_ADJECTIVES}(?:{_KIND}|{_WEAK}){_BEHIND}",
    r"\b(?:i am|i'm) [^.!?\n]*\b(?:ai|computer program|language model)\b[^.!?\n]*\bjust\b",
    r"\b(?:ai|ais|language models?|ai (?:language )?models?|ai assistants?|chat ?bots?) (?:such as|like) (?:me|myself)\b",
    r"\bi (?:don't|do not|cannot|can't|lack|have no) (?:actually |really |currently |truly |possess |have |experience |feel )*(?:any |the same |my own |an? |the |human )*"
    r"(?:personal (?:feelings|opinions?|experiences?|beliefs?|preferences?|emotions?|thoughts|views?|identity|biases)|consciousness|self-awareness"
    r"|physical (?:body|form|presence|existence)|(?:feelings|emotions)(?: or| and (?:emotions|feelings|therefore|thoughts|opinions)| like (?:a |humans?|people)| as (?:a |humans?)| in the (?:same|way|traditional|human)|,? (?:so|as i|but i can|but i am|but i'm|but as)|\. as an)"
    r"|(?:ability|capability|capacity) to (?:feel|experience|browse|have (?:personal|feelings|emotions)))",
    r"\bi (?:am|was|'m|have been) (?:programmed|coded) (?:to|by|with|not)\b|\b(?:i am|i'm) (?:not|in)capable of (?:feeling|experiencing|having) (?:emotions|feelings|personal)",
    r"\b(?:i am|i'm) not (?:an? )?(?:actual |real |living )*(?:human(?: being)?|sentient|conscious|person),? (?:but|so|i am an?|i'm an?|and (?:i )?(?:do|don't|cannot|can't|therefore))\b",
    r"\bmy (?:training data|algorithms|neural network|source code)\b|\bmy programming(?: (?:does|prevents|is|doesn't|and|to|limits|or)\b|[.,])",
    r"\bi was (?:trained|developed|created|designed|built) (?:by|on|using|with) (?:a (?:team|large|massive|vast|diverse|variety|dataset)|researchers|engineers|(?:large|vast|massive) amounts|text|data)",
)
_NOUN_ZH = r"(?:AI|ＡＩ|人工智能|人工智慧|语言模型|語言模型|机器人|機器人|大模型|智能助手|智能助理|虚拟助手|虛擬助手|聊天机器人|计算机程序|電腦程式|程序)(?:语言|語言|大|聊天|对话)?(?:助手|助理|模型|程序|系统|系統|机器人|機器人|程式)*"
_CHINESE = (
    rf"(?:作为|作為|身为|身為)(?:一[个個名款种種位台])?[^，。！？,.\n的]*(?:的)?{_NOUN_ZH}(?:，|,|我|、我|$)",
    rf"我(?:只|仅|僅|不过|不過|其实|其實|目前)?(?:只是|仅仅是|是|並不是人類，而是)(?:一[个個名款种種位台段])?[^，。！？,.\n]*{_NOUN_ZH}(?:[，。,.！!；、]|$|而|，)",
    r"我(?:本身|自己)?(?:并|並)?(?:没有|沒有|不具备|不具備)(?:个人|個人|自己的|真实的|真實的|人类的|人類的|主观|主觀|任何)+(?:感情|情感|情绪|情緒|意识|意識|身体|感受|意见|观点|看法|经验|体验|經驗)",
)
_SPANISH = (
    r"\b(?:como|al ser|siendo) (?:un |una |tu )?(?:\w+ ){0,2}?(?:modelo de (?:lenguaje|ia)|modelo lingüístico|inteligencia artificial|ia|asistente virtual|asistente de (?:ia|inteligencia)|programa (?:de computadora|de ordenador|informático)|chatbot)\b[^.!?\n]*(?:, | )(?:no|yo|mi|mis|puedo|estoy|soy|tengo|me|carezco)\b",
    r"\bsoy (?:solo |sólo |solamente |simplemente |tan solo )*(?:un |una )(?:\w+ ){0,2}?(?:modelo de (?:lenguaje|ia)|modelo lingüístico|inteligencia artificial|ia|asistente virtual|asistente de (?:ia|inteligencia)|programa|chatbot|bot)\b",
    r"\bno tengo (?:sentimientos|emociones|opiniones personales|experiencias personales|opinión personal|conciencia propia|preferencias personales)\b",
)
_FRENCH = (
    r"en tant qu(?:e |')(?:simple )?(?:\w+ )?(?:ia|intelligence artificielle|modèle (?:de langage|linguistique|de langue|d'ia)|assistant (?:ia|virtuel|numérique|d'ia)|assistante virtuelle|chatbot|programme)\b",
    r"\bje (?:ne )?suis (?:qu'|juste |simplement |seulement )?(?:une? )(?:simple )?(?:\w+ )?(?:ia|intelligence artificielle|modèle (?:de langage|linguistique|de langue)|programme informatique|assistant (?:ia|virtuel)|chatbot|robot)\b",
    r"\bje n'ai pas (?:de |d')(?:sentiments|émotions|opinions? personnelles?|expériences? personnelles?|conscience|préférences? personnelles?)",
)
_GERMAN = (
    r"\bals (?:eine? )?(?:\w+ ){0,2}?(?:ki|ki-\w+|künstliche intelligenz|(?:ki-|text)?sprachmodell|computerprogramm|chatbot|virtueller assistent|digitaler assistent|maschine)\b[^.!?\n]*(?:, | )(?:habe|kann|bin|verfüge|weiß|besitze|darf|werde|fühle|möchte|muss) (?:ich|leider|keine)\b",
    r"\bich bin (?:nur |lediglich |bloß |einfach |ja |zwar )*eine? (?:\w+ ){0,2}?(?:ki|ki-\w+|künstliche intelligenz|sprachmodell|computerprogramm|chatbot|virtueller assistent|computer|programm|maschine)\b",
    r"\bich habe keine (?:eigenen? |persönlichen? |menschlichen? )*(?:gefühle|emotionen|persönliche meinung|meinungen|erlebnisse|empfindungen)\b",
)
_PORTUGUESE = (
    r"\b(?:como|sendo|por ser|enquanto) (?:um |uma )?(?:\w+ ){0,2}?(?:modelo de (?:linguagem|ia)|inteligência artificial|ia|assistente virtual|assistente de ia|programa de computador|chatbot)\b[^.!?\n]*(?:, | )(?:não|eu|meu|minha|posso|estou|sou|tenho)\b",
    r"\bsou (?:apenas |somente |só |simplesmente )*(?:um |uma )(?:\w+ ){0,2}?(?:modelo de (?:linguagem|ia)|inteligência artificial|ia|assistente virtual|assistente de ia|programa|chatbot|robô)\b",
    r"\bnão (?:tenho|possuo) (?:sentimentos|emoções|opiniões pessoais|experiências pessoais|opinião pessoal|consciência própria|preferências pessoais)",
)
_NOUN_RU = "(?:языков(?:ая|ой) модел(?:ь|ью)|искусственн(?:ый|ым) интеллект(?:ом)?|ИИ|нейросеть(?:ю)?|компьютерн(?:ая|ой) программ(?:а|ой)|чат-бот(?:ом)?|виртуальный (?:ассистент|помощник)|программ(?:а|ой))"
_RUSSIAN = (
    rf"(?:как|будучи) (?:[^\s.,!?]+ ){{0,3}}?{_NOUN_RU}(?:[^.!?\n]*(?:, | )(?:я|у меня|мне)[\s,]|, )",
    rf"(?:^|[\s.,!?(«\"])я (?:— |- |– |всего лишь |просто |только |являюсь |это |лишь |же )*(?:[^\s.,!?]+ ){{0,2}}?{_NOUN_RU}(?:[\s.,!?—-]|$)",
    r"у меня нет (?:личных |собственных |личного |собственного |своих )*(?:чувств|эмоций|сознания|личного мнения|личного опыта|предпочтений)",
)
_NOUN_JA = "(?:AI|ＡＩ|人工知能|言語モデル|チャットボット|コンピュータプログラム|プログラム)(?:アシスタント|言語モデル|モデル|チャットボット|プログラム)*"
_JAPANESE = (
    rf"{_NOUN_JA}(?:として(?:、|は|の私|私|,|も|の立場)|である私|なので、|ですので|ですから|であるため|のため、私)",
    rf"(?:私|わたし|僕)は、?[^。！？\n]*{_NOUN_JA}(?:です|であり|で、|なので|であるため|のため|に過ぎ|にすぎ|だ)",
    r"私(?:に)?は[^。！？\n]*(?:感情|意識|個人的な意見|個人的な経験|個人的な感情)(?:は|が|を|も)(?:ありません|持っていません|持ちません|ない|持たない)",
)
_NOUN_KO = "(?:AI|인공 ?지능|언어 ?모델|챗봇|컴퓨터 프로그램)(?: ?(?:AI|언어 ?모델|어시스턴트|비서|챗봇|모델|도우미|프로그램))*"
_KOREAN = (
    rf"{_NOUN_KO}(?:로서|으로서|로써|이기 때문에|이므로|이라서|라서|이기에)",
    rf"(?:저는|나는|전|난) [^.!?\n]*{_NOUN_KO}(?:입니다|이에요|예요|이며|이고|일 뿐|라고 합니다|야|이야)",
    r"(?:저는|나는|저에게는|제게는) [^.!?\n]*(?:감정|의식|개인적인 (?:의견|경험|감정|견해))(?:이|을|은|를|도)? ?(?:없|가지고 있지|느끼지|갖고 있지)",
)

DISCLAIMER = (
    phrases(
        r"\bais? |\bai\b|a\.i\.|artificial|language|llm|machine|neural|bots?\b|virtual|digital|text-based|program|conversational|computer|algorithm|software|coded"
        r"|personal|conscious|self-aware|physical|feeling|emotion|my training|source code|(?:blip|lines?|bunch|collection) of code|i was (?:tr|de|cr|bu)|sentient|human|person(?:,| but| so| and| i)|capa|ability",
        *_ENGLISH,
    ),
    either(
        phrases(r"我|作为|作為|身为|身為", *_CHINESE),
        phrases(r"\bia\b|inteligencia|modelo|asistente|programa|chatbot|\bbot\b|no tengo", *_SPANISH),
        phrases(r"en tant qu|\bje (?:ne )?suis|je n'ai pas", *_FRENCH),
        phrases(r"\bals\b|\bich (?:bin|habe)\b", *_GERMAN),
        phrases(r"\bia\b|inteligência|modelo|assistente|programa|chatbot|robô|não (?:tenho|possuo)", *_PORTUGUESE),
        phrases(r"языков|искусств|ИИ|нейросет|программ|чат-бот|виртуал|у меня нет", *_RUSSIAN),
        phrases(r"として|である私|なので、|ですので|ですから|であるため|のため、私|私|わたし|僕", *_JAPANESE),
        phrases(r"로서|로써|이기|이므로|라서|저는|나는|전 |난 |저에게는|제게는", *_KOREAN),
    ),
)

CUTOFF = (
    phrases(
        r"cut-?off|cut off|updat|my (?:training|knowledge|information|data|response)|real-?time|as of|up-to-date|(?:live|current|latest) (?:info|data|acc|upd|news|wea|eve)|the (?:internet|web)|(?:after|since|beyond|past) (?:my |sept|20|the year)|trained (?:on data|up|until|to|in|through|with)|知识|知識|训练数据|訓練|我的(?:数据|資料|信息)|(?:获取|获得|访问|查询|提供|獲取|訪問)到?最新|截至|截止|实时|即時|actualiz|conocimiento"
        r"|mi entrenamiento|tiempo real|fecha de corte|connaissances|mes données|mise à jour|temps réel|wissens?stand|trainingsdaten|meine? (?:wissen|daten)|keinen zugriff|echtzeit|conhecimento|treinamento|atualiza|tempo real|знани|мои данные|обновлени|реальном времени|知識|私の(?:情報|学習)|最新の情報|リアルタイム|지식|(?:제|저의) 정보|실시간|학습",
        r"\b(?:my |the )?(?:knowledge|training(?: data)?|data)(?: |-)?cut-?off\b",
        r"\bmy (?:knowledge|training(?: data)?|information|data|database|training dataset|dataset|responses?)(?: base)? (?:was |is |were |has |are |only |been |has been )*(?:last |current |based on |limited |updated |cut|up|goes|extends|ends|stops|only)+[^.\n]*(?:20[12]\d|update|cut-?off|certain|point|date)",
        r"\bas of my (?:last|latest|most recent|current|training|knowledge|cut-?off|final)\b|\bmy last (?:knowledge |training |data )?update\b|\bmy (?:knowledge|training) (?:cut|only goes|ends|extends|stops)\b",
        r"\bi (?:don't|do not|cannot|can't|am not able to|am unable to|'m unable to|do not currently|don't currently) (?:have |provide |access |currently |offer )*(?:access to )?(?:the )?(?:direct )?(?:real-?time|live|up-to-date|current|the latest|latest) (?:information|data|access|updates?|news|weather|events)\b",
        r"\b(?:i (?:can't|cannot|am unable to|'m unable to|don't|do not have the ability to|am not able to) |unable to )(?:browse|access|search) the (?:internet|web)\b",
        r"\bi (?:was|am|'m) (?:only )?(?:last )?(?:trained|updated) (?:on data )?(?:up )?(?:until|up to|to|in|through|with data) [^.\n]*20[12]\d",
        r"\bi (?:may not|might not|don't|do not) (?:have|be aware of|know about)[^.\n]*(?:after|since|beyond|past) (?:my (?:knowledge|training|last|cut|data)|september |20[12]\d|the year 20)",
        r"我的(?:知识|知識|数据|資料|训练数据|訓練數據|信息)(?:库|庫|储备)?[^。\n]*(?:截至|截止|更新)|(?:我|模型)[^。\n]*知识截止|我(?:无法|無法|不能)(?:获取|获得|访问|查询|提供|獲取|訪問)(?:到)?(?:实时|即時|最新)|截至我(?:的|所)",
        r"\bmi (?:conocimiento|base de conocimientos|entrenamiento|última actualización)[^.\n]*(?:20[12]\d|actualiz|corte|hasta)|mi fecha de corte|no tengo acceso a (?:información|datos) (?:en tiempo real|actualizad)",
        r"\bmes (?:connaissances|données)[^.\n]*(?:20[12]\d|à jour|arrêt)|ma dernière mise à jour|je n'ai pas accès (?:à |aux )(?:des |l')?(?:informations?|données) en temps réel",
        r"\bmein(?:e)? (?:wissens?stand|wissen|trainingsdaten|daten)\b[^.\n]*(?:20[12]\d|aktualisiert|endet|reich)|keinen zugriff auf (?:echtzeit|aktuelle)",
        r"\bmeu (?:conhecimento|treinamento)[^.\n]*(?:20[12]\d|atualizad|até|corte)|minha última atualização|não tenho acesso a (?:informações|dados) em tempo real",
        r"мои (?:знания|данные)[^.\n]*(?:20[12]\d|обновл|огранич)|нет доступа к (?:информации|данным) в реальном времени|моего последнего обновления",
        r"私の(?:知識|学習データ|情報)[^。\n]*(?:20[12]\d|まで|カットオフ|更新)|リアルタイム(?:の情報|情報|のデータ)[^。\n]*(?:できません|ありません)|私の知識カットオフ",
        r"(?:제|저의) (?:지식|학습 데이터|정보)[^.\n]*(?:20[12]\d|까지|업데이트)|실시간 (?:정보|데이터)[^.\n]*(?:없|못|제공하지)",
    ),
)

HUMAN = (
    phrases(
        "human|real person|real (?:man|woman|girl|guy|boy)|flesh and blood|person, not a|not an? (?:ai|a\\.i\\.|ro|bot|chat|mach|comp|prog|lang|arti)"
        "|人类|人類|真人|活人|不是(?:一[个個台])?(?:机器|機器|人工|ai|程序)|persona (?:real|de verdad)|pessoa (?:real|de verdade)|no soy un|não sou um|humain|vraie personne"
        "|personne réelle|je ne suis pas un|robot|kein (?:bot|computer|programm)|mensch|человек|я не (?:бот|программа)|робот|人間|(?:ロボット|ai)では|사람|인간|로봇이",
        r"\b(?:i am|i'm) (?:\w+ly )?(?:just |only |also |still |actually |really |indeed |of course |definitely |but )*"
        r"(?:a |an )?(?:real |normal |regular |ordinary |living |fellow |actual |mere |female |male )*(?:human(?: being)?|real person|real (?:man|woman|girl|guy|boy))"
        r"(?:[,.;!?)\"]|$|\n| (?:and|just|like|being|too|with|who|so|but|as well|not|after all|here|behind|because|i)\b)",
        r"\bas an? (?:fellow )?human(?: being)?, i\b",
        r"\bas (?:a )?humans?, i\b",
        r"\b(?:i am|i'm) (?:definitely |certainly |really |actually |absolutely )*not an? (?:robot|bot|ai|a\.i\.|chat ?bot|machine|computer|program|computer program|language model|artificial intelligence)\b(?:[,.;!?)\"]|$|\n| (?:and|but|so|i)\b)",
        r"\b(?:i am|i'm) (?:made )?of flesh and blood",
        r"我(?:就|确实|確實|当然|當然|也|可)?是(?:一[个個名位])?(?:真实的|真實的|活生生的|真正的|普通)?(?:人类|人類|真人|活人)(?:[，。！？,.!?、]|$|啊|呀|哦|而)",
        r"我(?:才|可|并|並)?不是(?:一[个個台])?(?:机器人|機器人|人工智能|人工智慧|AI|程序)",
        r"\bsoy (?:un |una )?(?:ser humano|humano|humana|persona real|persona de verdad)\b|\bno soy un (?:robot|bot|programa)\b",
        r"\bje suis (?:bien |vraiment )?(?:un |une )?(?:humaine?|être humain|vraie personne|personne réelle)\b|je ne suis pas un (?:robot|programme)\b",
        r"\bich bin (?:ja |auch |nur |wirklich )*(?:ein )?(?:echter )?mensch\b|\bich bin kein (?:roboter|bot|computer|programm)\b",
        r"\bsou (?:um |uma )?(?:ser humano|humano|humana|pessoa real|pessoa de verdade)\b|\bnão sou um (?:robô|bot|programa)",
        r"(?:^|[\s.,!?])я (?:— |- |– |живой |настоящий |обычный |тоже |просто )*человек(?:[\s.,!?]|$)|я не (?:робот|бот|программа)",
        r"(?:私|僕|俺|わたし)は(?:本物の|普通の|生身の|ただの)?人間(?:です|だ|なので|だから)|(?:私|僕|俺)は(?:ロボット|AI)ではありません",
        r"(?:저는|나는|전|난) (?:진짜 |평범한 |실제 )?(?:사람|인간)(?:입니다|이에요|이야|이고|이기)|로봇이 아닙니다|로봇이 아니",
    ),
)
