import { LookalikeError } from '@lookalike/store';
import { type CodeCandidate, type CodeKind, CodeScanner, type CodeSections } from './code-scan.ts';
import type { Metric } from './engine.ts';

/** The `codes` or `coarse` file of a segment (see codes.ts, coarse-codes.ts), as it is stored, where the kernel can scan it. */
export class CodeFile {
  readonly #kind: CodeKind;
  readonly #scanner: CodeScanner;
  readonly #length: number;
  readonly #count: number;
  #sections: (CodeSections & { checks: number }) | undefined;

  /** `length`: of the file, to be read into `bytes`, then `open`ed. */
  constructor(kind: CodeKind, count: number, dimension: number, length: number) {
    this.#kind = kind;
    this.#count = count;
    this.#length = length;
    this.#scanner = new CodeScanner(kind, count, dimension, length);
  }

  /** Whether its estimates have a proven bound. */
  get bounded(): boolean {
    return this.#kind === 'int8';
  }

  /** In memory. */
  get size(): number {
    return this.#scanner.buffer.byteLength;
  }

  /** Where the file goes. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#scanner.buffer, this.#scanner.dataAt, this.#length);
  }

  /** After `bytes` was filled and its SHA-256 found right. False where the codes cannot be used. */
  open(key: string): boolean {
    const { buffer, dataAt } = this.#scanner;
    const headerLength = new DataView(buffer, dataAt).getUint32(4, true);
    const header = JSON.parse(Buffer.from(buffer, dataAt + 16, headerLength).toString()) as {
      format: number;
      kind: string;
      count: number;
      stride: number;
      usable?: boolean;
    };
    const fine = this.#kind === 'int8';
    const kind = fine ? 'codes' : 'coarse';
    if (header.format !== 1 || header.kind !== kind || header.count !== this.#count)
      throw new LookalikeError('unknown-format', `${key}: format ${header.format}, ${header.count} rows`, {
        details: { key },
      });
    let at = dataAt + 16 + headerLength;
    const section = (rowBytes: number) => {
      const start = at;
      at += header.count * rowBytes;
      return start;
    };
    this.#sections = {
      codes: section(header.stride),
      scales: section(4),
      ...(fine && { errors: section(4) }),
      norms: section(4),
      checks: section(4),
    };
    return header.usable ?? true;
  }

  /** CRC-32 of the bytes of a row's vector. */
  check(row: number): number {
    return new DataView(this.#scanner.buffer).getUint32(this.#opened().checks + row * 4, true);
  }

  /** See `CodeScanner.search`. */
  search(
    metric: Metric,
    vector: Float32Array,
    mask: Uint8Array,
    limit: number,
    minScore: number,
  ): CodeCandidate[] {
    return this.#scanner.search(this.#opened(), this.#count, metric, vector, mask, limit, minScore);
  }

  #opened() {
    if (this.#sections === undefined) throw new Error('codes used before they were opened');
    return this.#sections;
  }
}
