"""The verbs that draw: `glisson phantom` and `glisson reproduce`."""
