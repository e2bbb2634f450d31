// Runs that take long: aborted, or closed meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { createSession, type Session } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';
import { longModel } from '../support/onnx.js';

const expectError = (code: string, message?: RegExp) =>
  expect.objectContaining({ name: 'LarmorError', code, ...(message && { message: expect.stringMatching(message) }) });

let session: Session;
const inputs = { x: tensor('float32', [512, 512]), w: tensor('float32', [512, 512]) };
const outputs = { y: tensor('float32', [512, 512]) };
beforeAll(async () => {
  session = await createSession(longModel(1500), { threads: 1 });
});

test('stops when aborted, keeps the event loop free, and can start anew', async () => {
  const binding = session.bind(inputs, outputs);
  for (let round = 0; round < 2; ++round) {
    const controller = new AbortController();
    let ticks = 0;
    const timer = setInterval(() => ++ticks, 5);
    const run = binding.run({ signal: controller.signal });
    await delay(100);
    clearInterval(timer);
    controller.abort(new Error(`stop ${round}`));
    await expect(run).rejects.toThrow(`stop ${round}`);
    expect(ticks).toBeGreaterThan(2);
  }
});

test('ends by itself when its session closes meanwhile; later ones are refused', async () => {
  const controller = new AbortController();
  const binding = session.bind(inputs, outputs);
  const run = binding.run({ signal: controller.signal });
  session.close();
  session.close();
  await delay(20);
  controller.abort('enough');
  await expect(run).rejects.toBe('enough');
  await expect(binding.run()).rejects.toEqual(expectError('ERR_CLOSED'));
  expect(() => session.bind(inputs, outputs)).toThrow(expectError('ERR_CLOSED'));
});
