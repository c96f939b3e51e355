"""Numbers for how alike two sets of images are."""

import torch


def neighbour_accuracy(real, fake):
    """How well a nearest neighbour tells real from fake: 0.5 not at all, 1 every time.

    Both sets, `N×C×64×64` in [-1, 1] and equally many, are thrown together. For each
    image the most similar other one is looked up (Euclidean distance of the pixels); the
    result is the share whose neighbour is of its own kind. It falls towards 0.5 as the
    fakes spread among the real images, and below when they copy them. The 1-nearest-neighbour
    two-sample test of Lopez-Paz and Oquab (2017, arXiv 1610.06545); Xu et al. (2018, arXiv
    1806.07755) compare it with other measures for GANs. Raises ValueError for unequal shapes.
    """
    if real.shape != fake.shape or len(real) < 2:
        raise ValueError(
            f"expected as many real images as fakes, at least 2, all of one shape; "
            f"received {tuple(real.shape)} and {tuple(fake.shape)}"
        )
    images = torch.cat([real, fake]).flatten(1)
    is_real = torch.arange(len(images)) < len(real)
    distances = torch.cdist(images, images)
    distances.fill_diagonal_(torch.inf)  # nobody is one's own neighbour
    return (is_real[distances.argmin(dim=1)] == is_real).float().mean().item()
