const elfMachines = { arm64: 183, x64: 62 };

export type Architecture = keyof typeof elfMachines;

/** What Amazon Linux 2023, which `nodejs24.x` runs on, has; and a compiler's symbols that it still understands. */
const newest: Record<string, readonly number[]> = { GLIBC: [2, 34], GLIBCXX: [3, 4, 29] };

/** Throws where a shared object is not for `architecture`, or needs a newer C or C++ library than Lambda has. */
export function checkLambdaBinary(path: string, contents: Uint8Array, architecture: Architecture): void {
  const file = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  if (file.length < 20 || file.readUInt32BE(0) !== 0x7f454c46) throw new Error(`${path} is no ELF file`);
  const machine = file.readUInt16LE(18);
  if (machine !== elfMachines[architecture]) {
    throw new Error(
      `${path} is for ELF machine ${machine}, not ${elfMachines[architecture]} (${architecture})`,
    );
  }
  const text = file.toString('latin1');
  for (const [, library = '', version = ''] of text.matchAll(/\b(GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)\b/g)) {
    const most = newest[library] ?? [];
    if (compare(version.split('.').map(Number), most) > 0) {
      throw new Error(`${path} needs ${library}_${version}; Lambda has ${library}_${most.join('.')}`);
    }
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
