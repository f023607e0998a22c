"""Texturing and shading of a posed head, compiled by Numba."""

import numpy as np

from l2rkit.ops.compiled import compiled

SKIN, EYE_PART, TEETH = 0, 1, 2
MOUTH = np.array([0.30, 0.10, 0.10], np.float32)
TOOTH = np.array([0.80, 0.76, 0.68], np.float32)
TONGUE = np.array([0.62, 0.28, 0.28], np.float32)
# First columns of a vertex's attributes.
NORMAL, ALONG_U, ALONG_V, UV, EYE_UV, INSIDE, OPEN = 0, 3, 6, 9, 11, 13, 14
COLUMNS = 15


@compiled(nogil=True)
def surface_gradients(points, triangles, uv):
    """(V, 6): the surface gradients of u and of v, averaged over a vertex's triangles by area.

    points (V, 3); uv (V, 2) in [0, 1]. Triangles across the texture's seam are left out.
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


@compiled(nogil=True)
def _bilinear(picture, x, y, out):
    """Fills out (C,): the picture (H, W, C) at column x and row y; edges are replicated."""
    rows, columns = picture.shape[0], picture.shape[1]
    x, y = min(max(x, 0.0), columns - 1.0), min(max(y, 0.0), rows - 1.0)
    c, r = min(int(x), columns - 2), min(int(y), rows - 2)
    fx, fy = x - c, y - r
    for k in range(len(out)):
        top = picture[r, c, k] * (1 - fx) + picture[r, c + 1, k] * fx
        low = picture[r + 1, c, k] * (1 - fx) + picture[r + 1, c + 1, k] * fx
        out[k] = top * (1 - fy) + low * fy


@compiled(nogil=True)
def front_triangles(pixels, triangles, size):
    """The triangles (T, 3) that face the camera and overlap a picture `size` px wide.

    pixels (V, 2 or 3): columns and rows. Triangles are counter-clockwise seen from outside.
    """
    kept = np.empty_like(triangles)
    count = 0
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1 = pixels[i, 0], pixels[i, 1], pixels[j, 0], pixels[j, 1]
        x2, y2 = pixels[k, 0], pixels[k, 1]
        if (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0) >= 0:
            continue
        if max(x0, x1, x2) < -1 or min(x0, x1, x2) > size:
            continue
        if max(y0, y1, y2) < -1 or min(y0, y1, y2) > size:
            continue
        kept[count] = triangles[t]
        count += 1
    return kept[:count].copy()


@compiled(nogil=True)
def textured(face, weights, depth, triangles, part, attributes, skin, eyes, scale, albedo):
    """Unit normals (S, S, 3) and gloss (S, S, 2) of skin and eyes; changes albedo and depth.

    face, weights, depth: from `rasterize_mesh`; the relief is added to depth, and its heights times
    `scale` are scene units. attributes (V, COLUMNS). skin (T, T, 7): colour, height, its
    derivatives along u and v, hair; eyes (E, 2 E, 3). albedo (S, S, 3): the background, replaced
    where the head is.
    """
    size, side, eye = len(face), skin.shape[0], eyes.shape[0]
    normal = np.zeros((size, size, 3), np.float32)
    gloss = np.zeros((size, size, 2), np.float32)
    at = np.zeros(COLUMNS, np.float32)
    texel, colour = np.zeros(7, np.float32), np.zeros(3, np.float32)
    for row in range(size):
        for column in range(size):
            t = face[row, column]
            if t < 0:
                normal[row, column, 2] = -1
                continue
            at[:] = 0.0
            for corner in range(3):
                vertex, share = triangles[t, corner], weights[row, column, corner]
                for k in range(COLUMNS):
                    at[k] += share * attributes[vertex, k]
            kind = part[triangles[t, 0]]
            nx, ny, nz = at[0], at[1], at[2]
            length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-12
            nx, ny, nz = nx / length, ny / length, nz / length
            height = 0.0
            if kind == SKIN:
                _bilinear(skin, at[UV] * side - 0.5, at[UV + 1] * side - 0.5, texel)
                inside = min(max(at[INSIDE], 0.0), 1.0)
                bare = 1.0 - inside
                for k in range(3):
                    colour[k] = texel[k] + (MOUTH[k] * at[OPEN] - texel[k]) * inside
                height = texel[3] * bare
                gloss[row, column, 0] = bare * (1.0 - texel[6])
                du, dv = texel[4] * bare, texel[5] * bare
                nx -= du * at[ALONG_U] + dv * at[ALONG_V]
                ny -= du * at[ALONG_U + 1] + dv * at[ALONG_V + 1]
                nz -= du * at[ALONG_U + 2] + dv * at[ALONG_V + 2]
            elif kind == EYE_PART:
                # patches are side by side: u of the right one begins at 1
                low, high = (eye, 2 * eye - 1) if at[EYE_UV] > 1 else (0, eye - 1)
                across = min(max(at[EYE_UV] * eye - 0.5, low), high)
                _bilinear(eyes, across, at[EYE_UV + 1] * eye - 0.5, colour)
                gloss[row, column, 1] = 1.0
            else:
                tone = TOOTH if kind == TEETH else TONGUE
                for k in range(3):
                    colour[k] = tone[k] * (0.35 + 0.65 * at[OPEN])
            nz = min(nz, -1e-3)  # interpolated normals at the contour may point away
            length = np.sqrt(nx * nx + ny * ny + nz * nz)
            nx, ny, nz = nx / length, ny / length, nz / length
            normal[row, column, 0], normal[row, column, 1] = nx, ny
            normal[row, column, 2] = nz
            depth[row, column] += scale * height * nz
            for k in range(3):
                albedo[row, column, k] = colour[k]
    return normal, gloss


@compiled(nogil=True)
def covered(face, weights, triangles, attributes, texture, light):
    """Colour (S, S, 3) with Lambertian shading, and opacity (S, S), of a layer over the head.

    attributes (V, 5): unit normal, uv; texture (T, T, 4): colour and opacity; light (5,).
    """
    size, side = len(face), len(texture)
    colour = np.zeros((size, size, 3), np.float32)
    opacity = np.zeros((size, size), np.float32)
    at, texel = np.zeros(5, np.float32), np.zeros(4, np.float32)
    for row in range(size):
        for column in range(size):
            t = face[row, column]
            if t < 0:
                continue
            at[:] = 0.0
            for corner in range(3):
                for k in range(5):
                    share = weights[row, column, corner]
                    at[k] += share * attributes[triangles[t, corner], k]
            _bilinear(texture, at[3] * side - 0.5, at[4] * side - 0.5, texel)
            facing = max(0.0, at[0] * light[2] + at[1] * light[3] + at[2] * light[4])
            for k in range(3):
                colour[row, column, k] = texel[k] * (light[0] + light[1] * facing)
            opacity[row, column] = texel[3]
    return colour, opacity


@compiled(nogil=True)
def lit(face, albedo, normal, gloss, light, shine, sharpness):
    """(S, S, 3): Lambertian shading with Blinn-Phong highlights; the background is unshaded.

    light (5,); shine and sharpness (2,): strength and exponent of highlights of skin and of eyes.
    """
    size = len(face)
    image = albedo.copy()
    hx, hy, hz = light[2], light[3], light[4] - 1
    length = np.sqrt(hx * hx + hy * hy + hz * hz)
    hx, hy, hz = hx / length, hy / length, hz / length
    for row in range(size):
        for column in range(size):
            if face[row, column] < 0:
                continue
            n = normal[row, column]
            facing = max(0.0, n[0] * light[2] + n[1] * light[3] + n[2] * light[4])
            shading = light[0] + light[1] * facing
            across = max(0.0, n[0] * hx + n[1] * hy + n[2] * hz)
            bright = 0.0
            for k in range(2):
                if gloss[row, column, k] > 0:
                    bright += shine[k] * gloss[row, column, k] * across ** sharpness[k]
            for k in range(3):
                image[row, column, k] = albedo[row, column, k] * shading + light[1] * bright
    return image
