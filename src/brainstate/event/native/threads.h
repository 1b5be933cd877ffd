// Shares pieces of work between the calling thread and those of a pool.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace brainstate {

// Runs work(0), ..., work(count - 1). The caller takes pieces as the others do and waits only for
// pieces under way, so that a pool which is busy, or which the caller itself runs in, costs nothing.
template <typename Pool, typename Work>
void run_shared(Pool& pool, int64_t threads, int64_t count, const Work& work) {
  struct Shared {
    std::atomic<int64_t> next{0};
    std::mutex mutex;
    std::condition_variable finished;
    int64_t done = 0;
  };
  auto shared = std::make_shared<Shared>();
  // `work` is touched only by those who took a piece, and the caller outlives all pieces.
  auto take = [shared, count, &work] {
    int64_t taken = 0;
    for (int64_t piece; (piece = shared->next.fetch_add(1)) < count; ++taken) work(piece);
    if (taken == 0) return;
    std::lock_guard<std::mutex> lock(shared->mutex);
    shared->done += taken;
    shared->finished.notify_one();
  };
  for (int64_t helper = 1; helper < std::min(threads, count); ++helper) pool.Schedule(std::function<void()>(take));
  take();
  std::unique_lock<std::mutex> lock(shared->mutex);
  shared->finished.wait(lock, [&] { return shared->done == count; });
}

}  // namespace brainstate
