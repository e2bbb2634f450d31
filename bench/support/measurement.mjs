// Random k-space of which every fourth column and the centre were measured.
import { noise } from './noise.mjs';

const CENTRE = 26;

/** `kspace` [coil, y, x, 2], `mask` and `calibrationMask` [x]. */
export function measurement(coils, height, width) {
  const central = (x) => Math.abs(x + 0.5 - width / 2) < CENTRE / 2;
  const mask = Float32Array.from({ length: width }, (_, x) => (x % 4 === 0 || central(x) ? 1 : 0));
  const calibrationMask = Float32Array.from(mask, (_, x) => (central(x) ? 1 : 0));
  const kspace = noise(2 * coils * height * width, 3).map((value, i) => value * mask[(i >> 1) % width]);
  return { kspace, mask, calibrationMask };
}
