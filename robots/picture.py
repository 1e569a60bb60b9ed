# SPDX-License-Identifier: Apache-2.0
"""The picture of a robot: its chain from the front and from the side at home and ready, and every joint's range."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from robots.frames import Array
from robots.kinematics import KinematicJoint, KinematicTree
from robots.schema import Robot

matplotlib.use("Agg")

BODY = "#8a8f98"
COLOURS = ("#d1495b", "#2a6fbb", "#e09f3e", "#3a9d5d", "#7b4fa3", "#2aa1a1", "#b07a5b", "#5b6b8c")
INK = "#20242b"
VIEWS = (("front", 1, "y [m]"), ("side", 0, "x [m]"))
"""Title, the coordinate to the right, its label; z is up. From the front the robot's left hand is to the right."""


def draw_robot(robot: Robot, tree: KinematicTree, out: Path) -> None:
    """Write a PNG of a robot.

    Args:
        robot: its joints, ranges and poses.
        tree: its kinematics.
        out: file to write.

    Raises:
        OSError: the file can't be written.
    """
    limbs = limbs_of(robot, tree)
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(dict.fromkeys(limbs.values()))}
    poses = [("home", robot.home_rad)]
    if robot.ready_rad != robot.home_rad:
        poses.append(("ready", robot.ready_rad))
    figure = Figure(
        figsize=(16, max(7.5 if len(poses) == 1 else 10.0, 0.21 * len(robot.joints) + 2)), layout="constrained"
    )
    frames = [tree.forward(dict(zip(robot.joint_names, pose, strict=True))) for _, pose in poses]
    span = _span(tree, frames)
    wide = [span[across][1] - span[across][0] for _, across, _ in VIEWS]
    grid = figure.add_gridspec(len(poses), 3, width_ratios=(*wide, 0.55 * sum(wide)))
    for row, (name, _) in enumerate(poses):
        for column, (view, across, label) in enumerate(VIEWS):
            axis = figure.add_subplot(grid[row, column])
            _chain(axis, tree, frames[row], across, limbs, colours)
            axis.set(title=f"{name}, {view}", xlabel=label, ylabel="z [m]", aspect="equal")
            axis.set(xlim=span[across], ylim=span[2])
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.grid(alpha=0.25)
    _ranges(figure.add_subplot(grid[:, 2]), robot, limbs, colours)
    handles = [Line2D([], [], color=colour, lw=4, label=name) for name, colour in colours.items()]
    handles.append(Line2D([], [], color=INK, marker="o", mfc="white", ms=6, lw=1.2, label="joint, its axis"))
    handles.append(Line2D([], [], color=INK, marker="|", ms=10, mew=2, ls="", label="home"))
    if len(poses) > 1:
        handles.append(Line2D([], [], color=INK, marker="D", ms=4, mfc="white", ls="", label="ready"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    figure.suptitle(robot.title, fontsize=13)
    figure.savefig(out, dpi=90)


def limbs_of(robot: Robot, tree: KinematicTree) -> dict[str, str]:
    """Limb of every joint of the tree by name: its branch; in a robot of one branch the digit or chain it is in."""
    branches = {joint.name: robot.branch_of(joint) for joint in robot.joints}
    first_word = {joint.name: joint.label.split(" ")[0] or joint.name for joint in robot.joints}
    limbs: dict[str, str] = {}
    by_child = {joint.child: joint for joint in tree.joints}
    for joint in tree.joints:
        above = by_child.get(joint.parent)
        inherited = limbs.get(above.name, "") if above is not None else ""
        if joint.name not in branches:
            limbs[joint.name] = inherited
        elif len(set(branches.values())) > 1:
            limbs[joint.name] = branches[joint.name]
        else:
            limbs[joint.name] = inherited or first_word[joint.name]
    return {name: limb or "body" for name, limb in limbs.items()}


def _span(tree: KinematicTree, frames: list[dict[str, Array]]) -> list[tuple[float, float]]:
    """Limits of x, y and z over all poses [m]; a root far below (a floor) is left out."""
    points = np.array([frame[link][:3, 3] for frame in frames for link in tree.links[1:]])
    root_is_near = points[:, 2].min() < 0.3 * np.ptp(points[:, 2])
    if root_is_near:
        points = np.vstack([points, np.zeros(3)])
    largest = float(np.ptp(points, axis=0).max())
    middle, half = (points.min(0) + points.max(0)) / 2, np.maximum(np.ptp(points, axis=0), 0.55 * largest) / 2
    half += 0.06 * largest
    return [(float(m - h), float(m + h)) for m, h in zip(middle, half, strict=True)]


def _chain(
    axis: Axes,
    tree: KinematicTree,
    frame: dict[str, Array],
    across: int,
    limbs: dict[str, str],
    colours: dict[str, str],
) -> None:
    """Links as lines, moving joints as dots with their axes; what is behind is drawn first."""
    depth = {joint.name: float(frame[joint.child][1 - across, 3]) for joint in tree.joints}
    ahead = 1.0 if across == 1 else -1.0
    for joint in sorted(tree.joints, key=lambda joint: ahead * depth[joint.name]):
        start, end = frame[joint.parent][:3, 3], frame[joint.child][:3, 3]
        colour = colours.get(limbs[joint.name], BODY)
        axis.plot([start[across], end[across]], [start[2], end[2]], color=colour, lw=3.0, solid_capstyle="round")
    for joint in tree.joints:
        if joint.kind == "fixed":
            continue
        at, colour = frame[joint.child][:3, 3], colours.get(limbs[joint.name], BODY)
        reach = frame[joint.child][:3, :3] @ joint.axis * _reach(joint, tree)
        axis.plot(
            [(at - reach)[across], (at + reach)[across]],
            [(at - reach)[2], (at + reach)[2]],
            color=INK,
            lw=1.2,
            zorder=4,
        )
        marker = "s" if joint.kind == "prismatic" else "o"
        size = 2.5 + 60 * _reach(joint, tree)
        axis.plot(at[across], at[2], marker, ms=min(size, 6.0), mfc="white", mec=colour, mew=1.4, zorder=5)


def _reach(joint: KinematicJoint, tree: KinematicTree) -> float:
    """Half the length to draw a joint's axis [m]: short where its neighbours are near."""
    below = [float(np.linalg.norm(other.origin[:3, 3])) for other in tree.joints if other.parent == joint.child]
    return float(np.clip(0.35 * max(below, default=0.02), 0.005, 0.035))


def _ranges(axis: Axes, robot: Robot, limbs: dict[str, str], colours: dict[str, str]) -> None:
    """One bar for each joint from its lower to its upper limit, with home and ready."""
    widest = max(abs(limit) for joint in robot.joints for limit in (joint.min_rad, joint.max_rad))
    for row, joint in enumerate(robot.joints):
        axis.barh(
            row,
            joint.max_rad - joint.min_rad,
            left=joint.min_rad,
            height=0.62,
            color=colours[limbs[joint.name]],
            alpha=0.45,
        )
        unit = "m" if joint.prismatic else "rad"
        text = f"{joint.min_rad:+.2f} … {joint.max_rad:+.2f} {unit}"
        axis.text(1.06 * widest, row, text, va="center", fontsize=8, color=INK, family="monospace")
    rows = np.arange(len(robot.joints))
    axis.plot(robot.home_rad, rows, "|", ms=10, mew=2, color=INK)
    if robot.ready_rad != robot.home_rad:
        axis.plot(robot.ready_rad, rows, "D", ms=4, color=INK, mfc="white")
    axis.axvline(0, color=INK, lw=0.6, alpha=0.4)
    names = [f"{joint.name}  {joint.label}" if joint.label else joint.name for joint in robot.joints]
    axis.set_yticks(rows, names, fontsize=8)
    axis.set(title="ranges", xlabel="rad (lift: m)" if any(j.prismatic for j in robot.joints) else "rad")
    axis.set(
        ylim=(len(robot.joints) - 0.4, -0.6),
        xlim=(1.1 * min(0.0, *(joint.min_rad for joint in robot.joints)) - 0.05, 1.9 * widest),
    )
    axis.set_xticks(
        [tick for tick in range(-6, 7) if min(robot.joints, key=lambda j: j.min_rad).min_rad - 0.1 <= tick <= widest]
    )
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
