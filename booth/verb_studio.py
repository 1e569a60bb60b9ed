# SPDX-License-Identifier: Apache-2.0
"""`booth studio list|render|set`: films a drawn operator whose every joint angle is known; no camera, no robot."""

import argparse
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from booth.output import Progress, result, result_json, say, table
from booth.supervisor import StopRequest
from graph.errors import EXIT_OK, InputError
from studio.look import RANGES, STANDARD, Look, checked_look, choices
from studio.script import load_script, script_names

if TYPE_CHECKING:
    from studio.clip import Clip

EPILOG = """Each clip is NAME.mp4 and its truth NAME.npz: joint angles, landmarks of hands and body in camera axes
[m] and in the image [px], what is seen, camera and sizes. The layout is printed by `booth studio list --layout`.
Equal script, look and seed give equal pixels; a clip that is there already is not drawn again."""

_HELP = {
    "camera_height_m": "lens above (+) or below (-) the chin [m]",
    "camera_distance_m": "lens to trunk [m]",
    "camera_side_m": "lens to the operator's left (+) [m]",
    "fov_deg": "horizontal angle of view [degrees]",
    "height_m": "operator's height [m]",
    "hand_scale": "hand size",
    "limb_scale": "arm length",
    "speed": "speed of play; the opening palms keep their time",
    "exposure_ms": "open shutter, blurs motion [ms]",
    "noise": "sensor noise, standard deviation of 8 bit",
    "softness_px": "lens blur, standard deviation [px]",
}
_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("studio", help="film a drawn operator whose every joint angle is known")
    actions = parser.add_subparsers(dest="action", metavar="list|render|set", required=True)
    listing = actions.add_parser("list", help="the scripts and the standard set")
    listing.add_argument("--layout", action="store_true", help="print the layout of the truth files instead")
    listing.add_argument("--json", action="store_true", help="print as JSON")
    listing.set_defaults(run=run_list)
    render = actions.add_parser(
        "render",
        help="draw one clip and its truth",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    render.add_argument("script", help="name of a script (see list), or a YAML file of your own")
    render.add_argument("--name", help="name of the files (default: the script's, with -seedN)")
    render.add_argument("--seed", type=int, default=0, metavar="N", help="of noise and sway; draws what isn't given")
    _add_common(render)
    _add_look(render)
    render.set_defaults(run=run_render)
    whole = actions.add_parser(
        "set",
        help="draw the standard set of clips",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--only", nargs="+", metavar="NAME", help="these clips of the set only")
    _add_common(whole)
    whole.set_defaults(run=run_set)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("studio-clips"), metavar="DIR", help="default: %(default)s")
    size = f"{STANDARD.width}x{STANDARD.height}"
    parser.add_argument("--size", default=size, metavar="WxH", help="pixels of the picture (default %(default)s)")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="drawing processes (default %(default)s)")
    parser.add_argument("--force", action="store_true", help="draw again what is there already")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_look(parser: argparse.ArgumentParser) -> None:
    """One option for each attribute of a look."""
    group = parser.add_argument_group(
        "look", "Seed 0 films the standard look, any other seed draws each of these that is not given."
    )
    for field in fields(Look):
        if field.name in ("width", "height"):
            continue
        option, standard = "--" + field.name.replace("_", "-"), getattr(STANDARD, field.name)
        if names := choices(field.name):
            text = f"{', '.join(names)} (standard {standard})"
            group.add_argument(option, choices=names, metavar="NAME", help=text)
        else:
            low, high = RANGES[field.name]
            text = f"{_HELP[field.name]} (standard {standard:g}, drawn {low:g} … {high:g})"
            group.add_argument(option, type=float, metavar="X", help=text)


def run_list(args: argparse.Namespace) -> int:
    """Print scripts and set, or the truth's layout."""
    from studio.standard_set import standard_set  # numba takes a second to load
    from studio.truth import LAYOUT

    if args.layout:
        result(LAYOUT.strip())
        return EXIT_OK
    scripts = {name: load_script(name) for name in script_names()}
    clips = standard_set()
    if args.json:
        titles = [{"name": name, "title": script.title} for name, script in scripts.items()]
        result_json({"scripts": titles, "set": [{"name": clip.name, "script": clip.script} for clip in clips]})
        return EXIT_OK
    result(table([(name, script.title) for name, script in scripts.items()], ("script", "what happens")))
    result(f"\nstandard set: {', '.join(clip.name for clip in clips)}")
    return EXIT_OK


def run_render(args: argparse.Namespace) -> int:
    """Draw one clip."""
    from studio.clip import clip_of

    script = load_script(args.script)
    width, height = _size(args.size)
    given = {field.name: getattr(args, field.name, None) for field in fields(Look)}
    given |= {"width": width, "height": height}
    look = checked_look({name: value for name, value in given.items() if value is not None}, args.seed)
    own_name = Path(args.script).stem
    name = args.name or (own_name if args.seed == 0 else f"{own_name}-seed{args.seed}")
    if Path(name).name != name:
        raise InputError(f"--name {name!r} is no file name: give one without a folder, and the folder as --out")
    _make([clip_of(name, own_name, script, look, args.seed)], args)
    return EXIT_OK


def run_set(args: argparse.Namespace) -> int:
    """Draw the standard set."""
    from studio.standard_set import standard_set

    clips = standard_set(*_size(args.size))
    if args.only:
        unknown = sorted(set(args.only) - {clip.name for clip in clips})
        if unknown:
            names = ", ".join(clip.name for clip in clips)
            raise InputError(f"not in the standard set: {', '.join(unknown)}; expected of {names}")
        clips = [clip for clip in clips if clip.name in args.only]
    _make(clips, args)
    return EXIT_OK


def _make(clips: "list[Clip]", args: argparse.Namespace) -> None:
    """Draw what is missing, with progress; print where it is."""
    from studio.clip import film_path, is_made, truth_path
    from studio.workshop import Workshop

    missing = [clip for clip in clips if args.force or not is_made(clip, args.out)]
    if len(missing) < len(clips):
        say(f"{len(clips) - len(missing)} of {len(clips)} clips are there already (--force draws them again)")
    for clip in missing:
        clip.film()  # a script that asks too much is refused before anything is drawn
    frames = 0
    progress = Progress("drawing")
    with StopRequest() as stopping, Workshop(args.jobs) as workshop:
        for number, clip in enumerate(missing):

            def show(done: int, total: int, number: int = number, name: str = clip.name) -> None:
                if stopping():
                    raise KeyboardInterrupt
                progress.show((number + done / total) / len(missing), f"{name} {done}/{total}")

            frames += workshop.make(clip, args.out, show)
        progress.done()
    files = [{"film": str(film_path(clip, args.out)), "truth": str(truth_path(clip, args.out))} for clip in clips]
    if args.json:
        result_json({"clips": files, "drawn": len(missing), "frames": frames})
        return
    for entry in files:
        result(f"{entry['film']}  {entry['truth']}")


def _size(text: str) -> tuple[int, int]:
    """Width and height of WxH."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise InputError(f"--size {text!r}: expected width x height in pixels, such as 960x720")
    return int(match[1]), int(match[2])
