// Random coil sensitivities for tests.
import type { ComplexArray, Shape } from '#larmor/arrays/complex-array.js';
import { points } from '#larmor/arrays/complex-array.js';
import { noise } from './complex.js';

/** Random maps [..., y, x] whose squared magnitudes sum to 1 over coils and sets. */
export function unitMaps(shape: Shape, seed: number): ComplexArray {
  const maps = noise(shape, seed);
  const plane = shape[shape.length - 2] * shape[shape.length - 1];
  for (let p = 0; p < plane; p += 1) {
    let energy = 0;
    for (let i = p; i < points(shape); i += plane) energy += maps.data[2 * i] ** 2 + maps.data[2 * i + 1] ** 2;
    for (let i = p; i < points(shape); i += plane) {
      maps.data[2 * i] /= Math.sqrt(energy);
      maps.data[2 * i + 1] /= Math.sqrt(energy);
    }
  }
  return maps;
}
