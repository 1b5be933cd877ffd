import sys
from types import SimpleNamespace

from brainstate.util import display


def install(monkeypatch, shell, treescope):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "treescope", treescope)


def test_treescope_inside_ipython(monkeypatch, capsys):
    shown = []
    install(monkeypatch, object(), SimpleNamespace(display=shown.append))
    display(1, "two")
    assert shown == [1, "two"]
    assert capsys.readouterr().out == ""


def test_print_without_treescope(monkeypatch, capsys):
    install(monkeypatch, object(), None)
    display(1, "two")
    assert capsys.readouterr().out == "1\ntwo\n"


def test_print_outside_ipython(monkeypatch, capsys):
    shown = []
    install(monkeypatch, None, SimpleNamespace(display=shown.append))
    display({"a": 1})
    monkeypatch.delitem(sys.modules, "IPython")
    display(2)
    assert shown == []
    assert capsys.readouterr().out == "{'a': 1}\n2\n"
