# SPDX-License-Identifier: Apache-2.0
"""`booth page`: the operator's page without a robot: its address, a demonstration of every state, pictures of it."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say
from booth.page.access import new_token, token_path
from booth.page_invitation import DEFAULT_PAGE, page_url, qr_code
from graph.errors import EXIT_OK


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("page", help="the operator's page: its address, every state of it, pictures")
    acts = parser.add_subparsers(title="what", dest="what", metavar="WHAT", required=True)

    url = acts.add_parser("url", help="the address with its token, and a QR code of it")
    _address(url)
    url.add_argument("--new-token", action="store_true", help="lock out everybody who has the old address")
    url.add_argument("--json", action="store_true", help="print the address as JSON, no QR code")
    url.set_defaults(run=run_url)

    demo = acts.add_parser("demo", help="serve the page with drawn states, one after the other; no graph, no robot")
    _address(demo)
    demo.add_argument("--state", default="", metavar="NAME", help="show only this one (default: each in turn)")
    demo.add_argument("--every", type=float, default=4.0, metavar="S", help="seconds for each (default: %(default)s)")
    demo.set_defaults(run=run_demo)

    shots = acts.add_parser("screenshots", help="pictures of every state, on a tablet and a monitor (needs Chromium)")
    shots.add_argument("directory", nargs="?", default="docs/page", help="where they go (default: %(default)s)")
    shots.add_argument("--language", default="en", help="of the page (default: %(default)s)")
    shots.add_argument("--chromium", default="", metavar="PROGRAM", help="default: the first that is installed")
    shots.set_defaults(run=run_screenshots)


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--page", default=DEFAULT_PAGE, metavar="HOST:PORT", help="default: %(default)s")


def run_url(args: argparse.Namespace) -> int:
    """Print the address."""
    if args.new_token:
        new_token(token_path())
        say("booth: a new token; a page that is being served takes it when it starts anew")
    url = page_url(args.page)
    if args.json:
        result_json({"url": url})
    else:
        result(url)
        say(qr_code(url))
    return EXIT_OK


def run_demo(args: argparse.Namespace) -> int:
    """Serve drawn states until Ctrl-C."""
    from booth.page.demo import serve_demo

    return serve_demo(args.page, args.state, args.every)


def run_screenshots(args: argparse.Namespace) -> int:
    """Take the pictures of docs/page.md."""
    from booth.page.screenshots import take_screenshots

    written = take_screenshots(Path(args.directory), args.language, args.chromium)
    result(f"{len(written)} pictures in {args.directory}")
    return EXIT_OK
