// Builds a graph: names values, checks every call against the operator table, infers shapes.
import { formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { operators } from './operators/table.js';
import type { AttributeKind, Attributes, ElementType, Graph, Node, Operator, Value } from './types.js';

/** Whether an attribute value is of its declared kind. */
const isKind: Record<AttributeKind, (value: unknown) => boolean> = {
  int: Number.isInteger,
  float: Number.isFinite,
  string: (value) => typeof value === 'string',
  ints: (value) => Array.isArray(value) && value.every(Number.isInteger),
  tensor: (value) => Array.isArray(value) && value.every(Number.isInteger),
};

interface InputSpec {
  readonly name: string;
  readonly type: ElementType;
  readonly optional: boolean;
}

function inputSpecs(operator: Operator, count: number): InputSpec[] {
  const specs = operator.inputs.map((text): InputSpec => {
    const [name, type = 'float32'] = text.replace('?', '').split(':');
    return { name, type: type as ElementType, optional: text.endsWith('?') };
  });
  if (specs.at(-1)?.name !== '...') return specs;
  const [repeated] = specs.splice(-2);
  while (specs.length < Math.max(count, 1)) specs.push({ ...repeated, name: `${repeated.name} ${specs.length}` });
  return specs;
}

/**
 * A graph under construction. Values are created with `input`, `constant`, `scalar` and the functions of operations.ts;
 * `output` names results.
 */
export class GraphBuilder implements Graph {
  readonly #inputs: Value[] = [];
  readonly #constants = new Map<Value, Float32Array>();
  readonly #nodes: Node[] = [];
  readonly #outputs = new Map<string, Value>();
  readonly #scalars = new Map<number, Value>();
  readonly #names = new Set<string>();
  #count = 0;
  #stage: symbol | undefined;

  get inputs(): readonly Value[] {
    return this.#inputs;
  }
  get constants(): ReadonlyMap<Value, Float32Array> {
    return this.#constants;
  }
  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  get outputs(): ReadonlyMap<string, Value> {
    return this.#outputs;
  }

  /** A tensor given at run time. Throws `ERR_GRAPH` if the name is taken. */
  input(name: string, shape: Shape, type: ElementType = 'float32'): Value {
    const value = this.#value(this.#claim(name), shape, type);
    this.#inputs.push(value);
    return value;
  }

  constant(data: Float32Array, shape: Shape): Value {
    if (data.length !== points(shape))
      throw new LarmorError(
        'ERR_SHAPE',
        `constant: data of shape ${formatShape(shape)} must hold ${points(shape)} numbers, got ${data.length}`,
      );
    const value = this.#value(this.#fresh('constant'), shape, 'float32');
    this.#constants.set(value, data);
    return value;
  }

  scalar(x: number): Value {
    const known = this.#scalars.get(x);
    if (known) return known;
    const value = this.constant(Float32Array.of(x), []);
    this.#scalars.set(x, value);
    return value;
  }

  apply(name: string, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const operator = operators.get(name);
    if (!operator)
      throw new LarmorError(
        'ERR_GRAPH',
        `graph: unknown operator "${name}"; known are ${[...operators.keys()].join(', ')}`,
      );
    this.#checkInputs(operator, inputs);
    checkAttributes(operator, attributes);
    const types = operator.infer(inputs, attributes);
    const outputs = types.map(({ shape, type }) => this.#value(this.#fresh(name), shape, type));
    this.#nodes.push({ operator, inputs: [...inputs], attributes, outputs, stage: this.#stage });
    return outputs;
  }

  stage<T>(body: () => T): T {
    const outer = this.#stage;
    this.#stage ??= Symbol('stage');
    try {
      return body();
    } finally {
      this.#stage = outer;
    }
  }

  /** Names `value` as a result of the graph. Throws `ERR_GRAPH` if the name is taken. */
  output(name: string, value: Value): void {
    this.#expectOwn(`output ${name}`, value);
    this.#outputs.set(this.#claim(name), value);
  }

  #checkInputs(operator: Operator, inputs: readonly Value[]): void {
    const specs = inputSpecs(operator, inputs.length);
    const least = specs.filter(({ optional }) => !optional).length;
    if (inputs.length < least || inputs.length > specs.length)
      throw new LarmorError(
        'ERR_GRAPH',
        `${operator.name}: takes ${operator.inputs.join(', ')}; got ${inputs.length} input${inputs.length === 1 ? '' : 's'}`,
      );
    inputs.forEach((input, i) => {
      const { name, type } = specs[i];
      this.#expectOwn(`${operator.name}: ${name}`, input);
      if (input.type !== type)
        throw new LarmorError('ERR_GRAPH', `${operator.name}: ${name} must be ${type}, got ${input.type}`);
    });
  }

  #expectOwn(what: string, value: Value): void {
    if (value.graph !== this)
      throw new LarmorError('ERR_GRAPH', `${what} must belong to this graph, got "${value.name}" of another`);
  }

  #value(name: string, shape: Shape, type: ElementType): Value {
    if (!shape.every((n) => Number.isInteger(n) && n >= 1))
      throw new LarmorError('ERR_SHAPE', `graph: "${name}" must have positive sizes, got ${formatShape(shape)}`);
    return Object.freeze({ name, shape: Object.freeze([...shape]), type, graph: this });
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw new LarmorError('ERR_GRAPH', `graph: the name "${name}" is taken`);
    this.#names.add(name);
    return name;
  }

  /** A name no value bears. */
  #fresh(kind: string): string {
    let name: string;
    do name = `${kind}_${this.#count++}`;
    while (this.#names.has(name));
    return this.#claim(name);
  }
}

function checkAttributes(operator: Operator, attributes: Attributes): void {
  for (const [name, kind] of Object.entries(operator.attributes))
    if (!isKind[kind](attributes[name]))
      throw new LarmorError(
        'ERR_GRAPH',
        `${operator.name}: attribute ${name} must be of kind ${kind}, got ${JSON.stringify(attributes[name])}`,
      );
  for (const name of Object.keys(attributes))
    if (!(name in operator.attributes))
      throw new LarmorError('ERR_GRAPH', `${operator.name}: has no attribute ${name}`);
}
