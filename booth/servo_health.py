# SPDX-License-Identifier: Apache-2.0
"""`booth servo health` and `replaced`: which joint will fail next, and the beginning of a new servo's log."""

import argparse
from math import isnan

from booth.health_picture import draw_health
from booth.output import result, result_json, table
from booth.servo_line import DRY_RUN, needed_robot, tell
from drivers.maintenance import actuators_of
from drivers.maintenance_read import load
from drivers.maintenance_risk import Assessment, assess, headline
from drivers.maintenance_schema import database_path
from drivers.maintenance_store import replaced
from drivers.servo_tools_where import WhereError, device_id
from graph.errors import EXIT_OK
from graph.stamps import graph_clock


def run_health(args: argparse.Namespace) -> int:
    """Rank the actuators by risk."""
    robot = needed_robot(args)
    histories = load(database_path(), robot.name, args.virtual)
    kind = "virtual " if args.virtual else ""
    if not histories:
        other = "leave --virtual out" if args.virtual else "--virtual shows the virtual one's"
        raise WhereError(f"nothing has been logged about the {kind or 'real '}{robot.name} yet; {other}")
    found = assess(histories, _now_s())
    if args.picture is not None:
        draw_health(found, args.picture, f"{kind}{robot.name}: {headline(found)}")
    if args.json:
        result_json({"headline": headline(found), "actuators": [_health_values(one) for one in found]})
        return EXIT_OK
    result(headline(found))
    header = (
        "joint",
        "ID",
        "risk",
        "hours",
        "°C p50",
        "p95",
        "max",
        "limit",
        ">80 % mA",
        "errors/h",
        "trend °C",
        "why",
    )
    result(table([_health_row(one) for one in found], header))
    result("The score is a rule of thumb, not a validated model; docs/technician.md says how it is made.")
    if args.picture is not None:
        result(str(args.picture))
    return EXIT_OK


def _health_row(one: Assessment) -> tuple[object, ...]:
    return (
        one.joint,
        one.history.actuator.servo_id,
        "-" if one.score is None else f"{one.score:.0f}",
        f"{one.hours:.1f}",
        _number(one.p50_degc, ".0f"),
        _number(one.p95_degc, ".0f"),
        _number(one.max_degc, ".0f"),
        _number(one.history.actuator.limit_degc, ".0f"),
        _number(one.over_80, ".0%"),
        _number(one.errors_per_h, ".2f"),
        _number(one.trend_degc, "+.1f"),
        one.words,
    )


def _health_values(one: Assessment) -> dict[str, object]:
    return {
        "joint": one.joint,
        "id": one.history.actuator.servo_id,
        "model": one.history.actuator.model,
        "firmware": one.history.firmware,
        "score": one.score,
        "reasons": [{"points": reason.points, "text": reason.text} for reason in one.reasons],
        "words": one.words,
        "hours": one.hours,
        "torqued_h": one.torqued_h,
        "p50_degc": one.p50_degc,
        "p95_degc": one.p95_degc,
        "max_degc": one.max_degc,
        "limit_degc": one.history.actuator.limit_degc,
        "over_80_share": one.over_80,
        "errors_per_h": one.errors_per_h,
        "trend_degc": one.trend_degc,
        "events": [
            {"kind": e.kind, "detail": e.detail, "first_s": e.first_s, "last_s": e.last_s, "count": e.count}
            for e in one.history.events
        ],
    }


def run_replaced(args: argparse.Namespace) -> int:
    """Begin a joint's log anew."""
    robot = needed_robot(args)
    servo_id = device_id(args.device, robot)
    actuator = next((one for one in actuators_of(robot) if one.servo_id == servo_id), None)
    if actuator is None:
        raise WhereError(f"ID {servo_id} is no joint of {robot.name}")
    text = f"{actuator.joint}: hours, temperatures and errors begin at zero; the old servo's stay in {database_path()}"
    if args.apply:
        replaced(database_path(), robot.name, args.virtual, actuator, _now_s())
    tell(args, {"joint": actuator.joint, "applied": bool(args.apply)}, text if args.apply else f"{text}\n{DRY_RUN}")
    return EXIT_OK


def _number(value: float | None, form: str) -> str:
    return "-" if value is None or isnan(value) else format(value, form)


def _now_s() -> float:
    return graph_clock().now_ns() * 1e-9
