// Sessions by size: opened once, the longest unused closed first.
import { expect, test } from 'vitest';
import type { TrainingSession } from '#larmor/training/session.js';
import { SessionPool } from '#larmor/training/session-pool.js';
import type { SliceShape } from '#larmor/training/sources.js';

test('opens each size once and closes the longest unused', async () => {
  const events: string[] = [];
  const open = async (shape: SliceShape): Promise<TrainingSession> => {
    events.push(`open ${shape[0]}`);
    const close = async (): Promise<void> => {
      events.push(`close ${shape[0]}`);
    };
    return { close } as TrainingSession;
  };
  {
    await using pool = new SessionPool(open, 2);
    const one = await pool.get([1, 8, 8]);
    await pool.get([2, 8, 8]);
    expect(await pool.get([1, 8, 8])).toBe(one);
    await pool.get([3, 8, 8]);
    await pool.get([1, 8, 8]);
  }
  expect(events).toEqual(['open 1', 'open 2', 'close 2', 'open 3', 'close 3', 'close 1']);
});
