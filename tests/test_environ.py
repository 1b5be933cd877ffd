"""`brainstate.environ`: look-up, contexts, precision, platform."""

import os
import subprocess
import sys
import threading

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import environ
from brainstate.mixin import Batching, JointMode, Training
from brainstate.transform import for_loop, grad, jit, vmap
from brainstate.util import IdMemScaling

NAMES = """
    set context get all set_host_device_count get_host_device_count set_host_thread_count
    set_platform get_platform
    get_dt get_mode get_mem_scaling get_precision dftype ditype dutype dctype tolerance
    register_default_behavior
"""


@pytest.fixture(autouse=True)
def _settings_as_before(monkeypatch):
    x64 = jax.config.jax_enable_x64
    for name in ("_process", "_behaviors"):
        monkeypatch.setattr(environ, name, type(getattr(environ, name))(getattr(environ, name)))
    yield
    jax.config.update("jax_enable_x64", x64)


def test_public_names():
    assert set(NAMES.split()) <= set(environ.__all__)
    assert (environ.I, environ.T, environ.DT, environ.FIT) == ("i", "t", "dt", "fit")
    assert environ.JIT_ERROR_CHECK == "jit_error_check"


# ---------------------------------------------------------------- look-up


def test_precision_is_the_only_setting_of_a_fresh_process():
    code = "import brainstate; print(brainstate.environ.all())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert done.stdout.strip() == "{'precision': 32}", done.stderr


def test_innermost_context_then_process_then_default():
    assert environ.get("kk", 0) == 0
    environ.set(kk=1)
    assert environ.get("kk", 0) == 1
    with environ.context(kk=2):
        assert environ.get("kk") == 2
        with environ.context(kk=3):
            assert environ.get("kk") == 3
        assert environ.get("kk") == 2
    assert environ.get("kk") == 1


def test_none_is_a_default_and_a_value():
    assert environ.get("kk", None) is None
    environ.set(kk=None)
    assert environ.get("kk", 5) is None


def test_missing_key_error_says_what_to_write():
    with pytest.raises(KeyError) as caught:
        environ.get("kk", desc="the size of kk")
    text = str(caught.value)
    assert "'kk'" in text
    assert "environ.context(kk=...)" in text
    assert "environ.set(kk=...)" in text
    assert "the size of kk" in text
    assert "share" not in text


@pytest.mark.parametrize(("getter", "key"), [
    (environ.get_dt, "dt"), (environ.get_mode, "mode"), (environ.get_mem_scaling, "mem_scaling"),
])  # fmt: skip
def test_getters_of_well_known_settings(getter, key):
    with pytest.raises(KeyError, match=f"'{key}'"):
        getter()
    marker = object()
    with environ.context(**{key: marker}):
        assert getter() is marker


def test_platform_and_device_count_are_looked_up_where_they_are():
    assert environ.get("platform") == environ.get_platform() == jax.devices()[0].platform
    assert environ.get("host_device_count") == environ.get_host_device_count()
    assert not {"platform", "host_device_count"} & set(environ.all())


def test_all_shows_contexts_over_process():
    environ.set(a=1, b=2)
    with environ.context(b=3, c=4) as inside:
        expected = {"precision": 32, "a": 1, "b": 3, "c": 4}
        assert expected.items() <= environ.all().items()
        assert inside == environ.all()
    assert environ.all()["b"] == 2
    assert "c" not in environ.all()


# ---------------------------------------------------------------- assignment


def test_named_arguments_of_set_skip_none():
    scaling = IdMemScaling()
    environ.set(mem_scaling=scaling)
    environ.set(mode=None, mem_scaling=None, precision=None, platform=None)
    assert environ.get_mem_scaling() is scaling
    assert environ.get_precision() == 32
    assert "mode" not in environ.all()


def test_set_asks_for_a_mode_and_a_scaling():
    environ.set(mode=JointMode(Training(), Batching(4)))
    assert environ.get_mode().batch_size == 4
    for wrong in ("training", Training, 1):
        with pytest.raises(TypeError, match=r"`mode` must be a brainstate\.mixin\.Mode; found"):
            environ.set(mode=wrong)
    with pytest.raises(TypeError, match=r"`mem_scaling` must be .*MemScaling; found 2.0"):
        environ.set(mem_scaling=2.0)
    assert environ.get_mode().has(Training)


def test_context_is_left_on_error():
    environ.set(kk=1)
    with pytest.raises(ZeroDivisionError), environ.context(kk=2, zz=3):
        raise ZeroDivisionError
    assert environ.get("kk") == 1
    assert environ.get("zz", None) is None


def test_context_as_a_decorator_serves_every_call():
    @environ.context(kk=5)
    def look():
        return environ.get("kk")

    assert [look(), look()] == [5, 5]
    assert environ.get("kk", None) is None


@pytest.mark.parametrize("key", ["platform", "host_device_count"])
def test_context_refuses_what_belongs_to_the_process(key):
    with pytest.raises(ValueError, match=rf"'{key}'.*environ\.set"), environ.context(**{key: 1}):
        pass


def test_set_inside_a_context_is_for_later():
    with environ.context(kk=1):
        environ.set(kk=2)
        assert environ.get("kk") == 1
    assert environ.get("kk") == 2


def test_threads_share_the_process_and_not_the_context():
    environ.set(dt=0.3)
    seen = []

    def look():
        seen.append((environ.get_dt(), environ.get_precision(), environ.get("kk", None)))
        with environ.context(dt=0.7):
            seen.append(environ.get_dt())
        environ.set(from_thread=1)

    with environ.context(dt=0.5, kk=1):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert environ.get_dt() == 0.5
    assert seen == [(0.3, 32, None), 0.7]
    assert environ.get("from_thread") == 1


# ---------------------------------------------------------------- precision

TYPES = {
    64: ("float64", "int64", "uint64", "complex128"),
    32: ("float32", "int32", "uint32", "complex64"),
    16: ("bfloat16", "int16", "uint16", None),
    8: (None, "int8", "uint8", None),
}
TOLERANCES = {64: (1e-12, "float64"), 32: (1e-5, "float32"), 16: (1e-2, "float16"),
              8: (1e-2, "float16")}  # fmt: skip


@pytest.mark.parametrize("precision", TYPES)
def test_types_of_each_precision(precision):
    getters = (environ.dftype, environ.ditype, environ.dutype, environ.dctype)
    with environ.context(precision=precision):
        assert environ.get_precision() == precision
        assert jax.config.jax_enable_x64 == (precision == 64)
        for getter, expected in zip(getters, TYPES[precision], strict=True):
            if expected is None:
                with pytest.raises(ValueError, match=rf"precision {precision}.*environ\.set"):
                    getter()
            else:
                assert jnp.dtype(getter()) == jnp.dtype(expected)
        value, kind = TOLERANCES[precision]
        tolerance = environ.tolerance()
        assert tolerance == np.dtype(kind).type(value)
        assert tolerance.dtype == kind
    assert not jax.config.jax_enable_x64
    assert environ.dftype() is np.float32


def test_context_of_double_precision_computes_in_it():
    with environ.context(precision=64):
        assert jnp.ones(2).dtype == "float64"
        with environ.context(precision=32):
            assert jnp.ones(2).dtype == "float32"
        assert jnp.ones(2).dtype == "float64"
    assert jnp.ones(2).dtype == "float32"


def test_setting_the_precision_of_the_process():
    environ.set(precision=64)
    assert jnp.ones(2).dtype == "float64"
    assert environ.dftype() is np.float64
    environ.set(precision=16)
    assert not jax.config.jax_enable_x64
    assert jnp.ones(2, environ.dftype()).dtype == jnp.bfloat16
    environ.set(precision=32)
    assert environ.dftype() is np.float32


def test_precision_follows_in_compiled_code():
    f = jit(lambda: jnp.zeros(2, environ.dftype()))
    assert f().dtype == "float32"
    with environ.context(precision=64):
        assert f().dtype == "float64"
    with environ.context(precision=16):
        assert f().dtype == jnp.bfloat16
    assert f().dtype == "float32"


@pytest.mark.parametrize("change", [environ.set, lambda **kw: environ.context(**kw).__enter__()])
@pytest.mark.parametrize("precision", [0, 33, "32", 128])
def test_unknown_precision_is_refused(change, precision):
    with pytest.raises(ValueError, match=r"precision is .*one of \[64, 32, 16, 8\]"):
        change(precision=precision)
    assert environ.get_precision() == 32


# ---------------------------------------------------------------- behaviours


def test_behavior_is_told_of_every_change():
    log = []
    environ.register_default_behavior("kk", log.append)
    environ.set(kk=1)
    with environ.context(kk=2):
        assert log == [1, 2]
    assert log == [1, 2, 1]


def test_behavior_of_a_key_without_outer_value_hears_of_the_entry_only():
    log = []
    environ.register_default_behavior("zz", log.append)
    with environ.context(zz=1):
        pass
    assert log == [1]


def test_behavior_hears_of_the_exit_on_error():
    log = []
    environ.register_default_behavior("kk", log.append)
    environ.set(kk=1)
    with pytest.raises(ZeroDivisionError), environ.context(kk=2):
        raise ZeroDivisionError
    assert log == [1, 2, 1]


def test_replacing_a_behavior_is_asked_for():
    first, second = [], []
    environ.register_default_behavior("kk", first.append)
    with pytest.raises(ValueError, match=r"'kk'.*replace_if_exist=True"):
        environ.register_default_behavior("kk", second.append)
    environ.register_default_behavior("kk", second.append, replace_if_exist=True)
    environ.set(kk=1)
    assert (first, second) == ([], [1])


@pytest.mark.parametrize(("key", "behavior"), [(3, print), ("kk", "not callable")])
def test_behavior_needs_a_name_and_a_function(key, behavior):
    with pytest.raises(TypeError, match="takes a str and a function"):
        environ.register_default_behavior(key, behavior)


# ---------------------------------------------------------------- platform


def test_set_platform():
    log = []
    environ.register_default_behavior("platform", log.append)
    before = jax.config.values["jax_platform_name"]
    try:
        environ.set(platform="cpu")
        assert jax.config.values["jax_platform_name"] == "cpu"
    finally:
        jax.config.update("jax_platform_name", before)
    assert log == ["cpu"]
    for call in (environ.set_platform, lambda p: environ.set(platform=p)):
        with pytest.raises(ValueError, match=r"'abacus'.*'cpu', 'gpu' or 'tpu'"):
            call("abacus")


def test_host_device_count_is_a_flag_among_others(monkeypatch):
    log = []
    environ.register_default_behavior("host_device_count", log.append)
    flag = "--xla_force_host_platform_device_count"
    monkeypatch.delenv("XLA_FLAGS")
    assert environ.get_host_device_count() == 1
    monkeypatch.setenv("XLA_FLAGS", f"--xla_other=3 {flag}=8 --xla_more=x")
    assert environ.get_host_device_count() == 8
    environ.set(host_device_count=4)
    assert sorted(os.environ["XLA_FLAGS"].split()) == sorted(
        ["--xla_other=3", "--xla_more=x", f"{flag}=4"]
    )
    assert environ.get_host_device_count() == 4
    assert log == [4]


def test_one_thread_takes_whole_operations():
    code = """
import brainstate, jax, jax.numpy as jnp
brainstate.environ.set_host_thread_count({n})
step = jax.jit(lambda x: jnp.polyval(jnp.arange(1.0, 30.0), x, unroll=30))
print(step.lower(jnp.ones(100_000)).compile().as_text().count("outer_dimension_partitions"))
"""
    # The keys of the compilation cache do not tell the number of threads.
    changed = {
        "XLA_FLAGS": "",
        "JAX_COMPILATION_CACHE_DIR": "",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }

    def split_operations(n):
        command = [sys.executable, "-c", code.format(n=n)]
        done = subprocess.run(command, env=os.environ | changed, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    assert [split_operations(n) for n in (1, 4)] == [0, 1]
    with pytest.raises(ValueError, match="at least 1; found 0"):
        environ.set_host_thread_count(0)


# ---------------------------------------------------------------- in transformations


def test_compiled_code_follows_settings():
    runs = []

    @jit
    def f(x):
        runs.append(1)
        return x * environ.get("dt")

    with environ.context(dt=0.1):
        assert f(1.0) == pytest.approx(0.1)
    with environ.context(dt=0.5):
        assert f(1.0) == pytest.approx(0.5)
    environ.set(dt=2.0)
    assert f(1.0) == 2.0
    with environ.context(dt=0.1):
        assert f(1.0) == pytest.approx(0.1)
    assert len(runs) == 3  # 0.1 was found again
    with environ.context(dt=0.1, other=1):
        f(1.0)
    assert len(runs) == 3


def test_compiled_code_follows_a_default():
    f = jit(lambda: environ.get("kk", 7) + 0)
    assert f() == 7
    with environ.context(kk=8):
        assert f() == 8
    assert f() == 7


def test_arrays_are_passed_in_and_compile_nothing_anew():
    runs = []

    @jit
    def f(x):
        runs.append(1)
        return x * environ.get("t")

    for t in (1.0, 2.0, 3.0):
        with environ.context(t=jnp.asarray(t)):
            assert f(2.0) == 2 * t
    assert len(runs) == 1
    with environ.context(t=jnp.arange(2.0)):
        np.testing.assert_array_equal(f(2.0), [0, 2])
    assert len(runs) == 2


def test_quantities_are_followed():
    f = jit(lambda x: x * environ.get_dt())
    with environ.context(dt=0.1 * u.ms):
        assert f(1.0).to_decimal(u.ms) == pytest.approx(0.1)
    with environ.context(dt=0.1 * u.second):
        assert f(1.0).to_decimal(u.ms) == pytest.approx(100.0)
    with environ.context(dt=0.2 * u.ms):
        assert f(1.0).to_decimal(u.ms) == pytest.approx(0.2)


def test_context_with_traced_values_inside_a_body():
    def step(i):
        with environ.context(i=i, t=i * 0.1):
            return environ.get("i") + environ.get("t")

    np.testing.assert_allclose(for_loop(step, jnp.arange(3)), [0.0, 1.1, 2.2], rtol=1e-6)
    np.testing.assert_allclose(vmap(step)(jnp.arange(3)), [0.0, 1.1, 2.2], rtol=1e-6)
    assert environ.get("t", None) is None


def test_jit_inside_a_context_of_traced_values():
    inner = jit(lambda x: x * environ.get("t"))

    def step(i):
        with environ.context(t=i * 2.0):
            return inner(10.0)

    np.testing.assert_allclose(for_loop(step, jnp.arange(3)), [0, 20, 40])
    np.testing.assert_allclose(for_loop(step, jnp.arange(3)), [0, 20, 40])
    gradient = grad(lambda x: step(x), argnums=0)(1.0)
    assert gradient == 20.0
    with environ.context(t=1.0):
        assert inner(10.0) == 10.0


def test_setting_read_in_a_loop_is_followed():
    def total():
        return for_loop(lambda x: x * environ.get("dt"), jnp.ones(3)).sum()

    for dt in (1.0, 2.0):
        with environ.context(dt=dt):
            assert total() == 3 * dt
