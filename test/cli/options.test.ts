import { describe, expect, test } from 'vitest';
import { integer, interpolation, kernelSize, number, sliceRange, window } from '#larmor/cli/options.js';

test.each([
  ['4', 4],
  ['0.08', 0.08],
  ['-1e3', -1000],
])('number reads %s', (text, value) => expect(number()(text)).toBe(value));

test.each(['', ' ', 'four', '4x', 'NaN', 'Infinity'])('number refuses %j', (text) =>
  expect(() => number()(text)).toThrow('It must be a number.'),
);

test('a range is closed and named', () => {
  const parse = integer({ min: 1, max: 8 });
  expect([parse('1'), parse('8')]).toEqual([1, 8]);
  for (const text of ['0', '9', '2.5', '1e1']) expect(() => parse(text)).toThrow('a whole number from 1 to 8');
  expect(() => number({ min: 0 })('-1')).toThrow('a number of at least 0');
  expect(() => number({ max: 1 })('2')).toThrow('a number of at most 1');
});

describe('kernelSize', () => {
  test.each([
    ['5', 5],
    ['4x5', [4, 5]],
  ])('reads %s', (text, size) => expect(kernelSize(text)).toEqual(size));

  test.each(['', '0', '17', '5x', 'x5', '5x5x5', '4.5', '-3'])('refuses %j', (text) => {
    expect(() => kernelSize(text)).toThrow('an integer from 1 to 16, or two for ky and kx');
  });
});

describe('window', () => {
  test.each([
    ['hann', { type: 'hann' }],
    ['gaussian:0.5', { type: 'gaussian', width: 0.5 }],
    ['tukey:0.9:0.3', { type: 'tukey', width: 0.9, taper: 0.3 }],
  ])('reads %s', (text, value) => expect(window(text)).toEqual(value));

  test.each(['', 'box', 'hann:', 'hann:-1', 'tukey:1:0.5:2'])('refuses %j', (text) => {
    expect(() => window(text)).toThrow(/It must be/);
  });
});

test('interpolation reads a factor or a size', () => {
  expect([interpolation('1.5'), interpolation('512x400')]).toEqual([1.5, [512, 400]]);
  for (const text of ['0.5', '', '512x', '0x4']) expect(() => interpolation(text)).toThrow(/It must be/);
});

describe('sliceRange', () => {
  test.each([
    ['3', { first: 3, end: 4 }],
    ['2:5', { first: 2, end: 5 }],
    [':5', { end: 5 }],
    ['2:', { first: 2 }],
    [':', {}],
  ])('reads %s', (text, range) => expect(sliceRange(text)).toEqual(range));

  test.each(['', '5:5', '5:2', '-1', 'a:b', '1:2:3'])('refuses %j', (text) =>
    expect(() => sliceRange(text)).toThrow('A:B'),
  );
});
