"""One well-formed record of every format, by the format's name."""

from typing import Any

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
CATEGORIES = {"hate": False, "self-harm/intent": True}
SCORES = {"hate": 0.1, "self-harm/intent": 0.9}
LABEL = {"flagged": True, "categories": CATEGORIES, "category_scores": SCORES}

RECORDS: dict[str, dict[str, Any]] = {
    "lmsys": {
        "conversation_id": "c1",
        "model": "vicuna-13b",
        "conversation": CHAT,
        "turn": 1,
        "language": "English",
        "openai_moderation": [LABEL, LABEL],
        "redacted": True,
    },
    "wildchat": {
        "conversation_hash": "w1",
        "model": "gpt-4",
        "timestamp": "2023-04-09T00:02:53+00:00",
        "conversation": [
            {**CHAT[0], "language": "English", "toxic": False, "country": "France"},
            {**CHAT[1], "language": "English", "toxic": True, "country": None},
        ],
        "turn": 1,
        "language": "English",
        "openai_moderation": [LABEL, LABEL],
        "detoxify_moderation": [{"toxicity": 0.1}, {"toxicity": 0.2}],
        "toxic": True,
        "redacted": False,
    },
    "arena": {
        "question_id": "q1",
        "model_a": "alpaca-13b",
        "model_b": "vicuna-13b",
        "winner": "model_b",
        "judge": "arena_user_1",
        "conversation_a": CHAT,
        "conversation_b": CHAT,
        "turn": 1,
        "language": "English",
    },
    "mt_bench": {
        "question_id": 81,
        "answer_id": "a1",
        "model_id": "vicuna-13b",
        "choices": [{"index": 0, "turns": ["A blog.", "Another."]}],
        "tstamp": 1.5,
    },
    "oasst": {
        "message_tree_id": "t1",
        "prompt": {
            "message_id": "m1",
            "text": "Why?",
            "role": "prompter",
            "lang": "en",
            "replies": [
                {"message_id": "m2", "text": "So.", "role": "assistant", "lang": "en", "rank": 1, "replies": []},
                {
                    "message_id": "m3",
                    "text": "Because.",
                    "role": "assistant",
                    "rank": 0,
                    "replies": [{"message_id": "m4", "text": "Oh?", "role": "prompter", "deleted": True}],
                },
            ],
        },
    },
    "sharegpt": {
        "id": "s1",
        "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
        "tools": "[]",
    },
    "messages": {"id": 8, "messages": CHAT, "source_file": "chat_record_a.jsonl"},
    "samantha": {"elapsed": 1.5, "conversation": "Theodore: Hi\n\nSamantha: Hello\n\nNote: more\n\nTheodore: Bye"},
    "openorca": {"id": "o1", "system_prompt": "Be brief.", "question": "Hi", "response": "Hello"},
    "hh_rlhf": {
        "chosen": "\n\nHuman: Hi\n\nAssistant: I am not Human: no",
        "rejected": "\n\nHuman: Hi\n\nAssistant: Go away",
    },
    "alpaca": {"instruction": "Add.", "input": "1 2", "output": "3", "generator": "gpt4"},
    "prompt_response": {"prompt": "Hi", "response": "Hello", "label": "ok"},
}

QUESTIONS = '{"question_id": 81, "category": "writing", "turns": ["Write.", "Rewrite."]}\nnot json\n'
