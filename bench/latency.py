# SPDX-License-Identifier: Apache-2.0
"""Glass to wire: from the capture of a camera frame to the first goal bytes on the servo bus that it caused.

Split into the model's inference, which is MediaPipe's, and everything else, which is ours: hand-over between
threads and processes, retargeting, the bus loop's tick, limiter, and writing.
"""

import numpy as np
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Int64MultiArray
from trajectory_msgs.msg import JointTrajectory

from booth.client_node import GraphClient
from booth.output import Progress, say
from booth.supervisor import StopRequest, Supervisor, choose_domain, graph_environment
from booth.verb_models import ensure_model
from graph import hands_cloud
from graph.errors import BoothError
from graph.nodes import GraphOptions, booth_processes
from graph.ros_node import from_msg_time
from graph.topics import HANDS, SENT, TELEOP_TIMING
from robots import load_robot

ROBOT = "hx5_d20_right"
START_S = 60.0
FEWEST_FRAMES = 30


PARTS = ("to the model and back", "inference", "to teleop", "retargeting", "publishing", "to the wire")


class _Ways:
    """Joins what tracker, teleop and driver say about the same camera frame."""

    def __init__(self) -> None:
        self._inference_ns: dict[int, float] = {}
        self._stamps: dict[int, list[int]] = {}
        self._total_ns: dict[int, int] = {}

    def on_hands(self, message: PointCloud2) -> None:
        cloud = hands_cloud.from_bytes(bytes(message.data))
        self._inference_ns[from_msg_time(message.header.stamp)] = float(cloud["inference_ms"][0, 0]) * 1e6

    def on_timing(self, message: Int64MultiArray) -> None:
        self._stamps[message.data[0]] = list(message.data)

    def on_sent(self, message: JointTrajectory) -> None:
        age_ns = from_msg_time(message.points[0].time_from_start)
        if age_ns > 0:
            self._total_ns.setdefault(from_msg_time(message.header.stamp), age_ns)

    def parts_ms(self) -> np.ndarray:
        """(n, 6) how long every frame that all three know took for each of the `PARTS` [ms]."""
        rows = []
        for capture_ns in sorted(self._inference_ns.keys() & self._stamps.keys() & self._total_ns.keys()):
            captured, found, received, retargeted, sent = self._stamps[capture_ns]
            inference_ns = self._inference_ns[capture_ns]
            written = captured + self._total_ns[capture_ns]
            handed_over = found - captured - inference_ns
            rows.append(
                [handed_over, inference_ns, received - found, retargeted - received, sent - retargeted, written - sent]
            )
        return np.array(rows).reshape(-1, len(PARTS)) * 1e-6


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
    ways = _Ways()
    with StopRequest() as stopping, GraphClient(domain, "booth_latency") as client:
        client.subscribe(HANDS, PointCloud2, ways.on_hands)
        client.subscribe(TELEOP_TIMING, Int64MultiArray, ways.on_timing)
        client.subscribe(SENT, JointTrajectory, ways.on_sent)
        supervisor.start()
        try:
            _collect(client, supervisor, stopping, seconds)
        finally:
            supervisor.stop()
    return _figures(ways.parts_ms(), 1e3 / robot.rate_hz)


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


def _figures(parts_ms: np.ndarray, period_ms: float) -> dict[str, float]:
    if len(parts_ms) < FEWEST_FRAMES:
        raise BoothError(
            f"only {len(parts_ms)} frames reached the bus, at least {FEWEST_FRAMES} needed: measure longer"
        )
    total, inference = parts_ms.sum(axis=1), parts_ms[:, PARTS.index("inference")]
    figures: dict[str, float] = {"frames": len(total), "loop_period_ms": period_ms}
    columns = {"inference": inference, "overhead": total - inference, "total": total}
    columns |= {part.replace(" ", "_"): parts_ms[:, k] for k, part in enumerate(PARTS) if part != "inference"}
    for name, values in columns.items():
        p50, p99 = np.percentile(values, [50, 99])
        figures |= {f"{name}_p50_ms": float(p50), f"{name}_p99_ms": float(p99)}
    return figures


def describe(figures: dict[str, float]) -> str:
    """The figures for people."""
    lines = [
        f"frame capture to goal bytes on the wire, {figures['frames']:.0f} frames",
        "                            p50       p99",
    ]
    rows = {"in all": "total", "inference": "inference", "everything else": "overhead"}
    rows |= {f"  {part}": part.replace(" ", "_") for part in PARTS if part != "inference"}
    for text, name in rows.items():
        lines.append(f"{text:26} {figures[f'{name}_p50_ms']:6.1f} ms {figures[f'{name}_p99_ms']:6.1f} ms")
    lines.append(f"without a hurry a command would wait up to {figures['loop_period_ms']:.0f} ms for the bus loop")
    return "\n".join(lines)
