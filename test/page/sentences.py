# SPDX-License-Identifier: Apache-2.0
"""The sentences that the nodes' sources hold, with samples in the places of f-strings."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FEWEST_WORDS = 3
NOT_SPOKEN = ("declare", "warning", "error", "info", "compile", "_warn")
"""Calls whose texts nobody sees on the page: parameters' descriptions and logs."""

SAMPLES: tuple[tuple[str, str], ...] = (
    (r"_palms\(", "palms of both hands"),
    (r"_way_back\(", "show the open right palm to go on"),
    (r"^TOO$", "palm too"),
    (r"^LATE$", "not within 20 s"),
    (r"^LET_GO$", "close the hands first, then show the open palms anew"),
    (r"^unit$", "rad"),
    (r"^found$", "arm_r_joint4 by 0.61 rad, at most 0.50"),
    (r"controller$", "7"),
    (r"hottest\['limit|hottest\['temp", "61"),
    (r"\blabel\b|limb\.name", "right hand"),
    (r"side|missing\[0\]", "right"),
    (r"verdict", "ok"),
    (r"_again\(", "episode 3 is recorded again"),
    (r"^(figures|same)$", ""),
    (r"_s\b|_MS\b|\bMS\b|_ms\b|_ns\b|_hz\b|_HZ|_m\b|_rad\b|_bytes|minutes|len\(|rate|size|seen|SEEN", "12.5"),
    (r"brightness|DIM|BRIGHT|free|needed|distance|allowed|over\[|degc|volt|strain|STRAINED|LARGEST|SMALLEST", "7.5"),
    (r"\.id\b|ident|servo_id|count|number|left_out|returncode|sum\(|ticks", "7"),
    (r"low|high|reach|nearest|turn|width|behind|jump|degrees|drift|flat|limit", "3"),
)
"""What a place is likely to hold, by a pattern of its expression; anything else is a name."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: where it stands, and how it may sound."""

    where: str
    text: str


def sentences(path: str) -> Iterator[Sentence]:
    """All texts of three words and more in a source file that are not documentation."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    skipped = _documentation(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if part is not node}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in NOT_SPOKEN:
            skipped |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        text = _spoken(node)
        if text is not None and len(text.split()) >= FEWEST_WORDS:
            yield Sentence(f"{path}:{getattr(node, 'lineno', 0)}", text)


def _documentation(tree: ast.AST) -> set[int]:
    lone = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return {id(value) for value in lone if isinstance(value, ast.Constant)}


def _spoken(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = [part.value if isinstance(part, ast.Constant) else _sample(part) for part in node.values]
    return "".join(str(part) for part in parts)


def _sample(part: ast.AST) -> str:
    assert isinstance(part, ast.FormattedValue)
    expression = ast.unparse(part.value)
    shape = ast.unparse(part.format_spec) if part.format_spec else ""
    if re.search(r"\.\d[fg]|0%", shape):
        return "40%" if "%" in shape else "1.25"
    return next((sample for pattern, sample in SAMPLES if re.search(pattern, expression)), "something")
