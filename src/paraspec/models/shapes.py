"""Axes of tensors, spelt once; signatures use these words through jaxtyping.

``row``: one prompt of a batch. ``pos``: token position. ``layer``: value-vector site,
in network order. ``neuron``: value vector of a layer; in a mixture of experts all
experts' vectors, expert by expert. ``slot``: a (token, chosen expert) pair.
``concept``, ``item``, ``option``, ``vocab``, ``d_model``: as they say.
"""
