"""Graphs of nodes and States: looking around in them, taking them apart, putting them together."""

from .calling import call
from .containers import Dict, List, Sequential
from .context import current_update_context, merge_context, split_context, update_context
from .convert import clone, graphdef, treefy_merge, treefy_split
from .definition import GraphDef, NodeDef, NodeRef
from .editing import pop_states, update_states
from .flattening import flatten, unflatten
from .node import Node
from .queries import nodes, states, treefy_states
from .ref_map import RefMap
from .tree_conversion import NodeStates, graph_to_tree, tree_to_graph
from .walk import iter_leaf, iter_node

__all__ = [
    # nodes
    "Node",
    "Dict",
    "List",
    "Sequential",
    # looking around
    "states",
    "nodes",
    "treefy_states",
    "iter_leaf",
    "iter_node",
    # changing in place
    "update_states",
    "pop_states",
    # taking apart and putting together
    "treefy_split",
    "treefy_merge",
    "flatten",
    "unflatten",
    "graphdef",
    "clone",
    "call",
    "GraphDef",
    "NodeDef",
    "NodeRef",
    "RefMap",
    # several nodes at once
    "split_context",
    "merge_context",
    "update_context",
    "current_update_context",
    "graph_to_tree",
    "tree_to_graph",
    "NodeStates",
]
