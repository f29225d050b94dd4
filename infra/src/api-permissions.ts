import { Validations } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ServiceContext } from './service-context.ts';
import { UPLOADS_PREFIX } from './storage-stack.ts';

/** Grants and environment that the API has whichever way it is hosted. */
export function apiEnvironment({ options, storage }: ServiceContext): Record<string, string> {
  return {
    LOOKALIKE_AUTH: options.auth,
    LOOKALIKE_UPLOADS: `s3://${storage.pictures.bucketName}/${UPLOADS_PREFIX}`,
    ...(options.auth === 'keys' ? { LOOKALIKE_KEYS_SECRET: storage.apiKeys.secretArn } : {}),
    ...(options.corsOrigins.length === 0 ? {} : { LOOKALIKE_CORS_ORIGINS: options.corsOrigins.join(',') }),
  };
}

export function allowApi(role: Role, { options, storage }: ServiceContext): void {
  allowCollections(role, storage.data);
  // It signs uploads with its own right to write, and reads them; they end by themselves.
  allowObjects(role, storage.pictures, `${UPLOADS_PREFIX}*`, ['s3:GetObject', 's3:PutObject']);
  allowList(role, storage.pictures);
  if (options.auth === 'keys') {
    const { secretArn, encryptionKey } = storage.apiKeys;
    role.addToPolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] }),
    );
    if (encryptionKey !== undefined) allowKey(role, encryptionKey);
  }
}

/** To read and write whole collections: what every function needs that opens one. */
export function allowCollections(role: Role, data: IBucket): void {
  allowObjects(role, data, 'collections/*', [
    's3:GetObject',
    's3:PutObject',
    's3:DeleteObject',
    's3:AbortMultipartUpload',
  ]);
  allowList(role, data);
}

/** By the role's own policy: the policy of the key lies in the other stack, which must not know of this one. */
export function allowKey(role: IGrantable, key: IKey): void {
  role.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] }),
  );
}

/** `actions` on the objects under `pattern`, and the use of the bucket's key where it has one. */
export function allowObjects(role: Role, bucket: IBucket, pattern: string, actions: string[]): void {
  role.addToPolicy(new PolicyStatement({ actions, resources: [bucket.arnForObjects(pattern)] }));
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM5[Resource::…/${pattern}]`,
    reason: 'Objects are named at run time: the wildcard is the end of a prefix of one bucket.',
  });
  if (bucket.encryptionKey !== undefined) {
    allowKey(role, bucket.encryptionKey);
  }
}

/**
 * For whoever reads objects: without it S3 answers 403 where it should say that there is no such object. A condition on the prefix has
 * the same effect, as a GET names none; what is gained beside is the names in the bucket, not what is in it.
 */
export function allowList(role: Role, bucket: IBucket): void {
  role.addToPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }));
}
