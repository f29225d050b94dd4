import { createInterface } from 'node:readline/promises';

/** Asks on standard error and reads a line of standard input; only the word `yes` is a yes, the end of input is a no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([
      lines.question(`${question} Type "yes" to go on: `, { signal }),
      ended,
    ]);
    return answer.trim().toLowerCase() === 'yes';
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
