// The encoding operator, its adjoint, their product, and its derivative with respect to the maps.
#include "core/maps_gradient.h"
#include "problem.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

void check_operator(Checks& checks, const Problem& problem) {
  const Device& device = checks.device;
  const Extent& e = problem.extent();
  const Floats x = noise(problem.image_floats(), 4), y = problem.measured(5);
  const size_t image = 2 * e.sets * e.points(), samples = 2 * e.coils * e.points();
  Floats predicted(y.size());
  for (size_t i = 0; i < e.batch; ++i) problem.on_host(i).forward(checks.cpu, {problem.image(x, i), false}, complex(predicted.data()) + i * samples / 2);
  const auto each_image = [&](auto&& apply) {
    return problem.images([&](size_t i) {
      Floats result(image);
      apply(problem.on_host(i), i, Image{result.data(), false});
      return result;
    });
  };
  const Floats adjoint = each_image([&](const Encoding& A, size_t i, Image to) { A.adjoint(checks.cpu, complex(problem.samples(y, i)), to); });
  const Floats normal = each_image([&](const Encoding& A, size_t i, Image to) { A.normal(checks.cpu, {problem.image(x, i), false}, to); });
  Floats difference = predicted;
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t point = i / 2 % e.points();
    const float weight = problem.mask(i / samples).at(point / e.nx, point % e.nx, e.nx);
    if (weight != 0) difference[i] -= weight * y[i];
  }

  const LarmorCudaEncoding A = problem.on_device();
  const Array from(device, problem.images([&](size_t i) { return Floats(problem.image(x, i), problem.image(x, i) + image); })), measured(device, y), kspace(device, y.size()),
      to(device, x.size());
  checks.compare("encode", problem.words(), {{kspace, predicted}}, [&] { device.call("encode", device->encode, &A, from, kspace); });
  checks.compare("residual", problem.words(), {{kspace, difference}}, [&] { device.call("residual", device->residual, &A, from, measured, kspace); });
  checks.compare("encode_adjoint", problem.words(), {{to, adjoint}}, [&] { device.call("encode_adjoint", device->encode_adjoint, &A, measured, to); });
  checks.compare("encode_normal", problem.words(), {{to, normal}}, [&] { device.call("encode_normal", device->encode_normal, &A, from, to); });
}

void check_maps_gradient(Checks& checks, const Problem& problem) {
  const Device& device = checks.device;
  const Extent& e = problem.extent();
  const Floats x = noise(problem.image_floats(), 6), y = problem.measured(7);
  const size_t image = 2 * e.points(), samples = 2 * e.coils * e.points();
  Floats want(y.size());
  for (size_t i = 0; i < e.batch; ++i) {
    const Floats planes = as_planes(Floats(problem.image(x, i), problem.image(x, i) + image), e.points());
    maps_gradient(checks.cpu, {e.coils, e.ny, e.nx}, planes.data(), complex(problem.samples(y, i)), problem.mask(i), complex(want.data()) + i * samples / 2);
  }
  const LarmorCudaEncoding A = problem.on_device();
  const Array from(device, problem.images([&](size_t i) { return Floats(problem.image(x, i), problem.image(x, i) + image); })), kspace(device, y), maps(device, y.size());
  checks.compare("encode_maps_gradient", problem.words(), {{maps, want}}, [&] { device.call("encode_maps_gradient", device->encode_maps_gradient, &A, from, kspace, maps); });
}

}  // namespace

void check_encoding(Checks& checks) {
  each_problem(checks, false, "encode", [&](const Problem& problem) { check_operator(checks, problem); });
  each_problem(checks, true, "encode_maps_gradient", [&](const Problem& problem) { check_maps_gradient(checks, problem); });
}

}  // namespace larmor::gpu_check
