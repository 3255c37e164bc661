"""Axes of tensors, spelt once; signatures use these words through jaxtyping.

``row``: one prompt of a batch. ``pos``: token position. ``token``: a position of a
row, row by row. ``layer``: value-vector site, in network order (a layer with routed and
shared experts has two). ``neuron``: value vector of a site; in a mixture of experts all
experts' vectors, expert by expert. ``choice``: one of a token's experts. ``slot``: a
(token, chosen expert) pair.
``concept``, ``item``, ``option``, ``vocab``, ``d_model``: as they say.
"""
