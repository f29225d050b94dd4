import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SecretsServer {
  url: string;
  secret: string;
  close(): Promise<void>;
}

/** Answers every `GetSecretValue` of AWS Secrets Manager with one secret, on loopback. */
export async function startSecretsServer(secret: string): Promise<SecretsServer> {
  const server: Server = createServer((_, response) => {
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(
      JSON.stringify({
        ARN: 'arn:aws:secretsmanager:::secret:keys',
        Name: 'keys',
        SecretString: started.secret,
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const started: SecretsServer = {
    secret,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return started;
}
