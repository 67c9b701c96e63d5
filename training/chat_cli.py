"""``winnow chat``: talk to an adapter in the terminal, its answers as they are made."""

import argparse
import sys
from argparse import ArgumentParser, Namespace
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from training.chat_request import RequestRefused, leave_room
from training.commands import at_least_one
from training.serve import add_model_options, require_server

HELP = "/clear starts anew, /quit or Ctrl-D ends"


def add_commands(commands: Any) -> None:
    """Register ``winnow chat``; it sets ``run``, a function of the parsed arguments."""
    parser: ArgumentParser = commands.add_parser(
        "chat",
        help="talk to an adapter in the terminal",
        description="Talk to an adapter; or answer each line of standard input.",
        epilog='Example: winnow chat --adapter runs/first/adapter --system "You are brief."',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model_options(parser)
    parser.add_argument("--system", metavar="TEXT", help="a system message before the first question")
    parser.add_argument("--temperature", type=float, metavar="T", help="0: always the likeliest token; default: 0.7")
    parser.add_argument("--max-tokens", type=at_least_one, metavar="N", help="longest answer; default: 512")
    parser.set_defaults(run=run_chat)


def run_chat(args: Namespace) -> int:
    """``winnow chat``: 0 when the user, or the input, has ended."""
    require_server()
    from training.chat_model import MAX_TOKENS, TEMPERATURE, Source, load

    source = Source(Path(args.adapter), args.base, args.device)
    model, tokenizer = load(source)
    temperature = TEMPERATURE if args.temperature is None else args.temperature
    sampling = {"temperature": temperature} if temperature > 0 else {"do_sample": False}
    options = {"max_new_tokens": args.max_tokens or MAX_TOKENS, **sampling}
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # no tokenizer takes what is no text
    if sys.stdin.isatty():
        print(f"{source.name}: {HELP}")
    first = [{"role": "system", "content": args.system}] if args.system else []
    messages = list(first)
    while (said := _read()) is not None and said != "/quit":
        if said == "/clear":
            messages = list(first)
        elif said:
            asked = [*messages, {"role": "user", "content": said}]
            try:
                messages = [*asked, {"role": "assistant", "content": answer(model, tokenizer, asked, options)}]
            except RequestRefused as error:
                print(f"winnow chat: {error}: /clear starts anew", file=sys.stderr)
    return 0


def answer(model: Any, tokenizer: Any, messages: list[dict[str, str]], options: dict[str, Any]) -> str:
    """What the model says next, printed token by token, and returned. Raises RequestRefused if no room is left."""
    from transformers import TextStreamer

    from training.base import positions

    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    prompt = prompt.to(model.device)
    size = prompt["input_ids"].shape[1]
    longest = leave_room(positions(model.config), size, options["max_new_tokens"])
    streamer = TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    said = model.generate(**{**prompt, **options, "max_new_tokens": longest}, streamer=streamer)
    text: str = tokenizer.decode(said[0, size:], skip_special_tokens=True)
    return text


def _read() -> str | None:
    """The next line, or None at the end of input."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None
