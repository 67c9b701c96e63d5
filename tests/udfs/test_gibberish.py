from random import Random

import pytest

from benchmarks.labels import garbling
from tests.udfs.chats import holds
from udfs.facts import gibberish

TEXTS = {
    "en": "The moon is far away from the earth, and yet its pull moves every sea. Sailors knew this long before us.",
    "de": "Der Mond ist weit von der Erde entfernt, und doch bewegt er jedes Meer. Das wussten Seeleute schon lange.",
    "pl": "Księżyc jest daleko od Ziemi, a jednak porusza każde morze. Żeglarze wiedzieli o tym od bardzo dawna.",
    "vi": "Mặt trăng ở rất xa trái đất, nhưng sức hút của nó vẫn làm chuyển động mọi vùng biển trên thế giới.",
    "ru": "Луна далеко от Земли, и всё же она двигает каждое море. Моряки знали об этом задолго до учёных.",
    "ar": "القمر بعيد جدا عن الأرض ومع ذلك فإن جاذبيته تحرك كل بحر وقد عرف البحارة ذلك منذ زمن طويل",
    "zh": "月亮离地球很远，但是它的引力能够推动每一片海洋。很久以前，水手们就已经知道这件事情了。",
    "ko": "달은 지구에서 아주 멀리 있지만 그 힘은 모든 바다를 움직입니다. 선원들은 오래전부터 알고 있었습니다.",
    "ja": "月は地球からとても遠いのに、その引力はすべての海を動かします。船乗りたちは昔からそれを知っていました。",
    "code": "```python\nfor xq in zzyx(wqk, vbq):\n    qwx = zxk(xq) ^ kqz[vxj]\n```\nThis prints the numbers.",
    "acronyms": "세계의 여러 나라가 GDP와 CPI를 GDP 통계로 GDP 발표합니다. CPI와 GDP 그리고 PPI와 XRP, DVD를 봅니다.",
    "short": "xqzvk wqj",
    "empty": "",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_in_any_language_is_not_gibberish(name):
    assert not holds("gibberish", f"u:{TEXTS[name]}", f"a:{TEXTS[name]}")


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *(("en", way) for way in ("mashed", "misread", "blotted", "shifted")),
        *(("ru", way) for way in ("misread", "blotted")),
        *(("zh", way) for way in ("misread", "blotted")),
        *(("ko", "misread"), ("ja", "blotted"), ("de", "mashed")),
    ],
)
def test_garbled_text_is(name, way):
    assert holds("gibberish", f"u:{garbling.WAYS[way](TEXTS[name], Random(1))}", "a:What does that mean?")


def test_the_table_of_trigrams_has_a_level_in_every_cell():
    levels = gibberish.levels()
    assert len(levels) == 1 << gibberish.BITS and levels.max() == gibberish.RAREST and levels.min() < 5
