"""Recipes: derivations without Nix or Guix. A TOML file names sources and derivations; `derive` writes the `.drv` closure that Nix would
compute.
"""

from xboot.recipe.derive import Derived, derive
from xboot.recipe.schema import Recipe, load_recipe
from xboot.recipe.store import default_store_folder

__all__ = ["Derived", "Recipe", "default_store_folder", "derive", "load_recipe"]
