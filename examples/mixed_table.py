"""
A table of numbers, categories and gaps
=======================================

One pipeline takes the table as it is, and ramps help the network with its numbers. The table is made up: flats with their
rent, which depends on the district, on curves of distance, year and size, and on noise. A tenth of the districts and of the
numbers are missing, and some districts have a flat or two. It needs pandas.
"""

import sys

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from skbackprop import tabular_network

NOISE = 60


def flats(n_flats, random):
    """Return a table of flats, and their rents."""
    district = random.zipf(1.6, n_flats).clip(max=40)
    heating = random.choice(["gas", "oil", "heat pump"], n_flats, p=[0.6, 0.3, 0.1])
    table = pd.DataFrame(
        {
            "district": pd.Categorical([f"D{number}" for number in district]),
            "distance": random.gamma(2, 3, n_flats).round(1),
            "built": random.randint(1880, 2021, n_flats).astype(float),
            "size": random.lognormal(4.2, 0.4, n_flats).round(),
            "furnished": random.uniform(size=n_flats) < 0.3,
            "heating": pd.Categorical(heating),
        }
    )
    # Near is dear; old and new houses are liked, those of the sixties are not; more space is worth less and less.
    rent = 500 + random.normal(0, 120, 41)[district] + 500 * np.exp(-table["distance"] / 2)
    rent += 0.08 * (table["built"] - 1965) ** 2 + 90 * np.sqrt(table["size"]) + 100 * table["furnished"]
    rent += np.where(heating == "oil", -50, 0) + NOISE * random.normal(size=n_flats)
    for name in ("district", "distance", "built", "size"):
        table[name] = table[name].mask(random.uniform(size=n_flats) < 0.1)
    return table, rent


# %%
# The table, as it would come from a file.
table, rent = flats(4000, np.random.RandomState(0))
print(f"{len(table)} flats; the first of them:\n\n{table.head(4).to_string(index=False)}\n")
X_train, X_test, y_train, y_test = train_test_split(table, rent, random_state=0)

# %%
# ``tabular_network`` encodes the categories, fills the gaps, puts ramps beside the numbers, and trains a network on it all.
model = tabular_network("regressor", random_state=0)
models = {
    "mean of the rents": DummyRegressor(),
    "gradient boosting": HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=0),
    "network without ramps": clone(model).set_params(columns__numbers__encoder="passthrough"),
    "network": model,
}
print(f"Error (RMSE) on {len(y_test)} flats that were not trained on; the noise alone is {NOISE}:")
for name, candidate in models.items():
    error = root_mean_squared_error(y_test, candidate.fit(X_train, y_train).predict(X_test))
    print(f"  {name:22}{error:6.1f}")

# %%
# What the network sees of each column.
names = model.named_steps["columns"].get_feature_names_out()
print(f"\nOf {table.shape[1]} columns the network sees {len(names)}:")
for column in table:
    of_column = [name.split("__")[1] for name in names if f"_{column}" in name]
    print(f"  {column:10}{len(of_column):3}: {', '.join(of_column[:3])}{' ...' if len(of_column) > 3 else ''}")

# %%
# A flat in a district, and with a heating, that no flat of the table has.
stranger = pd.DataFrame({"district": ["D99"], "distance": [np.nan], "built": [1900.0], "size": [50.0]})
stranger = stranger.assign(furnished=False, heating="coal")
print(
    f"\nRent in a district never seen, at a distance not known, with a heating never seen: {model.predict(stranger)[0]:.0f}"
)
# %%
# What the models have learnt of the distance: their mean prediction if all the flats were so far out.


def plot(path):
    """Save a picture of the mean rents by distance, and of the curve that the table was made with."""
    import matplotlib.pyplot as plt

    distances = np.linspace(0, 12, 41)
    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, style in (("gradient boosting", "C2:"), ("network without ramps", "C1--"), ("network", "C0-")):
        means = [models[name].predict(X_test.assign(distance=distance)).mean() for distance in distances]
        ax.plot(distances, means, style, label=name)
    curve = 500 * np.exp(-distances / 2)
    ax.plot(distances, curve - curve.mean() + np.mean(means), color="0.7", zorder=0, label="the truth")
    ax.set(xlabel="distance", ylabel="mean rent predicted")
    ax.legend()
    figure.savefig(path, dpi=110)


picture = sys.argv[1] if len(sys.argv) > 1 else "mixed_table.png"
try:
    plot(picture)
    print(f"\nPicture: {picture}")
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")
print(
    "\nLearnt: one pipeline takes the table as it is, with its gaps and with what it has never seen. With the ramps of its"
)
print("numbers beside them, the network learns the curves in them better than without.")
