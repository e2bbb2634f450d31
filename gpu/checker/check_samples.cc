// What networks do with samples: the loss of an image with its gradient, and steps towards the measured samples, also in the memory of an input.
#include "core/data_loss.h"
#include "core/sample_step.h"
#include "problem.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

void check_loss(Checks& checks, const Problem& problem, LossNorm norm) {
  const Device& device = checks.device;
  const Extent& e = problem.extent();
  const Floats image = noise(problem.image_floats(), 8);
  // Samples off the prediction by so much that rounding turns no residual's sign, on which the l1 gradient depends.
  Floats kspace = away_from_zero(problem.kspace_floats(), 9, 0.3f), predicted(kspace.size()), held_out(problem.weights().size());
  const Floats everywhere(e.nx, 1);
  for (size_t i = 0; i < e.batch; ++i) {
    const Encoding all({1, e.coils, e.ny, e.nx}, complex(problem.maps().data()) + i * e.coils * e.points(), {everywhere.data(), true});
    all.forward(checks.cpu, {problem.image(image, i), false}, complex(predicted.data()) + i * e.coils * e.points());
  }
  for (size_t i = 0; i < kspace.size(); ++i) kspace[i] += predicted[i];
  for (size_t i = 0; i < held_out.size(); ++i) held_out[i] = problem.weights()[i] == 0 && i % 3 == 1 ? 1.0f : 0.0f;

  const LarmorCudaEncoding A = problem.on_device();
  const Floats planes = as_planes(image, e.points());
  Floats gradient(planes.size());
  const Measurements measured{e.batch, e.coils, e.ny, e.nx, complex(problem.maps().data()), complex(kspace.data()), problem.weights().data(), held_out.data(), A.lines != 0};
  const DataLossValue value = data_loss(checks.cpu, norm, measured, planes.data(), gradient.data());
  LarmorCudaEncoding planar = A;
  planar.planar = 1;
  const Array from(device, planes), samples(device, kspace), held(device, held_out), loss(device, 1), held_loss(device, 1), to(device, planes.size());
  checks.compare("data_loss", problem.words() + (norm == LossNorm::kL1 ? ", l1" : ", l2"), {{loss, {value.loss}}, {held_loss, {value.held_out_loss}}, {to, gradient}}, [&] {
    device.call("data_loss", device->data_loss, norm == LossNorm::kL1 ? 1 : 2, &planar, held, from, samples, loss, held_loss, to);
  });
}

void check_steps(Checks& checks, const Problem& problem) {
  const Device& device = checks.device;
  const Extent& e = problem.extent();
  const size_t count = problem.kspace_floats(), slice = 2 * e.coils * e.points();
  const Floats k = noise(count, 10), y = noise(count, 11), change = noise(count, 12);
  const SampleStepSizes sizes{e.coils, e.ny, e.nx};
  const float step = 0.7f;
  // The derivative along the step itself: its terms have one sign and do not cancel.
  Floats want(count), along(count);
  for (size_t i = 0; i < count; ++i) along[i] = k[i] - y[i];
  double derivative = 0;
  for (size_t i = 0; i < e.batch; ++i) {
    const size_t at = i * slice;
    sample_step(checks.cpu, sizes, &k[at], problem.mask(i), step, &y[at], &change[at], &want[at]);
    derivative += sample_step_gradient(checks.cpu, sizes, &along[at], &k[at], problem.mask(i), &y[at]);
  }
  const LarmorCudaEncoding A = problem.on_device();
  const Array kspace(device, k), measured(device, y), added(device, change), slope(device, along), length(device, Floats{step}), to(device, count), result(device, 1);
  checks.compare("sample_step", problem.words(), {{to, want}}, [&] { device.call("sample_step", device->sample_step, &A, kspace, length, measured, added, to); });
  checks.compare("sample_step", problem.words() + ", in kspace", {{to, want}}, [&] {
    to.set(k);
    device.call("sample_step", device->sample_step, &A, to, length, measured, added, to);
  });
  checks.compare("sample_step", problem.words() + ", in change", {{to, want}}, [&] {
    to.set(change);
    device.call("sample_step", device->sample_step, &A, kspace, length, measured, to, to);
  });
  checks.compare("sample_step_gradient", problem.words(), {{result, {static_cast<float>(derivative)}}},
                 [&] { device.call("sample_step_gradient", device->sample_step_gradient, &A, slope, kspace, measured, result); });
}

}  // namespace

void check_samples(Checks& checks) {
  each_problem(checks, true, "data_loss", [&](const Problem& problem) {
    for (const LossNorm norm : {LossNorm::kL1, LossNorm::kL2}) check_loss(checks, problem, norm);
    check_steps(checks, problem);
  });
}

}  // namespace larmor::gpu_check
