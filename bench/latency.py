# SPDX-License-Identifier: Apache-2.0
"""Glass to wire: from the capture of a camera frame to the first goal bytes on the servo bus that it caused.

Split into the model's inference, which is MediaPipe's, and everything else, which is ours: hand-over between
threads and processes, retargeting, waiting for the bus loop's next tick, limiter, and writing. The loop's period
bounds what is
possible: a command waits half a period on average.
"""

import numpy as np
from sensor_msgs.msg import PointCloud2
from trajectory_msgs.msg import JointTrajectory

from booth.client_node import GraphClient
from booth.output import Progress, say
from booth.supervisor import StopRequest, Supervisor, choose_domain, graph_environment
from booth.verb_models import ensure_model
from graph import hands_cloud
from graph.errors import BoothError
from graph.nodes import GraphOptions, booth_processes
from graph.ros_node import from_msg_time
from graph.topics import HANDS, SENT
from robots import load_robot

ROBOT = "hx5_d20_right"
START_S = 60.0
FEWEST_FRAMES = 30


class _Pairs:
    """Joins what the tracker and the driver say about the same camera frame."""

    def __init__(self) -> None:
        self.inference_ms: dict[int, float] = {}
        self.total_ms: dict[int, float] = {}

    def on_hands(self, message: PointCloud2) -> None:
        cloud = hands_cloud.from_bytes(bytes(message.data))
        self.inference_ms[from_msg_time(message.header.stamp)] = float(cloud["inference_ms"][0, 0])

    def on_sent(self, message: JointTrajectory) -> None:
        age_ns = from_msg_time(message.points[0].time_from_start)
        if age_ns > 0:
            self.total_ms.setdefault(from_msg_time(message.header.stamp), age_ns * 1e-6)

    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) inference and (n,) total of every frame that both know [ms]."""
        both = sorted(self.inference_ms.keys() & self.total_ms.keys())
        return np.array([self.inference_ms[k] for k in both]), np.array([self.total_ms[k] for k in both])


def measure(seconds: float) -> dict[str, float]:
    """Run the graph on the bundled clip and collect latencies for this long while engaged.

    Raises:
        BoothError: the hand never engaged, or too few frames.
    """
    ensure_model()
    domain = choose_domain()
    options = GraphOptions(source="clip", record="off", loop=True)
    robot = load_robot(ROBOT)
    environ = graph_environment(domain)
    supervisor = Supervisor(booth_processes(robot, ROBOT, options), environ, say)
    pairs = _Pairs()
    with StopRequest() as stopping, GraphClient(domain, "booth_latency") as client:
        client.subscribe(HANDS, PointCloud2, pairs.on_hands)
        client.subscribe(SENT, JointTrajectory, pairs.on_sent)
        supervisor.start()
        try:
            _collect(client, supervisor, stopping, seconds)
        finally:
            supervisor.stop()
    return _figures(*pairs.samples(), 1e3 / robot.rate_hz)


def _collect(client: GraphClient, supervisor: Supervisor, stopping: StopRequest, seconds: float) -> None:
    progress = Progress("measuring")
    waited = engaged = 0.0
    while engaged < seconds:
        client.spin(0.1)
        if stopping():
            raise KeyboardInterrupt
        outcome = supervisor.poll()
        if outcome is not None:
            raise BoothError(outcome.reason)
        if client.state("driver") == "ENGAGED":
            engaged += 0.1
        else:
            waited += 0.1
        if waited > START_S:
            raise BoothError(f"the robot was not engaged for {START_S:.0f} s: {client.values('driver').get('reason')}")
        progress.show(engaged / seconds, client.state("driver"))
    progress.done()


def _figures(inference_ms: np.ndarray, total_ms: np.ndarray, period_ms: float) -> dict[str, float]:
    if len(total_ms) < FEWEST_FRAMES:
        raise BoothError(
            f"only {len(total_ms)} frames reached the bus, at least {FEWEST_FRAMES} needed: measure longer"
        )
    overhead = total_ms - inference_ms
    figures: dict[str, float] = {"frames": len(total_ms), "loop_period_ms": period_ms}
    for name, values in (("inference", inference_ms), ("overhead", overhead), ("total", total_ms)):
        p50, p99 = np.percentile(values, [50, 99])
        figures |= {f"{name}_p50_ms": float(p50), f"{name}_p99_ms": float(p99)}
    figures["overhead_to_half_period"] = figures["overhead_p50_ms"] / (period_ms / 2)
    return figures


def describe(figures: dict[str, float]) -> str:
    """The figures for people."""
    lines = [
        f"frame capture to goal bytes on the wire, {figures['frames']:.0f} frames",
        "                 p50       p99",
    ]
    for name, text in (("inference", "inference"), ("overhead", "everything else"), ("total", "in all")):
        lines.append(f"{text:15} {figures[f'{name}_p50_ms']:6.1f} ms {figures[f'{name}_p99_ms']:6.1f} ms")
    lines.append(
        f"everything else is {figures['overhead_to_half_period']:.1f} times the half period of the "
        f"{figures['loop_period_ms']:.0f} ms bus loop that a command waits on average"
    )
    return "\n".join(lines)
