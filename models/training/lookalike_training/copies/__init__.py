"""Copies as people and programs make them, one Pillow picture in and one out.

These are the questions of the validation: fixed, named and graded. Training makes its own, random ones on tensors
(``augment``), so that a good figure here is not the training set learnt by heart.
"""
