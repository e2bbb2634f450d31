// Small HDF5 files for tests, made without this package's own writer.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as h5wasm from 'h5wasm/node';
import { afterAll } from 'vitest';

/** A folder for the files of one test file, removed at its end. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'larmor-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

export interface TestDataset {
  readonly shape: readonly number[];
  /** Complex: interleaved re, im. */
  readonly data: Float32Array | Float64Array | Uint8Array | Int32Array | string;
  readonly complex?: boolean;
}

/** Writes root datasets and attributes in one go; complex datasets as h5py stores complex64. */
export async function writeHdf5(
  path: string,
  datasets: Readonly<Record<string, TestDataset>>,
  attributes: Readonly<Record<string, string | number>> = {},
): Promise<string> {
  await h5wasm.ready;
  const file = new h5wasm.File(path, 'w');
  for (const [name, { shape, data, complex }] of Object.entries(datasets)) {
    const elements = complex ? complexColumns(data as Float32Array) : data;
    file.create_dataset({ name, data: elements, shape: [...shape] });
  }
  for (const [name, value] of Object.entries(attributes)) file.create_attribute(name, value);
  file.close();
  return path;
}

function complexColumns(data: Float32Array): Map<string, Float32Array> {
  const part = (offset: number): Float32Array => data.filter((_, i) => i % 2 === offset);
  return new Map([
    ['r', part(0)],
    ['i', part(1)],
  ]);
}

/** K-space of ones, or of `value(i)` for the i-th float. */
export function kspaceDataset(shape: readonly number[], value: (i: number) => number = () => 1): TestDataset {
  const floats = 2 * shape.reduce((product, n) => product * n, 1);
  return { shape, complex: true, data: Float32Array.from({ length: floats }, (_, i) => value(i)) };
}

/**
 * A file written by h5py 3.7:
 *
 *     n = np.arange(144).reshape(2, 3, 4, 6); k = n + 1j * (n + 0.5); k[..., [0, 3]] = 0
 *     f.create_dataset('kspace', data=k.astype('>c16'), chunks=(1, 1, 4, 6), compression='gzip')
 *     f['mask'] = np.array([0, 1, 1, 0, 1, 1], bool)
 *     f['reconstruction_esc'] = np.arange(16, dtype='>f8').reshape(2, 2, 4)
 *     f['reconstruction_rss'] = np.zeros((2, 2, 4), 'f4')
 *     f['ismrmrd_header'] = '...'  # encoded matrix 4 x 6 x 1, recon 2 x 4 x 1, encoding limits maximum 4, center 2
 *     f.attrs: acquisition 'CORPD_FBK', acceleration 4, flag True, half float16(1.5), list [1.0, 2.0]
 */
export function writeH5pyFile(path: string): string {
  writeFileSync(path, gunzipSync(Buffer.from(H5PY_FILE, 'base64')));
  return path;
}

const H5PY_FILE =
  'H4sIAAFPA2sC/+1af0wTVxx/11JXqh1F0SKweSBi3ZCDCcS4ehQF7BAGFI26qaVrj3KxV7CtUHFGVDCazUEQxUlcNkHm5lTMTNBsLv4WN41Ok0' +
  'WdMy7+yExQ0JChIGP34x20JwXnsmiy+/zzff2+9/1+3/f77r30Pu826FPSlIoQBWAglwM/oAKe6IXoifb+zffnQYlAuR7KXRJe/wrbFwz1Kuif' +
  'epP7XQUN5xhSU5nRvQLwcQr8OBkLRPwfoU9NzmbkfMHz1iLxHrfEWWQyE/TzZXIuYX47CHOh3elyLDO7yEK7kXCauXECvcPp5PSkk3JQDouxgD' +
  'BZCAcTR8bGmorwcfWc9OMUfHgplPAxBcOgHKpfCspY/2MkgN0ZjmesR2B4EpCzLR2IHw7ie+kAJOyTP4etjNYw85BIudIOByjbQPryZvoRYCHy' +
  'bSYX0ZeHnB7H5iGRNcn6lwaBqQ4DXFog992sFKaWemiXGTL4HPkcUOng4/jTat6Ywcfx5w+lHnwcf770BL+c+4A5JxG6rMJzsuAf+nk0ipMLBX' +
  'pkCLu8IE5aBXrJEHbfQzvTM8bhMX70wHZD2ZdDO4dg/FDzvD164Lx87V+VeDSLECFChAgRIkSIECHiJYd78aKW/Yq1OlVqzvAkdH2DIjl8g2r8' +
  'Qc3+s90HeiyzZ39U0txy7c7Zuq+72ppvmk4aE2bp1bamk7s33l1X0trUHDe9fQMWZssoDHuwdtNGMia/7vKZtxt3br334+LD5q4x3/52ua7Tv+' +
  'mbwDw6zpmjyrLYETN/3ivbcSxbs2T5gY/XlW+XPq5VN+/pOV5t2Ht9d7Hy/fQrh78rVq5I92/Tpk81zL96YZb/RKrl907ktQkLJ0VTf9SX1yXe' +
  '6ugu/2TkZ0FbEnHj5KoQK+s7cG3siJSc9KWTVpT7xd5Hd+6qqdlh0EyY0toZ3lX75YLJP616T3rJ3lr3YU3HNoX0UmX19dVkyZ+L8PRpjceOdN' +
  'Q3TImlrG0Pcy4mUJonj3Iubnb/ehTfVlmddkM9qu30uNxVr1NMmOTAIygdpgElEoIU8xpQ2SR9crq1+vwXj2trrzR0ZFUW3ThBnJqzd2zF8XHh' +
  'mzee3tOa0B1o2H6w6GacubRCOjFmSmPxOU3YX/KvKK3d2nalsqrrREVo5WPk7h10MxtACcK5AJbo6Eh9ssJQtaYm8+p5Uze279PGfxGgOCF8Lh' +
  '3gXA6zCKk5kSjir3ePzAZ7pJEZkpFRiP+mMr9IdLXlcPfl++cX/BK1vRG/N+N4+aFpjfWHPr/wQWxD/Y3QkN7E02Z91LUL7Zb6rC0PTq0JCF35' +
  'MP9aLXbwVJ7eHtx52x9L7Lolu/nDk5P7uqRWc0QAT5uBPvqI41MQyCcNe4oG03A0sYQzUcl5UzlIS87ITWWpj7mp/Lt8H10lkSDcKM6/FLGqvT' +
  '33PfAvdr/ReTO5C6sylZNSbzJRIiAbfOmldNaID0KPge8qrYT0VplgmgUvpDhJ7QDOHkrI/ukgu6KD5JEOzloXBiUKZQSUkVBGQamB8g0o4SWG' +
  'Loav/3+0Hug4qEOBWg7Uq8BQ66EM8a7Ai12P537In6qn3It84+szlt4JKkie8bvcuz5AUJ9FoQPTbVtf6nqspLOgQkFfDWbNzMpAPNJAPMYx0M' +
  'LbBz17+YC6KZvdOT2iwOUqmoZhJSUlMWx/TKHDir2Tm2nINKRE4FrCbi60kHYrbBGWXOYGBNdSJpeDdOeSpXTbjcdrMTeuXY4narHluLYUj9Ni' +
  'pbgW8xyEeduzNyQD+noL+oofxJenNT/DDJIiXU5cy93RGHm10ekiioxxdBTSTlLLKDyW9gWbdGQ324hn/HNNrZmwuwgHMw3Y0mK+XGLC2Fh/uT' +
  'CvauMe+9kfyplZhuwUY9qM2YJ11b0q/oEUIUKECBEiRIgQIUKECBG+EQhf/IUfyY7gPyqkW0FADkzmpctIJ8l8mcjqffEliMf7Ks8zSFh/kMcC' +
  'SrrN+DMTNsJh4h0y7CrPF3r64Xms/vnIQBQ9Mt9mYr/3elZ2VviRVv98ZGx+BSZbPlsPNAC+c6uAQgYUAQI7gPP22R72wcBGOl2c/cC8J88yC3' +
  'k6Du1J/Gv832yvtIf9LAAA';
