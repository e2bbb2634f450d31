// Lines of JSON on standard output.
#include "report.h"

#include <cmath>
#include <cstdio>

namespace larmor::gpu_check {

Line& Line::add(const char* key, std::string value) {
  fields_.emplace_back(key, std::move(value));
  return *this;
}

Line& Line::text(const char* key, const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ') {
      quoted += ' ';
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return add(key, quoted + '"');
}

Line& Line::number(const char* key, double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", value);
  return add(key, std::isfinite(value) ? digits : "null");
}

Line& Line::truth(const char* key, bool value) { return add(key, value ? "true" : "false"); }

void Line::print() const {
  std::string line;
  for (const auto& [key, value] : fields_) line.append(line.empty() ? "{\"" : ",\"").append(key).append("\":").append(value);
  std::printf("%s}\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace larmor::gpu_check
