// PyTorch checkpoints: those PyTorch wrote, bit by bit, and ones made by hand.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { toFloat32 } from '#larmor/io/float-conversion.js';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { readTorchCheckpoint } from '#larmor/io/torch-checkpoint.js';
import { sameBits } from '../support/bits.js';
import { call, checkpoint, dict, int, named, pickle, tensorPickle, text, tuple } from '../support/pickles.js';
import { describeShared, shared } from '../support/shared.js';
import { checkpointReader, matrix, numbers, program } from '../support/torch-checkpoints.js';

const load = checkpointReader();

describeShared('files that PyTorch wrote', () => {
  test.each([
    ['unet_c4_p2.state_dict.pt', 'unet_c4_p2', ''],
    ['unet_c4_p2.lightning.ckpt', 'unet_c4_p2', 'unet.'],
    ['varnet_tiny.state_dict.pt', 'varnet_tiny', ''],
  ])('%s', async (file, truth, prefix) => {
    const { tensors, facts } = await readTorchCheckpoint(shared(`fixtures/${file}`));
    const want = await readSafetensors(shared(`fixtures/${truth}.safetensors`));
    const names = [...want.tensors.keys()].filter((name) => name.startsWith('param.'));
    expect(tensors.size).toBe(names.length);
    for (const name of names) {
      const tensor = tensors.get(prefix + name.slice('param.'.length));
      const expected = float32Tensor(want, name);
      expect(tensor?.shape).toEqual(expected.shape);
      expect(sameBits(tensor?.data as Float32Array, expected.data), name).toBe(true);
    }
    if (prefix) expect(facts).toMatchObject({ chans: 4, num_pool_layers: 2, epoch: 3, global_step: 12 });
  });

  test('every truncation is an error', async () => {
    const whole = await readFile(shared('fixtures/unet_c4_p2.state_dict.pt'));
    for (const length of [0, 3, 40, 4000, whole.length - 30, whole.length - 1])
      await expect(load(whole.subarray(0, length))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  });
});

test('transposed, offset and shared tensors come in C order', async () => {
  const content = dict({
    plain: tensorPickle(matrix),
    transposed: tensorPickle({ ...matrix, shape: [3, 2], strides: [1, 3] }),
    tail: tensorPickle({ ...matrix, shape: [2], strides: [1], offset: 4 }),
    column: tensorPickle({ ...matrix, shape: [2, 1], strides: [3, 1], offset: 1 }),
    scalar: tensorPickle({ ...matrix, shape: [], strides: [], offset: 5 }),
  });
  const { tensors } = await load(checkpoint(program(content), { 0: numbers }));
  const values = Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]));
  expect(values).toEqual({
    plain: [1, 2, 3, 4, 5, 6],
    transposed: [1, 4, 2, 5, 3, 6],
    tail: [5, 6],
    column: [2, 5],
    scalar: [6],
  });
});

test('parameters, half and double precision', async () => {
  const storages = {
    0: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00),
    1: Uint16Array.of(0x3f80, 0xc040),
    2: Float64Array.of(0.1),
  };
  const one = (key: string, elements: number, storage: string): Buffer =>
    tensorPickle({ key, elements, storage, shape: [elements], strides: [1] });
  const content = dict({
    half: one('0', 4, 'HalfStorage'),
    brain: one('1', 2, 'BFloat16Storage'),
    double: call(
      'torch._utils',
      '_rebuild_parameter',
      one('2', 1, 'DoubleStorage'),
      '\x88',
      pickle(named('collections', 'OrderedDict'), ')R'),
    ),
  });
  const { tensors } = await load(checkpoint(program(content), storages));
  const floats = await Promise.all([...tensors.values()].map(toFloat32));
  expect(floats.map((values) => [...(values ?? [])])).toEqual([
    [1, -2, 2 ** -24, Number.POSITIVE_INFINITY],
    [1, -3],
    [Math.fround(0.1)],
  ]);
});

test('hyper-parameters of many kinds; unknown classes are left out', async () => {
  const scalar = call(
    'numpy.core.multiarray',
    'scalar',
    pickle(
      call('numpy', 'dtype', text('f8'), '\x89', '\x88'),
      tuple(int(3), text('<'), 'NNN', int(-1), int(-1), int(0)),
      'b',
    ),
    call('_codecs', 'encode', text('\0\0\0\0\0\0ø?'), text('latin1')),
  );
  const content = dict({
    state_dict: dict({ w: tensorPickle(matrix) }),
    epoch: 'K\x07',
    callbacks: pickle('}', named('pytorch_lightning.callbacks', 'ModelCheckpoint'), '}s'),
    hyper_parameters: pickle(
      named('argparse', 'Namespace'),
      ')\x81',
      dict({
        lr: scalar,
        root: call('pathlib', 'PosixPath', text('a'), text('b')),
        mask: named('fastmri', 'RandomMask'),
      }),
      'b',
    ),
  });
  expect((await load(checkpoint(program(content), { 0: numbers }))).facts).toEqual({ epoch: 7, lr: 1.5, root: 'a/b' });
});
