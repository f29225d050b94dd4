import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';

/** What a deployment may choose, each by `-c name=value`; docs/deploy.md has the table. */
export interface DeploymentOptions {
  /** Prefix of the stacks' names: several deployments live side by side in one account. */
  name: string;
  /** `event`: an ordinary function. `web`: a Lambda Web Function, which serves many requests from one loaded index. */
  api: 'event' | 'web';
  /** Of the event API. Only a function URL streams; only an HTTP API throttles by rate. */
  endpoint: 'function-url' | 'http-api';
  /** `keys`: bearer keys, checked by the app. `iam`: signed requests, checked by AWS. */
  auth: 'keys' | 'iam';
  /** Folder of `models/` that is bundled; missing: the encoder's default. */
  model?: string;
  /** MB, 512-10,240. */
  apiMemory: number;
  /** Seconds. */
  apiTimeout: number;
  /** Environments of the event API at once; missing: bounded by the account's quota only. */
  apiConcurrency?: number;
  /** Requests at once in an environment of the web API, 1-128. */
  webConcurrency: number;
  /** Environments of the web API at once, at least 2. */
  maxEnvironments: number;
  /** Requests a second: of the HTTP API and the web API. */
  rateLimit: number;
  corsOrigins: string[];
  /** MB. */
  embedMemory: number;
  /** Batches of pictures encoded at once, at least 2. */
  embedConcurrency: number;
  /** MB. */
  indexMemory: number;
  /** Collections indexed at once, at least 2. */
  indexConcurrency: number;
  /** Buckets besides its own that `lookalike ingest s3://…` may read. */
  sourceBuckets: string[];
  /** How often S3 lists the bucket of pictures by itself, for runs over very many of them. */
  inventory: 'none' | 'weekly' | 'daily';
  /** Of CloudWatch, three dollars a month beyond the free tier. */
  dashboard: boolean;
  alarmEmail?: string;
  /** US dollars; mails `alarmEmail` at 80% and when the forecast passes it. */
  monthlyBudget?: number;
  logRetentionDays: number;
  /** `false`: `cdk destroy` deletes the pictures and collections too. */
  keepData: boolean;
  /** A key of one's own in KMS instead of the one of S3. */
  customerKey: boolean;
  cloudFront: boolean;
  /** `none`, `new`, or the id of a VPC that is there, with `subnets` and `securityGroups` of it. */
  vpc: string;
  subnets: string[];
  securityGroups: string[];
  /** Of a web ACL (AWS WAF) in us-east-1, put in front of CloudFront. */
  webAclArn?: string;
}

type Reader = (name: string) => string | undefined;

/** Reads `-c` values. Throws an `Error` that names the option, what it was and what was expected. */
export function readOptions(node: Node): DeploymentOptions {
  const read: Reader = (name) => {
    const value: unknown = node.tryGetContext(name);
    return value === undefined || value === null || value === '' ? undefined : String(value);
  };
  const model = read('model');
  const apiConcurrency = read('apiConcurrency') === 'none' ? undefined : whole(read, 'apiConcurrency', 50, 1);
  const alarmEmail = matching(read, 'alarmEmail', /^\S+@\S+\.\S+$/, 'an e-mail address');
  const monthlyBudget = read('monthlyBudget') === undefined ? undefined : whole(read, 'monthlyBudget', 0, 1);
  const webAclArn = matching(
    read,
    'webAclArn',
    /^arn:aws[\w-]*:wafv2:us-east-1:\d{12}:global\/webacl\//,
    'the ARN of a web ACL of scope CLOUDFRONT in us-east-1',
  );
  const options: DeploymentOptions = {
    name:
      matching(read, 'name', /^[A-Za-z][A-Za-z0-9-]{0,30}$/, '1-31 letters, digits and "-"') ?? 'lookalike',
    api: oneOf(read, 'api', ['event', 'web']),
    endpoint: oneOf(read, 'endpoint', ['function-url', 'http-api']),
    auth: oneOf(read, 'auth', ['keys', 'iam']),
    ...(model === undefined ? {} : { model }),
    apiMemory: whole(read, 'apiMemory', 3008, 512, 10_240),
    apiTimeout: whole(read, 'apiTimeout', read('endpoint') === 'http-api' ? 30 : 120, 3, 900),
    ...(apiConcurrency === undefined ? {} : { apiConcurrency }),
    webConcurrency: whole(read, 'webConcurrency', 32, 1, 128),
    maxEnvironments: whole(read, 'maxEnvironments', 5, 2),
    rateLimit: whole(read, 'rateLimit', 100, 1, 10_000),
    corsOrigins: list(read, 'corsOrigins', /^https?:\/\/[^/\s]+$/, 'origins such as https://example.com'),
    embedMemory: whole(read, 'embedMemory', 1769, 1024, 10_240),
    embedConcurrency: whole(read, 'embedConcurrency', 10, 2, 1000),
    indexMemory: whole(read, 'indexMemory', 3538, 1024, 10_240),
    indexConcurrency: whole(read, 'indexConcurrency', 2, 2, 1000),
    inventory: oneOf(read, 'inventory', ['none', 'weekly', 'daily']),
    sourceBuckets: list(read, 'sourceBuckets', /^[a-z0-9][a-z0-9.-]{2,62}$/, 'names of buckets'),
    ...(alarmEmail === undefined ? {} : { alarmEmail }),
    ...(monthlyBudget === undefined ? {} : { monthlyBudget }),
    logRetentionDays: whole(read, 'logRetentionDays', 30, 1, 3653),
    dashboard: flag(read, 'dashboard', true),
    keepData: flag(read, 'keepData', true),
    customerKey: flag(read, 'customerKey', false),
    cloudFront: flag(read, 'cloudFront', false),
    vpc: matching(read, 'vpc', /^(none|new|vpc-[0-9a-f]{8,17})$/, 'none, new, or the id of a VPC') ?? 'none',
    subnets: list(read, 'subnets', /^subnet-[0-9a-f]{8,17}$/, 'ids of subnets'),
    securityGroups: list(read, 'securityGroups', /^sg-[0-9a-f]{8,17}$/, 'ids of security groups'),
    ...(webAclArn === undefined ? {} : { webAclArn }),
  };
  if (RetentionDays[options.logRetentionDays] === undefined) {
    fail(
      'logRetentionDays',
      String(options.logRetentionDays),
      'one of the periods of CloudWatch: 1, 3, 5, 7, 14, 30, 60, 90, …',
    );
  }
  checkTogether(options);
  return options;
}

function checkTogether(options: DeploymentOptions): void {
  const { api, endpoint, auth, apiTimeout, rateLimit, cloudFront, webAclArn, monthlyBudget, alarmEmail } =
    options;
  const refuse = (message: string) => {
    throw new Error(`options that do not go together: ${message}`);
  };
  if (endpoint === 'http-api' && apiTimeout > 30)
    refuse(`endpoint=http-api answers within 30 seconds, apiTimeout is ${apiTimeout}`);
  if (api === 'web' && endpoint === 'http-api')
    refuse('api=web has an endpoint of its own, not endpoint=http-api');
  if (api === 'web' && !(rateLimit <= 1000 ? rateLimit % 100 === 0 : rateLimit % 1000 === 0))
    refuse(`api=web takes a rateLimit of 100-1000 in hundreds or 2000-10000 in thousands, not ${rateLimit}`);
  if (cloudFront && auth === 'iam')
    refuse('CloudFront forwards no signatures of callers: auth=iam with cloudFront');
  const ownVpc = options.vpc.startsWith('vpc-');
  if (options.vpc !== 'none' && api === 'web')
    refuse('a Web Function needs a network connector for a VPC: vpc with api=web');
  if (ownVpc !== options.subnets.length > 0 || ownVpc !== options.securityGroups.length > 0)
    refuse('subnets and securityGroups go with vpc=<id>, all three');
  if (webAclArn !== undefined && !cloudFront) refuse('webAclArn needs cloudFront=true');
  if (monthlyBudget !== undefined && alarmEmail === undefined) refuse('monthlyBudget needs alarmEmail');
}

function fail(name: string, value: string, expected: string): never {
  throw new Error(`-c ${name}=${value}: expected ${expected}`);
}

function oneOf<const T extends string>(read: Reader, name: string, values: readonly [T, ...T[]]): T {
  const value = read(name) ?? values[0];
  return values.find((one) => one === value) ?? fail(name, value, values.join(' or '));
}

function whole(
  read: Reader,
  name: string,
  fallback: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const text = read(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    fail(
      name,
      text,
      most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number, ${least}-${most}`,
    );
  return value;
}

function flag(read: Reader, name: string, fallback: boolean): boolean {
  const text = read(name);
  if (text === undefined) return fallback;
  return text === 'true' || (text === 'false' ? false : fail(name, text, 'true or false'));
}

function matching(read: Reader, name: string, pattern: RegExp, expected: string): string | undefined {
  const value = read(name);
  return value === undefined || pattern.test(value) ? value : fail(name, value, expected);
}

function list(read: Reader, name: string, pattern: RegExp, expected: string): string[] {
  const values = (read(name) ?? '').split(',').filter((value) => value !== '');
  for (const value of values) if (!pattern.test(value)) fail(name, value, expected);
  return values;
}
