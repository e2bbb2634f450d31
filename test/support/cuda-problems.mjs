// Small reconstruction problems, drawn one after the other, and how far two arrays are apart.
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';

const random = new MT19937(7);

export function noise(shape) {
  const array = complexZeros(shape);
  for (let i = 0; i < array.data.length; i += 1) array.data[i] = random.uniform(-0.5, 0.5);
  return array;
}

/** Maps [set, coil, y, x] whose squares sum to 1 over coils and sets. */
export function unitMaps(sets, coils, ny, nx) {
  const maps = noise([sets, coils, ny, nx]);
  const plane = 2 * ny * nx;
  for (let i = 0; i < plane; i += 2) {
    let energy = 0;
    for (let k = 0; k < sets * coils; k += 1)
      energy += maps.data[k * plane + i] ** 2 + maps.data[k * plane + i + 1] ** 2;
    for (let k = 0; k < sets * coils; k += 1)
      for (const part of [0, 1]) maps.data[k * plane + i + part] /= Math.sqrt(energy);
  }
  return maps;
}

/** A mask of columns, or of points, with about half the samples. */
export function halfMask(shape) {
  const data = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
    i % 5 === 0 || random.uniform() < 0.5 ? 1 : 0,
  );
  return { data, shape };
}

/** ||a - b|| / ||b||. */
export function misfit({ data: a }, { data: b }) {
  let difference = 0;
  let energy = 0;
  for (let i = 0; i < b.length; i += 1) {
    difference += (a[i] - b[i]) ** 2;
    energy += b[i] ** 2;
  }
  return a.length === b.length ? Math.sqrt(difference / energy) : NaN;
}

export const SIZE = { coils: 3, ny: 12, nx: 15 };
export const MASKS = { lines: [SIZE.nx], points: [SIZE.ny, SIZE.nx] };

export function problems(batch, sets, maskShape) {
  const { coils, ny, nx } = SIZE;
  return Array.from({ length: batch }, () => ({
    maps: unitMaps(sets, coils, ny, nx),
    mask: halfMask(maskShape),
    kspace: noise([coils, ny, nx]),
  }));
}
