// Items made ahead of their use: their order, how many wait, failures and the end.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Prefetch } from '#larmor/training/prefetch.js';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await nextTurn();
};

test('items come in order; beside the one in use, as many wait as were asked for', async () => {
  for (const ahead of [0, 1, 3]) {
    let made = 0;
    await using items = new Prefetch(async () => made++, ahead);
    for (let i = 0; i < 4; i++) {
      expect(await items.next()).toBe(i);
      await settle();
      expect(made).toBe(i + 1 + ahead);
    }
  }
});

test('never makes two at once', async () => {
  let [under, most] = [0, 0];
  await using items = new Prefetch(async () => {
    most = Math.max(most, ++under);
    await nextTurn();
    under -= 1;
  }, 4);
  for (let i = 0; i < 6; i++) await items.next();
  expect(most).toBe(1);
});

test('what cannot be made fails when its turn comes', async () => {
  let made = 0;
  const failure = new Error('gone');
  await using items = new Prefetch(async () => {
    made += 1;
    if (made === 3) throw failure;
    return made;
  }, 5);
  expect(await items.next()).toBe(1);
  await settle();
  expect(await items.next()).toBe(2);
  await expect(items.next()).rejects.toBe(failure);
});

test('ending it, or an abort, stops what is being made', async () => {
  const waiting = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  let ended: AbortSignal | undefined;
  {
    await using items = new Prefetch((signal) => {
      ended = signal;
      return waiting(signal);
    }, 1);
    void items.next().catch(() => undefined);
    await settle();
  }
  expect(ended?.aborted).toBe(true);
  const controller = new AbortController();
  await using items = new Prefetch(waiting, 1, controller.signal);
  const item = items.next();
  await settle();
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(item).rejects.toBe(reason);
});
