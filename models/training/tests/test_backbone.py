import pytest
import torch

from lookalike_training.siblings.efficientnet_lite import load_pretrained


@pytest.mark.parametrize("side", [160, 224])
def test_features_equal_those_of_the_package_that_published_the_weights(side):
    reference_package = pytest.importorskip("efficientnet_lite_pytorch")
    from lookalike_training.siblings.efficientnet_lite import find_weights

    # Its padding is computed from the image size at construction.
    reference = reference_package.EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=str(find_weights()), image_size=side
    ).eval()
    ours = load_pretrained().eval()
    torch.manual_seed(0)
    x = torch.randn(2, 3, side, side)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), reference.extract_features(x), rtol=1e-4, atol=1e-4)


def test_weights_of_another_file_are_refused(tmp_path):
    file = tmp_path / "weights.pth"
    file.write_bytes(b"something else")
    with pytest.raises(ValueError, match="SHA-256"):
        load_pretrained(file)
