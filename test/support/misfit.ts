// The data term of reconstructions, summed in double.
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { EncodingOperator, type EncodingOptions } from '#larmor/operators/encoding.js';

/** ||A x - y||^2 over the samples of the mask. */
export async function misfit(x: ComplexArray, y: ComplexArray, model: EncodingOptions): Promise<number> {
  const predicted = await new EncodingOperator(model).apply(x);
  const { data: mask } = model.mask; // of columns or of points: either way as long as what repeats
  return y.data.reduce((sum, value, i) => sum + mask[(i >> 1) % mask.length] * (predicted.data[i] - value) ** 2, 0);
}
