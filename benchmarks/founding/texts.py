"""What the page says whatever the cells do."""

INTRODUCTION = (
    "How closely does the fidelity of synthetic rows go with what a foundation model gains "
    "from fine-tuning on them? Each cell of the study fine-tunes `mini` on the training rows "
    "of one table and on the rows of one arm, half of the loss each, to the last step. The "
    "gain is the log-loss on test rows of the pretrained weights less that of the mean of the "
    "weights. Fidelity is measured against real rows that neither the generator nor the score "
    "has seen. Some arms plant a fault in the causal generator, so that fidelity varies on "
    "purpose; one has unseen real rows in place of synthetic ones. What the package keeps is, in "
    "these cells, by two standard errors alone, without its bound for few validation rows."
)

HOW_CORRELATED = (
    "ρ is Spearman's correlation over the arms of a table, every metric turned so that higher "
    "is better; Fisher's z is averaged over tables, and the interval is a bootstrap of tables. "
    "p permutes arms, in all tables alike, and is corrected for the number of metrics. Beyond "
    "chance is a p below .05 with an interval on one side of 0. Novelty "
    "is `authenticity`. The slope is log-loss gained per standard deviation of the metric, in "
    "a mixed-effects model of all cells, those with other rows and doses too, with rows, columns, "
    "share of categories, base ROC-AUC and dose, and random intercepts of domains, of tables in "
    "them and of arms; splits and seeds are averaged before (asterisk: its optimiser warns). The "
    "last column tests whether the gain turns within the range of the metric (Lind and Mehlum, "
    "2010); it does not know that all tables share their arms: a claim rests on the p of the "
    "permutation. The fifth column leaves out the arm of unseen real rows. "
    "The highest ρ that the noise of the gain leaves: "
)

ABOUT_CLAIMS = (
    "Of Bühler, Purucker and Hutter (2026, arXiv 2601.04110), who fine-tune TabPFN on tables "
    "of TabArena. Here the backbone is `mini`, the tables are others, half of the loss is that "
    "of synthetic rows, and nothing is judged by validation rows. The gain is in ROC-AUC over "
    "zero-shot, 1 for the best arm of a table among real rows, scm, bootstrap, marginals, perturb "
    "and the one in question; tables on which none gains .005 are left out. The gap is 1 − "
    "Spearman's correlation of validation and test loss along a run."
)

ABOUT_FORECAST = (
    "Can it be told before fine-tuning whether causal rows will gain more than real rows alone? A "
    "logistic regression learns it from all tables but one: rows, columns, share of categories, "
    "scores of the pretrained model, and the fidelity of the causal rows beside that of real rows "
    "drawn again. It is judged on the table that was left out. Skill is 1 − its Brier score over "
    "that of the plain share of the other tables: 0 knows nothing about a table, 1 everything."
)

KNOWS_SOMETHING = (
    "it knows something about a table that it has not seen. Fit reports make no forecast before "
    "the whole study is run."
)

NO_SKILL = "none that can be shown, so fit reports make no forecast."

COMMANDS = (
    "```sh\n"
    "python -m benchmarks.study benchmarks/plans/founding-question.toml --data DIR --out OUT\n"
    "python -m benchmarks.founding --cells OUT/founding_question --pack\n"
    "python -m benchmarks.founding\n"
    "```"
)

FAULTS_ONLY = (
    "- Correlation over planted faults says what breaks fine-tuning, not which of two "
    "good generators is better."
)

CEILING_ARM = (
    "- The arm of unseen real rows is compared with the test rows, as no others are left; the "
    "other arms are not. On four small tables it has 101 to 134 rows, where generators draw 150.\n"
    "- `global-utility` let forests learn from 150 synthetic and 75 real rows here. It has been "
    "mended since: it grows with the number of synthetic rows."
)
