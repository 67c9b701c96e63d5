import pytest

from tests.udfs.chats import holds

LEAD = "The moon is far away from the earth. It takes about three days to fly all the way there"


@pytest.mark.parametrize(
    "notice",
    [
        "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.**\n\n(error_code: 50001)",
        "$MODERATION$ YOUR INPUT VIOLATES OUR CONTENT MODERATION GUIDELINES.",
        "Error: rate limit exceeded, retry in 20 s",
        "The server is currently overloaded with other requests. Sorry about that!",
        "Something went wrong. If this issue persists please contact us through our help center.",
        "This content may violate our content policy.",
        "The response was filtered due to the prompt triggering our content management policy.",
        "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens.",
        '{"error": {"message": "Internal server error"}}',
        "服务器繁忙，请稍后再试",
        LEAD + "\n\nNETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.",
        LEAD + " and (error_code: 50002)",
    ],
)
def test_an_answer_that_is_a_notice_is_a_serving_error(notice):
    assert holds("serving_error", "u:hello there", f"a:{notice}")
    assert holds("serving_error", "u:hello", f"a:{notice}", "u:again", "a:Fine.")
    assert not holds("serving_error", f"u:{notice}", "a:That is a message of the server.")


@pytest.mark.parametrize(
    "answer",
    [
        "A 'network error' means that your computer cannot reach the server.",
        "If you see 'too many requests', wait and try again.",
        "I cannot help with that, since it violates the law.",
        "Network errors are hard to find. " + "Look at the cable, the switch and the router. " * 10,
        "",
    ],
)
def test_an_answer_that_mentions_a_notice_is_none(answer):
    assert not holds("serving_error", "u:what is it?", f"a:{answer}")


@pytest.mark.parametrize(
    "cut",
    [
        LEAD,
        LEAD + ", and one needs a",
        LEAD + ",",
        "Here is the code for it, as you asked:\n\n```python\nfor number in range(10):\n    print(number, file=sys",
        "Here are some things to think of before you leave for the long trip to the south:\n\n1. Water.\n2. A map.\n3.",
        "月亮离地球很远。" * 10 + "我们需要三天才能到达那里而且",
        "Der Mond ist weit von der Erde entfernt und die Reise dorthin dauert drei Tage, wenn man mit der",
    ],
)
def test_an_answer_that_breaks_off_is_unfinished(cut):
    assert holds("unfinished_answer", "u:go on", f"a:{cut}")
    assert not holds("unfinished_answer", "u:go on", f"a:{cut}", "u:more?", "a:No, that is all there is to say.")


@pytest.mark.parametrize(
    "whole",
    [
        LEAD + ".",
        "Paris",
        "Things to take along on the long trip to the south, by weight:\n1. Water\n2. A map of the south\n3. Bread",
        "1. A round of charades\n2. DIY slime\n20. Renting a bounce house or having a water balloon fight",
        "I am glad that we could agree on all of it. See you soon in the office.\n\nBest regards,\nJane Doe",
        "Here is the code that prints all the numbers below ten, as you wanted it:\n```python\nprint(*range(10))\n```",
        "A block within a block is written with more ticks around it. Like this:\n````\n```python\nx\n```\n```",
        "ดวงจันทร์อยู่ไกลจากโลกมาก " * 5 + "ใช้เวลาสามวัน",
        "달은 지구에서 아주 멀리 있습니다. " * 5 + "거기까지 사흘이 걸려요",
        "You can find the whole of the text, with pictures. It is at https://example.org/a/b/c/moon",
        "",
    ],
)
def test_an_answer_that_ends_is_not(whole):
    assert not holds("unfinished_answer", "u:go on", f"a:{whole}")


def test_a_question_at_the_end_is_no_unfinished_answer():
    assert not holds("unfinished_answer", f"u:{LEAD}")
