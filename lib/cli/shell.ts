// Runs commands: one place for output, progress, Ctrl-C, errors and exit status.
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { type Command, CommanderError } from 'commander';
import { toLarmorError } from '../errors.js';
import { EXIT, exitStatus, nextStep } from './failures.js';
import { Progress } from './progress.js';

/** What a command works with while it runs. */
export interface Session {
  /** Aborts on Ctrl-C and SIGTERM: pass it on, and undo half-done work when it fires. */
  readonly signal: AbortSignal;
  /** Shows progress on stderr: fraction done from 0 to 1, and a short word on where it stands. */
  readonly onProgress: (fraction: number, detail?: string) => void;
  /** Writes one message line to stderr. */
  readonly note: (message: string) => void;
}

/** What a command found out. */
export interface Outcome {
  /** The one document that `--json` prints. */
  readonly json: object;
  /** The same for people; empty prints nothing. */
  readonly text: string;
  /** Default 0. */
  readonly exitCode?: number;
}

/** What a file of a command exports: adds the command to the program. */
export type Register = (program: Command, shell: Shell) => void;

export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable & { isTTY?: boolean };
}

const INTERRUPTIONS = ['SIGINT', 'SIGTERM'] as const;
type Interruption = (typeof INTERRUPTIONS)[number];

export class Shell {
  readonly #streams: Streams;
  readonly #json: boolean;
  #exitCode: number = EXIT.done;
  #interruption: Interruption = 'SIGINT';

  /** @param json Print one JSON document on stdout and nothing else there, also for failures. */
  constructor(streams: Streams, json: boolean) {
    this.#streams = streams;
    this.#json = json;
    // A reader that closes early (`larmor ... | head`) is no failure of ours.
    for (const stream of [streams.stdout, streams.stderr])
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
      });
  }

  /** Status to exit with after what has run so far. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** Runs a command's action and prints its outcome. Rejects as the action does; `fail` then tells the user. */
  async run(action: (session: Session) => Promise<Outcome>): Promise<void> {
    const interrupt = new AbortController();
    const progress = new Progress(this.#streams.stderr);
    const stop = (signal: Interruption): void => {
      progress.note('stopping (Ctrl-C again to quit at once)');
      this.#interruption = signal;
      interrupt.abort();
    };
    // Once: the second signal meets Node's default handler, which ends the process.
    for (const signal of INTERRUPTIONS) process.once(signal, stop);
    try {
      const outcome = await action({ signal: interrupt.signal, onProgress: progress.update, note: progress.note });
      progress.stop();
      this.#print(outcome);
    } finally {
      progress.stop();
      for (const signal of INTERRUPTIONS) process.off(signal, stop);
    }
  }

  /** Tells the user why a command failed and sets the exit status. */
  fail(error: unknown): void {
    if (error instanceof CommanderError) {
      // Commander itself has printed help, version or the usage error for people.
      this.#exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
      if (error.exitCode !== 0 && this.#json) this.#printJson(failure('ERR_ARGUMENT', usageMessage(error)));
      return;
    }
    if (error instanceof Error && error.name === 'AbortError') {
      this.#exitCode = interruptedStatus(this.#interruption);
      if (this.#json) this.#printJson(failure('ABORT_ERR', 'stopped by the user'));
      return;
    }
    const { code, message, stack } = toLarmorError(error);
    this.#exitCode = exitStatus(code);
    if (this.#json) this.#printJson(failure(code, message));
    const lines = [`error ${code}: ${message}`];
    const next = nextStep(code);
    if (next) lines.push(next);
    if (process.env.LARMOR_DEBUG === '1') lines.push((error as Error | undefined)?.stack ?? stack ?? '');
    this.#streams.stderr.write(`${lines.join('\n')}\n`);
  }

  #print({ json, text, exitCode = EXIT.done }: Outcome): void {
    this.#exitCode = exitCode;
    if (this.#json) this.#printJson(json);
    else if (text !== '') this.#streams.stdout.write(`${text}\n`);
  }

  #printJson(document: object): void {
    this.#streams.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
}

/** 130 for Ctrl-C, as shells report a process that a signal has ended. */
function interruptedStatus(signal: Interruption): number {
  return 128 + constants.signals[signal];
}

function failure(code: string, message: string): object {
  return { error: { code, message } };
}

function usageMessage(error: CommanderError): string {
  return error.code === 'commander.help' ? 'no command given' : error.message.replace(/^error: /, '');
}
