// The messages of the ONNX file format that larmor reads and writes: field numbers and types of onnx.proto, version 1.
import protobuf from 'protobufjs/light.js';

const int64 = (id: number): object => ({ id, type: 'int64' });
const string = (id: number): object => ({ id, type: 'string' });
const many = (id: number, type: string): object => ({ id, type, rule: 'repeated' });
const packed = (id: number, type: string): object => ({ id, type, rule: 'repeated', options: { packed: true } });

const messages = {
  Model: {
    fields: {
      irVersion: int64(1),
      producerName: string(2),
      producerVersion: string(3),
      graph: { id: 7, type: 'Graph' },
      opsetImport: many(8, 'OperatorSet'),
    },
  },
  OperatorSet: { fields: { domain: string(1), version: int64(2) } },
  Graph: {
    fields: {
      node: many(1, 'Node'),
      name: string(2),
      initializer: many(5, 'Tensor'),
      input: many(11, 'ValueInfo'),
      output: many(12, 'ValueInfo'),
      valueInfo: many(13, 'ValueInfo'),
    },
  },
  Node: {
    fields: {
      input: many(1, 'string'),
      output: many(2, 'string'),
      name: string(3),
      opType: string(4),
      attribute: many(5, 'Attribute'),
      domain: string(7),
    },
  },
  Attribute: {
    fields: {
      name: string(1),
      f: { id: 2, type: 'float' },
      i: int64(3),
      s: { id: 4, type: 'bytes' },
      t: { id: 5, type: 'Tensor' },
      floats: many(7, 'float'),
      ints: many(8, 'int64'),
      type: { id: 20, type: 'int32' },
    },
  },
  Tensor: {
    fields: {
      dims: many(1, 'int64'),
      dataType: { id: 2, type: 'int32' },
      floatData: packed(4, 'float'),
      int32Data: packed(5, 'int32'),
      int64Data: packed(7, 'int64'),
      name: string(8),
      rawData: { id: 9, type: 'bytes' },
      doubleData: packed(10, 'double'),
      dataLocation: { id: 14, type: 'int32' },
    },
  },
  ValueInfo: { fields: { name: string(1), type: { id: 2, type: 'Type' } } },
  Type: { fields: { tensorType: { id: 1, type: 'TensorType' } } },
  TensorType: { fields: { elemType: { id: 1, type: 'int32' }, shape: { id: 2, type: 'TensorShape' } } },
  TensorShape: { fields: { dim: many(1, 'Dimension') } },
  Dimension: {
    oneofs: { value: { oneof: ['dimValue', 'dimParam'] } },
    fields: { dimValue: int64(1), dimParam: string(2) },
  },
};

/** Attribute types by their number in ONNX. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

export const ModelMessage = protobuf.Root.fromJSON({
  nested: { onnx: { nested: messages } },
} as protobuf.INamespace).lookupType('onnx.Model');

/** What `ModelMessage.toObject` gives and `encode` takes. */
export interface ModelFields {
  irVersion: number;
  producerName: string;
  graph: GraphFields | null;
  opsetImport: { domain: string; version: number }[];
}

export interface GraphFields {
  name: string;
  node: NodeFields[];
  initializer: TensorFields[];
  input: ValueInfoFields[];
  output: ValueInfoFields[];
  valueInfo: ValueInfoFields[];
}

export interface NodeFields {
  opType: string;
  domain: string;
  name: string;
  input: string[];
  output: string[];
  attribute: AttributeFields[];
}

export interface AttributeFields {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorFields | null;
  floats?: number[];
  ints?: number[];
}

export interface TensorFields {
  name?: string;
  dims: number[];
  dataType: number;
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  doubleData?: number[];
  dataLocation?: number;
}

export interface ValueInfoFields {
  name: string;
  type: {
    tensorType: { elemType: number; shape: { dim: { dimValue?: number; dimParam?: string }[] } | null } | null;
  } | null;
}
