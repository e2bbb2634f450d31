// Protocol-buffer fields of the ONNX schema: a tag, then a variable-length, length-delimited or 4-byte value.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace larmor::test {

inline std::string varint(size_t value) {
  std::string result;
  for (; value >= 128; value >>= 7) result += static_cast<char>(value | 128);
  return result + static_cast<char>(value);
}
inline std::string number(size_t field, size_t value) { return varint(field << 3) + varint(value); }
inline std::string bytes(size_t field, const std::string& value) { return varint(field << 3 | 2) + varint(value.size()) + value; }
inline std::string fixed32(size_t field, float value) {
  return varint(field << 3 | 5).append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Attributes of a node.
inline std::string float_attribute(const char* name, float value) { return bytes(5, bytes(1, name) + fixed32(2, value) + number(20, 1)); }
inline std::string int_attribute(const char* name, size_t value) { return bytes(5, bytes(1, name) + number(3, value) + number(20, 2)); }
inline std::string text_attribute(const char* name, const char* value) { return bytes(5, bytes(1, name) + bytes(4, value) + number(20, 3)); }

/// A float32 tensor as a graph declares it.
inline std::string tensor_value(const std::string& name, const std::vector<int64_t>& shape) {
  std::string lengths;
  for (const int64_t n : shape) lengths += bytes(1, number(1, static_cast<size_t>(n)));
  return bytes(1, name) + bytes(2, bytes(1, number(1, 1) + bytes(2, lengths)));
}

/// The same with any shape.
inline std::string tensor_value(const std::string& name) { return bytes(1, name) + bytes(2, bytes(1, number(1, 1))); }

/// A model of one graph with a custom domain beside ONNX's own.
inline std::string model(const std::string& graph, const char* domain) {
  return number(1, 8) + bytes(7, graph + bytes(2, "graph")) + bytes(8, bytes(1, "") + number(2, 17)) + bytes(8, bytes(1, domain) + number(2, 1));
}

}  // namespace larmor::test
