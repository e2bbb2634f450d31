// From the complex images of a method to the magnitude that a scan's result holds.
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { combineComponents } from './images.js';

/** Magnitude [y, x] of the complex images [component, y, x] of a slice. */
export async function finish(image: ComplexArray): Promise<RealArray> {
  return await combineComponents(image);
}
