import { type CodeCandidate, CodeScanner, type CodeSections } from './code-scan.ts';
import { codeOf, codeStride, maxUncoded } from './codes.ts';
import type { Metric } from './engine.ts';

/** A power of two; a chunk of 128 dimensions takes half a megabyte. */
export const chunkRows = 4096;

interface Chunk {
  scanner: CodeScanner;
  sections: Required<CodeSections>;
}

/** int8 codes (see codes.ts) of rows that are only ever appended, in chunks of `chunkRows`. */
export class TailCodes {
  readonly #metric: Metric;
  readonly #dimension: number;
  readonly #chunks: Chunk[] = [];
  #count = 0;
  #uncoded = 0;

  constructor(metric: Metric, dimension: number) {
    this.#metric = metric;
    this.#dimension = dimension;
  }

  /** Rows that are coded. */
  get count(): number {
    return this.#count;
  }

  /** False where too many vectors cannot be coded. */
  append(vector: Float32Array): boolean {
    const row = this.#count % chunkRows;
    const { scanner, sections } = this.#chunks[Math.floor(this.#count / chunkRows)] ?? this.#grow();
    const code = new Int8Array(
      scanner.buffer,
      sections.codes + row * codeStride(this.#dimension),
      this.#dimension,
    );
    const { scale, error, norm } = codeOf(this.#metric, vector, code);
    if (error === Number.POSITIVE_INFINITY && ++this.#uncoded > maxUncoded) return false;
    const numbers = new Float32Array(scanner.buffer);
    numbers[sections.scales / 4 + row] = scale;
    numbers[sections.errors / 4 + row] = error;
    numbers[sections.norms / 4 + row] = norm;
    this.#count++;
    return true;
  }

  #grow(): Chunk {
    const codeBytes = chunkRows * codeStride(this.#dimension);
    const scanner = new CodeScanner('int8', chunkRows, this.#dimension, codeBytes + chunkRows * 12);
    const scales = scanner.dataAt + codeBytes;
    const sections = {
      codes: scanner.dataAt,
      scales,
      errors: scales + chunkRows * 4,
      norms: scales + chunkRows * 8,
    };
    const chunk = { scanner, sections };
    this.#chunks.push(chunk);
    return chunk;
  }

  /** See `CodeScanner.search`, of one chunk; rows of `mask` and of the answer count from its first. */
  search(
    chunk: number,
    vector: Float32Array,
    mask: Uint8Array,
    limit: number,
    minScore: number,
  ): CodeCandidate[] {
    const { scanner, sections } = this.#chunks[chunk] as Chunk;
    const count = Math.min(chunkRows, this.#count - chunk * chunkRows);
    return scanner.search(sections, count, this.#metric, vector, mask, limit, minScore);
  }
}
