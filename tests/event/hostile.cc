// Drives the rows of synapses with inputs that no user could make, for AddressSanitizer to watch.
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "rows.h"

using namespace brainstate;

// Buffers of exactly the size they should have, so that one step beyond is seen.
template <typename Event, typename Number, typename Structure>
std::vector<Number> run(const std::vector<Event>& events, const std::vector<Number>& weight,
                        bool homogeneous, int64_t n_post, const Structure& structure) {
  std::vector<Number> out(n_post, Number(0));
  const int64_t n_pre = events.size();
  add_rows(Sample<Event, Number>{events.data(), weight.data(), homogeneous, out.data(), n_pre, n_post},
           structure, 0, n_pre);
  return out;
}

void expect(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

template <typename Event, typename Number>
void all() {
  const int32_t low = std::numeric_limits<int32_t>::min(), high = std::numeric_limits<int32_t>::max();
  for (int64_t n_pre = 0; n_pre < 70; ++n_pre) {
    const std::vector<Event> events(n_pre, Event(1));
    std::vector<int32_t> targets;
    for (int64_t i = 0; i < n_pre; ++i) targets.insert(targets.end(), {low, -1, 0, 2, 3, high});
    for (bool homogeneous : {true, false}) {
      const std::vector<Number> weight(homogeneous ? 1 : targets.size(), Number(1));
      const auto out = run(events, weight, homogeneous, 3, FanOut{targets.data(), 6});
      expect(out == std::vector<Number>({Number(n_pre), 0, Number(n_pre)}), "targets outside");

      std::vector<int32_t> starts(n_pre + 1, 0);  // empty rows but the last
      starts[n_pre] = static_cast<int32_t>(targets.size());
      const auto last = run(events, weight, homogeneous, 3,
                            Compressed{targets.data(), starts.data(), int64_t(targets.size())});
      expect(last == out, "empty rows");
      for (int32_t wrong : {low, -5, high}) {
        std::vector<int32_t> broken(n_pre + 1, wrong);
        run(events, weight, homogeneous, 3,
            Compressed{targets.data(), broken.data(), int64_t(targets.size())});
        broken.back() = high;
        run(events, weight, homogeneous, 3,
            Compressed{targets.data(), broken.data(), int64_t(targets.size())});
      }
    }
    run(events, std::vector<Number>(n_pre * 5, Number(1)), false, 5, AllToAll{});
    run(events, std::vector<Number>(n_pre * 0, Number(1)), false, 0, AllToAll{});
    const auto drawn = run(events, std::vector<Number>{1}, true, 7, Regenerated{high * 2u + 1u, 11});
    Number sum = 0;
    for (Number x : drawn) sum += x;
    expect(sum == Number(11 * n_pre), "regenerated");
    run(events, std::vector<Number>{1}, true, 1, FanOut{targets.data(), 0});
  }
}

int main() {
  all<uint8_t, float>();
  all<uint8_t, double>();
  all<float, float>();
  all<double, double>();
  std::vector<float> zeros(40, -0.0f);
  zeros[17] = std::numeric_limits<float>::quiet_NaN();
  int64_t found = 0;
  for_each_event(zeros.data(), 0, 40, [&](int64_t i) { found += i; });
  expect(found == 17, "negative zero is silent, NaN is not");
}
