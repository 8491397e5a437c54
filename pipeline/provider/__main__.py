"""``python -m pipeline.provider``: the sandbox as a plain program, for ``start_background`` and for the curious."""

import argparse
import json
import os
import sys
import threading
from datetime import UTC, date, datetime

from pipeline.errors import TollbookError
from pipeline.provider.app import DEFAULT_TOKEN
from pipeline.provider.faults import Faults
from pipeline.provider.fraud import KINDS
from pipeline.provider.partners import partners
from pipeline.provider.server import serve
from pipeline.provider.world import World, WorldConfig

_PARTNER_KEYS = (
    "partner_sid", "parent_sid", "company_name", "country_code", "state", "city", "zip",
    "owner_email", "billing_email", "tech_email",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Serves, or prints the partners. 0: stopped or printed; 1: refused."""
    try:
        return _run(_parser().parse_args(arguments))
    except TollbookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    default = WorldConfig()
    faults = "; ".join(f"{name}: {doc}" for name, doc in Faults.known().items())
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.provider", description="The sandbox provider.", epilog=f"Faults: {faults}"
    )
    parser.add_argument("--host", default="127.0.0.1", help="stay on loopback: the token is no secret")
    parser.add_argument("--port", type=int, default=8642, help="0 takes a free one")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the bearer token it accepts")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--calls", type=int, default=default.calls, help="call detail records")
    parser.add_argument("--messages", type=int, default=default.messages, help="message detail records")
    parser.add_argument("--partners", type=int, default=default.partners, help="the root included")
    parser.add_argument(
        "--start", type=date.fromisoformat, default=default.start, help="first UTC day of traffic"
    )
    parser.add_argument("--days", type=int, default=default.days)
    parser.add_argument("--price-unit", type=int, help="60: prices are per minute, against the documents")
    parser.add_argument("--now", type=_moment, help="the sandbox clock; default: a day after the last day")
    parser.add_argument("--faults", type=str, default="", help="name=value,...")
    parser.add_argument("--fraud", default="", help=f"what is planted: all, or {', '.join(KINDS)}")
    parser.add_argument("--rates", type=int, default=default.rates, help="rows of the largest plan")
    parser.add_argument("--newer-keys", action="store_true", help="add the keys of the newer documents")
    parser.add_argument("--partners-json", action="store_true", help="print the partners and leave")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _run(options: argparse.Namespace) -> int:
    if options.partners_json:
        listed = [
            {"index": p.index, **{key: p.record[key] for key in _PARTNER_KEYS}}
            for p in partners(options.partners)
        ]
        sys.stdout.write(json.dumps(listed, indent=1, ensure_ascii=False) + "\n")
        return 0
    token = _token_of_parent() if options.child else options.token
    serve(World(_config(options)), options.host, options.port, token, on_ready=_announce)
    return 0


def _config(options: argparse.Namespace) -> WorldConfig:
    return WorldConfig(
        seed=options.seed,
        calls=options.calls,
        messages=options.messages,
        partners=options.partners,
        start=options.start,
        days=options.days,
        price_unit=options.price_unit,
        now=options.now,
        faults=Faults.parse(options.faults),
        newer_keys=options.newer_keys,
        fraud=options.fraud,
        rates=options.rates,
    )


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


def _token_of_parent() -> str:
    """Reads the token from the parent, and ends this process when the parent's end of the pipe closes."""
    token = sys.stdin.readline().rstrip("\n")

    def watch() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    return token


if __name__ == "__main__":
    sys.exit(main())
