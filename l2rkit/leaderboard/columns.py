"""The metrics of tables: title, digits, and which direction is better."""

from typing import NamedTuple


class Column(NamedTuple):
    """How tables show a metric. `higher_is_better` gives the order of rows."""

    title: str
    digits: int
    higher_is_better: bool = False


# Tables are sorted by the first of these metrics that they have.
COLUMNS = {
    "side": Column("SIDE x 100", 3),
    "mad": Column("normal MAE ° (MAD)", 2),
    "face_side": Column("SIDE of the face x 100", 3),
    "face_mad": Column("normal MAE of the face °", 2),
    "psnr": Column("PSNR dB", 2, True),
    "ssim": Column("SSIM", 3, True),
    "identity": Column("ID similarity of the picture", 3, True),
    "render_psnr": Column("rendering PSNR dB", 2, True),
    "render_ssim": Column("rendering SSIM", 3, True),
    "render_identity": Column("ID similarity of the rendering", 3, True),
    "predicted_side": Column("SIDE (predicted pose) x 100", 3),
    "own_side": Column("SIDE (input view) x 100", 3),
    "cross_psnr": Column("novel-view PSNR dB", 2, True),
    "cross_ssim": Column("novel-view SSIM", 3, True),
    "cross_fmd": Column("novel-view FMD", 3),
    "cross_identity": Column("novel-view ID similarity", 3, True),
    "cross_impostor": Column("impostor similarity", 3),
    "correlation": Column("depth correlation", 3, True),
    "albedo_psnr": Column("albedo PSNR dB", 2, True),
    "albedo_ssim": Column("albedo SSIM", 3, True),
    "albedo_symmetry": Column("PSNR of albedo symmetry dB", 2, True),
    "turned_identity": Column("ID similarity of turned views", 3, True),
    "normal_mad": Column("normal MAE °", 2),
    "fine_normal": Column("fine normal error °", 2),
    "face_normal": Column("normal error of the face °", 2),
    "face_fine_normal": Column("fine normal error of the face °", 2),
    "fmd": Column("FMD", 3),
    "kmd": Column("KMD x 1000", 2),
    "rank1_own": Column("rank-1 %", 1, True),
    "rank1_pasted": Column("rank-1 pasted back %", 1, True),
    "rank1_ahead": Column("rank-1 ahead %", 1, True),
    "rank1_side": Column("rank-1 at ±30° %", 1, True),
    "cosine_own": Column("ID similarity", 3, True),
    "cosine_pasted": Column("ID similarity pasted back", 3, True),
    "cosine_ahead": Column("ID similarity ahead", 3, True),
    "cosine_side": Column("ID similarity at ±30°", 3, True),
    "yaw_correlation": Column("yaw correlation", 3, True),
    "yaw_error": Column("yaw error °", 1),
    "pitch_correlation": Column("pitch correlation", 3, True),
    "pitch_error": Column("pitch error °", 1),
    "roll_error": Column("roll error °", 1),
    "explained_shape": Column("explained deviation of shape", 2, True),
    "shape_error": Column("shape error %", 2),
    "face_psnr": Column("rendering PSNR in the face dB", 2, True),
    "pasted_psnr": Column("PSNR pasted back dB", 2, True),
    "face_ssim": Column("rendering SSIM in the face", 3, True),
}
# Also metrics that only published results have.
PUBLISHED = {
    **COLUMNS,
    "normals": Column("normal MAE °", 1),
    "lpips": Column("LPIPS", 3),
}
