"""What may be read: derivations, recipes, bundles. Each turns a target into a verified closure."""
