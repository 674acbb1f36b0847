"""A classic twin of one's own, outside the package, that runs before anything in it is changed."""

import csv
import io
from pathlib import Path

from pipelines import scaffold

#: Columns of the example: diagnostic measurements of cell nuclei (Wisconsin, 1995).
COLUMNS = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "symmetry")

CONFIG = """\
# One classic twin. Every field: docs/reference/configuration.md of Twinstack.
twins:
  {name}:
    kind: classic
    description: Probability that a tumour is malignant, from measurements of its cell nuclei.
    table:
      path: {module}.csv
      key: sample_id
      label: diagnosis
      positive: malignant
      columns:
{columns}
        diagnosis: {{type: text, allowed: [benign, malignant]}}
    dataflow: {module}_features.py
    features: [size, roughness, smoothness_log, compactness_share, hollow, symmetry_gap]
    gate:
      rules:
        - {{metric: roc_auc, at_least: 0.6, may_lose: 0.02}}
        - {{metric: calibration_error, at_most: 0.2}}
"""

DATAFLOW = '''\
"""Features of twin {name}: a function is a feature, its arguments are columns or other features.

The functions take whole columns (pandas Series) in the pipeline and single values in a request, so what the
model is asked about is what it was trained on. Keep them pure: no file, no clock, no network.
`components.dataflows.columns` has helpers for categories: `ordinal` and `flag`.
"""

from components.dataflows.columns import Number, logarithm


def size(area: Number) -> Number:
    """Area of the nuclei, on a scale where a doubling counts the same everywhere."""
    return logarithm(area)


def roughness(perimeter: Number, radius: Number) -> Number:
    """Length of the outline against that of a circle of the same radius."""
    return perimeter / (radius * 6.283185307179586)


def smoothness_log(smoothness: Number) -> Number:
    """Local variation of the radius."""
    return logarithm(smoothness)


def compactness_share(compactness: Number, roughness: Number) -> Number:
    """Compactness that the roughness of the outline does not explain."""
    return compactness / roughness


def hollow(concavity: Number, texture: Number) -> Number:
    """Depth of the dents, weighted by the variation of grey."""
    return concavity * texture


def symmetry_gap(symmetry: Number) -> Number:
    """Distance of the symmetry from that of a usual nucleus."""
    return symmetry - 0.18
'''

README = """\
# Twin {name}
A classic model for Twinstack: one table, one dataflow of features, one entry in `twinstack.yaml`.

```bash
git init --quiet && git add . && git commit --quiet -m "Start"
twin run end_to_end
twin serve
```

Training refuses code that no commit names; `--allow-dirty` allows it while you try things out.

| file | what |
|---|---|
| `twinstack.yaml` | the table, the features, the gate |
| `{module}_features.py` | the features, the same code in the pipeline and in a request |
| `{module}.csv` | the example data: replace it by yours and declare its columns |

The example is the Breast Cancer Wisconsin (Diagnostic) data set (Wolberg, Street and Mangasarian, 1995; UCI
Machine Learning Repository, CC BY 4.0), as scikit-learn ships it. It has no dates, so event times are given
by row number: name a column of yours as `table.event_time.column`. It is no medical product.
"""


def new_classic(name: str, folder: Path) -> list[Path]:
    """Write a classic twin that runs at once: configuration, dataflow, example data, a README.

    Args:
        name: Name of the twin: small letters, digits, hyphens.
        folder: Where it goes; made where it is missing.

    Returns:
        The files that were written.

    Raises:
        ConfigError: The name is not allowed, or a file would be overwritten; nothing was written.
    """
    scaffold.require_name(name)
    module = name.replace("-", "_")
    columns = "\n".join(f"        {column}: {{type: number, minimum: 0}}" for column in COLUMNS)
    return scaffold.write(
        folder,
        {
            "twinstack.yaml": CONFIG.format(name=name, module=module, columns=columns),
            f"{module}_features.py": DATAFLOW.format(name=name),
            f"{module}.csv": example(),
            "README.md": README.format(name=name, module=module),
        },
    )


def example() -> str:
    """The example data as CSV: 569 rows, a key, eight measurements, the diagnosis."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    places = [list(data.feature_names).index(f"mean {column}") for column in COLUMNS]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["sample_id", *COLUMNS, "diagnosis"])
    for number, (row, target) in enumerate(zip(data.data, data.target, strict=True), start=1):
        values = [repr(float(row[place])) for place in places]
        writer.writerow([f"S{number:03d}", *values, data.target_names[target]])
    return out.getvalue()
