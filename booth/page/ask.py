# SPDX-License-Identifier: Apache-2.0
"""What a browser may ask for: small JSON messages of a fixed form, and which of them need the lease."""

import json
from dataclasses import dataclass

MAX_CHARACTERS = 2048
MAX_WORD = 128

FORMS: dict[str, dict[str, type]] = {
    "act": {"action": str},
    "begin": {"operator": str, "task": str, "training": bool},
    "consent": {"operator": str, "agree": bool},
    "confirm": {"what": str},
    "language": {"language": str},
    "lease": {"take": bool},
    "ping": {"t": float},
    "stop": {},
}
"""Fields of every message beside ``type``."""

FREE = frozenset({"lease", "ping", "stop"})
"""What somebody may ask who only looks on: a protective stop is for everybody."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One message of a browser.

    Attributes:
        kind: one of FORMS.
        values: its fields, of the types there.
    """

    kind: str
    values: dict[str, object]

    def word(self, name: str) -> str:
        """A field that is text."""
        return str(self.values[name])

    def flag(self, name: str) -> bool:
        """A field that is true or false."""
        return self.values[name] is True


class AskError(ValueError):
    """A message that no page of ours sends."""


def parse(text: str) -> Ask:
    """Read one message.

    Raises:
        AskError: too long, no JSON, another form, or a field of another type.
    """
    if len(text) > MAX_CHARACTERS:
        raise AskError(f"a message has at most {MAX_CHARACTERS} characters, this one {len(text)}")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AskError("a message should be a JSON object") from error
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in FORMS:
        raise AskError(f"a message's type should be one of {', '.join(FORMS)}")
    return Ask(kind, {name: _field(kind, name, wanted, message.get(name)) for name, wanted in FORMS[kind].items()})


def _field(kind: str, name: str, wanted: type, value: object) -> object:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, wanted) or (isinstance(value, str) and len(value) > MAX_WORD):
        raise AskError(f"{name} of a message {kind!r} should be {wanted.__name__}")
    return value
