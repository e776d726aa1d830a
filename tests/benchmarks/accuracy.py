"""Accuracy with default parameters, beside bounds and rivals.

    python tests/benchmarks/accuracy.py DATA [--seeds N] [--processes N] [--only PART ...]
                                        [--save FILE] [--against FILE] [--table TEXT] [--mlp] [--realmlp]

DATA is a folder with proben1.npz (NAME_X, NAME_y, NAME_split), anomaly.npz (NAME_X, NAME_y, 1 for an anomaly), vowel.npz
(X_train, y_train, X_test, y_test) and tabular.npz (NAME/X, NAME/y, NAME/isnum, and meta: a JSON list with each name and
task). Figures are means over the seeds, seconds those of the process that fits. `--save` keeps the figures of tables, of
rivals and of Proben1's regression problems, and `--against` compares with kept ones.
"""

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

# Before NumPy is imported, here and in other processes.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONWARNINGS="ignore")
sys.path.insert(0, str(Path(__file__).parent))

from joblib import Parallel
from known import anomaly, defaults, proben1, regression, vowel
from rivals import rivals
from tables import tables, tabular
from toys import deep, functions, toys
from uses import continued, text, weights, zeros

PARTS = (toys, functions, deep, weights, continued, zeros, text)
PARTS += (proben1, regression, vowel, anomaly, defaults, tables, tabular, rivals)

if __name__ == "__main__":
    names = {part.__name__: part for part in PARTS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=names, default=list(names), metavar="PART", help=", ".join(names))
    parser.add_argument("--save", type=Path, help="write the figures of tables, rivals and regression to this file")
    parser.add_argument("--against", type=Path, help="compare with figures that --save wrote")
    parser.add_argument("--table", default="", help="of the tables, only those whose name contains this text")
    parser.add_argument("--mlp", action="store_true", help="tables: also scikit-learn's network")
    parser.add_argument("--realmlp", action="store_true", help="rivals: only boosting and RealMLP, which pytabkit has")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    options.saved = json.loads(options.against.read_text()) if options.against else {}
    # What several parts need is measured once.
    options.measured = {}
    kept = {}
    with Parallel(n_jobs=options.processes) as run:
        for name in options.only:
            print(f"-- {name}: {names[name].__doc__}", flush=True)
            figures = names[name](run, options)
            if figures is not None:
                kept[name] = figures
            print()
    if options.save:
        options.save.write_text(json.dumps(kept))
