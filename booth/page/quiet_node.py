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

MOST_AT_ONCE = 64


class QuietListener:
    """A node that no executor spins.

    Args:
        name: of the node.
        node: the process's own node, whose context it shares.
    """

    def __init__(self, name: str, node: Node) -> None:
        self._name = node.get_name()
        self._node = Node(name, context=node.context, start_parameter_services=False, enable_rosout=False)
        self._ears: list[tuple[Subscription, Callable[[Any], None]]] = []

    def get_name(self) -> str:
        """Of the process's own node."""
        return self._name

    def create_subscription(
        self, kind: type, topic: str, receive: Callable[[Any], None], profile: QoSProfile, *, raw: bool = False
    ) -> Subscription:
        """As a node's, but ``receive`` is called by `poll` only."""
        subscription = self._node.create_subscription(kind, topic, receive, profile, raw=raw)
        self._ears.append((subscription, receive))
        return subscription

    def destroy_subscription(self, subscription: Subscription) -> None:
        """Listen no longer."""
        self._ears = [ear for ear in self._ears if ear[0] is not subscription]
        self._node.destroy_subscription(subscription)

    def poll(self) -> None:
        """Hand over everything that has come since the last call, topic by topic."""
        for subscription, receive in tuple(self._ears):
            with subscription.handle:
                for _ in range(MOST_AT_ONCE):
                    taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                    if taken is None:
                        break
                    receive(taken[0])

    def close(self) -> None:
        """Listen to nothing any more."""
        self._ears = []
        self._node.destroy_node()
