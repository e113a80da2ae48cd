"""Features in plain pandas as they are popularly made: every aggregate of every column, meaningful or not.

Read every file whole, one-hot the texts, take min, max, mean, sum and variance of every number by client (of a one-hot
column the mean), join all of it to the applications. It makes about as many columns as the project has features, and
is what their cost is compared with.
"""

import argparse
from pathlib import Path

import pandas as pd

KEYS = ["SK_ID_CURR", "SK_ID_BUREAU", "SK_ID_PREV"]
STATISTICS = ["min", "max", "mean", "sum", "var"]
HISTORIES = ("previous_application", "POS_CASH_balance", "installments_payments", "credit_card_balance")


def summarise(frame: pd.DataFrame, key: str, prefix: str) -> pd.DataFrame:
    """Aggregate everything to one row per key."""
    encoded = pd.get_dummies(frame)
    groups = encoded.groupby(key)
    numbers = [name for name in encoded.select_dtypes("number") if name not in KEYS]
    statistics = groups[numbers].agg(STATISTICS)
    statistics.columns = [f"{prefix}_{name}_{statistic}".upper() for name, statistic in statistics.columns]
    shares = groups[list(encoded.select_dtypes("bool"))].mean()
    return statistics.join(shares.rename(columns=lambda name: f"{prefix}_{name}_mean".upper()))


def compute_features(folder: Path) -> pd.DataFrame:
    """Return one row per applicant, from the eight files in a folder."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv")

    features = pd.get_dummies(pd.concat([read("application_train"), read("application_test")], ignore_index=True))
    months = summarise(read("bureau_balance"), "SK_ID_BUREAU", "BALANCE")
    credits = read("bureau").join(months, on="SK_ID_BUREAU")
    features = features.join(summarise(credits, "SK_ID_CURR", "BUREAU"), on="SK_ID_CURR")
    for name in HISTORIES:
        features = features.join(summarise(read(name), "SK_ID_CURR", name), on="SK_ID_CURR")
    return features


def main() -> None:
    """Make the features and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="folder of the eight CSV files")
    parser.add_argument("output", type=Path, help="Parquet file to write")
    arguments = parser.parse_args()
    compute_features(arguments.raw).to_parquet(arguments.output, index=False)


if __name__ == "__main__":
    main()
