"""Textures on a posed head, compiled by Numba: colours, and normals turned by the relief."""

import numba
import numpy as np

SKIN, EYE_PART, TEETH = 0, 1, 2
MOUTH = np.array([0.30, 0.10, 0.10], np.float32)
TOOTH = np.array([0.80, 0.76, 0.68], np.float32)
TONGUE = np.array([0.62, 0.28, 0.28], np.float32)
# Columns of the attributes of a vertex.
NORMAL, ALONG_U, ALONG_V, UV, EYE_UV, INSIDE, OPEN = 0, 3, 6, 9, 11, 13, 14
COLUMNS = 15


@numba.njit(cache=True, nogil=True)
def surface_gradients(points, triangles, uv):
    """(V, 6): gradients on the surface (V, 3) of u and of v, means over a vertex's triangles.

    points (V, 3); uv (V, 2) in [0, 1]. Triangles over the texture's seam do not count.
    """
    out = np.zeros((len(points), 6), np.float32)
    total = np.zeros(len(points), np.float32)
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        du1, du2 = uv[j, 0] - uv[i, 0], uv[k, 0] - uv[i, 0]
        dv1, dv2 = uv[j, 1] - uv[i, 1], uv[k, 1] - uv[i, 1]
        if abs(du1) > 0.3 or abs(du2) > 0.3:
            continue
        ax, ay, az = (
            points[j, 0] - points[i, 0],
            points[j, 1] - points[i, 1],
            points[j, 2] - points[i, 2],
        )
        bx, by, bz = (
            points[k, 0] - points[i, 0],
            points[k, 1] - points[i, 1],
            points[k, 2] - points[i, 2],
        )
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        square = nx * nx + ny * ny + nz * nz
        if square < 1e-20:
            continue
        area = np.sqrt(square)
        # across b and n, across a and n: the gradient of f is (df1 (b x n) - df2 (a x n)) / n.n
        px, py, pz = by * nz - bz * ny, bz * nx - bx * nz, bx * ny - by * nx
        qx, qy, qz = ay * nz - az * ny, az * nx - ax * nz, ax * ny - ay * nx
        share = area / square
        for vertex in (i, j, k):
            total[vertex] += area
            out[vertex, 0] += (du1 * px - du2 * qx) * share
            out[vertex, 1] += (du1 * py - du2 * qy) * share
            out[vertex, 2] += (du1 * pz - du2 * qz) * share
            out[vertex, 3] += (dv1 * px - dv2 * qx) * share
            out[vertex, 4] += (dv1 * py - dv2 * qy) * share
            out[vertex, 5] += (dv1 * pz - dv2 * qz) * share
    for vertex in range(len(out)):
        if total[vertex] > 0:
            out[vertex] /= total[vertex]
    return out


@numba.njit(cache=True, nogil=True)
def _bilinear(picture, x, y, out):
    """out (C,): the picture (H, W, C) at column x and row y; edges are continued."""
    rows, columns = picture.shape[0], picture.shape[1]
    x, y = min(max(x, 0.0), columns - 1.0), min(max(y, 0.0), rows - 1.0)
    c, r = min(int(x), columns - 2), min(int(y), rows - 2)
    fx, fy = x - c, y - r
    for k in range(len(out)):
        top = picture[r, c, k] * (1 - fx) + picture[r, c + 1, k] * fx
        low = picture[r + 1, c, k] * (1 - fx) + picture[r + 1, c + 1, k] * fx
        out[k] = top * (1 - fy) + low * fy


@numba.njit(cache=True, nogil=True)
def textured(face, weights, triangles, part, attributes, skin, eyes):
    """Albedo (P, 3), unit normal (P, 3), height (P,) and hairiness (P,) at P pixels.

    face (P,), weights (P, 3): as `rasterize_mesh` gives them; attributes (V, COLUMNS).
    skin (T, T, 7): colour, height, its derivatives along u and v, hair; eyes (E, 2 E, 3).
    """
    pixels, side, eye = len(face), skin.shape[0], eyes.shape[0]
    albedo = np.zeros((pixels, 3), np.float32)
    normal = np.zeros((pixels, 3), np.float32)
    height = np.zeros(pixels, np.float32)
    hair = np.zeros(pixels, np.float32)
    at, texel, colour = np.zeros(COLUMNS), np.zeros(7), np.zeros(3)
    for p in range(pixels):
        t = face[p]
        at[:] = 0.0
        for corner in range(3):
            vertex, share = triangles[t, corner], weights[p, corner]
            for k in range(COLUMNS):
                at[k] += share * attributes[vertex, k]
        kind = part[triangles[t, 0]]
        nx, ny, nz = at[0], at[1], at[2]
        length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
        nx, ny, nz = nx / length, ny / length, nz / length
        if kind == SKIN:
            _bilinear(skin, at[UV] * side - 0.5, at[UV + 1] * side - 0.5, texel)
            inside = min(max(at[INSIDE], 0.0), 1.0)
            bare = 1.0 - inside
            for k in range(3):
                albedo[p, k] = texel[k] + (MOUTH[k] * at[OPEN] - texel[k]) * inside
            height[p], hair[p] = texel[3] * bare, texel[6]
            du, dv = texel[4] * bare, texel[5] * bare
            nx -= du * at[ALONG_U] + dv * at[ALONG_V]
            ny -= du * at[ALONG_U + 1] + dv * at[ALONG_V + 1]
            nz -= du * at[ALONG_U + 2] + dv * at[ALONG_V + 2]
        elif kind == EYE_PART:
            # patches lie side by side, so columns of the right one begin at 1
            low, high = (eye, 2 * eye - 1) if at[EYE_UV] > 1 else (0, eye - 1)
            column = min(max(at[EYE_UV] * eye - 0.5, low), high)
            _bilinear(eyes, column, at[EYE_UV + 1] * eye - 0.5, colour)
            for k in range(3):
                albedo[p, k] = colour[k]
        else:
            tone = TOOTH if kind == TEETH else TONGUE
            for k in range(3):
                albedo[p, k] = tone[k] * (0.35 + 0.65 * at[OPEN])
        nz = min(nz, -1e-3)  # beyond the contour interpolation may point away
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        normal[p, 0], normal[p, 1], normal[p, 2] = nx / length, ny / length, nz / length
    return albedo, normal, height, hair
