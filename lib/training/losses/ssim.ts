// Structural similarity as nodes of a graph, with fastMRI's window: what lib/metrics/ssim.ts measures, to train on.
import { add, concat, conv, divide, multiply, reduceMean, reshape, split, subtract } from '../../graph/operations.js';
import type { Value } from '../../graph/types.js';

const WINDOW = 7;
const SAMPLES = WINDOW * WINDOW;
const K1 = 0.01;
const K2 = 0.03;

/** Means over the windows that lie inside images [n,1,y,x]: along y, then along x. */
function windowMeans(images: Value): Value {
  const along = (x: Value, shape: readonly number[]): Value =>
    conv(x, x.graph.constant(new Float32Array(WINDOW).fill(1 / WINDOW), shape));
  return along(along(images, [1, 1, WINDOW, 1]), [1, 1, 1, WINDOW]);
}

/**
 * Mean SSIM of magnitudes, [1]: 7 x 7 uniform windows inside the image, sample covariance, K1 = 0.01, K2 = 0.03.
 *
 * Shapes: image and target [n,1,y,x], both sides at least 7; range [n,1,1,1], L of each image.
 *
 * @throws LarmorError `ERR_SHAPE` when a side is below 7.
 * @see Wang et al., IEEE Trans Image Process 2004;13:600-612.
 */
export function structuralSimilarity(image: Value, target: Value, range: Value): Value {
  const [n] = image.shape;
  const moments = [image, target, multiply(image, image), multiply(target, target), multiply(image, target)];
  const means = split(
    windowMeans(concat(moments, 0)),
    0,
    moments.map(() => n),
  );
  const [mx, my, mxx, myy, mxy] = means;
  const sampleCovariance = (product: Value, a: Value, b: Value): Value =>
    multiply(subtract(product, multiply(a, b)), SAMPLES / (SAMPLES - 1));
  const constant = (k: number): Value => multiply(multiply(range, range), k ** 2);
  const [c1, c2] = [constant(K1), constant(K2)];
  const variances = add(sampleCovariance(mxx, mx, mx), sampleCovariance(myy, my, my));
  const numerator = multiply(
    add(multiply(multiply(mx, my), 2), c1),
    add(multiply(sampleCovariance(mxy, mx, my), 2), c2),
  );
  const denominator = multiply(add(add(multiply(mx, mx), multiply(my, my)), c1), add(variances, c2));
  return reshape(reduceMean(divide(numerator, denominator)), [1]);
}
