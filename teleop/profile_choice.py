# SPDX-License-Identifier: Apache-2.0
"""Whose calibration the session takes, as the labels of the running session name it."""

import json
from collections.abc import Callable

from teleop.imitation_session import ImitationSession
from teleop.operator_profile import OperatorProfile, ProfileError, load, profile_path


def load_by_name(name: str) -> OperatorProfile:
    """The profile that is kept of an operator.

    Raises:
        ProfileError: a bad name, no such profile, or a damaged one.
    """
    return load(profile_path(name))


class ProfileChoice:
    """Hears the labels and hands the session another profile when they name another one.

    Attributes:
        note: why the profile that was named last is not used; empty when it is.
    """

    def __init__(self, session: ImitationSession, read: Callable[[str], OperatorProfile] = load_by_name) -> None:
        """Take a session that may have a profile from its start: it counts until the labels name one."""
        self._session, self._read = session, read
        self._named = ""
        self.note = ""

    @property
    def name(self) -> str:
        """Whose calibration counts now; empty: nobody's."""
        return "" if self._session.profile is None else self._session.profile.name

    def hear(self, labels: str) -> None:
        """Take one message of the session's labels, a JSON object. What is not to be used leaves the old profile."""
        try:
            named = json.loads(labels)["profile"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if not isinstance(named, str) or named == self._named:
            return
        self._named, self.note = named, ""
        try:
            self._session.use_profile(self._read(named) if named else None)
        except ProfileError as error:
            still = f"still {self.name}'s counts" if self.name else "no calibration counts"
            self.note = f"the calibration of {named} is not used, {still}: {error}"
