// The pickle machine: plain data come through, and nothing else does.
import { expect, test } from 'vitest';
import { unpickle } from '#larmor/io/pickle/unpickle.js';
import { PickleGlobal, PickleInstance, PickleTuple } from '#larmor/io/pickle/values.js';
import { call, dict, int, named, type Piece, PROTO2, pickle, text, tuple } from '../support/pickles.js';

const rules = {
  constructors: {
    'builtins.sum': ([items]: readonly unknown[]) => ((items as PickleTuple).items as number[]).reduce((a, b) => a + b),
  },
  persistent: (id: unknown) => ['persistent', id],
};
const load = (...pieces: readonly Piece[]): Promise<unknown> => unpickle(pickle(PROTO2, ...pieces, '.'), rules, 'file');

// pickle.dumps(v, protocol) of CPython 3.11.7 for v = [None, True, False, 3, 300, -70000, 1.5, 'é', {'a': [1, 2]}, (1, 'b'), 2**40, b'xy'].
const PLAIN = [
  ...[null, true, false, 3, 300, -70000, 1.5, 'é', new Map([['a', [1, 2]]])],
  ...[new PickleTuple([1, 'b']), 2 ** 40, Uint8Array.from([0x78, 0x79])],
];
const PYTHON = {
  3:
    '80035d7100284e88894b034d2c014a90eefeff473ff80000000000005802000000c3a971017d710258010000006171035d7104284b014b02' +
    '65734b0158010000006271058671068a06000000000001430278797107652e',
  5:
    '80059544000000000000005d94284e88894b034d2c014a90eefeff473ff80000000000008c02c3a9947d948c0161945d94284b014b026573' +
    '4b018c01629486948a060000000000014302787994652e',
};
test.each(Object.entries(PYTHON))('what Python writes with protocol %s', async (_, hex) => {
  expect(await unpickle(Buffer.from(hex, 'hex'), rules, 'file')).toEqual(PLAIN);
});

test.each<[string, readonly Piece[], unknown]>([
  ['a tuple of three', ['K\x01K\x02K\x03\x87'], new PickleTuple([1, 2, 3])],
  ['a long beyond 2^53', ['\x8a\x08', Buffer.from('ffffffffffffff7f', 'hex')], 2n ** 63n - 1n],
  ['a negative long', ['\x8a\x01\xff'], -1],
  ['an empty long', ['\x8a\x00'], 0],
  ['bytes', ['C\x02\x01\xff'], new Uint8Array([1, 255])],
  ['a set', ['\x8f(K\x01K\x02\x90'], new Set([1, 2])],
  ['one dict twice, through the memo', [']', '}q\x05a', 'h\x05a'], [new Map(), new Map()]],
  ['a persistent object', [text('x'), 'Q'], ['persistent', 'x']],
  ['a call that is allowed', [call('builtins', 'sum', tuple(int(1), int(2)))], 3],
  ['a class that is named only', [named('os', 'system')], new PickleGlobal('os.system')],
  ['STACK_GLOBAL', [text('os'), text('system'), '\x93'], new PickleGlobal('os.system')],
])('%s', async (_, pieces, want) => {
  expect(await load(...pieces)).toEqual(want);
});

test('an instance of an unknown class is its name and its state', async () => {
  const value = (await load(named('argparse', 'Namespace'), ')\x81', dict({ lr: 'K\x03' }), 'b')) as PickleInstance;
  expect(value).toBeInstanceOf(PickleInstance);
  expect(value.className).toBe('argparse.Namespace');
  expect(value.state).toEqual(new Map([['lr', 3]]));
});

const hostile: [string, RegExp, readonly Piece[]][] = [
  ['os.system', /wants to call os\.system/, [call('os', 'system', text('true'))]],
  [
    'posix.system through STACK_GLOBAL',
    /wants to call posix\.system/,
    [text('posix'), text('system'), '\x93', tuple(text('true')), 'R'],
  ],
  ['builtins.eval', /wants to call builtins\.eval/, [call('builtins', 'eval', text('1'))]],
  [
    'a call deep inside',
    /wants to call subprocess\.Popen/,
    [dict({ a: pickle(']', call('subprocess', 'Popen', text('true')), 'a') })],
  ],
  [
    'a chain of getattr',
    /wants to call builtins\.getattr/,
    [call('builtins', 'getattr', named('os', ''), text('system')), tuple(text('true')), 'R'],
  ],
  [
    'a name built from others',
    /wants to call os\.path\.os\.system/,
    [text('os'), text('path.os.system'), '\x93', tuple(text('true')), 'R'],
  ],
  ['a call of what a call gave', /a number is called/, [call('builtins', 'sum', tuple(int(1))), ')R']],
  ['a prototype name', /wants to call toString\./, [call('toString', '')]],
  ['a name of every object', /wants to call __proto__\.constructor/, [call('__proto__', 'constructor')]],
  ['INST', /INST would call/, ['(ios\nsystem\n']],
  ['OBJ', /OBJ would call/, ['(', named('os', 'system'), 'o']],
  ['EXT1', /EXT1/, ['\x82\x01']],
  ['EXT2', /EXT2/, ['\x83\x01\x00']],
  ['EXT4', /EXT4/, ['\x84\x01\x00\x00\x00']],
  ['out-of-band buffers', /NEXT_BUFFER/, ['\x97']],
  ['protocol 0', /opcode 0x49/, ['I1\n']],
  ['protocol 6', /protocol 6/, ['\x80\x06']],
  ['a long of 2 GiB', /integer of 2147483647 bytes/, ['\x8b\xff\xff\xff\x7f']],
  ['a text longer than the file', /4294967295 bytes are announced/, ['X\xff\xff\xff\xff']],
  ['bytes of 2^63', /are announced/, ['\x8e\xff\xff\xff\xff\xff\xff\xff\x7f']],
  ['a name without an end', /a name without an end/, [`c${'a'.repeat(600)}`]],
  ['text that is not UTF-8', /not UTF-8/, ['X\x01\x00\x00\x00\xff']],
  ['an empty stack', /the stack is empty/, ['0']],
  ['a stack emptied through a mark', /the stack is empty/, ['N(0']],
  ['a missing mark', /a mark is missing/, ['t']],
  ['an unknown memo', /nothing is remembered as 7/, ['h\x07']],
  ['an odd number of items', /a key has no value/, ['}(', text('a'), 'u']],
  ['items for a number', /a number is given items/, ['K\x01', text('a'), text('b'), 's']],
  ['appending to a tuple', /a tuple is appended to/, [')', 'Na']],
  ['arguments that are no tuple', /arguments that are a list/, [named('os', 'system'), ']R']],
  ['no end', /1 bytes are announced, 0 are left/, ['N']],
];
test.each(hostile)('refuses %s', async (what, message, pieces) => {
  const bytes = what === 'no end' ? pickle(PROTO2, ...pieces) : pickle(PROTO2, ...pieces, '.');
  await expect(unpickle(bytes, rules, 'file')).rejects.toMatchObject({
    code: 'ERR_FILE_FORMAT',
    message: expect.stringMatching(message),
  });
});

test('every truncation is an error', async () => {
  const whole = Buffer.from(PYTHON[5], 'hex');
  for (let length = 0; length < whole.length; length++)
    await expect(unpickle(whole.subarray(0, length), rules, 'file')).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
});

test('a billion laughs stay small: references, not copies', async () => {
  const level = (n: number): Piece => pickle(']q', n + 1, '(', Buffer.alloc(20, pickle('h', n)), 'e');
  const value = await load(']q\x00', ...Array.from({ length: 60 }, (_, n) => level(n)));
  expect((value as unknown[]).length).toBe(10);
});

test('millions of operations are refused', async () => {
  await expect(load(Buffer.alloc(3_000_000, '}'))).rejects.toMatchObject({
    message: expect.stringMatching(/more than 2000000/),
  });
});
