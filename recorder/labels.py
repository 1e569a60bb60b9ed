# SPDX-License-Identifier: Apache-2.0
"""Who does what now, as a session tells it (`graph.topics.SESSION_LABELS`): goes into the next take."""

import json
from dataclasses import dataclass

from recorder.errors import TakeError

MAX_BYTES = 16 * 1024
MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Labels:
    """What a session says of the next take; what is empty leaves the recorder's own parameter.

    Attributes:
        task: what is demonstrated, a sentence.
        session: id of the session; empty: none.
        number: of the episode in it, from 1; 0: none.
        training: the operator only practises: nothing is to be recorded.
    """

    operator: str = ""
    task: str = ""
    booth: str = ""
    session: str = ""
    number: int = 0
    training: bool = False


def parse_labels(text: str) -> Labels:
    """Labels from their JSON; keys that are not known here are for others.

    Raises:
        TakeError: too long, no JSON object, or a value of another type.
    """
    size = len(text.encode(errors="replace"))
    if size > MAX_BYTES:
        raise TakeError(f"a session's labels have at most {MAX_BYTES} bytes, found {size}: they are ignored")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TakeError(f"a session's labels should be a JSON object, found {text[:40]!r}: they are ignored") from error
    if not isinstance(told, dict):
        raise TakeError(f"a session's labels should be a JSON object, found {text[:40]!r}: they are ignored")
    texts = {name: _text(told, name) for name in ("operator", "task", "booth", "session")}
    number, training = told.get("number", 0), told.get("training", False)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << 31:
        raise TakeError(f"label number should be an integer from 0, found {number!r}: the labels are ignored")
    if not isinstance(training, bool):
        raise TakeError(f"label training should be true or false, found {training!r}: the labels are ignored")
    return Labels(**texts, number=number, training=training)


def _text(told: dict[str, object], name: str) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise TakeError(f"label {name} should be text of at most {MAX_TEXT} characters: the labels are ignored")
    return value
