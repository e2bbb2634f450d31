// The floors of docs/architecture.md and the rules of the code, held by reading the sources.
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read, type SourceFile, sourceFiles } from './support/source-files.js';

const MAX_LINES = 400;

const lib = sourceFiles(['lib'], /\.ts$/);
const native = sourceFiles(['native'], /\.(cc|cu|h|inl)$/);

interface Import {
  readonly path: string;
  /** True where only types are imported: nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

/** Paths of the package's own files that a TypeScript file imports or re-exports. */
function imports({ path, text }: SourceFile): Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '(\.[^']+)'|import\('(\.[^']+)'\)/gm);
  return [...statements].map(([, type, fromPath, dynamicPath]) => ({
    path: posix.join(posix.dirname(path), fromPath ?? dynamicPath).replace(/\.js$/, '.ts'),
    typeOnly: type !== undefined,
  }));
}

/** Rows of the table of floors: the paths named in each, highest floor first. */
function floors(): string[][] {
  const rows = read('docs/architecture.md').matchAll(/^\| (`(?:lib|native)\/[^|]+)\|/gm);
  return [...rows].map(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

const table = floors();
const floorOf = (path: string): number =>
  table.findIndex((row) => row.some((name) => (name.endsWith('/') ? path.startsWith(name) : path === name)));

describe('floors', () => {
  test('every source file stands on one', () => {
    const homeless = [...lib, ...native]
      .map(({ path }) => path)
      .filter((path) => floorOf(path) < 0 && path !== 'lib/index.ts');
    expect(homeless).toEqual([]);
  });

  test('imports only go down', () => {
    const upward = lib
      .filter(({ path }) => path !== 'lib/index.ts')
      .flatMap((file) =>
        imports(file)
          .filter(({ path }) => floorOf(path) < floorOf(file.path))
          .map(({ path }) => `${file.path} imports ${path}`),
      );
    expect(upward).toEqual([]);
  });

  test('no file imports itself by a detour', () => {
    const edges = new Map(lib.map((file) => [file.path, imports(file).filter(({ typeOnly }) => !typeOnly)]));
    const finished = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) throw new Error(`cycle: ${[...trail, path].join(' -> ')}`);
      if (finished.has(path)) return;
      for (const next of edges.get(path) ?? []) visit(next.path, [...trail, path]);
      finished.add(path);
    };
    for (const path of edges.keys()) visit(path, []);
  });

  test('native core and the CUDA plugin know neither JavaScript nor ONNX Runtime, and native/ort no JavaScript', () => {
    const forbidden = [
      { folder: 'native/core/', include: /#include [<"](napi|node_api|addon\/|ort\/)/ },
      { folder: 'native/cuda/', include: /#include [<"](napi|node_api|addon\/|ort\/|core\/)/ },
      { folder: 'native/ort/', include: /#include [<"](napi|node_api|addon\/)/ },
    ];
    const offenders = forbidden.flatMap(({ folder, include }) =>
      native.filter(({ path, text }) => path.startsWith(folder) && include.test(text)).map(({ path }) => path),
    );
    expect(offenders).toEqual([]);
  });

  test('only lib/binding.ts loads the addon', () => {
    const loaders = lib.filter(({ text }) => /node-gyp-build'|process\.dlopen|\.node'/.test(text));
    expect(loaders.map(({ path }) => path)).toEqual(['lib/binding.ts']);
  });
});

describe('files', () => {
  const all = [...lib, ...native, ...sourceFiles(['test', 'bench', 'examples'], /\.(ts|mjs|cjs|cc|h)$/)];

  test(`none has more than ${MAX_LINES} lines`, () => {
    const long = all.filter(({ text }) => text.split('\n').length > MAX_LINES + 1);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('each source file opens with a sentence on what it holds', () => {
    const silent = [...lib, ...native].filter(({ text }) => !/^(#!.*\n)?(\/\/ |\/\*\*)/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test('no default exports', () => {
    expect(lib.filter(({ text }) => /^export default/m.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('index files only re-export', () => {
    const indexes = lib.filter(({ path }) => path.endsWith('/index.ts'));
    const isReexport = (line: string): boolean => /^(export (type )?[{*]|\}|\/\/|\s|$)/.test(line);
    const own = indexes.filter(({ text }) => !text.split('\n').every(isReexport));
    expect(own.map(({ path }) => path)).toEqual([]);
  });
});

test('everything the package exports says what it is', () => {
  const index = read('lib/index.ts');
  const undocumented = [...index.matchAll(/^export (?:type )?\{([^}]*)\} from '\.\/([^']+)\.js'/gm)].flatMap(
    ([, list, module]) => {
      const source = read(`lib/${module}.ts`);
      const names = list.split(',').map(
        (name) =>
          name
            .trim()
            .replace(/^type /, '')
            .split(' ')[0],
      );
      const documented = (name: string): boolean =>
        new RegExp(
          `\\*/\\nexport (declare )?(abstract )?(async )?(function\\*?|class|const|interface|type) ${name}\\b`,
        ).test(source);
      return names.filter((name) => name !== '' && !documented(name)).map((name) => `${module}: ${name}`);
    },
  );
  expect(undocumented).toEqual([]);
});
