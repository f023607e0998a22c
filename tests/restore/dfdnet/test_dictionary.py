"""Style, match and exchange against calculations by hand and slow loops."""

import torch

from l2rkit.restore.dfdnet.dictionary import EPSILON, Dictionary, adain, match, standardised


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_adain_by_hand():
    """The atom 0, 2, 4, 6 has mean 3 and variance 5; the part 10, 10, 20, 20 has 15 and 25."""
    atom = torch.tensor([0.0, 2, 4, 6]).view(1, 1, 2, 2)
    part = torch.tensor([10.0, 10, 20, 20]).view(1, 1, 2, 2)
    expected = 15 + 5 / 5**0.5 * torch.tensor([-3.0, -1, 1, 3])
    torch.testing.assert_close(adain(atom, part).flatten(), expected, rtol=1e-5, atol=1e-5)


def test_adain_gives_each_channel_the_parts_statistics():
    atom, part = rand(3, 4, 6, 6), 5 * rand(3, 4, 6, 6, seed=1) + rand(3, 4, 1, 1, seed=2)
    styled = adain(atom, part)
    torch.testing.assert_close(styled.mean((2, 3)), part.mean((2, 3)))
    expected = part.std((2, 3), correction=0)
    torch.testing.assert_close(styled.std((2, 3), correction=0), expected, rtol=1e-4, atol=0)


def test_a_flat_part_gets_a_flat_atom():
    flat = torch.full((1, 2, 4, 4), 0.7)
    error = (adain(rand(1, 2, 4, 4), flat) - 0.7).abs().max()
    assert error < 4 * EPSILON**0.5


def test_the_match_is_the_largest_inner_product_after_adain():
    parts = rand(5, 3, 4, 4) * rand(5, 3, 1, 1, seed=1).exp() + rand(5, 3, 1, 1, seed=2)
    atoms = 3 * rand(7, 3, 4, 4, seed=3) + 1
    for part, found in zip(parts, match(parts, atoms).tolist()):
        styled = [adain(atom[None], part[None])[0] for atom in atoms]
        products = [float((part * each).sum()) for each in styled]
        assert products.index(max(products)) == found
        away = [float((part - each).square().sum()) for each in styled]
        assert away.index(min(away)) == found


def test_the_match_finds_a_planted_atom_whatever_its_style():
    atoms = rand(6, 3, 4, 4)
    parts = 0.2 * atoms.flip(0) + 4 + 0.01 * rand(6, 3, 4, 4, seed=1)
    assert match(parts, atoms).tolist() == [5, 4, 3, 2, 1, 0]


def test_an_atom_equal_to_the_part_leaves_no_difference():
    dictionary = Dictionary(atoms=3, image_size=128)
    part = rand(2, 24, 8, 8)
    dictionary.nose_4[1], dictionary.nose_4[2] = part[0], part[1] * 2 - 1
    difference = dictionary.swapped(part, "nose", 4) - part
    torch.testing.assert_close(difference[0], torch.zeros_like(part[0]), rtol=0, atol=1e-5)
    assert difference[1].abs().max() < 1e-3  # the same structure in another style, up to EPSILON


def test_standardised_forgets_light():
    part = rand(2, 3, 5, 5)
    torch.testing.assert_close(standardised(part * 9 - 4), standardised(part), rtol=0, atol=1e-4)
