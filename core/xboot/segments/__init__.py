"""Runs of several boots: a plan is cut into segments, each boots alone, and later ones are given nothing but what the host has hashed."""
