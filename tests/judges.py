"""A judge for tests that follow a study and need no scores."""

from dcgan_helpers.networks import generate


class FakeJudge:
    """Scores by the mean grey; wants 12 fakes where it is given images."""

    def __len__(self):
        return 12

    def score(self, images, classes=None):
        assert images.shape == (12, 1, 64, 64)
        right = {} if classes is None else {"right": classes.float().mean().item() / 9}
        return {"fid": images.mean().item(), "frequencies": [], **right}

    def score_generator(self, generator, seed=0):
        return {"fid": generate(generator, 4).mean().item(), "classes": []}
