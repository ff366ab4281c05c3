"""What the core asks of every backbone."""

from causalmix_nearest.backbone import Nearest

from autogluon_causalmix.testing import check_backbone


def test_it_keeps_the_contract_of_backbones() -> None:
    check_backbone(Nearest())
