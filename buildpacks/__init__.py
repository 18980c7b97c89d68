"""What each language needs to become a slug: one folder per language, each a detection and a plan without effects.

`catalog` knows the buildpacks, `plan` holds the values that they return, `tree` is what they may look at. Nothing here
imports deployer, runs a program or writes a file.
"""
