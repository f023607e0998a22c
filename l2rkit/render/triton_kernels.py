"""The kernels of `rasterize_triton`. Imported when first used, as this module needs Triton."""

import triton
import triton.language as tl

# 0x7FFFFFFF is all of the 31 bits that hold a triangle's index. Triton reads no global numbers.


@triton.jit
def claim_pixels(
    points, skipped, buffer, height, width, size, item, row, column, axis,
    SKIPS: tl.constexpr, TOLERANCE: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Writes the nearest triangle of each pixel to the z-buffer; each lane draws one triangle.

    A pixel of `buffer` (B, size, size) int64 keeps the largest value. Its upper half is 1/z as the
    bits of a float32, which have the same order. Its lower half is 0x7FFFFFFF minus the index, so
    the first of equally near triangles wins in any order of execution.

    item, row, column, axis: strides of points (B, H, W, 3).
    skipped: (B, triangles) uint8, read if SKIPS.
    TOLERANCE: `EDGE` of `l2rkit.render.grid`.
    """
    index = tl.program_id(0) * LANES + tl.arange(0, LANES)
    mesh = tl.program_id(1).to(tl.int64)
    cells = (height - 1) * (width - 1)
    drawn = index < 2 * cells
    cell, second = index // 2, index % 2
    top_left = points + mesh * item + (cell // (width - 1)) * row + (cell % (width - 1)) * column
    # Corners of the first triangle of a cell: (r, c), (r + 1, c), (r, c + 1); of the second:
    # (r, c + 1), (r + 1, c), (r + 1, c + 1).
    p, q, r = top_left + second * column, top_left + row, top_left + column + second * row
    pz = tl.load(p + 2 * axis, mask=drawn, other=0.0)
    qz = tl.load(q + 2 * axis, mask=drawn, other=0.0)
    rz = tl.load(r + 2 * axis, mask=drawn, other=0.0)
    px, py = tl.load(p, mask=drawn, other=0.0), tl.load(p + axis, mask=drawn, other=0.0)
    qx, qy = tl.load(q, mask=drawn, other=0.0), tl.load(q + axis, mask=drawn, other=0.0)
    rx, ry = tl.load(r, mask=drawn, other=0.0), tl.load(r + axis, mask=drawn, other=0.0)
    infinity = float("inf")
    drawn &= (pz > 0) & (qz > 0) & (rz > 0) & (pz < infinity) & (qz < infinity) & (rz < infinity)
    if SKIPS:
        drawn &= tl.load(skipped + mesh * 2 * cells + index, mask=drawn, other=1) == 0
    px, py, pz = px.to(tl.float64), py.to(tl.float64), pz.to(tl.float64)
    qx, qy, qz = qx.to(tl.float64), qy.to(tl.float64), qz.to(tl.float64)
    rx, ry, rz = rx.to(tl.float64), ry.to(tl.float64), rz.to(tl.float64)
    area = (qx - px) * (ry - py) - (qy - py) * (rx - px)
    drawn &= (tl.abs(area) >= 1e-12) & (tl.abs(area) < infinity)  # also false for NaN
    left, right = tl.minimum(tl.minimum(px, qx), rx), tl.maximum(tl.maximum(px, qx), rx)
    top, bottom = tl.minimum(tl.minimum(py, qy), ry), tl.maximum(tl.maximum(py, qy), ry)
    drawn &= (right > -1) & (left < size) & (bottom > -1) & (top < size)
    # Triangles that are left out become one pixel before the conversion to integers, which could
    # overflow.
    left, right = tl.where(drawn, left, 0.0), tl.where(drawn, right, 0.0)
    top, bottom = tl.where(drawn, top, 0.0), tl.where(drawn, bottom, 0.0)
    area = tl.where(drawn, area, 1.0)
    pz, qz, rz = tl.where(drawn, pz, 1.0), tl.where(drawn, qz, 1.0), tl.where(drawn, rz, 1.0)
    first_x = tl.maximum(tl.ceil(left - TOLERANCE), 0.0).to(tl.int32)
    first_y = tl.maximum(tl.ceil(top - TOLERANCE), 0.0).to(tl.int32)
    last_x = tl.minimum(right + TOLERANCE, size - 1.0).to(tl.int32)
    last_y = tl.minimum(bottom + TOLERANCE, size - 1.0).to(tl.int32)
    wide, high = tl.maximum(last_x - first_x + 1, 0), tl.maximum(last_y - first_y + 1, 0)
    pixels = tl.where(drawn, wide * high, 0)
    low = 0x7FFFFFFF - index.to(tl.int64)
    picture = buffer + mesh * size * size
    # Weights of q and r, and 1/z, grow by these for each column and row from p on.
    qu, qv = (ry - py) / area, (px - rx) / area
    ru, rv = (py - qy) / area, (qx - px) / area
    p_near = 1 / pz
    u = qu * (1 / qz - p_near) + ru * (1 / rz - p_near)
    v = qv * (1 / qz - p_near) + rv * (1 / rz - p_near)
    x, y = first_x, first_y
    for step in range(tl.max(pixels, axis=0)):
        dx, dy = x.to(tl.float64) - px, y.to(tl.float64) - py
        b, c = dx * qu + dy * qv, dx * ru + dy * rv
        near = (p_near + dx * u + dy * v).to(tl.float32)
        inside = (b >= -TOLERANCE) & (c >= -TOLERANCE) & (1 - b - c >= -TOLERANCE)
        inside &= (step < pixels) & (near > 0)
        offer = (near.to(tl.int32, bitcast=True).to(tl.int64) << 32) | low
        tl.atomic_max(picture + y * size + x, offer, mask=inside, sem="relaxed")
        ends = x >= last_x
        x = tl.where(ends, first_x, x + 1)
        y = tl.where(ends, y + 1, y)


@triton.jit
def read_claims(buffer, face, count, LANES: tl.constexpr):
    """Writes the triangle of each pixel of `buffer` to `face` as int32; -1 if it has none."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    there = pixel < count
    offer = tl.load(buffer + pixel, mask=there, other=0)
    index = tl.where(offer > 0, 0x7FFFFFFF - (offer & 0x7FFFFFFF), -1)
    tl.store(face + pixel, index.to(tl.int32), mask=there)
