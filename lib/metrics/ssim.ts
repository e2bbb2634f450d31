// Structural similarity as fastMRI computes it: 7x7 uniform window, sample covariance, interior pixels only.

const WINDOW = 7;
const SAMPLES = WINDOW * WINDOW;
const K1 = 0.01;
const K2 = 0.03;
const MOMENTS = 5;

/**
 * Mean SSIM of one slice, accumulated in double precision.
 *
 * Sums over the window slide: down the columns first, then along each row, so the cost does not grow with its size.
 *
 * @param reference, prediction Slices of height x width floats, both sides at least 7.
 * @param dataRange L of the stabilising constants (0.01 L)^2 and (0.03 L)^2.
 * @see Wang et al., IEEE Trans Image Process 2004;13:600-612.
 */
export function ssimSlice(
  reference: Float32Array | Float64Array,
  prediction: Float32Array | Float64Array,
  height: number,
  width: number,
  dataRange: number,
): number {
  const c1 = (K1 * dataRange) ** 2;
  const c2 = (K2 * dataRange) ** 2;
  const unbiased = SAMPLES / (SAMPLES - 1);
  // Per column: sums over the window's rows of x, y, xx, yy, xy.
  const columns = new Float64Array(MOMENTS * width);
  const addRow = (row: number, sign: number): void => {
    for (let i = 0, p = row * width; i < columns.length; i += MOMENTS, ++p) {
      const x = reference[p];
      const y = prediction[p];
      columns[i] += sign * x;
      columns[i + 1] += sign * y;
      columns[i + 2] += sign * x * x;
      columns[i + 3] += sign * y * y;
      columns[i + 4] += sign * x * y;
    }
  };

  let total = 0;
  for (let row = 0; row < height; ++row) {
    addRow(row, 1);
    if (row >= WINDOW) addRow(row - WINDOW, -1);
    if (row < WINDOW - 1) continue;
    let x = 0;
    let y = 0;
    let xx = 0;
    let yy = 0;
    let xy = 0;
    for (let i = 0, enter = 0; i < width; ++i, enter += MOMENTS) {
      x += columns[enter];
      y += columns[enter + 1];
      xx += columns[enter + 2];
      yy += columns[enter + 3];
      xy += columns[enter + 4];
      const leave = enter - MOMENTS * WINDOW;
      if (leave >= 0) {
        x -= columns[leave];
        y -= columns[leave + 1];
        xx -= columns[leave + 2];
        yy -= columns[leave + 3];
        xy -= columns[leave + 4];
      }
      if (i < WINDOW - 1) continue;
      const mx = x / SAMPLES;
      const my = y / SAMPLES;
      const vx = unbiased * (xx / SAMPLES - mx * mx);
      const vy = unbiased * (yy / SAMPLES - my * my);
      const vxy = unbiased * (xy / SAMPLES - mx * my);
      total += ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2));
    }
  }
  return total / ((height - WINDOW + 1) * (width - WINDOW + 1));
}
