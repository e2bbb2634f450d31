// What a call of an operator consists of, for tests.
import type { GraphBuilder } from '#larmor/graph/builder.js';
import type { Value } from '#larmor/graph/types.js';

/** A call of an operator, which the tests give random values. */
export interface OperatorCase {
  readonly operator: string;
  readonly what: string;
  /** Shapes of the inputs with random values. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Inputs that have a gradient; default all. */
  readonly differentiable?: readonly string[];
  /** Range of the values; default [-1, 1]. */
  readonly range?: readonly [number, number];
  /** Values of inputs that are not random. */
  readonly given?: Readonly<Record<string, readonly number[]>>;
  apply(inputs: Readonly<Record<string, Value>>, graph: GraphBuilder): readonly Value[];
}

type Build = (values: Value[]) => Value | readonly Value[];

/** A call on inputs of some shapes. */
export function make(
  operator: string,
  what: string,
  shapes: readonly (readonly number[])[],
  build: Build,
  extra: Partial<OperatorCase> = {},
): OperatorCase {
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, shape]));
  return { operator, what, inputs, apply: (values) => [build(Object.values(values))].flat(), ...extra };
}
