// What the checker prints: one JSON object a line, so that what was found before a crash or a time limit is not lost.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace larmor::gpu_check {

/// The fields of one line, in order; text is escaped, numbers that JSON has not become null.
class Line {
 public:
  Line& text(const char* key, const std::string& value);
  Line& number(const char* key, double value);
  Line& truth(const char* key, bool value);
  void print() const;

 private:
  Line& add(const char* key, std::string value);
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace larmor::gpu_check
