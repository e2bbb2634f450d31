// Parts of a flat block of parameters, as JavaScript names them.
#pragma once
#include <cstddef>
#include <vector>

#include "addon/args.h"

namespace larmor::addon {

struct Range {
  size_t begin, end;
};

/// Pairs of element indices, begin and end, ascending, none beyond `length`.
inline std::vector<Range> ranges(const Napi::CallbackInfo& info, size_t index, size_t length) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array)
    fail_argument(info.Env(), "ranges", "a Uint32Array");
  const auto array = value.As<Napi::Uint32Array>();
  if (array.ElementLength() % 2 != 0) fail_argument(info.Env(), "ranges", "pairs of begin and end");
  std::vector<Range> result;
  size_t previous = 0;
  for (size_t i = 0; i < array.ElementLength(); i += 2) {
    const Range range{array[i], array[i + 1]};
    if (range.begin < previous || range.end < range.begin || range.end > length)
      fail_argument(info.Env(), "ranges", "ascending pairs of begin and end within the parameters");
    result.push_back(range);
    previous = range.end;
  }
  return result;
}

}  // namespace larmor::addon
