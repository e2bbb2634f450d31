// ONNX files: a model to bytes and back.
import { points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import {
  ONNX_TYPES,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxPort,
  type OnnxTensor,
  type OnnxType,
  toOnnx,
} from './onnx-model.js';
import {
  ATTRIBUTE_TYPES,
  type AttributeFields,
  type ModelFields,
  ModelMessage,
  type TensorFields,
  type ValueInfoFields,
} from './onnx-schema.js';
import type { Graph } from './types.js';

const ELEMENT_BYTES: Record<OnnxType, number> = { float32: 4, int32: 4, int64: 8, bool: 1, float64: 8 };
const EXTERNAL = 1;

function fail(message: string, cause?: unknown): never {
  throw new LarmorError('ERR_MODEL', `ONNX: ${message}`, { cause });
}

function typeName(number: number, what: string): OnnxType {
  const entry = Object.entries(ONNX_TYPES).find(([, n]) => n === number);
  return entry
    ? (entry[0] as OnnxType)
    : fail(`${what} has element type ${number}; supported are ${Object.keys(ONNX_TYPES).join(', ')}`);
}

const tensorFields = ({ name, shape, type, bytes }: OnnxTensor): TensorFields => ({
  name,
  dims: [...shape],
  dataType: ONNX_TYPES[type],
  rawData: bytes,
});

/** Elements of a tensor stored as numbers rather than as bytes. */
function listedBytes(type: OnnxType, { floatData, int32Data, int64Data, doubleData }: TensorFields): Uint8Array {
  const lists = {
    float32: () => Float32Array.from(floatData ?? []),
    int32: () => Int32Array.from(int32Data ?? []),
    int64: () => BigInt64Array.from(int64Data ?? [], BigInt),
    bool: () => Uint8Array.from(int32Data ?? []),
    float64: () => Float64Array.from(doubleData ?? []),
  };
  return new Uint8Array(lists[type]().buffer);
}

function tensor(fields: TensorFields): OnnxTensor {
  const { name = '', rawData = new Uint8Array(0) } = fields;
  const what = `tensor "${name}"`;
  if (fields.dataLocation === EXTERNAL) fail(`${what} lies in another file; save the model in one file`);
  const type = typeName(fields.dataType, what);
  const bytes = rawData.length > 0 ? rawData : listedBytes(type, fields);
  const want = points(fields.dims) * ELEMENT_BYTES[type];
  if (bytes.length !== want) fail(`${what} of shape [${fields.dims}] must hold ${want} bytes, got ${bytes.length}`);
  return { name, shape: fields.dims, type, bytes };
}

function attributeFields(name: string, { kind, value }: OnnxAttribute): AttributeFields {
  const type = ATTRIBUTE_TYPES[kind];
  switch (kind) {
    case 'int':
      return { name, type, i: value };
    case 'float':
      return { name, type, f: value };
    case 'string':
      return { name, type, s: Buffer.from(value) };
    case 'ints':
      return { name, type, ints: [...value] };
    case 'floats':
      return { name, type, floats: [...value] };
    case 'tensor':
      return { name, type, t: tensorFields(value) };
  }
}

function attribute(
  node: string,
  { name, type, f = 0, i = 0, s, t, floats = [], ints = [] }: AttributeFields,
): OnnxAttribute {
  switch (type) {
    case ATTRIBUTE_TYPES.int:
      return { kind: 'int', value: i };
    case ATTRIBUTE_TYPES.float:
      return { kind: 'float', value: f };
    case ATTRIBUTE_TYPES.string:
      return { kind: 'string', value: Buffer.from(s ?? []).toString() };
    case ATTRIBUTE_TYPES.ints:
      return { kind: 'ints', value: ints };
    case ATTRIBUTE_TYPES.floats:
      return { kind: 'floats', value: floats };
    case ATTRIBUTE_TYPES.tensor:
      return { kind: 'tensor', value: tensor(t ?? fail(`attribute "${name}" of ${node} holds no tensor`)) };
    default:
      return fail(
        `attribute "${name}" of ${node} is of kind ${type}; supported are ${Object.keys(ATTRIBUTE_TYPES).join(', ')}`,
      );
  }
}

const portFields = ({ name, type, shape }: OnnxPort): ValueInfoFields => ({
  name,
  type: {
    tensorType: {
      elemType: ONNX_TYPES[type],
      shape: { dim: shape.map((n) => (typeof n === 'number' ? { dimValue: n } : { dimParam: n })) },
    },
  },
});

function port({ name, type }: ValueInfoFields): OnnxPort {
  const dense = type?.tensorType ?? fail(`"${name}" is not a tensor`);
  const shape = dense.shape?.dim.map(({ dimValue, dimParam }) => dimValue ?? (dimParam || '?')) ?? [];
  return { name, type: typeName(dense.elemType, `"${name}"`), shape };
}

/** The bytes of an `.onnx` file. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const fields: ModelFields = {
    irVersion: model.irVersion,
    producerName: model.producer,
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({ domain, version })),
    graph: {
      name: model.name,
      node: model.nodes.map(({ type, domain, name, inputs, outputs, attributes }) => ({
        opType: type,
        domain,
        name,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([key, value]) => attributeFields(key, value)),
      })),
      initializer: model.initializers.map(tensorFields),
      input: model.inputs.map(portFields),
      output: model.outputs.map(portFields),
      valueInfo: model.values?.map(portFields) ?? [],
    },
  };
  return ModelMessage.encode(fields).finish();
}

/** The bytes of an `.onnx` file that computes the outputs of `graph`. */
export const graphToOnnx = (graph: Graph): Uint8Array => encodeOnnx(toOnnx(graph));

/** Parses an `.onnx` file. Throws `ERR_MODEL` if the bytes are no model or hold what larmor cannot represent. */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  let fields: ModelFields;
  try {
    const message = ModelMessage.decode(bytes);
    // Absent lists become empty; absent numbers stay absent where 0 and "none" differ.
    fields = ModelMessage.toObject(message, { longs: Number, arrays: true }) as ModelFields;
  } catch (cause) {
    fail('the bytes are not a model', cause);
  }
  const graph = fields.graph ?? fail('the model holds no graph');
  const nodes = graph.node.map(
    ({ opType, domain = '', name = '', input, output, attribute: attributes }): OnnxNode => ({
      type: opType,
      domain,
      name,
      inputs: input,
      outputs: output,
      attributes: Object.fromEntries(attributes.map((entry) => [entry.name, attribute(`${opType} "${name}"`, entry)])),
    }),
  );
  return {
    irVersion: fields.irVersion ?? 0,
    producer: fields.producerName ?? '',
    opsets: Object.fromEntries(fields.opsetImport.map(({ domain = '', version }) => [domain, version])),
    name: graph.name ?? '',
    nodes,
    initializers: graph.initializer.map(tensor),
    inputs: graph.input.map(port),
    outputs: graph.output.map(port),
  };
}
