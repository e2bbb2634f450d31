// The threads of a job: those of the pool, which stop between tasks once JavaScript has cancelled the job.
#pragma once
#include "addon/job.h"
#include "core/parallel.h"

namespace larmor::addon {

class JobThreads final : public Parallel {
 public:
  JobThreads(const JobControl& job, size_t threads) : job_(job), pool_(static_cast<int>(threads)) {}

  void run(size_t count, Task task, void* context) const override {
    pool_(count, [&](size_t i) {
      job_.checkpoint();
      task(context, i);
    });
  }

 private:
  const JobControl& job_;
  Pooled pool_;
};

}  // namespace larmor::addon
