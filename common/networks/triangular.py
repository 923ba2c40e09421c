"""Covariances of three channels: upper triangular roots, solves and determinants, in closed form.

A triangle R, and a symmetric matrix C, is stored as its six entries (00, 01, 02, 11, 12, 22), each
(N, H, W) or broadcastable to it. Nothing here inverts a matrix that could be singular.
"""

from keras import ops

TINY = 1e-9  # lower bound of what stands under a root in `cholesky`


def factor(root, variances):
    """Upper triangular R with R R^T = U U^T + diag(v), where v > 0.

    A Cholesky factorisation from the last row to the first. Every term under a square root is a sum
    of squares, so nothing cancels even if U is singular (the last one by Lagrange's identity).

    Args:
        root: the six entries of U.
        variances: v, three arrays that broadcast to the entries of U.

    Returns:
        the six entries of R.
    """
    u00, u01, u02, u11, u12, u22 = root
    v0, v1, v2 = variances
    square22 = ops.square(u22) + v2
    r22 = ops.sqrt(square22)
    r02 = u02 * u22 / r22
    r12 = u12 * u22 / r22
    rest = v2 / square22  # share of the last column that remains for the rows above
    square11 = ops.square(u11) + v1 + ops.square(u12) * rest
    r11 = ops.sqrt(square11)
    r01 = (u01 * u11 + u02 * u12 * rest) / r11
    remaining = ops.square(u01) + ops.square(u02) * rest
    minor = ops.square(u01 * u12 - u02 * u11) * rest
    r00 = ops.sqrt(ops.square(u00) + v0 + (v1 * remaining + minor) / square11)
    return r00, r01, r02, r11, r12, r22


def cholesky(c00, c01, c02, c11, c12, c22):
    """Upper triangular R with R R^T = C, for a matrix C that is far from singular."""
    r22 = ops.sqrt(ops.maximum(c22, TINY))
    r02, r12 = c02 / r22, c12 / r22
    r11 = ops.sqrt(ops.maximum(c11 - ops.square(r12), TINY))
    r01 = (c01 - r02 * r12) / r11
    r00 = ops.sqrt(ops.maximum(c00 - ops.square(r01) - ops.square(r02), TINY))
    return r00, r01, r02, r11, r12, r22


def solve_upper(r, d):
    """R^-1 d, from the six entries of R and the three of d."""
    r00, r01, r02, r11, r12, r22 = r
    z2 = d[2] / r22
    z1 = (d[1] - r12 * z2) / r11
    return (d[0] - r01 * z1 - r02 * z2) / r00, z1, z2


def solve_upper_transposed(r, d):
    """(R^T)^-1 d, from the six entries of R and the three of d."""
    r00, r01, r02, r11, r12, r22 = r
    z0 = d[0] / r00
    z1 = (d[1] - r01 * z0) / r11
    return z0, z1, (d[2] - r02 * z0 - r12 * z1) / r22


def inverse_diagonal(r):
    """The three diagonal entries of (R R^T)^-1."""
    r00, r01, r02, r11, r12, r22 = r
    b00, b11, b22 = 1.0 / r00, 1.0 / r11, 1.0 / r22
    b01 = -r01 * b00 * b11
    b12 = -r12 * b11 * b22
    b02 = (r01 * r12 * b11 - r02) * b00 * b22
    squares = ops.square
    return squares(b00), squares(b01) + squares(b11), squares(b02) + squares(b12) + squares(b22)


def norm(z):
    """Squared length of a vector of three arrays."""
    return ops.square(z[0]) + ops.square(z[1]) + ops.square(z[2])


def log_determinant(r):
    """log det(R R^T)."""
    return 2.0 * ops.log(r[0] * r[3] * r[5])


def solve(r, d):
    """(R R^T)^-1 d, from the six entries of R and the three of d."""
    return solve_upper_transposed(r, solve_upper(r, d))


def product(root):
    """The six entries of U U^T."""
    u00, u01, u02, u11, u12, u22 = root
    return (
        ops.square(u00) + ops.square(u01) + ops.square(u02),
        u01 * u11 + u02 * u12,
        u02 * u22,
        ops.square(u11) + ops.square(u12),
        u12 * u22,
        ops.square(u22),
    )


def columns(c):
    """The three columns of a symmetric matrix."""
    c00, c01, c02, c11, c12, c22 = c
    return (c00, c01, c02), (c01, c11, c12), (c02, c12, c22)
