"""`brainstate.transform`: all of `augment` and `compile` under one name."""

import os
import subprocess
import sys
import warnings

import pytest

import brainstate


def test_every_name_of_both_is_the_same_object():
    augment, compile = brainstate.augment, brainstate.compile
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for module in (augment, compile):
            for name in module.__all__:
                assert getattr(brainstate.transform, name) is getattr(module, name)
    assert set(brainstate.transform.__all__) == {*augment.__all__, *compile.__all__}


AUGMENT = """
    GradientTransform StateAxes eval_shape grad hessian jacfwd jacobian jacrev jvp map pmap
    restore_rngs vector_grad vjp vmap vmap_new_states
"""
COMPILE = """
    ProgressBar StatefulFunction bounded_while_loop checkpoint checkpointed_for_loop
    checkpointed_scan cond for_loop ifelse jit jit_error_if make_jaxpr remat scan switch while_loop
"""


@pytest.mark.parametrize(("module", "names"), [("augment", AUGMENT), ("compile", COMPILE)])
def test_public_names(module, names):
    module = getattr(brainstate, module)
    assert set(names.split()) <= set(module.__all__)
    for name in module.__all__:
        assert callable(getattr(module, name))
        assert getattr(module, name).__doc__


def test_star_import():
    namespace = {}
    exec("from brainstate.transform import *", namespace)
    assert {*AUGMENT.split(), *COMPILE.split()} <= set(namespace)


@pytest.mark.parametrize("line", [
    "import brainstate.transform",
    "from brainstate.transform import vmap",
    "from brainstate import transform",
    "import brainstate as b; b.transform.jit",
    "import brainstate as b; b.compile.jit; b.augment.grad",
])  # fmt: skip
def test_importable_first(line):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", line],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = brainstate.nonsense
    with pytest.raises(AttributeError, match="nonsense"):
        _ = brainstate.transform.nonsense
