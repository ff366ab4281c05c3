"""What the cells of `benchmarks.founding_question` say together.

==============  =====================================================================
`cells`         one row per cell, from a folder of results or from the published file
`within`        correlations within tables, pooled over tables
`regressions`   mixed effects, a test for a U-shape, gain against dose
`gains`         what each arm gains
`growth`        the same by dose and by training rows
`ranks`         average ranks and their critical difference
`figure`        the picture of the page
`claims`        the published claims beside what the cells say
`texts`         what the page says whatever the cells do
`page`          ``docs/founding-question.md``, made by ``python -m benchmarks.founding``
==============  =====================================================================
"""
