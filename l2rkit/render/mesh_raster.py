"""Rasterizes any triangle mesh with a z-buffer, compiled by Numba."""

import numpy as np

from ..ops.compiled import compiled


@compiled(nogil=True)
def rasterize_mesh(points, triangles, size):
    """Nearest triangle (size, size) int32 (-1: none), weights (size, size, 3), z (size, size).

    points (V, 3) are (u px, v px, z > 0) with pixel centres at integers, triangles (T, 3).
    Weights are perspective-correct: an attribute of the surface at a pixel is the weighted sum
    over the corners, and z = 1 / sum(w_screen / z_corner). Both sides of a triangle are visible. In
    pixels without a triangle weights are 0 and z is infinite.
    """
    face = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    depth = np.full((size, size), np.inf, np.float32)
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = points[i, 0], points[i, 1], points[i, 2]
        x1, y1, z1 = points[j, 0], points[j, 1], points[j, 2]
        x2, y2, z2 = points[k, 0], points[k, 1], points[k, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0.0:
            continue
        inverse = 1.0 / area
        left = int(max(0.0, np.ceil(min(x0, x1, x2))))
        right = int(min(size - 1.0, np.floor(max(x0, x1, x2))))
        top = int(max(0.0, np.ceil(min(y0, y1, y2))))
        bottom = int(min(size - 1.0, np.floor(max(y0, y1, y2))))
        for v in range(top, bottom + 1):
            for u in range(left, right + 1):
                w0 = ((x1 - u) * (y2 - v) - (x2 - u) * (y1 - v)) * inverse
                w1 = ((x2 - u) * (y0 - v) - (x0 - u) * (y2 - v)) * inverse
                w2 = 1.0 - w0 - w1
                if w0 < 0.0 or w1 < 0.0 or w2 < 0.0:
                    continue
                w0, w1, w2 = w0 / z0, w1 / z1, w2 / z2
                z = 1.0 / (w0 + w1 + w2)
                if z < depth[v, u]:
                    depth[v, u] = z
                    face[v, u] = t
                    weights[v, u, 0] = w0 * z
                    weights[v, u, 1] = w1 * z
                    weights[v, u, 2] = w2 * z
    return face, weights, depth


@compiled(nogil=True)
def interpolate(face, weights, triangles, attributes):
    """(P, K) attributes at P pixels from face (P,), weights (P, 3), attributes (V, K)."""
    out = np.zeros((len(face), attributes.shape[1]), np.float32)
    for p in range(len(face)):
        for corner in range(3):
            vertex = triangles[face[p], corner]
            for k in range(attributes.shape[1]):
                out[p, k] += weights[p, corner] * attributes[vertex, k]
    return out


@compiled(nogil=True)
def vertex_normals(points, triangles):
    """(V, 3) area-weighted unit normals, pointing out of a counter-clockwise surface."""
    normals = np.zeros_like(points)
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
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
        for corner in (i, j, k):
            normals[corner, 0] += ay * bz - az * by
            normals[corner, 1] += az * bx - ax * bz
            normals[corner, 2] += ax * by - ay * bx
    for v in range(len(normals)):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > 0:
            normals[v, 0], normals[v, 1], normals[v, 2] = x / length, y / length, z / length
    return normals
