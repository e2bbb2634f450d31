// Small ONNX models, one or more for every operator that can be imported, as exporters write them.
import { ONNX_TYPES, type OnnxNode, type OnnxTensor } from '#larmor/graph/onnx-model.js';
import { floats, ints, node, type OnnxCase, type Plain, waves } from './onnx-nodes.js';

const image = [2, 4, 6, 5] as const;
const make = (
  what: string,
  nodes: readonly OnnxNode[],
  constants: readonly OnnxTensor[] = [],
  rest: Partial<OnnxCase> = {},
): OnnxCase => ({ what, nodes, constants, shape: image, ...rest });

/** One node on x. */
const one = (
  type: string,
  attributes: Parameters<typeof node>[3] = {},
  constants: readonly OnnxTensor[] = [],
  rest: Partial<OnnxCase> = {},
): OnnxCase =>
  make(
    `${type} ${JSON.stringify(attributes)}`,
    [node(type, ['x', ...constants.map(({ name }) => name)], ['y'], attributes)],
    constants,
    rest,
  );

const positive = { range: [0.1, 2] } as const;
const wide = { range: [-6, 6] } as const;
const scalar = (value: number): OnnxTensor => floats('c', [value], []);
const to = (type: keyof typeof ONNX_TYPES): number => ONNX_TYPES[type];

const elementwise: OnnxCase[] = [
  ...[
    'Neg',
    'Abs',
    'Sign',
    'Exp',

    'Reciprocal',
    'Relu',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Elu',
    'Selu',
    'HardSwish',
    'HardSigmoid',
    'LeakyRelu',
  ].map((type) => one(type, {}, [], type === 'Reciprocal' ? positive : wide)),
  one('Erf'),
  one('Sqrt', {}, [], positive),
  one('Log', {}, [], positive),
  one('Softplus', {}, [], { range: [-60, 60] }),
  one('LeakyRelu', { alpha: 0.3 }),
  one('Elu', { alpha: 0.5 }, [], wide),
  one('PRelu', {}, [waves('slope', [4, 1, 1])]),
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min'].flatMap((type) => [
    one(type, {}, [scalar(0.7)]),
    one(type, {}, [waves('c', [4, 1, 1])]),
  ]),
  make('number first', [node('Sub', ['c', 'x'], ['y'])], [scalar(1)]),
  make('Sum of three', [node('Sum', ['x', 'c', 'x'], ['y'])], [waves('c', [5])]),
  ...[0, 1, 2, 3, 0.5, 1.5, -1, -0.5, 1.7].map((p) => one('Pow', {}, [scalar(p)], positive)),
  one('Clip', {}, [floats('low', [0], []), floats('high', [6], [])], { range: [-9, 9] }),
  make('Clip above only', [node('Clip', ['x', '', 'high'], ['y'])], [floats('high', [0.2], [])]),
  make(
    'Where',
    [node('Greater', ['x', 'c'], ['g']), node('Where', ['g', 'x', 'd'], ['y'])],
    [scalar(0), waves('d', [5])],
  ),
  make(
    'Less and Cast',
    [node('Less', ['x', 'c'], ['g']), node('Cast', ['g'], ['y'], { to: to('float32') })],
    [scalar(0.1)],
  ),
];

const shapes: OnnxCase[] = [
  one('Identity'),
  make('Dropout in evaluation', [node('Dropout', ['x'], ['y'])]),
  one('Reshape', {}, [ints('s', [0, -1, 3, 10])]),
  one('Flatten', { axis: 2 }),
  one('Unsqueeze', {}, [ints('axes', [1, -1])]),
  one('Squeeze', {}, [ints('axes', [1])], { shape: [2, 1, 6, 5] }),
  one('Transpose', { perm: [0, 2, 3, 1] }),
  one('Transpose'),
  one('Expand', {}, [ints('s', [2, 3, 1, 6, 5])], { shape: [1, 6, 5] }),
  make('Concat', [node('Concat', ['x', 'c', 'x'], ['y'], { axis: -3 })], [waves('c', [2, 1, 6, 5])]),
  make(
    'Split into sizes',
    [node('Split', ['x', 's'], ['a', 'b'], { axis: 1 }), node('Concat', ['b', 'a'], ['y'], { axis: 1 })],
    [ints('s', [1, 3])],
  ),
  make('Split evenly', [node('Split', ['x'], ['a', 'b'], { axis: 1 }), node('Sub', ['b', 'a'], ['y'])]),
  one('Slice', {}, [ints('starts', [1, -4]), ints('ends', [2 ** 62, -1]), ints('axes', [2, 3]), ints('steps', [2, 1])]),
  one('Slice', {}, [ints('starts', [-1]), ints('ends', [-(2 ** 62)]), ints('axes', [3]), ints('steps', [-1])]),
  one('Slice', {}, [ints('starts', [0]), ints('ends', [99])]),
  one('Gather', { axis: 1 }, [ints('i', [2], [])]),
  one('Gather', { axis: -1 }, [ints('i', [0, -1, 3, 3], [2, 2])]),
  one('Pad', {}, [ints('p', [0, 0, 1, 2, 0, 1, 0, -1])]),
  one('Pad', {}, [ints('p', [0, 0, 1, 2, 0, 1, 0, 3]), scalar(0.5)]),
  one('Pad', { mode: 'reflect' }, [ints('p', [0, 0, 1, 2, 0, 0, 0, 3])]),
  one('Pad', { mode: 'edge' }, [ints('p', [0, 0, 1, 2, 0, 0, 0, 3])]),
  one('DepthToSpace', { blocksize: 2 }, [], { shape: [2, 8, 3, 5] }),
  one('DepthToSpace', { blocksize: 2, mode: 'CRD' }, [], { shape: [2, 8, 3, 5] }),
  one('SpaceToDepth', { blocksize: 2 }, [], { shape: [2, 2, 6, 4] }),
  make(
    "F.pad as PyTorch's exporter writes it",
    [
      node('Constant', [], ['pads'], { value_ints: [1, 2, 0, 1] }),
      node('Shape', ['pads'], ['size']),
      node('Sub', ['eight', 'size'], ['more']),
      node('ConstantOfShape', ['more'], ['zeros'], { value: { kind: 'tensor', value: ints('v', [0]) } }),
      node('Concat', ['pads', 'zeros'], ['all'], { axis: 0 }),
      node('Reshape', ['all', 'pairs'], ['table']),
      node('Slice', ['table', 'last', 'first', 'axis', 'back'], ['turned']),
      node('Transpose', ['turned'], ['columns'], { perm: [1, 0] }),
      node('Reshape', ['columns', 'flat'], ['list']),
      node('Cast', ['list'], ['long'], { to: to('int64') }),
      node('Pad', ['x', 'long'], ['y'], { mode: 'reflect' }),
    ],
    [
      ints('eight', [8]),
      ints('pairs', [-1, 2]),
      ints('last', [-1]),
      ints('first', [-(2 ** 62)]),
      ints('axis', [0]),
      ints('back', [-1]),
      ints('flat', [-1]),
    ],
  ),
  make(
    'half the height, computed from the shape',
    [
      node('Shape', ['x'], ['s']),
      node('Gather', ['s', 'two'], ['h'], { axis: 0 }),
      node('Div', ['h', 'two'], ['half']),
      node('Unsqueeze', ['half', 'zero'], ['end']),
      node('Slice', ['x', 'zero', 'end', 'axis'], ['y']),
    ],
    [ints('two', [2], []), ints('zero', [0]), ints('axis', [2])],
  ),
];

const kernel = (shape: readonly number[]): OnnxTensor[] => [waves('w', shape), waves('b', [shape[0]])];
const convolutions: OnnxCase[] = [
  one('Conv', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, kernel([3, 4, 3, 3])),
  one('Conv', { pads: [2, 2, 2, 2], strides: [2, 1] }, [waves('w', [3, 4, 5, 5])]),
  one('Conv', { pads: [2, 2, 2, 2], dilations: [2, 2] }, kernel([3, 4, 3, 3])),
  one('Conv', {}, kernel([2, 4, 1, 1])),
  one('Conv', { group: 2, pads: [1, 1, 1, 1] }, kernel([6, 2, 3, 3])),
  one('Conv', { group: 4, pads: [0, 1, 0, 1] }, kernel([4, 1, 1, 3])),
  one('Conv', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, kernel([3, 4, 2, 3])),
  one('Conv', { auto_pad: 'SAME_LOWER' }, kernel([3, 4, 2, 2])),
  one('ConvTranspose', { strides: [2, 2], kernel_shape: [2, 2] }, [waves('w', [4, 3, 2, 2]), waves('b', [3])]),
  one('ConvTranspose', { strides: [2, 3], pads: [1, 0, 1, 0], output_padding: [1, 0] }, [waves('w', [4, 3, 3, 4])]),
  one('ConvTranspose', { strides: [2, 2], group: 2 }, [waves('w', [4, 2, 2, 2]), waves('b', [4])]),
  one('MatMul', {}, [waves('w', [5, 3])]),
  one('MatMul', {}, [waves('w', [5])]),
  one('MatMul', {}, [waves('w', [4, 5, 3])]),
  make('MatMul, known first', [node('MatMul', ['w', 'x'], ['y'])], [waves('w', [3, 6])]),
  one('Gemm', { transB: 1, 'alpha:f': 0.5, 'beta:f': 2 }, [waves('w', [3, 5]), waves('c', [3])], { shape: [4, 5] }),
];

const poolings: OnnxCase[] = [
  one('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }),
  one('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  one('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  one('AveragePool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  one('MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }),
  one('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  one('MaxPool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  one('MaxPool', { kernel_shape: [2, 2], dilations: [2, 2] }),
  one('GlobalAveragePool'),
  one('ReduceMean', { axes: [2, 3] }),
  one('ReduceMean', { axes: [1], keepdims: 0 }),
  one('ReduceSum', {}, [ints('axes', [1, -1])]),
  one('ReduceSum', { keepdims: 0 }),
  one('ReduceL1', { axes: [1] }),
  one('ReduceL2', { axes: [1] }),
  one('ReduceSumSquare', { axes: [1] }),
];

const per = (n: number): OnnxTensor[] => [waves('scale', [n]), waves('bias', [n])];
const normalisations: OnnxCase[] = [
  one('InstanceNormalization', { epsilon: 0.001 }, per(4)),
  one('InstanceNormalization', {}, [floats('scale', [1, 1, 1]), floats('bias', [0, 0, 0])], { shape: [2, 3, 20] }),
  make(
    'InstanceNormalization with LeakyRelu',
    [node('InstanceNormalization', ['x', 'scale', 'bias'], ['n']), node('LeakyRelu', ['n'], ['y'], { alpha: 0.2 })],
    per(4),
  ),
  make(
    'InstanceNormalization with Relu',
    [node('InstanceNormalization', ['x', 'scale', 'bias'], ['n']), node('Relu', ['n'], ['y'])],
    per(4),
  ),
  make(
    'InstanceNormalization used twice',
    [
      node('InstanceNormalization', ['x', 'scale', 'bias'], ['n']),
      node('Relu', ['n'], ['r']),
      node('Add', ['n', 'r'], ['y']),
    ],
    per(4),
  ),
  one('BatchNormalization', { epsilon: 0.01 }, [...per(4), waves('mean', [4]), floats('variance', [0.5, 1, 2, 3])]),
  one('LayerNormalization', { axis: -2 }, [waves('scale', [6, 5]), waves('bias', [6, 5])]),
  one('LayerNormalization', {}, [waves('scale', [5])]),
  one('Softmax', { axis: 1 }),
  one('Softmax', {}),
];

const resized = (attributes: Record<string, Plain>, scales: readonly number[], sizes?: readonly number[]): OnnxCase =>
  make(
    `Resize ${JSON.stringify(attributes)} ${sizes ?? scales}`,
    [node('Resize', sizes ? ['x', '', '', 'sizes'] : ['x', '', 'scales'], ['y'], attributes)],
    sizes ? [ints('sizes', sizes)] : [floats('scales', scales)],
  );
const double = [1, 1, 2, 2];
const resizes: OnnxCase[] = [
  resized({ mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }, double),
  resized({ mode: 'nearest' }, [1, 1, 2, 3]),
  resized(
    { mode: 'nearest', coordinate_transformation_mode: 'half_pixel', nearest_mode: 'round_prefer_ceil' },
    [1, 1, 0.5, 1.5],
  ),
  resized({ mode: 'nearest', coordinate_transformation_mode: 'align_corners', nearest_mode: 'ceil' }, double),
  resized({ mode: 'linear' }, double),
  resized({ mode: 'linear', coordinate_transformation_mode: 'align_corners' }, [], [2, 4, 11, 4]),
  resized({ mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' }, [], [2, 4, 1, 8]),
  resized({ mode: 'cubic', coordinate_transformation_mode: 'half_pixel' }, double),
  resized({ mode: 'cubic', exclude_outside: 1, 'cubic_coeff_a:f': -0.5 }, double),
];

export const onnxCases: readonly OnnxCase[] = [
  ...elementwise,
  ...shapes,
  ...convolutions,
  ...poolings,
  ...normalisations,
  ...resizes,
];
