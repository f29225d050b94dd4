// Runs one Lambda function in a process of its own: events come in as lines of JSON, answers go out. Plain JavaScript, so that it
// runs beside a bundle on any Node.
import { createInterface } from 'node:readline';

const [module, name] = process.argv.slice(2);
const logs = process.stderr;

// The function's own output is its log.
console.log = console.info = console.warn = console.error = (...parts) => logs.write(`${parts.join(' ')}\n`);

/** As the runtime does it: what the handler writes is the answer, after a head of status and headers. */
globalThis.awslambda = {
  streamifyResponse: (handler) => async (event, context) => {
    const { PassThrough } = await import('node:stream');
    const stream = new PassThrough();
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    const ended = new Promise((resolve) => stream.on('end', resolve));
    await handler(event, stream, context);
    await ended;
    return { ...stream.head, isBase64Encoded: true, body: Buffer.concat(chunks).toString('base64') };
  },
  HttpResponseStream: {
    from(stream, head) {
      stream.head = head;
      return stream;
    },
  },
};

const loaded = await import(module);
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { id, event, milliseconds } = JSON.parse(line);
  const deadline = Date.now() + milliseconds;
  const context = {
    awsRequestId: id,
    functionName: name,
    functionVersion: '$LATEST',
    memoryLimitInMB: '1769',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'loopback',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    const result = await loaded[name](event, context);
    process.stdout.write(`${JSON.stringify({ id, result })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ id, error: error?.stack ?? String(error) })}\n`);
  }
}
