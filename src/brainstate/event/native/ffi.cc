// Event-driven products as calls of XLA: base + events @ synapses, for a batch of samples.
//
// Operands: base [batch, n_post], which the result takes the place of; events [batch, n_pre];
// weight [w] or [w, ...]; then the arrays of the structure, each [s, ...]. Sample `b` uses weight
// (b / weight_repeat) % w, and likewise its structure, so that lanes of a vmap share what they can.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "rows.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace brainstate {
namespace {

namespace ffi = xla::ffi;

constexpr double kWorthThreads = 1 << 16;  // additions; waking a thread costs some microseconds

struct Shape {
  int64_t batch, n_pre, n_post;
  int64_t weights, weight_size, weight_repeat;
  bool homogeneous;
  int64_t structures, structure_repeat;

  int64_t weight_of(int64_t sample) const { return sample / weight_repeat % weights; }
  int64_t structure_of(int64_t sample) const { return sample / structure_repeat % structures; }
};

int64_t size_behind_first(ffi::AnyBuffer::Dimensions dims) {
  return std::accumulate(dims.begin() + 1, dims.end(), int64_t{1}, std::multiplies<int64_t>());
}

template <typename Event, typename Number, typename StructureOf>
void run(ffi::ThreadPool& pool, const Shape& shape, const Event* events, const Number* weight,
         Number* out, double row_length, const StructureOf& structure_of) {
  auto add = [&](int64_t b, int64_t first, int64_t last, Number* to) {
    // A part of the neurons is seen as the whole, with the rows before it skipped.
    Sample<Event, Number> sample{events + b * shape.n_pre,
                                 weight + shape.weight_of(b) * shape.weight_size,
                                 shape.homogeneous, to, shape.n_pre, shape.n_post};
    add_rows(sample, structure_of(shape.structure_of(b)), first, last);
  };
  const int64_t threads = std::max<int64_t>(1, pool.num_threads());
  const int64_t all = shape.batch * shape.n_pre;
  int64_t found = 0;
  if (threads > 1 && all * row_length > kWorthThreads)
    for_each_event(events, 0, all, [&](int64_t) { ++found; });
  const double work = found * row_length;
  if (threads == 1 || work < kWorthThreads) {
    for (int64_t b = 0; b < shape.batch; ++b) add(b, 0, shape.n_pre, out + b * shape.n_post);
    return;
  }
  if (shape.batch > 1) {
    run_shared(pool, threads, shape.batch,
               [&](int64_t b) { add(b, 0, shape.n_pre, out + b * shape.n_post); });
    return;
  }
  if (work < 16.0 * shape.n_post) return add(0, 0, shape.n_pre, out);
  // Each part but the first has a sum of its own; they are added in order, whoever was first.
  std::vector<Number> sums((threads - 1) * shape.n_post, Number(0));
  run_shared(pool, threads, threads, [&](int64_t part) {
    add(0, shape.n_pre * part / threads, shape.n_pre * (part + 1) / threads,
        part == 0 ? out : sums.data() + (part - 1) * shape.n_post);
  });
  for (int64_t part = 0; part + 1 < threads; ++part)
    for (int64_t post = 0; post < shape.n_post; ++post) out[post] += sums[part * shape.n_post + post];
}

template <typename Number, typename StructureOf>
ffi::Error run_events(ffi::ThreadPool& pool, const Shape& shape, ffi::AnyBuffer events,
                      ffi::AnyBuffer weight, ffi::Result<ffi::AnyBuffer>& out, double row_length,
                      const StructureOf& structure_of) {
  const auto* w = static_cast<const Number*>(weight.untyped_data());
  auto* y = static_cast<Number*>(out->untyped_data());
  if (events.element_type() == ffi::DataType::PRED) {
    run(pool, shape, static_cast<const uint8_t*>(events.untyped_data()), w, y, row_length, structure_of);
  } else if (events.element_type() == weight.element_type()) {
    run(pool, shape, static_cast<const Number*>(events.untyped_data()), w, y, row_length, structure_of);
  } else {
    return ffi::Error::InvalidArgument("events must be bool, or of the type of the weights");
  }
  return ffi::Error::Success();
}

template <typename StructureOf>
ffi::Error product(ffi::ThreadPool& pool, ffi::AnyBuffer events, ffi::AnyBuffer weight,
                   ffi::Result<ffi::AnyBuffer>& out, int64_t weight_repeat, int64_t structures,
                   int64_t structure_repeat, double row_length, const StructureOf& structure_of) {
  const auto in = events.dimensions(), to = out->dimensions(), w = weight.dimensions();
  if (in.size() != 2 || to.size() != 2 || in[0] != to[0] || w.size() < 1)
    return ffi::Error::InvalidArgument("operands must have a batch axis");
  if (in[0] == 0 || in[1] == 0 || to[1] == 0) return ffi::Error::Success();
  if (w[0] < 1 || structures < 1 || weight_repeat < 1 || structure_repeat < 1)
    return ffi::Error::InvalidArgument("weights and structures cannot be none");
  const Shape shape{in[0], in[1], to[1], w[0], size_behind_first(w), weight_repeat, w.size() == 1,
                    structures, structure_repeat};
  switch (weight.element_type()) {
    case ffi::DataType::F32:
      return run_events<float>(pool, shape, events, weight, out, row_length, structure_of);
    case ffi::DataType::F64:
      return run_events<double>(pool, shape, events, weight, out, row_length, structure_of);
    default:
      return ffi::Error::InvalidArgument("weights must be float32 or float64");
  }
}

using Indices = ffi::Buffer<ffi::DataType::S32>;
using Seeds = ffi::Buffer<ffi::DataType::U32>;
using Out = ffi::Result<ffi::AnyBuffer>;

ffi::Error fan_out(ffi::ThreadPool pool, ffi::AnyBuffer, ffi::AnyBuffer events, ffi::AnyBuffer weight,
                   Indices targets, Out out, int64_t weight_repeat, int64_t structure_repeat) {
  const auto dims = targets.dimensions();  // [structures, n_pre, fan_out]
  return product(pool, events, weight, out, weight_repeat, dims[0], structure_repeat, dims[2],
                 [&](int64_t s) {
                   return FanOut{targets.typed_data() + s * dims[1] * dims[2], dims[2]};
                 });
}

ffi::Error compressed(ffi::ThreadPool pool, ffi::AnyBuffer, ffi::AnyBuffer events,
                      ffi::AnyBuffer weight, Indices targets, Indices starts, Out out,
                      int64_t weight_repeat, int64_t structure_repeat) {
  const auto dims = targets.dimensions();  // [structures, synapses]
  const int64_t rows = starts.dimensions()[1];
  const double row_length = static_cast<double>(dims[1]) / std::max<int64_t>(1, rows - 1);
  return product(pool, events, weight, out, weight_repeat, dims[0], structure_repeat, row_length,
                 [&](int64_t s) {
                   return Compressed{targets.typed_data() + s * dims[1],
                                     starts.typed_data() + s * rows, dims[1]};
                 });
}

ffi::Error all_to_all(ffi::ThreadPool pool, ffi::AnyBuffer, ffi::AnyBuffer events,
                      ffi::AnyBuffer weight, Out out, int64_t weight_repeat, int64_t structure_repeat) {
  const double row_length = out->dimensions()[1] / 8.0;  // vector instructions
  return product(pool, events, weight, out, weight_repeat, 1, structure_repeat, row_length,
                 [](int64_t) { return AllToAll{}; });
}

ffi::Error regenerated(ffi::ThreadPool pool, ffi::AnyBuffer, ffi::AnyBuffer events,
                       ffi::AnyBuffer weight, Seeds seeds, Out out, int64_t weight_repeat,
                       int64_t structure_repeat, int64_t fan_out) {
  return product(pool, events, weight, out, weight_repeat, seeds.dimensions()[0], structure_repeat,
                 static_cast<double>(fan_out), [&](int64_t s) {
                   return Regenerated{seeds.typed_data()[s], fan_out};
                 });
}

auto operands() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<ffi::AnyBuffer>()
      .Arg<ffi::AnyBuffer>()
      .Arg<ffi::AnyBuffer>();
}

}  // namespace
}  // namespace brainstate

#define BRAINSTATE_REPEATS Attr<int64_t>("weight_repeat").Attr<int64_t>("structure_repeat")

XLA_FFI_DEFINE_HANDLER_SYMBOL(brainstate_fan_out, brainstate::fan_out,
                              brainstate::operands()
                                  .Arg<brainstate::Indices>()
                                  .Ret<xla::ffi::AnyBuffer>()
                                  .BRAINSTATE_REPEATS);
XLA_FFI_DEFINE_HANDLER_SYMBOL(brainstate_compressed, brainstate::compressed,
                              brainstate::operands()
                                  .Arg<brainstate::Indices>()
                                  .Arg<brainstate::Indices>()
                                  .Ret<xla::ffi::AnyBuffer>()
                                  .BRAINSTATE_REPEATS);
XLA_FFI_DEFINE_HANDLER_SYMBOL(brainstate_all_to_all, brainstate::all_to_all,
                              brainstate::operands().Ret<xla::ffi::AnyBuffer>().BRAINSTATE_REPEATS);
XLA_FFI_DEFINE_HANDLER_SYMBOL(brainstate_regenerated, brainstate::regenerated,
                              brainstate::operands()
                                  .Arg<brainstate::Seeds>()
                                  .Ret<xla::ffi::AnyBuffer>()
                                  .BRAINSTATE_REPEATS.Attr<int64_t>("fan_out"));
