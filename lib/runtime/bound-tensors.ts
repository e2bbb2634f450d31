// The tensors that a session is given: whether they fit what it declares, and lie apart from those it writes.
import { formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { CudaTensor } from './cuda-tensor.js';
import { DeviceTensor } from './device-tensor.js';
import { type BoundTensor, type ElementType, expectTensor, type Tensor } from './tensor.js';

/** An input or output of a session; lengths that the graph leaves open are -1. */
export interface TensorInfo {
  readonly name: string;
  readonly type: ElementType | 'unsupported';
  readonly shape: Shape;
}

/** Tensors by the names that the graph gives its inputs or outputs. */
export type NamedTensors = Readonly<Record<string, BoundTensor>>;

/** What a session declares. */
interface Declared {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/**
 * Tensors in the order of a session's declarations, undefined for outputs left out.
 *
 * @throws LarmorError `ERR_ARGUMENT` for a missing, unknown, mistyped or shared tensor; `ERR_SHAPE` with both shapes.
 */
export function boundTensors(
  session: Declared,
  inputs: NamedTensors,
  outputs: NamedTensors,
): (BoundTensor | undefined)[] {
  const tensors = [
    ...match('input', session.inputs, inputs, true),
    ...match('output', session.outputs, outputs, false),
  ];
  expectSeparateOutputs(session, tensors);
  return tensors;
}

function match(
  kind: 'input' | 'output',
  declared: readonly TensorInfo[],
  given: NamedTensors,
  needed: boolean,
): (BoundTensor | undefined)[] {
  const names = declared.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `Session: no ${kind} is called ${unknown}; the ${kind}s are ${names.join(', ')}`,
    );
  return declared.map((info) => {
    const tensor = Object.hasOwn(given, info.name) ? given[info.name] : undefined;
    if (tensor !== undefined) expectFits(`${kind} ${info.name}`, info, tensor);
    else if (needed) throw new LarmorError('ERR_ARGUMENT', `Session: ${kind} ${info.name} is missing`);
    return tensor;
  });
}

function expectFits(name: string, info: TensorInfo, tensor: BoundTensor): void {
  if (tensor.type !== info.type)
    throw new LarmorError('ERR_ARGUMENT', `Session: ${name} must have the type ${info.type}, got ${tensor.type}`);
  if ('data' in tensor) expectTensor('Session', name, tensor);
  // A graph may leave the whole shape open, which reads as []: ONNX Runtime then checks it during the run.
  const fits =
    info.shape.length === 0 ||
    (info.shape.length === tensor.shape.length && info.shape.every((n, i) => n === -1 || n === tensor.shape[i]));
  if (!fits)
    throw new LarmorError(
      'ERR_SHAPE',
      `Session: ${name} must have shape ${formatShape(info.shape).replaceAll('-1', '*')}, got ${formatShape(tensor.shape)}`,
    );
}

/** Where a tensor lies: bytes of a buffer, or the whole of a tensor on a device. */
function placeOf(tensor: BoundTensor): { memory: object; from: number; to: number } {
  if (tensor instanceof DeviceTensor) return { memory: tensor, from: 0, to: 1 };
  if (tensor instanceof CudaTensor)
    return { memory: tensor.array, from: tensor.offset, to: tensor.offset + points(tensor.shape) };
  const { buffer, byteOffset, byteLength } = (tensor as Tensor).data;
  return { memory: buffer, from: byteOffset, to: byteOffset + byteLength };
}

/** An output in the memory of another tensor would be overwritten while the graph still reads or writes it. */
function expectSeparateOutputs(session: Declared, tensors: readonly (BoundTensor | undefined)[]): void {
  const names = [...session.inputs, ...session.outputs].map(({ name }) => name);
  const spans = tensors.flatMap((tensor, i) =>
    tensor === undefined ? [] : [{ name: names[i], output: i >= session.inputs.length, ...placeOf(tensor) }],
  );
  spans.sort((a, b) => a.from - b.from);
  const last = new Map<object, (typeof spans)[number]>();
  for (const span of spans) {
    const before = last.get(span.memory);
    if (before !== undefined && span.from < before.to && (span.output || before.output))
      throw new LarmorError(
        'ERR_ARGUMENT',
        `Session: ${before.name} and ${span.name} share memory; give the output its own`,
      );
    if (before === undefined || span.to > before.to) last.set(span.memory, span);
  }
}
