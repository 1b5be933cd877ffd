"""Layers, neurons and the models made of them."""

from . import metrics
from ._moved import resolve as __getattr__  # noqa: F401  names of later releases
from .collective.all_states import (
    StateLoadResult,
    assign_state_values,
    init_all_states,
    load_all_states,
    reset_all_states,
    save_all_states,
    vmap_init_all_states,
    vmap_reset_all_states,
)
from .collective.call_order import MAX_ORDER, call_order
from .collective.collective_calls import call_all_fns, vmap_call_all_fns
from .collective.environ_context import EnvironContext
from .collective.lanes import Map, Vmap
from .containers import Sequential
from .dynamics.base import Dynamics
from .dynamics.exp_euler import exp_euler_step
from .dynamics.runge_kutta import rk2_step, rk4_step
from .dynamics.update_markers import (
    not_receive_update_input,
    not_receive_update_output,
    receive_update_input,
    receive_update_output,
)
from .layers.activations import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    SpikeBitwise,
    Tanh,
    Tanhshrink,
    Threshold,
)
from .layers.adaptive_pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from .layers.all_to_all import AllToAll
from .layers.attention import MultiHeadAttention
from .layers.batch_normalization import (
    BatchNorm0d,
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
)
from .layers.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ScaledWSConv1d,
    ScaledWSConv2d,
    ScaledWSConv3d,
)
from .layers.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    DropoutFixed,
    FeatureAlphaDropout,
)
from .layers.embedding import Embedding
from .layers.linear import Linear
from .layers.linear_variants import OneToOne, ScaledWSLinear, SignedWLinear
from .layers.lora import LoRA
from .layers.normalization import (
    GroupNorm,
    LayerNorm,
    RMSNorm,
)
from .layers.padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from .layers.pooling import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LPPool1d,
    LPPool2d,
    LPPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
)
from .layers.recurrent import GRUCell, LSTMCell, MGUCell, RNNCell, URLSTMCell, ValinaRNNCell
from .layers.rotary import rotary_embedding
from .layers.shaping import (
    Flatten,
    Unflatten,
)
from .layers.sparse_linear import SparseLinear
from .layers.transposed_convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .module import ElementWiseBlock, Module
from .networks.delay import Delay, DelayAccess
from .networks.group import DynamicsGroup
from .networks.prefetch import OutputDelayAt, Prefetch, PrefetchDelay, PrefetchDelayAt
from .networks.projection import Interaction, Projection
from .networks.state_with_delay import StateWithDelay
from .networks.synaptic_projections import AlignPostProj, CurrentProj, DeltaProj
from .neurons.adaptive_neurons import AdEx, Izhikevich
from .neurons.generalized_integrate_and_fire import GIF
from .neurons.hodgkin_huxley import HH
from .neurons.integrate_and_fire import ALIF, IF, LIF, LIFRef
from .neurons.neuron import Neuron, ThresholdNeuron
from .neurons.readouts import LeakyRateReadout, LeakySpikeReadout
from .neurons.recurrent import Recurrent
from .parameters.parameter import Const, Param, count_parameters
from .parameters.positive_priors import (
    BetaReg,
    DirichletReg,
    ExponentialReg,
    GammaReg,
    InverseGammaReg,
    LogNormalReg,
    LogUniformReg,
)
from .parameters.priors import (
    CauchyReg,
    GaussianReg,
    HorseshoeReg,
    LaplaceReg,
    LogisticReg,
    SpikeAndSlabReg,
    StudentTReg,
)
from .parameters.regularization import Regularization
from .parameters.regularizers import (
    ChainedReg,
    ElasticNetReg,
    EntropyReg,
    GroupLassoReg,
    HuberReg,
    L1Reg,
    L2Reg,
    MaxNormReg,
    OrthogonalReg,
    SpectralNormReg,
    TotalVariationReg,
)
from .parameters.transforms import (
    AffineT,
    ChainT,
    ClipT,
    ExpT,
    IdentityT,
    LogT,
    MaskedT,
    NegativeT,
    NegSoftplusT,
    OrderedT,
    PositiveT,
    PowerT,
    ReluT,
    ScaledSigmoidT,
    SigmoidT,
    SimplexT,
    SoftplusT,
    SoftsignT,
    TanhT,
    Transform,
    UnitVectorT,
)
from .sources.continuous_inputs import OrnsteinUhlenbeck, RampInput, SectionInput, StepInput
from .sources.source import Source
from .sources.spike_sources import PoissonEncoder, PoissonSpike, SpikeTime
from .summaries.summary import ModuleRow, Summary, summary
from .synapses.exponential import Alpha, DualExpon, Expon, Synapse
from .synapses.plasticity import PairSTDP, PlasticityRule, ThreeFactor, TripletSTDP
from .synapses.receptors import AMPA, NMDA, GABAa
from .synapses.short_term_plasticity import STD, STP
from .synapses.synaptic_outputs import COBA, CUBA, MgBlock, SynOut
from .variable import Variable

__all__ = [
    # modules
    "ElementWiseBlock",
    "EnvironContext",
    "Map",
    "Module",
    "Sequential",
    "Variable",
    "Vmap",
    # parameters
    "Const",
    "Param",
    "count_parameters",
    # transformations of parameters
    "AffineT",
    "ChainT",
    "ClipT",
    "ExpT",
    "IdentityT",
    "LogT",
    "MaskedT",
    "NegSoftplusT",
    "NegativeT",
    "OrderedT",
    "PositiveT",
    "PowerT",
    "ReluT",
    "ScaledSigmoidT",
    "SigmoidT",
    "SimplexT",
    "SoftplusT",
    "SoftsignT",
    "TanhT",
    "Transform",
    "UnitVectorT",
    # losses of parameters
    "BetaReg",
    "CauchyReg",
    "ChainedReg",
    "DirichletReg",
    "ElasticNetReg",
    "EntropyReg",
    "ExponentialReg",
    "GammaReg",
    "GaussianReg",
    "GroupLassoReg",
    "HorseshoeReg",
    "HuberReg",
    "InverseGammaReg",
    "L1Reg",
    "L2Reg",
    "LaplaceReg",
    "LogNormalReg",
    "LogUniformReg",
    "LogisticReg",
    "MaxNormReg",
    "OrthogonalReg",
    "Regularization",
    "SpectralNormReg",
    "SpikeAndSlabReg",
    "StudentTReg",
    "TotalVariationReg",
    # linear layers
    "AllToAll",
    "Embedding",
    "Linear",
    "LoRA",
    "OneToOne",
    "ScaledWSLinear",
    "SignedWLinear",
    "SparseLinear",
    # convolutions
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "ScaledWSConv1d",
    "ScaledWSConv2d",
    "ScaledWSConv3d",
    # padding
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
    # recurrent cells
    "GRUCell",
    "LSTMCell",
    "MGUCell",
    "RNNCell",
    "URLSTMCell",
    "ValinaRNNCell",
    # attention
    "MultiHeadAttention",
    "rotary_embedding",
    # readouts
    "LeakyRateReadout",
    "LeakySpikeReadout",
    # measures of training
    "metrics",
    # normalization
    "BatchNorm0d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "LayerNorm",
    "RMSNorm",
    # pooling and shape
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "Flatten",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Unflatten",
    # dropout
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "DropoutFixed",
    "FeatureAlphaDropout",
    # element-wise
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SpikeBitwise",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    # dynamics
    "ALIF",
    "AdEx",
    "Dynamics",
    "GIF",
    "HH",
    "IF",
    "Izhikevich",
    "LIF",
    "LIFRef",
    "Neuron",
    "Recurrent",
    "ThresholdNeuron",
    "exp_euler_step",
    "rk2_step",
    "rk4_step",
    # synapses
    "AMPA",
    "Alpha",
    "DualExpon",
    "Expon",
    "GABAa",
    "NMDA",
    "STD",
    "STP",
    "Synapse",
    # synaptic outputs
    "COBA",
    "CUBA",
    "MgBlock",
    "SynOut",
    # inputs
    "OrnsteinUhlenbeck",
    "PoissonEncoder",
    "PoissonSpike",
    "RampInput",
    "SectionInput",
    "Source",
    "SpikeTime",
    "StepInput",
    # plasticity
    "PairSTDP",
    "PlasticityRule",
    "ThreeFactor",
    "TripletSTDP",
    # projections
    "AlignPostProj",
    "CurrentProj",
    "DeltaProj",
    "DynamicsGroup",
    "Interaction",
    "Projection",
    # delays
    "Delay",
    "DelayAccess",
    "OutputDelayAt",
    "Prefetch",
    "PrefetchDelay",
    "PrefetchDelayAt",
    "StateWithDelay",
    # what runs around an update
    "not_receive_update_input",
    "not_receive_update_output",
    "receive_update_input",
    "receive_update_output",
    # a model at a glance
    "ModuleRow",
    "Summary",
    "summary",
    # all modules at once
    "MAX_ORDER",
    "StateLoadResult",
    "assign_state_values",
    "call_all_fns",
    "call_order",
    "init_all_states",
    "load_all_states",
    "reset_all_states",
    "save_all_states",
    "vmap_call_all_fns",
    "vmap_init_all_states",
    "vmap_reset_all_states",
]
