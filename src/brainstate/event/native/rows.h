// Adds the rows of synapses that events pass. Knows nothing of XLA, so that tests can drive it alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace brainstate {

// What the rows of one sample are made of; the structure of synapses below says where they lie.
template <typename Event, typename Number>
struct Sample {
  const Event* events;   // [n_pre]
  const Number* weight;  // one for all synapses if `homogeneous`, else one for each
  bool homogeneous;
  Number* out;  // [n_post]
  int64_t n_pre, n_post;
};

// A target outside [0, n_post) is left out, as JAX leaves it out: memory is never harmed.
inline bool within(int32_t target, int64_t n_post) {
  return static_cast<uint64_t>(static_cast<int64_t>(target)) < static_cast<uint64_t>(n_post);
}

// Each neuron has `fan_out` synapses; `targets` has a row for each neuron.
struct FanOut {
  const int32_t* targets;
  int64_t fan_out;

  template <typename Event, typename Number>
  void add_row(const Sample<Event, Number>& s, int64_t pre, Number event) const {
    add_listed(s, pre * fan_out, (pre + 1) * fan_out, targets, event);
  }

  template <typename Event, typename Number>
  static void add_listed(const Sample<Event, Number>& s, int64_t begin, int64_t end,
                         const int32_t* targets, Number event) {
    if (s.homogeneous) {
      const Number value = event * *s.weight;
      for (int64_t k = begin; k < end; ++k)
        if (within(targets[k], s.n_post)) s.out[targets[k]] += value;
    } else {
      for (int64_t k = begin; k < end; ++k)
        if (within(targets[k], s.n_post)) s.out[targets[k]] += event * s.weight[k];
    }
  }
};

// A compressed sparse matrix by rows. `starts` is trusted no more than `targets` are.
struct Compressed {
  const int32_t* targets;
  const int32_t* starts;  // [n_pre + 1]
  int64_t synapses;

  template <typename Event, typename Number>
  void add_row(const Sample<Event, Number>& s, int64_t pre, Number event) const {
    const int64_t begin = starts[pre], end = starts[pre + 1];
    if (begin < 0 || end > synapses) return;
    FanOut::add_listed(s, begin, end, targets, event);
  }
};

// A synapse between each two neurons: the weights are the matrix.
struct AllToAll {
  template <typename Event, typename Number>
  void add_row(const Sample<Event, Number>& s, int64_t pre, Number event) const {
    const Number* row = s.weight + pre * s.n_post;
    for (int64_t post = 0; post < s.n_post; ++post) s.out[post] += event * row[post];
  }
};

// The finalizer of MurmurHash3: each bit of the result depends on each bit of `x`.
inline uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bu;
  x = (x ^ (x >> 13)) * 0xc2b2ae35u;
  return x ^ (x >> 16);
}

// Targets drawn anew from a seed whenever they are needed, by the formula of event/regenerated.py.
struct Regenerated {
  uint32_t seed;
  int64_t fan_out;

  template <typename Event, typename Number>
  void add_row(const Sample<Event, Number>& s, int64_t pre, Number event) const {
    const Number value = event * *s.weight;
    const uint32_t row = mixed(mixed(seed) + static_cast<uint32_t>(pre));
    for (int64_t k = 0; k < fan_out; ++k) {
      const uint64_t draw = mixed(row + static_cast<uint32_t>(k));
      s.out[(draw * static_cast<uint64_t>(s.n_post)) >> 32] += value;
    }
  }
};

// The bits of an event that are set unless it is zero, of either sign.
inline uint64_t bits_of(uint8_t event) { return event; }
inline uint64_t bits_of(float event) {
  uint32_t bits;
  std::memcpy(&bits, &event, sizeof bits);
  return bits << 1;
}
inline uint64_t bits_of(double event) {
  uint64_t bits;
  std::memcpy(&bits, &event, sizeof bits);
  return bits << 1;
}

constexpr int64_t kBlock = 16;  // neurons that are looked at together

// A loop of fixed length without branches, of which compilers make a few vector instructions.
template <typename Event>
bool silent(const Event* events) {
  uint64_t any = 0;
  for (int64_t i = 0; i < kBlock; ++i) any |= bits_of(events[i]);
  return any == 0;
}
inline bool silent(const uint8_t* events) {
  uint64_t words[kBlock / 8];
  std::memcpy(words, events, kBlock);
  return (words[0] | words[1]) == 0;
}

// Calls visit(i) for each neuron in [first, last) that has an event.
template <typename Event, typename Visit>
void for_each_event(const Event* events, int64_t first, int64_t last, const Visit& visit) {
  while (first < last) {
    const bool whole = first + kBlock <= last;
    const int64_t end = whole ? first + kBlock : last;
    if (!whole || !silent(events + first))
      for (int64_t i = first; i < end; ++i)
        if (events[i] != Event(0)) visit(i);
    first = end;
  }
}

// Adds the rows of the neurons in [first, last) that have an event.
template <typename Event, typename Number, typename Structure>
void add_rows(const Sample<Event, Number>& s, const Structure& structure, int64_t first,
              int64_t last) {
  for_each_event(s.events, first, last, [&](int64_t pre) {
    structure.add_row(s, pre, static_cast<Number>(s.events[pre]));
  });
}

}  // namespace brainstate
