"""The paper: what bounds the loss of a target task after transfer, and how the bound is computed.

``solve`` joins the parts. In reading order: head, transform, transport, bound, class_map, problem, alternation, refinement,
pseudo_labels, solve; published_objective is what the authors optimise; settings has every constant with its source.
"""
