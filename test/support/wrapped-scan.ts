// A simulated head whose field of view is too small along phase encode, so that its sides fold over.
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { fft2, ifft2 } from '#larmor/operators/fft2.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { simulateScan } from '#larmor/simulation/scan.js';

/** Images [coil, y, x] folded onto the middle `columns` columns. */
function folded({ data, shape: [coils, ny, nx] }: ComplexArray, columns: number): ComplexArray {
  const narrow = complexZeros([coils, ny, columns]);
  const first = (nx >> 1) - (columns >> 1);
  for (let row = 0; row < coils * ny; row += 1)
    for (let x = 0; x < nx; x += 1) {
      const to = 2 * (row * columns + ((((x - first) % columns) + columns) % columns));
      const from = 2 * (row * nx + x);
      narrow.data[to] += data[from];
      narrow.data[to + 1] += data[from + 1];
    }
  return narrow;
}

/** K-space [coil, size, columns] of a head of `size` x `size` pixels seen through `columns` of them. */
export async function wrappedScan(
  size: number,
  columns: number,
  { coils = 12, snr = 80, seed = 1 } = {},
): Promise<ComplexArray> {
  const head = await renderPhantom({ family: 'head', seed, size: 2 * size });
  const { kspace } = await simulateScan(head, { coils, snr, seed, size });
  const images = await ifft2({ data: kspace.data, shape: kspace.shape.slice(1) });
  return await fft2(folded(images, columns));
}
