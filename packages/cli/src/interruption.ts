/** Thrown where Ctrl-C (or SIGTERM) ended the work. */
export class Interrupted extends Error {
  /** What a shell reports of a process that a signal ended. */
  readonly exitStatus: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super('stopped');
    this.name = 'Interrupted';
    this.exitStatus = signal === 'SIGINT' ? 130 : 143;
  }
}

/**
 * Runs `work` with a signal that the first Ctrl-C or SIGTERM aborts, so that it can put things in order; the second one
 * ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    const reason = new Interrupted(name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
    if (abort.signal.aborted) process.exit(reason.exitStatus);
    abort.abort(reason);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(abort.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
