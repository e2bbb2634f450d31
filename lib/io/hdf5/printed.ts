// The WebAssembly build of HDF5 with what it prints kept: its own account of a failure.
import * as h5wasm from 'h5wasm/node';

const CHARACTER_DEVICE = 0o020000;

/** Loads the library and catches what it prints, its own account of a failure, instead of passing it to the terminal. */
export async function loadLibrary(): Promise<{
  library: typeof h5wasm.Module;
  messages(): string;
  takeMessages(): string;
}> {
  const library = await h5wasm.ready;
  let printed = '';
  const { streams } = library.FS as unknown as { streams: { node: unknown; stream_ops: unknown }[] };
  const stderr = streams[2];
  stderr.node = { mode: CHARACTER_DEVICE };
  stderr.stream_ops = {
    write(_: unknown, buffer: Uint8Array, offset: number, length: number): number {
      printed += Buffer.from(buffer.buffer, buffer.byteOffset + offset, length).toString('latin1');
      return length;
    },
  };
  return {
    library,
    messages: () => printed,
    takeMessages() {
      const taken = printed;
      printed = '';
      return taken;
    },
  };
}

/** The innermost reason of a printed HDF5 error stack, which lists the outermost call first. */
export function innermostReason(printed: string): string {
  const reasons = [...printed.matchAll(/^\s+#\d+: .*?: (.*)$/gm)];
  return reasons.at(-1)?.[1] ?? 'the HDF5 library gave no reason';
}
