"""Abstract figures for the sample papers, drawn by dice: the same number draws the same figure."""

import io
import math
import random
from collections.abc import Callable
from functools import partial

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 400
_PAPER = "#f7f6f2"
_INK = "#3d4a57"
_PALE = "#dfe3e2"
_COLOURS = ("#35607a", "#c4703f", "#6b8f71", "#8a6f9e", "#b59a3c", "#5d8aa8")
_MARGIN = 46

Draw = ImageDraw.ImageDraw
Point = tuple[float, float]


def draw(kind: str, number: int) -> bytes:
    """Return a PNG of 640 x 400 pixels; `kind` is one of KINDS, `number` seeds the dice."""
    dice = random.Random(f"paperboy figure {kind} {number}")  # noqa: S311 - decoration
    # Twice the size and then halved: Pillow draws without smoothing.
    sheet = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), _PAPER)
    KINDS[kind](ImageDraw.Draw(sheet), dice)
    output = io.BytesIO()
    sheet.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(output, "PNG")
    return output.getvalue()


def _line(pen: Draw, points: list[Point], colour: str, width: float = 3) -> None:
    scaled = [(2 * x, 2 * y) for x, y in points]
    pen.line(scaled, fill=colour, width=round(2 * width), joint="curve")


def _box(pen: Draw, corner: Point, size: Point, colour: str, *, outline: str = "", radius: float = 0) -> None:
    (x, y), (width, height) = corner, size
    area = (2 * x, 2 * y, 2 * (x + width), 2 * (y + height))
    pen.rounded_rectangle(area, radius=2 * radius, fill=colour, outline=outline or None, width=4)


def _dot(pen: Draw, centre: Point, radius: float, colour: str, *, outline: str = "") -> None:
    x, y = centre
    area = (2 * (x - radius), 2 * (y - radius), 2 * (x + radius), 2 * (y + radius))
    pen.ellipse(area, fill=colour, outline=outline or None, width=4)


def _mix(first: str, second: str, share: float) -> str:
    """Return the colour that lies `share` (0 to 1) of the way from `first` to `second`."""
    parts = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _axes(pen: Draw) -> None:
    for step in range(1, 5):
        y = HEIGHT - _MARGIN - step * (HEIGHT - 2 * _MARGIN) / 4
        _line(pen, [(_MARGIN, y), (WIDTH - _MARGIN / 2, y)], _PALE, 1)
    corner = (_MARGIN, HEIGHT - _MARGIN)
    _line(pen, [(_MARGIN, _MARGIN / 2), corner, (WIDTH - _MARGIN / 2, HEIGHT - _MARGIN)], _INK, 2)


def _plot(pen: Draw, dice: random.Random) -> None:
    _axes(pen)
    width, height = WIDTH - 1.6 * _MARGIN, HEIGHT - 2 * _MARGIN
    for colour in dice.sample(_COLOURS, 3):
        top, pace, wobble = dice.uniform(0.45, 0.95), dice.uniform(1.5, 5), dice.uniform(0.004, 0.014)
        points = []
        for step in range(41):
            level = top * (1 - math.exp(-pace * step / 40)) + dice.gauss(0, wobble)
            points.append((_MARGIN + width * step / 40, HEIGHT - _MARGIN - height * max(level, 0.01)))
        _line(pen, points, colour, 3.5)
        for point in points[5::7]:
            _dot(pen, point, 6, _PAPER, outline=colour)


def _bars(pen: Draw, dice: random.Random) -> None:
    _axes(pen)
    pair = dice.sample(_COLOURS, 2)
    groups = dice.randint(5, 7)
    step = (WIDTH - 1.8 * _MARGIN) / groups
    for group in range(groups):
        for place, colour in enumerate(pair):
            height = (HEIGHT - 2 * _MARGIN) * dice.uniform(0.18, 0.6 + 0.35 * place)
            corner = (_MARGIN + 16 + group * step + place * step * 0.36, HEIGHT - _MARGIN - height)
            _box(pen, corner, (step * 0.33, height), colour)


def _grid(pen: Draw, dice: random.Random) -> None:
    warm, cells, size = dice.choice(_COLOURS), 20, 26
    centres = [(dice.uniform(0, cells), dice.uniform(0, 12), dice.uniform(1.2, 2.8)) for _ in range(4)]
    left, top = (WIDTH - cells * size) / 2, (HEIGHT - 12 * size) / 2
    for column in range(cells):
        for row in range(12):
            heat = sum(math.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * r * r)) for x, y, r in centres)
            colour = _mix(_PALE, warm, min(heat * dice.uniform(0.75, 1.0), 1.0))
            _box(pen, (left + column * size, top + row * size), (size - 3, size - 3), colour, radius=3)


def _tiles(pen: Draw, dice: random.Random) -> None:
    """Two rows of small landscapes: before and after."""
    width, height, gap = 170, 150, 20
    left = (WIDTH - 3 * width - 2 * gap) / 2
    for row in range(2):
        for column in range(3):
            x, y = left + column * (width + gap), 40 + row * (height + gap)
            sky, land = dice.sample(_COLOURS, 2)
            _box(pen, (x, y), (width, height), _mix(sky, _PAPER, 0.6 if row else 0.8), radius=8)
            _dot(pen, (x + dice.uniform(30, 140), y + dice.uniform(30, 55)), 15, _mix(sky, _PAPER, 0.15))
            hill = [(x + i * width / 24, y + 95 + 22 * math.sin(i / 4 + column * 2 + row)) for i in range(25)]
            outline = [(x, y + height), *hill, (x + width, y + height)]
            pen.polygon([(2 * a, 2 * b) for a, b in outline], fill=_mix(land, _PAPER, 0.1 if row else 0.5))


def _cloud(pen: Draw, dice: random.Random) -> None:
    """A surface seen from the side, as points that fade with distance."""
    near, far = dice.sample(_COLOURS, 2)
    slope, waves = dice.uniform(0.8, 1.6), dice.uniform(1.5, 3.5)
    for depth in range(34, 0, -1):
        for step in range(58):
            u, v = step / 57 * 2 - 1, depth / 34
            z = math.sin(waves * u * 3 + v * 4) * math.cos(waves * v * 2 - u) * 0.5 + dice.gauss(0, 0.02)
            scale = 1 / (1 + slope * v)
            point = (
                WIDTH / 2 + u * WIDTH * 0.6 * scale,
                HEIGHT * 0.2 + HEIGHT * 0.62 * scale - z * 90 * scale,
            )
            _dot(pen, point, 4.5 * scale, _mix(near, _mix(far, _PAPER, 0.5), v))


def _pipeline(pen: Draw, dice: random.Random) -> None:
    colours = dice.sample(_COLOURS, 4)
    for row, y in enumerate((95, 235)):
        boxes = [(48 + place * 150, y) for place in range(4)]
        for place, (x, top) in enumerate(boxes):
            if place:
                _line(pen, [(x - 48, top + 40), (x - 12, top + 40)], _INK, 2.5)
                _line(pen, [(x - 20, top + 33), (x - 10, top + 40), (x - 20, top + 47)], _INK, 2.5)
            fill = _mix(colours[(place + row) % 4], _PAPER, 0.55)
            _box(pen, (x, top), (94, 80), fill, outline=colours[(place + row) % 4], radius=10)
            for line in range(dice.randint(1, 3)):
                start, end = (x + 18, top + 24 + line * 16), (x + dice.uniform(50, 78), top + 24 + line * 16)
                _line(pen, [start, end], colours[(place + row) % 4], 3)
    _line(pen, [(245, 175), (245, 235)], _INK, 2.5)
    _line(pen, [(395, 235), (395, 175)], _INK, 2.5)


def _waves(pen: Draw, dice: random.Random) -> None:
    for row, colour in enumerate(dice.sample(_COLOURS, 3)):
        middle = 90 + row * 110
        phase, pace = dice.uniform(0, 6), dice.uniform(0.02, 0.05)
        for x in range(40, WIDTH - 40, 5):
            swell = 0.25 + abs(math.sin(x * pace + phase)) * abs(math.sin(x * pace * 0.31 + row))
            reach = 42 * swell * dice.uniform(0.55, 1.0)
            _line(pen, [(x, middle - reach), (x, middle + reach)], colour, 1.6)


def _network(pen: Draw, dice: random.Random) -> None:
    colours = dice.sample(_COLOURS, 3)
    nodes = [(dice.uniform(60, WIDTH - 60), dice.uniform(50, HEIGHT - 50)) for _ in range(26)]
    for here in nodes:
        for there in sorted(nodes, key=partial(math.dist, here))[1:4]:
            _line(pen, [here, there], _mix(_INK, _PAPER, 0.65), 1.5)
    for place, node in enumerate(nodes):
        _dot(pen, node, dice.uniform(7, 17), colours[place % 3], outline=_PAPER)


KINDS: dict[str, Callable[[Draw, random.Random], None]] = {
    "bars": _bars,
    "cloud": _cloud,
    "grid": _grid,
    "network": _network,
    "pipeline": _pipeline,
    "plot": _plot,
    "tiles": _tiles,
    "waves": _waves,
}
