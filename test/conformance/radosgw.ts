/**
 * node test/conformance/radosgw.ts: the conformance suite against a real S3 server, Ceph's object gateway from Debian's packages, as one
 * node in memory: a monitor, an OSD and the gateway on 127.0.0.1. Installs the packages where they are missing and it may; says
 * "skipped" and why, and ends 0, where there is no such server to test against.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const packages = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'];
const patience = 120_000;

/** No fault of the store under test. */
class NotUp extends Error {}

function skip(reason: string): never {
  console.log(`radosgw skipped: ${reason}`);
  process.exit(0);
}

function install(): void {
  try {
    for (const tool of ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph'])
      execFileSync('which', [tool], { stdio: 'ignore' });
    return;
  } catch {
    if (process.getuid?.() !== 0) skip(`install ${packages.join(' ')}, or run this as root`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    });
  } catch (error) {
    skip(`${packages.join(' ')} cannot be installed: ${(error as Error).message}`);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

install();
const folder = mkdtempSync(join(tmpdir(), 'lookalike-radosgw-'));
const [monitorPort, gatewayPort] = [await freePort(), await freePort()];
const clusterId = randomUUID();
const configFile = join(folder, 'ceph.conf');
for (const name of ['mon', 'osd', 'run']) mkdirSync(join(folder, name));
writeFileSync(
  configFile,
  `[global]
fsid = ${clusterId}
mon host = [v1:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class load list = *
osd class default list = *
mon max pg per osd = 1000
run dir = ${folder}/run
pid file = ${folder}/run/$name.pid
admin socket = ${folder}/run/$name.asok
log file = ${folder}/$name.log
[mon]
mon data = ${folder}/mon
mon data avail warn = 1
mon data avail crit = 1
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd journal =
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw thread pool size = 64
`,
);

const daemons: ChildProcess[] = [];
function start(command: string, ...options: string[]): void {
  daemons.push(spawn(command, ['-c', configFile, '-f', ...options], { stdio: 'ignore' }));
}
/** Gives up on a command early enough to try it again. */
function run(command: string, ...options: string[]): string {
  return execFileSync(command, ['-c', configFile, ...options], {
    encoding: 'utf8',
    timeout: patience / 4,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
async function eventually<T>(what: string, attempt: () => T | Promise<T>): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (Date.now() > deadline)
        throw new NotUp(`${what} did not come up: its log was in ${folder}`, { cause });
      await sleep(250);
    }
  }
}

let failed = true;
try {
  const started = Date.now();
  const map = join(folder, 'monmap');
  const address = `[v1:127.0.0.1:${monitorPort}]`;
  execFileSync('monmaptool', ['--create', '--addv', 'a', address, '--fsid', clusterId, map], {
    stdio: 'ignore',
  });
  run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map);
  start('ceph-mon', '-i', 'a');
  const osdId = randomUUID();
  await eventually('the monitor', () => run('ceph', '--connect-timeout', '5', 'osd', 'new', osdId, '0'));
  run('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', osdId);
  start('ceph-osd', '-i', '0');
  // Asked before, the admin's command may wait for ever.
  await eventually('the storage daemon', () => {
    if (!run('ceph', '--connect-timeout', '5', 'osd', 'stat').includes(' 1 up'))
      throw new Error('the storage daemon is not up');
  });
  const user = ['--uid', 'conformance'];
  const keys = ['--access-key', 'conformance', '--secret', 'conformance'];
  await eventually('the user', () => {
    try {
      run('radosgw-admin', 'user', 'create', ...user, '--display-name', 'conformance', ...keys);
    } catch {
      // An attempt that was given up may have made it.
      run('radosgw-admin', 'user', 'info', ...user);
    }
  });
  start('radosgw', '-n', 'client.rgw');
  const endpoint = `http://127.0.0.1:${gatewayPort}`;
  const bucket = 'conformance';
  const credentials = { accessKeyId: 'conformance', secretAccessKey: 'conformance' };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await eventually('the gateway', () => client.send(new CreateBucketCommand({ Bucket: bucket })));
  client.destroy();
  console.log(`radosgw answers at ${endpoint} after ${((Date.now() - started) / 1000).toFixed(0)} s`);
  const vitest = spawn(
    'npx',
    ['vitest', 'run', 'test/conformance/s3.test.ts', '-t', 's3 at', ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        LOOKALIKE_S3_ENDPOINT: endpoint,
        LOOKALIKE_S3_BUCKET: bucket,
        LOOKALIKE_S3_OVERWRITES_BY_STREAM: 'yes',
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_REGION: 'us-east-1',
      },
    },
  );
  const code = await new Promise<number | null>((resolve) => vitest.on('exit', resolve));
  failed = code !== 0;
} catch (error) {
  if (!(error instanceof NotUp)) throw error;
  failed = false;
  console.log(`radosgw skipped: ${error.message}`);
} finally {
  for (const daemon of daemons.reverse()) {
    const ended = new Promise((resolve) => daemon.on('exit', resolve));
    daemon.kill(daemon.spawnfile === 'radosgw' ? 'SIGTERM' : 'SIGKILL');
    if (daemon.exitCode === null && daemon.signalCode === null) await Promise.race([ended, sleep(5000)]);
  }
  if (!failed) rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
