// A process, or a worker thread, that ends at a chosen stage of a session's life. Arguments: stage, path of a long model.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createSession } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';

const [stage, path] = isMainThread ? process.argv.slice(2) : workerData;
const model = readFileSync(path);

const creating = createSession(model, { threads: 2 });
if (stage === 'creating') process.exit(0);
const session = await creating;
if (stage === 'created') process.exit(0);
const zeros = (tensors) => Object.fromEntries(tensors.map(({ name, shape }) => [name, tensor('float32', shape)]));
const bound = session.bind(zeros(session.inputs), zeros(session.outputs));
if (stage === 'bound') process.exit(0);

const controller = new AbortController();
const run = bound.run({ signal: controller.signal }).catch((error) => error);
parentPort?.postMessage('running');
await delay(20);
if (stage === 'running') process.exit(0);
if (stage === 'closed while running') {
  session.close();
  globalThis.gc?.();
}
if (stage !== 'terminated from outside') controller.abort();
if (stage === 'aborting') process.exit(0);
const outcome = await run;
if (outcome?.name !== 'AbortError') throw new Error(`expected an AbortError, got ${outcome}`);
if (stage === 'aborted') process.exit(0);
session.close();
if (stage === 'closed') process.exit(0);
