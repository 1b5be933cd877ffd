"""The program augmentation tutorial, cell by cell.

Run it with ``python examples/program_augmentation.py``; each cell prints its number and result.
"""

import jax
import jax.numpy as jnp

import brainstate as bst

bst.random.seed(42)


def show(cell, *results):
    print(f"\n----- In [{cell}] " + "-" * 60)
    for result in results:
        print(result if isinstance(result, str) else repr(result))


# ---------------------------------------------------------------- 1. automatic differentiation

# In [1] is the imports above.

# In [2]: create a simple linear layer model
model = bst.nn.Linear(2, 3)

# prepare input data
x = jnp.ones((1, 2))
y = jnp.ones((1, 3))


# define the loss function
def loss_fn(x, y):
    return jnp.mean((y - model(x)) ** 2)


# retrieve model parameters
weights = model.states()

# compute gradients
grads = bst.augment.grad(loss_fn, weights)(x, y)

show(2, "Gradients:", grads)

# In [3]: compute the Hessian
hessian = bst.augment.hessian(loss_fn, weights)(x, y)

# compute the Jacobian matrix
jacobian = bst.augment.jacobian(loss_fn, weights)(x, y)

show(
    3,
    "Hessian, shape by pair of parameters:",
    jax.tree.map(jnp.shape, hessian[("weight",)]["weight"]),
    "Jacobian:",
    jacobian,
)


# In [4]: combine multiple gradient operations
def composite_grad(fn, params):
    grad_fn = bst.augment.grad(fn, params)
    return lambda *args: bst.augment.grad(grad_fn, params)(*args)


scalar = bst.ParamState(3.0)
show(4, "Second derivative of w**3 at w = 3:", composite_grad(lambda: scalar.value**3, scalar)())

# ---------------------------------------------------------------- 2. batching


# In [5]: creating batching models
@bst.augment.vmap
def create_linear(key):
    bst.random.set_key(key)
    return bst.nn.Linear(2, 3)


batch_size = 5

# create a batched linear layer model
linears = create_linear(bst.random.split_key(batch_size))

show(5, linears)

# In [6]: create batched data
x_batch = jnp.ones((batch_size, 2))
y_batch = jnp.ones((batch_size, 3))


# compute loss for each batch
@bst.augment.vmap(in_axes=(0, 0))
def eval(model, x):
    return model(x)


# batched version of the loss function
def batch_loss_fn(x_batch, y_batch):
    predictions = eval(linears, x_batch)
    return jnp.mean((y_batch - predictions) ** 2)


# compute batched gradients
weights = linears.states(bst.ParamState)
batch_grads = bst.augment.grad(batch_loss_fn, weights)(x_batch, y_batch)

show(6, batch_grads)


# In [7]: States with a batch axis
class Foo(bst.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = bst.ParamState(jnp.arange(4))
        self.b = bst.ShortTermState(jnp.arange(4))

    def __call__(self):
        self.b.value = self.a.value * self.b.value


@bst.augment.vmap
def mul(foo):
    foo()


foo = Foo()
mul(foo)

show(7, foo.b.value)

# ---------------------------------------------------------------- 3. batching some States only

# In [8]
import brainunit as u  # noqa: E402


class LIFNet(bst.nn.Module):
    def __init__(self, nin, nout):
        super().__init__()
        self.i2r = bst.nn.Linear(nin, nout)
        self.lif = bst.nn.LIF(nout)

    def update(self, x):
        r = self.i2r(x)
        return self.lif(r * u.mA)


# In [9]
n_in = 2
n_out = 3
batch_size = 5

net = LIFNet(n_in, n_out)


@bst.augment.vmap(out_axes=bst.augment.StateAxes({"new": 0, ...: None}))
def init_net(key):
    bst.random.set_key(key)

    # initialize a batch of model state variables
    with bst.catch_new_states("new"):
        bst.nn.init_all_states(net)

    # return a batch of the model
    return net


net = init_net(bst.random.split_key(batch_size))

# In [10]
show(10, net.lif.V.value)


# In [11]
@bst.augment.vmap(in_axes=(bst.augment.StateAxes({"new": 0, ...: None}), 0))
def batch_run(model, x):
    with bst.environ.context(dt=0.1 * u.ms):
        o = model.update(x)
    return o  # noqa: RET504


xs = bst.random.rand(batch_size, 2) < 0.5

r = batch_run(net, xs)

# In [12]
show(12, net.lif.V.value)


# The same over devices: lanes are spread over as many as divide the batch.
@bst.augment.pmap(
    in_axes=(bst.augment.StateAxes({"new": 0, ...: None}), 0),
    devices=jax.devices()[: 5 if jax.device_count() >= 5 else 1],
)
def parallel_run(model, x):
    with bst.environ.context(dt=0.1 * u.ms):
        return model.update(x)


r = parallel_run(net, xs)

show("pmap", net.lif.V.value)

# ---------------------------------------------------------------- 4. combining transformations

# In [13]
ys = bst.random.rand(batch_size, 3)


def loss_fn(x, y):
    return jnp.mean((y - batch_run(net, x)) ** 2)


weights = net.states(bst.ParamState)
opt = bst.optim.Adam(1e-3)
opt.register_trainable_weights(weights)


@bst.compile.jit
def batch_train(xs, ys):
    grads, l = bst.augment.grad(loss_fn, weights, return_value=True)(xs, ys)  # noqa: E741
    opt.update(grads)
    return l


l = batch_train(xs, ys)  # noqa: E741

show(13, l)

# ---------------------------------------------------------------- 6. debugging


# debugging with jax.debug.print
@bst.compile.jit
def batch_train(xs, ys):
    grads, l = bst.augment.grad(loss_fn, weights, return_value=True)(xs, ys)  # noqa: E741
    jax.debug.print("Gradients: {g}", g=grads)
    opt.update(grads)
    return l


show("debug")
l = batch_train(xs, ys)  # noqa: E741
jax.effects_barrier()
print(l)
