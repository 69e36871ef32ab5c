"""Trains the network on scikit-learn's digits and writes weights.npz; prints the accuracy on digits it did not see.

pip install -r requirements-train.txt && python train.py
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def like_a_drawing(pixels: np.ndarray) -> np.ndarray:
    """A digit of the data set cropped to its ink and squared, as the model prepares a drawing."""
    from model import prepare

    picture = Image.fromarray((255 - pixels.reshape(8, 8) / 16 * 255).astype(np.uint8))
    return prepare(picture.resize((128, 128), Image.Resampling.BICUBIC))


def varied(images: np.ndarray, labels: np.ndarray, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The digits, and each again turned a little and drawn thicker or thinner."""
    more = []
    for pixels in images:
        picture = Image.fromarray((pixels.reshape(8, 8) / 16 * 255).astype(np.uint8))
        large = picture.resize((64, 64), Image.Resampling.BICUBIC)
        turned = large.rotate(float(chance.uniform(-12, 12)), resample=Image.Resampling.BICUBIC)
        turned = turned.resize((8, 8), Image.Resampling.BOX)
        power = float(chance.uniform(0.6, 1.5))
        more.append((np.asarray(turned, dtype=np.float32) / 255).ravel() ** power * 16)
    return np.concatenate([images, np.array(more)]), np.concatenate([labels, labels])


def main() -> None:
    digits = load_digits()
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        digits.data, digits.target, test_size=0.2, random_state=1, stratify=digits.target
    )
    for seed in range(3):
        seen, seen_labels = varied(seen, seen_labels, np.random.default_rng(seed))
    network = MLPClassifier((64,), alpha=1e-3, max_iter=60, random_state=1)
    network.fit(np.array([like_a_drawing(one) for one in seen]), seen_labels)
    accuracy = network.score(np.array([like_a_drawing(one) for one in unseen]), unseen_labels)
    print(f"accuracy on {len(unseen)} digits it did not see: {accuracy:.3f}")
    (w0, w1), (b0, b1) = network.coefs_, network.intercepts_
    stored = {"w0": w0, "w1": w1, "b0": b0, "b1": b1}
    np.savez(Path(__file__).parent / "weights.npz", **{name: value.astype(np.float32) for name, value in stored.items()})


if __name__ == "__main__":
    main()
