// Creates, runs and closes sessions over and over and prints the resident memory, in bytes, at both ends.
// Arguments: path of a model, repetitions. Needs --expose-gc.
import { readFileSync } from 'node:fs';
import { createSession } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';

const [path, repetitions] = process.argv.slice(2);
const model = readFileSync(path);

const zeros = (tensors) => Object.fromEntries(tensors.map(({ name, shape }) => [name, tensor('float32', shape)]));

async function live(times) {
  for (let i = 0; i < times; ++i) {
    const session = await createSession(model, { threads: 2 });
    const bound = session.bind(zeros(session.inputs), zeros(session.outputs));
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
