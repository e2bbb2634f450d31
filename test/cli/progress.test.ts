import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from '#larmor/cli/progress.js';
import { formatSeconds, table } from '#larmor/cli/text.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function recorder(isTTY: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), written: () => chunks.join('') };
}

test('off a terminal: one line at most every five seconds, with the time left', () => {
  const { stream, written } = recorder(false);
  const progress = new Progress(stream);
  for (let second = 1; second <= 12; second++) {
    vi.advanceTimersByTime(1000);
    progress.update(second / 100, `slice ${second}`);
  }
  progress.stop();
  expect(written()).toBe('5 %, 1 min 35 s left, slice 5\n10 %, 1 min 30 s left, slice 10\n');
});

test('on a terminal: a bar that keeps messages and is gone at the end', () => {
  const { stream, written } = recorder(true);
  const progress = new Progress(stream);
  vi.advanceTimersByTime(1000);
  progress.update(0.25, 'slice 1');
  progress.note('calibrated');
  vi.advanceTimersByTime(200);
  expect(written()).toContain('25% | 3.0 s left | slice 1');
  progress.stop();
  expect(written()).toContain('calibrated\n');
  const length = written().length;
  vi.advanceTimersByTime(1000);
  expect(written()).toHaveLength(length);
});

test.each([
  [0.4249, '0.42 s'],
  [9.96, '10 s'],
  [185, '3 min 05 s'],
  [7800, '2 h 10 min'],
])('%d seconds read %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test('tables align their columns', () => {
  expect(
    table([
      ['a', 'bb', 'c'],
      ['aaa', 'b', ''],
    ]),
  ).toBe('a    bb  c\naaa  b');
});
