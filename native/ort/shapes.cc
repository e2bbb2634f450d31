// Shapes as text and in comparison.
#include "ort/shapes.h"

#include <algorithm>
#include <string_view>

#include "core/coded_error.h"

namespace larmor::ort {

std::string text(const Shape& shape) {
  std::string result;
  for (const int64_t n : shape) result.append(result.empty() ? "[" : ",").append(std::to_string(n));
  return result.empty() ? "[]" : result.append("]");
}

void expect_shape(const char* op, const char* name, const Shape& want, const Shape& got) {
  if (want != got) throw CodedError("ERR_SHAPE", std::string(op) + ": " + name + " must have shape " + text(want) + ", got " + text(got));
}

void expect_rank(const char* op, const char* name, const char* axes, const Shape& got) {
  const std::string_view names = axes;
  if (got.size() != static_cast<size_t>(std::count(names.begin(), names.end(), ',') + 1))
    throw CodedError("ERR_SHAPE", std::string(op) + ": " + name + " must have shape " + axes + ", got " + text(got));
}

}  // namespace larmor::ort
