"""Workers are started here as the system tests start them."""

from tests.system.conftest import shop, shop_sandbox

__all__ = ["shop", "shop_sandbox"]
