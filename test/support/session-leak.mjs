// Creates, runs and closes sessions over and over and prints the resident memory, in bytes, at both ends.
// Arguments: path of a model, repetitions. Needs --expose-gc.
import { readFileSync } from 'node:fs';
import { createSession } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';

const [path, repetitions] = process.argv.slice(2);
const model = readFileSync(path);

async function live(times) {
  for (let i = 0; i < times; ++i) {
    const session = await createSession(model, { threads: 2 });
    const input = session.inputs[0];
    const bound = session.bind(
      { [input.name]: tensor('float32', input.shape) },
      Object.fromEntries(session.outputs.map(({ name, shape }) => [name, tensor('float32', shape)])),
    );
    await bound.run();
    await bound.run();
    session.close();
    if (i % 10 === 9) globalThis.gc();
  }
  globalThis.gc();
  return process.memoryUsage.rss();
}

// The allocator's per-thread pools and the heap of JavaScript settle first.
const start = await live(250);
const end = await live(Number(repetitions));
process.stdout.write(JSON.stringify({ start, end }));
