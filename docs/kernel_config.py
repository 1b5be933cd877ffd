"""Settings of the kernels that run the cells; `conf.py` puts them in place."""

c = get_config()  # noqa: F821  IPython defines it

c.Application.log_level = "ERROR"
c.InteractiveShell.xmode = "Minimal"
c.HistoryManager.enabled = False
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.rc = {
    "figure.figsize": (6.4, 2.8),
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": "cycler('color', ['#1f6f8b', '#d1603d', '#5b8c5a', '#8e5ba6', '#c19a2b'])",
    "font.size": 10,
    "svg.hashsalt": "brainstate",
}
