// The checker of the CUDA plugin: larmor_cuda_check PLUGIN [--device N] [--threads N] [--small] [--extent 1x1x15x640x368] [--planes 1x32x32x320x320]
//   [--only GROUP,...] [--bench] [--slices N] [--rounds N] [--seconds N] [--save FOLDER]
//
// Extents are batch, sets of maps, coils, rows, columns; planes are images, channels in and out, rows, columns; both may be repeated. --bench
// measures instead of checking, at the first extent. One JSON object per line. Exits with 0 when all was right, 1 when something was wrong or
// failed, 2 for wrong arguments, 77 where there is no device to check.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <stdexcept>

#include "benchmarks.h"
#include "checks.h"
#include "report.h"

namespace {

using namespace larmor;
using namespace larmor::gpu_check;

struct Arguments {
  std::string plugin, only, folder;
  int device = 0, threads = default_threads(), rounds = 30;
  double seconds = 2;
  uint32_t slices = 36;
  bool small = false, bench = false;
  Sizes sizes;
};

uint32_t number(const std::string& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw std::invalid_argument("not a number: " + text);
  return value;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= text.size();) {
    const size_t end = std::min(text.find(at, from), text.size());
    parts.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

std::vector<uint32_t> five(const std::string& text) {
  std::vector<uint32_t> numbers;
  for (const std::string& part : split(text, 'x')) numbers.push_back(number(part));
  if (numbers.size() != 5 || std::count(numbers.begin(), numbers.end(), 0u) != 0) throw std::invalid_argument("five positive numbers are wanted, as 1x1x15x640x368, not " + text);
  return numbers;
}

Arguments parse(int count, char** given) {
  Arguments a;
  for (int i = 1; i < count; ++i) {
    const std::string name = given[i];
    const auto value = [&] {
      if (++i >= count) throw std::invalid_argument(name + " needs a value");
      return std::string(given[i]);
    };
    if (name == "--device") a.device = static_cast<int>(number(value()));
    else if (name == "--threads") a.threads = static_cast<int>(number(value()));
    else if (name == "--rounds") a.rounds = static_cast<int>(number(value()));
    else if (name == "--seconds") a.seconds = number(value());
    else if (name == "--slices") a.slices = number(value());
    else if (name == "--only") a.only = value();
    else if (name == "--save") a.folder = value();
    else if (name == "--small") a.small = true;
    else if (name == "--bench") a.bench = true;
    else if (name == "--extent") {
      const std::vector<uint32_t> n = five(value());
      a.sizes.extents.push_back({n[0], n[1], n[2], n[3], n[4]});
    } else if (name == "--planes") {
      const std::vector<uint32_t> n = five(value());
      a.sizes.planes.push_back({n[0], n[1], n[2], n[3], n[4]});
    } else if (name[0] == '-' || !a.plugin.empty()) throw std::invalid_argument("unknown argument " + name);
    else a.plugin = name;
  }
  if (a.plugin.empty()) throw std::invalid_argument("the plugin's file is wanted");
  return a;
}

bool chosen(const std::string& only, const char* group) {
  const std::vector<std::string> names = split(only, ',');
  return only.empty() || std::find(names.begin(), names.end(), group) != names.end();
}

int check_kernels(const Device& device, const Arguments& a) {
  const bool given = !a.sizes.extents.empty() || !a.sizes.planes.empty();
  Checks checks(device, given ? a.sizes : a.small ? Sizes::small() : Sizes::full(), a.threads);
  // Whoever trusts a device by it would leave this one alone, for a reason that must not pass for its absence.
  if (device->self_test(device.index()) != LARMOR_CUDA_OK) checks.fail("self_test", device->last_error());
  for (const Group& group : kGroups)
    if (chosen(a.only, group.name)) try {
        group.run(checks);
      } catch (const std::exception& reason) {
        checks.fail(group.name, reason.what());
      }
  const LarmorCudaMemory left = device.memory();
  if (left.arrays != 0) checks.fail("memory", std::to_string(left.array_bytes) + " bytes of arrays were not released");
  Line().text("kind", "checked").number("checks", checks.made).number("wrong", checks.wrong).print();
  return checks.made > 0 && checks.wrong == 0 ? 0 : 1;
}

int measure(const Device& device, const Arguments& a) {
  const Extent slice = a.sizes.extents.empty() ? Extent{1, 1, 15, 640, 368} : a.sizes.extents[0];
  return run_benchmarks(device, {slice, a.slices, a.rounds, a.seconds, a.folder}) == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** given) {
  Arguments arguments;
  try {
    arguments = parse(count, given);
  } catch (const std::exception& reason) {
    std::fprintf(stderr, "larmor_cuda_check: %s\n", reason.what());
    return 2;
  }
  try {
    const Device device(arguments.plugin, arguments.device);
    const LarmorCudaDevice& about = device.description();
    Line()
        .text("kind", "device")
        .text("name", about.name)
        .number("capability", about.major + about.minor / 10.0)
        .number("multiprocessors", about.multiprocessors)
        .number("driver", about.driver_version)
        .number("runtime", about.runtime_version)
        .number("cufft", about.cufft_version)
        .number("memory_mib", static_cast<double>(about.memory_total >> 20))
        .print();
    return arguments.bench ? measure(device, arguments) : check_kernels(device, arguments);
  } catch (const Unavailable& reason) {
    Line().text("kind", "skip").text("reason", reason.what()).print();
    return 77;
  } catch (const std::exception& reason) {
    Line().text("kind", "check").text("name", "context").truth("ok", false).text("reason", reason.what()).print();
    return 1;
  }
}
