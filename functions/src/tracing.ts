import { Tracer } from '@aws-lambda-powertools/tracer';
import { clients } from './services.ts';

/** Off outside of Lambda. */
const tracer = new Tracer({ captureHTTPsRequests: false });
// What runs between two requests, such as a list that was begun early, belongs to no trace.
tracer.provider.setContextMissingStrategy('IGNORE_ERROR');
for (const client of clients) tracer.captureAWSv3Client(client);

/** `work` as a part of its own in the trace that Lambda began, with its calls of S3, whether the environment was new, and its error if any. */
export async function traced<T>(
  name: string,
  annotations: Record<string, string | number>,
  work: () => Promise<T>,
): Promise<T> {
  if (!tracer.isTracingEnabled()) return work();
  return tracer.provider.captureAsyncFunc(name, async (subsegment) => {
    try {
      tracer.annotateColdStart();
      tracer.addServiceNameAnnotation();
      for (const [key, value] of Object.entries(annotations)) tracer.putAnnotation(key, value);
      return await work();
    } catch (error) {
      tracer.addErrorAsMetadata(error as Error);
      throw error;
    } finally {
      subsegment?.close();
    }
  }) as Promise<T>;
}
