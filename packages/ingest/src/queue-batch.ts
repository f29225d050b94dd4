import type { LookalikeError } from '@lookalike/store';
import { type PicturePlace, parseDropKey, pictureKeyOf } from './picture-key.ts';
import type { PictureSource } from './picture-source.ts';
import { type IngestServices, type Outcome, reconcilePictures } from './reconcile.ts';
import { type Refusal, RefusalLog } from './refusal-log.ts';
import { type ObjectChange, parseS3Event } from './s3-event.ts';

export interface QueueMessage {
  messageId: string;
  body: string;
  attributes?: {
    /** How often it was delivered, this time included. */
    ApproximateReceiveCount?: string;
  };
}

export interface QueueBatchOptions {
  services: IngestServices;
  /** The bucket that a change is of. Throws for one that is not ingested from. */
  sourceOf: (bucket: string) => PictureSource;
  /** Of keys: `ingest/`. */
  prefix: string;
  /** Hands over what can never be ingested, with the reason. At least once each. */
  sendDeadLetters: (letters: DeadLetter[]) => Promise<void>;
  /** For the log of what is tried again. */
  onFailure: (failure: { key: string; error: unknown }) => void;
  signal: AbortSignal;
}

/** What is put in the dead-letter queue: the change as S3 told it, so that moving it back to the queue tries it again. */
export interface DeadLetter {
  body: string;
  code: string;
  message: string;
}

export interface BatchReport {
  stored: number;
  replaced: number;
  current: number;
  deleted: number;
  refused: number;
  /** Ids of messages that must be delivered again. */
  failed: string[];
}

interface Subject extends ObjectChange {
  messageIds: string[];
  /** None of its messages is new: an earlier try failed, or took the whole process with it. */
  again: boolean;
}

/**
 * Makes the rows of a batch of S3's notifications be what the pictures are now. A message fails alone; what can never work is
 * handed to `sendDeadLetters` once a version of the picture, and counts as done.
 *
 * What was delivered before is done last and one by one: a picture that ends the process takes no other with it twice.
 */
export async function ingestQueueBatch(
  messages: readonly QueueMessage[],
  options: QueueBatchOptions,
): Promise<BatchReport> {
  const report: BatchReport = { stored: 0, replaced: 0, current: 0, deleted: 0, refused: 0, failed: [] };
  const failed = new Set<string>();
  const letters: { refusal: Refusal; letter: DeadLetter; messageIds: string[] }[] = [];
  const subjects = new Map<string, Subject>();
  for (const { messageId, body, attributes } of messages) {
    try {
      for (const { bucket, key } of parseS3Event(body)) {
        // What consoles show as an empty folder.
        if (key.endsWith('/')) continue;
        const pictureKey = pictureKeyOf(key);
        const subject = subjects.get(`${bucket}/${pictureKey}`) ?? {
          bucket,
          key: pictureKey,
          messageIds: [],
          again: true,
        };
        subject.messageIds.push(messageId);
        subject.again &&= Number(attributes?.ApproximateReceiveCount ?? 1) > 1;
        subjects.set(`${bucket}/${pictureKey}`, subject);
      }
    } catch (error) {
      const { code, message } = error as LookalikeError;
      letters.push({
        refusal: { key: messageId, code, message },
        letter: { body, code, message },
        messageIds: [messageId],
      });
    }
  }
  const { new: fresh = [], again = [] } = Object.groupBy(subjects.values(), (subject) =>
    subject.again ? 'again' : 'new',
  );
  const portions = [
    ...Map.groupBy(fresh, ({ bucket }) => bucket).values(),
    ...again.map((subject) => [subject]),
  ];
  for (const ofBucket of portions) {
    const { bucket } = ofBucket[0] as Subject;
    for (const [subject, outcome] of await reconcileSubjects(ofBucket, bucket, options)) {
      if (outcome.status === 'failed') {
        options.onFailure({ key: subject.key, error: outcome.error });
        for (const id of subject.messageIds) failed.add(id);
      } else if (outcome.status === 'refused') {
        const { error, etag } = outcome;
        const refusal = { key: subject.key, ...(etag === undefined ? {} : { etag }), ...error };
        letters.push({
          refusal,
          letter: { body: eventOf(subject), ...error },
          messageIds: subject.messageIds,
        });
      } else report[outcome.status]++;
    }
  }
  report.refused = letters.length;
  const log = new RefusalLog(options.services.objects);
  const news = await log.news(letters, ({ refusal }) => refusal);
  try {
    if (news.length > 0) {
      await options.sendDeadLetters(news.map(({ letter }) => letter));
      await log.note(news.map(({ refusal }) => refusal));
    }
  } catch (error) {
    for (const { refusal, messageIds } of news) {
      options.onFailure({ key: refusal.key, error });
      for (const id of messageIds) failed.add(id);
    }
  }
  report.failed = [...failed];
  return report;
}

async function reconcileSubjects(
  subjects: readonly Subject[],
  bucket: string,
  { services, sourceOf, prefix, signal }: QueueBatchOptions,
): Promise<[Subject, Outcome][]> {
  const done: [Subject, Outcome][] = [];
  const open: { subject: Subject; place: PicturePlace }[] = [];
  for (const subject of subjects) {
    try {
      open.push({ subject, place: parseDropKey(subject.key, prefix) });
    } catch (error) {
      const { code, message } = error as LookalikeError;
      done.push([subject, { status: 'refused', error: { code, message } }]);
    }
  }
  const places = open.map(({ place }) => place);
  const outcomes = await reconcilePictures(services, sourceOf(bucket), places, signal);
  return [
    ...done,
    ...open.map(({ subject }, index): [Subject, Outcome] => [subject, outcomes[index] as Outcome]),
  ];
}

function eventOf({ bucket, key }: ObjectChange): string {
  const encoded = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
  const record = {
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: bucket }, object: { key: encoded } },
  };
  return JSON.stringify({ Records: [record] });
}
