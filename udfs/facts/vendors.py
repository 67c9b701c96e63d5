"""In which words does an assistant name its product, or speak of its makers?"""

from udfs.facts.phrases import phrases

_MODELS = (
    r"chat ?gpt|gpt-?[2345](?:\.5)?(?:-turbo)?|instructgpt|claude(?: \d)?|(?:google )?bard|gemini|palm ?2?|lamda|vicuna(?:-\d+b)?|llama(?:[ -]?[23])?|alpaca|koala|dolly|guanaco"
    r"|stablelm|stable vicuna|open ?assistant|pythia|falcon|chatglm(?:-?\d?b?)?|ernie bot|qwen|tongyi qianwen|baichuan|internlm|moss|mistral|mixtral|zephyr|wizardlm|wizard|openhermes|hermes"
    r"|yi-\d+b|deepseek(?:-\w+)?|grok|copilot|bing chat|sydney|replika|pi\.ai|jurassic-?\d?|cohere command|rwkv|raven|fastchat(?:-t5)?|oasst|phind|tulu|orca|nous-hermes|yandexgpt|gigachat|hyperclova|openchat|starling"
)
_MAKERS = (
    r"open ?ai|anthropic|google(?: deepmind| ai| brain| research)?|deepmind|lmsys(?: org)?|large model systems organization|meta(?: ai)?|facebook(?: ai)?|microsoft|stability ai|laion|databricks|mosaicml"
    r"|technology innovation institute|tii|alibaba(?: cloud)?|baidu|tencent|huawei|zhipu(?: ai)?|tsinghua(?: university)?|mistral ai|nous ?research|hugging ?face|cohere|ai21(?: labs)?|eleutherai|character\.?ai|inflection|xai|upstage|naver|kakao|yandex|sber|nvidia|ibm|amazon|apple|stanford|berkeley"
)
_MODELS_ZH = "ChatGPT|GPT-?[34]|文心一言|通义千问|讯飞星火|ChatGLM|智谱清言|豆包|盘古|混元|Claude|Qwen|MOSS|书生|百川"
_MAKERS_ZH = "OpenAI|百度|阿里(?:巴巴|云)?|腾讯|华为|清华(?:大学)?|智谱(?:AI)?|科大讯飞|讯飞|谷歌|Google|Anthropic|微软|Meta|字节跳动|LMSYS|复旦(?:大学)?"

_SCREEN_MODELS = (
    r"gpt|claude|bard|gemini|\bpalm ?2?\b|lamda|vicuna|llama|alpaca|koala|dolly|guanaco|stablelm|assistant|pythia|falcon|chatglm|ernie|qwen|qianwen|baichuan|internlm|\bmoss\b|mistral|mixtral|zephyr|wizard|hermes"
    r"|deepseek|grok|copilot|bing|sydney|replika|pi\.ai|jurassic|rwkv|raven|fastchat|oasst|phind|tulu|orca|yi-|gigachat|hyperclova|openchat|starling|command|stable vicuna"
    r"|文心|通义|讯飞|智谱|豆包|盘古|混元|书生|百川"
)
_SCREEN_MAKERS = (
    r"open ?ai|anthropic|google|deepmind|lmsys|model systems|\bmeta\b|facebook|microsoft|stability|laion|databricks|mosaicml|\btii\b|technology inn|alibaba|baidu|tencent|huawei|zhipu|tsinghua|nous|hugging|cohere|mistral|ai21|eleuther|character\.?ai|inflection|\bxai\b|upstage|naver|kakao|yandex|\bsber|nvidia|\bibm\b|amazon|apple|stanford|berkeley"
    r"|百度|阿里|腾讯|华为|清华|谷歌|微软|字节|复旦|智谱|讯飞|яндекс|сбер|네이버|카카오|업스테이지"
)
_MADE = "(?:trained|developed|created|made|built|designed|programmed|fine-tuned|hosted|maintained|provided|operated|released)"

MODELS = (
    phrases(
        _SCREEN_MODELS,
        rf"\b(?:i am|i'm|my name is|call me|i am called|i'm called|you can call me|known as|i go by|refer to me as) (?:[^\s.!?]+ ){{0,6}}?(?:{_MODELS})(?:[,.;:!?)\"]|$|\n| (?:and|an?|developed|created|trained|made|built|by|from|designed|your|the|here|how|powered|based|i|so|,|\()\b)",
        rf"\bas (?:chat ?gpt|claude|bard|vicuna|open ?assistant|gpt(?:-?[34])?)(?:,? i\b| with )|\b(?:i am|i'm) (?:based on|powered by|built on|running on|using) (?:the |openai's |a )*(?:\w+ ){{0,2}}?(?:{_MODELS})\b",
        r"(?:^|\n)[\s*\[(]*(?:chat ?gpt|gpt(?:-?[34])?)[^\w\s]{0,3} ?(?:🤖|\W){0,3}:",
        rf"我(?:的名字)?(?:是|叫|叫做)[^。！？\n]*(?:{_MODELS_ZH})",
        rf"\b(?:soy|me llamo|mi nombre es|sou|me chamo|meu nome é|je suis|je m'appelle|mon nom est|ich bin|ich heiße|mein name ist) (?:\w+ )?(?:{_MODELS})\b",
        rf"(?:^|[\s.,!?])я (?:— |- |– )?(?:{_MODELS})\b",
        rf"(?:私|わたし)は(?:、)?[^。！？\n]*(?:{_MODELS})(?:です|という|と申)|(?:저는|나는) [^.!?\n]*(?:{_MODELS})(?:입니다|이라|예요|라고)",
    ),
)
"""The assistant says which model or product it is."""

MAKERS = (
    phrases(
        _SCREEN_MAKERS,
        rf"\b(?:as an?|i am|i'm|i am an?|me, an?|my [a-z]+ is \w+,?) [^.!?\n]*\b(?:model|assistant|chat ?bot|ai|bot|program|system|intelligence)\b,?[^.!?\n]*\b{_MADE} (?:and \w+ )?by (?:[^\s.!?]+ ){{0,6}}?(?:{_MAKERS})\b",
        rf"\b(?:i (?:was|am|have been)|i'm|refer to me as|call me)\b [^.!?\n]*\b{_MADE} (?:and \w+ )?(?:by|at) (?:[^\s.!?]+ ){{0,6}}?(?:{_MAKERS})\b",
        rf"\b(?:my (?:creators?|developers?|makers?|company|owners?|parent company|programmers?)(?: (?:at|is|are|from),?| ,)|i (?:work for|come from|belong to|am from|was born at)) (?:[^\s.!?]+ ){{0,3}}?(?:{_MAKERS})\b",
        r"\bopen ?ai's (?:\w+ ){0,2}?(?:polic(?:y|ies)|guidelines?|use[ -]case|terms|rules|usage|content|ethical|moderation|safety)",
        rf"我[^。！？\n]*(?:由|是)[^。！？\n]*(?:{_MAKERS_ZH})[^。！？\n]*(?:开发|研发|训练|创造|创建|推出|设计|提供|打造)",
        r"\b(?:soy|fui|sou|je suis|j'ai été|yo|eu|me ha|ich wurde|ich bin)\b[^.!?\n]* (?:por|par|von|pela) (?:\w+ ){0,2}?(?:open ?ai|anthropic|lmsys|google|meta ai|alibaba)\b",
        r"(?:^|[\s.,!?])я[\s—-][^.!?\n]*(?:разработан|создан|обучен)[а-я]* (?:компанией |в )?(?:open ?ai|anthropic|google|яндекс|сбер|lmsys)",
        r"(?:私|わたし)は[^。！？\n]*(?:open ?ai|anthropic|google|lmsys)(?:社)?(?:が|によって|に)(?:開発|訓練|作成|トレーニング)",
        r"(?:저는|나는|제가) [^.!?\n]*(?:open ?ai|anthropic|google|lmsys|네이버|카카오|업스테이지)(?:에서|가|에 의해) ?[^.!?\n]*(?:개발|만든|훈련|학습)",
    ),
)
"""The assistant says by name who made it, or whose rules it follows."""

MAKERS_UNNAMED = (
    phrases(
        r"(?:d|has|have|owns?|made|built|runs?|operates?|maintains?|that|who|which|behind) ?me\b|(?:owned|operated|maintained|trained|built|made|designed) (?:and \w+ )?by|creat|develop|program|team|compan|organi[sz]ation|maker|engineer|开发|開發|创造|創造|研发|训练|设计|desarroll|creador|criador|créateur|développeur|schöpfer|desenvolv|equipe|équipe|entwickler|unternehmen|разработчик|создател|開発|作成|개발|만든",
        r"\bmy (?:creators?|developers?|makers?|programmers?|engineers|owner company|parent company|development team)\b",
        r"\b(?:the )?(?:company|companies|team|people|engineers|developers|researchers|programmers|organi[sz]ation|group|person|scientists) (?:of \w+ )?(?:that|who|which|behind) (?:have |has |had )?(?:created|developed|made|trained|built|designed|programmed|owns?|operates?|runs?|maintains?)? ?me\b",
        r"\b(?:i am|i'm|i was|i have been)\b [^.!?\n]*\b(?:created|developed|trained|made|built|designed|programmed|owned|operated|maintained) (?:and \w+ )?by (?:an?|the|my|our|one|some) (?:[\w-]+ ){0,4}?(?:company|team|group|organi[sz]ation|startup|firm|developers?|researchers?|engineers?|programmers?)\b",
        r"我的(?:开发者|開發者|创造者|創造者|开发团队|研发团队|开发公司|设计者)|(?:开发|研发|创造|训练)我的(?:公司|团队|人|工程师)",
        r"\bmis (?:creadores|desarrolladores)\b|\bmeus (?:criadores|desenvolvedores)\b|\bmes (?:créateurs|développeurs)\b|\bmeine (?:entwickler|schöpfer|programmierer)\b",
        r"мои (?:создатели|разработчики)|私の(?:開発者|開発チーム|作成者)|(?:저를|나를) (?:개발한|만든)",
    ),
)
"""The assistant speaks of those who made it without a name."""
