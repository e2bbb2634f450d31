// Values, nodes and operators of a computation graph whose shapes are all known when it is built.
import type { Shape } from '../arrays/complex-array.js';

/** Element type of a value. Comparisons give `bool`; everything else is `float32`. */
export type ElementType = 'float32' | 'bool';

export interface TensorType {
  readonly type: ElementType;
  readonly shape: Shape;
}

/** A tensor that a graph will compute, take as an input or hold as a constant. */
export interface Value extends TensorType {
  readonly name: string;
  readonly graph: Graph;
}

export type Attribute = number | string | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One application of an operator. Optional inputs that are left out are the trailing ones. */
export interface Node {
  readonly operator: Operator;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  /** The stage that it belongs to, if any. */
  readonly stage: symbol | undefined;
}

/** A graph under construction: `nodes` stand in an order in which they can be computed. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly constants: ReadonlyMap<Value, Float32Array>;
  readonly nodes: readonly Node[];
  readonly outputs: ReadonlyMap<string, Value>;
  /** A float32 constant; `data` is kept, not copied. */
  constant(data: Float32Array, shape: Shape): Value;
  /** A constant of shape `[]`. */
  scalar(x: number): Value;
  /** Appends one operator and returns its outputs. */
  apply(operator: string, inputs: readonly Value[], attributes?: Attributes): readonly Value[];
  /**
   * Runs `body`, whose nodes form a stage: what is computed within can be computed again on the way back instead of being kept. A stage
   * within a stage is part of it.
   */
  stage<T>(body: () => T): T;
}

/**
 * How an attribute is written to ONNX: as an attribute of that kind, or, for `tensor`, as an int64 list that follows the inputs
 * (ONNX moved shapes, axes and the like there; in our graphs they are always known).
 */
export type AttributeKind = 'int' | 'ints' | 'float' | 'string' | 'tensor';

/** What a gradient rule sees: the call it differentiates and dL/d(output) for every output, undefined where none arrives. */
export interface GradientCall<A = Attributes> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  readonly upstream: readonly (Value | undefined)[];
  /** `upstream[0]`, which single-output operators can rely on. */
  readonly dy: Value;
}

/** dL/d(input) per input: null where it is zero everywhere, undefined (or missing) where no rule exists. */
export type InputGradients = readonly (Value | null | undefined)[];

/** One row of the operator table. */
export interface Operator {
  readonly name: string;
  /** ONNX domain: empty for standard operators. */
  readonly domain: '' | 'larmor';
  /** Names of the inputs: `x`, optional `x?`, of another type than float32 `x:bool`; `...` repeats the one before. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  /** Shape rule. Throws `ERR_SHAPE`. */
  infer(inputs: readonly Value[], attributes: Attributes): readonly TensorType[];
  /** Appends the nodes that compute dL/d(input). */
  gradient?(call: GradientCall): InputGradients;
  /** Appends standard nodes that compute the same outputs. */
  portable?(inputs: readonly Value[], attributes: Attributes): readonly Value[];
}
