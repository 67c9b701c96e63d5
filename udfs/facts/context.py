"""Does a conversation stand alone, or does its only question need what came before?

Only a conversation of one user message and at most one answer can lack its beginning; a message that brings text of its
own (a line break, a colon, a quote, or more than :data:`LONGEST` characters) is taken to bring what it speaks of.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import Batch, Limits, sum_of
from udfs.facts.phrases import phrases, say

LONGEST = 200
"""Characters of a question that can be a mere reference."""


def needs_context(batch: Batch, _: Limits) -> np.ndarray:
    """The only question goes on from something that is not there ("continue", "translate it", "as above", "the second
    one"), or the only answer does ("Understood. Here are 100 ...", "Continuing from")."""
    asked, answered = (_only(batch, role) for role in ("user", "assistant"))
    alone = np.flatnonzero((asked >= 0) & (answered != _MANY) & (sum_of(batch.is_by("tool"), batch.offsets) == 0))
    if not len(alone):
        return np.zeros(len(asked), bool)
    questions = batch.contents.take(pa.array(asked[alone]))
    is_short = (batch.lengths[asked[alone]] <= LONGEST) & ~say(questions, _OWN_TEXT)
    needs = is_short.copy()
    needs[is_short] = say(questions.filter(pa.array(is_short)), _QUESTION)
    has_answer = is_short & (answered[alone] >= 0)
    answers = pc.utf8_slice_codeunits(batch.contents.take(pa.array(answered[alone][has_answer])), 0, 300)
    needs[has_answer] |= say(answers, _ANSWER)
    return np.isin(np.arange(len(asked)), alone[needs])


_NONE, _MANY = -1, -2


def _only(batch: Batch, role: str) -> np.ndarray:
    """For each conversation the row of its only message of this role; -1 for none, -2 for several."""
    flags = batch.is_by(role)
    counts = sum_of(flags, batch.offsets)
    rows = np.concatenate((np.flatnonzero(flags), [0]))
    first = rows[np.minimum(np.searchsorted(rows[:-1], batch.offsets[:-1]), len(rows) - 1)]
    return np.where(counts == 1, first, np.where(counts == 0, _NONE, _MANY))


_OWN_TEXT = phrases(r"\S\s*\n\s*\S|[:：\"“”«「『`<]", r"\S\s*\n\s*\S|[:：\"“”«「『`<]")

_POLITE = r"(?:please,? |pls |plz |can you |could you |would you |now |ok,? |okay,? |then |and |so |great,? |good,? |yes,? |no,? |thanks,? |thank you,? |just |i want you to |i'd like you to )*"
_THAT = r"(?:it|that|them|this|these|those)(?: (?:to|into|in|as|for|more|again|better|shorter|longer|simpler|please|too|with|less|sound|all|like|from|using|now|so|again|further|up|about|on|and|a bit|again)\b[^\n]*|[.!? ]*)"
_ABOVE = (
    r"(?:the above|the (?:above|previous|preceding|last|prior|earlier|aforementioned) (?:text|answer|response|code|example|examples|message|paragraph|email|list|question|story|table|prompt|one|ones|poem|essay|article|conversation|points?|sentence|sentences|result|results|script)"
    r"|your (?:previous|last|above|earlier|prior|first|second) (?:answer|response|message|reply|suggestion|code|example|point|output|story|version|list|email|statement|sentence)s?|what you (?:just )?(?:said|wrote))"
)
_VERB = (
    r"(?:rewrite|re-write|rephrase|paraphrase|translate|summari[sz]e|shorten|expand(?: on| upon)?|extend|simplify|improve|fix|correct|edit|revise|make|turn|convert|change|reformat|format|proofread|continue|explain"
    r"|elaborate(?: on)?|repeat|redo|combine|do|write|put|list|refactor|optimi[sz]e|debug|use|try|check|show me|give me|tell me more about|send|say)"
)
_WHOLE = (
    r"continue(?: (?:please|writing|on|it|with (?:it|that|this|the rest)|the (?:story|list|code|answer|essay|poem|conversation|text|script|table|last \w+|previous \w+)|(?:from )?where you (?:left off|stopped)|from (?:there|here|the (?:last|previous|above) \w+)|your \w+(?: \w+)?))*"
    r"|go on|keep going|carry on|proceed|next(?: (?:one|part|question|step|chapter))?|more|more (?:please|examples|ideas|details|of (?:them|these|those|the same))|again|once more|one more(?: time)?|try again|regenerate|redo|another(?: one| example)?|same(?: again| question| thing)?"
    r"|(?:give|show|tell|write|list|generate|make|suggest|provide|find)(?: me| us)? (?:some |a few |\d+ |ten |five |three )*(?:more|another(?: one)?|others?)(?: (?:examples?|ideas?|ones?|suggestions?|options?|of (?:them|these|those)|like (?:that|this|these|those)|\w+))?"
    r"|yes|yeah|yep|yup|sure|ok|okay|k|no|nope|correct|right|exactly|thanks?|thank you(?: (?:so|very) much)?|great|perfect|cool|nice|good(?: job)?|well done|yes please|no thanks|i agree|that's (?:it|right|correct|wrong|great|good|not right)|wrong|that is (?:wrong|correct|right|incorrect)"
    r"|why(?: not| so| is that| do you (?:think|say) (?:so|that))?|how so|how come|are you (?:really )?sure(?: about (?:that|this|it))?|really|is that (?:all|it|true|correct|right)|what(?: else| next| then| now|'s next)|and(?: then)?|then what|what do you mean(?: by (?:that|this|it))?|what does (?:that|this|it) mean|who is (?:he|she|that|it|this)|what is (?:it|that|this)|what (?:was|are) (?:it|that|they|those|these)"
    r"|explain(?: (?:more|further|why|in (?:more )?detail))?|elaborate(?: (?:more|further|please))?|in (?:more )?detail|more details?|shorter|longer|simpler|the (?:first|second|third|fourth|last|other|former|latter)(?: (?:one|option))?|option [a-d1-9]|both(?: of them)?|all of (?:them|the above)|none of (?:them|the above)|number \d"
)
_OTHERS = (
    r"继续|繼續|请继续|继续(?:写|说|吧|输出|生成|讲|写下去|完成)(?:吧|完)?|接着(?:说|写|讲|来)?|接下来呢|然后呢?|然後呢?|还有(?:吗|呢|其他的吗)?|還有嗎|再(?:来|写|给我|说|举)(?:一个|几个|一遍|一次|一些|\d+个)(?:吧|例子)?|为什么(?:呢)?|為什麼|是的?|好的?|对的?|不是|不对|谢谢(?:你)?|謝謝|详细(?:一点|说说|点)|重新(?:写|回答|生成|来)(?:一遍|一次)?|换一个|更多|下一(?:个|题|步|章)"
    r"|contin[uú]a(?:r)?(?: por favor)?|sigue|adelante|más|otr[oa](?: más)?|dame (?:más|otr[oa])(?: \w+)?|s[ií]|por qué|gracias|tradúcelo(?: .*)?|resúmelo(?: .*)?|reescríbelo(?: .*)?|hazlo (?:más|otra).*"
    r"|continue[rz]?(?: s'il (?:te|vous) plaît)?|vas-y|encore(?: un[e]?)?|la suite|plus|oui|non|pourquoi|merci|autre(?: chose)?|donne(?:-m'en|z-m'en)? (?:plus|d'autres)(?: .*)?|traduis(?:-le|-la|-les).*|résume(?:-le|-la).*"
    r"|weiter|mach weiter|bitte weiter|fahre? fort|fortfahren|fortsetzen|mehr|ja|nein|warum|danke|noch (?:ein|eins|eine|einmal|mal|mehr)(?: .*)?|übersetze? (?:es|das).*|und (?:dann|jetzt|weiter)"
    r"|continue|continuar|prossiga|mais(?: um[a]?)?|sim|não|por ?qu[eê]|obrigad[oa]|traduza(?:-o)? (?:isso)?.*|resuma isso.*"
    r"|продолжай(?:те)?|продолжи(?:ть|те)?|дальше|далее|ещ[её](?: .*)?|да|нет|почему|спасибо|подробнее|переведи (?:это|его).*|перепиши (?:это|его).*"
    r"|続けて(?:ください)?|続き(?:を.*)?|もっと(?:.{0,8})?|はい|いいえ|なぜ(?:ですか)?|ありがとう(?:ございます)?|次(?:は|へ)?|他には|もう一度.{0,8}|계속(?:해|해줘|해주세요|해 ?줘|해 주세요|하세요)?|이어서.*|더 ?(?:줘|알려줘|써줘)?|네|아니요|왜|다음|고마워|감사합니다|다시.{0,8}"
)
_QUESTION = phrases(
    r".",
    rf"^\s*{_POLITE}(?:{_WHOLE}|{_OTHERS})(?:,? (?:please|pls|plz|then|now|thanks))?[\s.,!?。！？…~]*$",
    rf"^\s*{_POLITE}{_VERB} (?:me )?{_THAT}$",
    rf"^\s*{_POLITE}{_VERB} (?:on )?{_ABOVE}\b",
    rf"\b(?:as|from|in|of|using|on|for|to|with|about|than) {_ABOVE}(?:[\s.,!?]|$)",
    r"\byour (?:own |previous |earlier |prior |original |above )(?:response|answer|reply|solution|message)s?\b|\b(?:do|repeat) the same task(?: again)?\b|^[^?]*\bthe (?:above|previous|original) question\b",
    r"^\s*but (?:i|you|what|why|how|if|it|that|this)\b|^\s*is (?:this|that|it) (?:true|correct|right)\?|^\s*now,? (?:make|explain|rewrite|translate|change) (?:it|them|that|this)\b|^\s*(?:can|could) you \w+ (?:it|them)\?\s*$|^\s*what about [^\n]{1,60}\?$|\bthe above[\s.!?]*$",
    r"\b(?:as|like|mentioned|stated|described|listed|given|shown) (?:in the |the )?above[\s.,!?]*$|^\s*(?:as|like) (?:above|i said|you said|you mentioned|mentioned (?:above|before|earlier))\b",
    r"\byou (?:just |already |previously )(?:said|mentioned|wrote|told|gave|made|sent|suggested|listed)\b|\b(?:we|i) (?:just |already |previously )(?:talked|discussed|mentioned|said|told you)\b|where (?:we|you) left off",
    r"^\s*and (?:what|how|why|if|in|for|the|who|where|when) [^\n]*\?\s*$|^\s*(?:what|how) about (?:it|that|this|them|these|those|the (?:other|second|first|last|rest|next)\b[^\n]*)[\s?!.]*$",
    r"(?:^|[^0-9０-９一二三四五六七八九十百千万岁歲年个個%％级級次米元名])以上(?:这|這|的?内容|內容|文字|文章|代码|问题|信息|描述|所有)|(?:上面|上述|上文|刚才|剛才|刚刚|前面)(?:的|这|這|这个|那个|你|你的)?(?:说|說|提到|内容|內容|文字|文章|代码|问题|問題|回答|表格|描述|段落|例子|句子|话)|你(?:刚|剛|刚才|之前)(?:说|說|提到)",
)
_ANSWER = phrases(
    r"here|continu|as i |let's|as mentioned",
    r"^\s*(?:understood|got it|noted)[.!,]+ (?:here (?:are|is)|here's)\b",
    r"^\s*(?:(?:sure|certainly|of course|absolutely|okay|ok|great|alright|yes)[.!,]+ )?(?:here (?:are|is)|here's) (?:the |a |an |some |your )*(?:continuation|rest of|remaining|\d+ more|\d+ additional|another \d+)\b",
    r"^\s*(?:(?:sure|certainly|of course|okay|ok)[.!,]+ )?(?:continuing (?:from|with|where)|i(?:'ll| will) continue|let's continue|as i (?:mentioned|said|discussed) (?:above|before|earlier|previously|in my (?:previous|last)))",
)
