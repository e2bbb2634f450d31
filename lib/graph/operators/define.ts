// What operator definitions share: attribute types taken from the declared kinds, and shape checks.
import { formatShape, type Shape, sameShape } from '../../arrays/complex-array.js';
import { LarmorError } from '../../errors.js';
import type { AttributeKind, GradientCall, InputGradients, Operator, TensorType, Value } from '../types.js';

type Kinds = Readonly<Record<string, AttributeKind>>;
type AttributeOf<K extends AttributeKind> = K extends 'int' | 'float'
  ? number
  : K extends 'string'
    ? string
    : readonly number[];
type AttributesOf<K extends Kinds> = { readonly [N in keyof K]: AttributeOf<K[N]> };

interface Definition<K extends Kinds> {
  name: string;
  domain?: 'larmor';
  inputs: readonly string[];
  attributes?: K;
  infer(inputs: readonly Value[], attributes: AttributesOf<K>): readonly TensorType[];
  gradient?(call: GradientCall<AttributesOf<K>>): InputGradients;
  portable?(inputs: readonly Value[], attributes: AttributesOf<K>): readonly Value[];
}

/** A row of the table whose rules see their attributes with the declared types; the builder checks the kinds at each call. */
export function defineOperator<const K extends Kinds = Record<never, never>>(definition: Definition<K>): Operator {
  return { domain: '', attributes: {}, ...definition } as unknown as Operator;
}

export function float32(shape: Shape): TensorType {
  return { type: 'float32', shape };
}

/** Throws `ERR_SHAPE` naming the operator, the argument, what was wanted and what came. */
export function shapeError(operator: string, argument: string, want: string, got: Shape): never {
  throw new LarmorError('ERR_SHAPE', `${operator}: ${argument} must have ${want}, got ${formatShape(got)}`);
}

/** Throws `ERR_GRAPH` for an attribute that makes no sense. */
export function attributeError(operator: string, attribute: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_GRAPH', `${operator}: ${attribute} must be ${want}, got ${JSON.stringify(got)}`);
}

export function expectRank(operator: string, argument: string, rank: number, value: Value): void {
  if (value.shape.length !== rank) shapeError(operator, argument, `rank ${rank}`, value.shape);
}

export function expectShape(operator: string, argument: string, want: Shape, value: Value): void {
  if (!sameShape(value.shape, want)) shapeError(operator, argument, `shape ${formatShape(want)}`, value.shape);
}

/** `axes` counted from the front, each in range and named once. */
export function normaliseAxes(operator: string, axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const valid = normal.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);
  if (!valid || new Set(normal).size !== normal.length)
    attributeError(operator, 'axes', `distinct axes of a rank ${rank} input`, axes);
  return normal;
}
