// g[targets[i]] += weight for each neuron i that spikes: the product that `jax_ffi.py` calls.
#include <bit>
#include <cstdint>
#include <cstring>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

static ffi::Error Arrive(float weight, ffi::Buffer<ffi::PRED> spikes, ffi::Buffer<ffi::S32> targets,
                         ffi::Buffer<ffi::F32> before, ffi::ResultBuffer<ffi::F32> after) {
  const int64_t n = spikes.element_count(), fan_out = targets.dimensions()[1];
  const bool* spike = spikes.typed_data();
  float* g = after->typed_data();
  if (g != before.typed_data()) std::memcpy(g, before.typed_data(), before.size_bytes());
  for (int64_t start = 0; start < n; start += 8) {  // `serve.py` sees that n is a multiple of 8
    uint64_t word;
    std::memcpy(&word, spike + start, 8);
    for (; word; word &= word - 1) {
      const int32_t* row = targets.typed_data() + (start + std::countr_zero(word) / 8) * fan_out;
      for (int64_t k = 0; k < fan_out; ++k) g[row[k]] += weight;
    }
  }
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(arrive, Arrive,
                              ffi::Ffi::Bind()
                                  .Attr<float>("weight")
                                  .Arg<ffi::Buffer<ffi::PRED>>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::F32>>()
                                  .Ret<ffi::Buffer<ffi::F32>>());
