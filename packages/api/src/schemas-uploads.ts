import { z } from '@hono/zod-openapi';

/** What an item or a query names an uploaded picture by. */
export const uploadUrl = z
  .string()
  .max(1200)
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+$/, 'expected the url that POST /v1/uploads answered')
  .openapi({
    description: 'A picture put to an address of `POST /v1/uploads`, by the `url` of that answer.',
    example: 's3://pictures-of-this-deployment/uploads/0b7e6c7e-5f5b-4d0c-9b6e-2f8f0d1b2c3d',
  });

export const createUploadBody = z
  .strictObject({
    bytes: z.number().int().min(1).openapi({
      description:
        'Size of the file, exactly: the upload is refused where it differs. At most `pictureBytes` of the limits.',
    }),
    contentType: z
      .string()
      .regex(
        /^(image\/[a-z0-9.+-]{1,64}|application\/octet-stream)$/,
        'expected image/… or application/octet-stream',
      )
      .openapi({
        description: 'Sent with the upload. What the file really is, its first bytes say.',
        example: 'image/jpeg',
      }),
  })
  .openapi('CreateUpload');

export const upload = z
  .object({
    url: uploadUrl,
    uploadUrl: z
      .string()
      .openapi({ description: 'Where to `PUT` the file, once, without a key of this API.' }),
    headers: z
      .record(z.string(), z.string())
      .openapi({ description: 'To be sent with the upload, as they are.' }),
    expires: z.iso.datetime().openapi({
      description: 'The upload must begin before. The picture may be named for a day.',
    }),
  })
  .openapi('Upload');
