import { Validations } from 'aws-cdk-lib';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  PriceClass,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { Construct } from 'constructs';
import type { ApiEndpoint } from './event-api.ts';
import type { ServiceContext } from './service-context.ts';

/** CloudFront in front of the API: the place for a web ACL, a domain of one's own, and for serving the page from nearby. */
export function createDistribution(
  scope: Construct,
  { options }: ServiceContext,
  origin: ApiEndpoint,
): Distribution {
  const distribution = new Distribution(scope, 'Distribution', {
    comment: `${options.name} API`,
    httpVersion: HttpVersion.HTTP2_AND_3,
    priceClass: PriceClass.PRICE_CLASS_100,
    ...(options.webAclArn === undefined ? {} : { webAclId: options.webAclArn }),
    defaultBehavior: {
      origin: new HttpOrigin(origin.host, {
        protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
      }),
      allowedMethods: AllowedMethods.ALLOW_ALL,
      // Answers depend on the key of the caller and on what was written a moment ago.
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
    },
  });
  Validations.of(distribution).acknowledge(
    {
      id: 'AwsSolutions-CFR1',
      reason: 'An API is open to the countries that its operator serves: an option of theirs.',
    },
    {
      id: 'AwsSolutions-CFR3',
      reason:
        'Every request is logged by the API itself, with the name of its key, which CloudFront does not know.',
    },
    {
      id: 'AwsSolutions-CFR4',
      reason: 'Without a domain of one’s own CloudFront’s certificate decides the protocols.',
    },
  );
  if (options.webAclArn === undefined) {
    Validations.of(distribution).acknowledge({
      id: 'AwsSolutions-CFR2',
      reason: 'A web ACL is an option: -c webAclArn=…',
    });
  }
  return distribution;
}
