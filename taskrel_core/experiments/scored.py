"""Which metrics the rows of the correlation table and of the timings hold."""

# Those of the poster, as its columns are, and four more. What is added to BASELINES later would make shipped rows
# incomplete; it joins here with a new version of these rows.
SCORED = (
    *("logme", "leep", "nce", "pactran", "sfda", "hscore", "ot_nce", "otce"),
    *("hscore_shrunk", "nleep", "transrate", "gbc"),
)
