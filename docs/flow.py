"""Draws docs/flow.svg: python docs/flow.py > docs/flow.svg"""

from xml.sax.saxutils import escape

LINE = [  # what it is, where it lives in l2rkit/
    ("photo", "data/"),
    ("align", "data/align.py"),
    ("degrade", "degrade/"),
    ("restore", "restore/"),
    ("decompose", "decompose/"),
    ("restore albedo", "refine/albedo.py"),
    ("refine geometry", "refine/geometry.py"),
    ("render", "render/"),
    ("losses", "losses/"),
    ("metrics", "metrics/"),
    ("leaderboard", "leaderboard/"),
]
ROWS = (LINE[:4], LINE[4:8], LINE[8:])
SIDES = ("a picture, better or worse", "a face: depth, albedo, light, view", "numbers")
WIDTH, HEIGHT, GAP, LEFT, ROW = 164, 54, 28, 8, 104


def box(row: int, column: int, name: str, place: str) -> str:
    x, y = LEFT + column * (WIDTH + GAP), 30 + row * ROW
    arrow = f'<path class="arrow" d="M{x + WIDTH + 2} {y + HEIGHT / 2}h{GAP - 8}"/>'
    words = (
        f'<text class="name" x="{x + WIDTH / 2}" y="{y + 23}">{escape(name)}</text>'
        f'<text class="place" x="{x + WIDTH / 2}" y="{y + 42}">{escape(place)}</text>'
    )
    frame = f'<rect class="row{row}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
    return frame + words + (arrow if column < len(ROWS[row]) - 1 else "")


def back(row: int) -> str:
    """The way from a row's end to the next one's beginning."""
    y = 30 + row * ROW + HEIGHT
    right = LEFT + (len(ROWS[row]) - 1) * (WIDTH + GAP) + WIDTH / 2
    return f'<path class="arrow" d="M{right} {y + 2}v14H{LEFT + WIDTH / 2}v{ROW - HEIGHT - 24}"/>'


def drawn() -> str:
    parts = [box(r, c, *each) for r, row in enumerate(ROWS) for c, each in enumerate(row)]
    parts += [back(row) for row in range(len(ROWS) - 1)]
    for row, words in enumerate(SIDES):
        parts.append(f'<text class="side" x="{LEFT}" y="{22 + row * ROW}">{escape(words)}</text>')
    size = f"{2 * LEFT + 4 * WIDTH + 3 * GAP} {30 + 2 * ROW + HEIGHT + 10}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">'
        "<title>From a photo to the leaderboard, and where each step lives in l2rkit</title><style>"
        "text{font-family:sans-serif;text-anchor:middle;fill:#123}.name{font-size:16px;"
        "font-weight:600}.place{font-size:13px;font-family:monospace}.side{text-anchor:start;"
        "font-size:13px;fill:#667;font-style:italic}rect{stroke:#0003}.row0{fill:#dbeeff}"
        ".row1{fill:#d9f2e3}.row2{fill:#fdeccb}.arrow{fill:none;stroke:#667;stroke-width:2;"
        "marker-end:url(#tip)}</style>"
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="3" refY="3" markerWidth="5"'
        ' markerHeight="5" orient="auto"><path d="M0 0L6 3L0 6z" fill="#667"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


if __name__ == "__main__":
    print(drawn(), end="")
