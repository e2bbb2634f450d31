// Shape checks of the custom operators, with both shapes in the message.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace larmor::ort {

using Shape = std::vector<int64_t>;

/// `[1,2,320,320]`.
std::string text(const Shape& shape);

/// Throws CodedError ERR_SHAPE unless `got` is `want`.
void expect_shape(const char* op, const char* name, const Shape& want, const Shape& got);

/// Throws CodedError ERR_SHAPE unless `got` has as many axes as `axes`, a text like "[n,channel,y,x]", names.
void expect_rank(const char* op, const char* name, const char* axes, const Shape& got);

}  // namespace larmor::ort
