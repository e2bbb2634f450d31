// Unitary 2-D FFTs of a stack by FFTW 3, single precision, on an input shifted beforehand; the protocol is that of peer.py.
// Built by the benchmark where FFTW is installed. FFTW is under the GPL: this program is never linked into larmor.
#include <fftw3.h>
#include <time.h>

#include <cmath>
#include <complex>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr double kPlanningSeconds = 20;  // at most, for PATIENT

double milliseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

using Samples = std::vector<std::complex<float>>;

/// Circular shift of every image by (dy, dx), times scale.
Samples shifted(const Samples& from, size_t ny, size_t nx, size_t dy, size_t dx, float scale) {
  Samples to(from.size());
  for (size_t row = 0; row < from.size() / nx; ++row)
    for (size_t x = 0; x < nx; ++x) to[(row / ny * ny + (row % ny + dy) % ny) * nx + (x + dx) % nx] = scale * from[row * nx + x];
  return to;
}

fftwf_plan make_plan(size_t coils, size_t ny, size_t nx, fftwf_complex* in, fftwf_complex* out, unsigned effort) {
  const int n[2] = {static_cast<int>(ny), static_cast<int>(nx)};
  const int distance = static_cast<int>(ny * nx);
  return fftwf_plan_many_dft(2, n, static_cast<int>(coils), in, nullptr, 1, distance, out, nullptr, 1, distance, FFTW_FORWARD, effort);
}

}  // namespace

int main(int, char** arguments) {
  const std::string folder = arguments[1];
  size_t coils, ny, nx;
  FILE* const settings = std::fopen((folder + "/settings.json").c_str(), "r");
  if (settings == nullptr || std::fscanf(settings, "{\"shape\":[%zu,%zu,%zu]", &coils, &ny, &nx) != 3) return 1;
  const size_t points = coils * ny * nx;
  Samples input(points);
  FILE* const file = std::fopen((folder + "/x.f32").c_str(), "rb");
  if (file == nullptr || std::fread(input.data(), sizeof input[0], points, file) != points) return 1;

  fftwf_complex *const in = fftwf_alloc_complex(points), *const out = fftwf_alloc_complex(points);
  fftwf_set_timelimit(kPlanningSeconds);
  const struct {
    const char* name;
    fftwf_plan plan;
  } methods[] = {{"FFTW, MEASURE", make_plan(coils, ny, nx, in, out, FFTW_MEASURE)}, {"FFTW, PATIENT", make_plan(coils, ny, nx, in, out, FFTW_PATIENT)}};
  const Samples start = shifted(input, ny, nx, ny - ny / 2, nx - nx / 2, 1);  // planning overwrites its arrays
  std::memcpy(in, start.data(), points * sizeof start[0]);

  std::printf("[\"%s\", \"%s\"]\n", methods[0].name, methods[1].name);
  std::fflush(stdout);
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const std::string text(line, std::strcspn(line, "\n"));
    const std::string command = text.substr(0, text.find(' ')), name = text.substr(text.find(' ') + 1);
    const fftwf_plan plan = name == methods[0].name ? methods[0].plan : methods[1].plan;
    const double wall = milliseconds(CLOCK_MONOTONIC), processor = milliseconds(CLOCK_PROCESS_CPUTIME_ID);
    fftwf_execute(plan);
    std::printf("[%.6f, %.6f]\n", milliseconds(CLOCK_MONOTONIC) - wall, milliseconds(CLOCK_PROCESS_CPUTIME_ID) - processor);
    if (command == "save") {
      const Samples raw(reinterpret_cast<std::complex<float>*>(out), reinterpret_cast<std::complex<float>*>(out) + points);
      const Samples result = shifted(raw, ny, nx, ny / 2, nx / 2, 1 / std::sqrt(static_cast<float>(ny * nx)));
      FILE* const target = std::fopen((folder + "/" + name + ".f32").c_str(), "wb");
      std::fwrite(result.data(), sizeof result[0], points, target);
      std::fclose(target);
    }
    std::fflush(stdout);
  }
}
