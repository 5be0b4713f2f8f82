"""Proof by execution: models run again in other ways on real rows, and their rows are compared."""

from osiris_sql.api.proof.findings import IncrementProof, InputRows, ModelProof, Moved
from osiris_sql.api.proof.prove import prove_models
from osiris_sql.api.proof.trials import AS_BUILT, TRIALS, Trial

__all__ = [
    "AS_BUILT",
    "TRIALS",
    "IncrementProof",
    "InputRows",
    "ModelProof",
    "Moved",
    "Trial",
    "prove_models",
]
