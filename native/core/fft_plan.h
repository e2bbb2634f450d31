// What a transform of one length needs to know: its factors, twiddles and where each sample lives. Shared by all callers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/fft_steps.h"

namespace larmor {

/// Transforms run over lanes: a buffer of `slots` places, each holding one sample of several rows or columns at once.
/// `time_slot[j]` and `frequency_slot[k]` say where the centred samples j and k of either side lie.
class FftPlan {
 public:
  explicit FftPlan(size_t length);
  FftPlan(const FftPlan&) = delete;
  FftPlan& operator=(const FftPlan&) = delete;

  const FftSteps& steps() const { return steps_; }
  size_t length() const { return steps_.length; }
  /// Places of the lane buffer: `length`, and more where the transform needs room to work.
  size_t slots() const { return inner_ ? steps_.length + inner_->slots() : steps_.length; }
  const uint32_t* time_slot() const { return time_slot_.data(); }
  const uint32_t* frequency_slot() const { return frequency_slot_.data(); }
  /// 1 / sqrt(length), which makes the transform unitary.
  float scale() const { return scale_; }

 private:
  void plan_passes(const std::vector<uint32_t>& factors);
  void plan_bluestein();

  FftSteps steps_{};
  float scale_;
  std::vector<FftPass> passes_;
  std::vector<std::vector<c32>> tables_;
  std::unique_ptr<const FftPlan> inner_;
  std::vector<c32> chirp_, spectrum_;
  std::vector<uint32_t> time_slot_, frequency_slot_;
};

/// The plan of `length` >= 1, made once per process.
std::shared_ptr<const FftPlan> fft_plan(size_t length);

}  // namespace larmor
