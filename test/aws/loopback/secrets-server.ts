import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers every `GetSecretValue` of AWS Secrets Manager with one secret, on loopback. */
export async function startSecretsServer(secret: string): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer((_, response) => {
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(
      JSON.stringify({ ARN: 'arn:aws:secretsmanager:::secret:keys', Name: 'keys', SecretString: secret }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
