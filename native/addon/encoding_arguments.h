// The arguments that functions on the encoding operator share.
#pragma once
#include <napi.h>

#include "addon/args.h"
#include "core/encoding.h"

namespace larmor::addon {

/// The arguments every encoding function starts with: control, sets, coils, ny, nx, maps, mask [x] or [y, x]. Then come input, output
/// and threads.
struct EncodingArguments {
  EncodingSizes sizes;
  const c32* maps;
  MaskWeights mask;

  explicit EncodingArguments(const Napi::CallbackInfo& info)
      : sizes{.sets = count(info, 1, "sets"), .coils = count(info, 2, "coils"), .ny = count(info, 3, "ny"), .nx = count(info, 4, "nx")},
        maps(complex64(info, 5, "maps", product(info, {sizes.sets, sizes.coils, sizes.ny, sizes.nx}))) {
    const bool lines = info[6].IsTypedArray() && info[6].As<Napi::TypedArray>().ElementLength() == sizes.nx;
    mask = {float32(info, 6, "mask", lines ? sizes.nx : sizes.ny * sizes.nx), lines};
  }
  size_t image_points() const { return sizes.sets * sizes.ny * sizes.nx; }
  size_t kspace_points() const { return sizes.coils * sizes.ny * sizes.nx; }
};

}  // namespace larmor::addon
