// Tensors in double precision, and the form of a rule that computes an operator's outputs.
import type { Attributes, Value } from '#larmor/graph/types.js';

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export type Rule = (inputs: readonly Tensor[], attributes: Attributes, outputs: readonly Value[]) => Tensor[];

export const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
export const tensor = (shape: readonly number[], data: Float64Array = new Float64Array(size(shape))): Tensor => ({
  shape,
  data,
});
