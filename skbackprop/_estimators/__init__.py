"""The estimators: what scikit-learn sees of a network."""
