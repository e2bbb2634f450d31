// Broken and hostile PyTorch checkpoints.
import { expect, test } from 'vitest';
import { readTorchCheckpoint } from '#larmor/io/torch-checkpoint.js';
import { call, checkpoint, dict, named, pickle, tensorPickle, text, zip } from '../support/pickles.js';
import { checkpointReader, matrix, numbers, program } from '../support/torch-checkpoints.js';

const load = checkpointReader();

const weights = (content: Buffer): Buffer => checkpoint(program(content), { 0: numbers });
const refused: [string, string, RegExp, Buffer][] = [
  ['os.system as the checkpoint', 'ERR_FILE_FORMAT', /call os\.system/, weights(call('os', 'system', text('true')))],
  [
    'os.system among the weights',
    'ERR_FILE_FORMAT',
    /call os\.system/,
    weights(dict({ w: call('os', 'system', text('true')) })),
  ],
  [
    'os.system among the hyper-parameters',
    'ERR_FILE_FORMAT',
    /call os\.system/,
    weights(
      dict({
        state_dict: dict({ w: tensorPickle(matrix) }),
        hyper_parameters: dict({ a: call('os', 'system', text('true')) }),
      }),
    ),
  ],
  [
    'a global as a weight',
    'ERR_FILE_FORMAT',
    /"w" among the weights is the Python object os\.system/,
    weights(dict({ a: tensorPickle(matrix), w: named('os', 'system') })),
  ],
  [
    'a tensor made by a stranger',
    'ERR_FILE_FORMAT',
    /call torch\._utils\._rebuild_sparse_tensor/,
    weights(dict({ w: call('torch._utils', '_rebuild_sparse_tensor') })),
  ],
  [
    'a tensor beyond its storage',
    'ERR_FILE_FORMAT',
    /reaches beyond its storage/,
    weights(dict({ w: tensorPickle({ ...matrix, offset: 1 }) })),
  ],
  [
    'strides beyond the storage',
    'ERR_FILE_FORMAT',
    /reaches beyond its storage/,
    weights(dict({ w: tensorPickle({ ...matrix, strides: [4, 1] }) })),
  ],
  [
    'an expanded tensor',
    'ERR_FILE_FORMAT',
    /reaches beyond its storage/,
    weights(dict({ w: tensorPickle({ ...matrix, shape: [1 << 30, 1 << 30], strides: [0, 0] }) })),
  ],
  [
    'a negative stride',
    'ERR_FILE_FORMAT',
    /no natural number/,
    weights(dict({ w: tensorPickle({ ...matrix, strides: [-3, 1], offset: 3 }) })),
  ],
  [
    'a storage that is shorter',
    'ERR_FILE_FORMAT',
    /needs a storage of 28 bytes, the file holds 24/,
    weights(dict({ w: tensorPickle({ ...matrix, elements: 7 }) })),
  ],
  [
    'a storage that is missing',
    'ERR_FILE_FORMAT',
    /the file holds none/,
    weights(dict({ w: tensorPickle({ ...matrix, key: '9' }) })),
  ],
  [
    'a storage of another folder',
    'ERR_FILE_FORMAT',
    /not described as PyTorch does/,
    weights(dict({ w: tensorPickle({ ...matrix, key: '../data.pkl' }) })),
  ],
  [
    'a storage of unknown type',
    'ERR_FILE_FORMAT',
    /a storage is the Python object torch\.QInt8Storage/,
    weights(dict({ w: tensorPickle({ ...matrix, storage: 'QInt8Storage' }) })),
  ],
  [
    'one storage a hundred times',
    'ERR_FILE_FORMAT',
    /take 2400 bytes of storages of 24 bytes/,
    weights(dict(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`w${i}`, tensorPickle(matrix)])))),
  ],
  [
    'a whole module',
    'ERR_MODEL',
    /whole Python object of fastmri\.Unet/,
    weights(pickle(named('fastmri', 'Unet'), ')\x81}b')),
  ],
  ['a list', 'ERR_MODEL', /a checkpoint is a dict with weights, this is a list/, weights(pickle(']'))],
  ['no tensors', 'ERR_MODEL', /holds no weights/, weights(dict({ epoch: 'K\x01' }))],
  ['no pickle', 'ERR_FILE_FORMAT', /holds one data\.pkl, this archive 0/, zip([{ name: 'a', data: Buffer.alloc(1) }])],
  [
    'TorchScript',
    'ERR_FILE_FORMAT',
    /TorchScript/,
    zip([
      { name: 'm/data.pkl', data: program(pickle('}')) },
      { name: 'm/constants.pkl', data: Buffer.alloc(1) },
    ]),
  ],
  [
    'big-endian numbers',
    'ERR_FILE_FORMAT',
    /little-endian/,
    zip([
      { name: 'm/data.pkl', data: program(pickle('}')) },
      { name: 'm/byteorder', data: Buffer.from('big') },
    ]),
  ],
  [
    'the format before PyTorch 1.6',
    'ERR_FILE_FORMAT',
    /wrote before 1\.6/,
    pickle('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'),
  ],
  ['another file', 'ERR_FILE_FORMAT', /no file that torch\.save wrote/, Buffer.from('weights')],
];
test.each(refused)('refuses %s', async (_, code, message, bytes) => {
  await expect(load(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a file that is not there', async () => {
  await expect(readTorchCheckpoint('/no/such/weights.pt')).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
});
