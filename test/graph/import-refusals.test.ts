// ONNX models that are not imported, each with the reason.
import { expect, test } from 'vitest';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { lowerOnnx } from '#larmor/graph/import/lower.js';
import { floats, ints, modelOf, node, type OnnxCase, waves } from '../support/onnx-nodes.js';

const single = (type: string, attributes = {}, constants: OnnxCase['constants'] = []): OnnxCase => ({
  what: type,
  shape: [1, 4, 6, 5],
  nodes: [node(type, ['x', ...constants.map(({ name }) => name)], ['y'], attributes)],
  constants,
});
const refused: [string, RegExp, OnnxCase, number?][] = [
  [
    'an unknown operator',
    /operator LSTM \(node "\/y\/LSTM"\) is not supported; the nearest is \w+\. Supported are Abs, /,
    single('LSTM'),
  ],
  ['an operator almost spelt like another', /operator Celu .* the nearest is (Elu|Gelu|Selu)/, single('Celu')],
  ['an old opset', /of opset 7; export it with opset 9 or later/, single('Relu'), 7],
  [
    'a mode of resizing',
    /Resize "\/y\/Resize": coordinate_transformation_mode "tf_crop_and_resize"/,
    single('Resize', { coordinate_transformation_mode: 'tf_crop_and_resize' }, [
      floats('roi', []),
      floats('s', [1, 1, 2, 2]),
    ]),
  ],
  [
    'resizing of channels',
    /resizes the batch or the channels/,
    single('Resize', {}, [floats('roi', []), floats('s', [1, 2, 2, 2])]),
  ],
  [
    'resizing beyond the limit',
    /resizes \[1,4,6,5\] to \[1,4,100000,5\]; sides go from 1 to 32768/,
    {
      ...single('Resize', {}, [ints('sizes', [1, 4, 100000, 5])]),
      nodes: [node('Resize', ['x', '', '', 'sizes'], ['y'])],
    },
  ],
  [
    'a window of a billion pixels',
    /MaxPool "\/y\/MaxPool": a window of \[30000,30000\] pixels/,
    single('MaxPool', { kernel_shape: [30000, 30000] }),
  ],
  ['a window of one axis', /kernel \[3\], strides \[1,1\]/, single('MaxPool', { kernel_shape: [3] })],
  [
    'groups that do not divide',
    /5 groups do not divide an image \[1,4,6,5\]/,
    single('Conv', { group: 5 }, [waves('w', [5, 1, 1, 1])]),
  ],
  [
    'a constant of terabytes',
    /ConstantOfShape "\/z\/ConstantOfShape".*a constant cannot have the shape \[1000000,1000000\]/,
    {
      ...single('Add', {}, [ints('s', [1e6, 1e6])]),
      nodes: [node('ConstantOfShape', ['s'], ['z']), node('Add', ['x', 'z'], ['y'])],
    },
  ],
  [
    'a node without operands',
    /Add "\/y\/Add": input 0 is missing/,
    { ...single('Add'), nodes: [node('Add', [], ['y'])] },
  ],
  [
    'a volume',
    /Conv "\/y\/Conv": works on 3 spatial axes/,
    { ...single('Conv', {}, [waves('w', [3, 4, 1, 1, 1])]), shape: [1, 4, 6, 5, 2] },
  ],
  [
    'batch normalisation in training',
    /training_mode 1 is not supported/,
    single(
      'BatchNormalization',
      { training_mode: 1 },
      ['a', 'b', 'c', 'd'].map((n) => waves(n, [4])),
    ),
  ],
  [
    'a shape that depends on the image',
    /input 1, "z", must not depend on the image/,
    { ...single('Reshape'), nodes: [node('Relu', ['x'], ['z']), node('Reshape', ['x', 'z'], ['y'])] },
  ],
  ['an attribute of another kind', /attribute axis must be of kind int, got string/, single('Softmax', { axis: 'c' })],
  [
    'an input from nowhere',
    /Add "\/y\/Add": its input "z" is computed nowhere/,
    { ...single('Add'), nodes: [node('Add', ['x', 'z'], ['y'])] },
  ],
  [
    'an output from nowhere',
    /the output "y" does not depend on the input/,
    { ...single('Relu'), nodes: [node('Relu', ['x'], ['z'])] },
  ],
  [
    'shapes that disagree',
    /Conv "\/y\/Conv" of \[1,4,6,5\], \[3,5,1,1\]: Conv: w must have shape \[any,4,any,any\]/,
    single('Conv', {}, [waves('w', [3, 5, 1, 1])]),
  ],
];
test.each(refused)('refuses %s', (_, message, onnxCase, opset) => {
  const graph = new GraphBuilder();
  const x = graph.input('x', [...onnxCase.shape]);
  expect(() => lowerOnnx(modelOf(onnxCase, [], opset), graph, new Map([['x', x]]))).toThrow(
    expect.objectContaining({
      code: expect.stringMatching(/ERR_(GRAPH|SHAPE)/),
      message: expect.stringMatching(message),
    }),
  );
});
