// A window is named by one word of bits per column. Down a column of k-space a word gains a bit and loses one, so that windows cost
// little to name; line masks repeat the name of the position before.
#include "core/sampling_patterns.h"

#include <array>
#include <unordered_map>

namespace larmor {
namespace {

using Key = std::array<uint16_t, kLongestWindow>;  // bit r of word c: row r of column c of the window

struct KeyHash {
  size_t operator()(const Key& key) const {
    uint64_t hash = 0;
    for (const uint16_t word : key) {
      hash = (hash ^ word) * 0x9e3779b97f4a7c15u;  // 2^64 over the golden ratio
      hash ^= hash >> 29;
    }
    return hash;
  }
};

/// codes [nx + window.columns - 1, ny]: the bits of a window's column at every place, the margins of zeros included.
std::vector<uint16_t> column_codes(size_t ny, size_t nx, const uint8_t* sampled, Grid window) {
  const size_t before = window.rows / 2, after = window.rows - 1 - before;
  std::vector<uint16_t> codes((nx + window.columns - 1) * ny);
  for (size_t x = 0; x < nx; ++x) {
    const auto bit = [&](size_t y) { return y < ny && sampled[y * nx + x] != 0 ? 1u << (window.rows - 1) : 0u; };
    unsigned code = 0;
    for (size_t y = 0; y < after; ++y) code = code >> 1 | bit(y);
    for (size_t y = 0; y < ny; ++y) {
      code = code >> 1 | bit(y + after);
      codes[(x + window.columns / 2) * ny + y] = static_cast<uint16_t>(code);
    }
  }
  return codes;
}

void append_entries(const Key& key, Grid window, std::vector<uint16_t>& entries) {
  for (size_t r = 0; r < window.rows; ++r)
    for (size_t c = 0; c < window.columns; ++c)
      if ((key[c] >> r & 1) != 0) entries.push_back(static_cast<uint16_t>(r * window.columns + c));
}

}  // namespace

SamplingPatterns sampling_patterns(size_t ny, size_t nx, const uint8_t* sampled, Grid window) {
  const std::vector<uint16_t> codes = column_codes(ny, nx, sampled, window);
  SamplingPatterns patterns{{}, {0}, {}, {0}, 0};
  std::unordered_map<Key, size_t, KeyHash> known;
  std::vector<size_t> holes, pattern_of;
  Key key{}, last{};
  size_t pattern = 0;
  for (size_t x = 0; x < nx; ++x)
    for (size_t y = 0; y < ny; ++y) {
      if (sampled[y * nx + x] != 0) continue;
      ++patterns.missing;
      uint16_t any = 0;
      for (size_t c = 0; c < window.columns; ++c) any |= key[c] = codes[(x + c) * ny + y];
      if (any == 0) continue;
      if (holes.empty() || key != last) {
        pattern = known.try_emplace(key, known.size()).first->second;
        last = key;
        if (pattern + 1 == patterns.entry_begin.size()) {
          append_entries(key, window, patterns.entries);
          patterns.entry_begin.push_back(patterns.entries.size());
          patterns.hole_begin.push_back(0);
        }
      }
      holes.push_back(x * ny + y);
      pattern_of.push_back(pattern);
      ++patterns.hole_begin[pattern + 1];
    }

  std::vector<size_t>& begin = patterns.hole_begin;
  for (size_t p = 1; p < begin.size(); ++p) begin[p] += begin[p - 1];
  std::vector<size_t> next(begin.begin(), begin.end());
  patterns.holes.resize(holes.size());
  for (size_t i = 0; i < holes.size(); ++i) patterns.holes[next[pattern_of[i]]++] = holes[i];
  return patterns;
}

}  // namespace larmor
