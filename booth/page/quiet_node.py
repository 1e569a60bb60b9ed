# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that wake nobody: what has come is fetched when there is time for it.

An executor wakes up for every message and looks at everything that it might have to do; with a few hundred messages a
second that alone takes a fifth of a core. A page for people needs none of them sooner than its next picture.

The name ends in ``_node`` because only such files may import rclpy.
"""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from graph.ros_node import Unwaited, waiting_messages

MOST_AT_ONCE = 64


class QuietListener:
    """Subscriptions of one node that its executor does not wait for.

    Args:
        node: whose subscriptions these are.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._group = Unwaited()
        self._ears: list[tuple[Subscription, Callable[[Any], None]]] = []

    def get_name(self) -> str:
        """Of the node."""
        return self._node.get_name()

    def create_subscription(
        self, kind: type, topic: str, receive: Callable[[Any], None], profile: QoSProfile, *, raw: bool = False
    ) -> Subscription:
        """As the node's, but ``receive`` is called by `poll` only."""
        subscription = self._node.create_subscription(
            kind, topic, receive, profile, raw=raw, callback_group=self._group
        )
        self._ears.append((subscription, receive))
        return subscription

    def destroy_subscription(self, subscription: Subscription) -> None:
        """Listen no longer."""
        self._ears = [ear for ear in self._ears if ear[0] is not subscription]
        self._node.destroy_subscription(subscription)

    def poll(self) -> None:
        """Hand over everything that has come since the last call, topic by topic."""
        for subscription, receive in tuple(self._ears):
            for message, _ in waiting_messages(subscription, MOST_AT_ONCE):
                receive(message)

    def close(self) -> None:
        """Listen to nothing any more."""
        for subscription, _ in tuple(self._ears):
            self.destroy_subscription(subscription)
