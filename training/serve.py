"""``winnow serve``: an OpenAI-compatible server and a chat page for one adapter, by transformers' own server.

What answers ``/v1/chat/completions`` is transformers' handler, streaming and all; what is ours is which model it may
use: one, checked, and no way to make it load another (docs/decisions/0061).
"""

import argparse
import os
import socket
import sys
import uuid
import warnings
from argparse import ArgumentParser, Namespace
from importlib import resources
from pathlib import Path
from typing import Any

from training.chat_request import RequestRefused, answerable, leave_room
from training.errors import RunRefused

LOCAL = "127.0.0.1"
PORT = 7870
PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"


def add_commands(commands: Any) -> None:
    """Register ``winnow serve``; it sets ``run``, a function of the parsed arguments."""
    parser: ArgumentParser = commands.add_parser(
        "serve",
        help="answer as an OpenAI-compatible server, with a chat page",
        description="Serve an adapter: http://127.0.0.1:7870/v1 for OpenAI clients, http://127.0.0.1:7870 to chat.",
        epilog="Example: winnow serve --adapter runs/first/adapter",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model_options(parser)
    parser.add_argument("--host", default=LOCAL, help=f"address to listen on (default: {LOCAL}, this machine only)")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"default: {PORT}")
    parser.set_defaults(run=run_serve)


def add_model_options(parser: ArgumentParser) -> None:
    """Which adapter, on which base, where."""
    parser.add_argument("--adapter", required=True, metavar="DIR", help="a folder that `winnow train` wrote")
    parser.add_argument("--base", metavar="DIR", help="the base model's folder; default: where it was when trained")
    parser.add_argument("--device", default="auto", help="cpu, cuda or cuda:N; default: a GPU if there is one")


def run_serve(args: Namespace) -> int:
    """``winnow serve``: serves until it is interrupted."""
    require_server()
    from training.chat_model import Source

    if args.host != LOCAL:
        print(
            f"winnow serve: everyone who reaches {args.host}:{args.port} can use it; there is no login", file=sys.stderr
        )
    import uvicorn

    with _bound(args.host, args.port) as taken:  # before the model is loaded, which takes a while
        app = application(Source(Path(args.adapter), args.base, args.device), args.host)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        place = f"http://{args.host}:{taken.getsockname()[1]}"
        print(f"chat at {place}  API at {place}/v1", flush=True)
        server.run(sockets=[taken])
    return 0 if server.started else 1


def _bound(host: str, port: int) -> socket.socket:
    """A socket of this address, on which nobody listens yet. Raises RunRefused if it cannot be had."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except (OSError, OverflowError) as error:
        made.close()
        raise RunRefused(f"expected a free port, found {host}:{port}: {error}; give another --port or --host") from None
    return made


def require_server() -> None:
    """Raises RunRefused, with what to install, where the server's libraries are missing; sets transformers offline."""
    from training.commands import require_libraries

    os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DS_LOG_LEVEL", "error")
    require_libraries()
    warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries to each other
    from transformers.utils.import_utils import is_serve_available
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()

    if not is_serve_available():
        raise RunRefused("serving needs fastapi, uvicorn and openai: pip install '.[train]' in Winnow's sources")


def application(source: Any, host: str = LOCAL) -> Any:
    """The ASGI application that answers as ``source``: its model is loaded, and no other can be."""
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import Response
    from jinja2 import TemplateError
    from starlette.exceptions import HTTPException
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    handler = _handler(source)
    app = FastAPI(title="winnow serve", openapi_url=None)
    if host == LOCAL:
        # A page of another site whose name is made to resolve to this machine gets no answer.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOCAL, "localhost"])

    @app.post("/v1/chat/completions")
    async def complete(body: dict[str, Any]) -> Any:
        try:
            return await handler.handle_request(answerable(body), f"chatcmpl-{uuid.uuid4().hex}")
        except RequestRefused as error:
            return _refused(400, str(error), error.field)
        except (TemplateError, ValueError, KeyError, TypeError) as error:
            # What transformers does not check it stumbles over: a role the template does not know.
            return _refused(400, f"the request cannot be answered: {error}")

    @app.exception_handler(HTTPException)
    async def refused(_request: Any, error: HTTPException) -> Any:
        return _refused(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def unread(_request: Any, _error: RequestValidationError) -> Any:
        return _refused(400, "expected a JSON object with messages")

    @app.get("/v1/models")
    def list_models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": source.name, "object": "model", "owned_by": "winnow", "created": 0}]}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/{name}")
    @app.get("/")
    def page(name: str = "chat.html") -> Response:
        return _page(name)

    return app


def _handler(source: Any) -> Any:
    """transformers' handler, whose answers end where the model's positions do."""
    from transformers.cli.serving.chat_completion import ChatCompletionHandler
    from transformers.cli.serving.utils import GenerationState

    from training.base import positions

    class Handler(ChatCompletionHandler):
        def _streaming(self, *asked: Any, **options: Any) -> Any:
            return super()._streaming(*_bounded(*asked), **options)

        async def _non_streaming(self, *asked: Any, **options: Any) -> Any:
            return await super()._non_streaming(*_bounded(*asked), **options)

    def _bounded(name: str, model: Any, processor: Any, model_name: str, inputs: Any, config: Any) -> tuple[Any, ...]:
        prompt = inputs["input_ids"].shape[-1]
        config.max_new_tokens = leave_room(positions(model.config), prompt, config.max_new_tokens)
        return name, model, processor, model_name, inputs, config

    return Handler(model_manager=_models(source), generation_state=GenerationState())


def _models(source: Any) -> Any:
    """transformers' model manager, holding the one model under its name."""
    from transformers.cli.serving.model_manager import ModelManager, TimedModel

    from training.chat_model import load

    model, tokenizer = load(source)
    manager = ModelManager()
    held = TimedModel(model, timeout_seconds=-1, processor=tokenizer)
    manager.loaded_models[manager.process_model_name(source.name)] = held
    # Any other name in a request is refused, instead of loaded.
    manager.force_model = source.name
    return manager


def _refused(status: int, message: str, field: str | None = None) -> Any:
    """An error in the shape OpenAI's clients show."""
    from fastapi.responses import JSONResponse

    told = {"message": message, "type": "invalid_request_error", "param": field, "code": None}
    return JSONResponse({"error": told}, status_code=status)


def _page(name: str) -> Any:
    from fastapi.responses import Response

    kinds = {"chat.html": "text/html", "chat.js": "text/javascript", "chat.css": "text/css"}
    if name not in kinds:
        return Response(status_code=404)
    text = resources.files("training.web").joinpath(name).read_text(encoding="utf-8")
    return Response(text, media_type=kinds[name], headers={"Content-Security-Policy": PAGE_POLICY})
