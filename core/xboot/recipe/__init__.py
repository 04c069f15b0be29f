"""Recipes: derivations without Nix or Guix. A TOML file names sources and derivations; `derive` writes the `.drv` closure that Nix would
compute.
"""

from typing import TYPE_CHECKING

from xboot._lazy import later
from xboot.recipe.store import default_store_folder

if TYPE_CHECKING:
    from xboot.recipe.derivations import Derived, derive
    from xboot.recipe.read import load_recipe
    from xboot.recipe.schema import Recipe

__all__ = ["Derived", "Recipe", "default_store_folder", "derive", "load_recipe"]

# pydantic, which checks recipes, takes 60 ms to import.
_MODULES = {
    "Derived": "xboot.recipe.derivations",
    "Recipe": "xboot.recipe.schema",
    "derive": "xboot.recipe.derivations",
    "load_recipe": "xboot.recipe.read",
}
__getattr__ = later(__name__, _MODULES)
