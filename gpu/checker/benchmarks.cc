// Copies, transforms, the operator and its solver at the size of a scan.
#include "benchmarks.h"

#include <cmath>
#include <fstream>

#include "clock.h"
#include "plain_fft.h"
#include "problem.h"
#include "report.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

constexpr uint32_t kIterations = 30;
constexpr float kLambda = 0.01f;

class Benchmarks {
 public:
  Benchmarks(const Device& device, const BenchmarkOptions& options) : device_(device), options_(options), clock_(device) {}

  void run() {
    attempt("copy", [&] { copy(); });
    attempt("fft2", [&] { transforms(); });
    for (const bool lines : {true, false}) attempt("encode_normal", [&] { normal(lines); });
    attempt("solve_normal", [&] { solve(1); });
    attempt("solve_normal", [&] { solve(options_.slices); });
  }
  int failed() const { return failed_; }

 private:
  template <class Body>
  void attempt(const char* name, Body&& body) {
    try {
      body();
      device_.call("trim", device_->trim);
    } catch (const std::exception& reason) {
      ++failed_;
      Line().text("kind", "bench").text("name", name).text("failed", reason.what()).print();
    }
  }
  Times measure(const std::function<void()>& body) const { return clock_.measure(options_.rounds, options_.seconds, body); }
  Line line(const char* name, const std::string& what, const Times& times) const {
    Line result;
    result.text("kind", "bench").text("name", name).text("case", what).number("ms", times.median).number("best", times.best).number("rounds", times.rounds);
    return result.text("clock", clock_.name());
  }
  /// Time of `bytes` at the bandwidth of a copy, in milliseconds.
  double copied(double bytes) const { return bytes / bandwidth_; }
  void save(const char* name, const Floats& values) const {
    if (options_.folder.empty()) return;
    std::ofstream file(options_.folder + "/" + name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
    if (!file) throw std::runtime_error("cannot write " + options_.folder + "/" + name);
  }
  size_t transforms_bytes() const { return options_.slice.coils * size_t{15} * options_.slice.points() * 8; }

  void copy() {
    const size_t bytes = transforms_bytes();
    const Array from(device_, bytes / 4), to(device_, bytes / 4);
    const Times times = measure([&] { device_.call("copy", device_->copy, to, from, bytes); });
    bandwidth_ = 2 * static_cast<double>(bytes) / times.median;
    line("copy", std::to_string(bytes >> 20) + " MiB", times).number("gigabytes_per_second", bandwidth_ / 1e6).print();
  }

  void transforms() const {
    const Extent& e = options_.slice;
    const uint64_t count = uint64_t{15} * e.coils;
    const Floats x = noise(2 * count * e.points(), 60);
    const Array in(device_, x), out(device_, x.size());
    const Times ours = measure([&] { device_.call("fft2", device_->fft2, 0, count, e.ny, e.nx, in, out); });
    const Times in_place = measure([&] { device_.call("fft2", device_->fft2, 0, count, e.ny, e.nx, in, in); });
    const PlainFft plain(device_, count, e.ny, e.nx);
    const Times theirs = measure([&] { plain.forward(out); });
    const double bytes = 8.0 * static_cast<double>(x.size());  // read once and written once
    const std::string what = std::to_string(count) + "x" + std::to_string(e.ny) + "x" + std::to_string(e.nx);
    const auto print = [&](const char* name, const std::string& which, const Times& times) {
      line(name, which, times).number("of_cufft_speed", theirs.median / times.median).number("of_copy_bandwidth", copied(bytes) / times.median).print();
    };
    print("fft2", what, ours);
    print("fft2", what + ", in place", in_place);
    print("plain cuFFT", what + ", in place", theirs);
  }

  void normal(bool lines) const {
    const Extent& e = options_.slice;
    const Problem problem(device_, e, lines, false);
    const LarmorCudaEncoding A = problem.on_device();
    const Floats image = noise(problem.image_floats(), 61);
    const Array x(device_, image), y(device_, image.size());
    const Times times = measure([&] { device_.call("encode_normal", device_->encode_normal, &A, x, y); });
    const double maps = 4.0 * static_cast<double>(problem.maps().size()), images = 8.0 * static_cast<double>(image.size());
    const double mask = 4.0 * static_cast<double>(problem.weights().size()), least = maps + images + mask;
    // What passes must move that transform rows, then columns there and back, then rows: maps twice, and coil images to and from memory around the
    // second; with lines no coil image leaves a multiprocessor.
    const double passes = least + maps * (lines ? 0 : 5);
    line("encode_normal", problem.words(), times)
        .number("least_bytes", least)
        .number("times_least", times.median / copied(least))
        .number("bytes_of_passes", passes)
        .number("times_of_passes", times.median / copied(passes))
        .print();
    if (lines) return;
    save("maps.f32", problem.maps());
    save("mask.f32", problem.weights());
    save("image.f32", image);
    device_.call("encode_normal", device_->encode_normal, &A, x, y);
    save("normal.f32", y.get());
    const LarmorCudaSolve options{.iterations = kIterations, .regularisation = kLambda, .device_weight = nullptr, .tolerance = 0, .from_zero = 1};
    device_.call("solve_normal", device_->solve_normal, &A, &options, x, y, nullptr, nullptr);
    save("solution.f32", y.get());
    device_.call("fft2", device_->fft2, 0, uint64_t{1}, e.ny, e.nx, x, y);
    save("transform.f32", y.get());
  }

  void solve(uint32_t slices) const {
    Extent e = options_.slice;
    e.batch = slices;
    for (const bool lines : {true, false}) {
      const Problem problem(device_, e, lines, false);
      const LarmorCudaEncoding A = problem.on_device();
      const Array b(device_, noise(problem.image_floats(), 62)), x(device_, problem.image_floats());
      const LarmorCudaSolve options{.iterations = kIterations, .regularisation = kLambda, .device_weight = nullptr, .tolerance = 0, .from_zero = 1};
      const Times times = measure([&] { device_.call("solve_normal", device_->solve_normal, &A, &options, b, x, nullptr, nullptr); });
      line("solve_normal", problem.words() + ", " + std::to_string(kIterations) + " iterations", times)
          .number("device_bytes", static_cast<double>(device_.memory().peak_bytes))
          .print();
    }
  }

  const Device& device_;
  const BenchmarkOptions& options_;
  const Clock clock_;
  double bandwidth_ = NAN;  // bytes per millisecond, read and written
  int failed_ = 0;
};

}  // namespace

int run_benchmarks(const Device& device, const BenchmarkOptions& options) {
  Benchmarks benchmarks(device, options);
  benchmarks.run();
  return benchmarks.failed();
}

}  // namespace larmor::gpu_check
