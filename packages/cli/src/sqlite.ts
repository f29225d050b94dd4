/** Node's own. Releases of Node 22 call it experimental at each start, which says nothing to somebody who looks for pictures. */
export const { DatabaseSync } = withoutWarning(() => process.getBuiltinModule('node:sqlite'));
export type DatabaseSync = InstanceType<typeof DatabaseSync>;

function withoutWarning<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
