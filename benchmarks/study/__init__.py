"""The study engine: tables × splits × arms, each cell measured once, kept in a file and summarised.

========================  =====================================================================
`tables`                  where tables come from, and how they are read
`splits`                  which rows train, validate and test
`cells`                   one table, split and arm, and the hash of everything that made the result
`versions`                the code that made a result: libraries and this package
`metrics`                 ROC-AUC, log-loss and calibration error
`store`                   one JSON file per finished cell
`runner`                  runs cells in this process or in several
`cluster`                 runs cells on a Ray cluster
`plan`                    a whole study in one TOML file
`progress`                how far a study is, and the time left
`summary`                 means, standard errors and paired differences
`command`                 the command line that every study shares
========================  =====================================================================

A study is a module that says how it measures one cell: see `benchmarks.arms`.
"""
